"""The flash limiter against strobes, by an independent counter. SURFACE.md O.7 (10)."""
import numpy as np
import pytest

from live.outputs.limiter import FlashLimiter

SIZE = 96
COLOURS = {"white": (255, 255, 255), "red": (255, 0, 0), "grey": (190, 190, 190)}


def luminance(pixels):
    """Relative luminance by the formula of WCAG, in float64."""
    level = pixels.astype(np.float64) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return linear @ np.array((0.2126, 0.7152, 0.0722))


def most_flashes(levels, times):
    """The most flashes of one place within any second: pairs of opposing changes of a tenth, counted by a plain state machine."""
    turns, way, extreme = [], 0, levels[0]
    for level, time in zip(levels[1:], times[1:]):
        if way >= 0 and level <= extreme - 0.1 and level < 0.8:
            turns.append(time)
            way, extreme = -1, level
        elif way <= 0 and level >= extreme + 0.1 and extreme < 0.8:
            turns.append(time)
            way, extreme = 1, level
        elif way == 0:
            pass
        else:
            extreme = max(extreme, level) if way > 0 else min(extreme, level)
    return max((sum(start <= turn < start + 1.0 for turn in turns) for start in turns), default=0) / 2


def strobe(rate, fps, colour, share=1.0, seconds=4):
    """Pictures that flash `rate` times a second over a share of the field."""
    rows = round(SIZE * share)
    for frame in range(int(seconds * fps)):
        picture = np.full((SIZE, SIZE, 3), 20, np.uint8)
        if int(frame / fps * rate * 2) % 2:
            picture[:rows] = colour
        yield frame / fps, picture


def shown(limiter, pictures, flashes=3.0):
    """(times, what was shown of each picture, whether all came through to the bit)."""
    times, frames, same = [], [], True
    for time, picture in pictures:
        out = limiter.limit(picture, time, flashes)
        same = same and (out is picture or (out == picture).all())
        times.append(time)
        frames.append(out.copy())
    return times, frames, same


@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("rate", [1, 2, 3, 4, 5, 7.5, 10, 15, 30])
def test_a_strobe_over_the_field_flashes_at_most_three_times_a_second(rate, colour, fps):
    if rate > fps / 2:
        pytest.skip("no display shows it")
    limiter = FlashLimiter()
    times, frames, same = shown(limiter, strobe(rate, fps, COLOURS[colour]))
    levels = [luminance(frame[SIZE // 2, SIZE // 2]) for frame in frames]
    assert most_flashes(levels, times) <= 3.0
    if rate < 3:
        assert same and not limiter.held
    if rate >= 4:
        assert limiter.held and most_flashes(levels, times) >= 2.0          # held back, not stopped


@pytest.mark.parametrize("rate", [5, 15])
def test_a_fifth_of_the_field_may_flash(rate):
    limiter = FlashLimiter()
    assert shown(limiter, strobe(rate, 60, COLOURS["white"], share=0.2))[2] and not limiter.held


def test_slow_fades_and_moving_pictures_pass_to_the_bit():
    chance = np.random.default_rng(2)
    base = chance.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    fade = ((frame / 60, (base * (0.5 + 0.5 * np.cos(frame / 60 * np.pi))).astype(np.uint8)) for frame in range(240))
    assert shown(FlashLimiter(), fade)[2]
    drift = ((frame / 60, np.roll(np.kron(base[::16, ::16], np.ones((16, 16, 1), np.uint8)), frame // 4, axis=1)) for frame in range(240))
    assert shown(FlashLimiter(), drift)[2]


def test_red_that_alternates_with_an_equally_bright_blue_green_is_a_flash_too():
    red, other = np.full((SIZE, SIZE, 3), (255, 0, 0), np.uint8), np.full((SIZE, SIZE, 3), (0, 120, 140), np.uint8)
    assert abs(luminance(red[0, 0]) - luminance(other[0, 0])) < 0.1
    limiter = FlashLimiter()
    shown(limiter, ((frame / 60, red if frame // 4 % 2 else other) for frame in range(240)))
    assert limiter.held


def test_nothing_is_held_at_zero_and_it_can_be_turned_while_it_flashes():
    limiter = FlashLimiter()
    assert shown(limiter, strobe(15, 60, COLOURS["white"]), flashes=0.0)[2]
    times, frames, _ = shown(limiter, ((time + 10, picture) for time, picture in strobe(15, 60, COLOURS["white"])), flashes=1.0)
    assert most_flashes([luminance(frame[0, 0]) for frame in frames], times) <= 1.0


def test_what_was_returned_stays_as_it_is_for_three_frames_more():
    limiter, kept = FlashLimiter(), []
    for time, picture in strobe(15, 60, COLOURS["white"]):
        kept.append((limiter.limit(picture, time, 3.0), None))
        kept[-1] = (kept[-1][0], kept[-1][0].copy())
        assert all((out == copy).all() for out, copy in kept[-4:])


def test_the_picture_may_change_its_size():
    limiter = FlashLimiter()
    for frame, size in enumerate((96, 96, 64, 128)):
        assert limiter.limit(np.zeros((size, size, 3), np.uint8), frame / 30, 3.0).shape == (size, size, 3)
