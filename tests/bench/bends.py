"""What bends cost: eight bends on eight clusters across layers, over the same frames without them; each transform alone.

    python run_live.py bench bends --size 256 --seconds 20

The walk moves, so that every frame is drawn anew, and bent and plain frames take turns, so that a machine busy with
something else is busy for both. `ratio` is the median bent frame over the median plain one; `noise` is the same of plain
frames over plain ones: how far a ratio can be trusted. `best_ratio` is of the quickest
frames, which say more on a machine that has other work. `dry` has all eight at mix 0, and `same` whether its pictures are those of
a scene without bends, bit for bit. On a GPU a frame's copy to the host is part of its time; bends make none of their own:
`host_copies` counts tensors that bends brought to the host in one bent frame.
"""
import pathlib
import statistics
import sys
import time

SECONDS = 12.0
SHARE = "random:0.25:{}"                                        # of a layer's channels, where no cluster file is at hand
# transform, settings away from what changes nothing
EIGHT = (
    ("scalar_multiply", {"factor": 2.0}), ("rotate", {"angle": 20.0}), ("dilate", {"radius": 2}), ("translate", {"right": 0.1, "down": 0.05}),
    ("erode", {"radius": 1}), ("scale", {"factor": 1.3}), ("swirl", {"angle": 60.0, "radius": 0.5}), ("solarize", {"threshold": 1.0}),
)


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: instrument, size, seconds, device, threads, all optional."""
    instrument = _instrument(options)
    seconds = options.get("seconds") or SECONDS
    layers = _layers(instrument)
    bends = [_bend(instrument, f"b{n}", layer, t, settings, n) for n, (layer, (t, settings)) in enumerate(zip(layers, EIGHT))]
    plain = instrument.scene()
    dry = instrument.scene([_dry(b) for b in bends])
    same = all((_draw(instrument, plain, n)[1] == _draw(instrument, dry, n)[1]).all() for n in range(3))
    times = _in_turns(instrument, {"plain": plain, "bent": instrument.scene(bends), "dry": dry, "again": plain}, seconds / 2)
    figures = {name: round(statistics.median(values), 3) for name, values in times.items()}
    return {
        "size": instrument.size, "device": str(instrument.device), "layers": layers, "transforms": [t for t, _ in EIGHT],
        "channels": [len(b.channels) for b in bends], "frames": min(map(len, times.values())), "frame_ms": figures,
        "best_ms": {name: round(min(values), 3) for name, values in times.items()},
        "best_ratio": round(min(times["bent"]) / min(times["plain"]), 3),
        "ratio": round(figures["bent"] / figures["plain"], 3), "dry": round(figures["dry"] / figures["plain"], 3),
        "noise": round(figures["again"] / figures["plain"], 3), "same": same, "host_copies": _host_copies(instrument, bends),
        "alone_ms": _alone(instrument, layers, seconds / 2),
    }


def _instrument(options):
    import torch

    from engine import checkpoints
    from engine.errors import UserError
    from engine.instrument import Instrument
    from live.instrument import folder as instruments

    if options.get("threads"):
        torch.set_num_threads(options["threads"])
    found = instruments.find(options.get("instrument") or instruments.BUILT_IN)
    generator = checkpoints.load(found.generator, options.get("device") or "cpu")
    path = pathlib.Path(found.folder) / "clusters.yaml"
    loaded = None
    if path.exists():
        from engine import clusters

        try:
            loaded = clusters.load(path, generator)
        except UserError as error:
            sys.stderr.write(f"{error}; channels are drawn by lot\n")
    return Instrument(generator, options.get("size"), loaded)


def _layers(instrument):
    """Eight layers spread over those of the rendered size but the first and the last."""
    there = [name for name in instrument.generator.layers if instrument.generator.architecture.resolution_of(name) <= instrument.size][1:]
    return [there[n * (len(there) - 1) // 7] for n in range(8)]


def _bend(instrument, name, layer, transform, settings, n):
    channels = SHARE.format(n)
    if instrument.clusters is not None and layer in instrument.clusters:
        channels = "cluster:" + list(instrument.clusters[layer])[n % len(instrument.clusters[layer])]
    return instrument.bend({"name": name, "layer": layer, "channels": channels, "transform": transform, "settings": settings})


def _dry(bend):
    from dataclasses import replace

    return replace(bend, mix=0.0)


def _draw(instrument, scene, n):
    """(milliseconds, pixels) of the n-th frame of a walk."""
    from engine.motion import Motion

    motion = Motion(walk=n * 0.01, frame=n).advance(scene, 0.01)
    start = time.perf_counter()
    pixels = instrument.render(scene, motion).pixels
    return (time.perf_counter() - start) * 1000, pixels.copy()


def _in_turns(instrument, scenes, seconds):
    times = {name: [] for name in scenes}
    end = time.perf_counter() + seconds
    n = 0
    while time.perf_counter() < end or n < 6:
        for name, scene in scenes.items():
            milliseconds = _draw(instrument, scene, n)[0]
            if n > 1:                                           # the first ones make what is kept
                times[name].append(milliseconds)
        n += 1
    return times


def _alone(instrument, layers, seconds):
    """{transform: milliseconds of it alone, once in each of the eight layers}, a quarter of the channels, by lot."""
    import torch

    from engine.bending import bend
    from engine.bends import TRANSFORMS

    g = instrument.generator
    with torch.no_grad():
        x = g.activations(g.map(torch.randn(1, g.z_dim, generator=torch.Generator().manual_seed(0)).to(g.device)), set(layers))
        found = {}
        for name, transform in sorted(TRANSFORMS.items()):
            settings = {k: p.plain(0.6) for k, p in transform.settings.items()}
            bends = [instrument.bend({"name": name, "layer": layer, "channels": SHARE.format(n), "transform": name, "settings": settings})
                     for n, layer in enumerate(layers)]
            best, end = float("inf"), time.perf_counter() + seconds / len(TRANSFORMS)
            while time.perf_counter() < end or best == float("inf"):
                start = time.perf_counter()
                for b in bends:
                    bend(x[b.layer], [b], owned=True)
                if g.device.type == "cuda":
                    torch.cuda.synchronize()
                best = min(best, (time.perf_counter() - start) * 1000)
            found[name] = round(best, 3)
    return found


def _host_copies(instrument, bends):
    """Tensors brought to the host by the bends of one frame: calls of what does so, while a transform runs."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    from engine.bending import bend

    class Watch(TorchDispatchMode):
        found = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.found += "_local_scalar_dense" in str(function) or "_to_copy" in str(function) and str((kwargs or {}).get("device")) == "cpu"
            return function(*args, **(kwargs or {}))

    g = instrument.generator
    with torch.no_grad(), Watch() as watch:
        for b in bends:
            side = g.architecture.pixels(g.architecture.resolution_of(b.layer))
            bend(torch.zeros(1, g.channels(b.layer), *side, device=g.device), [b], owned=True)
    return watch.found
