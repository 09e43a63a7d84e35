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

    def push(self, step: Step):
        self.done.append(step)
        self.undone.clear()

    def heard(self, time: float, scene: Scene, motion: Motion, applied: list):
        """What hands just did to this scene and motion becomes a step, or part of the last one."""
        if not applied:
            return
        if all(isinstance(item, Change) for item in applied):
            self._turned(time, scene, applied)
        else:
            self.push(Step([scene, motion], list(applied)))

    def _turned(self, time, scene, changes):
        addresses = frozenset(change.address for change in changes)
        last = self.done[-1] if self.done else None
        if last is not None and last.addresses == addresses and time - last.time < ONE_TURN and not self.undone:
            last.after, last.time = list(changes), time
            return
        before = [Change(address, scene[address]) for address in addresses]
        self.push(Step(before, list(changes), addresses=addresses, time=time))

    def back(self) -> list:
        """What to apply to take the last step back; nothing if there is none."""
        return self._move(self.done, self.undone, 0)

    def again(self) -> list:
        """The same for the last step taken back."""
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
