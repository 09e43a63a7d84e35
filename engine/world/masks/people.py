"""Draw people in front of a camera with the geometry of the world's masks, for a network that learns to read it back.

What a mask and a person share are the factors of SHARED and where the head is. All else of a person is drawn by lot:
natural skin and hair, clothes, glasses, beards, hats, hands, what stands behind, and who else.
Letters: N people, S size. Colours are [N, 3, 1, 1] in 0..1, lengths half pictures, as in the world.
"""
from typing import NamedTuple

import torch
from torch.nn import functional as F

from engine.encoder.augment import camera
from engine.world import MASKS
from engine.world.colour import colour
from engine.world.masks import face, stage
from engine.world.masks.palette import palette
from engine.world.shapes import Canvas, ellipse, grid, length, rotate

SHARED = ("turn", "nod", "light", "hair_volume", "hair_length", "hairline", "head_width", "head_height", "jaw", "eye_spacing",
          "eye_height", "eye_width", "eye_open", "eye_slant", "gaze_x", "gaze_y", "pupil", "brow_height", "brow_angle", "brow_weight",
          "nose_length", "nose_width", "smile", "mouth_width", "mouth_open", "lips")
MIRRORED = ("turn", "light", "gaze_x")              # of those, what changes its sign in a mirror
COLUMNS = [MASKS.names.index(name) for name in SHARED]
HEAD = 0.03                                         # a head's middle lies so far below its shift_y
ABOVE = -1.2                                        # a head ends below it; the fringe is not defined at -1.3
GLASSES, BEARD, HAT, BALD, HAND, OTHER, CAMERA = 0.25, 0.25, 0.2, 0.12, 0.1, 0.15, 0.85        # shares of people


class Pose(NamedTuple):
    """Where heads are in a picture: the middle, how much larger than in the world, and the tilt; each [N]."""
    right: torch.Tensor
    down: torch.Tensor
    size: torch.Tensor
    tilt: torch.Tensor


class Lot:
    """Random numbers of one source, a column for each of N people."""

    def __init__(self, count, source):
        self.count, self.source = count, source

    def between(self, low=0.0, high=1.0):
        """Return uniform numbers [N, 1, 1]."""
        return low + (high - low) * torch.rand(self.count, 1, 1, generator=self.source)

    def falls(self, share):
        """Return 1 for a share of the people, else 0; [N, 1, 1]."""
        return (self.between() < share).float()

    def mix(self, *shape):
        """Return uniform numbers [N, *shape]."""
        return torch.rand(self.count, *shape, generator=self.source)


@torch.no_grad()
def people(u, pose: Pose, size: int, source, strength: float = 1.0):
    """Return pictures [N, 3, size, size] in -1..1 of people with factors u [N, F]; the world's own pose is not looked at.

    source: a torch.Generator for all that the factors leave open. strength: what a camera does to the picture.
    """
    lot = Lot(len(u), source)
    u = u.clone()
    for name in ("tilt", "shift_x", "shift_y", "scale"):
        low, high = MASKS.factors[name]
        u[:, MASKS.names.index(name)] = ((1.0 if name == "scale" else 0.0) - low) / (high - low)
    f = MASKS.values(u)
    corner = torch.full((len(u),), -1.0)
    x, y = grid(corner, corner, 2 / size, size, size)
    right, down, scale, tilt = (v[:, None, None] for v in pose)
    x, y = rotate((x - right) / scale, (y - down) / scale, tilt)
    canvas = Canvas(2 / size)
    canvas.softness = (2.8 / size) / scale
    behind = clutter(lot, size)
    _draw(canvas, f, complexion(f, lot), lot, x, y + HEAD)
    alone = torch.stack([1 - coverage for _, coverage in canvas.layers[1:]]).prod(0)[:, None]
    picture = canvas.picture * (1 - alone) + _with_others(behind, canvas.picture, lot) * alone
    picture = _occlude(picture, lot, x, y)
    shown = camera(picture * 2 - 1, strength, source, clean=1 - CAMERA) if strength else picture * 2 - 1
    return shown.clamp(-1, 1).nan_to_num(0.0)


@torch.no_grad()
def nobody(count: int, size: int, source, strength: float = 1.0):
    """Return pictures [N, 3, size, size] in -1..1 with nobody in them: what stands about, blobs and bars of the colours of skin."""
    lot = Lot(count, source)
    picture = clutter(lot, size)
    corner = torch.full((count,), -1.0)
    x, y = grid(corner, corner, 2 / size, size, size)
    for _ in range(3):
        skin = colour(lot.between(0, 0.11), lot.between(0.1, 0.6), lot.between(0.1, 1.0))
        turned, level = rotate(x - lot.between(-1, 1), y - lot.between(-1, 1), lot.between(-3, 3))
        blob = (0.5 - 20 * ellipse(turned, level, lot.between(0.05, 0.6), lot.between(0.05, 0.6))).clamp(0, 1) * lot.falls(0.6)
        picture = torch.lerp(picture, skin.expand_as(picture), blob[:, None])
    return (camera(picture * 2 - 1, strength, source) if strength else picture * 2 - 1).clamp(-1, 1)


