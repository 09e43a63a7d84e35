"""Two looks under a crossfader: /deck/fade goes through both of them, parameter by parameter, and draws one picture. A player of the loop.

At an end the look of that side plays, and what hands turn there belongs to it. Between the ends a hand has what it turns to
itself until an end is reached, as in a morph.
"""
import logging
from dataclasses import dataclass, replace

from engine.modulation import carry_states
from engine.morphing import EASES, align, interpolate_place, routes
from engine.motion import LONGEST_STEP, Motion
from engine.scene import Scene
from live.presets.locks import keep_locked, keep_walk
from live.presets.morph import Manner, list_places
from live.presets.undo import Step
from live.show.events import Change
from live.show.parameters import MASTERS, is_below, keep_masters

log = logging.getLogger(__name__)

SIDES = ("a", "b")
FADE, ON = "/deck/fade", "/deck/on"


@dataclass
class _Auto:
    """A fade that runs: from where to where, how, how far it is, and where it put the fader last."""
    start: float
    to: float
    manner: Manner
    at: float = 0.0
    shown: float = -1.0


class _Mix:
    """The way between two scenes. locks: addresses it leaves alone."""

    def __init__(self, scenes, step, locks):
        self.locks = locks
        self.start, self.end = align(scenes)
        ways = routes(self.start, self.end, {}, step)
        self.routes = {a: way for a, way in ways.items() if not is_below(a, MASTERS) and not is_below(a, locks)}
        self.touched: set[str] = set()
        self.at: float | None = None

    def release(self, address):
        """Leave this parameter to the hand that has taken it."""
        self.touched.add(address)
        self.routes.pop(address, None)


