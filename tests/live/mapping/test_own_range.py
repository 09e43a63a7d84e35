"""Controls that say more than one number, in their own range; what a momentary leaves; throws; and what is only repeated."""
import pytest
import yaml

from engine.errors import UserError
from engine.parameter import Parameter
from engine.scene import Scene
from live.mapping import files
from live.mapping.binding import Binding
from live.mapping.mapping import Mapping
from live.show.events import Call, Change, ControlEvent

PARAMETERS = {"/truncation": Parameter(0.5), "/walk/kind": Parameter("loop", choices=("loop", "hold")), "/output/freeze": Parameter(0.0, step=1),
              "/noise": Parameter(0.2), "/walk/z": Parameter((), -8.0, 8.0, size=8)}


def one(control="osc /pad", to="/truncation", **more):
    return Mapping([[Binding(**{"control": control, "to": to, "takeover": "jump"} | more)]])


def hear(mapping, *values, control="osc /pad", at=0.0, scene=None):
    momentary = not all(isinstance(v, (int, float)) and not isinstance(v, bool) for value in values for v in (value if isinstance(value, tuple) else (value,)))
    return mapping.translate([ControlEvent(control, value, momentary, at) for value in values], scene or Scene(PARAMETERS))


@pytest.mark.parametrize("more, value, place", [
    ({}, (0.1, 0.9), 0.9),                                         # the last one where none is named
    ({"argument": 1}, (0.1, 0.9), 0.1),
    ({"argument": 2}, (0.1, 0.9), 0.9),
    ({"argument": 3}, (1.0, 0.5, 0.25, 1.0), 0.25),                # of a colour
    ({"argument": 2}, ("deck a", 0.75), 0.75),
    ({"argument": 1}, ("0.25", "b"), 0.25),                        # numbers that are written out
    ({}, "0.75", 0.75),
    ({"argument": 1}, 0.75, 0.75),
    ({"argument": 1}, True, 1.0),
    ({"argument": 2}, (True, False), 0.0),
    ({}, (0.25, "released"), 0.25),
    ({"from": [0, 127]}, 63.5, 0.5),
    ({"from": [-1, 1]}, -0.5, 0.25),
    ({"from": [1, 0]}, 0.25, 0.75),
    ({"from": [20, 500]}, 140, 0.25),
    ({"from": [0, 127]}, 500.0, 1.0),                              # beyond its ends it is at them
    ({"from": [0, 127], "argument": 2}, (1, 127), 1.0),
    ({"from": [0, 127], "inverse": True, "range": [0.2, 0.6]}, 127, 0.2),
    ({"from": [0.0, 1e6]}, 2 ** 19, 0.524288),
])
def test_which_number_counts_and_from_where_to_where(more, value, place):
    assert hear(one(**more), value) == [Change("/truncation", pytest.approx(place))]


@pytest.mark.parametrize("control, own, value, place", [("cc 1/16", [10, 110], 60 / 127, 0.5), ("bend 1", [0, 8191.5], 0.25, 0.5), ("cc 1/16", [127, 0], 0.0, 1.0)])
def test_midi_controls_that_do_not_reach_their_ends(control, own, value, place):
    assert hear(one(control, **{"from": own}), value, control=control) == [Change("/truncation", pytest.approx(place))]


def test_a_pad_turns_two_parameters_and_each_picks_up_for_itself():
    mapping = Mapping([[Binding(control="osc /pad", argument=1, to="/truncation"), Binding(control="osc /pad", argument=2, to="/noise")]])
    assert hear(mapping, (0.5, 0.9)) == [Change("/truncation", pytest.approx(0.5))] or not hear(mapping, (0.5, 0.9))
    assert hear(mapping, (0.6, 0.1)) == [Change("/truncation", pytest.approx(0.6)), Change("/noise", pytest.approx(0.1))]


