import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.parameter import Parameter
from engine.scene import Scene
from live.mapping import files
from live.mapping.binding import Binding
from live.mapping.mapping import Mapping, keep_newest
from live.mapping.takeover import END, HOOK
from live.show.commands import COMMANDS
from live.show.events import Call, Change, ControlEvent
from live.show.parameters import add_parameters

PARAMETERS = {
    "/truncation": Parameter(0.7),
    "/walk/speed": Parameter(0.25, 0.0, 4.0, curve="square"),
    "/walk/kind": Parameter("loop", choices=("loop", "hold", "drift")),
    "/walk/z": Parameter((), -8.0, 8.0, size=8),
    "/hue": Parameter(0.0, 0.0, 360.0, curve="circular"),
    "/output/freeze": Parameter(0.0, step=1),
    "/bends/eyes/mix": Parameter(0.0),
    "/bends/nose/mix": Parameter(0.0),
}


@pytest.fixture
def scene():
    return Scene(PARAMETERS)


@pytest.fixture(autouse=True)
def recall(monkeypatch):
    """A preset command that takes a name, whatever presets can do."""
    from live.show.commands import Command

    monkeypatch.setitem(COMMANDS, "/preset/recall", Command("/preset/recall", lambda show, which: None, ("which",), ""))


def one(control="cc 1/16", to="/truncation", **more):
    return Mapping([[Binding(control=control, to=to, **more)]])


def cc(value, control="cc 1/16"):
    return ControlEvent(control, value / 127)


def osc(address, value):
    return ControlEvent(f"osc {address}", value, not isinstance(value, (int, float)))


def press(control, value=1.0, at=0.0):
    return ControlEvent(control, value, True, at)


def play(mapping, scene, frames):
    """Frames of events -> what was heard in each, and the scene after them; changes are applied as the loop does."""
    heard = []
    for events in frames:
        found = mapping.translate(events if isinstance(events, list) else [events], scene)
        scene = scene.set([item for item in found if isinstance(item, Change)])
        heard.append(found)
    return heard, scene


# -- soft takeover: positions in, heard out. The parameter sits at 0.7, which is 88.9 of 127

@pytest.mark.parametrize("positions, heard", [
    ((0, 40, 80, 95, 100), (0, 0, 0, 1, 1)),          # up through the value
    ((127, 100, 80, 70), (0, 0, 1, 1)),               # down through it
    ((0, 127), (0, 1)),                               # in one sweep: the hand went through it
    ((89, 90), (1, 1)),                               # begins on it
    ((87, 95), (1, 1)),                               # begins within the hook
    ((80, 84, 80), (0, 0, 0)),                        # comes near and goes away
    ((120, 121, 127), (0, 0, 0)),                     # never meets it
])
def test_pickup_waits_until_the_fader_meets_the_value(scene, positions, heard):
    found, _ = play(one(), scene, [cc(p) for p in positions])
    assert tuple(map(len, found)) == heard


def test_jump_acts_at_once(scene):
    found, _ = play(one(takeover="jump"), scene, [cc(0), cc(127)])
    assert found == [[Change("/truncation", 0.0)], [Change("/truncation", 1.0)]]


def test_pickup_lets_go_when_someone_else_moves_the_parameter(scene):
    mapping = one()
    _, scene = play(mapping, scene, [cc(89), cc(95)])
    moved = scene.set([Change("/truncation", 0.1)])
    found, _ = play(mapping, moved, [cc(96), cc(60), cc(20), cc(10), cc(9)])
    assert list(map(len, found)) == [0, 0, 0, 1, 1]


def test_two_faders_on_one_parameter_take_turns(scene):
    mapping = Mapping([[Binding(control="cc 1/16", to="/truncation"), Binding(control="cc 1/17", to="/truncation")]])
    _, scene = play(mapping, scene, [cc(89), cc(100)])
    found, scene = play(mapping, scene, [cc(10, "cc 1/17"), cc(105, "cc 1/17"), cc(60, "cc 1/17"), cc(101)])
    assert list(map(len, found)) == [0, 1, 1, 0]


def test_a_value_outside_the_range_is_met_at_its_end(scene):
    found, _ = play(one(range=[0.0, 0.5]), scene, [cc(0), cc(64), cc(127), cc(120)])
    assert list(map(len, found)) == [0, 0, 1, 1]


