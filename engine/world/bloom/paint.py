"""Paint a bloom, back to front: ground, ripples, spores, arms, two rings of petals, filaments and the eye at its heart."""
import math
from typing import NamedTuple

import torch

from engine.world.shapes import length, smooth

PARTS = ("background", "ripples", "spores", "arms", "bulbs", "petals", "spots", "inner_petals", "filaments", "anthers", "core", "seeds", "iris", "pupil")
PETALS, FILAMENTS, SPORES, SEEDS = 5, 5, 5, 10           # fixed numbers, since a network cannot learn a jump
HALF = math.pi / PETALS                                   # half the angle of a petal


class Plane(NamedTuple):
    """The flower at one height, in polar coordinates of its own; each [N, H, W].

    r: distance from its axis. angle: turned and twisted. lobe: how long things grow towards there. right, down: the direction in the picture.
    """
    r: torch.Tensor
    angle: torch.Tensor
    lobe: torch.Tensor
    right: torch.Tensor
    down: torch.Tensor


class Petal(NamedTuple):
    """A ring of petals: signed distance; u -1..1 across each; t 0 at its foot, 1 at its tip."""
    distance: torch.Tensor
    u: torch.Tensor
    t: torch.Tensor


def paint(canvas, f, c, x, y):
    """Lay the parts on a canvas; f: factor values, c: colours, x, y [N, H, W]: the pixels' places."""
    around_it = x, y
    x, y = (x - f["shift_x"]) / f["scale"], (y - f["shift_y"]) / f["scale"]
    ground(canvas, f, c, x, y)
    spores(canvas, f, c, *around_it)
    arms(canvas, f, c, stiff(f, x, y, -0.10))
    petals(canvas, f, c, plane(f, x, y, 0.0))
    inner_petals(canvas, f, c, plane(f, x, y, 0.10))
    filaments(canvas, f, c, plane(f, x, y, 0.16))
    core(canvas, f, c, plane(f, x, y, 0.14))
    eye(canvas, f, c, plane(f, x, y, 0.14))


def plane(f, x, y, height) -> Plane:
    """Return the flower's own coordinates at a height above its petals; what stands higher is displaced as the flower leans."""
    along = 0.55 * (x * f["tilt_x"] + y * f["tilt_y"])
    x, y = x + f["tilt_x"] * (along - height), y + f["tilt_y"] * (along - height)
    r = length(x, y)
    right, down = x / r, y / r
    lobe = 1 + f["lobe_x"] * right + f["lobe_y"] * down + f["oval_x"] * (right * right - down * down) + f["oval_y"] * 2 * right * down
    return Plane(r, torch.atan2(x, -y) - f["spin"] - f["twist"] * (r - 0.5), lobe, right, down)


def stiff(f, x, y, height) -> Plane:
    """Return coordinates of what neither twists nor grows towards a side: far out, a network could not follow that."""
    p = plane(f, x, y, height)
    return p._replace(angle=torch.atan2(p.right, -p.down) - f["spin"], lobe=torch.ones_like(p.lobe))


def around(angle, count, offset=0.0):
    """Return the angle from the nearest of `count` spokes, the first of them at `offset`."""
    period = 2 * math.pi / count
    return angle - offset - torch.round((angle - offset) / period) * period


def ground(canvas, f, c, x, y):
    """A colour lit behind the flower, in ripples that follow its petals."""
    far = length(x, y)
    canvas.lay("background", torch.ones_like(x), c["edge"])
    canvas.tint(torch.exp(-1.1 * far * far), c["ground"])
    canvas.shine(torch.exp(-(far / 0.62).square()), c["glow"])
    p = plane(f, x, y, -0.20)
    shape = p.lobe * (1 + 0.09 * torch.cos(PETALS * p.angle) * smooth(p.r, 0.1, 0.5))
    wave = 0.5 + 0.5 * torch.cos(2 * math.pi * (p.r / shape - 0.1) * 2.6)
    canvas.lay("ripples", smooth(wave, 0.50, 0.66) * smooth(p.r, 0.30, 0.50) * smooth(p.r, 1.7, 1.0) * f["ripples"], c["ripple"])


