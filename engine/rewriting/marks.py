"""Marks as people type them: SEED:REGION. Seeds are those of walks; what a part of a drawn world is, the world says.

    3:400,300,620,380              a box x0,y0,x1,y1 in pixels of the picture; six numbers and more are a polygon
    3:eyes.png                     a painted mask
    3:512,400                      a point: the object's mask with its middle there (only where something is pasted)
    1-8:nose    1-8:iris+pupil     parts of the world that the network draws, in several pictures
    1-8:head~nose                  the head close to the nose
    1-8:iris.left                  of what there are two, the one on the left of the picture (or .right)
    1-8:left_eye+right_eye:0,-112  the object's mask with its middle so many pixels right of and below the middle of these (where something is pasted)
    1-8:spots:each                 each piece of the mask by itself: what is pasted goes to the middle of every one
    1-8@smile=0.95:lips            with factors of that world at other values (0 to 1)
    #819:...                       picture 819 of the published numbering
    hat.png    hat.png@240         a picture with transparency, 240 px wide (only what is copied): for what the network has never drawn
"""
import re
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from engine.errors import UserError
from engine.rewriting.request import Mark, Picture
from engine.rewriting.request_file import read_drawing, read_mask
from engine.world import MASKS, World
from engine.world.latent import Z_DIM

WORLD_SIZE = 256                    # px the world's parts are drawn at
NEAR = 16                           # of them: what counts as close
EACH = ":each"                      # behind a region: each of its pieces
MOST = 1024                         # pictures in one mark
COUNTED = re.compile(r"[0-9]{1,10}")
DRAWING = re.compile(r"(?!#?[0-9,\-]+(@[^:]*)?:)(?P<path>.+\.png)(@(?P<width>[0-9]{1,5}))?", re.IGNORECASE)
NUMBERS = re.compile(r"-?\d+(\.\d+)?(,-?\d+(\.\d+)?)+")


def parse(text: str, generator, psi: float, things=(), world: World = MASKS) -> tuple[Mark, ...]:
    """Return the marks of one argument. things: the marks of what is copied, for points. UserError: what can't be read in it.

    world: what the network was taught, whose parts and factors have names.
    """
    try:
        if drawn := DRAWING.fullmatch(text):
            return (_place_drawing(read_drawing(Path(drawn["path"])), int(drawn["width"] or 0), generator.architecture.pixels()),)
        who, _, where = text.partition(":")
        if not where:
            raise UserError("expected SEED:REGION, such as 3:400,300,620,380")
        pictures = _pictures(who, world)
        own = things if len(things) == len(pictures) else things[:1] * len(pictures)
        region, each = where.removesuffix(EACH), where.endswith(EACH)
        alike = NUMBERS.fullmatch(region) and len({id(thing) for thing in own}) <= 1          # the same in every picture: one mask is enough
        shared = _region(region, pictures[0], generator, psi, own[:1], world) if alike else None
        return tuple(Mark(picture, _region(region, picture, generator, psi, own[n:n + 1], world) if shared is None else shared, each=each)
                     for n, picture in enumerate(pictures))
    except UserError as error:
        raise UserError(f"{text}: {error}") from None


def _pictures(who, world):
    seeds, _, factors = who.partition("@")
    seeded = not seeds.startswith("#")
    numbers: list[int] = []
    for part in seeds.removeprefix("#").split(","):
        first, _, last = part.partition("-")
        if not COUNTED.fullmatch(first) or last and not COUNTED.fullmatch(last):
            raise UserError(f"seed {part!r}: expected a number, or two as in 1-8")
        numbers += range(int(first), min(int(last or first), int(first) + MOST) + 1)
    if not 1 <= len(numbers) <= MOST:
        raise UserError(f"seeds {seeds}: expected 1 to {MOST}, the lower one first")
    return [Picture(number, seeded, _factors(factors), world.name) for number in numbers]


def _factors(text):
    if not text:
        return ()
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        return tuple((name, float(value)) for name, _, value in pairs)
    except ValueError:
        raise UserError(f"factors {text!r}: expected NAME=NUMBER, 0 to 1") from None


def _region(where, picture, generator, psi, things, world):
    if where.lower().endswith(".png"):
        return read_mask(Path(where))
    if not NUMBERS.fullmatch(where):
        parts, _, beside = where.partition(":")
        mask = _parts(parts, picture, generator, psi, world)
        return _move_beside(beside, mask, generator.architecture.pixels(), things) if beside else mask
    numbers = [float(number) for number in where.split(",")]
    size = generator.architecture.pixels()
    if len(numbers) == 2:
        return _move(numbers, size, things)
    if len(numbers) == 4:
        x0, y0, x1, y1 = numbers
        numbers = [x0, y0, x1, y0, x1, y1, x0, y1]
    if len(numbers) % 2:
        raise UserError(f"{len(numbers)} numbers: expected a point (2), a box (4) or a polygon (6, 8, ...)")
    return polygon(numbers, *size)


def polygon(numbers, height: int, width: int) -> torch.Tensor:
    """Return a mask [height, width], 1 inside the polygon x, y, x, y, ... (even-odd), by the pixels' middles."""
    points = np.array(numbers).reshape(-1, 2)
    y, x = np.mgrid[:height, :width] + 0.5
    inside = np.zeros((height, width), bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, 0)):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return torch.from_numpy(inside.astype(np.float32))


