"""What a beast has where a mask has something else: a mane, ears that stand, a muzzle, fur in stripes, fangs, slit pupils, horns."""
import torch

from engine.world.shapes import ellipse, length, lens, rotate, smooth

SPIKES = 12         # around the whole mane; fixed numbers, since a network cannot learn a jump
CENTRE = -0.05      # that spikes point away from, on the head: they stay where they are when the mane grows, or a network would average them
STRIPES = 3         # on each cheek


def mane(canvas, f, c, x, y):
    """Hair that stands off the head in spikes, down to the shoulders when it is long."""
    rx = f["head_width"] + 0.07 + f["hair_volume"]
    top, bottom = -0.50 - 0.7 * f["hair_volume"], 0.34 + 0.8 * f["hair_length"]
    middle, ry = 0.5 * (top + bottom), 0.5 * (bottom - top)
    angle = torch.atan2(x, y - CENTRE)
    q = ((x.abs() / rx) ** 2.4 + ((y - middle).abs() / ry) ** 2.4 + 1e-8) ** (1 / 2.4)
    spike = 0.10 + 0.35 * f["hair_volume"]
    shape = canvas.cover((q - 1 - spike * torch.cos(SPIKES * angle)) * 0.55 * torch.minimum(rx, ry))
    canvas.lay("hair", shape, c["hair"])
    canvas.tint(shape * (0.5 + 0.5 * torch.cos(SPIKES * angle)) * 0.65 * smooth(q, 0.60, 1.05), c["sheen"])
    canvas.tint(shape * 0.75 * smooth(q, 0.95, 0.60), c["edge"] * 0.3)


def ears(canvas, f, c, x, y):
    """Two ears that stand, and a ring through each."""
    size = 0.30 + 1.2 * f["earrings"]
    across, up = rotate(x.abs() - 0.78 * f["head_width"], y + 0.34, torch.full_like(size, 0.60))
    along = -up / size
    leaf = 0.155 * (1 - along) * (1 + 1.1 * along)
    shape = canvas.cover(torch.maximum((across.abs() - leaf) * 0.9, -0.25 - along))
    canvas.lay("ears", shape, c["skin"] * 0.80)
    canvas.tint(canvas.cover((across.abs() - 0.6 * leaf + 0.02) * 0.9) * shape * smooth(along, 0.95, 0.7), c["shadow"])
    ring = (length(across - 0.10, up + 0.42 * size) - 0.75 * f["earrings"]).abs() - 0.016
    canvas.lay("earrings", canvas.cover(ring), c["crown"])


def muzzle(canvas, f, c, x, y, on_head):
    """A lighter snout, with dots where whiskers grow."""
    middle = 0.20 + 0.35 * f["nose_length"]
    distance = torch.minimum(ellipse(x.abs() - 0.085, y - middle, torch.full_like(middle, 0.135), torch.full_like(middle, 0.125)),
                             ellipse(x, y - middle - 0.10, torch.full_like(middle, 0.150), torch.full_like(middle, 0.130)))
    shape = canvas.cover(distance) * on_head
    canvas.lay("muzzle", shape, c["skin"] * 0.45 + 0.52)
    canvas.tint(shape * smooth(f["light"] * x / 0.2, 0.1, -1.1) * 0.75, c["skin"])
    canvas.tint(smooth(distance, -0.03, 0.0) * shape * 0.5, c["shadow"])
    for right, down in ((0.10, -0.005), (0.145, 0.035), (0.095, 0.055)):
        canvas.tint(canvas.cover(length(x.abs() - right, y - middle - down) - 0.013) * shape * 0.9, c["kohl"])
    bridge = (x.abs() - 0.045 - 0.10 * (middle - y).clamp(0, 0.3)) * 0.9
    canvas.shine(canvas.cover(torch.maximum(bridge, torch.maximum(y - middle, -f["eye_height"] - 0.12 - y))) * on_head * 0.14, c["skin"])


def stripes(canvas, f, c, x, y, on_head):
    """Fur: stripes that come in from the cheeks, and three down the forehead."""
    far = 0.06 + 0.62 * f["paint_tears"]
    share = (f["head_width"] - x.abs()) / far
    shape = torch.ones_like(x)
    for number in range(STRIPES):
        shape = torch.minimum(shape, (y - 0.02 - 0.145 * number + 0.10 * share).abs() - (0.028 + 0.55 * f["paint_stripe"]) * (1 - share))
    thick = 0.008 + 0.024 * f["paint_band"] + 0.25 * f["paint_stripe"]
    down = (y + 0.56) / (0.24 + 0.10 * f["paint_band"])
    for side in (0.0, 0.105):
        shape = torch.minimum(shape, ((x.abs() - side * (0.7 + 0.3 * down)).abs() - thick * (1 - down)) * 0.95)
    canvas.lay("face_paint", canvas.cover(shape) * on_head * 0.95, c["paint"])
    canvas.tint(canvas.cover(shape) * on_head * smooth(f["light"] * x / f["head_width"], 0.25, -0.95) * 0.6, c["kohl"])


