"""A frame as one captured program: synthesis, bends and 8-bit conversion over fixed buffers. For GPUs.

What changes from frame to frame is only written into buffers: ws, spliced features and random noise by copies on the
device, every bend's settings, noise strength and blackout as numbers in one block. What decides which kernels run is
the topology; each has its own program. Modulation and demodulation are done on the weights in float32, so half precision
sees rows of norm 1, never the styles themselves. Letters: I, O channels, H, W size, W in [num_ws, W] the width of w.
"""
import math
from dataclasses import replace
from functools import partial

import torch
from torch.nn import functional as F

from engine.bending import bend_both
from engine.bending.place import list_knobs
from engine.bends import TRANSFORMS
from engine.errors import UserError
from engine.fast.graphs import Programs
from engine.fast.kernels import channels_last
from engine.fast.layers import Styles, read_version
from engine.fast.operations import operations_for
from engine.fast.plumbing import Live, Outputs, make_machine
from engine.fast.splices import find_unused_layers, to_blends
from engine.fast.states import States
from engine.quality import enlarge

FP16_FROM = 64                      # px: blocks from here on are computed in half precision where it is asked for
FP16_SAFE = 8192.0                  # largest activation that half precision is trusted with
FP16_BOUND = 4 * FP16_SAFE          # where activations in half precision are clamped


