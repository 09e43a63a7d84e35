"""Paint a beast where a mask would be, back to front: what stands behind the face and its mouth and brows are the masks' own."""
from engine.world.beasts import face
from engine.world.masks import face as human
from engine.world.masks import stage
from engine.world.masks.paint import pose

PARTS = ("background", "rays", "halo", "hair", "neck", "collar", "ears", "earrings", "head", "muzzle", "face_paint", "nose", "lips",
         "mouth", "teeth", "lids", "left_eye", "right_eye", "iris", "pupil", "brows", "horns", "jewel")


def paint(canvas, f, c, x, y):
    """Lay the parts on a canvas; f: factor values, c: colours, x, y [N, H, W]: the pixels' places."""
    stage.stage(canvas, f, c, x, y)
    bx, by, hx, hy = pose(f, x, y)
    stage.halo(canvas, f, c, bx / f["scale"] - 0.4 * f["shift_x"], (by - 0.03) / f["scale"])
    face.mane(canvas, f, c, hx, hy)
    stage.collar(canvas, f, c, bx, by)
    stage.neck(canvas, f, c, bx, by)
    face.ears(canvas, f, c, hx, hy)
    on_head = human.head(canvas, f, c, hx, hy)
    fx, fy = hx - 0.055 * f["turn"], hy - 0.035 * f["nod"]               # features ride on the head's front
    face.muzzle(canvas, f, c, fx, fy, on_head)
    face.stripes(canvas, f, c, fx, fy, on_head)
    human.mouth(canvas, f, c, fx, fy)
    face.fangs(canvas, f, c, fx, fy)
    face.eyes(canvas, f, c, fx, fy)
    face.nose(canvas, f, c, fx - 0.030 * f["turn"], fy)
    human.brows(canvas, f, c, fx, fy)
    face.tuft(canvas, f, c, hx - 0.020 * f["turn"], hy, on_head)
    face.horns(canvas, f, c, hx - 0.025 * f["turn"], hy)