def tuft(canvas, f, c, x, y, on_head):
    """Hair that falls between the horns, in three points."""
    low = -f["hairline"] - 0.04
    point = low - 2.2 * (x.abs() - 0.075 * torch.round((x / 0.075).clamp(-1, 1)).abs()).abs() - 1.1 * x.abs()
    shape = canvas.cover((y - point) * 0.40) * canvas.cover(x.abs() - 0.20) * on_head
    canvas.lay("hair", shape, c["hair"])
    canvas.tint(shape * smooth(torch.cos(84 * x), 0.0, 1.0) * 0.55, c["sheen"])


def nose(canvas, f, c, x, y):
    """A dark three-cornered nose with a spark on it, and the line from it to the mouth."""
    bottom = 0.06 + f["nose_length"]
    wide = f["nose_width"] + 0.012
    t = ((y - bottom + 0.085) / 0.10).clamp(0, 1)
    wedge = torch.maximum((x.abs() - wide * (1 - t * t)) * 0.75, (y - bottom + 0.040).abs() - 0.052)
    line = torch.maximum(x.abs() - 0.010, (y - bottom - 0.03).abs() - 0.055)
    canvas.lay("nose", canvas.cover(torch.minimum(wedge, line)), c["kohl"])
    canvas.shine(smooth(length((x + 0.02 - 0.03 * f["light"]) * 0.7, y - bottom + 0.066), 0.030, 0.010) * 0.7, torch.ones_like(c["kohl"]))


def fangs(canvas, f, c, x, y):
    """Two teeth that hang from the upper lip, the longer the wider the mouth is open."""
    width, opened = f["mouth_width"], f["mouth_open"]
    top = 0.335 + 0.35 * opened + 0.075 * f["smile"] * (0.4 - 0.30) - 0.6 * opened
    down = (y - top) / (0.055 + 0.9 * opened)
    fang = torch.maximum(((x.abs() - 0.55 * width).abs() - 0.030 * (1 - down)) * 0.95, top - y)
    canvas.lay("teeth", canvas.cover(fang), torch.full_like(c["mouth"], 0.96))


def eyes(canvas, f, c, x, y):
    """An almond all of iris that glows, a slit in it that looks somewhere."""
    left = (x < 0).to(x.dtype)
    mirrored, level = rotate(x.abs() - f["eye_spacing"], y + f["eye_height"], -f["eye_slant"] - 0.12)
    width, opened = f["eye_width"], f["eye_open"] + 0.012
    kohl = canvas.cover(lens(mirrored - 0.006, level, width + 0.062, opened + 0.046, opened * 0.72 + 0.030))
    canvas.lay("lids", kohl, c["kohl"])
    almond = canvas.cover(lens(mirrored, level, width, opened, opened * 0.72))
    white = c["iris"] * 0.45 + 0.55
    canvas.lay("left_eye", almond * left, white)
    canvas.lay("right_eye", almond * (1 - left), white)
    gx = (x.abs() - f["eye_spacing"]) * torch.sign(x) - 0.042 * f["gaze_x"]
    gy = y + f["eye_height"] - 0.022 * f["gaze_y"] + 0.008
    r = length(gx, gy)
    radius = 0.088
    iris = almond * canvas.cover(r - radius)
    canvas.lay("iris", iris, c["iris"])
    canvas.tint(iris * smooth(r, 0.70 * radius, 1.0 * radius) * 0.85, c["kohl"])
    canvas.shine(iris * smooth(r, 0.60 * radius, 0.15 * radius) * 0.5, white)
    slit = ellipse(gx, gy, 0.062 * (f["pupil"] - 0.16), torch.full_like(f["pupil"], 0.078))
    canvas.lay("pupil", almond * canvas.cover(slit), c["kohl"] * 0.25)
    canvas.tint(almond * canvas.cover(length(gx - 0.03 * f["light"], gy + 0.030) - 0.016), torch.ones_like(c["kohl"]))


def horns(canvas, f, c, x, y):
    """Two horns in rings, curved outwards, a jewel at each tip and one on the forehead."""
    high = 0.20 + 1.05 * f["crown_height"]
    foot = -0.42
    t = (foot - y) / high
    middle = 0.15 + (0.9 * f["crown_spread"] - 0.04) * t.clamp(0, 1.1).square()
    lean = 2 * (0.9 * f["crown_spread"] - 0.04) * t.clamp(0, 1.1) / high
    half = 0.078 * (1 - 0.86 * t) + 0.004
    slope = torch.sqrt(1 + lean.square())
    shape = canvas.cover(torch.maximum(((x.abs() - middle).abs() - half * slope) / slope, torch.maximum(-0.12 - t, t - 1) * high))
    canvas.lay("horns", shape, c["crown"])
    side = (x.abs() - middle) / half * torch.sign(x)
    canvas.tint(shape * smooth(f["light"] * side, 0.2, -1.0) * 0.8, c["crown_low"] * 0.7)
    canvas.tint(shape * smooth(torch.cos(2 * torch.pi * 4.5 * t), 0.35, 0.8) * 0.75, c["crown_low"] * 0.45)
    tip = length(x.abs() - 0.15 - 0.9 * f["crown_spread"] + 0.04, y - foot + high)
    gem = torch.minimum(tip - 0.9 * f["jewel_size"], ellipse(x, y + 0.40, 0.80 * f["jewel_size"], 1.35 * f["jewel_size"]))
    canvas.lay("jewel", canvas.cover(gem), c["jewel"])
    canvas.tint(canvas.cover(gem) * smooth(length(x + 0.012, y + 0.415), 0.035, 0.0), torch.ones_like(c["jewel"]))