class GraphRenderer:
    """Draws one generator at one size by captured programs. Batch 1, no gradients; agrees with Generator.synthesize (2e-5 in float32)."""

    def __init__(self, generator, size=None, half=False, ahead=0, machine=None, programs=None, shown=None):
        """shown: (height, width) that the picture is enlarged to; None = as it is drawn."""
        self.generator, self.size, self.half = generator, size or generator.resolution, half
        self.machine = machine or make_machine(generator.device)
        if half:
            self.machine.round_single()             # what lies below FP16_FROM: no more exact than what lies above
        self.programs = programs or Programs(self.machine)
        self.live = Live(self.machine)
        device, a = generator.device, generator.architecture
        self.operations = operations_for(device)
        self.ws = torch.zeros(a.num_ws, a.w_dim, device=device)
        if a.kind != "skip":
            raise UserError(f"architecture {a.kind!r}: only skip networks are captured")
        self.drawn = (*a.pixels(self.size), 3)
        self.shape = (*(shown or a.pixels(self.size)), 3)
        self.picture, self.scratch = (torch.zeros(math.prod(self.shape) + 1, dtype=torch.uint8, device=device) for _ in range(2))    # + whether it is broken
        self.outputs = Outputs(self.machine, self.picture, ahead)
        self.names = [n for n in generator.layers if a.resolution_of(n) <= self.size]
        self.convs = {n: generator.layer(n) for n in self.names}
        self.blocks = {r: generator.block(r) for r in a.resolutions if r <= self.size}
        self.steps = [(r, block, [n for n in self.names if a.resolution_of(n) == r]) for r, block in self.blocks.items()]
        self.rows = {n: 2 * list(a.resolutions).index(a.resolution_of(n)) - (n.endswith("0")) for n in self.names}
        self.noise = {n: torch.zeros(a.pixels(a.resolution_of(n)), device=device) for n in self.names}
        self.energies = {n: conv.energy().clone() for n, conv in self.convs.items()}
        self.biases = {n: conv.bias * conv.gain for n, conv in self.convs.items()}
        self.strengths = torch.zeros(len(self.names), device=device)            # of each layer's noise, gain included
        self._parameters = list(generator.parameters())
        self._asked = torch.zeros_like(self.ws)     # ws of the newest activations asked for
        self._reached: dict = {}                    # layer -> where a program puts those
        self.seen: dict = {}                        # layer that is watched -> its activations in the last picture
        self.splices, self.turn, self._seen, self._addresses = {}, 0, {}, None
        self.states, self.broken = States(), False  # broken: in the picture handed out last, bends gave numbers that are not finite
        self.live.names = {"strength": 0, "factor": 1, "offset": 2}

    def watch(self, layers):
        """Keep the activations of these layers, and of no others, in `seen` from the next picture on."""
        a, device = self.generator.architecture, self.generator.device
        shapes = {name: (1, self.generator.channels(name), *a.pixels(a.resolution_of(name))) for name in layers if name in self.names}
        self.seen = {name: torch.zeros(shape, device=device) for name, shape in shapes.items()}
        self.programs.forget()                      # those that wrote to others

    def restart(self):
        """Hand out the next frame itself, not the one before it: pictures of before a pause are not to be seen any more."""
        self.outputs.restart(self.turn)

    @torch.no_grad()
    def frame(self, ws, noise="const", bends=(), splice=None, noise_strength=1.0, noise_seed=None, levels=(127.5, 128.0)):
        """Return the picture of ws [1, num_ws, W] as uint8 [H, W, 3] on the CPU, valid until three frames later; options as elsewhere."""
        splice = {name: blend for name, blend in to_blends(splice).items() if name in self.names}
        bends = [b for b in bends if b.layer in self.names]
        bent = tuple((b.name if b.memory else "", b.layer, b.channels, b.transform, b.where, b.strength == 1, self._static_settings(b)) for b in bends)
        topology = (noise, self.generator.around, tuple(self.seen), bent, _splice_topology(splice))
        self.machine.run(lambda: self._draw(topology, ws, noise, bends, splice, noise_seed,
                                            {"strength": noise_strength, "factor": levels[0], "offset": levels[1]}))
        self.turn += 1
        self.broken = bool(self.fetched[-1])
        return self.fetched[:-1].view(self.shape)

    @torch.no_grad()
    def activations(self, ws, layer):
        """Return a layer's activations [1, C, H, W] for ws [1, num_ws, W], with nothing but the constant noise in them: by a program of their own."""
        around = self.generator.around
        out = self._reached.setdefault(layer, torch.zeros(1, self.generator.channels(layer), *self.convs[layer].size, device=self.ws.device))
        self.machine.run(lambda: self._ask(ws, ("activations", layer, around), lambda: self._reach(layer, around, out),
                                           lambda: self._reach(layer, around, torch.empty_like(out))))
        return out.clone()

    def _ask(self, ws, topology, body, warm):
        self._follow_weights()
        self._asked.copy_(ws[0], non_blocking=True)
        self.programs.run(topology, body, warm)

    def _reach(self, layer, around, out):
        """Fill out with a layer's activations for the ws asked for. Captured, like _body()."""
        styles, strengths = dict(zip(self.names, self.styles.compute(self._asked))), dict(zip(self.names, self.strengths.unbind()))
        x = channels_last(self.blocks[4].const[None])
        for name in self.names[:self.names.index(layer) + 1]:
            x = self._layer(name, x.to(self._kind_of(name)), styles[name], self._maps(name, "const", strengths[name]), {}, around)
        out.copy_(x)

    def _static_settings(self, b):
        """Return the settings of a bend that decide which operations run, not just with which values."""
        wanted = TRANSFORMS[b.transform]
        turned = wanted.settings.keys() | list_knobs(b.where).keys()
        static = () if "other" in wanted.wants else wanted.static                   # a seed's activations are in a buffer
        return tuple(sorted((k, v) for k, v in b.settings.items() if k not in turned or k in static or isinstance(v, str)))

    def _draw(self, topology, ws, noise, bends, splice, seed, values):
        """Give one frame's work to the device: inputs, program, and the copy back."""
        with self.machine.mark_range("inputs"):
            self._follow_weights()
            bends, numbers = self._live_bends(bends)
            bends, aside, uncaptured = self._place_states(bends)
            for name, blend in splice.items():
                self.live.add(("splice", name))
                numbers["splice", name] = blend.mix
            self.live.send(values | numbers, self.turn)
            self.ws.copy_(ws[0], non_blocking=True)
            for name, features in ((name, blend.features) for name, blend in splice.items()):
                known = self.splices.get(name)
                if known is None or known.shape != features.shape:
                    self.splices[name] = channels_last(features.to(self.ws.device, torch.float32).clone())
                    if known is not None:                        # of a new one no program has read: its topology is new as well
                        self.programs.forget()
                self.splices[name].copy_(features, non_blocking=True)
            if noise == "random":
                self._draw_noise(seed)
        with self.machine.mark_range("network"):
            rest = _splice_topology(splice), self.generator.around, dict(self.seen)     # as they are now: a capture comes later
            if uncaptured:
                self._body(noise, uncaptured, *rest, self.picture)
            else:
                self.programs.run(topology, lambda: self._body(noise, bends, *rest, self.picture), lambda: self._body(noise, aside, *rest, self.scratch))
        with self.machine.mark_range("fetch"):
            self.fetched = self.outputs.fetch(self.picture, self.turn)

    def _place_states(self, bends):
        """Return the bends with what they keep in buffers: to be captured, to warm up with, and to draw a first frame with, or None."""
        if self.states.full:
            self.programs.forget()
            self.states.clear()
        rows: tuple[list, list, list] = ([], [], [])
        begins = False
        for b in bends:
            if b.memory is None:
                states: tuple = (None, None, None)
            else:
                states = self.states.place(b, self._empty_maps(b.layer))
            begins = begins or states[2] is not None
            for row, state in zip(rows, (states[0], states[1], states[2] or states[0])):
                row.append(replace(b, memory=state))
        return rows[0], rows[1], rows[2] if begins else None

    def _empty_maps(self, layer):
        """Return a tensor of a layer's shape and kind that takes no room, on the renderer's device."""
        return torch.zeros((), dtype=self._kind_of(layer), device=self.ws.device).expand(1, self.generator.channels(layer), *self.convs[layer].size)

    def _kind_of(self, layer):
        """Return the dtype that a layer's maps are computed in."""
        return torch.float16 if self.half and self.generator.architecture.resolution_of(layer) >= FP16_FROM else torch.float32

    def _live_bends(self, bends):
        """Return the bends with 0-d tensors for what can be turned, and {name in the live block: value now}."""
        placed: list = []
        numbers: dict = {}
        for i, b in enumerate(bends):
            own = TRANSFORMS[b.transform]
            settings = {n: p.default for n, p in (own.settings | list_knobs(b.where)).items()} | b.settings
            fixed = {*dict(self._static_settings(b)), *own.static}
            turned = {k: v for k, v in settings.items() if k not in fixed and not isinstance(v, str)}
            tensors = {k: self.live.add((i, n)) for n, k in enumerate(turned)}      # bends of other kinds have had these places
            numbers |= {(i, n): float(v) for n, v in enumerate(turned.values())} | {(i, "mix"): float(b.mix)}
            made = b.with_values(tensors, self.live.add((i, "mix")), b.memory)
            if b.strength != 1:
                numbers[i, "strength"] = float(b.strength)
                made = replace(made, strength=self.live.add((i, "strength")))
            placed.append(made)
        return placed, numbers

    def _draw_noise(self, seed):
        source = torch.Generator(self.ws.device)
        source.seed() if seed is None else source.manual_seed(seed)
        for name, conv in self.convs.items():
            if conv.noise:
                self.noise[name].normal_(generator=source)

    def _follow_weights(self):
        """Follow the weights: where one was written to, update what was made of it in place; where one has moved, drop all captured programs."""
        moved = tuple(p.data_ptr() for p in self._parameters)
        if moved != self._addresses:
            self._addresses = moved
            self.programs.forget()
            affines = [(conv.affine, self.rows[n], 1.0) for n, conv in self.convs.items()]
            rgbs = [(block.torgb, 2 * i + 1) for i, block in enumerate(self.blocks.values())]
            self.styles = Styles(affines + [(rgb.affine, row, rgb.weight.shape[1] ** -0.5) for rgb, row in rgbs])
        for place, (name, conv) in enumerate(self.convs.items()):
            now = read_version(conv.weight, conv.bias, conv.noise_strength if conv.noise else None)
            if now != self._seen.get(name):
                torch.sum(conv.weight.square(), (2, 3), out=self.energies[name])
                torch.mul(conv.bias, conv.gain, out=self.biases[name])
                if conv.noise:
                    self.strengths[place] = conv.noise_strength * conv.gain
                self._seen[name] = now
        self.styles.refresh()

    @torch.no_grad()
    def _body(self, noise, bends, spliced, around, seen, out):
        """Draw one frame into `out`. This is what is captured: it reads and writes buffers only, and branches on the topology only."""
        shown, broken = out[:-1].view(self.shape), out[-1]
        pixels = shown if self.drawn == self.shape else torch.empty(self.drawn, dtype=torch.uint8, device=out.device)
        doubts: list = []
        made, strengths = self.styles.compute(self.ws), dict(zip(self.names, (self.strengths * self.live.add("strength")).unbind()))
        styles, rgb_styles = dict(zip(self.names, made)), dict(zip(self.blocks, made[len(self.names):]))
        x, picture, last = channels_last(self.blocks[4].const[None]), None, self.steps[-1][0]
        spliced = dict(spliced)
        unused = find_unused_layers(self.names, {name for name, whole in spliced.items() if whole})
        for r, block, names in self.steps:
            x = x.to(self._kind_of(names[-1]))
            for name in (n for n in names if n not in unused):
                x = self._layer(name, x, styles[name], self._maps(name, noise, strengths[name]), spliced, around)
                here = [b for b in bends if b.layer == name]
                x, picture = self._apply_bends(x, picture, here, doubts) if here else (x, picture)
                if name in seen:
                    seen[name].copy_(x)
            rgb = block.torgb
            given = x, rgb.weight[:, :, 0, 0] * rgb_styles[r], rgb.bias
            if r < last:
                picture = self.operations.add_rgb(*given, rgb.clamp, picture, around)
            else:
                self.operations.finish_rgb(*given, (self.live.add("factor"), self.live.add("offset")), pixels, rgb.clamp, picture, around)
        if pixels is not shown:
            enlarge(pixels, shown)
        broken.copy_(torch.stack(doubts).sum().isfinite().logical_not()) if doubts else broken.zero_()

    def _apply_bends(self, x, picture, bends, doubts):
        """Return x and the picture with the layer's bends; in half precision, numbers that it can't hold are clamped, so that they don't spoil the picture.

        doubts: a list that gets a number [] which is finite if all in x are, where nothing is clamped.
        """
        x, picture = bend_both(x, picture, bends, owned=True)
        if x.dtype == torch.float16:
            return x.nan_to_num(0.0, FP16_SAFE, -FP16_SAFE).clamp_(-FP16_SAFE, FP16_SAFE), picture
        doubts.append(x.sum())
        return x, picture

    def _layer(self, name, x, styles, noise, spliced, around):
        """Return the activations of one styled convolution. spliced: {name: whether the given features take all of its place}."""
        conv, given = self.convs[name], None
        if name in spliced:
            given = self._activate(name, (self.splices[name] * conv.gain).to(x.dtype), noise)
            if spliced[name]:
                return given
        weight = self.operations.modulate(conv.weight, self.energies[name], styles, conv.gain, x.dtype, conv.up)
        activate, r = partial(self._convolve, name, weight), self.generator.architecture.resolution_of(name)
        own = activate(x, noise) if around is None else around.draw(r, conv.up, x, noise, activate)
        return own if given is None else torch.lerp(own, given, self.live.add(("splice", name)).to(own.dtype))

    def _convolve(self, name, weight, x, noise):
        """Return the activations of any part x [1, I, h, w] of a layer's input, with noise as _maps() gives it."""
        if self.convs[name].up:
            return self._activate(name, F.conv_transpose2d(x, weight, stride=2), noise, self.operations.fir_act)
        return self._activate(name, F.conv2d(x, weight, padding=1), noise)

    def _maps(self, name, noise, strength):
        """Return a layer's noise maps [H, W] and their strength [], or None."""
        conv = self.convs[name]
        if not conv.noise or noise == "none":
            return None
        return conv.noise_const if noise == "const" else self.noise[name], strength

    def _activate(self, name, y, noise, finish=None):
        """Return y [1, O, h, w] with bias and noise, activated; the gain is in y, which may be written to. finish: fir_act() where the FIR is still to come."""
        bound = self.convs[name].clamp
        bound = FP16_BOUND if bound is None and y.dtype == torch.float16 else bound
        if finish:
            return finish(y, self.biases[name], *(noise or (None, None)), bound)
        return self.operations.bias_noise_act(y, None, self.biases[name], *(noise or (None, None)), bound)


def _splice_topology(splice) -> tuple:
    """Return the part of the topology that splices decide: (layer, whether its own convolution has no part), each."""
    return tuple((name, blend.mix >= 1) for name, blend in splice.items())
