"""Learn: what moved becomes a binding; kept on the disk only when asked."""
import pytest
import yaml

from engine.errors import UserError
from engine.parameter import Parameter
from engine.scene import Scene
from live.mapping import commands as midi_commands
from live.mapping import files as mapping_file
from live.mapping.binding import Binding
from live.mapping.learn import Learn
from live.mapping.macros import Macro
from live.mapping.mapping import Mapping
from live.osc import commands  # noqa: F401  (its /osc/learn)
from live.osc.stats import Stats
from live.show.commands import call
from live.show.events import Call, Change, ControlEvent

PARAMETERS = {"/truncation": Parameter(0.7), "/walk/kind": Parameter("loop", choices=("loop", "hold", "drift")),
              "/output/freeze": Parameter(0.0, step=1), "/walk/z": Parameter((), -8.0, 8.0, size=8), "/noise": Parameter(0.2)}
AT = " @ Nano:out"


class Stage:
    """As much of a show as the commands need."""

    def __init__(self, *layers):
        self.scene, self.mapping = Scene(PARAMETERS), Mapping(layers)

    def send(self, address, *values):
        return call(self, Call(address, values))

    def hear(self, *events):
        found = self.mapping.translate(list(events), self.scene)
        self.scene = self.scene.set([item for item in found if isinstance(item, Change)])
        return found


@pytest.fixture
def stage():
    return Stage()


def cc(number, value, channel=1, device=AT):
    return ControlEvent(f"cc {channel}/{number}{device}", value / 127)


def press(control, value=1.0):
    return ControlEvent(control + AT, value, True)


def tap(control):
    return [press(control), press(control, 0.0)]


def bend(channel=1):
    return [ControlEvent(f"bend {channel}{AT}", value / 20) for value in (10, 11, 12)]


def slid(address, *values):
    return [ControlEvent(f"osc {address}", value) for value in values or (0.5, 0.55, 0.6)]


def fine(value, number=16):
    return [cc(number, value >> 7), cc(number + 32, value & 127)]


def nrpn(number, value):
    return [cc(99, number >> 7), cc(98, number & 127), cc(6, value >> 7), cc(38, value & 127)]


@pytest.mark.parametrize("address, events, control, more", [
    ("/truncation", [cc(16, v) for v in (10, 12, 13, 15)], "cc 1/16", {}),
    ("/truncation", [cc(7, 9, 3), *(cc(16, v) for v in (10, 12, 13, 15))], "cc 1/16", {}),      # another fader trembles
    ("/truncation", [*fine(8000), *fine(8500), *fine(9000)], "cc14 1/16", {}),
    ("/truncation", [*nrpn(300, 5000), *nrpn(300, 5400), *nrpn(300, 5900)], "nrpn 1/300", {}),
    ("/truncation", [cc(16, v) for v in (1, 1, 1, 1)], "cc 1/16", {"relative": "twos"}),
    ("/truncation", [cc(16, v) for v in (127, 127, 126, 127)], "cc 1/16", {"relative": "twos"}),
    ("/truncation", [cc(16, v) for v in (65, 65, 65, 63)], "cc 1/16", {"relative": "offset"}),
    ("/truncation", [cc(16, v) for v in (1, 1, 65, 65)], "cc 1/16", {"relative": "sign"}),
    ("/truncation", [cc(16, 127), cc(16, 0)], "cc 1/16", {"mode": "toggle"}),
    ("/freeze", [cc(16, 127), cc(16, 0)], "cc 1/16", {}),
    ("/output/freeze", [press("note 1/36"), press("note 1/36", 0.0)], "note 1/36", {"mode": "toggle"}),
    ("/walk/kind", tap("note 1/36"), "note 1/36", {"step": 1.0}),
    ("/freeze", tap("note 1/36"), "note 1/36", {}),
    ("/truncation", bend(2), "bend 2", {}),
    ("/truncation", [ControlEvent("pressure 1" + AT, 0.6)], "pressure 1", {}),
    ("/freeze", [press("program 1/5")], "program 1/5", {}),
])
def test_what_a_control_is_learned_as(stage, address, events, control, more):
    stage.send("/midi/learn", address)
    for event in events:
        assert not any(isinstance(item, Change) and item.address == address for item in stage.hear(event))
    assert stage.mapping.learn.layer == [Binding(control=control, to=address, device="^Nano:out$", **more)]
    assert not stage.mapping.learn.wanted


