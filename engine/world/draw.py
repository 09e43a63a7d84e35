"""Draw the world: a masked face on a stage, from z, at any size. A pure function of z: no clock, no random state.

`draw(z, size)` is the picture, `parts(z, size)` who is on top where; `view` does both for any window of the picture,
so that training at 1024 px can look at crops. Letters: N batch, S size, H, W pixels.
"""
import torch

from engine.world import face, stage
from engine.world.factors import uniform, values
from engine.world.palette import palette
from engine.world.shapes import Canvas, grid, rotate

PARTS = ("background", "rays", "halo", "hair", "neck", "collar", "ears", "earrings", "head", "face_paint", "nose", "lips",
         "mouth", "teeth", "lids", "left_eye", "right_eye", "iris", "pupil", "brows", "crown", "jewel")


def draw(z, size):
    """Return the pictures [N, 3, size, size] of z [N, 64], in -1..1."""
    return whole(z, size).picture * 2 - 1


def parts(z, size):
    """Return {name: [N, size, size] in 0..1} for z [N, 64]: the share of each pixel where that part is on top. All names sum to 1."""
    return whole(z, size).visible()


def whole(z, size):
    corner = torch.full((len(z),), -1.0, device=z.device)
    return view(uniform(z), corner, corner, 2 / size, size, size)


def view(u, left, top, pitch, height, width):
    """Factors u [N, F]; window corner left, top [N] (the picture spans -1..1); pitch: size of a pixel -> Canvas."""
    f = values(u)
    c = palette(f)
    x, y = grid(left, top, pitch, height, width)
    canvas = Canvas(pitch)
    stage.stage(canvas, f, c, x, y)
    bx, by, hx, hy = pose(f, x, y)
    stage.halo(canvas, f, c, bx / f["scale"] - 0.4 * f["shift_x"], (by - 0.03) / f["scale"])
    stage.hair_behind(canvas, f, c, hx, hy)
    stage.collar(canvas, f, c, bx, by)
    stage.neck(canvas, f, c, bx, by)
    stage.ears(canvas, f, c, hx, hy)
    on_head = face.head(canvas, f, c, hx, hy)
    fx, fy = hx - 0.055 * f["turn"], hy - 0.035 * f["nod"]               # features ride on the head's front
    face.paint(canvas, f, c, fx, fy, on_head)
    face.mouth(canvas, f, c, fx, fy)
    face.eyes(canvas, f, c, fx, fy)
    face.nose(canvas, f, c, fx - 0.030 * f["turn"], fy)
    face.brows(canvas, f, c, fx, fy)
    face.fringe(canvas, f, c, hx - 0.020 * f["turn"], hy, on_head)
    face.crown(canvas, f, c, hx - 0.025 * f["turn"], hy)
    return canvas


def pose(f, x, y):
    """Picture coordinates -> the body's (shifted) and the head's (also tilted and scaled)."""
    bx, by = x - 0.6 * f["shift_x"], y - f["shift_y"]
    hx, hy = rotate((x - f["shift_x"]) / f["scale"], (y - f["shift_y"] - 0.03) / f["scale"], f["tilt"])
    return bx, by, hx, hy
