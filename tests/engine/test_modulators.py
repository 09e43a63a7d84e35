"""Every modulator shape against its formula, and what turning, muting and holding one does to what it moves."""
import math
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import motion
from engine.errors import UserError
from engine.modulation import DEFAULTS, HELD, OPEN, PARAMETERS, SHUT, Modulator, carry_states, modulate
from engine.modulators import SHAPES, chance
from engine.motion import Motion
from engine.parameter import Parameter
from engine.scene import Scene

FPS = 60.0
BASE = Scene(MappingProxyType(motion.PARAMETERS | {
    "/output/freeze": Parameter(0.0, step=1), "/x": Parameter(0.5), "/y": Parameter(0.25), "/angle": Parameter(0.0, 0.0, 360.0, curve="circular"),
    "/log": Parameter(1.0, 0.1, 10.0, curve="log"), "/square": Parameter(4.0, 0.0, 16.0, curve="square"),
    "/whole": Parameter(5, 0, 10, step=1), "/choice": Parameter("b", choices=("a", "b", "c", "d")),
    "/vector": Parameter((0.0,), size=4)}))


def scene_with(*modulators, **values):
    """modulators: (name, target[, source]); values: setting of the first one, or by address."""
    scene = BASE.with_modulators(Modulator(*m) for m in modulators)
    return scene.set_values({f"/modulators/{modulators[0][0]}/{name}": value for name, value in values.items()})


def opened(scene, start=Motion()):
    """The motion with every modulator let through, at the beginning of its cycle."""
    states = tuple((m.name, 0.0, 0.0, 1.0, 0.0) for m in scene.modulators)
    return replace(start.advance(scene, 0.0), modulators=states)


def run(scene, moved, seconds, fps=FPS):
    for _ in range(round(seconds * fps)):
        moved = moved.advance(scene, 1 / fps)
    return moved


FORMULAS = {                        # signal after so many cycles; seed of the name "m"
    "sine": lambda t: math.sin(2 * math.pi * t),
    "triangle": lambda t: 2 / math.pi * math.asin(math.sin(2 * math.pi * t)),
    "saw": lambda t: 2 * (t - math.floor(t)) - 1,
    "square": lambda t: 1.0 if t - math.floor(t) < 0.5 else -1.0,
}
STEPPED = ("saw", "square", "sample_and_hold")


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("t", [0.0, 0.1, 0.25, 0.3, 0.4999, 0.5, 0.75, 0.9, 1.0, 1.1, 7.6, -0.2, -3.7])
def test_shape_is_its_formula(name, t):
    assert SHAPES[name].function(t, 0) == pytest.approx(FORMULAS[name](t), abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2 ** 32 - 1])
def test_chance_is_spread_evenly_and_stays_what_it_is(seed):
    found = [chance(seed, n) for n in range(-2000, 2000)]
    assert all(-1.0 <= x < 1.0 for x in found) and len(set(found)) == len(found)
    assert abs(sum(found)) / len(found) < 0.03
    assert sum(x * x for x in found) / len(found) == pytest.approx(1 / 3, abs=0.03)
    assert abs(sum(a * b for a, b in zip(found, found[1:]))) / len(found) < 0.03
    assert chance(1, 2) == -0.29594974973623045 and chance(7, -1) == -0.9966059645575569


def test_sample_and_hold_keeps_each_value_for_a_cycle():
    hold = SHAPES["sample_and_hold"].function
    assert all(hold(n + part, 3) == chance(3, n) for n in (-2, 0, 5) for part in (0.0, 0.3, 0.999))


@given(st.floats(-1000, 1000), st.integers(0, 2 ** 32 - 1))
def test_random_passes_through_each_cycle_s_value_without_a_corner(at, seed):
    random, n = SHAPES["random"].function, math.floor(at)
    assert random(n, seed) == pytest.approx(chance(seed, n), abs=1e-12)
    assert -1.0 <= random(at, seed) <= 1.0
    slope = (random(n + 1e-5, seed) - random(n - 1e-5, seed)) / 2e-5
    assert abs(slope) < 1e-3                        # flat at every cycle's beginning
    assert abs(random(at + 1e-4, seed) - random(at, seed)) < 4e-4


@pytest.mark.parametrize("name", [n for n, s in SHAPES.items() if not s.follows])
def test_every_cycle_keeps_within_its_range(name):
    found = [SHAPES[name].function(i / 97 - 20, 5) for i in range(4000)]
    assert all(-1.0 <= x <= 1.0 for x in found) and max(found) > 0.9 and min(found) < -0.9