def test_it_can_be_said_how(stage):
    stage.send("/midi/learn", "/truncation", "sign")
    stage.hear(*(cc(16, v) for v in (1, 1, 1, 1)))
    assert stage.mapping.learn.layer[0].relative == "sign"
    with pytest.raises(UserError, match="expected one of absolute, twos, sign, offset, trigger, toggle, momentary, velocity, got 'x'"):
        stage.send("/midi/learn", "/truncation", "x")


def test_a_learned_fader_is_picked_up_from_where_it_is(stage):
    stage.send("/midi/learn", "/truncation")
    assert stage.hear(*(cc(16, v) for v in (10, 12, 13, 15))) == []
    assert stage.hear(cc(16, 40)) == [] and stage.hear(cc(16, 100)) == [Change("/truncation", pytest.approx(100 / 127))]


def test_without_a_name_it_is_what_was_changed_last(stage):
    with pytest.raises(UserError, match="nothing was changed yet"):
        stage.send("/midi/learn")
    stage.hear(ControlEvent("osc /noise", 0.5))
    stage.send("/midi/learn", 1.0)
    assert stage.mapping.learn.wanted[0][0] == "/noise"
    stage.send("/midi/learn")                            # again: cancel
    assert not stage.mapping.learn.wanted


def test_several_in_a_row(stage):
    for address in ("/truncation", "/noise"):
        stage.send("/midi/learn", address)
    stage.hear(*(cc(16, v) for v in (10, 12, 13, 15)))
    stage.hear(*(cc(17, v) for v in (10, 12, 13, 15)))
    assert [(b.control, b.to) for b in stage.mapping.learn.layer] == [("cc 1/16", "/truncation"), ("cc 1/17", "/noise")]


@pytest.mark.parametrize("moves", [
    [[cc(16, v)] for v in range(10, 30)],
    [fine(v) for v in range(8000, 12000, 400)],
    [nrpn(300, v) for v in range(8000, 12000, 400)],
    [*[nrpn(300, 8000)], *([cc(6, v), cc(38, v)] for v in range(60, 70))],       # the number is said once
    [[press("note 1/36", value)] for value in (1.0, 0.0) * 5],
    [[ControlEvent("osc /fader", v / 10)] for v in range(10)],
])
def test_a_control_that_is_still_moving_is_not_learned_for_the_next_one_too(stage, moves):
    for address in ("/truncation", "/noise", "/output/freeze"):
        stage.send("/midi/learn", address)
    for events in moves:
        stage.hear(*events)
    assert [b.to for b in stage.mapping.learn.layer] == ["/truncation"]
    stage.hear(*nrpn(301, 8000), *nrpn(301, 9000))
    stage.hear(*bend())
    assert [b.to for b in stage.mapping.learn.layer] == ["/truncation", "/noise", "/output/freeze"]


def test_a_learned_fader_plays_while_another_one_is_waited_for(stage):
    stage.send("/midi/learn", "/truncation")
    stage.send("/midi/learn", "/noise")
    for value in range(70, 100):
        stage.hear(cc(16, value))
    assert stage.scene["/truncation"] == pytest.approx(99 / 127)
    stage.send("/midi/cancel")
    stage.send("/midi/learn", "/noise")                         # later the same control may be taken for another
    for value in (99, 96, 92, 88):
        stage.hear(cc(16, value)._replace(at=3.0))
    assert [(b.control, b.to) for b in stage.mapping.learn.layer] == [("cc 1/16", "/noise")]


def test_what_is_learned_wins_and_what_else_moves_meanwhile_plays_on(stage):
    stage.mapping.layers.append([Binding(control="cc 1/16", to="/noise", takeover="jump"), Binding(control="key l", to="/midi/learn"),
                                 Binding(control="osc /fader", to="/noise", takeover="jump")])
    stage.mapping.rebind()
    stage.send("/midi/learn", "/truncation")
    assert stage.hear(ControlEvent("osc /noise", 0.9)) == [Change("/noise", 0.9)]
    assert stage.hear(ControlEvent("key l", 1.0, True)) == [Call("/midi/learn")]
    stage.hear(*(cc(16, v) for v in (80, 82, 86, 88)))
    assert stage.hear(cc(16, 90)) == [Change("/truncation", pytest.approx(90 / 127))]
    assert stage.hear(cc(16, 90, device=" @ Other")) == [Change("/noise", pytest.approx(90 / 127))]


