"""A frame as one captured program: synthesis, bends and 8-bit conversion over fixed buffers. For GPUs.

What changes from frame to frame is only written into buffers: ws, spliced features and random noise by copies on the
device, every bend's settings, noise strength and blackout as numbers in one block. What decides which kernels run is
the topology; each has its own program. Modulation and demodulation are done on the weights in float32, so half precision
sees rows of norm 1, never the styles themselves. Letters: I, O channels, H, W size, W in [num_ws, W] the width of w.
"""
from dataclasses import replace
from functools import partial

import torch
from torch.nn import functional as F

from engine.bending import bend_both
from engine.bending.place import knobs_of
from engine.bends import TRANSFORMS
from engine.errors import UserError
from engine.fast.graphs import Programs
from engine.fast.kernels import channels_last
from engine.fast.layers import Styles, version_of
from engine.fast.plumbing import Live, Outputs, machine_for
from engine.fast.splices import to_blends, unused_layers
from engine.generator import EPS, fir

FP16_FROM = 64                      # px: blocks from here on are computed in half precision where it is asked for
FP16_SAFE = 8192.0                  # largest activation that half precision is trusted with
FP16_BOUND = 4 * FP16_SAFE          # where activations in half precision are clamped


class GraphRenderer:
    """Draws one generator at one size by captured programs. Batch 1, no gradients; agrees with Generator.synthesize (2e-5 in float32)."""

    def __init__(self, generator, size=None, half=False, ahead=0, machine=None, programs=None):
        self.generator, self.size, self.half = generator, size or generator.resolution, half
        self.machine = machine or machine_for(generator.device)
        self.programs = programs or Programs(self.machine)
        self.live = Live(self.machine)
        device, a = generator.device, generator.architecture
        from engine.fast.fused import bias_noise_act_for  # brings Triton, which other devices need not wait for

        self.bias_noise_act = bias_noise_act_for(device)
        self.ws = torch.zeros(a.num_ws, a.w_dim, device=device)
        if a.kind != "skip":
            raise UserError(f"architecture {a.kind!r}: only skip networks are captured")
        self.picture, self.scratch = (torch.zeros(*a.pixels(self.size), 3, dtype=torch.uint8, device=device) for _ in range(2))
        self.lows = {kind: fir(4, device, kind)[None, None] for kind in (torch.float32, torch.float16)}
        self.outputs = Outputs(self.machine, self.picture, ahead)
        self.names = [n for n in generator.layers if a.resolution_of(n) <= self.size]
        self.convs = {n: generator.layer(n) for n in self.names}
        self.blocks = {r: generator.block(r) for r in a.resolutions if r <= self.size}
        self.steps = [(r, block, [n for n in self.names if a.resolution_of(n) == r]) for r, block in self.blocks.items()]
        self.rows = {n: 2 * list(a.resolutions).index(a.resolution_of(n)) - (n.endswith("0")) for n in self.names}
        self.noise = {n: torch.zeros(a.pixels(a.resolution_of(n)), device=device) for n in self.names}
        self.energies = {n: conv.energy().clone() for n, conv in self.convs.items()}
        self.seen: dict = {}                        # layer that is watched -> its activations in the last picture
        self.splices, self.turn, self._seen, self._addresses = {}, 0, {}, None
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
        bent = tuple((b.layer, b.channels, b.transform, b.where, b.strength == 1, self._static_settings(b)) for b in bends)
        topology = (noise, self.generator.around, tuple(self.seen), bent, _splice_topology(splice))
        self.machine.run(lambda: self._draw(topology, ws, noise, bends, splice, noise_seed,
                                            {"strength": noise_strength, "factor": levels[0], "offset": levels[1]}))
        result = self.fetched
        self.turn += 1
        return result

    def _static_settings(self, b):
        """Return the settings of a bend that decide which operations run, not just with which values."""
        wanted = TRANSFORMS[b.transform]
        turned = wanted.settings.keys() | knobs_of(b.where).keys()
        return tuple(sorted((k, v) for k, v in b.settings.items() if k not in turned or k in wanted.static or isinstance(v, str)))

    def _draw(self, topology, ws, noise, bends, splice, seed, values):
        """Give one frame's work to the device: inputs, program, and the copy back."""
        with self.machine.named("inputs"):
            self._follow_weights()
            bends, numbers = self._live_bends(bends)
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
        with self.machine.named("network"):
            body = partial(self._body, noise, bends, _splice_topology(splice), self.generator.around, dict(self.seen))     # a capture comes later
            if any(b.memory is not None for b in bends):            # it leaves tensors behind that a program can't follow
                body(self.picture)
            else:
                self.programs.run(topology, lambda: body(self.picture), lambda: body(self.scratch))
        with self.machine.named("fetch"):
            self.fetched = self.outputs.fetch(self.picture, self.turn)

    def _live_bends(self, bends):
        """Return the bends with 0-d tensors for what can be turned, and {name in the live block: value now}."""
        placed: list = []
        numbers: dict = {}
        for i, b in enumerate(bends):
            own = TRANSFORMS[b.transform]
            settings = {n: p.default for n, p in (own.settings | knobs_of(b.where)).items()} | b.settings
            fixed = {*dict(self._static_settings(b)), *own.static}
            turned = {k: v for k, v in settings.items() if k not in fixed and not isinstance(v, str)}
            tensors = {k: self.live.add((i, n)) for n, k in enumerate(turned)}      # bends of other kinds have had these places
            numbers |= {(i, n): float(v) for n, v in enumerate(turned.values())} | {(i, "mix"): float(b.mix)}
            made = b.at(tensors, self.live.add((i, "mix")), b.memory)
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
                self.noise[name].copy_(torch.randn(self.noise[name].shape, generator=source, device=self.ws.device))

    def _follow_weights(self):
        """Follow the weights: where one was written to, update its energy in place; where one has moved, drop all captured programs."""
        moved = tuple(p.data_ptr() for p in self.generator.parameters())
        if moved != self._addresses:
            self._addresses = moved
            self.programs.forget()
            affines = [(conv.affine, self.rows[n], 1.0) for n, conv in self.convs.items()]
            rgbs = [(block.torgb, 2 * i + 1) for i, block in enumerate(self.blocks.values())]
            self.styles = Styles(affines + [(rgb.affine, row, rgb.weight.shape[1] ** -0.5) for rgb, row in rgbs])
        for name, conv in self.convs.items():
            now = version_of(conv.weight)
            if now != self._seen.get(name):
                self.energies[name].copy_(conv.weight.square().sum((2, 3)))
                self._seen[name] = now
        self.styles.refresh()

    @torch.no_grad()
    def _body(self, noise, bends, spliced, around, seen, out):
        """Draw one frame into `out`. This is what is captured: it reads and writes buffers only, and branches on the topology only."""
        made = self.styles.compute(self.ws)
        styles, rgb_styles = dict(zip(self.names, made)), dict(zip(self.blocks, made[len(self.names):]))
        x, picture = channels_last(self.blocks[4].const[None]), None
        spliced = dict(spliced)
        unused = unused_layers(self.names, {name for name, whole in spliced.items() if whole})
        for r, block, names in self.steps:
            kind = torch.float16 if self.half and r >= FP16_FROM else torch.float32
            x = x.to(kind)
            for name in (n for n in names if n not in unused):
                x = self._layer(name, x, styles[name], noise, spliced, around)
                here = [b for b in bends if b.layer == name]
                x, picture = self._apply_bends(x, picture, here) if here else (x, picture)
                if name in seen:
                    seen[name].copy_(x)
            weight = (block.torgb.weight * rgb_styles[r].view(1, -1, 1, 1)).to(kind)
            y = F.conv2d(x, weight).float() + block.torgb.bias.view(1, -1, 1, 1)
            y = y if block.torgb.clamp is None else y.clamp(-block.torgb.clamp, block.torgb.clamp)
            picture = y if picture is None else self._enlarged(picture, around) + y
        factor, offset = self.live.add("factor"), self.live.add("offset")
        levels = (picture * factor + offset).nan_to_num(0.0).clamp(0, 255)
        out.copy_(levels[0].permute(1, 2, 0))

    def _apply_bends(self, x, picture, bends):
        """Return x and the picture with the layer's bends; in half precision, numbers that it can't hold are clamped, so that they don't spoil the picture."""
        x, picture = bend_both(x, picture, bends, owned=True)
        x = x if x.dtype != torch.float16 else x.nan_to_num(0.0, FP16_BOUND, -FP16_BOUND).clamp_(-FP16_BOUND, FP16_BOUND)
        return x, picture

    def _enlarged(self, picture, around):
        """Return the skip picture at twice its size, with what lies around it."""
        return self._upsample(picture) if around is None else around.up_sample(picture, self._upsample)

    def _upsample(self, picture):
        """Return the skip picture at twice its size, as engine.generator.upsample does; the kernel is on the device already."""
        kernel = self.lows[picture.dtype].expand(3, 1, 4, 4)
        return F.conv_transpose2d(picture, kernel, stride=2, padding=1, groups=3)

    def _layer(self, name, x, styles, noise, spliced, around):
        """Return the activations of one styled convolution. spliced: {name: whether the given features take all of its place}."""
        conv, maps, given = self.convs[name], self._maps(name, noise), None
        if name in spliced:
            given = self._activate(name, (self.splices[name] * conv.gain).to(x.dtype), maps)
            if spliced[name]:
                return given
        scale = torch.rsqrt(self.energies[name] @ styles.square() + EPS) * conv.gain         # [O], the gain included
        weight = (conv.weight * (styles.view(1, -1, 1, 1) * scale.view(-1, 1, 1, 1))).to(x.dtype)
        activate, r = partial(self._convolve, name, weight), self.generator.architecture.resolution_of(name)
        own = activate(x, maps) if around is None else around.draw(r, conv.up, x, maps, activate)
        return own if given is None else torch.lerp(own, given, self.live.add(("splice", name)).to(own.dtype))

    def _convolve(self, name, weight, x, maps):
        """Return the activations of any part x [1, I, h, w] of a layer's input, with noise maps [H, W] or None."""
        if not self.convs[name].up:
            return self._activate(name, F.conv2d(x, weight, padding=1), maps)
        y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        kernel = self.lows[x.dtype].expand(y.shape[1], 1, 4, 4)
        return self._activate(name, F.conv2d(y, kernel, padding=1, groups=y.shape[1]), maps)

    def _maps(self, name, noise):
        """Return the noise maps of a layer, [H, W], or None."""
        conv = self.convs[name]
        if not conv.noise or noise == "none":
            return None
        return conv.noise_const if noise == "const" else self.noise[name]

    def _activate(self, name, y, maps):
        """Return y [1, O, H, W] with bias and noise maps [H, W], activated; y may be written to, and the gain is in it already."""
        conv, strength = self.convs[name], None
        if maps is not None:
            strength = conv.noise_strength * self.live.add("strength") * conv.gain
        bound = conv.clamp if conv.clamp is not None else FP16_BOUND if y.dtype == torch.float16 else None
        return self.bias_noise_act(y, None, conv.bias * conv.gain, maps, strength, bound)


def _splice_topology(splice) -> tuple:
    """Return the part of the topology that splices decide: (layer, whether its own convolution has no part), each."""
    return tuple((name, blend.mix >= 1) for name, blend in splice.items())


@torch.no_grad()
def half_is_safe(generator, seeds=8, psi=1.0) -> bool:
    """Return whether this checkpoint's activations stay small enough for half precision: measured, not assumed."""
    z = torch.randn(seeds, generator.z_dim, generator=torch.Generator().manual_seed(0)).to(generator.device)
    names = [n for n in generator.layers if generator.architecture.resolution_of(n) >= FP16_FROM]
    largest = 0.0
    for one in z:
        c = torch.eye(1, generator.c_dim, device=z.device) if generator.c_dim else None
        maps = generator.activations(generator.map(one[None], psi=psi, c=c), names)
        largest = max([largest, *(float(x.abs().max()) for x in maps.values())])
    return largest < FP16_SAFE
