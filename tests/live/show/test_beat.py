"""The beat: part of the motion, so that takes replay it, and the performer's, so that no look brings one back."""
import pytest

from engine.motion import Motion
from live.show.events import Change
from live.takes.take import TakeReader
from tests.live.memory_rig import FPS, Rig, scenes_of


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.close()


class Plays:
    """A player that applies what it is given, once each frame."""

    def __init__(self, *items):
        self.items = [list(item) for item in items]

    def play(self, tick):
        return self.items.pop(0) if self.items else []

    def after_hands(self, tick, scene, motion, applied):
        return []


def test_it_counts_the_tempo_and_its_nudge(instrument):
    scene = instrument.scene().set([Change("/tempo", 90.0)])
    assert Motion().advance(scene, 2.0).beat == pytest.approx(3.0)
    assert Motion(beat=1.0).advance(scene.set([Change("/tempo/nudge", 0.1)]), 2.0).beat == pytest.approx(4.3)


def test_a_freeze_holds_the_walk_and_not_the_music(instrument):
    frozen = Motion().advance(instrument.scene().set([Change("/output/freeze", 1.0)]), 0.25)
    assert frozen.beat == pytest.approx(0.5) and frozen.walk == 0.0


def test_a_walk_that_counts_in_beats_goes_as_far_as_the_beat(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "circle"), Change("/walk/unit", "beats"), Change("/walk/period", 8.0),
                                    Change("/tempo", 133.0), Change("/tempo/nudge", -0.2)])
    motion = Motion()
    for _ in range(50):
        motion = motion.advance(scene, 0.031)
    assert motion.walk == pytest.approx(motion.beat / 8.0)


def test_a_recall_an_undo_and_a_comparison_leave_the_beat_alone(rig):
    rig.play(10)
    rig.send("/preset/store", "early")
    rig.play(10)
    for address, *values in (("/preset/recall", "early"), ("/undo",), ("/compare",), ("/preset/recall", "early", 0.1)):
        rig.send(address, *values)
        before = rig.show.motion.beat
        rig.play(5)
        assert rig.show.motion.beat == pytest.approx(before + 5 * 120 / 60 / FPS), address


def test_a_beat_set_while_a_morph_leads_is_kept(rig):
    rig.send("/preset/store", "here")
    rig.send("/walk/seed", 7.0)
    rig.play(2)
    rig.send("/preset/recall", "here", 1.0)
    rig.play(3)
    rig.show.players.append(Plays([Motion(beat=100.0)]))
    rig.play(2)
    assert rig.show.motion.beat == pytest.approx(100.0 + 2 * 2 / FPS)


def test_a_recall_that_waits_for_the_bar_is_let_go_by_a_downbeat_set_elsewhere(rig):
    rig.send("/preset/store", "here")
    rig.send("/quantise", "bar")
    rig.play(12)
    rig.send("/preset/recall", "here")
    rig.send("/truncation", 0.3)
    rig.play(3)
    assert rig.show.scene["/truncation"] == 0.3
    rig.show.players.append(Plays([Motion(beat=0.0)]))
    rig.play(3)
    assert rig.show.scene["/truncation"] != 0.3


def test_a_take_replays_a_beat_that_was_set_and_nudged(rig, tmp_path):
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(3)
    rig.show.players.append(Plays([Change("/tempo", 97.3), Change("/tempo/nudge", 0.03)], [Motion(beat=12.25)]))
    rig.play(4)
    beat = rig.show.motion.beat
    rig.close()
    assert beat > 12.25
    *_, (_, motion, _) = scenes_of(TakeReader(tmp_path / "a.take", rig.base), rig.show)
    assert motion.beat == beat
