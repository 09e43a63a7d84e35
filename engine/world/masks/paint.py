"""Paint a masked face on a stage, back to front."""
from engine.world.masks import face, stage
from engine.world.shapes import rotate

PARTS = ("background", "rays", "halo", "hair", "neck", "collar", "ears", "earrings", "head", "face_paint", "nose", "lips",
         "mouth", "teeth", "lids", "left_eye", "right_eye", "iris", "pupil", "brows", "crown", "jewel")


def paint(canvas, f, c, x, y):
    """Lay the parts on a canvas; f: factor values, c: colours, x, y [N, H, W]: the pixels' places."""
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


def pose(f, x, y):
    """Return the body's coordinates (shifted) and the head's (also tilted and scaled) for the picture's."""
    bx, by = x - 0.6 * f["shift_x"], y - f["shift_y"]
    hx, hy = rotate((x - f["shift_x"]) / f["scale"], (y - f["shift_y"] - 0.03) / f["scale"], f["tilt"])
    return bx, by, hx, hy
