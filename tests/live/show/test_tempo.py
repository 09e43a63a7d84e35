"""The tempo from outside: a clock with jitter followed, taps counted, and all of it in takes."""
import random

import numpy as np
import pytest

from engine.errors import UserError
from engine.instrument import Frame
from engine.motion import Motion
from live.show import tempo, tempo_commands  # noqa: F401  (its commands)
from live.show.tempo import Follower, Tempo
from live.takes.take import TakeReader
from tests.live.memory_rig import FPS, Rig, scenes_of


def ticks(bpm, seconds, start=10.0, jitter=0.0026, seed=1):
    """Times of a clock's ticks with the jitter that was measured through JACK."""
    chance, step = random.Random(seed), 60 / bpm / 24
    return [start + n * step + chance.gauss(0, jitter) for n in range(int(seconds / step))]


class Still:
    """An instrument that draws nothing: these shows are long."""
    frame = Frame(np.zeros((2, 2, 3), np.uint8), 0)

    def render(self, scene, motion, source=None):
        return self.frame


class Band:
    """A show whose time goes by at FPS, and a clock that plays along."""

    def __init__(self, folder):
        self.rig, self.moment = Rig(folder), 10.0
        self.rig.show.instrument = Still()
        self.tempo = Tempo(self.rig.show, now=lambda: self.moment)
        self.rig.show.join(tempo=self.tempo)
        self.waiting = []

    def sends(self, *messages):
        """(kind, at, value) still to come."""
        self.waiting = sorted([*self.waiting, *messages], key=lambda message: message[1])

    def clock(self, bpm, seconds, **more):
        self.sends(*(("clock", at, 0) for at in ticks(bpm, seconds, **{"start": self.moment + 1e-3, **more})))

    def play(self, seconds):
        """Play; returns (moment, bpm, beat) of each frame."""
        found = []
        for _ in range(round(seconds * FPS)):
            self.moment += 1 / FPS
            while self.waiting and self.waiting[0][1] <= self.moment:
                kind, at, value = self.waiting.pop(0)
                self.tempo.receive_clock(kind, at, value, "Box")
            self.rig.play()
            found.append((self.moment, self.rig.show.scene["/tempo"], self.rig.show.motion.beat))
        return found


@pytest.fixture
def band(tmp_path):
    band = Band(tmp_path)
    band.rig.play()
    yield band
    band.rig.close()


@pytest.mark.parametrize("bpm", [61.0, 128.0, 174.3])
@pytest.mark.parametrize("jitter", [0.0, 0.0026, 0.005])
def test_the_tempo_is_known_after_two_bars(bpm, jitter):
    follower = Follower()
    for at in ticks(bpm, 8 * 60 / bpm, jitter=jitter):
        follower.take_message("clock", at)
    assert follower.predict(at)[0] == pytest.approx(bpm, abs=0.3)


def test_the_beat_keeps_step_for_minutes(band):
    """Drift of the beat against the true one, frame by frame."""
    start = band.moment + 0.1
    band.sends(("start", start - 0.01, 0))
    band.clock(128.0, 60.0, start=start)
    found = band.play(60.0)
    drift = [(beat - (at - start) * 128 / 60) * 60 / 128 for at, _, beat in found if 4.0 < at - start < 59.0]
    assert max(map(abs, drift)) < 0.020
    assert all(bpm == pytest.approx(128.0, abs=0.3) for at, bpm, _ in found if 4.0 < at - start < 59.0)


def test_a_start_is_beat_nought_and_songpos_says_where_a_continue_is(band):
    band.clock(120.0, 20.0, jitter=0.0)
    band.play(3.0)
    band.sends(("stop", band.moment + 0.01, 0), ("start", band.moment + 0.02, 0))
    assert band.play(1.0)[-1][2] == pytest.approx(2.0, abs=0.15)
    band.sends(("stop", band.moment, 0), ("songpos", band.moment + 0.01, 64), ("continue", band.moment + 0.02, 0))
    assert band.play(1.0)[-1][2] == pytest.approx(18.0, abs=0.15)
    band.sends(("stop", band.moment, 0), ("continue", band.moment + 0.5, 0))
    assert band.play(1.0)[-1][2] == pytest.approx(19.0, abs=0.2)           # goes on from where it was stopped


def test_joined_in_the_middle_the_beat_does_not_jump(band):
    band.clock(140.0, 6.0)
    beats = [beat for _, _, beat in band.play(6.0)]
    assert max(b - a for a, b in zip(beats, beats[1:])) < 2 * 140 / 60 / FPS
    assert min(b - a for a, b in zip(beats, beats[1:])) > 0


@pytest.mark.parametrize("before, after", [(100.0, 140.0), (174.0, 87.0), (128.0, 129.0)])
def test_a_change_of_tempo_is_followed_within_two_bars(band, before, after):
    band.clock(before, 6.0)
    band.play(6.0)
    band.clock(after, 12 * 60 / after)
    assert band.play(12 * 60 / after - 0.2)[-1][1] == pytest.approx(after, abs=0.3)


@pytest.mark.parametrize("pause", [0.01, 0.03, 0.05, 0.2, 0.5])
def test_a_clock_that_hangs_for_a_moment_keeps_its_tempo(pause):
    follower, end = Follower(), 10.0 + 4 * 60 / 128
    for at in (*ticks(128.0, end - 10.0, jitter=0.001), *ticks(128.0, 4.0, start=end + pause, jitter=0.001, seed=2)):
        follower.take_message("clock", at)
        assert at < 11.0 or follower.predict(at)[0] == pytest.approx(128.0, abs=3.0)