@pytest.mark.parametrize("more, position, value", [
    ({}, 127, 1.0),
    ({"inverse": True}, 127, 0.0),
    ({"range": [0.2, 0.6]}, 0, 0.2),
    ({"range": [0.2, 0.6]}, 127, 0.6),
    ({"range": [0.2, 0.6], "inverse": True}, 127, 0.2),
])
def test_range_and_inverse(scene, more, position, value):
    found, _ = play(one(takeover="jump", **more), scene, [cc(position)])
    assert found[0][0].value == pytest.approx(value)


def test_the_curve_is_the_parameters(scene):
    found, _ = play(one(to="/walk/speed", takeover="jump"), scene, [ControlEvent("cc 1/16", 0.5)])
    assert found[0] == [Change("/walk/speed", 1.0)]


def test_a_fader_in_the_share_of_the_choice_there_is_has_hold_of_it(scene):
    found, scene = play(one(to="/walk/kind"), scene, [cc(127), cc(30), cc(60)])
    assert found == [[], [], [Change("/walk/kind", "hold")]]


def test_held_by_a_circular_parameter_at_the_seam(scene):
    found, _ = play(one(to="/hue"), scene, [cc(0), cc(2), cc(127), cc(126)])
    assert [len(f) for f in found] == [0, 1, 1, 1] and found[2][0].value == 0.0


def test_a_fader_after_a_command_hears_what_the_command_has_done(scene):
    """A recall and a fader in one frame: the fader must not drag the preset's value back."""
    mapping = one()
    _, scene = play(mapping, scene, [cc(89), cc(95)])
    found = mapping.translate([press("program 1/3"), cc(96)], scene)
    assert found == [Call("/preset/recall", (3,))]
    assert mapping.translate([], scene.set([Change("/truncation", 0.1)])) == []


def test_a_device_that_was_away_meets_its_values_anew(scene):
    mapping, fader = one(), "cc 1/16 @ Nano"
    _, scene = play(mapping, scene, [cc(89, fader), cc(95, fader)])
    found, _ = play(mapping, scene, [press("device Nano", 0.0), press("device Nano"), cc(10, fader), cc(127, fader)])
    assert [len(f) for f in found] == [0, 0, 0, 1]


@settings(deadline=None, max_examples=120)
@given(st.lists(st.one_of(
    st.tuples(st.just("fader"), st.integers(0, 127)), st.tuples(st.just("other"), st.integers(0, 127)),
    st.tuples(st.just("elsewhere"), st.floats(0, 1)), st.tuples(st.just("recall"), st.floats(0, 1)),
    st.tuples(st.just("unplugged"), st.integers(0, 127))), max_size=40))
def test_a_picked_up_control_never_jumps_more_than_its_hook(steps):
    """Nor further than the hand itself has just moved, whatever comes in between, in whatever frames."""
    mapping = Mapping([[Binding(control="cc 1/16", to="/truncation"), Binding(control="cc 1/17", to="/truncation")]])
    scene, hands = Scene(PARAMETERS), {}
    for kind, value in steps:
        if kind in ("elsewhere", "recall"):
            scene = scene.set([Change("/truncation", value)])
            continue
        control = f"cc 1/{16 if kind == 'fader' else 17} @ Nano"
        if kind == "unplugged":
            mapping.translate([press("device Nano")], scene)
            hands.clear()
        before = scene["/truncation"]
        found = mapping.translate([cc(value, control)], scene)
        scene = scene.set(found)
        travelled = abs(value / 127 - hands[control]) if control in hands else 0.0
        thrown = END if before in (0.0, 1.0) and control in hands else 0.0               # from its end, and heard first on its way
        assert abs(scene["/truncation"] - before) <= max(HOOK, travelled + thrown) + 1e-9
        hands[control] = value / 127


# -- 14 bits

def fourteen(value, fine=True, coarse=True):
    return [cc(value >> 7)] * coarse + [cc(value & 127, "cc 1/48")] * fine


