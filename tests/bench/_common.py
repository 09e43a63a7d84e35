"""What the benches share: networks to measure, moments to draw, timing in turns, tables, plots."""
import gc
import pathlib
import statistics
import sys
import time
from dataclasses import replace

import torch

from engine import checkpoints, device
from engine.architecture import Architecture
from engine.generator import Generator
from engine.instrument import Instrument
from engine.motion import Motion

ROOT = pathlib.Path(__file__).parents[2]
BUILT_IN_SHAPE = Architecture(resolution=1024, z_dim=64, w_dim=128, mapping_layers=4,
                              channels={4: 128, 8: 128, 16: 128, 32: 128, 64: 64, 128: 32, 256: 16, 512: 8, 1024: 4})
TINY = Architecture(resolution=64, z_dim=16, w_dim=16, mapping_layers=2, channels={4: 8, 8: 8, 16: 8, 32: 8, 64: 4})       # drawn in a few milliseconds
SHAPES = {"config-f": Architecture(), "built-in": BUILT_IN_SHAPE, "tiny": TINY}
FPS = 30


def network(name: str, where="cpu") -> Generator:
    """A checkpoint, an instrument's folder, or one of SHAPES with random weights."""
    if name in SHAPES:
        return random_network(SHAPES[name]).to(where)
    from live.instrument import folder as instruments

    return checkpoints.load(instruments.find(name).generator, where)


def random_network(architecture) -> Generator:
    """Random weights, always the same, with noise that shows; channels last, as checkpoints are loaded."""
    torch.manual_seed(1)
    generator = Generator(architecture).eval().requires_grad_(False)
    with torch.no_grad():
        for name, tensor in generator.state_dict().items():
            if name.endswith("noise_strength"):
                tensor.fill_(0.1)
        generator.w_avg.copy_(generator.mapping(torch.randn(512, generator.z_dim)).mean(0))
    for parameter in generator.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return generator


def open_instrument(options, size=None) -> Instrument:
    """The instrument that the options name, ready to draw."""
    device.use_threads(options.get("threads"))
    where = device.choose(options.get("device"))
    return Instrument(network(options.get("instrument") or "presets/masks", where), size or options.get("size"))


class Walker:
    """Moments of a walk at 30 fps: call it for the next (scene, motion)."""

    def __init__(self, scene, **values):
        self.scene = scene.set_values({"/walk/kind": "wander", **values})
        self.motion = Motion().advance(self.scene, 0.0)

    def __call__(self):
        self.motion = self.motion.advance(self.scene, 1 / FPS)
        return self.scene, self.motion


def in_turns(parts: dict, seconds: float, warm=2) -> dict:
    """Run the parts one after the other, again and again: {name: milliseconds of each turn}. Ratios of it can be trusted
    on a machine that is busy with something else, absolute figures cannot. A part may return its own milliseconds."""
    taken = {name: [] for name in parts}
    for name, part in parts.items():
        for _ in range(warm):
            part()
    gc.collect()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(taken.values()))) < 3:
        for name, part in parts.items():
            start = time.perf_counter()
            own = part()
            taken[name].append(own if isinstance(own, float) else (time.perf_counter() - start) * 1000)
    return taken


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]


def summary(milliseconds) -> dict:
    median = statistics.median(milliseconds)
    return {"fps": round(1000 / median, 2), "p50_ms": round(median, 2), "p99_ms": round(percentile(milliseconds, 99), 2),
            "least_ms": round(min(milliseconds), 2), "frames": len(milliseconds)}


def multiplications(architecture, size=None) -> int:
    """Multiply-adds of the convolutions of one picture; a transposed one counts its products, no zeros."""
    total, a = 0, architecture
    for r in a.resolutions:
        if size is not None and r > size:
            break
        pixels, here = a.pixels(r)[0] * a.pixels(r)[1], a.channels[r]
        total += 9 * here * here * pixels + 3 * here * pixels
        if r > 4:
            total += 9 * here * a.channels[r // 2] * pixels // 4
    return total


def limit(device="cpu"):
    """(a part for in_turns, its multiply-adds): a large 3x3 convolution, as fast as this machine does them; on a GPU in half precision, as networks there."""
    cuda = torch.device(device).type == "cuda"
    kind = torch.float16 if cuda else torch.float32
    x = torch.randn(1, 128, 128, 128).contiguous(memory_format=torch.channels_last).to(device, kind)
    weight = torch.randn(128, 128, 3, 3).contiguous(memory_format=torch.channels_last).to(device, kind)

    @torch.no_grad()
    def convolve():
        torch.nn.functional.conv2d(x, weight, padding=1)
        if cuda:
            torch.cuda.synchronize(device)

    return convolve, 9 * 128 * 128 * 128 * 128


def machine() -> dict:
    """What the figures were taken on."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), sys.platform)
    return {"cpu": name, "threads": torch.get_num_threads(), "torch": torch.__version__,
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None}


def table(rows: dict) -> str:
    """{name: {column: value}} as text."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [["", *columns]] + [[name, *(str(row.get(column, "")) for column in columns)] for name, row in rows.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))) + "\n"
                   for line in lines)


def show(rows: dict):
    """The table on stderr, so that stdout stays JSON."""
    sys.stderr.write(table(rows))


def bars(path, groups: dict, about: str):
    """{group: {name: value}} as a picture of bars."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(name for row in groups.values() for name in row))
    figure, axes = pyplot.subplots(figsize=(8, 4))
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        axes.bar([n + i * width for n in range(len(groups))], [row.get(name, 0.0) for row in groups.values()], width * 0.94, label=name)
    axes.set_xticks([n + 0.4 - width / 2 for n in range(len(groups))], list(groups))
    axes.set_ylabel(about)
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")


def smaller(architecture, size):
    """The same shape, ended at a lower resolution."""
    return replace(architecture, resolution=size, channels={r: c for r, c in architecture.channels.items() if r <= size})
