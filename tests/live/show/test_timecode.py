"""The clock of timecode: jitter, a frame that is off, jumps, midnight, silence, and one source at a time."""
import pytest

from live.show.timecode import TimecodeClock
from tests.live.memory_rig import Rig


class Desk:
    """A show with a clock that is set by hand."""

    def __init__(self, folder):
        self.rig, self.moment = Rig(folder), 100.0
        self.clock = TimecodeClock(self.rig.show, now=lambda: self.moment)
        self.rig.show.join(timecode=self.clock)

    def play(self, seconds, at=None, source="LTC", fps=25, jitter=(0.0,)):
        """Run so long, with timecode from `at` on if that is said."""
        for n in range(round(seconds * fps)):
            self.moment += 1 / fps
            if at is not None:
                self.clock.receive(source, (at + (n + 1) / fps) % 86400, self.moment + jitter[n % len(jitter)])
            self.rig.play(1)
        return self.scene["/timecode"]

    @property
    def scene(self):
        return self.rig.show.scene


@pytest.fixture
def desk(tmp_path):
    found = Desk(tmp_path)
    yield found
    found.rig.close()


def test_timecode_is_followed_and_goes_on_for_two_seconds(desk):
    assert desk.play(1.0) == 0.0 and desk.scene["/timecode/signal"] == 0
    assert desk.play(2.0, at=3600.0) == pytest.approx(3602.0, abs=1e-3) and desk.scene["/timecode/signal"] == 1
    assert desk.play(1.0) == pytest.approx(3603.0, abs=1e-3) and desk.scene["/timecode/signal"] == 1
    stays = desk.play(2.0)
    assert stays == pytest.approx(3604.0, abs=0.05) and desk.scene["/timecode/signal"] == 0
    assert desk.play(3.0) == stays
    assert desk.play(1.0, at=50.0) == pytest.approx(51.0, abs=1e-3)


def test_jitter_is_smoothed(desk):
    desk.play(4.0, at=10.0, jitter=(0.0, 0.012, -0.008, 0.004))
    assert desk.scene["/timecode"] == pytest.approx(14.0, abs=0.008)


def test_one_frame_that_is_off_is_left_out_and_two_are_a_jump(desk):
    desk.play(1.0, at=10.0)
    desk.clock.receive("LTC", 5000.0, desk.moment)
    assert desk.play(0.2, at=11.0) == pytest.approx(11.2, abs=1e-3)
    assert desk.play(0.08, at=200.0) == pytest.approx(200.08, abs=1e-3)


def test_midnight_is_no_jump(desk):
    assert desk.play(2.0, at=86399.0) == pytest.approx(1.0, abs=1e-3)


def test_another_source_waits_until_the_first_is_silent(desk):
    desk.play(1.0, at=10.0)
    for _ in range(3):
        desk.clock.receive("MTC", 70.0, desk.moment)
        desk.play(0.04, at=desk.scene["/timecode"])
    assert desk.scene["/timecode"] == pytest.approx(11.12, abs=1e-2)
    desk.play(2.5)
    assert desk.play(1.0, at=70.0, source="MTC") == pytest.approx(71.0, abs=1e-3) and desk.clock.source == "MTC"


def test_a_place_that_stands_still(desk):
    """As a machine says that is wound to a place."""
    desk.play(1.0, at=10.0)
    desk.clock.receive("LTC", 500.0, desk.moment, running=False)
    assert desk.play(1.0) == 500.0
    assert desk.play(0.04, at=500.0) == pytest.approx(500.04, abs=1e-3)
