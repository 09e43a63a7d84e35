"""What directions are, as data. Letters: K directions, W = w_dim, n = num_ws."""
from dataclasses import dataclass, replace

import torch

from engine.errors import UserError
from engine.names import check_name

LEAST_UNIT = 1e-6                    # a direction that seeds hardly stray along has a unit all the same


@dataclass(frozen=True, eq=False)
class Directions:
    """names: of the K directions. vectors [K, W], or [K, n, W] where each of the ws has its own. unit [K]: how far an amount of 1 goes.

    ranges: of each, the ws [start, end) it acts on; None = all. mean [W]: of the w of all seeds, or None. method: how they were
    found. about: a line on each. generator: content hash of the weights, "" where nobody knows. explained [K]: the share of
    variance, or R^2, of each; 0 where there is none. UserError: shapes that do not belong together, numbers that are not finite.
    """
    names: tuple[str, ...]
    vectors: torch.Tensor
    unit: torch.Tensor
    ranges: tuple[tuple[int, int] | None, ...] = ()
    mean: torch.Tensor | None = None
    method: str = ""
    about: tuple[str, ...] = ()
    generator: str = ""
    explained: tuple[float, ...] = ()

    def __post_init__(self):
        count = len(self.names)
        for name, fallback in (("ranges", None), ("about", ""), ("explained", 0.0)):
            if not getattr(self, name):
                object.__setattr__(self, name, (fallback,) * count)
        for name in ("vectors", "unit", "mean"):
            tensor = getattr(self, name)
            if tensor is None:
                continue
            tensor = tensor.detach().to("cpu", torch.float32).contiguous()
            if not tensor.isfinite().all():
                raise UserError(f"directions: {name}: NaN or infinity among its numbers")
            object.__setattr__(self, name, tensor)
        lengths = {len(self.vectors), len(self.unit), len(self.ranges), len(self.about), len(self.explained)}
        if self.vectors.ndim not in (2, 3) or self.unit.ndim != 1 or lengths != {count}:
            raise UserError(f"directions: {count} names, but vectors {list(self.vectors.shape)} and units {list(self.unit.shape)}; expected as many of each")
        for name in self.names:
            check_name(name)
        if len(set(self.names)) < count:
            raise UserError(f"directions: two are called {next(n for n in self.names if self.names.count(n) > 1)!r}")
        for name, span in zip(self.names, self.ranges):
            if span is not None and not 0 <= span[0] < span[1]:
                raise UserError(f"direction {name}: ws {span[0]}..{span[1]}: expected the first below the end")

    def __len__(self):
        return len(self.names)

    @property
    def w_dim(self) -> int:
        return self.vectors.shape[-1]

    def fit(self, generator) -> "Directions":
        """Return these for a generator, whose ws they are cut to; UserError where its w has another length, or too many ws."""
        if self.w_dim != generator.w_dim:
            raise UserError(f"directions of {self.w_dim} numbers; this network's w has {generator.w_dim}")
        vectors = self.vectors
        if vectors.ndim == 3 and vectors.shape[1] != generator.num_ws:
            if vectors.shape[1] < generator.num_ws:
                raise UserError(f"directions for {vectors.shape[1]} ws; this network has {generator.num_ws}")
            vectors = vectors[:, :generator.num_ws]
        last = generator.num_ws
        ranges = tuple(None if span is None else (min(span[0], last - 1), min(span[1], last)) for span in self.ranges)
        return replace(self, vectors=vectors, ranges=ranges)

    def choose(self, names) -> "Directions":
        """Return those of these names, in this order. UserError: there is none of a name."""
        at = []
        for name in names:
            if name not in self.names:
                raise UserError(f"no direction {name!r}; there are: {', '.join(self.names) or 'none'}")
            at.append(self.names.index(name))
        pick = lambda values: tuple(values[i] for i in at)
        return replace(self, names=tuple(names), vectors=self.vectors[at], unit=self.unit[at], ranges=pick(self.ranges),
                       about=pick(self.about), explained=pick(self.explained))

    def rename(self, old: str, new: str) -> "Directions":
        """Return these with another name for one of them."""
        self.choose([old])
        return replace(self, names=tuple(new if name == old else name for name in self.names))

    def merge(self, other: "Directions") -> "Directions":
        """Return these and the others, which take the place of those of the same name."""
        kept = self.choose([name for name in self.names if name not in other.names])
        return join([kept, other])


EMPTY = Directions((), torch.zeros(0, 1), torch.zeros(0))


def join(parts) -> Directions:
    """Return several as one, in order; those without a direction are left out. UserError: they are of other widths."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return EMPTY
    if len({part.w_dim for part in parts}) > 1:
        raise UserError(f"directions of {' and '.join(str(part.w_dim) for part in parts)} numbers can't be together")
    most = max((part.vectors.shape[1] for part in parts if part.vectors.ndim == 3), default=0)
    rows = [part.vectors if part.vectors.ndim == 3 or not most else part.vectors[:, None].expand(-1, most, -1) for part in parts]
    together = lambda name: sum((getattr(part, name) for part in parts), ())
    first = lambda name: next((getattr(part, name) for part in parts if getattr(part, name) is not None), None)
    methods = list(dict.fromkeys(method for part in parts for method in part.method.split(", ") if method))
    return Directions(together("names"), torch.cat(rows), torch.cat([part.unit for part in parts]), together("ranges"), first("mean"),
                      ", ".join(methods), together("about"), next((part.generator for part in parts if part.generator), ""), together("explained"))


def unit_of(w, vectors, mean):
    """Return the standard deviation [K] of the coordinates of w [N, W] along vectors [K, W] or [K, n, W]."""
    rows = vectors.mean(1) if vectors.ndim == 3 else vectors
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return ((w - mean) @ rows.T.to(w)).std(0).clamp(min=LEAST_UNIT)
