"""The weights of a show: the network's own, mixed with those of other checkpoints, edits on top. Written in place, when turned.

Knows scenes, generators and edits; no files and no clock. Everything is made from a resident copy of the base and never
from what was written before, so that the same scene gives the same weights, and all at 0 the base, bit for bit.
What belongs to which group: the mapping network (with w_avg), and the synthesis network at 4-8, 16-32 and 64 px up.
"""
from dataclasses import dataclass

import torch

from engine.fast.weights import mix_all
from engine.mixing import find_place, find_split_share
from engine.noise_live import mix_maps
from engine.parameter import Parameter
from engine.rewriting.edit import Edit
from engine.rewriting.style import affine_of
from engine.turns import Turns

GROUPS = {"mapping": "the mapping network", "coarse": "the layers of 4 and 8 px", "middle": "those of 16 and 32 px", "fine": "those of 64 px and above"}
LEAST_STRENGTH = 5e-4               # strengths nearer to 0 count as 0, so that the low end of a fader gives the base however its range was rounded
NEAR = 0.1                          # in a fade no layer's amount may be further behind, unless there is no time for it
BUDGET = "/weights/budget"           # milliseconds of a frame that writing may take, the performer's own parameter
PACE, TRIAL = 1e6, 1 << 20           # numbers written in a millisecond where that was not measured; numbers that it is measured by
NOISE = ".noise_const"


@dataclass(eq=False)
class _Tensor:
    """One tensor of the network that plays. written: what is in it now beside the base: (mix, edits, noise, what is added), all empty at first."""
    live: torch.Tensor
    base: torch.Tensor
    written: tuple = ((), (), (), ())


@dataclass(frozen=True, eq=False)
class _Factors:
    """An edit as its layer takes it: values [O * kh * kw, r], directions [r, I], the strength's address."""
    edit: Edit
    address: str
    values: torch.Tensor
    directions: torch.Tensor


@dataclass(frozen=True)
class _Part:
    """A tensor and what may be mixed into it. others: {checkpoint: its tensor}. unit: tensors of the same are written in the same frame."""
    name: str
    tensor: _Tensor
    unit: str
    mixed: tuple                     # (group, place in the order of layers, checkpoints' names): one share of each checkpoint holds for all that have the same
    others: dict
    edits: tuple[_Factors, ...] = ()


