"""Modulators in a show: commands, hands, presets, morphs, undo and takes."""
import itertools

import pytest

import live.show.bend_commands
import live.show.modulator_commands
from engine.errors import UserError
from engine.modulation import modulate
from live.show.data import MOST_MODULATORS
from live.show.events import Call, ControlEvent
from live.show.touch import Touches
from live.takes.performance import play_evenly, play_ticks
from live.takes.take import TakeReader
from tests.live.memory_rig import FPS, Rig, scenes_of


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    rig.show.players.append(Touches(rig.show))
    yield rig
    rig.close()


def shown(rig, address="/truncation"):
    return modulate(rig.show.scene, rig.show.motion)[address]


def add(rig, *arguments, **values):
    rig.send("/modulators/add", *arguments)
    rig.play()
    for setting, value in values.items():
        rig.send(f"/modulators/{arguments[0]}/{setting}", value)
    rig.play()


def test_an_lfo_moves_the_picture_and_leaves_what_is_set(rig):
    rig.show.scene = rig.show.scene.set_values({"/walk/kind": "hold"})
    still = {rig.play() for _ in range(3)}
    add(rig, "swell", "/truncation", "sine", 0.3, rate=1.0)
    pictures, values = set(), []
    for _ in range(60):
        pictures.add(rig.play())
        values.append(shown(rig))
    assert len(still) == 1 and len(pictures) > 30
    assert rig.show.scene["/truncation"] == 0.8 and "/truncation" not in rig.show.scene.values
    assert max(values) > 1.5 and min(values) < 0.1


def test_one_on_a_bend_in_one_bundle_with_the_bend_and_its_settings(rig):
    """What a bundle sets on a bend or a modulator that it brings itself is not lost."""
    rig.show.inbox.put([ControlEvent("osc /bends/add", ("eyes", "b8.conv1", "all", "scalar_multiply", 0.0), True),
                        ControlEvent("osc /bends/eyes/factor", 1.5), ControlEvent("osc /bends/eyes/mix", (0.2, 0.4)),
                        ControlEvent("osc /modulators/add", ("lfo", "/bends/eyes/factor"), True),
                        ControlEvent("osc /n/modulators/lfo/depth", 1.0), ControlEvent("osc //rate", 2.0),
                        ControlEvent("osc /nothing/here", 1.0)])
    rig.show.mapping.stats = unknown = Unknown()
    rig.play()
    scene = rig.show.scene
    assert (scene["/bends/eyes/factor"], scene["/bends/eyes/mix"]) == (1.5, 0.4)
    assert (scene["/modulators/lfo/depth"], scene["/modulators/lfo/rate"]) == (1.0, 2.0)
    assert unknown == ["/nothing/here"]


class Unknown(list):
    def unknown(self, address, value, parameters=()):
        self.append(address)


def test_hands_have_a_touched_parameter_to_themselves(rig):
    add(rig, "swell", "/truncation", "square", 0.3, rate=0.01)
    rig.play(20)
    assert shown(rig) == pytest.approx(0.8 + 0.9)
    for value in (0.7, 0.6, 0.5, 0.5, 0.4):
        rig.send("/truncation", value)
        rig.play()
    assert shown(rig) == rig.show.scene["/truncation"] == 0.4
    rig.play(12)                                                  # a moment after
    assert shown(rig) == 0.4
    rig.play(30)
    assert shown(rig) == pytest.approx(0.4 + 0.9)


def test_a_morph_or_a_gesture_is_no_touch(rig):
    rig.send("/preset/store", "low")
    rig.play()
    rig.send("/truncation", 0.2)
    rig.play(20)
    add(rig, "swell", "/truncation", "square", 0.3, rate=0.01)
    rig.play(20)
    rig.send("/modulators/clear")
    rig.send("/preset/store", "x")
    rig.play(2)
    assert rig.show.motion.holds == ()
    add(rig, "swell", "/truncation", "square", 0.3, rate=0.01)
    rig.send("/preset/recall", "low", 1.0)
    for _ in range(10):
        rig.play()
        assert rig.show.motion.holds == ()


