"""The set list's show, going on by itself: each look is held for its time, then its follow action says which comes. A player of the loop.

Where nobody touches anything for /set/idle seconds it takes over, and a touch takes it back.
"""
import logging

from engine.errors import UserError
from engine.motion import beats
from live.presets.set_list import Step
from live.show.events import Change

log = logging.getLogger(__name__)

AUTO, IDLE = "/set/auto", "/set/idle"
BAR = 4                             # beats
NEARLY = 1e-6                       # seconds or beats that are as good as over


class Running:
    """at: the step of the show that plays, from 0; None: none yet. holding: whether it stays until told. idle: seconds since a hand came."""

    def __init__(self, show):
        self.show = show
        self.at: int | None = None
        self.holding, self.idle = False, 0.0
        self.shortened: float | None = None              # hold of every step instead of its own, as for a rehearsal
        self._by_idle = self._was_on = self._counting = False
        self._elapsed = self._from = 0.0
        self._recalls = 0
        self._cue: int | None = None                     # the step that timecode brought last

    @property
    def steps(self) -> list[Step]:
        """The steps of the set list's show."""
        recall = self.show.recall
        return recall.library.show if recall is not None and recall.has_library else []

    # -- the loop's side

    def play(self, tick) -> list:
        """Return the next look where it is its time; a freeze holds the count."""
        scene, recall = self.show.scene, self.show.recall
        if not scene[AUTO]:
            self._was_on = False
            return []
        if scene["/output/freeze"]:
            return []
        if not self.steps:
            log.warning("the set list has no show to go on with: setlist.yaml, schema: 2, show: ...; /set/add makes one")
            return self.show.mark_own([Change(AUTO, 0.0)])
        if not self._was_on:
            return self._begin()
        if recall.recalls != self._recalls:
            self._find_place()
        cue = self._find_cue()
        if cue is not None:
            came, self._cue = cue != self._cue, cue
            return self.go_to(cue) if came else []
        self._cue = None
        if self.holding:
            self._from += beats(scene, tick.dt)              # its time stands
            return []
        return self._follow() if self._is_due(tick.dt) else []

    def after_hands(self, tick, scene, motion, applied) -> list:
        """Return the set list's turn where nobody has touched anything for long, or its end where somebody does."""
        grabs = self.show.find_player("grabs")
        scene, moved = self.show.scene, self.show.touched or bool(grabs is not None and grabs.held)
        on = scene[AUTO] > 0.0
        self.idle = 0.0 if moved else self.idle + tick.dt
        self._by_idle = self._by_idle and on
        if moved and self._by_idle and not any(isinstance(item, Change) and item.address == AUTO for item in applied):
            log.info("a hand is back: the set list leaves it the show")
            return self.show.mark_own([Change(AUTO, 0.0)])
        if not on and scene[IDLE] and self.idle >= scene[IDLE] - NEARLY and self.steps and not self._is_locked():
            log.info("nobody has touched anything for %g s: the set list goes on by itself", scene[IDLE])
            self._by_idle = True
            return self.show.mark_own([Change(AUTO, 1.0)])
        return []

    def recover(self):
        """Stay at the present look, as it had a bug."""
        self.holding = True

    def _find_cue(self) -> int | None:
        """Return the step that the timecode has got to; None: none is followed, or no step waits for it, or it is before the first."""
        scene = self.show.scene
        if not scene["/timecode/signal"]:
            return None
        cues = [(step.cue, n) for n, step in enumerate(self.steps) if step.cue is not None and step.cue <= scene["/timecode"] + NEARLY]
        return max(cues)[1] if cues else None

    def _is_locked(self) -> bool:
        return any(lock in ("/set", AUTO) for lock in self.show.recall.locks)

    # -- time

    def _is_due(self, dt) -> bool:
        """Return whether the look has been held for its time, counted from the end of its morph."""
        show, quantiser = self.show, self.show.quantiser
        deck = show.find_player("deck")
        if show.recall.busy or deck is not None and deck.auto:
            self._counting = False
            return False
        if not self._counting:                               # it came to its end in the frame before
            self._counting, self._elapsed = True, 0.0
            self._from = round(quantiser.beat - beats(show.scene, dt))
        self._elapsed += dt
        self._from += quantiser.moved
        step = self.steps[self.at] if self.at is not None and self.at < len(self.steps) else Step(preset="")
        hold = step.hold if self.shortened is None else min(step.hold, self.shortened)
        if step.unit == "seconds":
            return self._elapsed >= hold - NEARLY
        return quantiser.beat - self._from >= hold * (BAR if step.unit == "bars" else 1) - NEARLY

    def measure_left(self) -> float | None:
        """Return how much is left of the look's time in its own unit; None where it does not count."""
        if not self.show.scene[AUTO] or self.at is None or self.at >= len(self.steps):
            return None
        step = self.steps[self.at]
        if not self._counting:
            return step.hold
        gone = self._elapsed if step.unit == "seconds" else (self.show.quantiser.beat - self._from) / (BAR if step.unit == "bars" else 1)
        return max(0.0, step.hold - gone)

    # -- which look

    def _begin(self) -> list:
        """Go on from the look that plays, if it is of the show, else from the first."""
        self._was_on, self.holding, self._counting = True, False, False
        self._recalls = self.show.recall.recalls
        if any(step.preset == self.show.recall.current for step in self.steps):
            self._find_place()
            return []
        return self.go_to(0)

    def _find_place(self):
        """Go on from the step of a look that a hand has recalled: the one with that look next after the present step."""
        self._recalls, self._counting = self.show.recall.recalls, False
        self.at = self._find_step(self.show.recall.current, self.at)

    def _find_step(self, name, at) -> int | None:
        """Return the step of a look next at or after this one, or this one where there is none."""
        count, start = len(self.steps), at or 0
        return next((n % count for n in range(start, start + count) if self.steps[n % count].preset == name), at)

    def _follow(self) -> list:
        """Return the look that the follow action of this step leads to."""
        step = self.steps[self.at] if self.at is not None and self.at < len(self.steps) else Step(preset="")
        action = step.then
        if step.chance:
            action = self.show.random.choices(list(step.chance), list(step.chance.values()))[0]
        if action == "stay":
            return []
        return self.go_to(self._find_next(action))

    def _find_next(self, action) -> int:
        """Return the step that an action leads to."""
        count, at = len(self.steps), -1 if self.at is None else self.at
        if action == "any":
            return self.show.random.randrange(count)
        if action == "other":
            others = [n for n in range(count) if n != at]
            return self.show.random.choice(others) if others else max(at, 0)
        places = {"next": (at + 1) % count, "previous": (max(at, 0) - 1) % count, "first": 0, "last": count - 1, "again": max(at, 0)}
        found = places.get(action)
        return found if found is not None else self._find_step(action, (at + 1) % count) or 0

    def find_coming(self) -> Step | None:
        """Return the step that will come next; None where that is not known, or no show runs."""
        steps = self.steps
        if not steps or self.at is None and not self.show.scene[AUTO]:
            return None
        here = steps[self.at] if self.at is not None and self.at < len(steps) else Step(preset="")
        if here.chance or here.then in ("any", "other"):
            return None
        return steps[self._find_next("next" if here.then in ("stay", "again") else here.then) if self.at is not None else 0]

    def go_on(self) -> list:
        """Return the next look now, however much time is left. A step that would stay goes to the next one."""
        steps = self.steps
        if not steps:
            raise UserError("the set list has no show: /set/add PRESET makes one, or setlist.yaml with schema: 2")
        if self.at is None or self.at >= len(steps) or not steps[self.at].chance and steps[self.at].then in ("stay", "again"):
            return self.go_to(self._find_next("next"))
        return self._follow() or self.go_to(self._find_next("next"))

    def go_to(self, index: int) -> list:
        """Return what brings a step's look; one that can't be read is passed over, and said."""
        recall, count = self.show.recall, len(self.steps)
        self._was_on, self._counting, self.holding = True, False, False
        for n in range(index, index + count):
            step = self.steps[n % count]
            try:
                items = (recall.recall_other(step.instrument, step.preset, step.morph) if step.instrument
                         else recall.recall(step.preset, morph=step.morph, by_hand=False))
            except UserError as error:
                log.warning("%s; passed over in the show", error)
                continue
            self.at, self._recalls = n % count, recall.recalls
            lanes = self.show.find_player("lanes")
            return [*items, *(lanes.follow(step.lanes) if lanes is not None else ())]
        log.warning("no look of the show can be read: the one that plays stays")
        self._counting = True
        self._elapsed, self._from = 0.0, self.show.quantiser.beat
        return []