@pytest.mark.parametrize("frames, heard", [
    ([fourteen(8192), fourteen(8193)], [8192, 8193]),
    ([fourteen(8192), fourteen(8191)], [8192, 8191]),                             # no dip where the coarse part changes
    ([fourteen(8192), fourteen(8193, coarse=False)], [8192, 8193]),
    ([fourteen(100), fourteen(8191, fine=False), fourteen(8191, coarse=False)], [100, 8191]),     # torn between two frames
    ([fourteen(100), fourteen(228, fine=False), [], []], [100, 228]),             # only the coarse part changed
    ([fourteen(0) + fourteen(500) + fourteen(16383)], [16383]),
])
def test_14_bit_pairs(scene, frames, heard):
    found, _ = play(one("cc14 1/16", takeover="jump"), scene, frames)
    values = [change.value * 16383 for changes in found for change in changes]
    if len(heard) > 1 and len(values) > len(heard):
        values = values[-len(heard):]                 # a first coarse part counts alone: nobody knows yet that more comes
    assert values == pytest.approx(heard, abs=1e-6)


def test_a_controller_with_7_bits_reaches_both_ends_of_a_14_bit_binding(scene):
    found, _ = play(one("cc14 1/16", takeover="jump"), scene, [cc(0), cc(127)])
    assert [f[-1].value for f in found] == [0.0, 1.0]


def test_parts_of_a_pair_are_no_controls_of_their_own(scene):
    general = [Binding(control="cc 1/16", to="/walk/speed"), Binding(control="cc 1/48", to="/walk/speed", takeover="jump")]
    mapping = Mapping([general, [Binding(control="cc14 1/16", to="/truncation", takeover="jump")]])
    found, _ = play(mapping, scene, [fourteen(4000)])
    assert {change.address for change in found[0]} == {"/truncation"}


# -- notes, keys, buttons

DOWN, UP = press("note 1/36", 100 / 127), press("note 1/36", 0.0)


@pytest.mark.parametrize("more, events, values", [
    ({}, [DOWN, UP, DOWN], [1.0, 1.0]),
    ({"value": 0.4}, [DOWN, UP], [0.4]),
    ({"mode": "toggle"}, [DOWN, UP, DOWN, UP], [0.0, 1.0]),                       # 0.7 is nearer to on
    ({"mode": "toggle", "value": 0.5, "range": [0.1, 1.0]}, [DOWN, UP, DOWN, UP], [0.1, 0.5]),
    ({"mode": "momentary"}, [DOWN, UP], [1.0, 0.7]),
    ({"mode": "momentary", "inverse": True}, [DOWN, UP], [0.0, 0.7]),
    ({"mode": "velocity"}, [DOWN, UP], [100 / 127]),
    ({"mode": "velocity", "range": [0.0, 0.5]}, [DOWN, UP], [50 / 127]),
    ({"step": 0.1}, [DOWN, UP, DOWN, DOWN, DOWN], [0.8, 0.9, 1.0, 1.0]),
    ({"step": -0.4}, [DOWN, UP, DOWN, UP], [0.3, 0.0]),
])
def test_what_pressing_does(scene, more, events, values):
    found, _ = play(one("note 1/36", **more), scene, events)
    together = one("note 1/36", **more).translate(events, scene)
    heard = [change.value for changes in found for change in changes]
    assert heard == pytest.approx(values) == [change.value for change in together]


def test_stepping_through_choices_goes_round(scene):
    found, _ = play(one("key k", "/walk/kind", step=1), scene, [press("key k")] * 4)
    assert [f[0].value for f in found] == ["hold", "drift", "loop", "hold"]


def test_stepping_an_angle_goes_round(scene):
    found, _ = play(one("key k", "/hue", step=-90), scene, [press("key k")])
    assert found[0][0].value == 270.0


def test_a_pad_calls_a_command_at_every_press(scene):
    assert one("note 1/36", "/freeze").translate([DOWN, UP, DOWN, UP], scene) == [Call("/freeze", ()), Call("/freeze", ())]


def test_a_command_with_arguments(scene):
    assert one("note 1/36", "/seed/go", arguments=[7, 2.5]).translate([DOWN, UP], scene) == [Call("/seed/go", (7, 2.5))]


def test_a_control_change_as_a_button_is_pressed_on_its_way_up(scene):
    events = [cc(v) for v in (127, 0, 127, 100, 10, 127)]
    assert len(one(to="/freeze").translate(events, scene)) == 3
    assert len(one(to="/output/freeze", mode="toggle").translate(events, scene)) == 3


