"""Outputs that have two processes each: where one of them ends or hangs, the other has the picture up already.

Of a full-screen window both lie on the same display, one over the other, so that nothing else is ever seen there. Of a
window that is smaller the second one stays unseen until it is needed. Knows what the processes say, and no window system.
"""
from dataclasses import dataclass
from typing import Any

from live.outputs.spec import OutputSpec
from live.processes.ring import READERS
from live.show.child import Child


def list_readers(specs: list[OutputSpec], doubled: frozenset[str]) -> list[OutputSpec]:
    """Return the output of each reader of the shared frames: all of them, then those that are doubled again, as far as there is room."""
    return [*specs, *(spec for spec in specs if spec.name in doubled)][:max(len(specs), READERS)]


@dataclass
class OutputChild(Child):
    """The process of an output. reader: its place among the readers of the frames. pair: of which it is one, None for a single one."""
    reader: int = 0
    pair: "Pair | None" = None


class Pair:
    """Two processes of one window. front: the one that counts; the other does what it does, and is ready to go on alone.

    place: where the front's window is, as it says itself: see Window.report. None before it has said so.
    """

    def __init__(self, first: OutputChild, second: OutputChild):
        self.front, self._other = first, second
        self.place: tuple | None = None
        first.pair = second.pair = self

    @property
    def back(self) -> OutputChild:
        """The one that stands in."""
        return self._other

    @property
    def is_covered(self) -> bool:
        """Whether the front one may end and nobody sees it: it fills its display, and so does the other one, behind it."""
        return bool(self.place and self.place[1]) and self.front.running and self.back.running and self.back.spoken

    def may_start(self, child: OutputChild) -> bool:
        """Return whether it is time to start a process that is due: the second one waits until the first one is open."""
        return child is self.front or self.front.running and self.front.spoken

    def brief(self, child: OutputChild):
        """Tell a process that has just begun which of the two it is."""
        child.send(("come_front",) if child is self.front else ("stand_in", self.place))
        self._uncover()

    def note(self, child: OutputChild, report: dict[str, Any]):
        """Take down the report of a process about its window. The other window follows it, and rests while it is known to lie behind."""
        if child is self.front and report.get("place") not in (None, self.place):
            self.place = report["place"]
            self.back.send(("stand_in", self.place))
            self._uncover()
        if report.get("focused"):
            self._other_of(child).send(("cover", True))
            child.send(("cover", False))

    def replace(self, child: OutputChild) -> bool:
        """Let the other one go on alone, as this one has ended; returns whether the picture is up all the same."""
        self._uncover()
        if child is self.front and self.back.running:
            self.front, self._other = self.back, self.front
            self.front.send(("come_front",))
        return self.front is not child and self.front.running and self.front.spoken

    def _uncover(self):
        for child in (self.front, self.back):
            child.send(("cover", False))

    def _other_of(self, child) -> OutputChild:
        return self.back if child is self.front else self.front
