import pytest

from engine.errors import UserError
from live.files import config
from live.mapping import files as mapping_file

GOOD = "schema: 1\nbindings:\n  - {control: cc 1/16, to: /truncation}\n"
CONTROLS = ("there are: audio kick, snare, hat, onset, beat, bar or section; bend CHANNEL, 1-16; cc CHANNEL/NUMBER, 1-16 and 0-127; cc14 CHANNEL/NUMBER, 1-16 and 0-31; key NAME, such as space, f11, ctrl+s; "
            "note CHANNEL/NUMBER, 1-16 and 0-127; nrpn CHANNEL/NUMBER, 1-16 and 0-16383; osc /ADDRESS; "
            "pressure CHANNEL or CHANNEL/NOTE; program CHANNEL or CHANNEL/NUMBER, 1-16 and 1-128; window close")
KEYS = ("control, to, arguments, device, range, inverse, curve, takeover, relative, click, acceleration, mode, value, step, "
        "confirm, bank, feedback, argument, from")


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(text):
        (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
        return mapping_file.load("m.yaml")
    return load


def one(text):
    return f"schema: 1\nbindings:\n  - {{{text}}}\n"


def test_a_mapping_file(load):
    found = load("schema: 1\nname: Nano\ndevice: nanoKONTROL2\nbindings:\n"
                 "  - {control: cc 1/16, to: /truncation, range: [0, 0.5], takeover: jump}\n"
                 "  - {control: note 1/36, to: /seed/go, arguments: [7, 2], device: LPD8}\n")
    assert [(b.control, b.device, b.range, b.takeover, b.arguments) for b in found] == [
        ("cc 1/16", "nanoKONTROL2", (0.0, 0.5), "jump", []), ("note 1/36", "LPD8", (0.0, 1.0), "pickup", [7.0, 2.0])]


@pytest.mark.parametrize("text, message", [
    ("", "m.yaml: expected the keys schema, name, about, device, profile, channel, macros, bindings, got nothing"),
    ("- 1\n", "m.yaml: expected the keys schema, name, about, device, profile, channel, macros, bindings, got [1]"),
    ("schema: 1\nbindings: [\n", "m.yaml line 3: not valid YAML: did not find expected node content"),
    ("a: 2024-13-01", "m.yaml: schema is missing\nm.yaml: bindings is missing\nm.yaml: unknown a; allowed: schema, name, about, device, profile, channel, macros, bindings"),
    ("schema: 1\nschema: 1\nbindings: []\n", "m.yaml line 2: not valid YAML: schema is given twice"),
    ("schema: 1\n", "m.yaml: bindings is missing"),
    ("bindings: []\n", "m.yaml: schema is missing"),
    ("schema: 2\nbindings: []\n", "m.yaml > schema: expected 1, got 2"),
    ("schema: 1\nbindings: {}\n", "m.yaml > bindings: expected a list, got {}"),
    ("schema: 1\nbindigs: []\nbindings: []\n", "m.yaml: unknown bindigs; allowed: schema, name, about, device, profile, channel, macros, bindings"),
    ("schema: 1\ndevice: '('\nbindings: []\n", "m.yaml > device: expected a part of the port's name, or a regular expression; '(': "
                                               "missing ), unterminated subpattern at position 0"),
    ("schema: 1\nbindings: [5]\n", "m.yaml > bindings > 1: expected keys and values, got 5"),
    (one("to: /truncation"), "m.yaml > bindings > 1: control is missing"),
    (one("control: cc 1/16"), "m.yaml > bindings > 1: to is missing"),
    (one("control: 16, to: /truncation"), "m.yaml > bindings > 1 > control: expected text, got 16"),
    (one("control: cc 1/16, to: /truncation, takover: jump"), f"m.yaml > bindings > 1: unknown takover; allowed: {KEYS}"),
    (one("control: knob 3, to: /truncation"), f"m.yaml > bindings > 1 > control: no control 'knob 3'; {CONTROLS}"),
    (one("control: cc 0/16, to: /x"), "m.yaml > bindings > 1 > control: expected cc CHANNEL/NUMBER, 1-16 and 0-127, got 'cc 0/16'"),
    (one("control: cc 17/1, to: /x"), "m.yaml > bindings > 1 > control: expected cc CHANNEL/NUMBER, 1-16 and 0-127, got 'cc 17/1'"),
    (one("control: cc 1/128, to: /x"), "m.yaml > bindings > 1 > control: expected cc CHANNEL/NUMBER, 1-16 and 0-127, got 'cc 1/128'"),
    (one("control: cc14 1/32, to: /x"), "m.yaml > bindings > 1 > control: expected cc14 CHANNEL/NUMBER, 1-16 and 0-31, got 'cc14 1/32'"),
    (one("control: osc fader, to: /x"), "m.yaml > bindings > 1 > control: expected osc /ADDRESS, got 'osc fader'"),
    (one("control: cc 1/16, to: truncation"),
     "m.yaml > bindings > 1 > to: expected an address such as /truncation or /preset/next, got 'truncation'"),
    (one("control: cc 1/16, to: /x, takeover: pick"), "m.yaml > bindings > 1 > takeover: expected pickup, scale or jump, got 'pick'"),
    (one("control: note 1/1, to: /x, mode: hold"),
     "m.yaml > bindings > 1 > mode: expected trigger, toggle, momentary, velocity or step, got 'hold'"),
    (one("control: cc 1/16, to: /x, range: 0.5"), "m.yaml > bindings > 1 > range: expected a list, got 0.5"),
    (one("control: cc 1/16, to: /x, range: [0]"), "m.yaml > bindings > 1 > range: value 2 is missing"),
    (one("control: cc 1/16, to: /x, range: [0, 2]"), "m.yaml > bindings > 1 > range > 2: expected at most 1, got 2"),
    (one("control: cc 1/16, to: /x, range: [-1, 1]"), "m.yaml > bindings > 1 > range > 1: expected at least 0, got -1"),
    (one("control: cc 1/16, to: /x, range: [0, .nan]"), "m.yaml > bindings > 1 > range > 2: expected at most 1, got nan"),
    (one("control: cc 1/16, to: /x, range: [0.5, 0.5]"), "m.yaml > bindings > 1: range expected [low, high] with low below high, "
                                                         "got [0.5, 0.5]; inverse: true turns it round"),
    (one("control: cc 1/16, to: /x, range: [low, 1]"), "m.yaml > bindings > 1 > range > 1: expected a number, got 'low'"),
    (one("control: cc 1/16, to: /x, inverse: 1"), "m.yaml > bindings > 1 > inverse: expected true or false, got 1"),
    (one("control: key up, to: /x, mode: step"),
     "m.yaml > bindings > 1: mode step needs step: how far a press goes, in the parameter's units"),
    (one("control: key up, to: /x, mode: toggle, step: 1"), "m.yaml > bindings > 1: step and mode toggle exclude each other"),
    (one("control: key up, to: /x, step: 1, value: 2"), "m.yaml > bindings > 1: value and mode step exclude each other; "
                                                        "modes with a value: trigger, toggle, momentary"),
    (one("control: cc 1/01, to: /x"), "m.yaml > bindings > 1 > control: expected cc CHANNEL/NUMBER, 1-16 and 0-127, got 'cc 1/01'"),
    (one("control: nrpn 1/0300, to: /x"), "m.yaml > bindings > 1 > control: expected nrpn CHANNEL/NUMBER, 1-16 and 0-16383, got 'nrpn 1/0300'"),
    (one("control: key up, to: /x, value: .nan"), "m.yaml > bindings > 1 > value: expected a finite number, got nan"),
    (one("control: key up, to: /x, step: .inf"), "m.yaml > bindings > 1 > step: expected a finite number, got inf"),
    (one("control: key up, to: /seed/go, arguments: [.nan]"), "m.yaml > bindings > 1 > arguments: expected a finite number, got nan"),
    (one("control: key up, to: /seed/go, value: 7"),
     "m.yaml > bindings > 1 > value: for parameters; /seed/go is a command, pressed and called with arguments"),
    (one("control: cc 1/1, to: /panic, relative: twos"),
     "m.yaml > bindings > 1 > relative: for parameters; /panic is a command, pressed and called with arguments"),
    ("schema: 1\nmacros: [{macro: 1}, {macro: 1}]\nbindings: []\n", "m.yaml > macros: macro 1 is given twice; one entry may have several targets"),
    (one("control: key q, to: /quit, confirm: -1"), "m.yaml > bindings > 1 > confirm: expected at least 0, got -1"),
    (one("control: key q, to: /freeze, arguments: [1, 2]"), "m.yaml > bindings > 1 > arguments: /freeze takes on, got 2"),
    (one("control: key q, to: /truncation, arguments: [1]"), "m.yaml > bindings > 1 > arguments: /truncation is not a command; there are: "),
    ("!!python/object/apply:os.system [x]", "m.yaml line 1: not valid YAML: could not determine a constructor for the tag"),
])
def test_each_mistake_says_where_and_what_is_allowed(load, text, message):
    with pytest.raises(UserError) as error:
        load(text)
    assert str(error.value).startswith(message) if message.endswith((": ", "tag")) else str(error.value) == message


def test_what_the_instrument_does_not_have_is_told_before_it_is_played(tmp_path, instrument):
    path = tmp_path / "m.yaml"
    path.write_text("schema: 1\nmacros: [{macro: 2, to: [{to: /truncation}, {to: /walk/z}]}]\nbindings:\n"
                    "  - {control: cc 1/1, to: /truncaton}\n  - {control: cc 1/2, to: /bends/eyes/mix}\n  - {control: key a, to: /freeze}\n"
                    "  - {control: key b, to: /walk/kind, value: wonder}\n  - {control: key c, to: /walk/kind, value: wander}\n", encoding="utf-8")
    first, value, vector = mapping_file.find_doubts(path, instrument.scene())
    assert first.startswith(f"{path} > bindings > 1 > to: no parameter '/truncaton'; near: /truncation")
    assert value.startswith(f"{path} > bindings > 4 > value: expected one of ") and "wander" in value
    assert vector == f"{path} > macros > 1 > to > 2 > to: /walk/z takes 512 numbers, a control gives one"


def test_all_mistakes_are_told_at_once(load):
    with pytest.raises(UserError) as error:
        load("schema: 1\nbindings:\n  - {control: cc 1/999, to: x}\n  - {control: bend 1, to: /x, takeover: 1}\n")
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "m.yaml > bindings > 1 > control", "m.yaml > bindings > 1 > to", "m.yaml > bindings > 2 > takeover"]


