"""The face, back to front: head, paint, nose, mouth, eyes, brows, the hair above them and the crown."""
import torch

from engine.world.shapes import ellipse, length, lens, rotate, smooth

PETALS = 5          # of the crown: a fixed number


def head_shape(f, x, y):
    """Return (signed distance, q: 0 in the middle, 1 on the edge) of an egg whose chin narrows with `jaw`."""
    taper = 1 - f["jaw"] * (0.5 + 0.5 * torch.tanh(2.6 * (y - 0.28)))
    rx, ry = f["head_width"] * taper, f["head_height"]
    q = ((x.abs() / rx) ** 2.3 + (y.abs() / ry) ** 2.3 + 1e-8) ** (1 / 2.3)
    return (q - 1) * 0.92 * torch.minimum(rx, ry), q


def head(canvas, f, c, x, y):
    """Skin under one lamp from the side, and the halo's light along the rim. Returns the head's coverage."""
    distance, q = head_shape(f, x, y)
    shape = canvas.cover(distance)
    canvas.lay("head", shape, c["skin"])
    across = x / f["head_width"]
    dome = torch.sqrt((1.08 - q * q).clamp(min=0.0) + 1e-4)
    facing = 0.72 * dome + 0.46 * f["light"] * across - 0.22 * y / f["head_height"]
    canvas.tint(shape * smooth(facing, 0.78, -0.10), c["shadow"])
    canvas.shine(shape * smooth(facing, 0.55, 1.05) * 0.30, c["skin"])
    canvas.shine(shape * q ** 6 * (0.35 + 0.65 * smooth(f["light"] * across, 0.5, -0.9)), c["rim"] * 0.85)
    for side in (-1.0, 1.0):
        cheek = torch.exp(-(((x - side * 0.23 - 0.03 * f["turn"]) / 0.11).square() + ((y - 0.14) / 0.085).square()))
        canvas.tint(shape * 0.38 * cheek, c["blush"])
    return shape


def paint(canvas, f, c, x, y, on_head):
    """A band across the eyes, a tear under each, a stripe from the brow to the chin."""
    band = (y + f["eye_height"]).abs() - 0.105 * f["paint_band"] - 0.04 * x.abs() + 0.012
    under = y + f["eye_height"] - 0.05
    tear = (x.abs() - f["eye_spacing"]).abs() - 0.055 * (1 - under / f["paint_tears"])
    tear = torch.maximum(tear * 0.95, -under)
    stripe = torch.maximum(x.abs() - f["paint_stripe"] * (0.7 + 0.5 * smooth(y, 0.3, -0.5)) + 0.008, y - 0.06)
    chin = ellipse(x, y - f["head_height"] + 0.06, 0.02 + 1.0 * f["paint_stripe"], 0.03 + 1.2 * f["paint_stripe"])
    shape = canvas.cover(torch.minimum(torch.minimum(band, tear), torch.minimum(stripe, chin))) * on_head
    canvas.lay("face_paint", shape * 0.90, c["paint"])
    canvas.tint(shape * smooth(f["light"] * x / f["head_width"], 0.25, -0.95) * 0.6, c["kohl"])


def nose(canvas, f, c, x, y):
    """A carved wedge: one side lit, the other in shadow, and two nostrils."""
    top, bottom = -f["eye_height"] - 0.02, f["nose_length"] - 0.03
    t = ((y - top) / (bottom - top)).clamp(0, 1.2)
    width = 0.020 + (f["nose_width"] - 0.020) * t * t
    wings = ellipse(x, y - bottom + 0.012, f["nose_width"] + 0.004, torch.full_like(top, 0.042))
    wedge = torch.maximum((x.abs() - width) * 0.9, torch.maximum(top - y, y - bottom))
    shape = canvas.cover(torch.minimum(wedge, wings))
    canvas.lay("nose", shape, c["skin"])
    canvas.shine(shape * 0.16, c["skin"])
    side = torch.tanh(f["light"] * 2.2) * torch.tanh(x / 0.016)
    canvas.tint(shape * smooth(side, 0.75, -0.95) * smooth(y, top, 0.06) * 0.85, c["shadow"])
    nostril = ellipse(x.abs() - 0.52 * f["nose_width"], y - bottom - 0.010, torch.full_like(top, 0.021), torch.full_like(top, 0.012))
    canvas.tint(canvas.cover(nostril) * 0.9, c["mouth"])


def mouth(canvas, f, c, x, y):
    """Lips along a parabola that smiles or frowns; between them the dark, and a row of teeth."""
    width, opened = f["mouth_width"], f["mouth_open"]
    t = x / width
    bend = 0.075 * f["smile"]
    y = y - 0.335 - 0.35 * opened - bend * (0.4 - t * t)
    steep = torch.sqrt(1 + (2 * bend * t / width).square())
    arch = 1 - t * t
    bow = f["lips"] * (1.0 - 0.30 * torch.exp(-(t / 0.16).square()))     # the dip in the upper lip
    lid = torch.where(y < 0, bow * 0.9, f["lips"] * 1.15) + opened * 0.9
    outer = (y.abs() - lid * arch) / (steep + 0.5)
    shape = canvas.cover(outer)
    canvas.lay("lips", shape, c["lips"])
    canvas.shine(shape * torch.exp(-((y - opened - 0.45 * f["lips"]) / 0.011).square() - (t / 0.45).square()) * 0.5, c["skin"])
    inner = canvas.cover((y.abs() - opened * arch * 0.92) / (steep + 0.4))
    canvas.lay("mouth", inner, c["mouth"])
    canvas.lay("teeth", inner * canvas.cover(y + 0.15 * opened), torch.full_like(c["mouth"], 0.93))


