"""What is heard, in a show: levels and phases as changes of /audio/..., hits and beats as events that bindings hear.

A player of the loop. A take holds the changes, so it plays again without the sound. While nothing is listened to it turns nothing, so
that another program may say /audio/low itself.
"""
import math
from collections import deque

from engine.hearing.analyser import Settings
from engine.hearing.beat import LOCKED
from live.audio.ear import Ear, Hop
from live.audio.input_list import InputList
from live.audio.inputs import OFF
from live.audio.ltc_ear import LtcEar
from live.audio.offline import Whole
from live.show.clock import now
from live.show.events import Change, ControlEvent
from live.show.meter import Ring
from live.show.sound_parameters import GRID, KINDS, TURNED
from live.show.timecode import find_timecode

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
    """ear: what is heard comes from it. newest: the newest Hop. hits: {kind: (when, strength)}, of the last of each."""

    def __init__(self, show, ear: Ear | Whole | None = None, now=now):
        self.show, self.ear, self.now = show, ear if ear is not None else Ear(), now
        self.inputs = InputList()
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
        self._beat: float | None = None                  # the position of the beat grid in the frame before
        self._counted, self._counted_at = 0, -math.inf   # the newest beat that was told, and where the grid was then
        self._spectra: dict = {}
        self._turned = False
        self.strongest = [0.0] * 3                       # of kick, snare and hat since a page was told

    # -- the loop's side

    def play(self, tick) -> list:
        """Return what was heard up to this frame: changes, then events."""
        moment = self.now()
        self._count_last_frame()
        self._tell_settings()
        hops = self._take(moment)
        if self.ear.state != "live":
            return self._silence(moment)
        self._turned = True
        scene, events = self.show.scene, []
        for hop in hops:
            events += self._take_hop(hop)
        values = self._list_values(moment, tick.dt, hops, scene)
        events += self._make_beats(moment, values)
        events += self._release(moment)
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

    def _silence(self, moment) -> list:
        """Return what brings everything to silence once; the tempo heard stays."""
        events = self._release(math.inf)
        if not self._turned:
            return events
        self._turned, self.newest, self._beat = False, None, None
        self._waiting.clear()
        self._levels = dict.fromkeys(self._levels, 0.0)
        self.hits, self._signal_at = {}, -math.inf
        kept = "/audio/tempo"
        return [Change(a, p.default) for a, p in TURNED.items() if a != kept and self.show.scene[a] != p.default] + events

    def _count_last_frame(self):
        """Count the time from sound to picture of the hits in the frame before, which is out now."""
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

    def _take_hop(self, hop) -> list:
        """Take one hop in; return the events of its hits."""
        self.newest, events = hop, []
        self.strongest = [max(was, is_) for was, is_ in zip(self.strongest, hop.heard.strengths)]
        if hop.heard.signal:
            self._signal_at = hop.at
        for kind, strength in hop.heard.hits:
            self.hits[kind] = hop.at, strength
            self.counts[kind] += 1
            events.append(self._make_event(kind, max(strength, 1 / 127), hop.at))
        if hop.heard.hits:
            self._pending.append(hop.at)
        return events

    def _make_event(self, kind, value, at):
        self._held[kind] = self.now()                    # counted from when it is sent, or a late frame would release it before it was seen
        return ControlEvent(f"audio {kind}", value, True, at)

    def _release(self, moment) -> list:
        over = [kind for kind, at in self._held.items() if moment - at >= HELD]
        for kind in over:
            del self._held[kind]
        return [ControlEvent(f"audio {kind}", 0.0, True, 0.0) for kind in over]

    # -- values

    def _list_values(self, moment, dt, hops, scene) -> dict:
        """Return {address: value} of all that is heard, as finely as it is told."""
        smoothing = scene["/audio/smoothing"]
        falls = math.exp(-dt / smoothing) if smoothing > 0 else 0.0
        for name in self._levels:
            loudest = max((getattr(hop.heard, name) for hop in hops), default=None)
            if name == "brightness":
                self._levels[name] += 0.0 if loudest is None else (hops[-1].heard.brightness - self._levels[name]) * (1.0 - falls)
            else:
                self._levels[name] = max(self._levels[name] * falls, loudest or 0.0) if hops else self._levels[name] * falls
        values = {f"/audio/{name}": _round(value) for name, value in self._levels.items()}
        decay = scene["/audio/decay"]
        for kind in KINDS:
            at = self.hits.get(kind, (-math.inf, 0.0))[0]
            fallen = math.exp(-max(moment - at, 0.0) / decay) if moment - at < 20 * decay else 0.0
            values[f"/audio/{kind}"] = _round(fallen if fallen > FALLEN else 0.0)
        values["/audio/signal"] = float(moment - self._signal_at < SIGNAL)
        if self.newest is not None:
            heard = self.newest.heard
            values["/audio/loudness"] = round(heard.loudness * 2) / 2
            values |= self._read_spectrum(moment, heard) | self._read_phases(moment, self.newest)
        return values

    def _read_spectrum(self, moment, heard) -> dict:
        if moment - self._shown_at >= SHOWN:
            self._shown_at = moment
            self._spectra = {"/audio/spectrum": _round_coarsely(heard.fine), "/audio/chroma": _round_coarsely(heard.notes)}
        return self._spectra

    def _read_phases(self, moment, hop) -> dict:
        beat = hop.heard.beat
        if beat is None:
            return {"/audio/confidence": 0.0}
        beats = beat.beats(hop.heard.time + (moment - hop.at))
        bars = (beats - hop.heard.bar) / BAR
        return {"/audio/beat": _round(beats % 1.0) % 1.0, "/audio/bar": _round(bars % 1.0) % 1.0,
                "/audio/tempo": round(beat.tempo, 2), "/audio/confidence": _round(beat.confidence)}

    # -- beats

    def _make_beats(self, moment, values) -> list:
        """Return the events of a beat and of a bar that are to be seen by now; tell the tempo of the beat."""
        hop, tempo = self.newest, self.show.tempo
        if hop is None or hop.heard.beat is None or hop.heard.beat.confidence < LOCKED:
            self._beat = None
            return []
        beat = hop.heard.beat
        at = hop.heard.time + (moment - hop.at)
        if tempo is not None:
            tempo.set_beat("audio", beat.tempo, beat.beats(at) - hop.heard.bar % BAR, moment)
        ahead = self.show.scene["/tempo/ahead"] / 1000.0
        if ahead < 0:
            ahead = tempo.measure_delay() if tempo is not None else 0.0
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
        return [self._make_event(kind, 1.0, moment) for kind in kinds]

    # -- what others ask

    def report(self) -> dict:
        """Return the figures so far, ready for JSON."""
        ear = self.ear
        return {"input": ear.name, "state": ear.state, "reason": ear.reason, "blocks": ear.blocks, "hops": ear.heard, "reconnects": ear.reconnects,
                "heard": dict(self.counts), "hit_to_frame_ms": self.to_frame_ms.percentiles(50, 99)}

    def describe(self) -> dict:
        """Return the state for a page: the input, and the strengths of hits beside their thresholds."""
        strongest, self.strongest = self.strongest, [0.0] * 3
        passing = self.newest.heard.thresholds if self.newest is not None else (0.0,) * 3
        return {"wanted": self.ear.wanted, "input": self.ear.name, "state": self.ear.state, "reason": self.ear.reason,
                "strengths": [round(s, 3) for s in strongest], "thresholds": [round(float(t), 3) for t in passing], "heard": dict(self.counts),
                "inputs": self.inputs.inputs, "inputs_problem": self.inputs.problem, "looking": self.inputs.looking}


def find_listening(show) -> Listening:
    """Return what listens in a show; a new one without an input if there was none."""
    if show.listening is None:
        show.join(listening=Listening(show))
    return show.listening


def start_listening(show, text: str | None):
    """Listen to what --audio names; the beat that is heard is followed, unless a clock comes."""
    listening = find_listening(show)
    listening.ear.wanted = text or OFF
    if isinstance(listening.ear, Ear):
        listening.ear.timecode = LtcEar(find_timecode(show).receive)
    if text and text != OFF:
        show.scene = show.first = show.scene.set_values({"/tempo/source": "audio"})
    return listening


def _round(value: float) -> float:
    return round(value * FINENESS) / FINENESS


def _round_coarsely(values) -> tuple:
    return tuple(round(value * COARSE) / COARSE for value in values)
