"""Which way morphs take through w: straight, on an arc around its centre, or as a spline; style groups along with the walk."""
import math

import numpy as np
import pytest
import torch

from engine.latents import Latents, slerp
from engine.morphing import PATHS, interpolate_place
from engine.motion import Motion
from engine.walks import Arc, arc
from live.show.data import motion_from_plain, motion_to_plain
from live.takes.performance import play_evenly, play_ticks
from live.takes.take import TakeReader
from tests.conftest import tiny
from tests.live.memory_rig import Rig, scenes_of

A, B, C = ((1, 1.0),), ((2, 1.0),), ((3, 1.0),)


def numpy_slerp(a, b, centre, t):
    """In float64, from the definition: turn a towards b in the plane they span, around the centre."""
    a, b = np.float64(a) - centre, np.float64(b) - centre
    x = a / np.linalg.norm(a)
    y = b - (b @ x) * x
    angle = math.atan2(np.linalg.norm(y), b @ x)
    length = np.linalg.norm(a) * (1 - t) + np.linalg.norm(b) * t
    return centre + length * (x * math.cos(t * angle) + y / np.linalg.norm(y) * math.sin(t * angle))


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.83, 1.0])
def test_slerp_in_w(t):
    latents = Latents(tiny())
    a, b, centre = (x.double() for x in (latents.w(1), latents.w(2), latents.generator.w_avg))
    expected = numpy_slerp(a.numpy(), b.numpy(), centre.numpy(), t)
    assert np.allclose(latents.find_w(arc(A, B, t)), expected, atol=1e-5)
    assert np.allclose(slerp(a, b, centre, t), expected, atol=1e-12)


@pytest.mark.parametrize("a, b", [([1.0, 0.0], [-1.0, 0.0]), ([1.0, 0.0], [2.0, 0.0]), ([0.0, 0.0], [1.0, 1.0])])
def test_where_there_is_no_arc_it_goes_straight(a, b):
    a, b = torch.tensor(a), torch.tensor(b)
    assert torch.allclose(slerp(a, b, torch.zeros(2), 0.25), a + 0.25 * (b - a))


def weights(place):
    return {point: round(weight, 9) for point, weight in place}


@pytest.mark.parametrize("kind, before, t, expected", [
    ("linear", A, 0.25, {2: 0.75, 3: 0.25}),
    ("slerp", A, 0.25, {Arc((B, C, 0.25)): 1.0}),
    ("spline", A, 0.0, {2: 1.0}), ("spline", A, 1.0, {3: 1.0}),
    ("spline", A, 0.5, {1: -0.0625, 2: 0.5625, 3: 0.5}),
    ("spline", A, 0.25, {1: -0.0703125, 2: 0.8671875, 3: 0.203125}),
    ("spline", (), 0.25, {2: 0.75, 3: 0.25}),
    *((kind, A, 0.0, {2: 1.0}) for kind in PATHS), *((kind, A, 1.0, {3: 1.0}) for kind in PATHS),
])
def test_the_way_of_each_path(kind, before, t, expected):
    assert weights(interpolate_place(kind, before, B, C, t)) == expected


def test_a_spline_has_no_corner_where_one_morph_ends_and_the_next_begins():
    points = [np.array(xy, float) for xy in ((0, 0), (1, 0), (1, 1))]
    at = lambda place: sum(points[point - 1] * weight for point, weight in place)
    step = 1e-4
    arriving = at(interpolate_place("spline", A, A, B, 1.0)) - at(interpolate_place("spline", A, A, B, 1 - step))
    leaving = at(interpolate_place("spline", A, B, C, step)) - at(interpolate_place("spline", A, B, C, 0.0))
    straight = at(interpolate_place("linear", A, B, C, step)) - at(interpolate_place("linear", A, B, C, 0.0))
    towards = np.array([0.5, 0.5]) / math.sqrt(0.5)                   # the chord from A to C
    assert leaving @ towards == pytest.approx(np.linalg.norm(leaving), rel=1e-3)
    assert arriving[0] > 0 and straight[0] == pytest.approx(0.0)


@pytest.fixture
def rig(tmp_path):
    """Three presets at seeds 1, 2 and 3, the coarse layers at 11, 12 and 13."""
    rig = Rig(tmp_path)
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        for address, value in (("/walk/kind", "hold"), ("/walk/seed", seed), ("/style/coarse/mix", 1.0), ("/style/coarse/seed", 10 + seed)):
            rig.send(address, value)
        rig.play()
        rig.send("/preset/store", name)
        rig.play()
    rig.send("/preset/recall", "a")
    rig.send("/morph/ease", "linear")
    rig.play()
    yield rig
    rig.close()


