"""A network that nobody has prepared is analysed beside the show that plays it: how long it takes, and what it costs the show.

    python run_live.py bench analysis --instrument config-f --size 64

The show plays at a rate that leaves a frame some room, ROOM of its time being drawing. What a show starts beside itself (`analyse`: directions, clusters,
the look) runs and stands still in turns of TURN seconds: `alone`, `beside`. `minutes`: for how long it ran until all was found. `p95`: beside over
alone. --seconds: as long at most; then `found` says how far it came.
"""
import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from live.show.beside import end_beside, start_beside
from live.show.clock import WallClock
from tests.bench import _common

ROOM, TURN, LONGEST = 0.55, 6.0, 900.0
SETTLE = 10                          # frames before a turn counts


def bench(options: dict) -> dict:
    """{"alone", "beside": figures, "p95", "minutes", "found"}; options: instrument, size, seconds, device, threads; samples: pictures that are looked at."""
    from engine.checkpoints import native

    longest = options.get("seconds") or LONGEST
    with tempfile.TemporaryDirectory() as folder:
        path, where = pathlib.Path(folder) / "network.safetensors", pathlib.Path(folder) / "found"
        native.save(path, _common.network(options.get("instrument") or "config-f"), "float32")
        show, fps = _make_show(str(path), options)
        rows: dict[str, list] = {"alone": [], "beside": []}
        few = ("--samples", str(options["samples"])) if options.get("samples") else ()
        process = start_beside("analyse", "--checkpoint", str(path), "-o", str(where), *few, stdout=subprocess.DEVNULL)
        try:
            ran = _take_turns(show, WallClock(fps).ticks(), process, rows, longest)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            end_beside(process)
            show.close()
        found = sorted(one.name for one in where.iterdir()) if where.exists() else []
    figures = {name: _common.summary(ms) | {"p95_ms": round(_common.percentile(ms, 95), 2), "late": sum(m > 1000 / fps for m in ms)} for name, ms in rows.items()}
    _common.show(figures)
    return figures | {"p95": round(figures["beside"]["p95_ms"] / figures["alone"]["p95_ms"], 3), "minutes": round(ran / 60, 2), "found": found,
                      "fps": round(fps, 1), "size": show.instrument.size, "machine": _common.machine()}


def _make_show(path, options):
    """Return (a show of the network, the frames a second that leave a frame its room)."""
    from live.instrument import open as opening
    from live.mapping.mapping import Mapping
    from live.show.loop import Show

    opened = opening.open_instrument(path, size=options.get("size") or 64, device=options.get("device"), threads=options.get("threads"))
    show = Show(opened.instrument, Mapping(), opened.scene.set_values({"/walk/kind": "wander", "/quality/auto": 0.0}), strict=True)
    show.instrument.warm_up(show.scene)
    taken: list[float] = []
    _play(show, WallClock(1000.0).ticks(), taken, time.perf_counter() + 3)
    return show, min(_common.FPS, ROOM * 1000 / sorted(taken)[len(taken) // 2])


def _take_turns(show, ticks, process, rows, longest) -> float:
    """Play until the process has ended, which runs in every second turn; return for how many seconds it ran."""
    ran = 0.0
    while process.poll() is None and ran < longest:
        for name, stop in (("alone", signal.SIGSTOP), ("beside", signal.SIGCONT)):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(stop)
            start = time.perf_counter()
            taken: list[float] = []
            _play(show, ticks, taken, start + TURN, lambda: name == "beside" and process.poll() is not None)
            rows[name] += taken[SETTLE if len(taken) > 3 * SETTLE else 0:]
            ran += time.perf_counter() - start if name == "beside" else 0.0
    return ran


def _play(show, ticks, taken, end, over=lambda: False):
    """Play until a time, taking down what each frame took."""
    for tick in ticks:
        show.frame(tick)
        taken.append(show.meter.frame_ms.newest)
        if time.perf_counter() > end or over():
            return
