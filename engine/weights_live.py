"""The weights of a show: the network's own, mixed with those of other checkpoints, edits on top. Written in place, when turned.

Knows scenes, generators and edits; no files and no clock. Everything is made from a resident copy of the base and never
from what was written before, so that the same scene gives the same weights, and all at 0 the base, bit for bit.
What belongs to which group: the mapping network (with w_avg), and the synthesis network at 4-8, 16-32 and 64 px up.
"""
from dataclasses import dataclass

import torch

from engine.errors import UserError
from engine.parameter import Parameter

GROUPS = {"mapping": "the mapping network", "coarse": "the layers of 4 and 8 px", "middle": "those of 16 and 32 px", "fine": "those of 64 px and above"}
LEAST_STRENGTH = 5e-4               # strengths nearer to 0 are 0: the low end of a fader is the base, however its range was rounded
LARGEST_WEIGHT = 1e4                # of a weight with an edit in it: finite is not enough where it will be squared and summed


@dataclass(eq=False)
class _Tensor:
    """One tensor of the network that plays. written: what is in it now beside the base: (mix, edits), both empty at first."""
    live: torch.Tensor
    base: torch.Tensor
    written: tuple = ((), ())


@dataclass(frozen=True, eq=False)
class _Factors:
    """An edit as its layer takes it: values [O * kh * kw, r], directions [r, I], the strength's address."""
    edit: object
    address: str
    values: torch.Tensor
    directions: torch.Tensor


@dataclass(frozen=True)
class _Part:
    """A tensor and what may be mixed into it. others: {checkpoint: its tensor}."""
    tensor: _Tensor
    group: str
    others: dict
    edits: tuple[_Factors, ...] = ()


class LiveWeights:
    """One generator's weights. edits: engine.rewriting.Edit, checked. checkpoints: {name: Generator}, checked.

    before: those that play now and that these, prepared beside the show, will take the place of.
    """

    def __init__(self, generator, edits=(), checkpoints=None, before: "LiveWeights | None" = None):
        self.generator, self.edits, self.checkpoints = generator, tuple(edits), dict(checkpoints or {})
        self.parameters = {f"/edits/{edit.name}/strength": _strength(edit) for edit in self.edits}
        for name in self.checkpoints:
            self.parameters |= _amounts(name)
        self._tensors: dict = dict(before._tensors) if before is not None else {}
        self._parts = self._find_parts()
        self._now: tuple | None = None

    def write(self, scene) -> set[str]:
        """Bring the network's weights to what the scene says; return the groups that something was written in.

        What a scene made before the newest edits does not know is at its default.
        """
        now = tuple(scene.values.get(address, parameter.default) for address, parameter in self.parameters.items())
        if now == self._now:
            return set()
        self._now = now
        values = dict(zip(self.parameters, now))
        mixes = {group: [(checkpoint, t) for name, checkpoint in self.checkpoints.items() if (t := _share(values, name, group))]
                 for group in GROUPS}
        written = set()
        for part in self._parts:
            mix = tuple((checkpoint, t) for checkpoint, t in mixes[part.group] if checkpoint in part.others)
            edits = [(edit, strength) for edit in part.edits if abs(strength := values[edit.address]) >= LEAST_STRENGTH]
            wanted = mix, tuple((factors.edit, strength) for factors, strength in edits)
            if wanted != part.tensor.written:
                _write(part, mix, edits)
                part.tensor.written = wanted
                written.add(part.group)
        return written

    def _find_parts(self) -> list[_Part]:
        states = {checkpoint: checkpoint.state_dict() for checkpoint in self.checkpoints.values()}
        parts = []
        for name, live in self.generator.state_dict().items():
            base = self._tensors[name].base if name in self._tensors else live
            others = {checkpoint: _channels_last(state[name]) for checkpoint, state in states.items() if not torch.equal(state[name], base)}
            edits = tuple(_factors(edit, base.device) for edit in self.edits if name == f"synthesis.{edit.layer}.weight")
            if others or edits or name in self._tensors:
                parts.append(_Part(self._tensor(name), _group(name), others, edits))
        return parts

    def _tensor(self, name) -> _Tensor:
        """Return the tensor of that name with its resident base; what is new here has only the base in it."""
        if name not in self._tensors:
            owner, _, last = name.rpartition(".")
            live = getattr(self.generator.get_submodule(owner), last)
            live.data = _channels_last(live.data)                            # as checkpoints are loaded: nothing moves
            self._tensors[name] = _Tensor(live, live.detach().clone())
        return self._tensors[name]