class LiveWeights:
    """One generator's weights. edits: engine.rewriting.Edit, checked. checkpoints: {name: Generator}, checked.

    before: those that play now and that these, prepared beside the show, will take the place of.
    patient: a fade between checkpoints writes a share of the network a frame, in turns, so that no layer is far behind; once
    the fader rests all are brought to where it stands. Then weights depend on the scenes before, though by little.
    behind: whether there is more to write, in a frame with the same scene. pace: numbers that are written in a millisecond.
    """
    patient = behind = False
    pace = PACE

    def __init__(self, generator, edits=(), checkpoints=None, before: "LiveWeights | None" = None):
        self.generator, self.edits, self.checkpoints = generator, tuple(edits), dict(checkpoints or {})
        self.parameters = {f"/edits/{edit.name}/strength": _strength(edit) for edit in self.edits}
        for name in self.checkpoints:
            self.parameters |= _amounts(name)
        self._tensors: dict = before._tensors if before is not None else {}        # shared: what one has written, the other has in it
        self._parts = self._find_parts()
        self._alike: dict[tuple, list[_Part]] = {}
        self._sort()
        self._turns, self._fades = self._make_turns()
        if before is not None:
            self.pace = before.pace
        self._now: tuple | None = None

    def write(self, scene, noise=(), added=()) -> set[str]:
        """Bring the network's weights to those of the scene; returns the groups that were written to.

        What a scene made before the newest edits does not know is at its default. noise: of kept latents, see engine.noise_live.find_shares(). added:
        what faders add to a few numbers, see engine.offsets_live.
        """
        now = tuple(scene.values.get(address, parameter.default) for address, parameter in self.parameters.items()), noise, added
        if now == self._now and not self.behind:
            return set()
        self._now = now
        self._add_parts(noise, added)
        changed, pressing = self._list_changed(dict(zip(self.parameters, now[0])), noise, added)
        chosen = self._choose({parts[0].unit for parts, _ in changed}, pressing, scene.values.get(BUDGET, 0.0)) if self.patient else None
        due = [(parts, wanted) for parts, wanted in changed if chosen is None or parts[0].unit in chosen]
        self.behind = len(due) < len(changed)
        with torch.no_grad():
            mix_all([pair for parts, wanted in due if _is_mix(*wanted) for pair in _list_mixed(parts, *wanted[0][0])])
            for part, wanted in ((part, wanted) for parts, wanted in due for part in parts):
                if not _is_mix(*wanted):
                    _write(part, *wanted)
                part.tensor.written = wanted
        return {parts[0].mixed[0] for parts, _ in due}

    def measure(self, cost):
        """Find the pace on this machine, by cost(function) -> seconds; without one it is taken to be PACE."""
        if cost is None:
            return
        one, other = (torch.rand(TRIAL, device=self.generator.device) for _ in range(2))
        out = torch.empty_like(one)
        self.pace = TRIAL / max(1e-6, 1000 * cost(lambda: torch.lerp(one, other, 0.3, out=out)))

    def count_frames(self, budget: float) -> float:
        """Return over how many frames a change of everything is spread by a budget in milliseconds a frame."""
        return self._turns.whole / (self.pace * budget)

    def _make_turns(self):
        """Return the turns of all parts, and of those alone that checkpoints fade."""
        every, fades = Turns(), Turns()
        for part in self._parts:
            for turns in (every, fades) if part.others else (every,):
                turns.add(part.unit, part.tensor.base.numel())
        return every, fades

    def _choose(self, changed, pressing, budget) -> set[str]:
        """Return the units to write in this frame."""
        return self._turns.choose(changed, pressing, self.pace * budget) if budget > 0 else self._fades.choose(changed, pressing)

    def _list_changed(self, values, noise, added):
        """Return ([(parts, what is to be in each of them)] of all that are not as they are to be, the units that can't wait)."""
        mixes, presses = {}, {}                                            # one object for all that is mixed alike: comparing it is short
        split = any(values[f"/weights/{name}/split"] >= 0 for name in self.checkpoints)
        changed, pressing = [], set()
        for parts in self._alike.values():
            mixed, before = parts[0].mixed, parts[0].tensor.written
            if (of := mixed if split else mixed[::2]) not in mixes:        # without a split all places of a group take the same
                mixes[of] = self._find_mix(values, *mixed), (), (), ()
            if parts[0].edits or noise or added:
                found = [([part], _find_wanted(part, mixes[of][0], values, noise, added)) for part in parts]
            elif all(part.tensor.written is before for part in parts):
                found = [(parts, mixes[of])]
            else:
                found = [([part], mixes[of]) for part in parts]
            for some, wanted in found:
                written = some[0].tensor.written
                if wanted is not written and wanted != written:
                    changed.append((some, wanted))
                    if (between := (id(written), id(wanted))) not in presses:
                        presses[between] = _is_pressing(written, wanted)
                    if presses[between]:
                        pressing.add(some[0].unit)
        return changed, pressing

    def _find_mix(self, values, group, place, names) -> tuple:
        """Return ((checkpoint, its share), ...) of those that have one."""
        return tuple((self.checkpoints[name], t) for name in names if (t := _share(values, name, group, place)))

    def _add_parts(self, noise, added):
        """Have a part for each map that kept latents have, for what is added to, and for those that were written to before these weights came."""
        wanted = {f"synthesis.{layer}{NOISE}" for held, *_ in noise for layer in held.noise if layer in self.generator.layers}
        wanted |= {name for one, _ in added for name in one.tensors}
        if wanted <= self._tensors.keys() and len(self._tensors) == len(self._parts):
            return
        there = {id(part.tensor) for part in self._parts}
        for name in wanted.union(list(self._tensors)):                     # another thread may add some
            if id(tensor := self._tensor(name)) not in there:
                self._parts.append(_Part(name, tensor, _unit(name), (_group(name), find_place(name), ()), {}))
        self._sort()

    def _sort(self):
        """Put parts together that are usually written together and alike: those of one unit, apart from what edits act on."""
        self._alike.clear()
        for part in self._parts:
            self._alike.setdefault((part.unit, part.mixed, bool(part.edits)), []).append(part)

    def _find_parts(self) -> list[_Part]:
        states = {name: checkpoint.state_dict() for name, checkpoint in self.checkpoints.items()}
        parts = []
        for name, live in self.generator.state_dict().items():
            base = self._tensors[name].base if name in self._tensors else live
            others = {other: _channels_last(state[name]) for other, state in states.items() if not torch.equal(state[name], base)}
            edits = self._edits_of(name, base)
            if others or edits or name in self._tensors:
                mixed = _group(name), find_place(name), tuple(others)
                parts.append(_Part(name, self._tensor(name), _unit(name), mixed, {self.checkpoints[other]: t for other, t in others.items()}, edits))
        return parts

    def _edits_of(self, name, base) -> tuple[_Factors, ...]:
        """Return the changes that the edits make to the tensor of that name."""
        if (owner := affine_of(name)) is None:
            return tuple(_factors(edit, rule, base.device) for edit in self.edits for rule in edit.rules if name == f"synthesis.{rule.layer}.weight")
        weight = self._tensors[owner].base if owner in self._tensors else self.generator.state_dict()[owner]
        return tuple(_Factors(edit, f"/edits/{edit.name}/strength", *edit.style.on_affine(name, weight)) for edit in self.edits if edit.style is not None)

    def _tensor(self, name) -> _Tensor:
        """Return the tensor of that name with its resident base; what is new here has only the base in it."""
        if name not in self._tensors:
            owner, _, last = name.rpartition(".")
            live = getattr(self.generator.get_submodule(owner), last)
            live.data = _channels_last(live.data)                            # as checkpoints are loaded: nothing moves
            self._tensors[name] = _Tensor(live, live.detach().clone())
        return self._tensors[name]


