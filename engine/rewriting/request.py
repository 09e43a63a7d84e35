"""A request: which pictures, and where in them; what is copied, where it is pasted, and the context that is to set it off.

Plain data: it knows no network, and works with any. How it comes out of a file is in request_file.py.
"""
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch.nn import functional as F

from engine import world
from engine.errors import UserError
from engine.world.latent import Z_DIM, normalise

LARGEST_NUMBER = 99_999             # of a picture: to number them, all z before it have to be drawn
CHUNK = 4096                        # z drawn at once
MOST_PIECES = 40                    # of a mask whose pieces are pasted to one by one
BUILT_IN = "masks"                  # whose factors and parts are meant where nothing else is said


@dataclass(frozen=True)
class Picture:
    """Which z: by `number` in the published numbering, row n of RandomState(1), or by `seed` as everywhere else here.

    factors: ((name, 0..1), ...) of the drawn world of that name, set to these whatever the seed says.
    """
    number: int
    seeded: bool = False
    factors: tuple[tuple[str, float], ...] = ()
    world: str = BUILT_IN

    def __post_init__(self):
        most = 2 ** 32 - 1 if self.seeded else LARGEST_NUMBER
        if isinstance(self.number, bool) or not isinstance(self.number, int) or not 0 <= self.number <= most:
            raise UserError(f"{'seed' if self.seeded else 'image number'} {self.number!r}: expected a whole number from 0 to {most}")

    def z(self, z_dim: int) -> np.ndarray:
        """Return the picture's z [z_dim] float32."""
        z = np.random.RandomState(self.number).randn(z_dim).astype(np.float32) if self.seeded else row(self.number, z_dim)
        return change_factors(z, self.factors, self.world) if self.factors else z


@dataclass(frozen=True, eq=False)
class Mark:
    """A picture, and a region of it: mask [H, W] float32 in 0..1 over the whole picture, of any size.

    drawing: [3, H, W] in -1..1, what is copied instead of the picture: something that the network has never drawn.

    each: what is pasted goes to the middle of each of the mask's pieces, not to the middle of all.
    """
    picture: Picture
    mask: torch.Tensor
    drawing: torch.Tensor | None = None
    each: bool = False

    def __post_init__(self):
        if self.mask.ndim != 2 or not self.mask.numel():
            raise UserError(f"mask: expected [height, width], got {list(self.mask.shape)}")
        if not self.mask.max() > 0:
            raise UserError(f"picture {self.picture.number}: its mask is empty: paint where it applies")

    def resize(self, height: int, width: int) -> torch.Tensor:
        """Return the mask [height, width], bilinear with antialiasing, in steps of 1/255 as the published tool had it."""
        mask = self.mask.mul(255).round().clamp(0, 255).to(torch.uint8)
        small = F.interpolate(mask[None, None], (height, width), mode="bilinear", antialias=True, align_corners=False)[0, 0]
        return small.float() / 255

    def split(self) -> "tuple[Mark, ...]":
        """Return a mark for each piece of the mask that hangs together, where `each` is set, else only this one. UserError: above MOST_PIECES."""
        if not self.each:
            return (self,)
        left, found = self.mask > 0.5, []
        while left.any():
            piece = torch.zeros_like(left)
            piece.view(-1)[int(left.view(-1).int().argmax())] = True
            while True:
                grown = F.max_pool2d(piece[None].float(), 3, 1, 1)[0].bool() & left
                if torch.equal(grown, piece):
                    break
                piece = grown
            left = left & ~piece
            found.append(replace(self, mask=self.mask * piece, each=False))
            if len(found) > MOST_PIECES:
                raise UserError(f"picture {self.picture.number}: its mask lies in more than {MOST_PIECES} pieces")
        return tuple(found) or (replace(self, each=False),)


@dataclass(frozen=True, eq=False)
class Request:
    """objects[i] is copied to where pastes[i] is; a single object goes to all pastes. contexts: what sets the rule off.

    query: what the published tool searched with; kept, not needed. fill: lay the object's mean over the paste's mask,
    instead of the object itself at its middle. settings: what a file says beyond that: layer, rank, solver, fields of
    solve.Settings, and the instrument, a path from the file's folder.
    """
    objects: tuple[Mark, ...] = ()
    pastes: tuple[Mark, ...] = ()
    contexts: tuple[Mark, ...] = ()
    query: Mark | None = None
    fill: bool = False
    settings: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.objects and self.pastes and len(self.objects) not in (1, len(self.pastes)):
            raise UserError(f"{len(self.objects)} objects for {len(self.pastes)} pastes: expected one, or one for each")

    def pairs(self) -> tuple[tuple[Mark, Mark], ...]:
        """Return the pairs (object, paste). UserError where one of them is missing."""
        for name, marks in (("object", self.objects), ("paste", self.pastes)):
            if not marks:
                raise UserError(f"the request has no {name}: what is to be changed into what is not known")
        objects = self.objects * len(self.pastes) if len(self.objects) == 1 else self.objects
        return tuple(zip(objects, self.pastes))

    def keys(self, single: int = -1) -> tuple[Mark, ...]:
        """Return the contexts; without any, the places pasted to. single: only this one of them, counted from 0."""
        marks = self.contexts or self.pastes
        if not marks:
            raise UserError("the request has neither key nor paste: where the rule applies is not known")
        if single < 0:
            return marks
        if single >= len(marks):
            raise UserError(f"single key {single}: there are {len(marks)}, 0 to {len(marks) - 1}")
        return marks[single:single + 1]


def rows(count: int, z_dim: int):
    """Yield the z of pictures 0, 1, 2, ..., [n, z_dim] float32 until `count` are out. Row n is the same whatever the count."""
    source = np.random.RandomState(1)
    for start in range(0, count, CHUNK):
        yield source.standard_normal((min(CHUNK, count - start), z_dim)).astype(np.float32)


def row(number: int, z_dim: int) -> np.ndarray:
    """Return the z [z_dim] of one picture."""
    *_, last = rows(number + 1, z_dim)
    return last[-1]


def change_factors(z, factors, name_of_world: str = BUILT_IN):
    """Return z [64] of a drawn world with factors at other values: ((name, 0..1), ...)."""
    if len(z) != Z_DIM:
        raise UserError(f"factor {factors[0][0]!r}: factors are a drawn world's, and this network is another one")
    names = world.find(name_of_world).names
    z = normalise(torch.from_numpy(z)[None])[0]
    for name, value in factors:
        if name not in names:
            raise UserError(f"factor {name!r}: the world {name_of_world} has {', '.join(names)}")
        if not 0 < value < 1:
            raise UserError(f"factor {name}={value}: expected a number between 0 and 1")
        z[names.index(name)] = 2 ** 0.5 * torch.erfinv(torch.tensor(2.0 * value - 1))
    return normalise(z[None])[0].numpy()
