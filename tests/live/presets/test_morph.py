import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bending import Bend
from engine.morphing import EASES, align, find_rule, path
from engine.parameter import Parameter
from live.show.events import Change
from live.takes.gesture import Gesture
from tests.live.memory_rig import Rig

LINEAR = Parameter(0.0, -10.0, 10.0)
LOG = Parameter(1.0, 0.1, 100.0, curve="log")
ANGLE = Parameter(0.0, 0.0, 360.0, curve="circular")
WHOLE = Parameter(3, 0, 9, step=1)
CHOICE = Parameter("a", choices=("a", "b", "c"))
LATENT = Parameter((), -8.0, 8.0, size=4)
HALF = math.sqrt(0.5)

TABLE = [                                       # parameter, rule, from, to, {t: value}
    (LINEAR, "", 0.0, 8.0, {0: 0.0, 0.25: 2.0, 0.5: 4.0, 1: 8.0}),
    (Parameter(0.0, 0.0, 9.0, curve="square"), "", 0.0, 9.0, {0.5: 4.5}),
    (LOG, "", 1.0, 100.0, {0: 1.0, 0.5: 10.0, 1: 100.0}),
    (LOG, "linear", 1.0, 100.0, {0.5: 50.5}),
    (LINEAR, "log", -1.0, 4.0, {0.5: 1.5}),                          # no ratio from -1 to 4: linear instead
    (LINEAR, "log", 1.0, 4.0, {0.5: 2.0}),
    (ANGLE, "", 350.0, 10.0, {0: 350.0, 0.25: 355.0, 0.75: 5.0, 1: 10.0}),
    (ANGLE, "", 10.0, 350.0, {0.25: 5.0, 0.75: 355.0}),
    (ANGLE, "", 20.0, 110.0, {0.5: 65.0}),
    (ANGLE, "linear", 350.0, 10.0, {0.25: 355.0}),
    (WHOLE, "", 2, 8, {0: 2, 0.49: 2, 0.5: 8, 1: 8}),
    (WHOLE, "linear", 2, 8, {0.25: 4.0, 0.5: 5.0}),
    (CHOICE, "", "a", "c", {0.49: "a", 0.5: "c"}),
    (CHOICE, "linear", "a", "c", {0.25: "a", 0.75: "c"}),
    (LINEAR, "step", 1.0, 5.0, {0.49: 1.0, 0.5: 5.0}),
    (LINEAR, "hold", 1.0, 5.0, {0: 1.0, 0.99: 1.0, 1: 1.0}),
    (LATENT, "", (1.0, 0.0), (0.0, 1.0), {0: (1.0, 0.0), 0.5: (HALF, HALF), 1: (0.0, 1.0)}),
    (LATENT, "", (2.0, 0.0), (0.0, 4.0), {0.5: (3 * HALF, 3 * HALF)}),
    (LATENT, "linear", (1.0, 0.0), (0.0, 1.0), {0.5: (0.5, 0.5)}),
    (LATENT, "", (1.0,), (-1.0,), {0.5: (0.0,)}),                    # straight through: no arc between opposites
    (LATENT, "", (), (1.0, 2.0), {0.49: (), 0.5: (1.0, 2.0)}),
    (LATENT, "", (1.0,), (1.0, 1.0), {0: (1.0, 0.0)}),
    (LINEAR, "", 2.0, 2.0, {0: 2.0, 0.5: 2.0}),
]


@pytest.mark.parametrize("parameter, rule, a, b, expected", TABLE)
def test_the_way_of_each_rule(parameter, rule, a, b, expected):
    way = path(parameter, a, b, rule)
    for t, value in expected.items():
        found = way(t)
        assert found == (value if isinstance(value, str) else pytest.approx(value, abs=1e-9)), t


@pytest.mark.parametrize("parameter, rule", [(LINEAR, "linear"), (LOG, "log"), (ANGLE, "circular"), (WHOLE, "step"),
                                             (CHOICE, "step"), (LATENT, "slerp"), (Parameter(curve="square"), "linear")])
def test_each_parameter_has_its_rule(parameter, rule):
    assert find_rule(parameter) == rule


def test_steps_change_over_where_told():
    way = path(CHOICE, "a", "b", step_at=0.9)
    assert (way(0.89), way(0.9)) == ("a", "b")
    assert path(CHOICE, "a", "b", step_at=1.0)(1.0) == "b"


@pytest.mark.parametrize("name", EASES)
def test_eases_begin_and_end_where_they_should(name):
    ease = EASES[name]
    values = [ease(n / 100) for n in range(101)]
    assert values[0] == 0.0 and values[-1] == 1.0 and values == sorted(values)