class Deck:
    """names: of the presets on sides a and b, None: what plays. auto: whether the fader goes by itself."""

    def __init__(self, show):
        self.show = show
        self.names: list[str | None] = [None, None]
        self.sides: list[tuple[Scene, Motion] | None] = [None, None]
        self._playing = False
        self._end: int | None = None                     # the side that is seen alone
        self._mix: _Mix | None = None
        self._auto: _Auto | None = None

    @property
    def auto(self) -> bool:
        """Whether the fader goes by itself."""
        return self._auto is not None

    @property
    def unseen(self) -> int:
        """The side that is seen less: where a recall goes."""
        return 1 if self.show.scene[FADE] < 0.5 else 0

    # -- what commands do

    def load(self, side: int, name: str, by_hand: bool = True):
        """Put a preset on a side; a hand's undo takes it off again. UserError: there is no such preset, or what is wrong with it."""
        target = self.show.recall.find_target(name)
        before, after = (self.names[side], self.sides[side]), (name, target)
        self._put(side, *after)
        if by_hand:
            self.show.recall.undo.push(Step([], [], (lambda: self._put(side, *before), lambda: self._put(side, *after)), about=f"deck {SIDES[side]} {name}"))
        self.show.notices.tell(f"deck {SIDES[side]}: {name}", "deck")

    def _put(self, side, name, target):
        if self._end is not None and self._end != side:
            self.sides[self._end] = self.show.scene, self.show.motion
        self.names[side], self.sides[side] = name, target
        self._mix = None
        self._end = None if self._end == side else self._end

    def start_auto(self, manner: Manner):
        """Have the fader go to the other side; while it goes, back. Returns what to apply."""
        fade = self.show.scene[FADE]
        to = 1.0 - self._auto.to if self._auto else 1.0 if fade < 0.5 else 0.0
        self._auto = _Auto(fade, to, manner, shown=fade)
        return self.show.mark_own([Change(ON, 1.0)]) if not self.show.scene[ON] else []

    def swap(self) -> list:
        """Change the sides over, and the fader: what is seen stays. Returns what to apply."""
        if self._end is not None:
            self.sides[self._end] = self.show.scene, self.show.motion
        self.names.reverse()
        self.sides.reverse()
        self._auto, self._mix = None, None
        self._end = None if self._end is None else 1 - self._end
        return self.show.mark_own([Change(FADE, 1.0 - self.show.scene[FADE])])

    # -- the loop's side

    def play(self, tick) -> list:
        """Return where a fade that runs puts the fader; a freeze holds it, a hand on the fader ends it."""
        auto, scene = self._auto, self.show.scene
        if auto is None or scene["/output/freeze"]:
            return []
        if scene[FADE] != auto.shown or not scene[ON]:
            self._auto = None
            return []
        auto.at = min(1.0, auto.at + auto.manner.measure_progress(tick.dt, scene["/tempo"]))
        if auto.at > 1.0 - 1e-9:
            self._auto, auto.at = None, 1.0
        auto.shown = auto.to if auto.at >= 1.0 else auto.start + (auto.to - auto.start) * EASES[auto.manner.ease](auto.at)
        return [Change(FADE, auto.shown)]

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return the changes that the crossfader makes of the two looks in this frame."""
        if not self.show.scene[ON]:
            self._leave()
            return []
        items: list = []
        if not self._playing:
            items = self._begin()
        elif self.show.recall.leading or self._mix and any(isinstance(item, Scene) for item in applied):
            log.info("something else leads the picture: the decks are off; /deck/on 1 brings them back")
            self._leave()
            return self.show.mark_own([Change(ON, 0.0)])
        if self.show.scene["/output/freeze"]:
            return items
        for item in applied if self._mix else ():
            if isinstance(item, Change) and not self.show.is_own(item) and self._mix:
                self._mix.release(item.address)
        return self.show.mark_own(self._fade(self.show.scene[FADE], min(tick.dt, LONGEST_STEP)) + items)

    def recover(self):
        """Let go of the fader: it had a bug."""
        self._leave()
        self.sides, self.names = [None, None], [None, None]

    def _begin(self) -> list:
        """Take the picture over; the pad and a morph let go of it."""
        show, recall = self.show, self.show.recall
        self._playing, self._end, self._mix = True, None, None
        recall.stop_leading()
        self.sides = [side or (show.scene, show.motion) for side in self.sides]
        return [Change("/pad/on", 0.0)] if show.scene["/pad/on"] else []

    def _leave(self):
        if self._playing:
            self._playing, self._end, self._mix, self._auto = False, None, None, None
            self.sides = [side if name else None for name, side in zip(self.names, self.sides)]

    def _fade(self, fade, dt) -> list:
        """Return what to apply with the fader here, and let the looks that are not seen go on."""
        show = self.show
        at_end = int(fade) if fade in (0.0, 1.0) else None
        if self._end is not None and at_end != self._end:                    # what was turned at the end belongs to its side
            self.sides[self._end] = show.scene, show.motion
        before = [side for side in self.sides if side is not None]
        self.sides = [(scene, motion.advance(scene, dt)) for scene, motion in before]
        if at_end is None:
            self._end = None
            return self._cross(fade)
        arrives, self._end = self._end != at_end, at_end
        return self._arrive(*before[at_end]) if arrives else []

    def _arrive(self, target, lead) -> list:
        """Return the look of an end; what hands took over on the way stays theirs."""
        show, mix, self._mix = self.show, self._mix, None
        locks = show.recall.locks
        scene = keep_locked(keep_masters(target, show.scene), show.scene, locks, mix.touched if mix else ())
        states = carry_states(show.motion.modulators, mix.start if mix else show.scene, scene)
        return [scene, keep_walk(replace(lead.keep_walks(show.motion), modulators=states), show.motion, locks)]

    def _cross(self, fade) -> list:
        """Return what lies between the two looks."""
        show, items = self.show, list[object]()
        (scene_a, a), (scene_b, b) = (side for side in self.sides if side is not None)
        mix, locks = self._mix, show.recall.locks
        if mix is None or mix.locks != locks:
            mix = self._mix = _Mix([keep_locked(scene, show.scene, locks) for scene in (scene_a, scene_b)], show.scene["/morph/step"], locks)
            items.append(keep_masters(mix.start, show.scene))
        if fade != mix.at:
            mix.at = fade
            items += [Change(address, way(fade)) for address, way in mix.routes.items()]
        if is_below("/walk", mix.locks):
            return items
        kind = "slerp" if show.scene["/morph/path"] == "slerp" else "linear"
        styles = zip(list_places(mix.start, a), list_places(mix.end, b))
        return [*items, replace(show.motion, led=interpolate_place(kind, (), a.place, b.place, fade), heading=(), start=(),
                                styles_led=tuple(interpolate_place(kind, (), *pair, fade) for pair in styles), styles_of=())]
