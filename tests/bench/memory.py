"""What memory costs a show: recalls, morphs of every parameter, takes, the autosave, live video.

    python run_live.py bench memory --size 256 --seconds 20

Parts take turns in one process, so ratios can be trusted on a machine that has other work; absolute figures cannot.
`cpu_ratio` is that of the processor time the whole process spent, its writing threads included: steadier still.

    recall      frame time of the frames in which a preset is recalled over those in between
    morph       frame time while every parameter morphs over that of the same walk without (`ratio`), and what of it is
                spent outside of drawing (`own_ms`)
    take        the same while a take is recorded, and while the autosave runs as well; bytes a frame
    clock       a real clock at 30 fps: late frames a minute of a walk alone, of one that is recalled to twice a second, of one
                that morphs all the time, and of one that is recorded as live video; frames the encoder left out
"""
import itertools
import pathlib
import statistics
import tempfile
import time

from engine.checkpoints import generator_hash
from engine.motion import Motion
from live.mapping.mapping import Mapping
from live.presets import commands as preset_commands  # noqa: F401  (their commands)
from live.presets.library import Library
from live.presets.morph import Manner
from live.presets.recall import Recall
from live.show.clock import FixedClock, WallClock, limit_ticks
from live.show.events import ControlEvent
from live.show.loop import Show
from live.show.parameters import MASTERS, add_parameters, is_below
from live.takes import commands as take_commands  # noqa: F401  (their commands)
from live.takes.looper import Looper
from live.takes.recording import Recording
from live.takes.take import Origin
from tests.bench import _common as common

SECONDS = 20.0
NEAR = (0.47, 0.53)                  # normalized values a morph goes between: every parameter moves, the work stays alike


def bench(options: dict) -> dict:
    """options: instrument, size, seconds, device, threads, all optional."""
    instrument = common.open_instrument(options, options.get("size") or 256)
    seconds = (options.get("seconds") or SECONDS) / 4
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        figures = {"recall": recalls(instrument, folder / "recall", seconds), "morph": morphs(instrument, folder / "morph", seconds),
                   "take": takes(instrument, folder / "take", seconds), "clock": clocked(instrument, folder / "clock", seconds)}
    return figures | {"size": instrument.size, "device": str(instrument.device), **common.machine()}


class Playing:
    """A show with a memory on a fixed clock; call it for one frame."""

    seeds = itertools.count(1)       # each walks elsewhere: a picture another show has drawn is not drawn again

    def __init__(self, instrument, folder, scene=None):
        base = instrument.scene()
        self.library = Library(folder / "scenes", base, "bench", generator_hash(instrument.generator), instrument.bend)
        self.show = Show(instrument, Mapping(), scene or add_parameters(base).set_values({"/walk/kind": "wander"}), strict=True)
        self.show.scene = self.show.scene.set_values({"/walk/seed": next(self.seeds)})
        origin = Origin("bench", self.library.generator, instrument.size, common.FPS)
        self.show.join(recall=Recall(self.show, self.library), looper=Looper(self.show), recording=Recording(self.show, folder, origin))
        self.ticks = FixedClock(common.FPS).ticks()

    def __call__(self):
        self.show.frame(next(self.ticks))

    def send(self, address, *values):
        self.show.inbox.put(ControlEvent(f"osc {address}", values[0] if len(values) == 1 else values))


def in_turns(parts, seconds):
    """common.in_turns, and {name: processor milliseconds of each turn}."""
    spent = {name: [] for name in parts}

    def timed(name, part):
        def run():
            start = time.process_time()
            part()
            spent[name].append((time.process_time() - start) * 1000)
        return run

    return common.in_turns({name: timed(name, part) for name, part in parts.items()}, seconds), spent


def scene_at(scene, normalized):
    """Every continuous parameter at one normalized value."""
    values = {a: p.plain(normalized) for a, p in scene.parameters.items()
              if not (p.choices or p.step or p.size or is_below(a, MASTERS) or a in ("/walk/glide", "/bends/glide"))}
    return scene.set_values(values)


def recalls(instrument, folder, seconds):
    playing = Playing(instrument, folder)
    for name, psi in (("one", 0.5), ("two", 1.0)):
        playing.send("/truncation", psi)
        playing()
        playing.send("/preset/store", name)
        playing()
    playing.library.flush()
    names = itertools.cycle(("one", "two"))

    def recall():
        playing.send("/preset/recall", next(names))
        playing()

    taken, spent = in_turns({"recall": recall, "between": playing}, seconds)
    playing.show.close()
    return {name: common.summary(ms) for name, ms in taken.items()} | ratios(taken, spent, "recall", "between")


