import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UserError
from engine.parameter import Parameter

KNOBS = {
    "linear": Parameter(0.0, -2.0, 3.0),
    "square": Parameter(1.0, 0.0, 9.0, curve="square"),
    "log": Parameter(10.0, 1.0, 1000.0, curve="log"),
    "circular": Parameter(0.0, 0.0, 360.0, curve="circular"),
}


@pytest.mark.parametrize("name, at, plain", [
    ("linear", 0.0, -2.0), ("linear", 0.5, 0.5), ("linear", 1.0, 3.0), ("linear", 7.0, 3.0), ("linear", -1.0, -2.0),
    ("square", 0.5, 2.25), ("square", 1.0, 9.0), ("log", 0.0, 1.0), ("log", 1 / 3, 10.0), ("log", 1.0, 1000.0),
    ("circular", 0.25, 90.0),
])
def test_plain(name, at, plain):
    assert KNOBS[name].plain(at) == pytest.approx(plain)


@pytest.mark.parametrize("name", KNOBS)
@given(at=st.floats(0.0, 0.999))
def test_normalized_is_the_inverse_of_plain(name, at):
    assert KNOBS[name].normalized(KNOBS[name].plain(at)) == pytest.approx(at, abs=1e-9)


@pytest.mark.parametrize("value, kept", [(-5, -2.0), (5, 3.0), (1, 1.0), ("2.5", 2.5), (True, 1.0)])
def test_clamp(value, kept):
    assert KNOBS["linear"].clamp(value) == kept


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "loud", None, (1, 2), [], {}])
def test_clamp_refuses_what_is_no_number(value):
    with pytest.raises(UserError, match=r"-2\.\.3"):
        KNOBS["linear"].clamp(value)


def test_a_circular_parameter_wraps():
    assert KNOBS["circular"].clamp(370.0) == pytest.approx(10.0)
    assert KNOBS["circular"].clamp(-10.0) == pytest.approx(350.0)


def test_steps_round_and_stay_inside():
    seed = Parameter(1, 0, 10, step=1)
    assert [seed.clamp(v) for v in (2.4, 2.6, 99, -3)] == [2, 3, 10, 0]
    assert seed.plain(0.449) == 4


def test_choices_by_name_by_number_and_by_fader():
    kind = Parameter("loop", choices=("circle", "hold", "loop"))
    assert [kind.clamp(v) for v in ("hold", 0, 1.2, 9, -4)] == ["hold", "circle", "hold", "loop", "circle"]
    assert [kind.plain(v) for v in (0.0, 0.34, 0.67, 1.0)] == ["circle", "hold", "loop", "loop"]
    for name in kind.choices:
        assert kind.plain(kind.normalized(name)) == name
    with pytest.raises(UserError, match="circle, hold, loop"):
        kind.clamp("march")
    with pytest.raises(UserError):
        kind.clamp(math.nan)


def test_vectors():
    z = Parameter((), -8.0, 8.0, size=3)
    assert z.clamp([1, 20, -0.5]) == (1.0, 8.0, -0.5)
    assert z.clamp(()) == ()
    assert z.clamp(2) == (2.0,)
    for wrong in ([1, 2, 3, 4], ["a"], [math.nan], [[1]]):
        with pytest.raises(UserError):
            z.clamp(wrong)


@pytest.mark.parametrize("wrong", [dict(low=1.0, high=1.0), dict(curve="wavy"), dict(low=0.0, curve="log"),
                                   dict(default="x", choices=("a", "b"))])
def test_a_declaration_that_makes_no_sense_is_a_bug(wrong):
    with pytest.raises(ValueError):
        Parameter(**wrong)


@given(st.sampled_from([Parameter(0.5), Parameter(4.0, -2.0, 16.0, curve="square"), Parameter(1.0, 0.1, 10.0, curve="log"),
                        Parameter(0.0, -90.0, 270.0, curve="circular"), Parameter(3, 0, 9, step=1), Parameter("b", choices=("a", "b", "c"))]),
       st.floats(0, 1), st.floats(-3, 3))
def test_moved_is_so_much_further_on_the_normalized_scale(parameter, start, by):
    value = parameter.plain(start)
    at = parameter.normalized(value) + by
    expected = parameter.plain(at % 1.0 if parameter.curve == "circular" else at)
    moved = parameter.move(value, by)
    if parameter.choices:
        assert moved == expected
    else:
        away = abs(moved - expected)
        if parameter.curve == "circular":
            away = min(away, parameter.high - parameter.low - away)
        assert away <= 1e-9 * (parameter.high - parameter.low) + (parameter.step if abs(at * 9 % 1 - 0.5) < 1e-6 else 0)
