"""Another network during the show: made ready beside it, crossed over to; looks that say which network they are of.

A player of the loop. Knows no tensors.
"""
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from engine.motion import Motion
from engine.scene import Scene
from live.instrument.carrying import carry_macros, carry_recording, carry_scene
from live.instrument.crossing import Crossing
from live.instrument.finds import Finds
from live.instrument.loader import Loader, Ready, Wish, list_near
from live.instrument.warming import describe_cost, open_warm
from live.mapping.macros import label
from live.presets.morph import Manner
from live.presets.preset import apply_preset
from live.show.governor import Governor
from live.weights.weights import Weights

log = logging.getLogger(__name__)


class Switch:
    """show: the Show it plays in. opened: live.instrument.open.Opened of what plays. fps: the rate that is aimed for. settings: of open_instrument().

    looks: whether networks are analysed. precision: as the show was started with, see Instrument.use_precision(). home: Opened of the network whose
    presets the show has.
    """

    def __init__(self, show, opened, fps: float = 30.0, looks: bool = False, precision: str = "auto", **settings):
        self.show, self.opened, self.fps, self.looks = show, opened, fps, looks
        self.home = opened
        self.crossing: Crossing | None = None
        self.before: tuple[Any, Scene, Motion] | None = None             # (Opened, scene, motion) of the one that played before
        self.held: Crossing | None = None            # the two under a fader
        self.loader = Loader(opened, partial(open_warm, fps=fps, precision=precision, **settings))
        self.wish: Wish | None = None                # what is to be crossed over to next
        self._players: dict[str, dict] = {}          # what joined with each network that is open, by its hash
        self._shape = tuple(opened.instrument.pixels)
        self._foreseen: tuple = ()                   # what was looked at to find what comes next
        self._nowhere: set[str] = set()              # networks of looks that nobody finds
        self._way: float | None = None               # seconds of the crossing there is
        self._tight = False                          # whether a frame's time is too short for both

    loading = property(lambda self: self.loader.thread)

    @property
    def is_busy(self) -> bool:
        """Whether it is on its way to another network, or to a look of one."""
        return self.wish is not None or self.crossing is not None

    # -- the loop's side

    def play(self, tick) -> list:
        """Return what becomes of the scene where another instrument has come; goes on with crossing over."""
        ready = self.loader.take()
        if ready is not None:
            return self._receive(ready)
        if not self.loader.is_busy:
            self._go_on_loading()
        seconds = self.show.scene["/instrument/seconds"] if self._way is None else self._way
        if self.crossing is not None and self.crossing.advance(tick.dt, seconds):
            self._rest(self.crossing)
            self.crossing = None
        if self.crossing is None and self.before is not None:
            self._mix(tick.dt, self.show.scene["/instrument/mix"], *self.before)
        return []

    def _rest(self, crossing):
        """Draw with the new one alone, where its pictures fit the show."""
        crossing.leave()
        self.show.instrument = crossing.new if crossing.fits else crossing

    def _mix(self, dt, mix, before, scene, motion):
        """Keep the one before in the picture as far as the fader says."""
        if mix > 0 and self.held is None:
            self.held = Crossing(self.opened.instrument, before.instrument, scene, motion, self._shape)
            self.held.tight = self._tight
            self.show.instrument = self.held
        if self.held is not None and mix > 0:
            self.held.hold(dt, mix, self.show.scene["/instrument/matte"], int(self.show.scene["/instrument/layer"]))
        elif self.held is not None:
            self.before = before, self.held.scene, self.held.motion
            self._rest(self.held)
            self.held = None

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return nothing: there is nothing to apply."""
        return []

    def close(self):
        """End of the show: what is being looked for in networks that do not play is left to the next."""
        for generator in list(self._players):
            self._let_go(generator)

    def _let_go(self, generator):
        for player in self._players.pop(generator).values():
            player.close()

    # -- what commands and looks ask for

    def open(self, where: str, preset: str | None = None):
        """Open an instrument in a thread; it is crossed over to once it is ready. preset: of it, to begin with."""
        self._wish(Wish((where,), preset=preset))
        self.show.notices.tell(f"opening {where} beside the show", "instrument")

    def leads(self, preset) -> bool:
        """Return whether going to one of the show's presets is for recall_look(): it is of another network than plays."""
        if self._is_of_home(preset):
            return self.opened is not self.home
        return preset.generator not in self._nowhere

    def is_of_playing(self, preset) -> bool:
        """Return whether one of the show's presets is of the network that plays, or of none that is known."""
        return self._is_of_home(preset) and self.opened is self.home or preset.generator in (self.opened.generator, *self._nowhere)

    def _is_of_home(self, preset) -> bool:
        return preset.generator in ("", self.home.generator) or preset.instrument in ("", self.home.name)

    def recall_look(self, name: str, preset, manner: Manner, asked: bool, by_hand: bool = True):
        """Go to one of the show's presets that is of another network. asked: whether its manner says how long the way is, or else /instrument/seconds."""
        wish = self._make_wish(name, preset)
        self._wish(replace(wish, manner=manner, seconds=self._find_seconds(manner, asked), by_hand=by_hand))

    def recall_other(self, where: str, name: str, manner: Manner, asked: bool):
        """Go to a look of another instrument, of its own folder; the show's presets stay."""
        self._wish(Wish((where,), preset=name, keeps=True, manner=manner, seconds=self._find_seconds(manner, asked), by_hand=False))

    def describe_network(self) -> dict:
        """Return what a preset that is stored now says of the network that plays: {"instrument", "generator", "network"}."""
        if self.opened is self.home:
            return {"instrument": self.home.name, "generator": self.home.generator}
        where = self.opened.folder.whole.absolute()
        beside = where.parent == Path(self.home.folder.folder).absolute().parent
        return {"instrument": self.opened.name, "generator": self.opened.generator, "network": where.name if beside else str(where)}

    def describe(self) -> dict:
        """Return what pages are told: {"name", "folder": its name, "key": what names its weights, "before", "opening"}."""
        before, folder = self.before[0].name if self.before else "", self.opened.folder.folder.name
        return {"name": self.opened.name, "folder": folder, "key": self.opened.generator[:12], "before": before, "opening": self.loader.is_busy}

    def list_near(self) -> list[str]:
        """Return the names by which /instrument/open finds the instruments there are; looks at folders."""
        return list_near(self.home.folder.folder)

    def _find_seconds(self, manner, asked) -> float | None:
        return None if not asked else manner.beats * 60.0 / self.show.scene["/tempo"] if manner.beats > 0 else manner.seconds

    def _make_wish(self, name, preset, **more) -> Wish:
        """Return the wish for one of the show's presets."""
        more |= {"path": self.show.recall.library.make_path(name), "look": preset if preset.raw is None else None}
        if self._is_of_home(preset):
            return Wish(folder=self.home.folder, preset=name, keeps=True, **more)
        known = next((one.folder for one in self.loader.resident.values() if preset.generator == one.generator), None)
        names = tuple(text for text in (preset.network, preset.instrument) if text)
        return Wish(names, known, name, True, **more)

    def _wish(self, wish):
        self.wish = wish
        if not self.loader.is_busy:
            self.loader.begin(wish, self.home.folder.folder)

    def _go_on_loading(self):
        """See to what is asked for, or else make ready what comes next."""
        if self.wish is not None:
            self.loader.begin(self.wish, self.home.folder.folder)
        elif (ahead := self._foresee()) is not None:
            self.loader.begin(ahead, self.home.folder.folder)

    def _foresee(self) -> Wish | None:
        """Return the wish to have the network of the look that comes next, where it is not open yet; None where that was seen to."""
        recall, running = self.show.recall, self.show.find_player("running")
        if recall is None or not recall.has_library or self.crossing is not None:
            return None
        step = running.find_coming() if running is not None else None
        seen = recall.current, recall.cued, step, self.opened.generator
        if seen == self._foreseen:
            return None
        self._foreseen = seen
        if step is not None and step.instrument:
            return Wish((step.instrument,), ahead=True)
        name = step.preset if step is not None else recall.cued or recall.find_next()
        preset = recall.library.get(name) if name else None
        if preset is None or not self.leads(preset):
            return None
        wish = self._make_wish(name, preset, ahead=True)
        return None if wish.folder is not None and wish.folder.generator in self.loader.resident else wish

    # -- what has become ready

    def _receive(self, ready: Ready) -> list:
        """Return what becomes of the scene where what was asked for is ready."""
        wish, opened = ready.wish, ready.opened
        if opened is not None:
            self.loader.resident = {**self.loader.resident, opened.folder.generator: opened}
        if wish.ahead or wish is not self.wish:              # a newer wish has come: it is seen to next
            if opened is None and wish.ahead and wish.names:
                self.show.notices.tell(f"{wish.names[0]} is not there for the look that comes next", "instrument ahead")
            self._keep_few(opened)
            return []
        self.wish = None
        if opened is None:
            return self._do_without(wish)
        items = self._begin(ready) if opened is not self.opened else self._stay(ready)
        self._keep_few()
        return items

    def _keep_few(self, *more):
        """Let go of networks that are neither home nor play nor played before, nor are one of these."""
        self.loader.keep_only({one.generator for one in (self.home, self.opened, self.before and self.before[0], *more) if one})
        for generator in self._players.keys() - {one.generator for one in self.loader.resident.values()}:
            self._let_go(generator)

    def _do_without(self, wish) -> list:
        """Return what plays a look whose network can't be had, as far as that is possible."""
        recall = self.show.recall
        preset = recall.library.get(wish.preset) if wish.keeps and wish.path is not None and recall is not None else None
        if preset is None or self._is_of_home(preset):
            return []
        self._nowhere.add(preset.generator)
        return recall.recall(wish.preset, by_hand=wish.by_hand)

    def _stay(self, ready) -> list:
        """Return what brings a look of the network that plays already."""
        recall = self.show.recall
        if ready.library is not None and recall is not None:
            recall.use_library(ready.library)
            self.home = self.opened
        return self._go_to_look(ready, ready.wish.manner or Manner())

    def _go_to_look(self, ready, manner) -> list:
        recall, preset, name = self.show.recall, ready.preset, ready.wish.preset
        if preset is None or recall is None:
            return []
        recall.arrive(name)
        target = apply_preset(preset, self.show.scene, self.show.motion, recall.locks)
        return recall.go(target, manner, preset.holds, f"preset {name}", ready.wish.by_hand)

    def _begin(self, ready) -> list:
        """Cross over to an instrument: everything of the old one gives way to its own."""
        show, old, opened = self.show, self.show.instrument, ready.opened
        drawn = old.new if isinstance(old, Crossing) else old
        if show.recording is not None and show.recording.recording:
            show.recording.stop_take()
            show.notices.tell("the take ends here: it is of one instrument", "take")
        own = self.opened.begin().parameters
        more = {address: parameter for address, parameter in show.first.parameters.items() if address not in own}
        base = opened.begin().with_parameters(more)      # the outputs' settings are the show's
        scene, lost = carry_scene(show.scene, opened, base)
        if self.held is not None:
            self.held.leave()
        self.before, self.held = (self.opened, show.scene, show.motion), None
        self.crossing, self._way = Crossing(opened.instrument, drawn, show.scene, show.motion, self._shape), ready.wish.seconds
        self._tight = self.crossing.tight = self._tell_cost(opened)
        show.instrument, show.added, show.first = self.crossing, {}, base
        self._join_players(opened, scene)
        deck, trail = show.find_player("deck"), show.find_player("trail")
        if deck is not None:
            deck.recover()                               # what they keep is of the other one
        if trail is not None:
            trail.forget()
        if show.recall is not None and show.recall.has_library:
            if ready.library is not None:
                show.recall.use_library(ready.library)
                self.home = opened
            else:
                show.recall.forget()
        carry_recording(show.recording, opened)
        motion: Motion = replace(show.motion, kept=(), led=(), styles_led=())
        show.notices.tell(f"{opened.name} plays" + (f"; left out: {', '.join(lost)}" if lost else ""), "instrument")
        show.scene, show.motion = label(scene, show.mapping.macros), motion
        return [*show.mark_own([show.scene, motion]), *self._go_to_look(ready, Manner())]

    def _tell_cost(self, opened) -> bool:
        """Say so where a frame's time is too short for both networks; return whether it is."""
        costs, played = self.loader.costs, self.show.meter.frame_ms.low / 1000
        costs.setdefault(self.opened.folder.generator, played)
        new, old = (costs.get(one.folder.generator, 0.0) for one in (opened, self.opened))
        said = describe_cost(opened.name, new, old, self.fps)
        if said:
            self.show.notices.tell(said, "instrument cost")
        return bool(said)

    def _join_players(self, opened, scene):
        """Let what belongs to a network join in the place of what belongs to the one before: its weights, what is found in it, its macros."""
        show = self.show
        joined = {"weights": show.weights, "finds": show.finds}
        self._players[self.opened.generator] = {name: player for name, player in joined.items() if player is not None}
        carry_macros(show.mapping, (*self.opened.folder.macros, *getattr(show.finds, "macros", ())), opened.folder.macros)
        self.opened, show.scene = opened, scene          # what joins looks at it
        kept = self._players.pop(opened.generator, {})
        finds = kept.get("finds") or Finds(show, opened, self.looks)
        show.join(weights=kept.get("weights") or Weights(show, opened.offer), finds=finds, governor=Governor(show, self.fps, opened.instrument.sizes))
        finds.put_on_macros()
