"""Our frame time against StyleGAN2 as it is commonly published: eager, NCHW, weights modulated per sample and a grouped
convolution, transposed convolution followed by a two-dimensional FIR.

    python run_live.py bench naive --instrument config-f --size 1024 --seconds 60

Written from the formulas (SPEC.md A.1), and tested to give the same pictures. It runs in a process of its own, as it
would for whoever uses it, and takes turns with ours, frame by frame; both with the same number of threads.
"""
import json
import math
import subprocess
import sys
import time

import torch
from torch.nn import functional as F


def resample(x, kernel, up=1, pad=(0, 0)):
    """Zero-insertion, padding, FIR over each channel; x [N, C, H, W], kernel [4, 4]."""
    n, channels, height, width = x.shape
    if up > 1:
        x = x.reshape(n, channels, height, 1, width, 1)
        x = F.pad(x, [0, up - 1, 0, 0, 0, up - 1])
        x = x.reshape(n, channels, height * up, width * up)
    x = F.pad(x, [pad[0], pad[1], pad[0], pad[1]])
    return F.conv2d(x, kernel[None, None].repeat(channels, 1, 1, 1), groups=channels)


def modulated(x, weight, styles, demodulate, up, kernel):
    """x [N, I, H, W], weight [O, I, k, k] in correlation orientation, styles [N, I] -> [N, O, ...]."""
    n, inputs, height, width = x.shape
    outputs, size = weight.shape[0], weight.shape[2]
    w = weight[None] * styles[:, None, :, None, None]                               # [N, O, I, k, k]
    if demodulate:
        w = w * (w.square().sum(dim=[2, 3, 4], keepdim=True) + 1e-8).rsqrt()
    x = x.reshape(1, n * inputs, height, width)
    if up:
        w = w.flip([3, 4]).transpose(1, 2).reshape(n * inputs, outputs, size, size)
        x = F.conv_transpose2d(x, w, stride=2, groups=n)
        x = x.reshape(n, outputs, *x.shape[2:])
        return resample(x, kernel * 4, pad=(1, 1))
    x = F.conv2d(x, w.reshape(n * outputs, inputs, size, size), padding=size // 2, groups=n)
    return x.reshape(n, outputs, *x.shape[2:])


def dense(x, linear):
    return F.linear(x, linear.weight * (linear.lr_mul / math.sqrt(linear.weight.shape[1])), linear.bias * linear.lr_mul)


class Naive:
    """A generator's skip synthesis network, as commonly published. Takes its weights from ours."""

    def __init__(self, generator):
        self.generator = generator
        row = torch.tensor([1.0, 3.0, 3.0, 1.0], device=generator.device)
        self.kernel = torch.outer(row, row) / 64
        self.weights = {}
        for name in generator.layers:
            conv = generator.layer(name)
            self.weights[name] = (conv.weight.flip([2, 3]) if conv.up else conv.weight).contiguous()

    def styled(self, name, x, w):
        conv = self.generator.layer(name)
        x = modulated(x, self.weights[name], dense(w, conv.affine), True, conv.up, self.kernel)
        if conv.noise:
            x = x + conv.noise_const * conv.noise_strength
        x = F.leaky_relu(x + conv.bias[None, :, None, None], 0.2) * math.sqrt(2)
        return x if conv.clamp is None else x.clamp(-conv.clamp, conv.clamp)

    @torch.no_grad()
    def synthesize(self, ws, size=None):
        """ws [N, num_ws, W] -> [N, 3, H, W]."""
        g, picture = self.generator, None
        x = g.synthesis.b4.const[None].repeat(ws.shape[0], 1, 1, 1).contiguous()
        for j, r in enumerate(g.architecture.resolutions):
            if r > 4:
                x = self.styled(f"b{r}.conv0", x, ws[:, 2 * j - 1])
            x = self.styled(f"b{r}.conv1", x, ws[:, 2 * j])
            rgb = g.block(r).torgb
            styles = dense(ws[:, 2 * j + 1], rgb.affine) / math.sqrt(rgb.weight.shape[1])
            y = modulated(x, rgb.weight.contiguous(), styles, False, False, None) + rgb.bias[None, :, None, None]
            y = y if rgb.clamp is None else y.clamp(-rgb.clamp, rgb.clamp)
            picture = y if picture is None else resample(picture, self.kernel * 4, up=2, pad=(2, 1)) + y
            if r == size:
                break
        return picture

    def frame(self, z, size=None):
        """z [1, Z] -> uint8 [H, W, 3] in host memory."""
        with torch.no_grad():
            picture = self.synthesize(self.generator.map(z, psi=0.8), size)
        return (picture.permute(0, 2, 3, 1) * 127.5 + 128).clamp(0, 255).to(torch.uint8)[0].cpu().numpy()


class Other:
    """The naive network in a process of its own: call it for the milliseconds of one frame."""

    def __init__(self, instrument, size, threads, where):
        settings = json.dumps({"instrument": instrument, "size": size, "threads": threads, "device": where})
        self.process = subprocess.Popen([sys.executable, "-m", "tests.bench.naive", settings], cwd=_root(), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self) -> float:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def bench(options: dict) -> dict:
    """{"ours", "naive": figures, "ratio": of the medians, "ratio_of_least": of the fastest frames}."""
    from tests.bench import _common

    size = options.get("size")
    instrument = _common.open_instrument(options, size)
    walker = _common.Walker(instrument.scene())
    other = Other(options.get("instrument") or "presets/masks", size, torch.get_num_threads(), str(instrument.device))
    try:
        taken = _common.in_turns({"ours": lambda: instrument.render(*walker()) and None, "naive": other}, options.get("seconds") or 30.0)
    finally:
        other.close()
    rows = {name: _common.summary(values) for name, values in taken.items()}
    _common.show(rows)
    if options.get("plot"):
        _common.bars(options["plot"], {name: {"median": row["p50_ms"], "fastest": row["least_ms"]} for name, row in rows.items()}, "ms a frame")
    return rows | {"ratio": round(rows["naive"]["p50_ms"] / rows["ours"]["p50_ms"], 2),
                   "ratio_of_least": round(rows["naive"]["least_ms"] / rows["ours"]["least_ms"], 2),
                   "size": instrument.size, "machine": _common.machine()}


def _root():
    import pathlib

    return pathlib.Path(__file__).parents[2]


def _serve(settings):
    """Draw a frame for every line on stdin; say how many milliseconds it took."""
    from tests.bench import _common

    torch.set_num_threads(settings["threads"])
    naive = Naive(_common.network(settings["instrument"], settings["device"]))
    for n, _ in enumerate(sys.stdin):
        z = torch.randn(1, naive.generator.z_dim, generator=torch.Generator().manual_seed(n)).to(settings["device"])
        start = time.perf_counter()
        naive.frame(z, settings["size"])
        sys.stdout.write(f"{(time.perf_counter() - start) * 1000}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
