"""Going to looks: presets at once or by a morph, the pad, A and B, undo, locks. A player of the loop.

What it decides goes through the loop as changes, scenes and motions, and so into takes. Knows no tensors.
"""
from engine.errors import UserError
from engine.motion import Motion
from engine.scene import Scene
from live.presets.library import Library
from live.presets.morph import Manner, Morph, Pad
from live.presets.preset import captured, recalled
from live.presets.undo import Step, Undo
from live.show.events import Change
from live.show.parameters import masters_kept


class Recall:
    """show: the Show it plays in. library: its presets, or None.

    current, cued: names of presets. bank: the bank that numbers and steps go through. mapping: files played with, for the
    record. locks: addresses that no recall moves. corners: names of the pad's presets. slots: (scene, motion) of A and B.
    """

    def __init__(self, show, library: Library | None = None):
        self.show, self._library = show, library
        self.undo = Undo()
        self.locks: tuple[str, ...] = ()
        self.current: str | None = None
        self.cued: str | None = None
        self.bank, self.mapping = "", ""
        self.morph: Morph | None = None
        self.pad: Pad | None = None
        self.corners: list[str | None] = [None] * 4
        self.slots: list[tuple[Scene, Motion] | None] = [None, None]
        self.slot = 0
        self._since: Motion | None = None
        self._next: tuple | None = None              # the motion the last morph began at; (target, manner) of the next one

    @property
    def library(self) -> Library:
        """The presets of this show. UserError: it has none."""
        if self._library is None:
            raise UserError("this show has no folder of presets")
        return self._library

    @property
    def has_library(self) -> bool:
        """Whether there are presets."""
        return self._library is not None

    @property
    def leading(self) -> bool:
        """Whether a morph or the pad sets the parameters."""
        return bool(self.morph or self._next or self.pad)

    # -- the loop's side

    def play(self, tick) -> list:
        """Return what the morph does in this frame; a freeze holds it."""
        scene, motion = self.show.scene, self.show.motion
        if scene["/output/freeze"]:
            return []
        if self._next:
            target, manner = self._next
            self.morph, self._next = Morph(scene, motion, target, manner, self.morph, self._since), None
            self._since = motion
        if self.morph is None:
            return []
        items = self.morph.play(tick.dt, scene, motion)
        if self.morph.over:
            self.morph = None
        return items

    def after_hands(self, tick, scene: Scene, motion: Motion, applied: list) -> list:
        """Take down what the hands just did; returns what the pad makes of it."""
        by_hand = [item for item in applied if not self.show.is_own(item)]
        if by_hand:
            self._note(tick, scene, motion, by_hand)
        return self._under_pad(tick.dt)

    def recover(self):
        """Let go of whatever leads: it had a bug."""
        self.morph = self.pad = self._next = None

    def _note(self, tick, scene, motion, by_hand):
        changes = [item for item in by_hand if isinstance(item, Change)]
        self.undo.heard(tick.time, scene, motion, by_hand)
        if len(changes) < len(by_hand):
            self.morph = self._next = self.pad = None            # someone else has put another scene in place
        elif self.morph:
            for change in changes:
                self.morph.release(change.address)

    def _under_pad(self, dt) -> list:
        """Return what the pad does, unless a morph or a freeze has the picture."""
        scene, motion = self.show.scene, self.show.motion
        if not scene["/pad/on"]:
            self.pad = None
        if not scene["/pad/on"] or self.morph or self._next or scene["/output/freeze"]:
            return []
        if self.pad is None:
            self.pad = Pad([self._target(name) if name else (scene, motion) for name in self.corners])
        return self.pad.play(dt, scene, motion)

    # -- what commands and the start of a show do

    def begin_with(self, name: str):
        """Start the show at a preset. UserError: there is no such preset, or what is wrong with it."""
        self.current = self.library.name_of(name)
        self.show.scene, self.show.motion = self._target(self.current)

    def recall(self, name: str, seconds=None) -> list:
        """Go to a preset, in this frame or as a morph; returns what to apply."""
        preset = self.library.read(name)
        manner = Manner.of(self.show.scene, preset.morph, seconds)
        self.current, self.cued = name, None
        time = "" if manner.cuts else f" over {manner.beats:g} beats" if manner.beats > 0 else f" over {manner.seconds:g} s"
        self.show.told.tell(f"preset {name}{time}", "preset")
        return self.go(self._target(name), manner, preset.holds, f"preset {name}")

    def _target(self, name):
        show = self.show
        scene, motion = self.morph.aim(show.scene) if self.morph else (show.scene, show.motion)
        return recalled(self.library.read(name), scene, motion, self.locks)

    def go(self, target: tuple[Scene, Motion], manner: Manner = Manner(), holds=lambda address: True, about="") -> list:
        """Go to a scene and motion; undoable. holds(address): whether the value there is decided by it. about: what undo calls it."""
        show = self.show
        if show.weights:
            show.weights.leave(holds)
        self.undo.push(Step([show.scene, show.motion], list(target), about=about))
        pad = [Change("/pad/on", 0.0)] if show.scene["/pad/on"] else []
        self.pad = None
        if not manner.cuts:
            self._next = target, manner
            return show.mark_own(pad)
        self.morph = self._next = self._since = None
        return show.mark_own([*target, *pad])

    def store(self, name: str, sections=()):
        """Make a preset of what is playing. Overwriting keeps how it is gone to, and can be undone.

        UserError: the one there is can't be read, so what is in it could not be brought back.
        """
        library = self.library
        before = library.read(name) if name in library.names() else None
        about = {"morph": before.morph, "about": before.about} if before else {}
        preset = captured(self.show.scene, self.show.motion, sections, instrument=library.instrument,
                          generator=library.generator, mapping=self.mapping, **about)
        library.keep(name, preset)
        self.current = name
        what = f"preset {name} {'overwritten' if before else 'stored'}"
        self.undo.push(Step([], [], (lambda: library.keep(name, before), lambda: library.keep(name, preset)), about=what))
        self.show.told.tell(f"{what}; /undo brings the old one back" if before else what, f"store {name}")

    def step_back(self, again=False) -> list:
        """Undo, or redo; returns what to apply."""
        if self.show.weights:
            self.show.weights.leave()
        self.morph = self._next = None
        steps = self.undo.undone if again else self.undo.done
        self.show.told.tell(f"{'done again' if again else 'undone'}: {steps[-1]}" if steps else f"nothing to {'do again' if again else 'undo'}", "undo")
        items = self.undo.again() if again else self.undo.back()
        return self.show.mark_own([masters_kept(item, self.show.scene) if isinstance(item, Scene) else self._in_time(item) for item in items])

    def compare(self) -> list:
        """Go to the other of A and B; the first time, B begins as a copy of A."""
        self.slots[self.slot] = here = self.show.scene, self.show.motion
        self.slot = 1 - self.slot
        target = self.slots[self.slot] or here
        return self.go((masters_kept(target[0], self.show.scene), self._in_time(target[1])))

    def _in_time(self, item):
        """Return a motion from another time at the beat there is now; a change as it is."""
        return item.among(self.show.motion) if isinstance(item, Motion) else item

    def close(self):
        """End of the show: everything reaches the disk."""
        if self._library is not None:
            self._library.close()
