"""Linear timecode: frames as a tape has them, at every rate, level and polarity, with noise; and sound that is none."""
import numpy as np
import pytest

from engine.hearing.ltc import LtcReader, count_seconds
from tests.engine.hearing.songs import STYLES

RATE = 48000


def write_bits(hour, minute, second, frame, drops=False):
    """The 80 bits of a frame, in the order they are sent."""
    bits = [0] * 80
    def put(place, value, count):
        for n in range(count):
            bits[place + n] = value >> n & 1
    for place, value, tens in ((0, frame, 2), (16, second, 3), (32, minute, 3), (48, hour, 2)):
        put(place, value % 10, 4)
        put(place + 8, value // 10, tens)
    put(4, 0b1010, 4)                                    # bits of users
    bits[10] = int(drops)
    bits[64:] = [int(c) for c in "0011111111111101"]
    return bits


def write_ltc(start, frames, fps, rate=RATE, level=0.5, rise=25e-6, noise=0.0, drops=False, speed=1.0, seed=0):
    """Samples of timecode from a frame's number on, as an interface delivers them."""
    sign, edges, at = 1.0, [], 0.0
    length = rate / (fps * 80) / speed
    for number in range(start, start + frames):
        seconds, frame = divmod(number, round(fps))
        for bit in write_bits(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frame, drops):
            edges.append(at)
            if bit:
                edges.append(at + length / 2)
            at += length
    edges.append(at)
    where = np.arange(int(at) + 8)
    count = np.searchsorted(edges, where, "right")
    distance = where - np.array([-9.0, *edges])[count]
    wave = sign * np.where(count % 2, 1.0, -1.0) * np.minimum(1.0, distance / (rise * rate) * 2 - 1.0).clip(-1.0, 1.0)
    rng = np.random.default_rng(seed)
    return (level * (wave + noise * rng.standard_normal(len(wave)))).astype(np.float32)


def read(samples, rate=RATE, block=512):
    reader = LtcReader(rate)
    return [found for at in range(0, len(samples), block) for found in reader.feed(samples[at:at + block])]


@pytest.mark.parametrize("fps", [24, 25, 30])
@pytest.mark.parametrize("how", [{}, {"noise": 0.02}, {"level": 0.02, "noise": 0.02}, {"level": 1.0}, {"level": -0.5}, {"rate": 44100}, {"rate": 96000},
                                 {"speed": 0.985}, {"speed": 1.015}], ids=str)
def test_every_frame_is_read(fps, how):
    start = (10 * 3600 + 59 * 60 + 58) * fps
    found = read(write_ltc(start, 4 * fps, fps, **how), how.get("rate", RATE))
    length = how.get("rate", RATE) / fps / how.get("speed", 1.0)
    assert {f.rate for f in found} == {fps} and len(found) >= 4 * fps - 1          # the last wants the next edge
    for f in found:
        place = round(f.end / length)
        assert f.seconds == pytest.approx((start + place) / fps, abs=1e-6) and f.end == pytest.approx(place * length, abs=1.5)


@pytest.mark.parametrize("block", [1, 7, 256, 100000])
def test_blocks_do_not_matter(block):
    samples = write_ltc(0, 30, 25, noise=0.01)
    few, found = read(samples, block=512), read(samples, block=block)
    assert [f.seconds for f in found] == [f.seconds for f in few][:len(found)] and len(found) >= len(few) - 1


def test_a_tape_that_jumps_stops_and_goes_on():
    gap = np.zeros(RATE // 2, np.float32)
    found = read(np.concatenate((write_ltc(0, 25, 25), gap, write_ltc(90000, 25, 25), write_ltc(500, 25, 25))))
    seconds = [f.seconds for f in found]
    assert all(s <= 1.0 or 3600 <= s <= 3601 or 20 <= s <= 21 for s in seconds) and len(seconds) >= 25 + 24 + 23 - 4


def test_what_drops_frames_keeps_step_with_the_day():
    assert count_seconds(1, 0, 0, 0, 30, True) == pytest.approx(3600.0, abs=0.004)
    assert count_seconds(0, 1, 0, 2, 30, True) - count_seconds(0, 0, 59, 29, 30, True) == pytest.approx(1001 / 30000)
    assert count_seconds(0, 10, 0, 0, 30, True) - count_seconds(0, 9, 59, 29, 30, True) == pytest.approx(1001 / 30000)
    found = read(write_ltc(30 * 600, 30, 30000 / 1001, drops=True))
    assert found[-1].seconds == pytest.approx(count_seconds(0, 10, 0, 30 - (found[-1].end < 47900), 30, True), abs=0.1)


@pytest.mark.parametrize("style", ["four on the floor, 128", "speech alone", "white noise", "50 Hz hum", "silence", "clipped, 110"])
def test_what_is_no_timecode_is_not_read(style):
    assert read(STYLES[style]().samples[:8 * RATE]) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_nonsense_is_survived(bad):
    reader = LtcReader(RATE)
    assert reader.feed(np.full(5000, bad)) == [] and reader.feed(np.zeros(0)) == []
    samples = write_ltc(0, 40, 25)
    assert len([f for at in range(0, len(samples), 512) for f in reader.feed(samples[at:at + 512])]) >= 25