def complexion(f, lot):
    """Return the world's palette with a person's colours in it."""
    c = dict(palette(f))
    light = lot.between(0.25, 1.0)
    skin = colour(lot.between(0.0, 0.11), lot.between(0.1, 0.62), light)
    hair = colour(lot.between(0.0, 0.16), lot.between(0.0, 0.9), lot.between(0.02, 0.9) ** 1.6)
    cloth = colour(lot.between(), lot.between(0, 0.9), lot.between(0.05, 0.95))
    red = skin * torch.tensor([1.0, 0.62, 0.62]).view(1, 3, 1, 1)
    shade = lot.between(0.35, 0.85)[:, None]
    return c | {"skin": skin, "shadow": skin * shade, "rim": skin * 0.3, "blush": torch.lerp(skin, red, 0.4), "hair": hair,
                "sheen": hair * (1 + 0.6 * lot.between()[:, None]), "brow": hair * lot.between(0.4, 1.0)[:, None], "edge": hair * 0.4,
                "lips": torch.lerp(skin, red * lot.between(0.5, 1.0)[:, None], lot.between(0.3, 1.0)[:, None]), "mouth": skin * lot.between(0.1, 0.4)[:, None],
                "iris": colour(lot.between(0, 0.7), lot.between(0.1, 0.7), lot.between(0.05, 0.6)), "kohl": skin * lot.between(0.15, 0.75)[:, None],
                "paint": skin * lot.between(0.6, 1.0)[:, None], "collar": cloth, "collar_trim": cloth * lot.between(0.5, 1.2)[:, None],
                "crown": colour(lot.between(), lot.between(), lot.between()), "jewel": colour(lot.between(), lot.between(), lot.between())}


def clutter(lot, size):
    """Return rooms [N, 3, size, size] in 0..1: soft patches, a slope of light, and edges at any angle."""
    soft = F.interpolate(lot.mix(3, 5, 5), size=size, mode="bicubic", align_corners=False)
    fine = F.interpolate(lot.mix(3, 17, 17), size=size, mode="bilinear", align_corners=False)
    busy = lot.between()[:, None]
    picture = lot.mix(3, 1, 1) * (1 - busy) + torch.lerp(soft, fine, lot.between()[:, None] * 0.7) * busy
    along = torch.linspace(-1, 1, size)
    for _ in range(4):
        angle = lot.between(0, 6.3)
        side = along[None, None, :] * torch.cos(angle) + along[None, :, None] * torch.sin(angle)
        edge = ((side - lot.between(-0.9, 0.9)) * size / 3).sigmoid() * lot.falls(0.5)
        picture = torch.lerp(picture, lot.mix(3, 1, 1).expand_as(picture), (edge * lot.between(0.2, 1.0))[:, None])
    return (picture * lot.between(0.25, 1.1)[:, None]).clamp(0, 1)


def _draw(canvas, f, c, lot, x, y):
    """Lay a person on the canvas, back to front; x, y: the head's coordinates."""
    canvas.lay("background", torch.ones_like(x), c["stage"])
    hairy = 1 - lot.falls(BALD)
    f = f | {"hair_volume": f["hair_volume"] * hairy - 0.2 * (1 - hairy), "hair_length": f["hair_length"] * hairy - 0.2 * (1 - hairy)}
    by = y - 0.02 + f["nod"] * 0.02
    stage.hair_behind(canvas, f, c, x, y)
    shoulders = ellipse(x + lot.between(-0.08, 0.08), by - 1.18, lot.between(0.55, 1.0), lot.between(0.34, 0.6))
    canvas.lay("collar", canvas.cover(shoulders), c["collar"])
    canvas.tint(canvas.cover(length(x, by - 0.72) - lot.between(0.2, 0.36)) * lot.falls(0.5), c["collar_trim"])
    stage.neck(canvas, f, c, x, by)
    stage.ears(canvas, f | {"earrings": f["earrings"] * (0.02 + lot.falls(0.2))}, c, x, y)
    on_head = face.head(canvas, f, c, x, y)
    fx, fy = x - 0.055 * f["turn"], y - 0.035 * f["nod"]
    _beard(canvas, f, c, lot, fx, fy, on_head)
    face.mouth(canvas, f, c, fx, fy)
    face.eyes(canvas, f, c, fx, fy)
    face.nose(canvas, f, c, fx - 0.030 * f["turn"], fy)
    face.brows(canvas, f, c, fx, fy)
    face.fringe(canvas, f, c, x - 0.020 * f["turn"], y.clamp(min=ABOVE), on_head * hairy)
    _glasses(canvas, f, lot, fx, fy)
    _hat(canvas, f, c, lot, x, y)