def test_commands(rig):
    add(rig, "a", "/truncation", "triangle", 0.1)
    add(rig, "b", "/noise/strength", "envelope", 0.5, "/truncation")
    scene = rig.show.scene
    assert [(m.name, m.target, m.source) for m in scene.modulators] == [("a", "/truncation", ""), ("b", "/noise/strength", "/truncation")]
    assert scene["/modulators/b/polarity"] == "up" and scene["/modulators/a/depth"] == 0.1
    rig.send("/modulators/target", "a", "/walk/speed")
    rig.send("/modulators/source", "b", "/walk/speed")
    rig.play()
    assert [(m.target, m.source) for m in rig.show.scene.modulators] == [("/walk/speed", ""), ("/noise/strength", "/walk/speed")]
    assert rig.show.scene["/modulators/a/depth"] == 0.1
    rig.send("/modulators/remove", "a")
    rig.play()
    assert [m.name for m in rig.show.scene.modulators] == ["b"]
    rig.send("/undo")
    rig.play()
    assert [m.name for m in rig.show.scene.modulators] == ["a", "b"]
    rig.send("/panic")
    rig.play()
    assert rig.show.scene.modulators == () and rig.show.motion.modulators == ()


@pytest.mark.parametrize("arguments, complaint", [
    (("swell",), "expected NAME TARGET"), (("a b", "/truncation"), "name 'a b'"), (("x", "/nothing"), "no parameter '/nothing'"),
    (("x", "/truncation", "zigzag"), "expected one of"), (("x", "/truncation", "envelope"), "follows a parameter"),
    (("x", "/truncation", "sine", "deep"), "expected a number"), (("x", "/walk/z"), "is not for modulators"),
    (("x", "/output/blackout"), "not for modulators"), (("x", "/morph/seconds"), "is not for modulators"), (("x", "/tempo"), "not for modulators"),
    (("there", "/truncation"), "there is a modulator 'there' already")])
def test_what_cannot_be_is_refused_in_words(rig, arguments, complaint):
    add(rig, "there", "/truncation")
    with pytest.raises(UserError, match=complaint):
        live.show.commands.call(rig.show, Call("/modulators/add", arguments))


def test_there_is_an_end_to_adding(rig):
    for i in range(MOST_MODULATORS):
        rig.show.scene = live.show.commands.call(rig.show, Call("/modulators/add", (f"m{i}", "/truncation")))[0]
    with pytest.raises(UserError, match="128 modulators already"):
        live.show.commands.call(rig.show, Call("/modulators/add", ("more", "/truncation")))


def test_sync(rig):
    add(rig, "hz", "/truncation", "saw", 0.3, rate=3.3)
    add(rig, "bars", "/noise/strength", "saw", 0.3, unit="beats", beats=4.0)
    rig.play(17)
    rig.send("/modulators/sync")
    rig.play()
    states = {state[0]: state[1] for state in rig.show.motion.modulators}
    assert states["bars"] == pytest.approx(rig.show.motion.beat / 4.0)
    assert states["hz"] == pytest.approx(3.3 / FPS)
    rig.send("/modulators/sync", "hz")
    rig.play()
    assert {s[0]: s[1] for s in rig.show.motion.modulators}["bars"] == pytest.approx(rig.show.motion.beat / 4.0)


def test_a_preset_brings_them_back_whole(rig):
    add(rig, "swell", "/truncation", "random", 0.3, rate=2.0, phase=0.4)
    add(rig, "follow", "/noise/strength", "envelope", 0.5, "/truncation", attack=1.5)
    rig.play(20)
    scene, motion = rig.show.scene, rig.show.motion
    rig.send("/preset/store", "moving")
    rig.play()
    rig.send("/panic")
    rig.play(5)
    rig.send("/preset/recall", "moving")
    rig.play()
    assert rig.show.scene.modulators == scene.modulators
    assert {a: v for a, v in rig.show.scene.values.items() if a.startswith("/modulators")} == \
        {a: v for a, v in scene.values.items() if a.startswith("/modulators") and v != scene.parameters[a].default}
    again = {s[0]: s[1:] for s in rig.show.motion.modulators}
    for state in motion.modulators:                                # a frame on from when it was stored
        rate = scene[f"/modulators/{state[0]}/rate"]
        assert again[state[0]][0] == pytest.approx(state[1] + rate / FPS)


def test_a_preset_of_other_sections_leaves_them_alone(rig):
    rig.send("/preset/store", "plain", "latent")
    rig.play()
    add(rig, "swell", "/truncation", "sine", 0.3)
    rig.play(10)
    before = rig.show.motion.modulators
    rig.send("/preset/recall", "plain")
    rig.play()
    assert [m.name for m in rig.show.scene.modulators] == ["swell"]
    assert rig.show.motion.modulators[0][1] == pytest.approx(before[0][1] + 0.25 / FPS)


