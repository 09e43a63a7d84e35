"""Lanes that play: automation of parameters over beats, seconds or timecode. A player of the loop.

A hand that turns a parameter has it until the lane comes round again; one that does not come round leaves it until it is started anew.
"""
import logging
from dataclasses import dataclass, field

from engine.errors import UserError
from live.show.events import Change
from live.show.parameters import is_below
from live.stage.lane_file import Lanes
from live.stage.lane_folder import LaneFolder

log = logging.getLogger(__name__)

MOST = 16                           # that play at once


@dataclass
class _Playing:
    """Lanes that play. begun: the beat or time they began at; at: where they are; released: addresses that hands have."""
    lanes: Lanes
    begun: float
    at: float = 0.0
    over: bool = False
    released: set = field(default_factory=set)
    curves: dict = field(default_factory=dict)
    parameters: object = None


class LanePlayer:
    """show: the Show it plays in. folder: where lanes lie, or None."""

    def __init__(self, show, folder: LaneFolder | None = None):
        self.show, self._folder = show, folder
        self._time = 0.0                                 # seconds gone, those of a freeze left out
        self._playing: dict[str, _Playing] = {}
        self._followed: list[str] = []                   # those that came with a look of the set list

    @property
    def folder(self) -> LaneFolder:
        """The lanes of this show. UserError: it has none."""
        if self._folder is None:
            raise UserError("this show has no folder of lanes")
        return self._folder

    def list_playing(self) -> dict[str, float]:
        """Return {name: how far it is, 0..1} of the lanes that play."""
        return {name: playing.at / playing.lanes.length for name, playing in list(self._playing.items())}

    def list_names(self) -> list[str]:
        """Return the names of all lanes there are."""
        return self._folder.list_names() if self._folder else []

    # -- the loop's side

    def play(self, tick) -> list:
        """Return what the lanes do in this frame; a freeze holds it."""
        quantiser = self.show.quantiser
        for playing in self._playing.values():
            playing.begun += quantiser.moved if playing.lanes.unit == "beats" else 0.0
        if self.show.scene["/output/freeze"]:
            return []
        self._time += tick.dt
        items: list = []
        for name, playing in list(self._playing.items()):
            if self._advance(playing):
                items += self._find_changes(playing)
            if playing.over:
                del self._playing[name]
                log.info("lanes %s: over", name)
        return items

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Leave to the hands what they turned; returns nothing to apply."""
        if self._playing:
            turned = {item.address for item in applied if isinstance(item, Change) and not self.show.is_own(item)}
            for playing in self._playing.values() if turned else ():
                playing.released |= turned & playing.lanes.points.keys()
        return []

    def recover(self):
        """End all lanes: they had a bug."""
        self._playing = {}

    def _find_position(self, unit) -> float:
        scene = self.show.scene
        return {"beats": self.show.quantiser.beat, "seconds": self._time}.get(unit, 0.0) if unit != "timecode" else scene["/timecode"]

    def _advance(self, playing) -> bool:
        """Move lanes to where the clock is; returns whether they have something to say there."""
        lanes = playing.lanes
        at = self._find_position(lanes.unit) - (lanes.start if lanes.unit == "timecode" else playing.begun)
        if lanes.unit == "timecode":
            inside = 0.0 <= at <= lanes.length
            if inside and at < playing.at:
                playing.released.clear()
            playing.at = min(max(at, 0.0), lanes.length)
            return inside and self.show.scene["/timecode/signal"] > 0.0
        if lanes.loop:
            at %= lanes.length
            if at < playing.at:
                playing.released.clear()
        else:
            playing.over = at >= lanes.length
        playing.at = min(max(at, 0.0), lanes.length)
        return True

    def _find_changes(self, playing) -> list:
        scene, recall = self.show.scene, self.show.recall
        if playing.parameters is not scene.parameters:               # another bend, another instrument's part: its lanes come and go
            playing.parameters = scene.parameters
            playing.curves = playing.lanes.make_curves(scene)
        locks = recall.locks if recall is not None else ()
        values = {a: curve.find_value(playing.at) for a, curve in playing.curves.items() if a not in playing.released and not is_below(a, locks)}
        return [Change(address, value) for address, value in values.items() if scene[address] != value]

    # -- what commands do

    def begin(self, name) -> list:
        """Have lanes play from their beginning, on the beat or bar that /quantise says; returns what to apply. UserError: there are none, or what is wrong."""
        lanes = self.folder.find(name)
        lanes.make_curves(self.show.scene)
        if lanes.name not in self._playing and len(self._playing) >= MOST:
            raise UserError(f"/lanes/play: {MOST} lanes play already; /lanes/stop one first")
        return self.show.quantiser.schedule(lambda: self._begin(lanes), f"lanes {lanes.name}")

    def _begin(self, lanes) -> list:
        quantiser = self.show.quantiser
        begun = self._find_position(lanes.unit)
        if lanes.unit == "beats" and quantiser.quantum:              # it came a little after the line, on which it began
            begun = quantiser.beat // quantiser.quantum * quantiser.quantum
        playing = self._playing[lanes.name] = _Playing(lanes, begun)
        if missing := [a for a in lanes.points if a not in self.show.scene.parameters]:
            log.warning("lanes %s: not there now: %s", lanes.name, ", ".join(missing))
        items = self._find_changes(playing) if self._advance(playing) else []
        return self.show.mark_own(items)

    def end(self, name=None):
        """End lanes, or all of them; parameters stay where they are. UserError: none of that name plays."""
        if name is None:
            self._playing = {}
        elif name in self._playing:
            del self._playing[name]
        else:
            raise UserError(f"/lanes/stop: no lanes {name!r} play; there play: {', '.join(self._playing) or 'none'}")

    def follow(self, names) -> list:
        """Have the lanes of a look of the set list play, and those of the look before it end; returns what to apply."""
        for name in self._followed:
            self._playing.pop(name, None)
        items, self._followed = [], []
        for name in names:
            try:
                items += self.begin(name)
                self._followed.append(name)
            except UserError as error:
                log.warning("%s; the look plays without", error)
        return items

    def close(self):
        """End of the show: everything reaches the disk."""
        if self._folder is not None:
            self._folder.close()
