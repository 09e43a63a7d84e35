"""Paint a gate, back to front: rays, fans in the corners, columns, steps, a zigzag, moons, the nested frames, the sign inside, and the edge."""
import math

import torch

from engine.world.shapes import length

PARTS = ("background", "rays", "fans", "columns", "bands", "capitals", "steps", "zigzag", "moons", "gate", "rings", "inside", "shadow", "sign", "dot", "frame")
RAYS, FAN_RINGS, COLUMN_BANDS, FRAMES, STEPS, ZIGZAG, TEETH, STAR = 16, 3, 5.0, 5, 3, 4.0, 5.0, 8      # fixed numbers, since a network cannot learn a jump


def paint(canvas, f, c, x, y):
    """Lay the parts on a canvas; f: factor values, c: colours, x, y [N, H, W]: the pixels' places."""
    gx, gy = (x - f["shift_x"]) / f["scale"], (y - f["shift_y"]) / f["scale"]
    lit = sun(canvas, f, c, gx, gy)
    rays(canvas, f, c, x, y, lit)
    fans(canvas, f, c, x, y)
    columns(canvas, f, c, x, y)
    steps(canvas, f, c, x, y)
    zigzag(canvas, f, c, x, y, lit)
    moons(canvas, f, c, gx, gy)
    gate(canvas, f, c, gx, gy)
    sign(canvas, f, c, gx, gy)
    frame(canvas, f, c, x, y)


def box(x, y, half_width, half_height):
    """Return the signed distance to a box around the origin."""
    return torch.maximum(x.abs() - half_width, y.abs() - half_height)


def nearest(angle, count):
    """Return the angle from the nearest of `count` spokes, the first of them at 0."""
    period = 2 * math.pi / count
    return angle - torch.round(angle / period) * period


def sun(canvas, f, c, x, y):
    """The ground, black; on it a pale disc that comes out from behind the gate and grows up to the frame. Returns the disc's coverage."""
    canvas.lay("background", torch.ones_like(x), c["ground"])
    disc = canvas.cover(length(x, y) - torch.sqrt(f["sun"] + 1e-4))
    canvas.lay("background", disc, c["sun"])
    return disc


def rays(canvas, f, c, x, y, lit):
    """Rays from behind the gate: dark on black, white on the sun. They stay where they are in the picture, or a network would average them away."""
    r = length(x, y)
    away = nearest(torch.atan2(x, -y) - f["ray_turn"], RAYS)
    wedge = (away.abs() - f["ray_width"] * math.pi / RAYS) * r
    canvas.lay("rays", canvas.cover(torch.maximum(wedge, r - f["ray_reach"])), torch.lerp(c["ray"], c["light"], lit[:, None]))


def fans(canvas, f, c, x, y):
    """Quarter rings in the four corners."""
    r = length(1 - x.abs(), 1 - y.abs())
    canvas.lay("fans", canvas.cover(r - f["fan"]), c["ink"])
    pitch = f["fan"] / FAN_RINGS
    for ring in range(FAN_RINGS):
        middle = pitch * (ring + 0.5)
        canvas.lay("fans", canvas.cover((r - middle).abs() - 0.5 * pitch * f["fan_rings"]), c["first"] if ring % 2 == 0 else c["third"])


def columns(canvas, f, c, x, y):
    """A column on each side, in bands that lean, between two capitals."""
    side, high = x.abs() - f["column_x"], f["column_height"]
    shaft = canvas.cover(box(side, y, f["column"], high))
    canvas.lay("columns", shaft, c["ink"])
    at = (y / high + 4 * f["band_slant"] * side / f["column"] * 0.3) * 0.5 * COLUMN_BANDS
    level = (at - torch.round(at)).abs() - 0.5 * f["band"]
    canvas.lay("bands", shaft * canvas.cover(level * 2 * high / COLUMN_BANDS), c["second"])
    cap = box(side, y.abs() - high, f["column"] + 0.035, 0.5 * f["capital"])
    canvas.lay("capitals", canvas.cover(cap), c["light"])


def steps(canvas, f, c, x, y):
    """Stairs below the gate, each wider than the one above it."""
    for step in range(STEPS):
        half = f["step_width"] + f["step_out"] * step
        top = 0.94 - f["step_height"] * (STEPS - step)
        colour = (c["light"], c["third"], c["ink"])[step]
        canvas.lay("steps", canvas.cover(torch.maximum(x.abs() - half, top - y)), colour)


def zigzag(canvas, f, c, x, y, lit):
    """A line that folds across the top, twice: the lower one is white, and black before the sun."""
    fold = (x * ZIGZAG - torch.round(x * ZIGZAG)).abs() * 2                                # 0..1
    slope = torch.sqrt(1 + (2 * ZIGZAG * f["zigzag"]).square())
    for place, colour in ((0.0, c["second"]), (0.105, torch.lerp(c["light"], c["ink"], lit[:, None]))):
        line = y + f["zigzag_y"] - place - f["zigzag"] * (fold - 0.5) * 2
        canvas.lay("zigzag", canvas.cover((line.abs() - 0.5 * f["zigzag_line"] * slope) / slope), colour)