@settings(max_examples=60)
@given(st.sampled_from([LINEAR, LOG, ANGLE, WHOLE]), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1),
       st.sampled_from(["", "linear", "log", "circular", "step", "slerp"]))
def test_no_rule_leaves_the_range(parameter, a, b, t, rule):
    a, b = parameter.plain(a), parameter.plain(b)
    way = path(parameter, a, b, rule)
    slack = 1e-9 * (parameter.high - parameter.low)
    assert parameter.low - slack <= way(t) <= parameter.high + slack
    assert way(1.0) == b


# -- morphs in a show

EYES = Bend("eyes", "b8.conv0", (1, 2), "solarize", {"threshold": 1.0}, selection="1-2")
SKY = Bend("sky", "b16.conv0", (0,), "solarize", {"threshold": 2.0}, mix=0.8, selection="0")
OTHER_EYES = Bend("eyes", "b16.conv1", (3,), "solarize", {"threshold": 1.5}, selection="3")


@pytest.fixture
def rig(tmp_path):
    """Two presets, a and b, that differ in about everything."""
    rig = Rig(tmp_path, bends=[EYES])
    rig.play(3)
    rig.send("/preset/store", "a")
    rig.play()
    for address, value in (("/truncation", 0.4), ("/walk/kind", "wander"), ("/walk/seed", 99), ("/walk/speed", 1.0),
                           ("/noise/strength", 2.0), ("/style/fine/mix", 1.0)):
        rig.send(address, value)
    rig.show.scene = rig.show.scene.with_bends([SKY])
    rig.play(4)
    rig.send("/preset/store", "b")
    rig.play()
    rig.send("/preset/recall", "a")
    rig.play()
    yield rig
    rig.close()


def values(rig, address, frames):
    found = []
    for _ in range(frames):
        rig.play()
        found.append(rig.show.scene[address])
    return found


def test_a_morph_goes_smoothly_and_ends_exactly(rig):
    rig.send("/preset/recall", "b", 1.0)
    rig.send("/morph/ease", "linear")
    psi = values(rig, "/truncation", 31)
    assert psi[0] == 0.8 and psi == sorted(psi, reverse=True) and len(set(psi)) == 31
    assert psi[15] == pytest.approx(0.6) and psi[30] == 0.4
    target = rig.show.recall.library.read("b")
    assert dict(rig.show.scene.values) == dict(target.values) | {"/morph/ease": "linear"}
    assert rig.show.scene.bends == target.bends and rig.show.motion.led == () and rig.show.recall.morph is None


def test_bends_come_and_go_by_their_mix(rig):
    rig.send("/preset/recall", "b", 1.0)
    rig.play(16)
    scene = rig.show.scene
    assert [bend.name for bend in scene.bends] == ["eyes", "sky"]
    assert scene["/bends/eyes/mix"] == pytest.approx(0.5) and scene["/bends/sky/mix"] == pytest.approx(0.4)
    rig.play(15)
    assert rig.show.scene.bends == (SKY,)


def test_bends_that_share_only_a_name_cross(rig):
    a, b = align([rig.base.with_bends([EYES]), rig.base.with_bends([OTHER_EYES])])
    assert [bend.name for bend in a.bends] == ["eyes", "eyes+"] == [bend.name for bend in b.bends]
    assert (a["/bends/eyes/mix"], a["/bends/eyes+/mix"], b["/bends/eyes/mix"], b["/bends/eyes+/mix"]) == (1.0, 0.0, 0.0, 1.0)
    assert b["/bends/eyes+/threshold"] == 1.5


def weight_of(place, seeds):
    return sum(weight for point, weight in place if point in seeds)


def test_the_walk_is_led_in_w_without_a_jump(rig):
    rig.send("/morph/ease", "linear")
    rig.send("/preset/recall", "b", 1.0)
    previous, largest = dict(rig.show.motion.place), 0.0
    for frame in range(34):
        rig.play()
        place = dict(rig.show.motion.place)
        largest = max(largest, *(abs(place.get(p, 0.0) - previous.get(p, 0.0)) for p in place.keys() | previous.keys()))
        assert sum(place.values()) == pytest.approx(1.0)
        previous = place
    assert largest < 0.12                                          # a thirtieth of the way and the walks' own speed
    assert all(isinstance(point, tuple) and point[0] == 99 for point in previous)


def test_a_touched_parameter_is_left_to_the_hand(rig):
    rig.send("/preset/recall", "b", 1.0)
    rig.play(10)
    rig.send("/truncation", 1.7)
    assert set(values(rig, "/truncation", 30)) == {1.7}
    assert rig.show.scene["/noise/strength"] == 2.0 and rig.show.recall.morph is None