def spores(canvas, f, c, x, y):
    """Balls that stand around everything, whatever the flower does, lit like it."""
    r = length(x, y)
    out = r - f["spore_reach"]
    ball = canvas.cover(length(out, 1.8 * torch.sin(around(torch.atan2(x, -y), SPORES) / 2) * r) - f["spore_size"])
    canvas.lay("spores", ball, c["spore"])
    facing = (f["light_x"] * x + f["light_y"] * y) / r
    canvas.tint(ball * smooth(out / f["spore_size"] * facing, 0.6, -1.0) * 0.85, c["spore_low"])


def arms(canvas, f, c, p):
    """Arms in waves between the petals, a bulb at the end of each."""
    bend = 5.0 * p.r + f["arm_phase"]
    aside = around(p.angle - f["arm_wave"] * torch.sin(bend) * smooth(p.r, 0.15, 0.6), PETALS, HALF) * p.r
    end = f["arm_length"] * p.lobe
    thick = f["arm_width"] * (1.25 - 0.75 * (p.r / end).clamp(0, 1.2))
    slope = torch.sqrt(1 + (5 * f["arm_wave"] * torch.cos(bend) * p.r).square())
    arm = canvas.cover(torch.maximum((aside.abs() - thick) / slope, p.r - end))
    canvas.lay("arms", arm, c["arm"])
    canvas.tint(arm * smooth(0.5 * aside / thick, -0.5, 0.9) * 0.8, c["arm_low"])
    canvas.tint(arm * smooth(0.5 + 0.5 * torch.cos(34 * p.r), 0.6, 1.0) * 0.6, c["arm_low"])
    distance = length(aside, p.r - end) - f["bulb"]
    bulb = canvas.cover(distance)
    canvas.lay("bulbs", bulb, c["bulb"])
    canvas.tint(bulb * smooth(-distance / f["bulb"], 0.75, 0.05) * 0.75, c["arm_low"])
    canvas.shine(bulb * smooth(-distance / f["bulb"], 0.55, 1.0) * f["gloss"], c["spore"])


def ring(p, local, width, foot, reach, point, notch=0.0, ruffle=0.0) -> Petal:
    """Return petals from `foot` on, `reach` long, `width` of their share of the circle wide; point: below 1 round, above 1 pointed."""
    u = local / (HALF * width)
    body = (1 - u * u).clamp(min=0.03)
    tip = reach * body ** point
    slope = 2 * point * u * tip / (body * HALF * width)
    tip = tip * (1 - notch * torch.exp(-(u / 0.28).square())) + ruffle * torch.cos(5 * math.pi * u)
    edge = (p.r - foot - tip) / torch.sqrt(1 + (slope / (p.r + 0.05)).square())
    return Petal(torch.maximum(edge, (u.abs() - 1) * HALF * width * p.r), u, (p.r - foot) / (tip + 1e-3))


def turn_to_light(f, p, petal, fold):
    """Return how far the petals, shallow domes that are folded along their middle, face the light: about -1..1."""
    along, across = 0.9 * (petal.t - 0.5), 0.7 * petal.u
    right, down = p.right * along - p.down * across, p.down * along + p.right * across
    return right * f["light_x"] + down * f["light_y"] + fold * petal.u * f["petal_fold"]


def petals(canvas, f, c, p):
    """The outer ring, with veins and an eye-spot on each petal."""
    local = around(p.angle, PETALS)
    foot, reach = 0.10, f["petal_length"] * p.lobe + 0.05
    petal = ring(p, local, f["petal_width"], foot, reach, f["petal_point"], f["petal_notch"], f["petal_ruffle"])
    canvas.tint(smooth(petal.distance, 0.07, -0.02) * 0.55, c["edge"] * 0.15)             # its shadow on what lies below
    shape = canvas.cover(petal.distance)
    canvas.lay("petals", shape, c["petal"])
    canvas.tint(shape * smooth(petal.t, 0.35, 1.0), c["petal_tip"])
    facing = turn_to_light(f, p, petal, 0.55)
    canvas.tint(shape * smooth(facing, 0.05, -0.9) * 0.85, c["petal_low"])
    canvas.tint(shape * smooth(petal.t, 0.42, 0.05) * 0.9, c["petal_low"])
    veins = smooth(torch.cos(9 * petal.u / (0.35 + 0.65 * petal.t.clamp(0, 1))), 0.55, 0.95) * smooth(petal.t, 1.05, 0.5)
    canvas.tint(shape * veins * f["veins"] * 0.9, c["vein"])
    canvas.shine(shape * smooth(facing, 0.25, 0.9) * f["gloss"] * 0.6, c["petal_tip"])
    canvas.tint(shape * smooth(petal.distance, -0.022, -0.004) * 0.5, c["petal_tip"])
    distance = length(local * p.r, (p.r - foot - 0.62 * reach) * 0.8) - f["spot"]
    spot = canvas.cover(distance) * shape
    canvas.lay("spots", spot, c["spot"])
    canvas.tint(spot * canvas.cover(distance + 0.45 * f["spot"]), c["spot_low"])