def test_an_osc_address_nobody_has_is_learned_too(stage):
    stage.send("/midi/learn", "/truncation")
    stage.hear(*slid("/fader/3"))
    assert stage.mapping.learn.layer == [Binding(control="osc /fader/3", to="/truncation")]


def test_an_osc_address_that_came_is_bound_at_once_and_one_that_cannot_be_is_told(stage):
    stage.mapping.stats = Stats()
    stage.hear(ControlEvent("osc /fader/3", 0.5), ControlEvent("osc /fad er", 0.5))
    stage.send("/osc/learn", "/truncation", "/fader/3")
    assert [(b.control, b.to) for b in stage.mapping.learn.layer] == [("osc /fader/3", "/truncation")]
    for control, message in (("/fader/4", "nothing came at '/fader/4' lately; there came: /fader/3, /fad er"), ("/fad er", "expected osc /ADDRESS")):
        with pytest.raises(UserError, match=message):
            stage.send("/osc/learn", "/truncation", control)


def test_undo_and_forget(stage):
    stage.send("/midi/learn", "/truncation")
    stage.hear(*bend())
    stage.send("/midi/forget", "/truncation")
    assert not stage.mapping.learn.layer
    stage.send("/midi/undo")
    assert [b.to for b in stage.mapping.learn.layer] == ["/truncation"]
    stage.send("/midi/undo")
    assert not stage.mapping.learn.layer
    for address, message in (("/midi/undo", "nothing to take back"), ("/midi/forget", "/midi/forget needs address")):
        with pytest.raises(UserError, match=message):
            stage.send(address)
    with pytest.raises(UserError, match="nothing was learned for '/x'; there are: none"):
        stage.send("/midi/forget", "/x")


@pytest.mark.parametrize("address, message", [("/trunc", "no parameter '/trunc'; near: /truncation"), ("/walk/z", "takes several numbers")])
def test_what_cannot_be_learned(stage, address, message):
    with pytest.raises(UserError, match=message):
        stage.send("/midi/learn", address)


@pytest.mark.parametrize("how, events, message", [
    ("sign", tap("note 1/36"), "relative is for a control change that turns a parameter, got note 1/36"),
    ("twos", bend(), "relative is for a control change"),
    (None, slid("/fad er"), "expected osc /ADDRESS, got 'osc /fad er'"),
])
def test_a_control_that_cannot_be_learned_so_is_told_once_and_another_one_waited_for(stage, caplog, how, events, message):
    stage.send("/midi/learn", "/truncation", *([how] if how else []))
    found = stage.hear(*events, *events, ControlEvent("osc /noise", 0.9))
    assert [change.address for change in found] == ["/noise"]                  # what else came in that frame is heard
    assert sum(message in record.getMessage() for record in caplog.records) == 1
    stage.hear(*(cc(16, v) for v in (1, 1, 127, 127)))
    assert [b.control for b in stage.mapping.learn.layer] == ["cc 1/16"] and not stage.mapping.learn.wanted


def test_a_command_is_no_encoders(stage):
    with pytest.raises(UserError, match="sign is for parameters; a command is pressed, and /freeze is one"):
        stage.send("/midi/learn", "/freeze", "sign")


def test_a_release_of_what_was_pressed_while_learning_does_nothing(stage):
    stage.send("/midi/learn", "/truncation", "momentary")
    stage.hear(press("note 1/36"))
    assert stage.hear(press("note 1/36", 0.0)) == []


def wait_for(path, deadline=90.0):
    from live.show.clock import now, sleep

    end = now() + deadline
    while not path.exists():
        assert now() < end
        sleep(0.01)


def learned(stage):
    stage.send("/midi/learn", "/truncation")
    stage.hear(*(cc(16, v) for v in (10, 12, 13, 15)))
    stage.send("/midi/learn", "/output/freeze")
    stage.hear(*tap("note 1/36"))