STRENGTH = Parameter(0.0, -1.0, 2.0)


def _strength(edit) -> Parameter:
    what = "styles" if edit.style else f"{edit.layer} and {len(edit.more)} more layers" if edit.more else edit.layer
    return Parameter(STRENGTH.default, STRENGTH.low, STRENGTH.high, about=f"how far the edit of {what} acts: 0 = not at all, 1 = as solved")


def _amounts(name) -> dict[str, Parameter]:
    amount = Parameter(0.0, about=f"from the instrument's own weights to those of {name}")
    return {f"/weights/{name}/amount": amount} | {
        f"/weights/{name}/{group}": Parameter(1.0, about=f"the share of /weights/{name}/amount that {what} take")
        for group, what in GROUPS.items()} | {
        f"/weights/{name}/split": Parameter(-1.0, -1.0, 18.0, about=f"from this layer on it is {name}'s, counted in twos: 0 = 4 px, 6 = 32 px; -1 = no split"),
        f"/weights/{name}/width": Parameter(0.0, 0.0, 4.0, about="how gently one goes over into the other at the split; 0 = at once")}


def _find_wanted(part, mix, values, noise, added) -> tuple:
    """Return what is to be in a part: (mix, ((edit, strength), ...) of those that act, noise, what is added)."""
    strengths = tuple((one.edit, strength) for one in part.edits if abs(strength := values[one.address]) >= LEAST_STRENGTH)
    shares = tuple(one for one in noise if _noise_layer(part.name) in one[0].noise)
    return mix, strengths, shares, tuple(one for one in added if part.name in one[0].tensors)


def _share(values, name, group, place=None) -> float:
    """Return how much of a checkpoint a tensor has; above 0 a split leaves the mapping network alone."""
    amount, split = values[f"/weights/{name}/amount"] * values[f"/weights/{name}/{group}"], values[f"/weights/{name}/split"]
    return amount if split < 0 or not amount else 0.0 if place is None else amount * find_split_share(place, split, values[f"/weights/{name}/width"])


def _is_pressing(written, wanted) -> bool:
    """Return whether a tensor has to be written in this frame: an edit or a noise map was turned, or the mix is far from what is in it."""
    before, after = dict(written[0]), dict(wanted[0])
    return written[1:] != wanted[1:] or any(abs(after.get(checkpoint, 0.0) - before.get(checkpoint, 0.0)) > NEAR for checkpoint in before | after)


def _unit(name: str) -> str:
    """Return the part a tensor is written together with: the mapping network, a layer, or its noise, which is large."""
    return "mapping" if _group(name) == "mapping" else name if name.endswith(NOISE) else ".".join(name.split(".")[:3])


def _group(name: str) -> str:
    """Return the group of a tensor by its name in the state dict: "synthesis.b32.conv1.weight" -> "middle"."""
    if name.startswith("mapping."):
        return "mapping"
    size = int(name.split(".")[1].removeprefix("b"))
    return "coarse" if size <= 8 else "middle" if size <= 32 else "fine"


def _noise_layer(name: str) -> str:
    """Return the layer whose noise map a tensor is; "" where it is none."""
    return name.removeprefix("synthesis.").removesuffix(NOISE) if name.endswith(NOISE) else ""


def _channels_last(tensor):
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _factors(edit, rule, device) -> _Factors:
    values = rule.values.flatten(1).T.contiguous()
    return _Factors(edit, f"/edits/{edit.name}/strength", values.to(device), rule.directions.to(device))


def _is_mix(mix, edits, noise, added) -> bool:
    """Return whether a tensor is to lie between the base and one checkpoint, and nothing else."""
    return len(mix) == 1 and mix[0][1] != 1.0 and not (edits or noise or added)


def _list_mixed(parts, checkpoint, share) -> list:
    return [(part.tensor.base, part.others[checkpoint], share, part.tensor.live) for part in parts]


def _write(part, mix, edits, noise, added):
    """Write the base, the checkpoints' shares, the edits, what kept latents have of noise and what is added, in this order, into the tensor that plays."""
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
        rows, start, strengths = _rows(live), _rows(start), dict(edits)
        for one in part.edits:
            if one.edit in strengths:
                start = torch.addmm(start, one.values, one.directions, alpha=strengths[one.edit], out=rows)
    elif start is not live or noise:
        live.copy_(mix_maps(start, noise, _noise_layer(part.name)) if noise else start)
    for one, share in added:
        live.add_(one.tensors[part.name], alpha=share)


def _rows(weight):
    """Return the memory of weight [O, I, kh, kw], channels last, as [O * kh * kw, I]; of an affine's weight as it is, of its bias as a column."""
    return weight.permute(0, 2, 3, 1).view(-1, weight.shape[1]) if weight.ndim == 4 else weight.view(len(weight), -1)