def inner_petals(canvas, f, c, p):
    """The inner ring, between the outer ones."""
    petal = ring(p, around(p.angle, PETALS, HALF), f["inner_width"], 0.7 * f["core"], f["inner_length"] * p.lobe + 0.05, f["inner_point"])
    canvas.tint(smooth(petal.distance, 0.06, -0.02) * 0.6, c["petal_low"] * 0.5)
    shape = canvas.cover(petal.distance)
    canvas.lay("inner_petals", shape, c["inner"])
    canvas.tint(shape * smooth(petal.t, 0.4, 1.0), c["inner_tip"])
    canvas.tint(shape * smooth(turn_to_light(f, p, petal, 0.4), 0.05, -0.9) * 0.8, c["inner_low"])
    canvas.tint(shape * smooth(petal.t, 0.5, 0.1) * 0.9, c["inner_low"])


def filaments(canvas, f, c, p):
    """Threads that stand around the heart and swing, a bead at the end of each."""
    end = f["core"] + f["filament_length"] * p.lobe
    swing = f["filament_bend"] * ((p.r - f["core"]) / 0.24).clamp(0, 1.6).square()
    aside = around(p.angle - swing, FILAMENTS) * p.r
    thread = torch.maximum(aside.abs() - 0.0115, p.r - end)
    canvas.tint(smooth(thread, 0.02, 0.0) * 0.5, c["inner_low"])
    canvas.lay("filaments", canvas.cover(thread), c["filament"])
    distance = length(aside, p.r - end) - f["anther"]
    bead = canvas.cover(distance)
    canvas.lay("anthers", bead, c["anther"])
    canvas.tint(bead * smooth(-distance / f["anther"], 0.5, 0.0) * 0.6, c["core_low"])


def core(canvas, f, c, p):
    """The socket of the eye, with a ring of seeds."""
    share = p.r / f["core"]
    canvas.tint(smooth(p.r - f["core"], 0.06, 0.0) * 0.7, c["inner_low"] * 0.4)
    shape = canvas.cover(p.r - f["core"])
    canvas.lay("core", shape, c["core"])
    facing = f["light_x"] * p.right + f["light_y"] * p.down
    canvas.tint(shape * smooth(share * (0.2 + 0.8 * facing), -0.1, -1.0), c["core_low"])
    canvas.tint(shape * smooth(share, 0.80, 1.0) * 0.7, c["core_low"])
    canvas.lay("seeds", canvas.cover(length(p.r - 0.80 * f["core"], around(p.angle, SEEDS) * p.r) - f["seeds"]), c["seed"])


def eye(canvas, f, c, p):
    """An iris that looks somewhere, its pupil, and a spark of the light."""
    globe = 0.60 * f["core"]
    canvas.tint(canvas.cover(p.r - globe - 0.014), c["dark"])
    x, y = p.r * p.right - 0.30 * globe * f["gaze_x"], p.r * p.down - 0.30 * globe * f["gaze_y"]
    iris, r = canvas.cover(p.r - globe), length(x, y)
    canvas.lay("iris", iris, c["iris"])
    canvas.tint(iris * smooth(r / globe, 0.55, 1.1) * 0.9, c["dark"])
    fibres = 0.5 + 0.5 * torch.cos(12 * torch.atan2(x, -y))
    canvas.tint(iris * fibres * smooth(r / globe, 0.2, 0.6) * 0.35, c["seed"])
    canvas.lay("pupil", iris * canvas.cover(r - 0.8 * globe * f["pupil"]), c["dark"])
    spark = length(x - 0.28 * globe * f["light_x"], y - 0.28 * globe * f["light_y"]) - 0.16 * globe
    canvas.tint(iris * canvas.cover(spark), torch.ones_like(c["iris"]))
