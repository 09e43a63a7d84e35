"""A show that hears a song in its own time: how long hits and beats take to a frame, and what hearing costs the frames. Part of `bench sound`."""
import bisect
import queue
import statistics
import sys
import threading
import time

from live.audio.ear import Ear
from live.audio.inputs import OFF
from live.audio.listening import Listening
from live.mapping.mapping import Mapping
from live.show.clock import WallClock, limit_ticks, now, sleep
from live.show.loop import Show
from live.show.parameters import add_parameters
from live.show.tempo import Tempo
from tests.bench import _common
from tests.engine.hearing.songs import FOUR, played

FPS, BLOCK = 60, 512
TURN = 2.0                          # seconds with sound, then without
SETTLED = 6.0                       # seconds until the beat is known
NEAR = 0.3                          # seconds within which a frame may answer to a hit
LEGS = ("hearing", "ear", "waiting", "frame")


class Feed:
    """An input that is fed in real time: a block comes when its last sample has been heard. began: when the song did, on the show's clock."""
    name = "a song"

    def __init__(self, song):
        self.song, self.rate, self.began = song, float(song.rate), 0.0

    def read_blocks(self, stop):
        """Yield (samples, when the last of them was heard), round and round."""
        self.began, place = now(), 0
        while not stop():
            place += BLOCK
            at = self.began + place / self.rate
            if at > now():
                sleep(at - now())
            start = (place - BLOCK) % (len(self.song.samples) - BLOCK)
            yield self.song.samples[start:start + BLOCK], at

    def close(self):
        """Nothing is open."""


class Row(queue.SimpleQueue):
    """What waits for the loop. known: [(when a hop with a kick was heard, when the ear was done with it)]."""

    def __init__(self):
        super().__init__()
        self.known = []

    def put(self, hop):
        """Take a hop from the ear."""
        if any(kind == "kick" for kind, _ in hop.heard.hits):
            self.known.append((hop.at, now()))
        super().put(hop)


class Screen:
    """An output that takes down when frames with a hit or a beat were out. seen: [(kind, second)]."""
    name = "screen"

    def __init__(self, listening):
        self.listening, self.seen, self._counts = listening, [], dict(listening.counts)

    def put(self, frame):
        """Take a frame."""
        counts, at = self.listening.counts, now()
        self.seen += [(kind, at) for kind in counts if counts[kind] > self._counts[kind]]
        self._counts = dict(counts)


class Hall:
    """A show at FPS with an ear in its thread."""

    def __init__(self, options, song):
        instrument = _common.open_instrument(options, options.get("size") or 256)
        scene = add_parameters(instrument.scene()).set_values({"/walk/kind": "wander", "/quality/size": float(instrument.size), "/tempo/source": "audio"})
        self.show, self.feed = Show(instrument, Mapping(), scene, strict=True), Feed(song)
        self.ear = Ear(OFF, opened=lambda text, driver: self.feed)
        self.ear.hops = self.row = Row()
        self.listening = Listening(self.show, self.ear)
        self.show.join(listening=self.listening, tempo=Tempo(self.show))
        self.screen = Screen(self.listening)
        self.show.outputs.append(self.screen)
        self.spent, self.begun = 0.0, []                 # begun: when each frame began
        self.ear.taps.append(self._note)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.ear.run, args=(self._stop,), name="audio")
        self._thread.start()

    def _note(self, *block):
        self.spent = time.thread_time()                  # of the ear's thread, which calls this

    def play(self, seconds) -> list:
        """Play so long; returns (milliseconds, those of the loop's own processor time) of each frame."""
        taken = []
        for tick in limit_ticks(WallClock(FPS).ticks(), seconds=seconds):
            begun = time.thread_time()
            self.begun.append(now())
            self.show.frame(tick)
            taken.append((self.show.meter.frame_ms.newest, (time.thread_time() - begun) * 1000))
        return taken

    def close(self):
        """End the ear."""
        self._stop.set()
        self._thread.join()