def test_a_file_that_is_not_there_names_those_that_are(load, tmp_path):
    load(GOOD)
    with pytest.raises(UserError, match="^n.yaml: no such file; there: m.yaml$"):
        mapping_file.load("n.yaml")


def test_a_file_that_is_no_text(load, tmp_path):
    (tmp_path / "m.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="^m.yaml: expected UTF-8 text$"):
        mapping_file.load("m.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        config.read_plain(tmp_path)


def test_a_file_nested_without_end(load):
    with pytest.raises(UserError, match="^m.yaml"):
        load("[" * 100_000)


def test_what_is_written_can_be_read_again(tmp_path):
    path = tmp_path / "out.yaml"
    config.write_yaml(path, {"schema": 1, "name": "Größe: 1", "bindings": [{"control": "key y", "to": "/x"}]})
    assert mapping_file.load(path)[0].control == "key y" and [p.name for p in tmp_path.iterdir()] == ["out.yaml"]


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path):
    with pytest.raises(UserError, match="can't be written: No such file"):
        config.write_yaml(tmp_path / "nowhere" / "x.yaml", {})


def test_a_key_with_nothing_behind_it_is_as_good_as_none(load):
    assert load("schema: 1\nname:\ndevice: ~\nmacros:\n  # - {macro: 1}\nbindings:\n  - control: cc 1/16\n    to: /truncation\n    curve:\n    range: null\n")[0].curve == "linear"
    with pytest.raises(UserError, match="^m.yaml > bindings: expected a list, got nothing$"):
        load("schema: 1\nbindings:\n")
