"""One picture through the synthesis network, fast, and nothing twice. Knows the network's shape, no scenes.

What did not change since the last picture is not computed again: styles while ws stays, and all layers below the
first one that changed (a bend turned in a fine layer, a walk that only moves the fine styles).
Letters: C channels, H, W size of a map, W in [num_ws, W] the width of w.
"""
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.bending import bend_both, group_by_layer
from engine.errors import UserError
from engine.fast.forms import find_fastest
from engine.fast.kernels import channels_last, skip_kernel, to_bytes, up_rgb
from engine.fast.layers import Layer, NoiseSource, Styles, read_version
from engine.fast.passes import Colours, draw
from engine.fast.splices import find_unused_layers, to_blends
from engine.fast.weights import tint
from engine.generator import Block

HALF_FROM = 64                      # px: layers from here on are computed in bfloat16 where it is asked for; those below cost little
KEPT = 2                            # places to go on from, the newest ones that were of use


@dataclass(frozen=True)
class Step:
    """One styled convolution, and the toRGB after it if there is one; row, rgb_row: the ws they read; style, rgb_style: which of all styles are theirs."""
    layer: Layer
    block: Block
    resolution: int
    row: int
    rgb_row: int | None
    style: int
    rgb_style: int | None


@dataclass(frozen=True)
class State:
    """What a step is given: feature maps x, the picture so far, and the resnet shortcut waiting for conv1. finite: see Synthesis.draw()."""
    x: torch.Tensor
    picture: torch.Tensor | None = None
    shortcut: torch.Tensor | None = None
    finite: bool = True