def _move_beside(beside, mask, size, things):
    """Return the object's mask with its middle so far from the middle of a mask as `beside` says, "RIGHT,DOWN" in pixels."""
    numbers = [float(number) for number in beside.split(",")] if NUMBERS.fullmatch(beside) else []
    if len(numbers) != 2:
        raise UserError(f"{beside!r}: expected how many pixels right and down of it, such as 0,-112")
    rows, columns = (mask > 0.5).any(1).nonzero()[:, 0], (mask > 0.5).any(0).nonzero()[:, 0]
    if not len(rows):
        raise UserError("nothing is seen of these parts in this picture")
    middle = [float(there[0] + there[-1] + 1) / 2 for there in (columns, rows)]
    away = [number * own / whole for number, own, whole in zip(numbers, mask.shape[::-1], size[::-1])]
    return _move([middle[0] + away[0], middle[1] + away[1]], tuple(mask.shape), things)     # as small as the parts are drawn: a thousand of them have room


def _move(point, size, things):
    """Return the first object's mask with its middle at the point."""
    if not things:
        raise UserError("a point, but nothing is copied that could be put there; give a box x0,y0,x1,y1")
    mask = things[0].resize(*size)
    rows, columns = (mask > 0).any(1).nonzero()[:, 0], (mask > 0).any(0).nonzero()[:, 0]
    right = round(point[0]) - int(columns[0] + columns[-1]) // 2
    down = round(point[1]) - int(rows[0] + rows[-1]) // 2
    if abs(right) >= size[1] or abs(down) >= size[0]:
        raise UserError(f"the point lies outside the picture, {size[1]} x {size[0]} px")
    shifted = torch.zeros(size)
    shifted[max(down, 0):size[0] + min(down, 0), max(right, 0):size[1] + min(right, 0)] = \
        mask[max(-down, 0):size[0] - max(down, 0), max(-right, 0):size[1] - max(right, 0)]
    return shifted


def _place_drawing(pixels, width, size):
    """Return the mark of a drawing [h, w, 4] in 0..1, so many pixels wide (0: as it is), in the middle of a picture of size (H, W)."""
    drawing = pixels.permute(2, 0, 1)[None]
    drawing[:, :3] *= drawing[:, 3:]                                              # so that what is transparent lends no colour to the edge
    if width:
        height = max(1, round(width * drawing.shape[2] / drawing.shape[3]))
        drawing = F.interpolate(drawing, (height, width), mode="bilinear", antialias=True, align_corners=False)
    height, width = drawing.shape[2:]
    if height > size[0] or width > size[1]:
        raise UserError(f"{width} x {height} px is more than the picture has, {size[1]} x {size[0]}: say how wide it is to be, as in hat.png@240")
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    whole = F.pad(drawing, (left, size[1] - width - left, top, size[0] - height - top))[0]
    return Mark(Picture(0), whole[3], (whole[:3] / whole[3].clamp(min=1e-3)).clamp(0, 1) * 2 - 1)


def _parts(names, picture, generator, psi, world):
    check_parts(names, world)
    if generator.z_dim != Z_DIM:
        raise UserError(f"parts are a drawn world's, and this network is another one: give a box or a mask instead of {names!r}")
    return world_region(names, torch.from_numpy(picture.z(Z_DIM))[None], psi, world=world)[0]


def check_parts(names: str, world: World = MASKS):
    """Raise UserError for a part that the world does not have."""
    if names.count("~") > 1:
        raise UserError(f"{names!r}: expected one ~, as in head~nose")
    unknown = [name for name in re.split("[+~]", names) if name.removesuffix(".left").removesuffix(".right") not in world.parts]
    if unknown:
        raise UserError(f"no such file, and no part {unknown[0]!r}: the world {world.name} has {', '.join(world.parts)}")


def world_region(names: str, z, psi: float = 1.0, size: int = WORLD_SIZE, world: World = MASKS) -> torch.Tensor:
    """Return a mask [N, size, size] for z [N, 64]: where `PART+PART`, or `PART~PART`, is in the pictures of the world."""
    there, _, beside = names.partition("~")
    u = 0.5 + psi * (world.uniform(z) - 0.5)                                      # truncation leads to the middle of every factor
    corner = torch.full((len(z),), -1.0)
    visible = world.view(u, corner, corner, 2 / size, size, size).visible()
    masks = [sum(_half(visible, name) for name in part.split("+")).clamp(0, 1) for part in (there, beside) if part]
    if len(masks) == 1:
        return masks[0]
    near = max(NEAR * size // WORLD_SIZE, 1)
    close = F.max_pool2d((masks[1] > 0.02).float()[:, None], 2 * near + 1, 1, near)[:, 0]
    return (masks[0] > 0.95).float() * close


def _half(visible, name):
    """Return the mask [N, S, S] of a part; of `part.left` and `part.right`, what is on that side of the part's own middle."""
    part, _, side = name.partition(".")
    mask = visible[part]
    if not side:
        return mask
    x = torch.arange(mask.shape[2], dtype=mask.dtype)
    middle = (mask * x).sum((1, 2), keepdim=True) / mask.sum((1, 2), keepdim=True).clamp(min=1e-9)
    return mask * ((x < middle) if side == "left" else (x >= middle))
