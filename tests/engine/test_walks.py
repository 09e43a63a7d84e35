import math

import pytest

from engine.motion import LONGEST_STEP, Motion
from engine.walks import WALKS, Mixed, Vector, fade, spline
from live.show.events import Change


def settings(walk, **changed):
    return {name: p.default for name, p in WALKS[walk].settings.items()} | changed


def place(walk, at, **changed):
    return WALKS[walk].place(at, **settings(walk, **changed))


def distance(a, b):
    """How far apart two places of seeds are, by their weights."""
    a, b = dict(a), dict(b)
    return math.sqrt(sum((a.get(k, 0) - b.get(k, 0)) ** 2 for k in a.keys() | b.keys()))


@pytest.mark.parametrize("walk", sorted(WALKS))
def test_every_walk_is_documented_and_its_weights_add_up_to_one(walk):
    assert WALKS[walk].about
    for at in (0.0, 0.3, 1.0, 17.77, -3.2, 1e6 + 0.5):
        assert sum(weight for _, weight in place(walk, at)) == pytest.approx(1.0)


@pytest.mark.parametrize("walk", ["loop", "wander"])
def test_moving_walks_are_continuous_with_continuous_speed(walk):
    step = 1e-3
    previous = None
    for i in range(3000):
        here, there = place(walk, i * step), place(walk, (i + 1) * step)
        speed = distance(here, there) / step
        assert speed < 3.0
        if previous is not None:
            assert abs(speed - previous) < 0.05                     # no corner at a keyframe
        previous = speed


@pytest.mark.parametrize("walk", ["loop", "wander"])
def test_keyframes_are_met(walk):
    assert len(place(walk, 2.0)) == 1


def test_loop_closes_exactly():
    assert distance(place("loop", 0.25), place("loop", 6.25)) < 1e-12
    assert place("loop", 0.0, stops=(5, 9, 77)) == ((5, 1.0),)
    assert distance(place("loop", 1.5, stops=(5, 9, 77)), place("loop", 4.5, stops=(5, 9, 77))) < 1e-12


def test_wander_is_endless_seeded_and_unlike_other_seeds():
    assert place("wander", 1000.0) == place("wander", 1000.0)
    assert place("wander", 1000.0) != place("wander", 1000.0, seed=2)
    keys = {place("wander", float(n))[0][0] for n in range(500)}
    assert len(keys) == 500


def test_circle_comes_back_and_mixes_in_z():
    ((start, _),), ((end, _),) = place("circle", 0.0), place("circle", 1.0)
    assert isinstance(start, Mixed)
    assert [w for _, w in start.seeds] == pytest.approx([w for _, w in end.seeds], abs=1e-12)
    ((quarter, _),) = place("circle", 0.25, radius=1.0)
    assert [w for _, w in quarter.seeds] == pytest.approx([1.0, 0.0, 1.0], abs=1e-12)


def test_field_has_seeds_at_whole_numbers_and_is_smooth_between():
    assert place("field", 0, seed=7, x=2.0, y=3.0) == ((7 + 2 + 300, 1.0),)
    assert dict(place("field", 0, seed=0, x=0.5, y=0.5)) == {0: 0.25, 1: 0.25, 100: 0.25, 101: 0.25}
    assert distance(place("field", 0, x=0.999999), place("field", 0, x=1.000001)) < 1e-5
    assert all(key >= 0 for key, _ in place("field", 0, seed=0, x=-20.5, y=-20.5))


def test_vector_takes_numbers_and_falls_back_to_its_seed():
    assert place("vector", 0, z=(1.0, 2.0)) == ((Vector((1.0, 2.0)), 1.0),)
    assert place("vector", 0, seed=4) == ((4, 1.0),)


def test_spline_weights():
    assert spline(3.0, lambda n: n) == ((3, 1.0),)
    assert dict(spline(0.5, lambda n: n)) == pytest.approx({-1: -0.0625, 0: 0.5625, 1: 0.5625, 2: -0.0625})


def test_fade_from_end_to_end():
    a, b = ((1, 1.0),), ((2, 0.5), (1, 0.5))
    assert fade(a, b, 0.0) == a
    assert dict(fade(a, b, 1.0)) == dict(b)
    assert dict(fade(a, b, 0.5)) == pytest.approx({1: 0.75, 2: 0.25})