def test_saved_only_when_asked_and_read_again(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(mapping_file, "FOLDER", tmp_path)
    with pytest.raises(UserError, match="nothing was learned yet"):
        stage.send("/mapping/save", "mine")
    learned(stage)
    assert not list(tmp_path.iterdir())
    stage.send("/mapping/save", "mine")
    wait_for(tmp_path / "mine.yaml")
    assert mapping_file.load(tmp_path / "mine.yaml") == stage.mapping.learn.layer


def test_saved_into_a_file_that_is_there(tmp_path):
    path = tmp_path / "set.yaml"
    path.write_text("# Friday.\nschema: 1\nname: Mine\nbindings:\n  - {control: cc 1/16, to: /noise, device: '^Nano:out$'}\n"
                    "  - {control: cc 1/17, to: /noise}\n", encoding="utf-8")
    stage = Stage(mapping_file.load(path))
    learned(stage)
    mapping_file.save(path, stage.mapping.learn.layer, [Macro(macro=2, name="Storm")])
    found = mapping_file.read(path)
    assert [(b.control, b.to) for b in found.bindings] == [("cc 1/17", "/noise"), ("cc 1/16", "/truncation"), ("note 1/36", "/output/freeze")]
    assert found.macros == [Macro(macro=2, name="Storm")]
    assert path.read_text(encoding="utf-8").startswith("# Friday.\n") and yaml.safe_load(path.read_text())["name"] == "Mine"


def test_saved_in_the_place_of_what_the_file_says_of_that_device(tmp_path):
    path = tmp_path / "set.yaml"
    path.write_text("schema: 1\nbindings:\n  - {control: cc 1/16, to: /noise, device: nano}\n"
                    "  - {control: cc 1/16, to: /noise, device: midimix}\n", encoding="utf-8")
    stage = Stage(mapping_file.load(path))
    learned(stage)
    mapping_file.save(path, stage.mapping.learn.layer, [])
    again = Stage(mapping_file.load(path))
    assert again.hear(*(cc(16, v) for v in (80, 90))) == stage.hear(*(cc(16, v) for v in (80, 90)))
    assert [b.to for b in mapping_file.load(path)] == ["/noise", "/truncation", "/output/freeze"]


def test_saved_by_the_names_of_the_files_profile(tmp_path):
    path = tmp_path / "set.yaml"
    path.write_text("schema: 1\nprofile: nanokontrol2\nbindings:\n  - {control: fader 1, to: /noise}\n  - {control: fader 1, to: /noise, bank: 2}\n"
                    "  - {control: fader 2, to: /noise}\n", encoding="utf-8")
    mapping_file.save(path, [Binding(control="cc 1/0", to="/truncation", device="^nanoKONTROL2:out$"),
                             Binding(control="bend 1", to="/truncation", device="^nanoKONTROL2:out$")], [])
    assert [(e["control"], e["to"]) for e in yaml.safe_load(path.read_text())["bindings"]] == [
        ("fader 1", "/noise"), ("fader 2", "/noise"), ("fader 1", "/truncation"), ("bend 1", "/truncation")]
    assert [b.control for b in mapping_file.load(path)] == ["cc 1/0", "cc 1/1", "cc 1/0", "bend 1"]


def test_a_file_that_cannot_be_read_is_not_written_over(tmp_path):
    path = tmp_path / "set.yaml"
    path.write_text("schema: 1\nbindings: 3\n", encoding="utf-8")
    with pytest.raises(UserError, match="expected a list, got 3"):
        mapping_file.save(path, [Binding(control="bend 1", to="/truncation")], [])
    assert path.read_text() == "schema: 1\nbindings: 3\n"


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/b", "", ".hidden"])
def test_a_name_from_outside_cannot_leave_the_folder(stage, tmp_path, monkeypatch, name):
    monkeypatch.setattr(mapping_file, "FOLDER", tmp_path)
    learned(stage)
    with pytest.raises(UserError, match="preset name|name"):
        stage.send("/mapping/save", name)


def test_noise_of_every_kind_is_learned_or_waited_for_and_never_fails(stage):
    import random

    chance = random.Random(5)
    kinds = [f"cc {c}/{n}" for c in (1, 16) for n in (0, 6, 31, 38, 63, 98, 99, 100, 127)] + ["note 1/0", "bend 1", "device x", "key a", "osc /a"]
    for _ in range(3000):
        if not stage.mapping.learn.wanted:
            stage.send("/midi/learn", chance.choice(["/truncation", "/freeze", "/walk/kind"]))
        control = chance.choice(kinds)
        stage.hear(ControlEvent(control + chance.choice(["", AT]), chance.randrange(128) / 127, not control.startswith("cc")))
    assert isinstance(Learn().cancel(), list) and midi_commands and stage.mapping.learn.layer