def test_every_shape_says_what_it_does():
    assert all(shape.about for shape in SHAPES.values()) and set(SHAPES) == set(PARAMETERS["shape"].choices)
    assert list(PARAMETERS) == ["shape", "rate", "beats", "unit", "depth", "offset", "phase", "polarity", "mute", "attack", "release", "floor", "curve", "places"]
    assert DEFAULTS == tuple(p.default for p in PARAMETERS.values())


@pytest.mark.parametrize("heard, dt, attack, release, expected", [
    (1.0, 0.1, 0.1, 9.0, 1 - math.exp(-1)), (1.0, 0.1, 0.0, 9.0, 1.0), (0.0, 0.1, 9.0, 0.2, 0.5 * math.exp(-0.5)),
    (0.0, 0.1, 9.0, 0.0, 0.0), (0.5, 0.1, 0.3, 0.3, 0.5), (1.0, 0.0, 0.1, 0.1, 0.5)])
def test_envelope(heard, dt, attack, release, expected):
    level = 0.5 if expected != pytest.approx(1 - math.exp(-1)) else 0.0
    assert SHAPES["envelope"].function(level, heard, dt, attack, release) == pytest.approx(expected)


# -- put on a parameter

@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("polarity, place", [("both", lambda s: s), ("up", lambda s: (s + 1) / 2), ("down", lambda s: (s - 1) / 2)])
def test_depth_offset_phase_and_polarity(name, polarity, place):
    scene = scene_with(("m", "/x"), shape=name, rate=0.71, depth=-0.2, offset=0.1, phase=0.15, polarity=polarity)
    moved = opened(scene)
    for frame in range(1, 100):
        moved = moved.advance(scene, 1 / FPS)
        signal = place(FORMULAS[name](0.71 * frame / FPS + 0.15))
        assert modulate(scene, moved)["/x"] == pytest.approx(0.5 - 0.2 * signal + 0.1, abs=1e-9)


@pytest.mark.parametrize("address, expected", [
    ("/x", 0.75), ("/angle", 90.0), ("/log", 0.1 * 100 ** 0.75), ("/square", 9.0), ("/whole", 8), ("/choice", "c")])
def test_depth_is_a_share_of_the_range_through_its_curve(address, expected):
    scene = scene_with(("m", address), shape="square", depth=0.25)
    assert modulate(scene, opened(scene))[address] == pytest.approx(expected) if address != "/choice" else \
        modulate(scene, opened(scene))[address] == expected
    down = scene.set_values({"/modulators/m/depth": -0.25})
    assert modulate(down, opened(down))["/angle"] == (270.0 if address == "/angle" else 0.0)


def test_it_stops_at_the_ends_and_several_add_up():
    scene = scene_with(("a", "/x"), ("b", "/x"), shape="square", depth=0.3).set_values(
        {"/modulators/b/shape": "square", "/modulators/b/depth": -0.1})
    assert modulate(scene, opened(scene))["/x"] == pytest.approx(0.7)
    scene = scene.set_values({"/modulators/b/depth": 0.9})
    assert modulate(scene, opened(scene))["/x"] == 1.0


def test_what_is_set_stays_what_it_was():
    scene = scene_with(("m", "/x"), shape="square", depth=0.3)
    values = dict(scene.values)
    shown = modulate(scene, opened(scene))
    assert dict(scene.values) == values and scene["/x"] == 0.5 and shown["/x"] == 0.8
    assert set(shown.parameters) == set(scene.parameters) and shown.modulators == scene.modulators


def test_without_modulators_the_scene_is_itself():
    assert modulate(BASE, Motion().advance(BASE, 0.1)) is BASE


def test_a_target_that_is_not_there_or_a_vector_is_left_alone():
    scene = scene_with(("m", "/bends/gone/mix"), ("v", "/vector"), shape="square")
    assert modulate(scene, opened(scene)).values == scene.values


def test_the_walk_is_advanced_by_what_the_modulators_leave():
    scene = scene_with(("m", "/walk/speed"), shape="square", rate=0.01, depth=0.125).set_values({"/walk/kind": "wander", "/walk/speed": 0.0})
    assert run(scene, opened(scene), 2.0).walk == pytest.approx(2.0)          # an eighth of -4..4 is one keyframe a second


@pytest.mark.parametrize("tempo", [60.0, 133.0])
def test_in_beats(tempo):
    scene = scene_with(("m", "/x"), shape="saw", unit="beats", beats=8.0, depth=0.5).set_values({"/tempo": tempo})
    moved = run(scene, opened(scene), 3.0)
    assert modulate(scene, moved)["/x"] == pytest.approx(0.5 + 0.5 * FORMULAS["saw"](3.0 * tempo / 60 / 8))
    assert moved.beat == pytest.approx(3.0 * tempo / 60)


