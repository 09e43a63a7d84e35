"""Switching twice a second for a minute: presets with other bends, edits, weight presets. Does anything come late or grow?

    python run_live.py bench switch --size 256 --seconds 60

A show plays at 30 fps, first a while without switching (`steady`), then switching every 15 frames, in turns: recall a
preset, turn an edit up or down, recall a weight preset. Three presets (plain, two bends, two others), four edits, two
weight presets. In the frame of a switch (`at_switches`) and in all (`frames`): milliseconds, and those past their time.

    late            ticks the clock skipped, but for the one in which the bench itself looks at the memory
    blocks          Python's allocated blocks, and rss_mb resident memory, gained from the tenth switch to the last
    captured        on a GPU: graphs captured while switching. Each topology may be once, ahead of time or aside
"""
import gc
import itertools
import pathlib
import resource
import shutil
import sys
import tempfile

import torch

from live.show.clock import WallClock, limit_ticks
from live.show.events import ControlEvent
from tests.bench import _common

EVERY, SETTLED = 15, 10                                 # frames between switches; switches until things have settled
LAYERS = ("b8.conv1", "b16.conv0", "b16.conv1", "b32.conv0")


def bench(options: dict) -> dict:
    """See the module's docstring. options: instrument, size, seconds, device, threads, all optional."""
    from engine import device

    device.use_threads(options.get("threads"))
    seconds = options.get("seconds") or 60.0
    with tempfile.TemporaryDirectory() as folder:
        show = _show(_staged(options.get("instrument") or "presets/masks", pathlib.Path(folder)), options)
        rows = {"steady": _play(show, seconds / 4, itertools.repeat(None)), "switching": _play(show, seconds * 3 / 4, _switches())}
        show.close()
    _common.show({name: {k: v for k, v in row.items() if not isinstance(v, dict)} | row["frames"] for name, row in rows.items()})
    captured = sum(program.programs.captured for program in show.instrument.drawing.captured.values())
    return rows | {"captured": captured, "size": show.instrument.size, "machine": _common.machine()}


def _staged(instrument, folder):
    """An instrument's folder like the one asked for, with edits and weight presets of its own."""
    from engine.checkpoints import generator_hash
    from engine.rewriting import Edit, save
    from live.instrument import folder as instruments

    found, generator = instruments.find(instrument), _common.network(instrument)
    shutil.copy(found.generator, folder)
    (folder / "instrument.yaml").write_text(f"schema: 1\nname: Switching\ngenerator: {found.generator.name}\n", encoding="utf-8")
    (folder / "edits").mkdir()
    layers = [name for name in LAYERS if name in generator.layers]
    random = torch.Generator().manual_seed(0)
    for i, layer in enumerate(layers):
        outputs, inputs, *window = generator.weights(layer).shape
        size = generator.weights(layer).std().item() / inputs ** 0.5
        save(folder / "edits" / f"edit{i}.safetensors", Edit(
            f"edit{i}", layer, torch.randn(1, inputs, generator=random), size * torch.randn(1, outputs, *window, generator=random),
            generator=generator_hash(generator)))
    sets = [f"{{name: set{n}, edits: {{edit{n}: 1.0, edit{n + 2}: 0.5}}}}" for n in range(len(layers) // 2)]
    (folder / "weights.yaml").write_text(f"schema: 1\npresets: [{', '.join(sets)}]\n", encoding="utf-8")
    return folder


def _show(folder, options):
    """A show with a memory, in whose library three presets are."""
    from live.instrument import open as opening
    from live.mapping.mapping import Mapping
    from live.presets.recall import Recall
    from live.show.loop import Show
    from live.takes.recording import Recording
    from live.weights.weights import Weights
    from tests.bench.frames import bends_for

    opened = opening.open_instrument(folder, options.get("size") or 256, options.get("device"), options.get("threads"))
    show = Show(opened.instrument, Mapping(), opened.scene.set_values({"/walk/kind": "wander", "/quality/auto": 0.0}), strict=True)
    show.join(recall=Recall(show, opened.open_library()), recording=Recording(show, folder / "takes"), weights=Weights(show, opened.offer))
    bends = bends_for(opened.instrument.generator, opened.instrument.size)
    for name, worn in (("plain", ()), ("two", bends[:2]), ("others", bends[2:])):
        show.scene = show.scene.with_bends(worn)
        show.recall.store(name)
    show.recall.library.flush()
    show.instrument.warm_up(show.scene)
    return show


def _switches():
    """What is sent, one after the other: (address, arguments)."""
    presets, sets = itertools.cycle(("plain", "two", "others")), itertools.cycle(("set0", "set1"))
    for n in itertools.count():
        yield ("/preset/recall", next(presets))
        yield ("/edits/edit0/strength", float(n % 2))
        yield ("/weights/recall", next(sets))


def _play(show, seconds, switches):
    """Play, switching every EVERY frames; what it took."""
    clock, times, before = WallClock(_common.FPS), {"frames": [], "at_switches": []}, None
    ring, done, late, seen, looked = show.meter.frame_ms, 0, 0, 0, False
    gc.collect()
    gc.freeze()                                         # as `play` does
    for tick in limit_ticks(clock.ticks(), seconds=seconds):
        late, seen, looked = late + (0 if looked else clock.late - seen), clock.late, False
        switch = next(switches) if tick.frame % EVERY == EVERY - 1 else None
        if switch:
            show.inbox.put(ControlEvent(f"osc {switch[0]}", switch[1]))
            done += 1
        if done == SETTLED and before is None:
            before, looked = _memory(), True
        show.frame(tick)
        times["frames"].append(ring.values[(ring.count - 1) % len(ring.values)])
        if switch:
            times["at_switches"].append(times["frames"][-1])
    grown = [b - a for a, b in zip(before, _memory())] if before else (None, None)
    return {"switches": done, "late": late, "blocks": grown[0], "rss_mb": grown[1]} | {
        name: _common.summary(ms) | {"late": sum(m > 1000 / _common.FPS for m in ms)} for name, ms in times.items() if ms}


def _memory():
    """(Python's allocated blocks, resident megabytes at most so far)."""
    gc.collect()
    return sys.getallocatedblocks(), round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