def test_reverse_goes_back_to_where_it_came_from(rig):
    before = rig.show.scene
    rig.send("/preset/recall", "b", 1.0)
    rig.play(12)
    rig.send("/morph/reverse")
    psi = values(rig, "/truncation", 14)
    assert psi == sorted(psi) and rig.show.scene == before and rig.show.recall.morph is None and rig.show.motion.led == ()


def test_interrupting_one_morph_by_another_makes_no_jump(rig):
    rig.send("/preset/recall", "b", 1.0)
    rig.play(15)
    place, psi = dict(rig.show.motion.place), rig.show.scene["/truncation"]
    rig.send("/preset/recall", "a", 1.0)
    rig.play(2)
    after = dict(rig.show.motion.place)
    assert max(abs(after.get(p, 0.0) - place.get(p, 0.0)) for p in after.keys() | place.keys()) < 0.15
    assert rig.show.scene["/truncation"] == pytest.approx(psi, abs=0.02)
    rig.play(32)
    assert rig.show.scene["/truncation"] == 0.8 and rig.show.scene.bends == (EYES,)


def test_beats_follow_the_tempo(rig):
    rig.send("/tempo", 60)
    rig.send("/morph/beats", 2)
    rig.play()
    rig.send("/lock", "/tempo")
    rig.send("/preset/recall", "b")
    rig.play(31)
    assert rig.show.recall.morph.at == pytest.approx(0.5)
    rig.send("/tempo", 120)
    rig.play(16)
    assert rig.show.recall.morph is None and rig.show.scene["/tempo"] == 120


def test_a_preset_says_how_it_is_gone_to(rig):
    rig.show.recall.library.flush()
    path = rig.show.recall.library.make_path("b")
    path.write_text(path.read_text() + "morph: {seconds: 0.5, ease: linear, step: 0.8, rules: {/noise/strength: hold, /truncation: step}}\n")
    rig.show.recall.library.refresh()
    rig.send("/preset/recall", "b")
    assert values(rig, "/truncation", 17)[11:15] == [0.8, 0.8, 0.4, 0.4]
    assert rig.show.scene["/noise/strength"] == 1.0 and rig.show.recall.morph is None
    rig.send("/preset/store", "b")                                 # storing over it keeps the manner
    rig.play()
    rig.show.recall.library.flush()
    assert "ease: linear" in path.read_text()


def test_locked_parameters_stay(rig):
    rig.send("/lock", "/truncation")
    rig.send("/lock", "/walk")
    rig.play()
    walk = rig.show.motion.walk
    rig.send("/preset/recall", "b")
    rig.play()
    assert rig.show.scene["/truncation"] == 0.8 and rig.show.scene["/walk/kind"] == "loop"
    assert rig.show.motion.walk == pytest.approx(walk, abs=0.1) and rig.show.scene["/noise/strength"] == 2.0
    rig.send("/unlock")
    rig.send("/preset/recall", "b")
    rig.play()
    assert rig.show.scene["/truncation"] == 0.4


def test_a_freeze_holds_a_morph(rig):
    rig.send("/preset/recall", "b", 1.0)
    rig.play(5)
    rig.send("/freeze")
    psi = values(rig, "/truncation", 10)
    assert len(set(psi[1:])) == 1
    rig.send("/freeze")
    assert values(rig, "/truncation", 32)[-1] == 0.4


def test_the_pad_mixes_four_presets(rig):
    for at, name in enumerate("abab", 1):
        rig.send("/pad/corner", at, name)
    rig.send("/pad/on", 1)
    rig.play(2)
    assert rig.show.scene["/truncation"] == 0.8
    rig.send("/pad/x", 0.5)
    rig.play()
    assert rig.show.scene["/truncation"] == pytest.approx(0.6) and rig.show.scene["/bends/sky/mix"] == pytest.approx(0.4)
    rig.send("/pad/y", 0.5)
    rig.send("/pad/x", 1.0)
    rig.play()
    assert rig.show.scene["/truncation"] == pytest.approx(0.4)
    assert weight_of(rig.show.motion.place, {p for p, _ in rig.show.motion.place if isinstance(p, tuple)}) == pytest.approx(1.0)
    rig.send("/preset/recall", "a")
    rig.play()
    assert rig.show.scene["/pad/on"] == 0.0 and rig.show.scene.bends == (EYES,)


# -- undo, A/B, quantise, gestures


def test_undo_and_redo_of_knobs_and_recalls(rig):
    rig.show.recall.undo.done.clear()
    for value in (0.5, 0.55, 0.6):                                 # one turn of a knob
        rig.send("/truncation", value)
        rig.play()
    rig.send("/noise/strength", 3.0)
    rig.play()
    rig.send("/preset/recall", "b")
    rig.play()
    heard = []
    for command in ("undo", "undo", "undo", "undo", "redo", "redo", "redo", "redo"):
        rig.send(f"/{command}")
        rig.play()
        heard.append((rig.show.scene["/truncation"], rig.show.scene["/noise/strength"]))
    assert heard == [(0.6, 3.0), (0.6, 1.0), (0.8, 1.0), (0.8, 1.0), (0.6, 1.0), (0.6, 3.0), (0.4, 2.0), (0.4, 2.0)]