@pytest.mark.parametrize("more, values, pressed", [
    ({}, [1.0, 0.0], 1), ({"from": [0, 127]}, [127, 0], 1), ({"from": [-1, 1]}, [1, -1, 1], 2), ({"from": [1, 0]}, [0, 1, 0], 2), ({"argument": 2}, [(0, 1), (1, 0)], 1),
])
def test_buttons_in_their_own_range(more, values, pressed):
    assert hear(one(to="/panic", **more), *values).count(Call("/panic", ())) + sum(isinstance(c, Call) and bool(c.arguments) for c in hear(one(to="/panic", **more), *values)) >= pressed


def test_a_word_sets_a_choice_and_another_word_nothing(caplog):
    assert hear(one(to="/walk/kind", argument=2), ("x", "hold")) == [Change("/walk/kind", "hold")]
    assert hear(one(), "hello") == [] and "/truncation is turned by numbers, and 'hello' came" in caplog.text


def test_a_message_with_fewer_numbers_is_told_once(caplog):
    mapping = one(argument=3)
    assert hear(mapping, (0.1, 0.9)) == hear(mapping, (0.1, 0.8)) == []
    assert caplog.text.count("argument 3 is bound, and a message came with fewer") == 1


def test_any_capitals_and_the_exact_ones_first():
    mapping = Mapping([[Binding(control="osc /1/Fader1", to="/truncation", takeover="jump")]])
    for spelling in ("/1/Fader1", "/1/fader1", "/1/FADER1"):
        assert hear(mapping, 0.25, control=f"osc {spelling}") == [Change("/truncation", 0.25)]
    both = Mapping([[Binding(control="osc /a", to="/truncation", takeover="jump"), Binding(control="osc /A", to="/noise", takeover="jump")]])
    assert hear(both, 0.25, control="osc /A") == [Change("/noise", 0.25)]


@pytest.mark.parametrize("words, message", [
    ("control: cc 1/16, argument: 1", "argument is for OSC messages"),
    ("control: osc /a, argument: 0", "argument"),
    ("control: osc /a, argument: x", "argument"),
    ("control: osc /a, from: [1, 1]", "expected the numbers that the control sends at its two ends"),
    ("control: osc /a, from: [0, .inf]", "expected the numbers that the control sends at its two ends"),
    ("control: osc /a, from: 127", "from"),
    ("control: key space, from: [0, 1]", "from is for controls that have two ends"),
    ("control: cc 1/1, relative: twos, from: [0, 1]", "from is for controls that have two ends"),
    ("control: key space, feedback: true", "feedback is for controls that can show something"),
])
def test_what_cannot_be_is_told_with_the_way_to_it(tmp_path, words, message):
    path = tmp_path / "m.yaml"
    path.write_text("schema: 1\nbindings:\n  - {%s, to: /truncation}\n" % words)
    with pytest.raises(UserError, match="bindings > 1") as error:
        files.load(path)
    assert message in str(error.value)