def test_a_program_change_recalls_a_preset_unless_it_is_bound(scene):
    assert Mapping().translate([press("program 3/12 @ Nano")], scene) == [Call("/preset/recall", (12,))]
    mapping = one("program 3/12", "/freeze")
    assert mapping.translate([press("program 3/12"), press("program 3/13")], scene) == [Call("/freeze", ()), Call("/preset/recall", (13,))]


@pytest.mark.parametrize("presses, heard", [
    ([("key escape", 1.0)], 0),
    ([("key escape", 1.0), ("key escape", 2.9)], 1),
    ([("key escape", 1.0), ("key escape", 3.1)], 0),
    ([("key escape", 1.0), ("key escape", 3.1), ("key q", 4.0)], 1),
    ([("window close", 1.0), ("key q", 1.5), ("key q", 2.0)], 1),                 # the third one begins anew
])
def test_quitting_takes_two_presses(scene, presses, heard):
    mapping = Mapping.load()
    events = [event for control, at in presses for event in (press(control, 1.0, at), press(control, 0.0, at + 0.1))]
    assert mapping.translate(events, scene) == [Call("/quit", ())] * heard


# -- files and devices

def test_the_last_file_that_binds_a_control_decides_and_all_its_bindings_act(scene):
    mapping = Mapping([
        [Binding(control="key space", to="/freeze"), Binding(control="key b", to="/blackout")],
        [Binding(control="key space", to="/blackout"), Binding(control="key space", to="/panic")],
    ])
    assert mapping.translate([press("key space"), press("key b")], scene) == [Call("/blackout"), Call("/panic"), Call("/blackout")]


def test_two_devices_do_not_collide(scene):
    mapping = Mapping([
        [Binding(control="note 1/36", to="/freeze")],
        [Binding(control="note 1/36", to="/blackout", device="nano"), Binding(control="note 1/36", to="/panic", device="LPD8 #2")],
    ])
    heard = mapping.translate([press(f"note 1/36{at}") for at in ("", " @ nanoKONTROL2", " @ LPD8", " @ LPD8 #2")], scene)
    assert [call.command for call in heard] == ["/freeze", "/blackout", "/freeze", "/panic"]


def test_twins_have_takeovers_of_their_own(scene):
    found, _ = play(one(), scene, [cc(89, "cc 1/16 @ Nano"), cc(10, "cc 1/16 @ Nano #2"), cc(100, "cc 1/16 @ Nano")])
    assert [len(f) for f in found] == [1, 0, 1]


def test_a_binding_for_another_scene_does_nothing_and_says_so_once(scene, caplog):
    mapping = one(to="/bends/hat/mix")
    play(mapping, scene, [cc(1), cc(2)])
    assert [r.getMessage() for r in caplog.records] == ["cc 1/16: there is no /bends/hat/mix now; the binding does nothing"]


def test_a_fader_on_a_vector_complains_instead_of_failing(scene, caplog):
    assert one(to="/walk/z").translate([cc(1)], scene) == []
    assert "/walk/z takes 8 numbers" in caplog.text
    for more in ({"step": 1.0}, {"mode": "toggle"}, {"mode": "velocity"}, {"value": 0.5}):        # nor does a button
        assert one("note 1/36", "/walk/z", **more).translate([press("note 1/36"), osc("/truncation", 0.25)], scene) == [Change("/truncation", 0.25)]


# -- OSC

@pytest.mark.parametrize("address, value, heard", [
    ("/truncation", 0.5, [Change("/truncation", 0.5)]),
    ("/truncation", (0.1, 0.2, 0.3), [Change("/truncation", 0.3)]),               # a time slice: the last sample
    ("/walk/z", (0.1, 0.2, 0.3), [Change("/walk/z", (0.1, 0.2, 0.3))]),
    ("/walk/z", 0.5, [Change("/walk/z", 0.5)]),
    ("/n/walk/speed", 0.5, [Change("/walk/speed", 1.0)]),
    ("/n/walk/speed", (0.0, 0.5), [Change("/walk/speed", 1.0)]),
    ("/n/walk/kind", 1.0, [Change("/walk/kind", "drift")]),
    ("/n/walk/kind", "hold", [Change("/walk/kind", "hold")]),
    ("/walk/kind", "hold", [Change("/walk/kind", "hold")]),
    ("/n/truncation", float("nan"), [Change("/truncation", pytest.approx(float("nan"), nan_ok=True))]),
    ("/bends/*/mix", 0.5, [Change("/bends/eyes/mix", 0.5), Change("/bends/nose/mix", 0.5)]),
    ("/n/bends/{eyes,ear}/mix", 0.5, [Change("/bends/eyes/mix", 0.5)]),
    ("/freeze", (), [Call("/freeze", ())]),
    ("/freeze", 1.0, [Call("/freeze", (1.0,))]),
    ("/freeze", 0.0, []),
    ("/preset/recall", "night sky", [Call("/preset/recall", ("night sky",))]),
    ("/seed/go", (7, 2.0), [Call("/seed/go", (7, 2.0))]),
    ("/Truncation", 0.5, [Change("/truncation", 0.5)]),
    ("/*", 1.0, [Change("/truncation", 1.0), Change("/hue", 1.0)]),               # a wildcard calls no commands
])
def test_osc_without_a_binding(scene, address, value, heard):
    assert Mapping().translate([osc(address, value)], scene) == heard