def test_lost_ticks_are_counted_after_all(band):
    start = band.moment + 0.1
    band.sends(("start", start - 0.01, 0))
    band.clock(128.0, 20.0, start=start)
    band.waiting = [m for n, m in enumerate(band.waiting) if not 200 <= n < 203]
    at, _, beat = band.play(18.0)[-1]
    assert abs(beat - (at - start) * 128 / 60) * 60 / 128 < 0.020


def test_a_clock_that_falls_silent_leaves_its_tempo_and_one_that_comes_back_is_followed(band, caplog):
    caplog.set_level("INFO")
    band.clock(150.0, 4.0)
    band.play(5.5)
    scene, beat = band.rig.show.scene, band.rig.show.motion.beat
    assert scene["/tempo"] == pytest.approx(150, abs=0.3) and scene["/tempo/nudge"] == 0.0 and not band.tempo.following
    assert band.play(1.0)[-1][2] == pytest.approx(beat + 2.5, abs=0.05)
    band.clock(90.0, 6.0)
    assert band.play(6.0)[-1][1] == pytest.approx(90.0, abs=0.3)
    assert "the tempo follows the MIDI clock of Box" in caplog.text and "no MIDI clock" in caplog.text


def test_internal_does_not_listen(band):
    band.rig.send("/tempo/source", "internal")
    band.play(0.1)
    band.clock(150.0, 4.0)
    assert band.play(4.0)[-1][1] == 120.0


def test_two_clocks_do_not_mix(band):
    band.clock(128.0, 6.0)
    for at in ticks(90.0, 6.0, start=band.moment + 0.003):
        band.tempo.receive_clock("clock", at, 0, "Other")
    assert band.play(5.0)[-1][1] in (pytest.approx(128.0, abs=0.3), pytest.approx(90.0, abs=0.3))


def test_rubbish_and_clocks_out_of_range(band):
    chance = random.Random(2)
    for _ in range(2000):
        band.sends((chance.choice(["clock", "clock", "start", "stop", "continue", "songpos"]), band.moment + chance.random() * 5, chance.randrange(16384)))
    for _, bpm, beat in band.play(5.0):
        assert 20.0 <= bpm <= 300.0 and beat == beat and abs(beat) < 1e5
    for at in (5.0, 5.0, 4.0, 4.0) * 20:
        band.tempo.receive_clock("clock", at, 0, "Box")
    band.play(0.2)


def test_a_take_of_it_plays_again_to_the_bit(band, tmp_path):
    band.rig.show.recording.record_to(tmp_path / "a.take")
    band.sends(("start", band.moment + 1.0, 0))
    band.clock(133.0, 4.0)
    band.play(4.0)
    beat, bpm = band.rig.show.motion.beat, band.rig.show.scene["/tempo"]
    band.rig.close()
    *_, (_, motion, _) = scenes_of(TakeReader(tmp_path / "a.take", band.rig.base), band.rig.show)
    assert motion.beat == beat and band.rig.show.scene["/tempo"] == bpm != 120.0


# -- by hand

def taps(band, *gaps, late=0.0):
    """Tap on the beat of the clock; each is heard in the frame that comes after it."""
    from live.show.events import ControlEvent

    at = band.moment
    for gap in gaps:
        at += gap
        band.play(max(at - band.moment, 0.0) + 1 / FPS)
        band.rig.show.inbox.put(ControlEvent("osc /tempo/tap", 1.0, True, at))
    band.play(1 / FPS)
    return at


def test_taps_set_the_tempo_and_the_beat(band):
    at = taps(band, 0.0, 0.5, 0.5, 0.5, 0.5)
    found = band.play(1.0)[-1]
    assert found[1] == pytest.approx(120.0, abs=0.01)
    since = (found[0] - at) * 2.0
    assert (found[2] - since + 0.5) % 1.0 - 0.5 == pytest.approx(0.0, abs=1e-6)
    taps(band, 3.0, 0.4, 0.4, 0.4)
    assert band.rig.show.scene["/tempo"] == pytest.approx(150.0, abs=0.01)


def test_one_tap_alone_and_taps_far_apart_do_nothing(band):
    before = band.rig.show.scene["/tempo"]
    taps(band, 0.0, 4.0, 5.0)
    assert band.rig.show.scene["/tempo"] == before


def test_a_tap_does_not_end_a_morph(band):
    rig = band.rig
    rig.send("/preset/store", "here")
    rig.send("/truncation", 0.1)
    rig.play(2)
    rig.send("/preset/recall", "here", 5.0)
    rig.play(2)
    taps(band, 0.0, 0.5)
    assert rig.show.recall.morph is not None


def test_one_is_the_first_beat_of_a_bar(band):
    band.play(0.7)
    band.rig.send("/tempo/one")
    band.moment += 1 / FPS
    band.rig.play()
    assert band.rig.show.motion.beat % 4.0 == pytest.approx(0.0, abs=0.1) or band.rig.show.motion.beat % 4.0 > 3.9


def test_a_tap_against_a_clock_is_refused(band):
    band.clock(128.0, 3.0)
    band.play(2.0)
    with pytest.raises(UserError, match="the tempo follows a MIDI clock; /tempo/source internal"):
        band.tempo.tap(band.moment)


def test_a_show_without_one_says_so():
    class Bare:
        tempo = None
    with pytest.raises(UserError, match="keeps its tempo to itself"):
        tempo.find_tempo(Bare())
    assert Motion().beat == 0.0
