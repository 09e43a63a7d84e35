"""Undo and redo of what hands did. Remembers scenes and what files were; knows no files and no clock."""
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.motion import Motion
from engine.scene import Scene
from live.show.events import Change

REMEMBERED = 500
ONE_TURN = 1.0                      # seconds: a knob turned without a longer rest is one step


@dataclass
class Step:
    """before, after: what to apply to undo or redo it. files: the same for what is on the disk. about: what it was, for the performer."""
    before: list
    after: list
    files: tuple[Callable, Callable] | None = None
    addresses: frozenset = frozenset()
    time: float = 0.0
    about: str = ""

    def __str__(self):
        return self.about or ", ".join(sorted(self.addresses)[:3]) or "a change of the whole look"


@dataclass
class Undo:
    done: deque = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    undone: list = field(default_factory=list)
    held: frozenset = frozenset()                        # addresses that fingers lie on
    _touch: Step | None = None                           # the step of the fingers that lie there now

    def hold(self, addresses: frozenset):
        """Begin to gather one step for these addresses, on which fingers lie until they are lifted."""
        if not addresses & self.held:
            self._touch = None
        if addresses - self.held and self.done and self.done[-1] is not self._touch:
            self.done[-1].addresses = frozenset()        # what was turned before is another step
        self.held = addresses

    def push(self, step: Step):
        self.done.append(step)
        self.undone.clear()

    def note(self, time: float, scene: Scene, motion: Motion, applied: list):
        """Make a step of what hands just did to this scene and motion, or add it to the last one."""
        if not applied:
            return
        if all(isinstance(item, Change) for item in applied):
            self._note_turns(time, scene, applied)
        else:
            self.push(Step([scene, motion], list(applied)))

    def _note_turns(self, time, scene, changes):
        addresses = frozenset(change.address for change in changes)
        last = self.done[-1] if self.done else None
        if addresses <= self.held:
            self._note_drag(time, scene, changes, last)
            return
        if last is not None and last.addresses == addresses and time - last.time < ONE_TURN and not self.undone:
            last.after, last.time = list(changes), time
            return
        self.push(_find_turns(time, scene, changes))

    def _note_drag(self, time, scene, changes, last):
        """Add changes by fingers to the step of what they lie on."""
        if self._touch is None or last is not self._touch or self.undone:
            self._touch = _find_turns(time, scene, changes)
            self.push(self._touch)
            return
        now = {change.address: change for change in [*last.after, *changes]}
        last.before += [Change(address, scene[address]) for address in now if address not in last.addresses]
        last.after, last.time, last.addresses = list(now.values()), time, frozenset(now)

    def undo(self) -> list:
        """Return what to apply to take the last step back; nothing if there is none."""
        return self._move(self.done, self.undone, 0)

    def redo(self) -> list:
        """Return the same for the last step taken back."""
        return self._move(self.undone, self.done, 1)

    def _move(self, source, target, which):
        if not source:
            return []
        step = source.pop()
        step.about, step.addresses = str(step), frozenset()                     # a knob turned next is a step of its own
        target.append(step)
        if step.files:
            step.files[which]()
        return list((step.before, step.after)[which])


def _find_turns(time, scene, changes) -> Step:
    """Return the step of knobs turned in this scene."""
    addresses = frozenset(change.address for change in changes)
    return Step([Change(address, scene[address]) for address in addresses], list(changes), addresses=addresses, time=time)