def test_undo_of_a_morph_goes_back_at_once(rig):
    before = rig.show.scene
    rig.send("/preset/recall", "b", 1.0)
    rig.play(10)
    rig.send("/undo")
    rig.play(3)
    assert rig.show.scene == before and rig.show.recall.morph is None


def test_a_and_b(rig):
    rig.send("/compare")
    rig.play()
    rig.send("/truncation", 1.5)
    rig.play()
    heard = []
    for _ in range(3):
        rig.send("/compare")
        rig.play()
        heard.append(rig.show.scene["/truncation"])
    assert heard == [0.8, 1.5, 0.8]


@pytest.mark.parametrize("quantise, frames", [("off", 1), ("beat", 15), ("bar", 60)])
def test_recalls_wait_for_the_beat(rig, quantise, frames):
    rig.send("/quantise", quantise)                                # 120 bpm at 30 fps: a beat is 15 frames
    rig.play()
    while abs(rig.show.quantiser.beat % 4.0 - 0.1) > 0.05:
        rig.play()
    start = rig.show.quantiser.beat
    rig.send("/preset/recall", "b")
    psi = values(rig, "/truncation", 62)
    at = psi.index(0.4) + 1
    beat = start + at * 2 / 30
    quantum = {"off": 0.0, "beat": 1.0, "bar": 4.0}[quantise]
    assert at == 1 if not quantum else 0.0 <= beat % quantum < 2 / 30 + 1e-6 and beat - start <= quantum


def test_a_gesture_loops_and_is_overdubbed():
    gesture, play = Gesture(), []
    gesture.record(0.0)
    gesture.record_changes(0.5, [Change("/a", 1.0)])
    gesture.record_changes(1.5, [Change("/a", 2.0), Change("/b", 5.0)])
    gesture.loop(2.1, quantum=1.0)
    assert gesture.length == 2.0
    for beat in (2.2, 2.6, 3.6, 4.6, 5.6):
        play.append([(c.address, c.value) for c in gesture.play(beat)])
    assert play == [[], [("/a", 1.0)], [("/a", 2.0), ("/b", 5.0)], [("/a", 1.0)], [("/a", 2.0), ("/b", 5.0)]]
    gesture.record_changes(5.7, [Change("/a", 9.0)])                        # the hand has it until it comes round
    assert gesture.play(6.1) == [] and [c.value for c in gesture.play(6.6)] == [1.0]
    gesture.overdub(True)
    gesture.record_changes(6.6, [Change("/c", 7.0)])
    assert [c.address for c in gesture.play(7.6)] == ["/a", "/b"] and {c.address for c in gesture.play(8.6)} == {"/a", "/c"}
    gesture.stop()
    assert gesture.play(9.6) == []


def test_a_gesture_in_a_show(rig):
    rig.send("/gesture/only", "/truncation")
    rig.send("/gesture")
    rig.play()
    for value in (0.1, 0.2, 0.3, 0.4):
        rig.send("/truncation", value)
        rig.send("/noise/strength", value)
        rig.play()
    rig.send("/gesture")
    rig.play()
    rig.send("/noise/strength", 4.0)
    psi = values(rig, "/truncation", 12)
    assert set(psi) == {0.1, 0.2, 0.3, 0.4} and rig.show.scene["/noise/strength"] == 4.0


def test_a_gesture_and_a_recall_wait_for_the_same_beat(rig):
    before = rig.show.scene["/truncation"]
    rig.send("/preset/store", "one")
    rig.play()
    rig.send("/truncation", 0.5)
    rig.send("/quantise", "bar")
    rig.send("/gesture")
    rig.send("/preset/recall", "one")
    rig.play(2)
    assert rig.show.looper.gesture.state == "empty"
    rig.play(70)
    assert rig.show.looper.gesture.state == "recording" and rig.show.scene["/truncation"] == before


def test_a_recall_at_once_takes_the_place_of_the_one_that_waits(rig):
    for name, value in (("low", 0.25), ("high", 0.75)):
        rig.send("/truncation", value)
        rig.send("/preset/store", name)
        rig.play()
    rig.send("/quantise", "bar")
    rig.send("/preset/recall", "low")
    rig.send("/quantise", "off")
    rig.send("/preset/recall", "high")
    rig.play(70)
    assert rig.show.scene["/truncation"] == 0.75
