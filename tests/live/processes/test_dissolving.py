"""An output's process, in this one: what it shows while its renderer dies and another begins. SURFACE.md O.1."""
import numpy as np
import pytest

from live.outputs.spec import OutputSpec
from live.processes import output as output_module
from live.processes import ring
from live.processes.frames import Frames
from live.processes.output import OutputProcess
from live.show.child import SPAWN


class Target:
    """An output that notes what it is given."""
    sent = dropped = 0

    def __init__(self):
        self.levels, self.framing = [], None

    def put(self, picture):
        self.levels.append(int(picture.pixels[0, 0, 0]))


class Stage:
    """The process under test, its orders and a clock that is set by hand."""

    def __init__(self, monkeypatch):
        self.frames, self.target, self.moment = Frames(1), Target(), 100.0
        self.frames.resize(8, 8)
        self.link, theirs = SPAWN.Pipe()
        monkeypatch.setattr(output_module, "now", lambda: self.moment)
        self.process = OutputProcess(OutputSpec("wall", "window"), 0, self.frames.pipes[0][0], theirs, self.target)
        self.writer = self.renderer()
        self.link.send(("frames", self.frames.name))

    def renderer(self):
        """A new one, which draws into the memory that is there."""
        return ring.Writer(self.frames.name, {0: self.frames.pipes[0][1]})

    def turns(self, until):
        """Let the process turn until it has shown so many pictures, or a few times; returns them."""
        for _ in range(60):
            if len(self.target.levels) >= until:
                break
            self.process.run_once()
        shown, self.target.levels = self.target.levels, []
        return shown

    def draw(self, level):
        self.writer.put(np.full((8, 8, 3), level, np.uint8), self.moment)


@pytest.fixture
def stage(monkeypatch):
    found = Stage(monkeypatch)
    yield found
    found.writer.close()
    found.process.frames.close()
    found.frames.close()


def test_the_first_picture_after_a_death_is_dissolved_to_even_without_a_second_one(stage):
    stage.draw(40)
    assert stage.turns(1) == [40]
    stage.link.send(("anew", stage.frames.name, stage.frames.segment.published))
    stage.moment += 3
    assert stage.turns(1) == []                          # nothing new: the picture stays up, and nothing is drawn
    stage.writer.close()
    stage.writer = stage.renderer()
    stage.draw(240)
    assert stage.turns(1) == [40]
    stage.moment += 0.35
    assert stage.turns(1) == pytest.approx([140], abs=1)
    stage.moment += 1
    assert stage.turns(1) == [240]
    assert stage.turns(1) == []


def test_a_last_picture_of_the_dead_one_that_comes_late_is_not_what_is_dissolved_to(stage):
    stage.draw(40)
    stage.turns(1)
    stage.draw(80)                                       # published, and not shown yet
    stage.link.send(("anew", stage.frames.name, stage.frames.segment.published))
    assert stage.turns(1) == [80]
    stage.draw(200)
    assert stage.turns(1) == [80]


def test_another_size_is_dissolved_to_as_well(stage):
    stage.draw(40)
    stage.turns(1)
    stage.link.send(("anew", stage.frames.name, stage.frames.segment.published))
    stage.writer.close()
    stage.frames.resize(16, 16)
    stage.link.send(("frames", stage.frames.name))
    stage.writer = stage.renderer()
    stage.writer.put(np.full((16, 16, 3), 240, np.uint8), 0.0)
    assert stage.turns(1) == [40]