def _beard(canvas, f, c, lot, x, y, on_head):
    """Hair on the chin and under the nose, thick or thin."""
    chin = canvas.cover(0.28 + lot.between(-0.06, 0.08) - y - 0.9 * x * x) * on_head
    moustache = canvas.cover(ellipse(x, y - 0.275, 0.13 + 0.05 * lot.between(), 0.03 + 0.02 * lot.between()))
    amount = (chin * lot.falls(0.6) + moustache * lot.falls(0.7)).clamp(0, 1)
    canvas.lay("hair", amount * lot.falls(BEARD) * lot.between(0.3, 1.0), c["hair"])


def _glasses(canvas, f, lot, x, y):
    """Two rims and a bridge; dark glass on some."""
    worn = lot.falls(GLASSES)
    wide, high, thick = lot.between(0.13, 0.19), lot.between(0.09, 0.16), lot.between(0.006, 0.02)
    lens = ellipse(x.abs() - f["eye_spacing"], y + f["eye_height"] - 0.01, wide, high)
    rim = torch.minimum(lens.abs() - thick, torch.maximum((y + f["eye_height"] + 0.02).abs() - thick, x.abs() - f["eye_spacing"] + wide))
    tone = colour(lot.between(), lot.between(0, 0.5), lot.between(0, 0.7))
    canvas.tint(canvas.cover(lens) * worn * lot.falls(0.25) * lot.between(0.2, 1.0), tone * 0.3)
    canvas.lay("glasses", canvas.cover(rim) * worn, tone)


def _hat(canvas, f, c, lot, x, y):
    """A cap with a brim."""
    line = -f["hairline"] - lot.between(0.0, 0.14)
    crown = torch.maximum(ellipse(x, y - line, f["head_width"] + lot.between(0.02, 0.12), lot.between(0.25, 0.5)), y - line)
    brim = ellipse(x + lot.between(-0.15, 0.15), y - line, f["head_width"] + lot.between(0.02, 0.25), lot.between(0.03, 0.08))
    worn = lot.falls(HAT)
    canvas.lay("hat", canvas.cover(torch.minimum(crown, brim)) * worn, c["crown"])
    canvas.tint(canvas.cover(brim) * worn * 0.6, c["crown"] * 0.6)


def _with_others(behind, pictures, lot):
    """Return what stands behind people, in some of it another person, smaller."""
    n, size = len(pictures), pictures.shape[3]
    scale = lot.between(1.6, 3.0).flatten()
    right, down = lot.between(-0.9, 0.9).flatten(), lot.between(-0.4, 0.4).flatten()
    zero = torch.zeros(n)
    rows = torch.stack([scale, zero, -right * scale, zero, scale, -down * scale], 1).view(n, 2, 3)
    at = F.affine_grid(rows, [n, 3, size, size], align_corners=False)
    there = (F.grid_sample(torch.ones(n, 1, size, size), at, align_corners=False)) * lot.falls(OTHER)[:, None]
    return torch.lerp(behind, F.grid_sample(pictures.roll(1, 0), at, align_corners=False), there)


def _occlude(pictures, lot, x, y):
    """Return pictures with a hand before some of the faces: a palm with fingers."""
    across, along = rotate(x - lot.between(-0.5, 0.5), y - lot.between(0.0, 0.7), lot.between(-1.2, 1.2))
    palm = ellipse(across, along, lot.between(0.12, 0.22), lot.between(0.14, 0.24))
    reach = lot.between(0.2, 0.42)
    fingers = torch.maximum((torch.remainder(across + 0.2, 0.08) - 0.04).abs() - 0.03, torch.maximum(along.abs() - reach, across.abs() - 0.16))
    skin = colour(lot.between(0, 0.11), lot.between(0.1, 0.62), lot.between(0.2, 1.0))
    cover = (0.5 - torch.minimum(palm, fingers) * 30).clamp(0, 1) * lot.falls(HAND)
    return torch.lerp(pictures, skin.expand_as(pictures), cover[:, None])


def mirror(u):
    """Return the factors u [N, F] of the same people in a mirror."""
    u = u.clone()
    for name in MIRRORED:
        u[:, MASKS.names.index(name)] = 1 - u[:, MASKS.names.index(name)]
    return u