def moons(canvas, f, c, x, y):
    """A disc with a ring at each side of the gate's shoulders."""
    place = f["moon_reach"] * 0.70710678
    r = length(x.abs() - place, y.abs() - place)
    canvas.lay("moons", canvas.cover(r - f["moon"] - 0.025), c["ink"])
    canvas.lay("moons", canvas.cover(r - f["moon"]), c["first"])
    canvas.lay("moons", canvas.cover(r - f["moon"] * f["moon_ring"]), c["light"])


def inner(f, share, x, y):
    """Return coordinates in the frame that lies `share` of the way (0 the outermost, 1 the sign's) into the gate."""
    return x - f["deep_x"] * share, y - f["deep_y"] * share


def outline(f, place, radius, turn):
    """Return the signed distance to a frame: |x|^p + |y|^p, p from 1 (a diamond) over 2 (a circle) to 6 (a square), turned and starred."""
    (x, y), cosine, sine = place, torch.cos(turn), torch.sin(turn)
    x, y = x * cosine + y * sine, (y * cosine - x * sine) / f["tall"]
    p = torch.exp(1.8 * f["roundness"])
    across, down = x.abs() + 1e-4, y.abs() + 1e-4
    most = torch.maximum(across, down)
    norm = most * ((across / most) ** p + (down / most) ** p) ** (1 / p)
    slope = length((across / norm) ** (p - 1), (down / norm) ** (p - 1))
    wave = 1 + f["star"] * torch.cos(STAR * torch.atan2(x, y))
    return (norm - radius * wave) / (slope * (1 + 2.5 * f["star"].abs()))


def gate(canvas, f, c, x, y):
    """Frames within frames, each narrower and turned a little further, towards the place where the sign stands."""
    colours = (c["light"], c["ink"], c["first"], c["ink"], c["second"])
    names = ("gate", "gate", "rings", "rings", "rings")
    radius = f["size"]
    for number in range(FRAMES):
        share = number / FRAMES
        even = 1 + f["weight"] * 0.2 * (1 if number % 2 else -1)
        shape = outline(f, inner(f, share, x, y), radius * even, f["twist"] * number)
        canvas.lay(names[number], canvas.cover(shape), colours[number])
        radius = radius * f["narrowing"]
    shape = outline(f, inner(f, 1.0, x, y), radius * 1.04, f["twist"] * FRAMES)
    canvas.lay("inside", canvas.cover(shape), c["ink"])


def sign(canvas, f, c, x, y):
    """A letter of no alphabet: bars, a stem, two sides, a bow and a dot; below 0 a stroke is not there."""
    x, y = inner(f, 1.0, x, y)
    canvas.lay("shadow", canvas.cover(strokes(f, x - 0.034, y - 0.034)), c["shadow"])
    canvas.lay("sign", canvas.cover(strokes(f, x, y)), c["sign"])
    dot = length(x, y + 0.45 * f["sign_height"]) - f["dot"]
    canvas.lay("dot", canvas.cover(dot), c["second"])


def thick(stroke):
    """Return half the width of a stroke: from nothing to a real one in a step that is short, yet no jump; nobody sees a hair from far."""
    return stroke + 0.012 * torch.tanh(stroke / 0.004)


def strokes(f, x, y):
    """Return the signed distance to the sign's strokes around the origin."""
    x = x + f["slant"] * y
    w, h = f["sign_width"], f["sign_height"]
    shape = box(x, y, thick(f["stem"]), h)
    for name, at in (("bar_top", -1.0), ("bar_middle", 0.0), ("bar_bottom", 1.0)):
        shape = torch.minimum(shape, box(x, y - at * h, w + 0.03, thick(f[name])))
    for name, at in (("side_left", -1.0), ("side_right", 1.0)):
        shape = torch.minimum(shape, box(x - at * w, y, thick(f[name]), h))
    return torch.minimum(shape, (length(x, y + 0.45 * h) - f["bow_size"]).abs() - thick(f["bow"]))


def frame(canvas, f, c, x, y):
    """A frame around the picture, with teeth on its inside."""
    inside = 1 - torch.maximum(x.abs(), y.abs())
    along = torch.where(x.abs() > y.abs(), y, x) * TEETH
    tooth = f["teeth"] * (1 - (along - torch.round(along)).abs() * 4)
    canvas.lay("frame", canvas.cover((inside - f["frame"] - tooth.clamp(min=0)) / (1 + 3 * TEETH * f["teeth"])), c["light"])