def test_a_preset_of_modulators_only(rig):
    add(rig, "swell", "/truncation", "sine", 0.3)
    rig.send("/preset/store", "mods", "modulators")
    rig.play()
    rig.send("/modulators/clear")
    rig.send("/walk/seed", 9)
    rig.play()
    walk = rig.show.motion.walk
    rig.send("/preset/recall", "mods")
    rig.play()
    assert [m.name for m in rig.show.scene.modulators] == ["swell"] and rig.show.scene["/walk/seed"] == 9
    assert rig.show.motion.walk > walk


def test_a_morph_fades_them_in_and_out_without_a_jump(rig):
    """Two presets whose modulators share a name but not a target; what is drawn moves by no more than it would anyway."""
    rig.show.scene = rig.show.scene.set_values({"/walk/kind": "hold"})
    add(rig, "m", "/truncation", "sine", 0.3, rate=0.5)
    rig.play(30)
    rig.send("/preset/store", "one")
    rig.play()
    rig.send("/modulators/clear")
    rig.play(40)
    add(rig, "m", "/noise/strength", "sine", 0.2, rate=0.5)
    rig.play(30)
    rig.send("/preset/store", "two")
    rig.play()
    rig.send("/preset/recall", "one", 1.0)
    steps, names = {"/truncation": [], "/noise/strength": []}, set()
    for _ in range(60):
        before = {address: shown(rig, address) for address in steps}
        rig.play()
        names |= {m.name for m in rig.show.scene.modulators}
        for address, found in steps.items():
            parameter = rig.show.scene.parameters[address]
            found.append(abs(parameter.normalized(shown(rig, address)) - parameter.normalized(before[address])))
    assert names == {"m", "m+"} and [m.target for m in rig.show.scene.modulators] == ["/truncation"]
    assert max(steps["/truncation"]) < 0.3 * (3.2 * 0.5 * 2 + 2.0) / FPS
    assert max(steps["/noise/strength"]) < 0.2 * (3.2 * 0.5 * 2 + 2.0) / FPS
    assert shown(rig) != 0.8


def test_a_take_plays_again_bit_for_bit(rig, tmp_path):
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(3)
    add(rig, "swell", "/truncation", "random", 0.3, rate=1.7)
    add(rig, "steps", "/noise/strength", "sample_and_hold", 0.4, unit="beats", beats=0.5)
    add(rig, "follow", "/style/fine/mix", "envelope", 0.5, "/truncation")
    seen = []
    for frame in range(40):
        if frame in (10, 11, 12, 25):
            rig.send("/truncation", 0.5 + frame / 100)
        if frame == 20:
            rig.send("/modulators/swell/rate", 9.0)
        if frame == 30:
            rig.send("/modulators/sync")
        seen.append((rig.play(), rig.show.motion))
    rig.show.recording.stop_take()
    rig.play()
    rig.close()
    reader = TakeReader(tmp_path / "a.take", rig.base, rig.hash)
    other = Rig(generator=rig.generator)
    found = scenes_of(reader, other.show)
    pictures = [rig_bytes for rig_bytes, _ in seen]
    motions = [motion for _, motion in seen]
    assert [motion for _, motion, _ in found][-len(motions):] == motions
    import hashlib
    assert [digest for _, _, digest in found][-len(pictures):] == [hashlib.sha256(p).hexdigest() for p in pictures]


def test_a_take_rendered_at_another_rate_moves_the_same(rig, tmp_path):
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(2)
    add(rig, "swell", "/truncation", "triangle", 0.3, rate=1.3)
    add(rig, "follow", "/noise/strength", "envelope", 0.5, "/walk/speed")
    rig.send("/walk/speed", 2.0)
    rig.play(30)
    rig.send("/truncation", 0.3)
    rig.play(40)
    rig.show.recording.stop_take()
    rig.close()
    reader = TakeReader(tmp_path / "a.take", rig.base, rig.hash)
    own = list(play_ticks(reader))
    double = list(play_evenly(play_ticks(reader), 2 * FPS))
    for moment, twice in itertools.islice(zip(own, double[::2]), 0, None):
        assert twice.time == pytest.approx(moment.time, abs=1e-9)
        for a, b in zip(moment.motion.modulators, twice.motion.modulators):
            assert a[0] == b[0] and a[1:] == pytest.approx(b[1:], abs=1e-6)
    assert double[-1].motion.modulators[0][1] == pytest.approx(own[-1].motion.modulators[0][1])
