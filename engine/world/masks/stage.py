"""What stands behind the face: the stage and its beams, the halo and its rays, hair, neck, collar and ears."""
import math

import torch

from engine.world.shapes import ellipse, length, smooth

RAYS = 16          # around the whole halo; fixed numbers, since a network cannot learn a jump
BEADS = 24         # around the whole collar


def stage(canvas, f, c, x, y):
    """A deep colour lit from behind the head, two beams from above."""
    lit = torch.exp(-1.25 * (x * x + 0.9 * (y + 0.05).square()))
    canvas.lay("background", torch.ones_like(x), c["edge"])
    canvas.tint(lit, c["stage"])
    for side in (-1.0, 1.0):
        across, along = x - side * 0.95, y + 1.30
        lean = torch.atan2(-side * across, along)                       # 0 straight down, grows towards the middle
        beam = torch.exp(-((lean - 0.50) / 0.17).square()) * torch.exp(-0.9 * length(across, along))
        canvas.shine(beam, c["beam"])


def halo(canvas, f, c, x, y):
    """A ring of light with a sun's rays outside it; it keeps upright however the head tilts."""
    y = y + 0.06
    r = length(x, y)
    radius, width = f["halo_radius"], f["halo_width"]
    canvas.shine(torch.exp(-((r - radius) / 0.17).square()), c["glow"])
    angle = torch.atan2(x, y)
    wave = 0.5 + 0.5 * torch.cos(RAYS * angle)                           # 1 along a ray, 0 between two
    tip = radius + width + 0.03 + f["rays"] * wave
    slope = torch.sqrt(1 + (0.5 * RAYS * f["rays"] * torch.sin(RAYS * angle) / r).square())
    canvas.lay("rays", canvas.cover((r - tip) / slope) * canvas.cover(radius - r), c["ray"])
    canvas.tint(canvas.cover((r - radius).abs() - width - 0.022), c["edge"] * 0.6)
    ring = canvas.cover((r - radius).abs() - width)
    canvas.lay("halo", ring, c["halo"])
    polish = 0.5 + 0.5 * torch.cos(2 * angle + 1.2 - f["light"])
    canvas.tint(ring * 0.55 * polish, c["ray"])
    canvas.tint(canvas.cover((r - radius).abs() - 0.22 * width), c["glow"] * 0.5)


def hair_behind(canvas, f, c, x, y):
    """The mass of hair behind the head, down to the shoulders when it is long."""
    rx = f["head_width"] + f["hair_volume"]
    top = -0.46 - 0.7 * f["hair_volume"]
    bottom = 0.28 + f["hair_length"]
    middle, ry = 0.5 * (top + bottom), 0.5 * (bottom - top)
    q = ((x.abs() / rx) ** 2.8 + ((y - middle).abs() / ry) ** 2.8 + 1e-8) ** (1 / 2.8)
    shape = canvas.cover((q - 1) * 0.85 * torch.minimum(rx, ry))
    canvas.lay("hair", shape, c["hair"])
    strands = 0.5 + 0.5 * torch.cos(34 * x.abs() * (1 + 0.25 * y))
    canvas.tint(shape * 0.55 * strands * smooth(q, 0.55, 1.0), c["sheen"])
    canvas.tint(shape * 0.75 * smooth(q, 0.95, 0.60), c["edge"] * 0.3)     # deep where the head shades it


def collar(canvas, f, c, x, y):
    """A round collar in rows, one of them of beads, as Egyptian kings wore it; the neck stands in its middle."""
    y = y - 0.90 + f["collar"]
    rx, ry = torch.full_like(f["collar"], 0.74), torch.full_like(f["collar"], 0.36)
    q = length(x / rx, y / ry)
    shape = canvas.cover(ellipse(x, y, rx, ry))
    canvas.lay("collar", shape, c["collar"])
    rows = 0.5 + 0.5 * torch.cos(2 * math.pi * (q - 0.02) * 4.0)
    canvas.tint(shape * smooth(rows, 0.54, 0.62), c["collar_trim"])
    canvas.tint(shape * smooth(rows, 0.20, 0.00) * 0.35, c["kohl"])
    along = torch.sin(0.5 * BEADS * torch.atan2(x / rx, -y / ry)) * (0.6 / BEADS)   # 0 in the middle of every bead
    canvas.tint(canvas.cover(length(along, (q - 0.875) * 0.36) - 0.016), c["jewel"])
    canvas.tint(shape * 0.85 * smooth(f["light"] * x * 0.8 - 0.25 * y, 0.30, -0.75), c["edge"] * 0.4)


def neck(canvas, f, c, x, y):
    low = y - 0.82 + f["collar"]
    half = 0.175 - 0.10 * (-low).clamp(0, 0.3)
    foot = ellipse(x, low, torch.full_like(f["collar"], 0.175), torch.full_like(f["collar"], 0.085))
    shape = canvas.cover(torch.minimum(foot, torch.maximum(torch.maximum(x.abs() - half, low), 0.2 - y)))
    canvas.lay("neck", shape, c["skin"] * 0.72)
    canvas.tint(shape * smooth(f["light"] * x, 0.10, -0.20) * 0.7, c["shadow"])
    canvas.tint(shape * smooth(y, 0.84, 0.56) * 0.85, c["shadow"] * 0.5)  # the chin's shadow


def ears(canvas, f, c, x, y):
    side = x.abs() - f["head_width"] * 0.965
    lobe = canvas.cover(ellipse(side, y + 0.02, torch.full_like(f["collar"], 0.062), torch.full_like(f["collar"], 0.125)))
    canvas.lay("ears", lobe, c["skin"] * 0.80)
    canvas.tint(canvas.cover(ellipse(side - 0.012, y + 0.02, torch.full_like(f["collar"], 0.032), torch.full_like(f["collar"], 0.08))) * 0.8, c["shadow"])
    size = f["earrings"]
    drop = length(side - 0.018, y - 0.115 - size) - size
    canvas.lay("earrings", canvas.cover(drop), c["crown"])
    canvas.tint(canvas.cover(drop + 0.42 * size), c["jewel"])
    canvas.tint(smooth(length(side - 0.018 + 0.25 * size, y - 0.115 - 0.75 * size) / size, 0.5, 0.0) * canvas.cover(drop), torch.ones_like(c["jewel"]))
