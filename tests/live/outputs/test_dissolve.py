"""From the picture of a renderer that went to those of the next: no cut, at any rate and to any size."""
import numpy as np
import pytest

from live.outputs.dissolve import DISSOLVE, Dissolve


def picture(level, size=8):
    return np.full((size, size, 3), level, np.uint8)


def test_it_fades_once_and_then_hands_the_picture_itself_on():
    dissolve, new = Dissolve(), picture(200)
    dissolve.mix(picture(0), 0.0)
    dissolve.begin()
    levels = [int(dissolve.mix(new, 10.0 + share * DISSOLVE)[0, 0, 0]) for share in (0.0, 0.25, 0.5, 0.75)]
    assert levels == pytest.approx([0, 50, 100, 150], abs=1) and dissolve.running
    assert dissolve.mix(new, 10.01 + DISSOLVE) is new and not dissolve.running
    assert dissolve.mix(new, 30.0) is new


@pytest.mark.parametrize("fps", [0.2, 1, 1.9, 60])
def test_a_slow_show_is_not_faded(fps):
    """A big network without a graphics card draws one picture in seconds: each is shown as it comes."""
    dissolve = Dissolve()
    for number in range(1, 6):
        new = picture(number * 40)
        assert dissolve.mix(new, number / fps) is new


def test_a_first_picture_has_nothing_to_fade_from():
    dissolve, new = Dissolve(), picture(9)
    dissolve.begin()
    assert dissolve.mix(new, 1.0) is new and not dissolve.running


def test_the_new_pictures_may_have_another_size():
    dissolve = Dissolve()
    dissolve.mix(picture(100), 0.0)
    dissolve.begin()
    mixed = dissolve.mix(picture(100, 16), 5.0)
    assert mixed.shape == (16, 16, 3) and (mixed == 100).all()


def test_a_second_death_during_a_fade_fades_from_what_is_up():
    dissolve = Dissolve()
    dissolve.mix(picture(0), 0.0)
    dissolve.begin()
    dissolve.mix(picture(200), 10.0)
    half = int(dissolve.mix(picture(200), 10.0 + DISSOLVE / 2)[0, 0, 0])
    dissolve.begin()
    assert abs(int(dissolve.mix(picture(10), 12.0)[0, 0, 0]) - half) <= 1
