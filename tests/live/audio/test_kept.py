"""The sound beside a take: in step with the frames, though cards run fast or slow, and blocks are lost."""
import wave

import numpy as np
import pytest

from live.audio.kept import KeptSound
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
    kept, card = KeptSound(tmp_path / "a.wav", 100.0), RATE * (1 + ppm * 1e-6)
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
    kept = KeptSound(tmp_path / "a.wav", 10.0)
    kept.put(np.full(RATE, 0.5), RATE, 10.5)             # half of it was before
    kept.put(np.full(RATE, 0.5), RATE, 13.5)             # two seconds were lost
    kept.close()
    with wave.open(str(tmp_path / "a.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(samples) == 3.5 * RATE and (samples[:RATE // 2] > 0).all() and (samples[RATE // 2:int(2.5 * RATE)] == 0).all()


def test_a_take_has_its_sound_beside_it(tmp_path):
    hall = Hall(tmp_path)
    hall.play(3)
    hall.show.recording.record_to(tmp_path / "a.take")
    hall.play()
    began = hall.moment
    for n in range(30):
        hall.play()
        for tap in hall.listening.ear.taps:
            tap(np.full((1600, 2), 0.25, np.float32), RATE, hall.moment)
    hall.show.recording.stop_take()
    assert not hall.listening.ear.taps and began > START
    hall.rig.close()
    with wave.open(str(tmp_path / "a.take.wav")) as file:
        assert abs(file.getnframes() / RATE - 1.0) < 0.002