def eyes(canvas, f, c, x, y):
    """Kohl round an almond, in it iris and pupil that look somewhere, and a spark of the lamp."""
    left = (x < 0).to(x.dtype)
    mirrored, level = rotate(x.abs() - f["eye_spacing"], y + f["eye_height"], -f["eye_slant"])
    width, opened = f["eye_width"], f["eye_open"]
    kohl = canvas.cover(lens(mirrored - 0.012, level, width + 0.050, opened + 0.042, opened * 0.72 + 0.020))
    canvas.lay("lids", kohl, c["kohl"])
    crease = lens(mirrored - 0.012, level, width + 0.040, opened + 0.030, opened * 0.72 + 0.010)
    canvas.tint(canvas.cover(crease) * smooth(level, -0.01, -0.06) * 0.85, c["paint"] * 0.75)
    almond = canvas.cover(lens(mirrored, level, width, opened, opened * 0.72))
    white = torch.full_like(c["kohl"], 0.95)
    canvas.lay("left_eye", almond * left, white)
    canvas.lay("right_eye", almond * (1 - left), white)
    canvas.tint(almond * smooth(level, 0.02, -0.11) * 0.8, c["kohl"])
    gx = (x.abs() - f["eye_spacing"]) * torch.sign(x) - 0.042 * f["gaze_x"]
    gy = y + f["eye_height"] - 0.022 * f["gaze_y"] + 0.008
    r = length(gx, gy)
    radius = 0.070
    iris = almond * canvas.cover(r - radius)
    canvas.lay("iris", iris, c["iris"])
    canvas.tint(iris * smooth(r, 0.72 * radius, 1.0 * radius) * 0.85, c["kohl"])
    canvas.shine(iris * smooth(gy, -0.005, 0.055) * 0.5, c["iris"])
    canvas.lay("pupil", almond * canvas.cover(r - radius * f["pupil"]), c["kohl"] * 0.25)
    spark = length(gx - 0.026 * f["light"], gy + 0.026)
    canvas.tint(almond * canvas.cover(spark - 0.016), torch.ones_like(c["kohl"]))


def brows(canvas, f, c, x, y):
    along = x.abs() - f["eye_spacing"] - 0.015
    t = along / 0.165
    height = -f["eye_height"] - f["brow_height"] + 0.05 * t * t - along * f["brow_angle"]
    thick = f["brow_weight"] * (1.05 - 0.25 * t.clamp(-1, 1)) * (1 - t * t).clamp(min=-1)
    canvas.lay("brows", canvas.cover(((y - height).abs() - thick) * 0.9), c["brow"])


def fringe(canvas, f, c, x, y, on_head):
    """Hair over the forehead: an arch that frames the face, parted by a peak in the middle."""
    line = -f["hairline"] - 0.10 + 2.1 * x * x + 0.07 * torch.exp(-(x / 0.07).square())
    shape = canvas.cover((y - line) * 0.65) * on_head
    canvas.lay("hair", shape, c["hair"])
    strands = 0.5 + 0.5 * torch.cos(40 * x.abs() / (1.3 + y))
    canvas.tint(shape * 0.6 * strands, c["sheen"])
    canvas.tint(smooth(y - line, 0.10, 0.0) * on_head * (1 - shape) * 0.45, c["shadow"])   # its shadow on the skin


def crown(canvas, f, c, x, y):
    """A band across the forehead, petals above it, a jewel in front and one on every petal."""
    centre = y - 0.16
    r, angle = length(x, centre), torch.atan2(x, -centre)
    base = 0.60
    cell = f["crown_spread"]
    nearest = torch.round(angle / cell).clamp(-(PETALS // 2), PETALS // 2)
    local = angle - nearest * cell
    fall = torch.exp(-(nearest * 0.28).square())
    t = local / (0.5 * cell)
    tip = base + 0.03 + f["crown_height"] * fall * (1 - t * t).clamp(min=0)
    slope = torch.sqrt(1 + (4 * f["crown_height"] * fall * t / (cell * r)).square())
    ends = (angle.abs() - cell * PETALS / 2) * r
    shape = canvas.cover(torch.maximum((r - tip) / slope, torch.maximum(base - 0.055 - r, ends)))
    canvas.lay("crown", shape, c["crown"])
    canvas.tint(shape * smooth(r - base, 0.12, -0.06) * 0.8, c["crown_low"])
    canvas.tint(shape * smooth(f["light"] * x / 0.5, 0.3, -1.0) * 0.6, c["crown_low"] * 0.5)
    canvas.tint(canvas.cover((r - base - 0.012).abs() - 0.009) * shape, c["crown_low"] * 0.35)
    place = base + 0.055 + 0.42 * f["crown_height"] * fall
    size = f["jewel_size"] * (0.35 + 0.40 * fall) * (0.55 + 2.4 * f["crown_height"])
    small = length(torch.sin(local) * r, r - place) - size
    front = ellipse(x, centre + base - 0.012, 0.95 * f["jewel_size"], 1.35 * f["jewel_size"])
    gem = canvas.cover(torch.minimum(small, front))
    canvas.lay("jewel", gem, c["jewel"])
    canvas.tint(gem * smooth(length(x + 0.012, centre + base + 0.014), 0.035, 0.0), torch.ones_like(c["jewel"]))
