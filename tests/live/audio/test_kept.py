"""The sound beside a take: in step with the frames, though cards run fast or slow, and blocks are lost."""
import wave

import numpy as np
import pytest

from live.audio.sound_writer import PIECE, InStep, SoundWriter
from tests.live.audio.rig import START, Hall

RATE, BLOCK = 48000, 512


def clicks_of(path):
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        loud = np.flatnonzero(np.abs(samples.astype(int)) > 8000)
        return loud[np.diff(loud, prepend=-RATE) > RATE // 4] / file.getframerate()


@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_ten_minutes_stay_in_step_within_a_frame(tmp_path, ppm):
    """A card of other seconds than ours: a click each ten seconds of our time."""
    kept, card = SoundWriter(tmp_path / "a.wav", 100.0), RATE * (1 + ppm * 1e-6)
    rng, at = np.random.default_rng(1), 0
    while at < 600 * card:
        block = np.zeros(BLOCK, np.float32)
        click = round(round(at / card / 10 + 0.49999) * 10 * card) - at
        if 0 <= click < BLOCK:
            block[click:click + 40] = 0.9
        at += BLOCK
        kept.put(block, RATE, 100.0 + at / card + rng.normal() * 0.0003)
    kept.close()
    found = clicks_of(tmp_path / "a.wav")
    assert len(found) >= 59 and np.abs(found - np.round(found / 10) * 10).max() < 1 / 60


def test_what_is_lost_is_silence_and_what_was_before_is_left_out(tmp_path):
    kept = SoundWriter(tmp_path / "a.wav", 10.0)
    kept.put(np.full(RATE, 0.5), RATE, 10.5)             # half of it was before
    kept.put(np.full(RATE, 0.5), RATE, 13.5)             # two seconds were lost
    kept.close()
    with wave.open(str(tmp_path / "a.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(samples) == 3.5 * RATE and (samples[:RATE // 2] > 0).all() and (samples[RATE // 2:int(2.5 * RATE)] == 0).all()


def test_blocks_that_are_lost_now_and_then_leave_what_follows_in_its_place(tmp_path):
    """As on a machine that has too much to do: five blocks in a row, every second."""
    kept, samples = SoundWriter(tmp_path / "a.wav", 0.0), np.zeros(10 * RATE, np.float32)
    for click in range(1, 10):
        samples[click * RATE:click * RATE + 40] = 0.9
    for n in range(len(samples) // BLOCK):
        if n % 94 not in range(40, 45):
            kept.put(samples[n * BLOCK:(n + 1) * BLOCK], RATE, (n + 1) * BLOCK / RATE)
    kept.close()
    found = clicks_of(tmp_path / "a.wav")
    assert len(found) >= 8 and np.abs(found - np.round(found)).max() < 0.003


def test_an_input_that_was_away_for_hours_takes_no_memory():
    clock, hours = InStep(0.0, RATE), 3 * 3600
    assert sum(len(piece) for piece in clock.place(np.ones((BLOCK, 2)), 1.0)) == RATE
    pieces = [len(piece) for piece in clock.place(np.ones((BLOCK, 2)), 1.0 + hours)]
    assert sum(pieces) == hours * RATE and max(pieces) <= PIECE and clock.placed == (hours + 1) * RATE


@pytest.mark.parametrize("state", ["live", "waiting", "off"])
def test_a_take_has_its_sound_beside_it(tmp_path, state):
    """From its first frame on, though the input is found later."""
    hall = Hall(tmp_path)
    hall.play(3)
    hall.listening.ear.state = state
    hall.show.recording.record_to(tmp_path / "a.take")
    hall.play()
    began = hall.moment
    hall.listening.ear.state = "live"
    for n in range(30):
        hall.play()
        for tap in hall.listening.ear.taps:
            tap(np.full((1600, 2), 0.25, np.float32), RATE, hall.moment)
    hall.show.recording.stop_take()
    assert not hall.listening.ear.taps and began > START
    hall.rig.close()
    with wave.open(str(tmp_path / "a.take.wav")) as file:
        assert abs(file.getnframes() / RATE - 1.0) < 0.002


def test_another_input_of_another_rate_goes_on_in_the_same_file(tmp_path):
    kept = SoundWriter(tmp_path / "a.wav", 0.0)
    for rate, begin in ((48000, 0.0), (44100, 1.0), (96000, 2.0)):
        block = rate // 100
        for n in range(100):
            kept.put(0.5 * np.sin(2 * np.pi * 440.0 * (n * block + np.arange(block)) / rate), rate, begin + (n + 1) / 100)
    kept.close()
    with wave.open(str(tmp_path / "a.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    assert file.getframerate() == RATE and abs(len(samples) - 3 * RATE) < 10
    for second in range(3):
        assert abs(int(np.abs(np.fft.rfft(samples[second * RATE:(second + 1) * RATE])).argmax()) - 440) <= 1


def test_a_take_that_hears_nothing_has_no_sound_beside_it(tmp_path):
    hall = Hall(tmp_path)
    hall.show.recording.record_to(tmp_path / "a.take")
    hall.play(5)
    hall.rig.close()
    assert (tmp_path / "a.take").exists() and not (tmp_path / "a.take.wav").exists()
