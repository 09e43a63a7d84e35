"""Timecode on one channel of what is heard: followed in time, and no music."""
import numpy as np
import pytest

from live.audio.ear import Ear
from live.audio.ltc_ear import LtcEar
from tests.engine.hearing.songs import FOUR, played
from tests.engine.hearing.test_ltc import write_ltc
from tests.live.audio.test_ear import Run, kicks

RATE = 48000


def both(seconds=4):
    code = write_ltc(25 * 7200, 25 * seconds, 25, noise=0.01)[:RATE * seconds]
    return np.stack((played(FOUR, 120.0, float(seconds), seed=1).samples[:len(code)], code), axis=1)


@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_frames_are_told_with_their_times(kind):
    told, samples = [], both()
    samples = samples if kind is np.float32 else (samples * 32767).astype(np.int16)
    reader = LtcEar(lambda *moment: told.append(moment))
    for n in range(0, len(samples), 512):
        reader.put(samples[n:n + 512], RATE, 50.0 + (n + 512) / RATE)
    assert len(told) >= 98 and {source for source, *_ in told} == {"LTC"}
    assert all(seconds - 7200.0 == pytest.approx(at - 50.0, abs=1e-4) for _, seconds, at in told)
    assert reader.spare(samples[:512]).shape == (512, 1) and (reader.spare(samples[:512])[:, 0] == samples[:512, 0]).all()


def test_a_channel_is_music_again_without_it():
    reader, samples = LtcEar(lambda *moment: None), both(2)
    alone = LtcEar(lambda *moment: None)
    for n in range(0, len(samples), 512):
        reader.put(samples[n:n + 512], RATE, n / RATE)
        alone.put(samples[n:n + 512, 1], RATE, n / RATE)
    assert reader.spare(samples[:512]).shape == (512, 1) and not alone.spare(samples[:512, 1:]).any()
    for n in range(0, 3 * RATE, 512):
        reader.put(np.zeros((512, 2)), RATE, 2.0 + n / RATE)
    assert reader.spare(samples[:512]).shape == (512, 2)


def test_music_beside_timecode_is_heard_as_ever():
    samples, told = both(), []

    class Input:
        name, rate = "both", float(RATE)

        def read_blocks(self, stop):
            for n in range(0, len(samples), 512):
                yield samples[n:n + 512], n / RATE
            while not stop():
                yield np.zeros((512, 2), np.float32), 5.0

        def close(self):
            pass

    ear = Ear("both", opened=lambda text, driver: Input())
    ear.timecode = LtcEar(lambda *moment: told.append(moment))
    run = Run(ear)                                       # what it hears from its first block on
    run.until(lambda: run.ear.blocks >= len(samples) // 512)
    run.end()
    found = [hop.heard.time for hop in kicks(run.ear) if hop.heard.time > 0.4]
    assert 7 <= len(found) <= 8 and len(told) >= 98