class Synthesis:
    """The fast path of one generator. In float32 pictures agree with Generator.synthesize to 2e-5; batch 1, no gradients."""

    def __init__(self, generator, forms=None, half=False):
        """forms: {layer: name of its form} for those that shall not have the usual one (engine.fast.forms).

        half: compute in bfloat16 from HALF_FROM px on, which processors with instructions for it do twice as fast
        (engine.fast.precision). Styles, bends and the picture stay in float32.
        """
        self.generator = generator
        self.steps: list[Step] = []
        a = generator.architecture
        if half and a.kind != "skip":
            raise UserError(f"precision bf16: only for skip networks, and this one's architecture is {a.kind}")
        count = 2 * len(a.resolutions) - 1
        for j, r in enumerate(a.resolutions):
            block = generator.block(r)
            for k in (0, 1) if r > 4 else (1,):
                name = f"b{r}.conv{k}"
                dtype = torch.bfloat16 if half and r >= HALF_FROM else torch.float32
                layer = Layer(name, getattr(block, f"conv{k}"), (forms or {}).get(name), dtype)
                rgb_row = 2 * j + 1 if k and hasattr(block, "torgb") else None
                rgb_style = None if rgb_row is None else count + len(self._rgb_steps())
                self.steps.append(Step(layer, block, r, 2 * j - 1 + k, rgb_row, len(self.steps), rgb_style))
        self._styles = Styles([(s.layer.conv.affine, s.row, 1.0) for s in self.steps]
                              + [(s.block.torgb.affine, s.rgb_row, s.block.torgb.weight.shape[1] ** -0.5) for s in self._rgb_steps()])
        self._ws = self._computed_styles = None
        self._stamps = [0] * a.num_ws               # how often each row of ws has changed
        self._keys, self._kept = [], {}             # keys of the last picture's steps; {step: (keys below it, State)}
        self.resumed = 0                            # the step that the last picture was begun at
        self.seen: dict = {}                        # layer that is watched -> its activations [1, C, H, W] in the last picture

    def _rgb_steps(self):
        return [step for step in self.steps if step.rgb_row is not None]

    @torch.no_grad()
    def __call__(self, ws, noise="const", size=None, bends=(), splice=None, noise_strength=1.0, noise_seed=None, levels=(1.0, 0.0)):
        """Return the picture as Generator.synthesize does, times levels[0] plus levels[1]. ws [1, num_ws, W]."""
        source = NoiseSource(noise, noise_strength, noise_seed)
        return self._resize(self._compute(ws, source, size, bends, splice, levels).picture, size)

    @torch.no_grad()
    def draw(self, out, ws, size=None, bends=(), splice=None, levels=(1.0, 0.0), **noise) -> bool:
        """Fill out, uint8 [H, W', 3], with the same picture, whose levels bring it to 0..255 + 0.5; return whether bends left it finite.

        noise: noise, noise_strength and noise_seed, as above.
        """
        whole = self.generator.architecture.kind != "skip"                          # which may draw another size
        state = self._compute(ws, _make_source(**noise), size, bends, splice, levels, None if whole else out)
        if not whole:
            return state.finite
        picture = self._resize(state.picture, size)
        finite = bool(picture.sum().isfinite())
        to_bytes(picture, out)
        return finite

    def _compute(self, ws, source, size, bends, splice, levels, out=None):
        """Return the State after the last step, with its picture in out if that is given. source: of its noise."""
        self._take_ws(ws)
        bent, splice = group_by_layer(bends), to_blends(splice)
        steps = self._steps_for(size) if source.mode == "random" else self._list_needed(self._steps_for(size), splice)   # each takes its turn at the noise
        keys = [self._key(step, source, bent, splice) for step in steps]
        keys[-1] = (*keys[-1], levels)
        start, state, keep = self._resume(keys)
        last = len(steps) - 1                       # all that styles make is made before the first map, which takes the caches
        made = [self._make(steps[i], self._computed_styles, splice, levels if i == last else (1.0, 0.0)) for i in range(start, len(steps))]
        for i in range(start, len(steps)):
            if i == keep:
                self._keep(i, keys, state)
            state = self._run(steps[i], state, made[i - start], source, bent, splice, (out,) if i == last else None)
        self._keys, self.resumed = keys, start
        return state

    @torch.no_grad()
    def measure(self, cost):
        """Give each layer the form that is fastest on this machine; cost(function) -> seconds."""
        for step in self.steps:
            step.layer.form_name = find_fastest(step.layer.conv, cost, dtype=step.layer.dtype)
        self._keys, self._kept = [], {}

    def watch(self, layers):
        """Keep the activations of these layers, and of no others, in `seen` from the next picture on."""
        self.seen = dict.fromkeys(layers)
        self._keys, self._kept = [], {}

    def _take_ws(self, ws):
        """Note which rows of ws changed; make the styles of all layers if one did."""
        if ws.shape[0] != 1 or ws.shape[1:] != (len(self._stamps), self.generator.w_dim):
            raise UserError(f"ws: expected [1, {len(self._stamps)}, {self.generator.w_dim}], got {list(ws.shape)}")
        changed = [True] * len(self._stamps) if self._ws is None else (ws[0] != self._ws).any(1).tolist()
        self._stamps = [n + c for n, c in zip(self._stamps, changed)]
        if any(changed):
            self._ws = ws[0].clone()
        self._computed_styles = self._styles(self._ws)

    def _steps_for(self, size):
        """Return the steps that a picture of this size takes."""
        sizes = self.generator.architecture.resolutions
        if size is not None and size not in sizes:
            raise UserError(f"size {size}: expected one of {', '.join(map(str, sizes))}")
        if size is None or self.generator.architecture.kind != "skip":
            return self.steps
        return [step for step in self.steps if step.resolution <= size]

    def _list_needed(self, steps, splice):
        """Return the steps without those whose result a splice puts aside."""
        whole = {name for name, blend in splice.items() if blend.mix >= 1}
        if not whole or self.generator.architecture.kind != "skip":
            return steps
        unused = find_unused_layers((step.layer.name for step in steps), whole)
        return [step for step in steps if step.layer.name not in unused]

    def _key(self, step, source, bent, splice):
        """Return all that this step's result depends on besides the steps before it, for comparing with ==."""
        name, versions = step.layer.name, self._styles.versions
        bends = bent.get(name, ())
        fresh = object() if source.mode == "random" or any(b.memory is not None for b in bends) else None
        spliced = splice.get(name)
        key = [self.generator.around, self._stamps[step.row], step.layer.version(), versions[step.style], source.mode, source.strength, fresh,
               _settings(bends), (_Identity(spliced.features), spliced.features._version, spliced.mix) if spliced else None]
        if step.rgb_row is not None:
            rgb = step.block.torgb
            key += [self._stamps[step.rgb_row], read_version(rgb.weight, rgb.bias), versions[step.rgb_style]]
        if step.resolution == 4:
            key.append(read_version(step.block.const))
        if hasattr(step.block, "skip"):
            key.append(read_version(step.block.skip.weight))
        return tuple(key)

    def _resume(self, keys):
        """Return (first step to run, its State, the step whose State to keep for the next picture or None)."""
        first = next((i for i, (a, b) in enumerate(zip(keys, self._keys)) if a != b), min(len(keys), len(self._keys)))
        first = min(first, len(keys) - 1)
        for i in sorted(self._kept, reverse=True):
            below, state = self._kept[i]
            if i < len(keys) and below == keys[:i] and (i <= first or not self.seen):       # what is watched has to be the last picture's
                return i, state, first if first > i else None
        const = self.steps[0].block.const
        return 0, State(channels_last(const.detach()[None])), first or None

    def _keep(self, i, keys, state):
        self._kept.pop(i, None)
        while len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[i] = (keys[:i], state)

    def _make(self, step, styles, splice, levels):
        """Return what the styles make of a step: (its form, None where that is spliced away; its Colours, None where it draws nothing)."""
        spliced = splice.get(step.layer.name)
        form = step.layer.modulate(styles[step.style]) if spliced is None or spliced.mix < 1 else None
        return form, None if step.rgb_row is None else _make_colours(step.block.torgb, styles[step.rgb_style], levels)

    def _run(self, step, state, made, source, bent, splice, last):
        """Return the State after one step; made: see _make(); last: (what to put the picture in, or None,) if this is the last one, else None."""
        layer, around, (form, colours) = step.layer, self.generator.around, made
        name, shortcut, picture, ending, finite = layer.name, state.shortcut, state.picture, None, True
        if hasattr(step.block, "skip") and layer.conv.up:
            skip = step.block.skip
            shortcut = skip(state.x) if around is None else around.up_sample(state.x, skip)
        noise = layer.noise(source)
        spliced = splice.get(name)
        x = layer.finish(spliced.features, noise) if spliced else None
        if x is None or spliced.mix < 1:
            below = state.x.to(layer.dtype)
            if step.rgb_row is not None and around is None and not spliced and name not in bent and shortcut is None:
                x, ending = form.convolve(below), form.ending(noise)                # the rest while the maps are drawn
            else:
                own = form(below, noise) if around is None else around.draw(step.resolution, layer.conv.up, below, noise, form)
                x = own if x is None else torch.lerp(own, x, spliced.mix)
        if name in bent:
            x, picture = bend_both(x.float(), picture, bent[name], owned=True)
            x = channels_last(x).to(layer.dtype)
        if name in self.seen:
            self.seen[name] = x
        if shortcut is not None and not layer.conv.up:
            x, shortcut = x + shortcut, None
        if colours is not None:
            picture, finite = self._draw(x, colours._replace(below=picture), ending, last is None or name in self.seen, last and last[0], bool(bent))
        return State(x, picture, shortcut, finite)

    def _draw(self, x, colours, ending, keep, out, check):
        """Return what engine.fast.passes.draw() does; a picture that goes round is enlarged with its other end beside it."""
        around, below = self.generator.around, colours.below
        if below is None or around is None or not around.goes_round:
            return draw(x, colours, ending, keep, out, check)
        kernel = skip_kernel(x.device, below.dtype, colours.factor)
        picture = draw(x, colours._replace(below=None), ending, keep)[0].add_(around.up_sample(below, lambda wrapped: up_rgb(wrapped, None, kernel)))
        if out is None:
            return picture, True
        finite = bool(picture.sum().isfinite())
        to_bytes(picture, out)
        return out, finite

    def _resize(self, picture, size):
        if size is None or picture.shape[2:] == self.generator.architecture.pixels(size):
            return picture
        return F.adaptive_avg_pool2d(picture, self.generator.architecture.pixels(size))


def _make_colours(rgb, style, levels) -> Colours:
    """Return how this toRGB draws maps; style [I] includes 1 / sqrt(I)."""
    factor, offset = levels
    limits = None if rgb.clamp is None else (offset - factor * rgb.clamp, offset + factor * rgb.clamp)
    weight, bias = tint(rgb.weight, style, rgb.bias, factor, offset)
    return Colours(weight, bias, limits, factor=factor)


def _make_source(noise="const", noise_strength=1.0, noise_seed=None) -> NoiseSource:
    return NoiseSource(noise, noise_strength, noise_seed)


class _Identity:
    """A tensor, equal to itself only."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __eq__(self, other):
        return isinstance(other, _Identity) and other.tensor is self.tensor


def _settings(bends):
    return tuple((b.name, b.channels, b.transform, tuple(b.settings.items()), b.mix, b.where, b.strength) for b in bends)
