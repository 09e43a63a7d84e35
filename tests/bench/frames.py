"""Frames a second: picture sizes x {plain, 4 bends, 2 edits, encoder}, the naive baseline, the machine's convolution limit.

    python run_live.py bench frames --seconds 60
    python run_live.py bench frames --instrument config-f --size 1024 --seconds 120 --plot frames.png

Frames are drawn in the numbers that a show would draw them in (`precision`: half precision where it is faster and does no visible harm).
Everything takes turns, frame by frame, so ratios hold on a machine that is busy as well. Each frame's walk has moved,
so nothing can be shown again. `edits`: the strengths of two edits move before every frame, as in a fade, and their layers'
weights are written in place. `encoder`: a new picture every frame, the encoder's own time included. Both are the
instrument's own where it has such, else made up for the bench.
`share_of_limit`: the multiply-adds of the network's convolutions, at the rate of one large 3x3 convolution measured in
between, over the frame time. `cpu_ms`: processor time a frame, over all threads: hardly moved by other processes.
"""
import copy
import itertools
import time

import torch

from engine.bending import Bend
from engine.fast import levels
from engine.fast.precision import choose_precision
from live.show.clock import measure_cost
from tests.bench import _common
from tests.bench.naive import Other

SIZES = (256, 512, 1024)
BENT = (("scale", {"factor": 1.3}), ("rotate", {"angle": 20.0}), ("translate", {"right": 0.1}), ("scalar_multiply", {"factor": 1.5}))


def bench(options: dict) -> dict:
    """{part: figures, ...}; see the module's docstring. options: instrument, size, seconds, device, threads, plot."""
    first = _common.open_instrument(options)
    folder = _common.ROOT / (options.get("instrument") or "presets/masks")
    network = first.generator
    sizes = [options["size"]] if options.get("size") else [s for s in SIZES if s <= network.resolution] or [network.resolution]
    parts = {}
    precision = choose_precision(network, "auto", sizes[-1], measure_cost)
    for size in sizes:
        parts |= _parts(network, size, folder, precision)
    convolve, products = _common.limit(first.device)
    parts["limit"] = convolve
    others = {s: Other(options.get("instrument") or "presets/masks", s, torch.get_num_threads(), str(first.device)) for s in sizes}
    parts |= {f"naive {s}": other for s, other in others.items()}
    spent = {}
    try:
        taken = _common.in_turns({name: _counted(name, part, spent) for name, part in parts.items()}, options.get("seconds") or 30.0)
    finally:
        for other in others.values():
            other.close()
    figures = _figures(network.architecture, sizes, taken, spent, products)
    _common.show({name: row for name, row in figures.items() if isinstance(row, dict)})
    if options.get("plot"):
        kinds = ("plain", "4 bends", "2 edits", "encoder", "naive")
        _common.bars(options["plot"], {f"{s} px": {k: figures[f"{k} {s}"]["fps"] for k in kinds} for s in sizes}, "frames a second")
    return figures | {"precision": precision, "machine": _common.machine()}


def _parts(network, size, folder, precision):
    """{"plain 512": a function that draws the next frame so, ...}"""
    from engine.instrument import Instrument

    plain, bent = (Instrument(network, size) for _ in range(2))
    edits = edits_for(network, folder)
    edited = Instrument(copy.deepcopy(network), size, edits=edits)           # its weights are written to, and others share theirs
    for instrument in (plain, bent, edited):
        instrument.use_precision(precision)
    walkers = [_common.Walker(plain.scene()), _common.Walker(bent.scene(bends_for(network, size))), _common.Walker(edited.scene())]
    strengths = itertools.cycle(n / 10 for n in range(1, 11))

    def with_edits():
        walkers[2].scene = walkers[2].scene.set_values(dict.fromkeys((f"/edits/{e.name}/strength" for e in edits), next(strengths)))
        edited.render(*walkers[2]())

    return {f"plain {size}": lambda: plain.render(*walkers[0]()) and None, f"4 bends {size}": lambda: bent.render(*walkers[1]()) and None,
            f"2 edits {size}": with_edits, f"encoder {size}": encoded(network, size, folder, precision)}


def bends_for(network, size):
    """Four bends, each of half the channels of a middle or fine layer."""
    layers = [name for name in network.layers if 16 <= network.architecture.resolution_of(name) <= size and name.endswith("conv1")][:4]
    return tuple(Bend(f"bend{i}", layer, tuple(range(0, network.channels(layer), 2)), transform, settings)
                 for i, (layer, (transform, settings)) in enumerate(zip(layers, BENT)))


def edits_for(network, folder):
    """Two edits: the instrument's own, or made up of rank one in middle layers where it has none."""
    from engine.rewriting import Edit, load

    own = [load(path) for path in sorted((folder / "edits").glob("*.safetensors"))[:2]]
    if len(own) == 2:
        return own
    random, found = torch.Generator().manual_seed(0), []
    for n, layer in enumerate(name for name in network.layers if name in ("b16.conv1", "b32.conv0")):
        outputs, inputs, *window = network.weights(layer).shape
        found.append(Edit(f"edit{n}", layer, torch.randn(1, inputs, generator=random) / inputs, torch.randn(1, outputs, *window, generator=random)))
    return found


def encoder_for(network, folder):
    """The instrument's own encoder, or a fresh one of the live kind: as fast, and sees nothing."""
    from engine import encoder

    path = folder / "encoder.safetensors"
    found = encoder.load(path, network) if path.exists() else encoder.Encoder.fresh(network, "b16.conv1")
    return found.to(network.device).eval().requires_grad_(False)


def encoded(network, size, folder, precision="fp32"):
    """Draws frames of pictures that an encoder looks at, a new one each time."""
    from engine.fast import Synthesis
    from engine.instrument import Instrument
    from engine.latents import Latents

    scene = Instrument(network, size).scene()
    encoder, latents, walker = encoder_for(network, folder), Latents(network), _common.Walker(scene)
    synthesis = Synthesis(network, half=precision == "bf16")
    out = torch.empty(*network.architecture.pixels(size), 3, dtype=torch.uint8)
    pictures = itertools.cycle(torch.rand(4, 1, 3, *encoder.size).to(network.device) * 2 - 1)

    @torch.no_grad()
    def draw():
        features = encoder(next(pictures))
        synthesis.draw(out, latents.ws(*walker()), size=size, splice={encoder.layer: features}, levels=levels())

    return draw


def _counted(name, part, spent):
    """The part, adding up the processor time of this process in `spent`."""
    def run():
        start = time.process_time()
        own = part()
        spent.setdefault(name, []).append((time.process_time() - start) * 1000)
        return own

    return run


def _figures(architecture, sizes, taken, spent, products):
    least = min(taken["limit"])
    rate = products / least                             # multiply-adds a millisecond
    figures = {}
    for size in sizes:
        naive = _common.summary(taken[f"naive {size}"])
        for kind in ("plain", "4 bends", "2 edits", "encoder"):
            name = f"{kind} {size}"
            row = _common.summary(taken[name]) | {"cpu_ms": round(_common.percentile(spent[name][2:], 50), 2)}
            row["times_naive"] = round(naive["p50_ms"] / row["p50_ms"], 2)
            row["share_of_limit"] = round(_common.multiplications(architecture, size) / rate / row["least_ms"], 2)
            figures[name] = row
        figures[f"naive {size}"] = naive
    figures["limit"] = _common.summary(taken["limit"])
    figures["limit_gflops"] = round(2 * rate / 1e6, 1)
    return figures
