"""What is heard, in a show: levels and phases as changes of /audio/..., hits and beats as events that bindings hear.

A player of the loop. A take holds the changes, so it plays again without the sound. While nothing is listened to it turns nothing, so
that another program may say /audio/low itself.
"""
import math
from collections import deque
from typing import Any

from engine.hearing.analyser import Settings
from engine.hearing.beat import LOCKED
from live.audio.ear import Ear, Hop
from live.audio.inputs import OFF
from live.show.clock import now
from live.show.events import Change, ControlEvent
from live.show.meter import Ring
from live.show.sound_parameters import GRID, KINDS, TURNED

FINENESS = 128                      # steps of what is told of a level
COARSE = 32                         # of a spectrum's band and a note
SHOWN = 1 / 15                      # seconds between spectra: a take would grow too fast
SIGNAL = 2.0                        # seconds after the last sound
LEVELS = ("low", "mid", "high", "level")
FALLEN = 1 / 256                    # what a hit has fallen to when it is over
BAR = 4
HELD = 0.1                          # seconds after which a hit's key is let go of, for bindings that hold
APART = 0.4                         # beats between two that are told


class Listening:
    """ear: live.audio.ear.Ear, or offline.Whole. newest: the newest Hop. hits: {kind: (when, strength)}, of the last of each."""

    def __init__(self, show, ear: Any = None, now=now):
        self.show, self.ear, self.now = show, ear if ear is not None else Ear(), now
        self.newest: Hop | None = None
        self.hits: dict = {}
        self.counts = dict.fromkeys((*KINDS, *GRID, "section"), 0)
        self.to_frame_ms = Ring()
        self._levels = dict.fromkeys((*LEVELS, "brightness"), 0.0)
        self._settings: tuple = ()
        self._waiting: deque[Hop] = deque()
        self._held: dict = {}
        self._pending: list = []                         # when hits were heard that are in the frame now drawn
        self._signal_at = self._shown_at = -math.inf
        self._beat: float | None = None                  # how far the grid had got in the frame before
        self._counted, self._counted_at = 0, -math.inf   # the newest beat that was told, and where the grid was then
        self._spectra: dict = {}
        self._turned = False
        self.strongest = [0.0] * 3                       # of kick, snare and hat since a page was told

    # -- the loop's side

    def play(self, tick) -> list:
        """Return what is heard by this frame: changes, then events."""
        moment = self.now()
        self._count_last_frame()
        self._tell_settings()
        hops = self._take(moment)
        if self.ear.state != "live":
            return self._rest(moment)
        self._turned = True
        scene, events = self.show.scene, []
        for hop in hops:
            events += self._hear(hop)
        values = self._values(moment, tick.dt, hops, scene)
        events += self._beats(moment, values)
        events += self._releases(moment)
        return [Change(address, value) for address, value in values.items() if scene[address] != value] + events

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: what hands turn of it is put right with the next frame."""
        return []

    def _take(self, moment) -> list:
        """Return the hops heard by this moment, oldest first; a file's are known a little before."""
        while not self.ear.hops.empty():
            self._waiting.append(self.ear.hops.get())
        due = []
        while self._waiting and self._waiting[0].at <= moment:
            due.append(self._waiting.popleft())
        return due

    def _rest(self, moment) -> list:
        """Return what brings everything to silence once; the tempo heard stays."""
        events = self._releases(math.inf)
        if not self._turned:
            return events
        self._turned, self.newest, self._beat = False, None, None
        self._waiting.clear()
        self._levels = dict.fromkeys(self._levels, 0.0)
        self.hits, self._signal_at = {}, -math.inf
        kept = "/audio/tempo"
        return [Change(a, p.default) for a, p in TURNED.items() if a != kept and self.show.scene[a] != p.default] + events

    def _count_last_frame(self):
        """The frame before is out, and the hits in it have been seen."""
        for at in self._pending:
            taken = (self.show.meter.ended - at) * 1000
            if taken >= 0:
                self.to_frame_ms.add(taken)
                self.show.meter.count("audio", taken)
        self._pending = []

    def _tell_settings(self):
        scene = self.show.scene
        settings = (scene["/audio/gain"], scene["/audio/sensitivity"],
                    tuple(scene[f"/audio/{kind}/threshold"] for kind in KINDS[:3]), scene["/audio/low-tempo"])
        if settings != self._settings:
            self._settings, self.ear.settings = settings, Settings(*settings)

    def _hear(self, hop) -> list:
        """Take one hop in; return the events of its hits."""
        self.newest, events = hop, []
        self.strongest = [max(was, is_) for was, is_ in zip(self.strongest, hop.heard.strengths)]
        if hop.heard.signal:
            self._signal_at = hop.at
        for kind, strength in hop.heard.hits:
            self.hits[kind] = hop.at, strength
            self.counts[kind] += 1
            events.append(self._event(kind, max(strength, 1 / 127), hop.at))
        if hop.heard.hits:
            self._pending.append(hop.at)
        return events

    def _event(self, kind, value, at):
        self._held[kind] = at
        return ControlEvent(f"audio {kind}", value, True, at)

    def _releases(self, moment) -> list:
        over = [kind for kind, at in self._held.items() if moment - at >= HELD]
        for kind in over:
            del self._held[kind]
        return [ControlEvent(f"audio {kind}", 0.0, True, 0.0) for kind in over]

    # -- values

    def _values(self, moment, dt, hops, scene) -> dict:
        """Return {address: value} of all that is heard, as finely as it is told."""
        smoothing = scene["/audio/smoothing"]
        falls = math.exp(-dt / smoothing) if smoothing > 0 else 0.0
        for name in self._levels:
            loudest = max((getattr(hop.heard, name) for hop in hops), default=None)
            if name == "brightness":
                self._levels[name] += 0.0 if loudest is None else (hops[-1].heard.brightness - self._levels[name]) * (1.0 - falls)
            else:
                self._levels[name] = max(self._levels[name] * falls, loudest or 0.0) if hops else self._levels[name] * falls
        values = {f"/audio/{name}": _rounded(value) for name, value in self._levels.items()}
        decay = scene["/audio/decay"]
        for kind in KINDS:
            at = self.hits.get(kind, (-math.inf, 0.0))[0]
            fallen = math.exp(-max(moment - at, 0.0) / decay) if moment - at < 20 * decay else 0.0
            values[f"/audio/{kind}"] = _rounded(fallen if fallen > FALLEN else 0.0)
        values["/audio/signal"] = float(moment - self._signal_at < SIGNAL)
        if self.newest is not None:
            heard = self.newest.heard
            values["/audio/loudness"] = round(heard.loudness * 2) / 2
            values |= self._spectrum(moment, heard) | self._phases(moment, self.newest)
        return values

    def _spectrum(self, moment, heard) -> dict:
        if moment - self._shown_at >= SHOWN:
            self._shown_at = moment
            self._spectra = {"/audio/spectrum": _coarse(heard.fine), "/audio/chroma": _coarse(heard.notes)}
        return self._spectra

    def _phases(self, moment, hop) -> dict:
        beat = hop.heard.beat
        if beat is None:
            return {"/audio/confidence": 0.0}
        beats = beat.beats(hop.heard.time + (moment - hop.at))
        bars = (beats - hop.heard.bar) / BAR
        return {"/audio/beat": _rounded(beats % 1.0) % 1.0, "/audio/bar": _rounded(bars % 1.0) % 1.0,
                "/audio/tempo": round(beat.tempo, 2), "/audio/confidence": _rounded(beat.confidence)}

    # -- beats

    def _beats(self, moment, values) -> list:
        """Return the events of a beat and of a bar that are to be seen by now; tell the tempo of the beat."""
        hop, tempo = self.newest, self.show.tempo
        if hop is None or hop.heard.beat is None or hop.heard.beat.confidence < LOCKED:
            self._beat = None
            return []
        beat = hop.heard.beat
        at = hop.heard.time + (moment - hop.at)
        if tempo is not None:
            tempo.tell_beat("audio", beat.tempo, beat.beats(at) - hop.heard.bar % BAR, moment)
        ahead = self.show.scene["/tempo/ahead"] / 1000.0
        if ahead < 0:
            ahead = tempo.frame_takes() if tempo is not None else 0.0
        beats = beat.beats(at + ahead)
        number, last = math.floor(beats), self._beat
        moved = last is not None and abs(beats - last) > 2.0             # the grid was found elsewhere
        self._beat = beats
        if last is None or moved:
            self._counted = number
            return []
        if number <= self._counted or beats - self._counted_at < APART:
            return []
        self._counted, self._counted_at = number, beats
        kinds = ("beat", "bar") if (number - hop.heard.bar) % BAR == 0 else ("beat",)
        for kind in kinds:
            self.counts[kind] += 1
        return [self._event(kind, 1.0, moment) for kind in kinds]

    # -- what others ask

    def report(self) -> dict:
        """Return the figures so far, ready for JSON."""
        ear = self.ear
        return {"input": ear.name, "state": ear.state, "reason": ear.reason, "blocks": ear.blocks, "hops": ear.heard, "reconnects": ear.reconnects,
                "heard": dict(self.counts), "hit_to_frame_ms": self.to_frame_ms.percentiles(50, 99)}

    def told(self) -> dict:
        """Return what a page is told: the input, and how strong hits were beside what they have to pass."""
        strongest, self.strongest = self.strongest, [0.0] * 3
        passing = self.newest.heard.thresholds if self.newest is not None else (0.0,) * 3
        return {"wanted": self.ear.wanted, "input": self.ear.name, "state": self.ear.state, "reason": self.ear.reason,
                "strengths": [round(s, 3) for s in strongest], "thresholds": [round(float(t), 3) for t in passing], "heard": dict(self.counts)}


def listening_of(show) -> Listening:
    """Return what hears in a show, one that listens to nothing yet if there was none."""
    if show.listening is None:
        show.join(listening=Listening(show))
    return show.listening


def begin(show, text: str | None):
    """Listen to what --audio names; the beat that is heard is followed, unless a clock comes."""
    listening = listening_of(show)
    listening.ear.wanted = text or OFF
    if text and text != OFF:
        show.scene = show.first = show.scene.set_values({"/tempo/source": "audio"})
    return listening


def _rounded(value: float) -> float:
    return round(value * FINENESS) / FINENESS


def _coarse(values) -> tuple:
    return tuple(round(value * COARSE) / COARSE for value in values)