def test_those_in_beats_begin_in_step_and_stay_in_step_when_the_beat_is_set_elsewhere():
    scene = scene_with(("m", "/x"), shape="saw", unit="beats", beats=4.0)
    moved = run(scene, replace(Motion().advance(scene, 0.0), modulators=(), beat=10.5), 1.0)
    assert moved.modulators[0][1] == pytest.approx(12.5 / 4)
    moved = run(scene, replace(moved, beat=100.25), 0.5)
    assert moved.modulators[0][1] == pytest.approx(101.25 / 4)
    frozen = run(scene.set_values({"/output/freeze": 1}), moved, 1.0)
    assert frozen.modulators[0][1] == pytest.approx(103.25 / 4)


def test_any_frame_rate_gives_the_same_motion():
    scene = scene_with(("m", "/x"), ("e", "/log", "/x"), shape="triangle", rate=0.3, depth=0.4).set_values({"/modulators/e/shape": "random"})
    found = [run(scene, Motion().advance(scene, 0.0), 4.0, fps) for fps in (25, 50, 60, 144)]
    for other in found[1:]:
        for a, b in zip(found[0].modulators, other.modulators):
            assert a[0] == b[0] and a[1:] == pytest.approx(b[1:], abs=1e-9)


# -- modulators on modulators, and followers

def test_a_modulator_on_a_modulator_wherever_it_stands():
    for order in (("m", "n"), ("n", "m")):
        parts = {"m": ("m", "/x"), "n": ("n", "/modulators/m/depth")}
        scene = scene_with(*(parts[name] for name in order)).set_values(
            {f"/modulators/{name}/shape": "square" for name in parts} | {"/modulators/m/depth": 0.1, "/modulators/n/depth": 0.1})
        assert modulate(scene, opened(scene))["/x"] == pytest.approx(0.5 + 0.1 + 0.1 * 2)       # depth goes -1..1


def test_a_ring_of_modulators_does_no_harm():
    scene = scene_with(("a", "/modulators/b/depth"), ("b", "/modulators/a/depth"), ("c", "/modulators/c/rate"), shape="square")
    shown = modulate(scene, run(scene, opened(scene), 3.0))
    assert all(math.isfinite(shown[f"/modulators/{name}/depth"]) for name in "abc")


def test_an_envelope_follows_what_others_make_of_its_source():
    scene = scene_with(("e", "/y", "/x"), ("m", "/x"), shape="envelope", attack=0.0, release=0.0, depth=0.5, polarity="up")
    scene = scene.set_values({"/modulators/m/shape": "square", "/modulators/m/depth": 0.4, "/modulators/m/rate": 0.1})
    moved = opened(scene).advance(scene, 1 / FPS)
    assert modulate(scene, moved)["/y"] == pytest.approx(0.25 + 0.5 * 0.9)


def test_an_envelope_rises_with_its_attack_and_falls_with_its_release():
    scene = scene_with(("e", "/y", "/x"), shape="envelope", attack=0.2, release=1.0, depth=0.5, polarity="up")
    up = scene.set_values({"/x": 1.0})
    moved = run(up, opened(up), 0.5)
    level = 1 - math.exp(-0.5 / 0.2)
    assert modulate(up, moved)["/y"] == pytest.approx(0.25 + 0.5 * level)
    down = scene.set_values({"/x": 0.0})
    assert modulate(down, run(down, moved, 2.0))["/y"] == pytest.approx(0.25 + 0.5 * level * math.exp(-2.0))


# -- never a jump

NUMBERS = st.fixed_dictionaries({"rate": st.floats(0.01, 30.0), "beats": st.floats(0.0625, 128.0), "unit": st.sampled_from(("hz", "beats")),
                                 "mute": st.sampled_from((0.0, 1.0))})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([n for n, s in SHAPES.items() if not s.follows and n not in STEPPED]), st.lists(NUMBERS, min_size=2, max_size=6))