def test_saved_and_read_again(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("schema: 1\nbindings:\n  - {control: osc /pad, argument: 1, to: /noise, from: [0, 127]}\n  - {control: osc /pad, argument: 2, to: /noise}\n")
    learned = [Binding(**{"control": "osc /pad", "argument": 1, "to": "/truncation", "from": [-1, 1]})]
    files.save(path, learned, [])
    assert [(b.argument, b.to, b.own_range) for b in files.load(path)] == [(2, "/noise", None), (1, "/truncation", (-1.0, 1.0))]
    assert yaml.safe_load(path.read_text())["bindings"][1]["from"] == [-1.0, 1.0]


@pytest.mark.parametrize("mode, between, after", [({"mode": "momentary"}, None, 0.5), ({"mode": "momentary", "value": 0.9}, None, 0.5),
                                                  ({"mode": "momentary", "range": [0.3, 0.8]}, None, 0.5), ({"mode": "momentary"}, 0.3, 0.3)])
def test_a_momentary_goes_back_to_what_was_there(mode, between, after):
    """Unless something else has moved it meanwhile."""
    mapping, scene = one("note 1/51", **mode), Scene(PARAMETERS)
    for value in (1.0, 1.0, 0.0):                                  # pressed, pressed again without a release, let go
        scene = scene.set(mapping.translate([ControlEvent("note 1/51", value, True)], scene))
        if value and between is not None:
            scene = scene.set([Change("/truncation", between)])
    assert scene["/truncation"] == after


# -- throws

@pytest.mark.parametrize("again", ["at first", "plugged in again", "after a bank"])
@pytest.mark.parametrize("frames", [3, 5, 9, 15])
@pytest.mark.parametrize("step", [1, 3, 6])
def test_the_first_throw_of_a_fader_counts(frames, step, again):
    """From end to end in so many frames; a fast one is first heard at a few steps from its end."""
    bank = {"bank": 1} if again == "after a bank" else {}
    mapping, scene = Mapping([[Binding(control="cc 1/23", to="/output/freeze", **bank), Binding(control="cc 1/99", to="/noise", bank=2)]]), Scene(PARAMETERS)
    if again == "plugged in again":
        mapping.translate([ControlEvent("cc 1/23 @ Box", 0.4), ControlEvent("device Box", 0.0, True), ControlEvent("device Box", 1.0, True)], scene)
    if again == "after a bank":
        mapping.translate([ControlEvent("cc 1/23 @ Box", 0.0)], scene)
        mapping.rebind(2)
        mapping.rebind(1)
    positions = list(range(step, 128, step)) + [127]
    for frame in range(frames):
        part = positions[frame * len(positions) // frames:(frame + 1) * len(positions) // frames]
        scene = scene.set(mapping.translate([ControlEvent("cc 1/23 @ Box", at / 127) for at in part], scene))
    assert scene["/output/freeze"] == 1.0


def test_a_fader_far_from_its_value_still_waits():
    mapping, scene = Mapping([[Binding(control="cc 1/23", to="/truncation")]]), Scene(PARAMETERS)
    assert mapping.translate([ControlEvent("cc 1/23 @ Box", at / 127) for at in range(80, 128)], scene) == []


# -- what is only said again

def stream(mapping, scene, value, at, count, address="/truncation", rate=60.0):
    """Frames of a sender that says the same at each; what was heard in each."""
    return [mapping.translate([ControlEvent(f"osc {address}", value, False, at + n / rate)], scene) for n in range(count)]


@pytest.mark.parametrize("address, value", [("/truncation", 0.7), ("/n/truncation", 0.7), ("/trunc*", 0.7), ("/walk/z", (0.5, 0.25)), ("/my/fader", 0.7)])
def test_a_value_that_is_only_said_again_is_no_touch(address, value):
    mapping, scene = Mapping([[Binding(control="osc /my/fader", to="/truncation", takeover="jump")]]), Scene(PARAMETERS)
    first = stream(mapping, scene, value, 1.0, 60, address)
    assert first[0] and not any(first[4:])
    assert not any(stream(mapping, scene, value, 2.2, 30, address))               # after a hiccup of the network
    assert mapping.translate([ControlEvent(f"osc {address}", value if isinstance(value, tuple) and False else ((0.1,) if isinstance(value, tuple) else 0.6), False, 3.0)], scene)
    assert mapping.translate([ControlEvent(f"osc {address}", value, False, 9.0)], scene)                        # later it is a touch


def test_what_is_sent_one_by_one_counts_each_time():
    mapping, scene = Mapping(), Scene(PARAMETERS)
    assert all(stream(mapping, scene, 0.7, 1.0, 5, rate=2.0))


def test_presses_count_however_often():
    mapping, scene = Mapping([[Binding(control="osc /button", to="/panic")]]), Scene(PARAMETERS)
    assert all(stream(mapping, scene, 1.0, 1.0, 20, "/button")) and all(stream(mapping, scene, 1.0, 1.0, 20, "/freeze"))
