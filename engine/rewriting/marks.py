"""Marks as people type them: SEED:REGION. Seeds are those of walks; what a part of the built-in world is, the world says.

    3:400,300,620,380              a box x0,y0,x1,y1 in pixels of the picture; six numbers and more are a polygon
    3:eyes.png                     a painted mask
    3:512,400                      a point: the object's mask with its middle there (only where something is pasted)
    1-8:nose    1-8:iris+pupil     parts of the built-in world, in several pictures
    1-8:head~nose                  the head close to the nose
    1-8@smile=0.95:lips            with factors of the built-in world at other values (0 to 1)
    #819:...                       picture 819 of the published numbering
"""
import re
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from engine.errors import UserError
from engine.rewriting.request import Mark, Picture
from engine.rewriting.request_file import read_mask
from engine.world.draw import PARTS, view
from engine.world.factors import Z_DIM, uniform

WORLD_SIZE = 256                    # px the world's parts are drawn at
NEAR = 16                           # of them: what counts as close
MOST = 64                           # pictures in one mark
COUNTED = re.compile(r"[0-9]{1,10}")
NUMBERS = re.compile(r"-?\d+(\.\d+)?(,-?\d+(\.\d+)?)+")


def parse(text: str, generator, psi: float, things=()) -> tuple[Mark, ...]:
    """The marks of one argument. things: the marks of what is copied, for points. UserError: what can't be read in it."""
    try:
        who, _, where = text.partition(":")
        if not where:
            raise UserError("expected SEED:REGION, such as 3:400,300,620,380")
        return tuple(Mark(picture, _region(where, picture, generator, psi, things)) for picture in _pictures(who))
    except UserError as error:
        raise UserError(f"{text}: {error}") from None


def _pictures(who):
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
    return [Picture(number, seeded, _factors(factors)) for number in numbers]


def _factors(text):
    if not text:
        return ()
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        return tuple((name, float(value)) for name, _, value in pairs)
    except ValueError:
        raise UserError(f"factors {text!r}: expected NAME=NUMBER, 0 to 1") from None


def _region(where, picture, generator, psi, things):
    if where.lower().endswith(".png"):
        return read_mask(Path(where))
    if not NUMBERS.fullmatch(where):
        return _parts(where, picture, generator, psi)
    numbers = [float(number) for number in where.split(",")]
    size = generator.architecture.pixels()
    if len(numbers) == 2:
        return _moved(numbers, size, things)
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


def _moved(point, size, things):
    """The first object's mask with its middle at the point."""
    if not things:
        raise UserError("a point, but nothing is copied that could be put there; give a box x0,y0,x1,y1")
    mask = things[0].at(*size)
    rows, columns = (mask > 0).any(1).nonzero()[:, 0], (mask > 0).any(0).nonzero()[:, 0]
    right = round(point[0]) - int(columns[0] + columns[-1]) // 2
    down = round(point[1]) - int(rows[0] + rows[-1]) // 2
    if abs(right) >= size[1] or abs(down) >= size[0]:
        raise UserError(f"the point lies outside the picture, {size[1]} x {size[0]} px")
    shifted = torch.zeros(size)
    shifted[max(down, 0):size[0] + min(down, 0), max(right, 0):size[1] + min(right, 0)] = \
        mask[max(-down, 0):size[0] - max(down, 0), max(-right, 0):size[1] - max(right, 0)]
    return shifted


def _parts(names, picture, generator, psi):
    check_parts(names)
    if generator.z_dim != Z_DIM:
        raise UserError(f"parts are the built-in world's, and this network is another one: give a box or a mask instead of {names!r}")
    return world_region(names, torch.from_numpy(picture.z(Z_DIM))[None], psi)[0]


def check_parts(names: str):
    """UserError for a part the built-in world has not."""
    if names.count("~") > 1:
        raise UserError(f"{names!r}: expected one ~, as in head~nose")
    unknown = [name for name in re.split("[+~]", names) if name not in PARTS]
    if unknown:
        raise UserError(f"no such file, and no part {unknown[0]!r}: the built-in world has {', '.join(PARTS)}")


def world_region(names: str, z, psi: float = 1.0, size: int = WORLD_SIZE) -> torch.Tensor:
    """Return a mask [N, size, size] for z [N, 64]: where `PART+PART`, or `PART~PART`, is in the pictures of the built-in world."""
    there, _, beside = names.partition("~")
    u = 0.5 + psi * (uniform(z) - 0.5)                                      # truncation leads to the middle of every factor
    corner = torch.full((len(z),), -1.0)
    visible = view(u, corner, corner, 2 / size, size, size).visible()
    masks = [sum(visible[name] for name in part.split("+")).clamp(0, 1) for part in (there, beside) if part]
    if len(masks) == 1:
        return masks[0]
    near = max(NEAR * size // WORLD_SIZE, 1)
    close = F.max_pool2d((masks[1] > 0.02).float()[:, None], 2 * near + 1, 1, near)[:, 0]
    return (masks[0] > 0.95).float() * close