def check_edit(edit, generator, known=()):
    """Raise a UserError where an edit is for other weights, another shape, or reaches beyond what can be computed with.

    known: content hashes of the weights it may have been solved for.
    """
    edit.fitted(generator)
    weight = generator.weights(edit.layer).detach().cpu()
    if edit.generator and known and edit.generator not in known:
        raise UserError(f"edit {edit.name}: it was solved for other weights ({edit.generator[:12]}) than these ({next(iter(known))[:12]}); solve it again")
    for strength in (STRENGTH.low, STRENGTH.high):
        reach = (weight + edit.delta(strength)).abs().max().item()
        if not reach <= LARGEST_WEIGHT:
            raise UserError(f"edit {edit.name}: at strength {strength:g} a weight becomes {reach:.3g}; expected at most {LARGEST_WEIGHT:g}")


@torch.no_grad()
def check_checkpoint(other, generator):
    """Raise a UserError where another checkpoint can't be mixed with this one, or gives no picture."""
    mine, theirs = ({name: list(t.shape) for name, t in g.state_dict().items()} for g in (generator, other))
    for name in mine | theirs:
        if mine.get(name) != theirs.get(name) or generator.architecture.kind != other.architecture.kind:
            raise UserError(f"of another architecture: {name} is {theirs.get(name, 'not there')}, here {mine.get(name, 'not there')}")
    z = torch.randn(1, other.z_dim, generator=torch.Generator().manual_seed(0)).to(other.device)
    label = torch.eye(1, other.c_dim, device=other.device) if other.c_dim else None
    if not other.synthesize(other.map(z, psi=0.7, c=label)).isfinite().all():
        raise UserError("its picture is not finite")


STRENGTH = Parameter(0.0, -1.0, 2.0)


def _strength(edit) -> Parameter:
    return Parameter(STRENGTH.default, STRENGTH.low, STRENGTH.high, about=f"how far the edit of {edit.layer} acts: 0 = not at all, 1 = as solved")


def _amounts(name) -> dict[str, Parameter]:
    amount = Parameter(0.0, about=f"from the instrument's own weights to those of {name}")
    return {f"/weights/{name}/amount": amount} | {
        f"/weights/{name}/{group}": Parameter(1.0, about=f"the share of /weights/{name}/amount that {what} take")
        for group, what in GROUPS.items()}


def _share(values, name, group) -> float:
    return values[f"/weights/{name}/amount"] * values[f"/weights/{name}/{group}"]


def _group(name: str) -> str:
    """Return the group of a tensor by its name in the state dict: "synthesis.b32.conv1.weight" -> "middle"."""
    if name.startswith("mapping."):
        return "mapping"
    size = int(name.split(".")[1].removeprefix("b"))
    return "coarse" if size <= 8 else "middle" if size <= 32 else "fine"


def _channels_last(tensor):
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _factors(edit, device) -> _Factors:
    values = edit.values.flatten(1).T.contiguous()
    return _Factors(edit, f"/edits/{edit.name}/strength", values.to(device), edit.directions.to(device))


@torch.no_grad()
def _write(part, mix, edits):
    """Write the base, the checkpoints' shares and the edits, in this order, into the tensor that plays."""
    live, base = part.tensor.live, part.tensor.base
    start = base
    if len(mix) == 1 and mix[0][1] == 1.0:
        start = part.others[mix[0][0]]
    elif mix:
        (first, t), *more = mix
        start = torch.lerp(base, part.others[first], t, out=live)
        for checkpoint, t in more:
            live.add_(part.others[checkpoint] - base, alpha=t)
    if edits:
        rows, start = _rows(live), _rows(start)
        for edit, strength in edits:
            start = torch.addmm(start, edit.values, edit.directions, alpha=strength, out=rows)
    elif start is not live:
        live.copy_(start)


def _rows(weight):
    """Return the memory of weight [O, I, kh, kw], channels last, as [O * kh * kw, I]."""
    return weight.permute(0, 2, 3, 1).view(-1, weight.shape[1])