class Unknown(list):
    def unknown(self, address, value, parameters=()):
        self.append((address, value))


@pytest.mark.parametrize("address, value", [("/nothing", 1.0), ("/n/nothing", 1.0), ("/x*", 1.0), ("/truncation", ())])
def test_what_nothing_is_called_is_counted(scene, address, value):
    stats = Unknown()
    assert Mapping(stats=stats).translate([osc(address, value)], scene) == [] and stats == [(address, value)]


def test_an_osc_fader_through_a_binding(scene):
    stats = Unknown()
    mapping = one("osc /fader/3", "/walk/speed", takeover="jump")
    mapping.stats = stats
    assert mapping.translate([osc("/fader/3", (0.1, 0.5))], scene) == [Change("/walk/speed", 1.0)] and not stats


def test_an_osc_button_through_a_binding(scene):
    mapping = one("osc /push1", "/preset/recall")
    assert mapping.translate([osc("/push1", 0.0), osc("/push1", "sky")], scene) == [Call("/preset/recall", ("sky",))]
    assert one("osc /push1", "/output/freeze", mode="momentary").translate([osc("/push1", 1.0), osc("/push1", 0.0)], scene) == [
        Change("/output/freeze", 1.0), Change("/output/freeze", 0.0)]


# -- what counts

def test_of_a_fader_the_newest_counts_of_a_pad_every_press(scene):
    presses = [press("note 1/36", v) for v in (1.0, 0.0, 1.0)]
    assert keep_newest([cc(1), *presses, cc(2)]) == [*presses, cc(2)]


def test_every_osc_trigger_counts_and_order_is_kept(scene):
    events = [osc("/truncation", 0.1), osc("/seed/random", 1.0), osc("/truncation", 0.2), osc("/seed/random", 1.0)]
    assert Mapping().translate(events, scene) == [
        Call("/seed/random", (1.0,)), Change("/truncation", 0.2), Call("/seed/random", (1.0,))]


def test_rubbish_makes_no_trouble(scene):
    chance = random.Random(1)
    values = [(), "", "x", (1.0, "y"), float("inf"), 1e30, -1, True, ("?",)]
    controls = ["osc /n/walk/kind", "osc /walk/z", "osc /n/walk/z", "osc //", "osc /[", "osc /{a,", "cc 1/16", "osc", "", "x y",
                "osc /quit", "osc /f", "note 1/36", "device ?", "program 1/5", "key"]
    mapping = Mapping.load()
    mapping.layers.append([Binding(control="osc /f", to="/walk/kind", mode="toggle", value="nonsense")])
    mapping.rebind()
    for _ in range(2000):
        control = chance.choice(controls)
        value = chance.choice(values) if control.startswith("osc") else chance.random()
        for item in mapping.translate([ControlEvent(control, value, chance.random() < 0.5)], scene):
            assert isinstance(item, (Change, Call))


@pytest.mark.parametrize("path", sorted(files.FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_every_mapping_file_loads_and_its_targets_exist(path, instrument):
    window = {"/window/fullscreen", "/window/display"}
    scene, bindings = add_parameters(instrument.scene()), files.load(path)
    import live.instrument.open
    import live.outputs.window  # noqa: F401  its commands

    assert bindings
    for binding in bindings:
        soon = binding.to.startswith("/preset/")      # another part of the program
        assert binding.to in scene.parameters or binding.to in COMMANDS or soon, binding.to
        assert not binding.to.startswith("/window") or binding.to in window