def measure(options: dict, seconds: float) -> dict:
    """Return the figures; half of the seconds go to hits and beats, half to frames with and without sound."""
    song = played(FOUR, 120.0, 60.0, seed=1)
    sys.setswitchinterval(0.001)                         # as play does
    hall = Hall(options, song)
    try:
        hall.ear.choose("song")
        wait_for(lambda: hall.ear.state == "live")
        hall.play(seconds / 2 + SETTLED)
        figures = _of_hits(hall, song) | {"ear_thread_share": round(hall.spent / (seconds / 2 + SETTLED), 4)}
        return figures | {"frames": _in_turns(hall, seconds / 2), "fps": FPS, "size": hall.show.instrument.size}
    finally:
        hall.close()


def wait_for(condition, longest=30.0):
    """Wait until something is so."""
    end = now() + longest
    while not condition() and now() < end:
        sleep(0.01)


def _of_hits(hall, song) -> dict:
    began, seen = hall.feed.began, hall.screen.seen
    period = 60.0 / song.tempo
    late, legs = [], []
    for truth in song.hits["kick"]:
        answers = [at for kind, at in seen if kind == "kick" and 0 <= at - began - truth < NEAR]
        late += [(min(answers) - began - truth) * 1000] if answers else []
        legs += [_find_legs(hall, began + truth, min(answers))] if answers else []
    beats = [at - began - song.beats[0] for kind, at in seen if kind == "beat" and at - began > SETTLED]
    off = [(beat - round(beat / period) * period) * 1000 for beat in beats]
    found = {"hits": len(late), "hit_to_frame_ms": _spread(late), "legs_ms": {leg: _spread(ms) for leg, *ms in zip(LEGS, *filter(None, legs))}, "beats": len(off), "beat_to_frame_ms": _spread(off)}
    return found | {"beats_within_15_ms": round(sum(abs(o) <= 15 for o in off) / len(off), 3) if off else None}


def _find_legs(hall, truth, out):
    """Return the milliseconds of each of LEGS from a kick to its frame; None where something else was heard for it."""
    begun = hall.begun[bisect.bisect(hall.begun, out) - 1]
    known = [pair for pair in hall.row.known if pair[0] >= truth and pair[1] <= begun]
    if not known:
        return None
    moments = (truth, *known[0], begun, out)
    return [(b - a) * 1000 for a, b in zip(moments, moments[1:])]


def _spread(values) -> dict:
    return {f"p{p}": round(_common.percentile(values, p), 1) for p in (5, 50, 95)} if values else {}


def _in_turns(hall, seconds) -> dict:
    taken: dict = {"with": [], "without": []}
    for turn in range(max(2, round(seconds / TURN))):
        name = "with" if turn % 2 == 0 else "without"
        hall.ear.choose("song" if name == "with" else OFF)
        wait_for(lambda: hall.ear.state == ("live" if name == "with" else "off"))
        rows = hall.play(TURN)
        taken[name].append(rows[2:] or rows)          # the first frames take the ear's beginning in
    pairs = [(_p99(a), _p99(b)) for a, b in zip(taken["with"], taken["without"]) if a and b]
    whole = {name: [row for turn in turns for row in turn] for name, turns in taken.items()}
    figures = {name: {"p50_ms": round(statistics.median(ms for ms, _ in rows), 2), "p99_ms": round(_p99(rows), 2), "frames": len(rows),
                      "loop_cpu_ms": round(statistics.median(cpu for _, cpu in rows), 3)} for name, rows in whole.items()}
    ratio = lambda figure: round(figures["with"][figure] / figures["without"][figure], 3)
    return figures | {"p99_ratio": ratio("p99_ms"), "p99_ratio_of_pairs": round(statistics.median(a / b for a, b in pairs), 3),
                      "p50_ratio": ratio("p50_ms"), "loop_cpu_ratio": ratio("loop_cpu_ms")}


def _p99(rows) -> float:
    return _common.percentile([ms for ms, _ in rows], 99)