@pytest.mark.parametrize("kind", PATHS)
def test_no_path_jumps_and_style_groups_go_along(rig, kind):
    latents, ws = Latents(rig.generator), []
    rig.send("/morph/path", kind)
    for name in ("b", "c"):
        rig.send("/preset/recall", name, 1.0)
        for _ in range(32):
            rig.play()
            ws.append(latents.ws(rig.show.scene, rig.show.motion)[0])
        assert weights(rig.show.motion.place) == {{"b": 2, "c": 3}[name]: 1.0} and rig.show.motion.styles_led == ()
    steps = torch.stack([(b - a).norm(dim=1) for a, b in zip(ws, ws[1:])])          # [frames, num_ws]
    way = torch.stack([(ws[0] - ws[-1]).norm(dim=1), (ws[31] - ws[0]).norm(dim=1)]).max(0).values
    assert (steps.max(0).values < 0.12 * way).all()                                  # coarse rows too: their seeds do not step


def test_a_morph_that_is_stopped_holds_its_style_groups_until_their_seed_is_changed(rig):
    rig.send("/preset/recall", "b", 1.0)
    rig.play(11)
    rig.send("/morph/stop")
    rig.play(3)
    coarse = rig.show.motion.styles_led[0]
    assert weights(coarse).keys() == {11, 12}
    rig.send("/style/fine/seed", 5)
    rig.play()
    assert rig.show.motion.styles_led[0] == coarse and rig.show.motion.styles_led[2] == ()
    rig.send("/style/coarse/seed", 40)
    rig.play()
    assert rig.show.motion.styles_led[0] == ()


def test_a_preset_may_have_them_step(rig):
    path = rig.show.recall.library.folder / "b.yaml"
    rig.show.recall.library.flush()
    path.write_text(path.read_text() + "morph: {path: slerp, rules: {/style/coarse/seed: step}}\n")
    rig.show.recall.library.refresh()
    rig.send("/preset/recall", "b", 1.0)
    rig.play(8)
    assert rig.show.motion.styles_led[0] == () and isinstance(rig.show.motion.place[0][0], Arc)
    assert rig.show.scene["/style/coarse/seed"] == 11
    rig.play(10)
    assert rig.show.scene["/style/coarse/seed"] == 12


def test_takes_hold_every_path_to_the_bit(rig, tmp_path):
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play()
    rig.screen.clear()
    shown = []
    for kind, name in (("slerp", "b"), ("spline", "c"), ("slerp", "a")):
        rig.send("/morph/path", kind)
        rig.send("/preset/recall", name, 0.4)
        for _ in range(7):
            rig.play()
            shown.append((rig.show.motion.place, rig.show.motion.styles_led))
    rig.close()
    again = Rig(generator=rig.generator)
    found = scenes_of(TakeReader(tmp_path / "a.take", again.base), again.show)
    assert [(motion.place, motion.styles_led) for _, motion, _ in found][-len(shown):] == shown
    own = list(play_ticks(TakeReader(tmp_path / "a.take", again.base)))
    between = [m.motion for m in play_evenly(iter(own), 90.0)]
    assert any(m.styles_led for m in between) and all(sum(w for _, w in m.place) == pytest.approx(1.0) for m in between)


def test_arcs_in_files():
    motion = Motion(led=arc(A, arc(B, C, 0.25), 0.5), styles_led=((), A, arc(A, B, 0.1)), styles_of=(1.0, 2.0, 3.0))
    assert motion_from_plain(motion_to_plain(motion)) == motion


@pytest.mark.parametrize("way", [[], [[[1, 1.0]], [[2, 1.0]]], [[[1, 1.0]], [[2]], 0.5], [[[1, 1.0]], [[2, 1.0]], "far"], [1, 2, 3]])
def test_arcs_that_cannot_be(way):
    from engine.errors import UserError

    for entry in ({"led": [[{"arc": way}, 1.0]]}, {"styles_led": [[], [], [[{"arc": way}, 1.0]]]}):
        with pytest.raises(UserError, match="motion > "):
            motion_from_plain(entry)


def test_the_pad_takes_style_groups_along(rig):
    for corner, name in enumerate("abca", 1):
        rig.send("/pad/corner", corner, name)
        rig.play()
    for address, value in (("/pad/x", 0.5), ("/pad/y", 0.0), ("/pad/on", 1)):
        rig.send(address, value)
    rig.play(2)
    assert weights(rig.show.motion.styles_led[0]) == {11: 0.5, 12: 0.5} == {k + 10: v for k, v in weights(rig.show.motion.place).items()}
