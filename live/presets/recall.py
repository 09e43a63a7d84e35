"""Going to looks: presets at once or by a morph, the pad, A and B, undo, locks. A player of the loop.

What it decides goes through the loop as changes, scenes and motions, and so into takes. Knows no tensors.
"""
from contextlib import suppress

from engine.errors import UserError
from engine.motion import Motion
from engine.scene import Scene
from live.presets.library import Library
from live.presets.morph import Manner, Morph, Pad
from live.presets.preset import apply_preset, make_preset
from live.presets.undo import Step, Undo
from live.show.events import Change
from live.show.parameters import keep_masters
from live.show.threads import make_thread

LIKELY = 12                         # presets that are made ready for


class Recall:
    """show: the Show it plays in. library: its presets, or None.

    current, cued: names of presets. recalls: how often one was gone to. bank: the bank that numbers and steps go through. mapping: files played with, for the
    record. locks: addresses that no recall moves. corners: names of the pad's presets. slots: (scene, motion) of A and B.
    """

    def __init__(self, show, library: Library | None = None):
        self.show, self._library = show, library
        self.undo = Undo()
        self.locks: tuple[str, ...] = ()
        self.current: str | None = None
        self.recalls = 0
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

    def list_scenes(self, most: int = LIKELY):
        """Yield the scenes of so many presets at most, in the set list's order, as they would be gone to from here; what can't be read is left out."""
        for name in self.library.list_names()[:most] if self.has_library else ():
            with suppress(UserError):
                yield apply_preset(self.library.peek(name), self.show.scene, self.show.motion)[0]

    def use_library(self, library: Library):
        """Have the presets of another instrument; what led and what could be undone was of the old one."""
        if self._library is not None:
            make_thread("presets end", self._library.close).start()
        self._library, self.current, self.cued = library, None, None
        self.forget()

    def forget(self):
        """Forget what leads and what could be undone: it was of another network than plays now."""
        self.undo = Undo()
        self.morph = self.pad = self._next = self._since = None
        self.corners, self.slots, self.slot = [None] * 4, [None, None], 0

    @property
    def has_library(self) -> bool:
        """Whether there are presets."""
        return self._library is not None

    @property
    def busy(self) -> bool:
        """Whether the picture is on its way: a morph or the pad leads it, or another network comes."""
        return self.leading or self.show.switch is not None and self.show.switch.is_busy

    @property
    def leading(self) -> bool:
        """Whether a morph or the pad sets the parameters."""
        return bool(self.morph or self._next or self.pad)

    # -- the loop's side

    def play(self, tick) -> list:
        """Return the changes of the morph in this frame; a freeze holds it."""
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
        """Note what the hands just did, for undo; returns the pad's changes."""
        by_hand = [item for item in applied if not self.show.is_own(item)]
        if by_hand:
            self._note(tick, scene, motion, by_hand)
        return self._play_pad(tick.dt)

    def recover(self):
        """Stop the morph or pad in progress, as it had a bug."""
        self.stop_leading()

    def stop_leading(self):
        """Let go of the morph and the pad: the picture stays where they have got to."""
        self.morph = self.pad = self._next = None

    def _note(self, tick, scene, motion, by_hand):
        changes = [item for item in by_hand if isinstance(item, Change)]
        self.undo.note(tick.time, scene, motion, by_hand)
        if len(changes) < len(by_hand):
            self.morph = self._next = self.pad = None            # someone else has put another scene in place
        elif self.morph:
            for change in changes:
                self.morph.release(change.address)

    def _play_pad(self, dt) -> list:
        """Return the pad's changes, unless a morph or a freeze comes before it."""
        scene, motion = self.show.scene, self.show.motion
        if not scene["/pad/on"]:
            self.pad = None
        if not scene["/pad/on"] or self.morph or self._next or scene["/output/freeze"]:
            return []
        if self.pad is None:
            self.pad = Pad([self.find_target(name) if name else (scene, motion) for name in self.corners])
        return self.pad.play(dt, scene, motion)

    # -- what commands and the start of a show do

    def begin_with(self, name: str):
        """Start the show at a preset. UserError: there is no such preset, or what is wrong with it."""
        self.current = self.library.find_name(name)
        if self._is_led(preset := self.library.peek(self.current)):
            self.show.switch.recall_look(self.current, preset, Manner(), True)
        else:
            self.show.scene, self.show.motion = self.find_target(self.current)

    def recall(self, name: str, seconds=None, morph=None, by_hand=True) -> list:
        """Go to a preset, in this frame or as a morph; returns what to apply. While the decks are on it is loaded on the one that is not seen.

        morph: how, instead of the preset's own way. by_hand: whether undo takes it back.
        """
        preset = self.library.peek(name)
        way = morph or preset.morph
        manner = Manner.of(self.show.scene, way, seconds)
        if self._is_led(preset):
            self.arrive(name)
            self.show.switch.recall_look(name, preset, manner, seconds is not None or way.seconds is not None or way.beats is not None, by_hand)
            return []
        deck = self.show.find_player("deck")
        self.recalls += 1
        if deck is not None and self.show.scene["/deck/on"]:
            deck.load(deck.unseen, name, by_hand)
            self.current, self.cued = name, None
            return [] if by_hand else deck.start_auto(manner)
        self.current, self.cued = name, None
        time = "" if manner.cuts else f" over {manner.beats:g} beats" if manner.beats > 0 else f" over {manner.seconds:g} s"
        self.show.notices.tell(f"preset {name}{time}", "preset")
        return self.go(self.find_target(name), manner, preset.holds, f"preset {name}", by_hand)

    def recall_other(self, where: str, name: str, morph=None) -> list:
        """Go to a look of another instrument's own, as a step of the set list asks for; returns what to apply. UserError: this show plays one instrument."""
        if self.show.switch is None:
            raise UserError(f"{name} of {where}: this show plays one instrument")
        self.recalls += 1
        asked = morph is not None and (morph.seconds is not None or morph.beats is not None)
        self.show.switch.recall_other(where, name, Manner.of(self.show.scene, morph), asked)
        return []

    def arrive(self, name: str):
        """Note that a preset has been gone to."""
        self.recalls += 1
        self.current, self.cued = name, None

    def find_next(self) -> str | None:
        """Return the preset after the one that plays, in the order of the set list; None without presets."""
        names = self.library.list_names(self.bank)
        return names[(names.index(self.current) + 1) % len(names)] if self.current in names else names[0] if names else None

    def _is_led(self, preset) -> bool:
        """Return whether going to a preset is for the switch: it is of another network."""
        return self.show.switch is not None and self.show.switch.leads(preset)

    def find_target(self, name: str) -> tuple[Scene, Motion]:
        """Return the scene and motion that recalling a preset leads to. UserError: there is none, or what is wrong with it."""
        show, preset = self.show, self.library.read(name)
        if show.switch is not None and not show.switch.is_of_playing(preset):
            raise UserError(f"preset {name} is of {preset.instrument or 'another network'}, which does not play: /preset/recall goes to both")
        scene, motion = self.morph.find_target(show.scene) if self.morph else (show.scene, show.motion)
        return apply_preset(preset, scene, motion, self.locks)

    def go(self, target: tuple[Scene, Motion], manner: Manner = Manner(), holds=lambda address: True, about="",
           by_hand=True) -> list:
        """Go to a scene and motion; undoable by hand. holds(address): whether the value there is decided by it. about: what undo calls it."""
        show = self.show
        if show.weights:
            show.weights.release(holds)
        if by_hand:
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
        before = library.peek(name) if name in library.list_names() else None
        about = {"morph": before.morph, "about": before.about} if before else {}
        own = self.show.switch.describe_network() if self.show.switch else {"instrument": library.instrument, "generator": library.generator}
        preset = make_preset(self.show.scene, self.show.motion, sections, mapping=self.mapping, **own, **about)
        library.store(name, preset)
        self.current = name
        what = f"preset {name} {'overwritten' if before else 'stored'}"
        self.undo.push(Step([], [], (lambda: library.store(name, before), lambda: library.store(name, preset)), about=what))
        self.show.notices.tell(f"{what}; /undo brings the old one back" if before else what, f"store {name}")

    def step_back(self, again=False) -> list:
        """Undo, or redo; returns what to apply."""
        if self.show.weights:
            self.show.weights.release()
        self.morph = self._next = None
        steps = self.undo.undone if again else self.undo.done
        self.show.notices.tell(f"{'done again' if again else 'undone'}: {steps[-1]}" if steps else f"nothing to {'do again' if again else 'undo'}", "undo")
        items = self.undo.redo() if again else self.undo.undo()
        return self.show.mark_own([keep_masters(item, self.show.scene) if isinstance(item, Scene) else self._keep_time(item) for item in items])

    def compare(self) -> list:
        """Go to the other of A and B; the first time, B begins as a copy of A."""
        self.slots[self.slot] = here = self.show.scene, self.show.motion
        self.slot = 1 - self.slot
        target = self.slots[self.slot] or here
        return self.go((keep_masters(target[0], self.show.scene), self._keep_time(target[1])))

    def _keep_time(self, item):
        """Return a motion from another time at the beat there is now; a change as it is."""
        return item.put_in_place(self.show.motion) if isinstance(item, Motion) else item

    def close(self):
        """End of the show: everything reaches the disk."""
        if self._library is not None:
            self._library.close()
