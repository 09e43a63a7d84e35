"""The governor on this machine, while something makes every picture dearer for a third of the time.

    python run_live.py bench governor --seconds 60 --plot governor.png

The show plays at a rate the full size just holds; in the middle third each picture takes SLOWER times as long, as if
the machine had other work. `late` frames are those past their time; `without` is the same with the governor locked.
"""
import time

from live.mapping.mapping import Mapping
from live.show.clock import WallClock, limit_ticks
from live.show.governor import Governor
from live.show.loop import Show
from tests.bench import _common

SLOWER, ROOM = 2.5, 0.55                                # the frame rate leaves so much of a period to the full size


class Slowed:
    """The instrument, taking longer while `on`."""

    def __init__(self, instrument):
        self.instrument, self.on = instrument, False

    def __getattr__(self, name):
        return getattr(self.instrument, name)

    def render(self, scene, motion, source=None):
        start = time.perf_counter()
        frame = self.instrument.render(scene, motion, source)
        if self.on:
            end = start + (time.perf_counter() - start) * SLOWER
            while time.perf_counter() < end:            # at work, as a slower machine is
                pass
        return frame


def bench(options: dict) -> dict:
    """{"with", "without": late frames and sizes, "timeline"}; options: instrument, size, seconds, device, threads, plot."""
    instrument = _common.open_instrument(options)
    seconds = (options.get("seconds") or 60.0) / 2
    walker = _common.Walker(instrument.scene())
    times = _common.in_turns({"full": lambda: instrument.render(*walker()) and None}, 2.0)["full"]
    fps = min(60.0, ROOM * 1000 / _common.percentile(times, 50))
    runs = {name: _run(instrument, fps, seconds, auto) for name, auto in (("with", 1.0), ("without", 0.0))}
    _common.show({name: {k: v for k, v in run.items() if k != "timeline"} for name, run in runs.items()})
    if options.get("plot"):
        _plot(options["plot"], runs, fps, seconds)
    return runs | {"fps": round(fps, 1), "slower": SLOWER, "size": instrument.size, "machine": _common.machine()}


def _run(instrument, fps, seconds, auto):
    slowed = Slowed(instrument)
    scene = instrument.scene().set_values({"/walk/kind": "wander", "/quality/auto": auto})
    show, clock = Show(slowed, Mapping(), scene, strict=True), WallClock(fps)
    governor = Governor(show, fps, instrument.sizes)
    show.players.append(governor)
    timeline = []
    for tick in limit_ticks(clock.ticks(), seconds=seconds):
        slowed.on = seconds / 3 <= tick.time < 2 * seconds / 3
        show.frame(tick)
        ring = show.meter.frame_ms
        timeline.append((round(tick.time, 3), instrument.drawing_size(show.scene), round(ring.newest, 2)))
    changes = sum(a[1] != b[1] for a, b in zip(timeline, timeline[1:]))
    return {"late": clock.late, "frames": len(timeline), "changes_of_size": changes, "size_at_the_end": timeline[-1][1],
            "timeline": timeline[:: max(1, len(timeline) // 400)]}


def _plot(path, runs, fps, seconds):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 1, sharex=True, figsize=(9, 5))
    for name, run in runs.items():
        at, size, ms = zip(*run["timeline"])
        axes[0].plot(at, ms, label=f"{name} the governor, {run['late']} late", linewidth=1)
        axes[1].plot(at, size, label=name)
    axes[0].axhline(1000 / fps, color="black", linewidth=0.5, linestyle="--")
    axes[0].set_ylabel("ms a frame")
    axes[1].set_ylabel("drawn at, px")
    axes[1].set_xlabel(f"seconds; every picture {SLOWER} times as dear from {seconds / 3:.0f} to {2 * seconds / 3:.0f}")
    axes[0].legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")