def morphs(instrument, folder, seconds):
    base = add_parameters(instrument.scene())
    base = base.set_values({"/walk/kind": "wander"})
    first, last = (scene_at(base, at) for at in NEAR)
    still, moving = Playing(instrument, folder, scene_at(base, 0.5)), Playing(instrument, folder, first)
    targets, own = itertools.cycle((last, first)), []

    def morph():
        if moving.show.recall.morph is None and moving.show.recall._next is None:
            moving.show.recall.go((next(targets), Motion(walk=5.0)), Manner(seconds=4.0))
        moving()

    taken, spent = in_turns({"morph": morph, "walk": still}, seconds)
    for _ in range(100):
        scene, motion = moving.show.scene, moving.show.motion
        if moving.show.recall.morph is None:
            morph()
            morph()
            continue
        start = time.perf_counter()
        moving.show.apply(moving.show.recall.morph.play(1 / common.FPS, scene, motion))
        own.append((time.perf_counter() - start) * 1000)
    moved = len(moving.show.recall.morph.routes) if moving.show.recall.morph else None
    for playing in (still, moving):
        playing.show.close()
    return {name: common.summary(ms) for name, ms in taken.items()} | ratios(taken, spent, "morph", "walk") | {
        "own_ms": round(statistics.median(own), 3), "parameters": moved}


def takes(instrument, folder, seconds):
    plain, recording, saving = (Playing(instrument, folder / name) for name in ("plain", "take", "both"))
    for playing in (recording, saving):
        playing.show.recording.record_to(folder / f"{id(playing)}.take")
    saving.show.recording.start_autosave(folder / "last.json")
    taken, spent = in_turns({"take": recording, "take and autosave": saving, "plain": plain}, seconds)
    for playing in (plain, recording, saving):
        playing.show.close()
    path = recording.show.recording.writer.path
    frames = recording.show.recording.writer.frames
    return {name: common.summary(ms) for name, ms in taken.items()} | ratios(taken, spent, "take", "plain") | {
        "ratio_with_autosave": ratio(taken, "take and autosave", "plain"),
        "bytes_a_frame": round(path.stat().st_size / frames, 1)}


def clocked(instrument, folder, seconds):
    """Each way to play for a while on a real clock; the walk alone at both ends."""
    figures, walk = {}, lambda playing, tick: None
    hands = {"walk": walk, "recall": _recalling(), "morph": _morphing(), "recording": _recording(), "walk again": walk}
    for name, hand in hands.items():
        playing, clock = Playing(instrument, folder / name), WallClock(common.FPS)
        start, frames = time.process_time(), 0
        for tick in limit_ticks(clock.ticks(), seconds=seconds):
            hand(playing, tick)
            playing.show.frame(tick)
            frames += 1
        video, ring = playing.show.recording.video, playing.show.meter.frame_ms
        figures[name] = {"late_a_minute": round(clock.late * 60 / seconds, 1), "frames": frames, **ring.percentiles(50, 99),
                         "cpu_ms_a_frame": round((time.process_time() - start) * 1000 / frames, 2)}
        playing.show.close()
        if video is not None:
            figures[name] |= {"written": video.sent, "left_out": video.dropped}
    for name in hands:
        figures[name]["cpu_ratio"] = round(figures[name]["cpu_ms_a_frame"] * 2 / sum(figures[n]["cpu_ms_a_frame"] for n in ("walk", "walk again")), 3)
    return figures


def _recalling():
    """Two presets are stored, and one is gone to every half second."""
    names = itertools.cycle(("one", "two"))

    def hand(playing, tick):
        if tick.frame < 4 and tick.frame % 2:
            playing.send("/truncation", 0.5 + tick.frame / 10)
        elif tick.frame < 5 and tick.frame:
            playing.send("/preset/store", next(names))
        elif tick.frame % (common.FPS // 2) == common.FPS // 2 - 1:
            playing.send("/preset/recall", next(names))

    return hand


def _morphing():
    """Every parameter is always on its way from one end to the other."""
    targets = itertools.cycle(NEAR)

    def hand(playing, tick):
        if playing.show.recall.morph is None and playing.show.recall._next is None:
            playing.show.recall.go((scene_at(playing.show.scene, next(targets)), Motion(walk=5.0)), Manner(seconds=4.0))

    return hand


def _recording():
    return lambda playing, tick: None if tick.frame else playing.send("/video/record", "bench")


def ratio(taken, part, of):
    return round(statistics.median(taken[part]) / statistics.median(taken[of]), 3)


def ratios(taken, spent, part, of):
    return {"ratio": ratio(taken, part, of), "cpu_ratio": ratio(spent, part, of)}