def test_turning_rate_beats_unit_or_mute_never_jumps(shape, turns):
    """Between two frames it goes no further than the shape's steepest way at the rate it has, and the fade of a mute."""
    scene, dt, depth = scene_with(("m", "/x"), shape=shape, depth=0.4), 1e-3, 0.4
    moved = opened(scene)
    before = modulate(scene, moved)["/x"]
    for turn in turns:
        scene = scene.set_values({f"/modulators/m/{name}": value for name, value in turn.items()})
        for _ in range(20):
            moved = moved.advance(scene, dt)
            rate = turn["rate"] if turn["unit"] == "hz" else 2.0 / turn["beats"]           # 120 bpm
            now = modulate(scene, moved)["/x"]
            assert abs(now - before) <= depth * (2 * math.pi * rate * dt + dt / SHUT) + 1e-9
            before = now


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_turning_the_depth_moves_it_no_further_than_the_depth_was_turned(a, b, at):
    scenes = [scene_with(("m", "/x"), depth=depth, phase=at) for depth in (a, b)]
    first, second = (modulate(scene, opened(scene))["/x"] for scene in scenes)
    assert abs(first - second) <= abs(a - b) + 1e-9


def test_one_that_is_added_or_muted_comes_and_goes_smoothly():
    scene = scene_with(("m", "/x"), shape="square", rate=0.01, depth=0.5)
    moved = Motion().advance(scene, 0.0)
    assert modulate(scene, moved)["/x"] == 0.5
    assert modulate(scene, run(scene, moved, OPEN / 2))["/x"] == pytest.approx(0.75)
    moved = run(scene, moved, OPEN * 1.1)
    assert modulate(scene, moved)["/x"] == pytest.approx(1.0)
    muted = scene.set_values({"/modulators/m/mute": 1.0})
    assert modulate(muted, run(muted, moved, SHUT / 2))["/x"] == pytest.approx(0.75)
    assert modulate(muted, run(muted, moved, SHUT * 1.2))["/x"] == 0.5


def test_a_touched_parameter_is_the_hand_s():
    scene = scene_with(("m", "/x"), ("other", "/y"), shape="square", rate=0.01, depth=0.5)
    moved = opened(scene).touch(("/x",))
    moved = run(scene, moved, SHUT * 1.2)
    shown = modulate(scene, moved)
    assert shown["/x"] == 0.5 and shown["/y"] == pytest.approx(0.25 + 0.25 * math.sin(2 * math.pi * 0.25 * round(SHUT * 1.2 * FPS) / FPS))
    assert modulate(scene, run(scene, moved, HELD - SHUT * 1.2 - 0.05))["/x"] == 0.5         # and a moment after
    back = [modulate(scene, run(scene, moved, HELD + i / 60))["/x"] for i in range(40)]
    assert back == sorted(back) and back[-1] == pytest.approx(1.0)
    assert max(b - a for a, b in zip(back, back[1:])) <= 0.5 / OPEN / FPS + 1e-9
    assert run(scene, moved, HELD + 0.1).holds == ()


def test_freeze_holds_modulators():
    scene = scene_with(("m", "/x"))
    moved = opened(scene)
    assert run(scene.set_values({"/output/freeze": 1}), moved, 1.0).modulators[0][:4] == moved.modulators[0][:4]


# -- data

@pytest.mark.parametrize("data, complaint", [
    ({"name": "m"}, "expected name, target"), ("m", "expected name, target"), ({"name": "a b", "target": "/x"}, "name 'a b'"),
    ({"name": "m", "target": 3}, "target: expected an address"), ({"name": "m", "target": "/output/freeze"}, "not for modulators"),
    ({"name": "m", "target": "/tempo"}, "not for modulators"), ({"name": "m", "target": "/x", "colour": 1}, "expected name, target")])
def test_bad_data_is_refused_in_words(data, complaint):
    with pytest.raises(UserError, match=complaint):
        Modulator.from_dict(data)


def test_data_comes_back():
    for modulator in (Modulator("m", "/x"), Modulator("e", "/tempos", "/y")):
        assert Modulator.from_dict(modulator.to_dict()) == modulator


def test_values_of_modulators_that_stay_are_kept():
    scene = scene_with(("a", "/x"), ("b", "/y"), rate=3.0)
    fewer = scene.with_modulators(scene.modulators[:1])
    assert fewer["/modulators/a/rate"] == 3.0 and "/modulators/b/rate" not in fewer.parameters
    assert "/modulators/a/rate" not in scene.with_modulators(()).values


def test_states_carried_to_another_scene_go_by_target():
    played = BASE.with_modulators([Modulator("m", "/x"), Modulator("m+", "/y")])
    target = BASE.with_modulators([Modulator("m", "/y")])
    assert carry_states((("m", 1.0, 0.0, 1.0, 7.0), ("m+", 2.0, 0.0, 0.5, 8.0)), played, target) == (("m", 2.0, 0.0, 0.5, 8.0),)