def run(scene, frames, fps=50, motion=Motion()):
    motion = motion.advance(scene, 0.0) if not motion.place else motion
    for _ in range(frames):
        motion = motion.advance(scene, 1 / fps)
    return motion


def test_loop_period_is_exact_in_seconds_and_in_beats(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "loop"), Change("/walk/period", 4.0), Change("/walk/count", 5)])
    assert (run(scene, 200).walk + 1.0) % 5.0 == pytest.approx(1.0, abs=1e-9)
    beats = scene.set([Change("/walk/unit", "beats"), Change("/tempo", 60.0)])
    assert (run(beats, 200).walk + 1.0) % 5.0 == pytest.approx(1.0, abs=1e-9)
    assert run(beats.set([Change("/tempo", 120.0)]), 110).walk == pytest.approx(0.5, abs=1e-9)


def test_other_stops_after_many_laps_leave_a_loop_where_it_is(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "loop"), Change("/walk/period", 4.0), Change("/walk/count", 5)])
    motion = run(scene, 200 * 7 + 90)                         # seven laps, and a bit less than half of one
    for count in (6, 7, 12, 64):
        more = motion.advance(scene.set([Change("/walk/count", count)]), 0.0)
        assert {point for point, _ in more.place} == {point for point, _ in motion.place}


def test_turning_the_speed_never_jumps(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "wander"), Change("/walk/speed", 1.0)])
    motion = run(scene, 100)
    faster = motion.advance(scene.set([Change("/walk/speed", 4.0)]), 1 / 50)
    assert faster.walk - motion.walk == pytest.approx(4.0 / 50)
    back = motion.advance(scene.set([Change("/walk/speed", -1.0)]), 1 / 50)
    assert back.walk < motion.walk


def test_freeze_and_stalls(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "wander"), Change("/walk/speed", 1.0)])
    motion = run(scene, 10)
    assert motion.advance(scene.set([Change("/output/freeze", 1)]), 1.0).walk == motion.walk
    assert motion.advance(scene, 60.0).walk == pytest.approx(motion.walk + LONGEST_STEP)
    assert motion.advance(scene, -1.0).walk == motion.walk


def test_a_new_seed_is_glided_to(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "hold"), Change("/walk/seed", 1), Change("/walk/glide", 1.0)])
    motion = run(scene, 5)
    there = scene.set([Change("/walk/seed", 2)])
    places = []
    for _ in range(60):
        motion = motion.advance(there, 1 / 50)
        places.append(dict(motion.place))
    weights = [place.get(2, 0.0) for place in places]
    assert weights == sorted(weights) and weights[0] < 0.01 and weights[24] == pytest.approx(0.5) and weights[50] == 1.0
    assert max(b - a for a, b in zip(weights, weights[1:])) < 0.04


def test_a_glide_can_be_interrupted_without_a_jump(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "hold"), Change("/walk/seed", 1), Change("/walk/glide", 1.0)])
    motion = run(scene.set([Change("/walk/seed", 2)]), 25, motion=run(scene, 1))
    turned = motion.advance(scene.set([Change("/walk/seed", 3)]), 1 / 50)
    assert distance(motion.place, turned.place) < 0.05
    arrived = run(scene.set([Change("/walk/seed", 3)]), 50, motion=turned)
    assert arrived.place == ((3, 1.0),)


def test_without_glide_a_new_seed_is_there_at_once(instrument):
    scene = instrument.scene().set([Change("/walk/kind", "hold"), Change("/walk/seed", 1)])
    assert run(scene, 1).advance(scene.set([Change("/walk/seed", 2)]), 0.02).place == ((2, 1.0),)


def test_changing_the_kind_of_walk_glides_too(instrument):
    scene = instrument.scene().set([Change("/walk/glide", 2.0), Change("/walk/kind", "circle")])
    motion = run(scene, 20)
    turned = motion.advance(scene.set([Change("/walk/kind", "wander")]), 1 / 50)
    assert distance(motion.place, turned.place) < 0.05
