"""Device profiles: every one that ships can be read, and a mapping calls its knobs by their names."""
import pytest

from engine.errors import UserError
from live.mapping import files as mapping_file
from live.mapping.binding import Binding
from live.midi import devices
from live.midi.devices import FOLDER, Led

FILES = sorted(FOLDER.glob("*.yaml"))
GOOD = "schema: 1\nname: Box\nmatch: Box\nverified: false\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_profile_can_be_read_and_no_control_has_two_names(path):
    profile = devices.load(path)
    assert profile.controls and len(set(profile.controls.values())) == len(profile.controls)
    assert set(profile.leds) | set(profile.relative) <= set(profile.controls.values())
    assert all(Binding(control=control, to="/truncation") for control in profile.controls.values())


# the numbers are those of the makers' and users' own tables
@pytest.mark.parametrize("profile, name, control, led", [
    ("midimix", "fader 5", "cc 1/49", None), ("midimix", "master", "cc 1/62", None), ("midimix", "mute 8", "note 1/22", Led("note 1/22")),
    ("apc40_mk2", "fader 3", "cc 3/7", None), ("apc40_mk2", "pad 40", "note 1/39", Led("note 1/39", 0, 21)),
    ("apc_mini", "fader 8", "cc 1/55", None), ("apc_mini_mk2", "pad 1", "note 1/0", Led("note 7/0", 0, 21)),
    ("launch_control_xl", "focus 5", "note 9/57", Led("note 9/57", 12, 63)), ("launch_control_xl", "send b 8", "cc 9/36", Led("note 9/36", 12, 60)),
    ("nanokontrol2", "record 1", "cc 1/64", Led("cc 1/64")), ("x_touch_mini", "button 17", "note 11/32", Led("note 11/32")),
    ("x_touch_mini_mc", "encoder 8", "cc 1/23", Led("cc 1/55", 1, 11)),
])
def test_what_is_where(profile, name, control, led):
    found = devices.list_profiles()[profile]
    assert found.controls[name] == control and found.leds.get(control) == led


@pytest.mark.parametrize("port, name", [
    ("nanoKONTROL2:nanoKONTROL2 MIDI 1", "Korg nanoKONTROL2"), ("MIDI Mix:MIDI Mix MIDI 1", "Akai MIDImix"), ("MIDIMIX 1", "Akai MIDImix"),
    ("APC MINI", "Akai APC mini"), ("APC mini mk2 Control", "Akai APC mini mk2"), ("APC40 mkII:APC40 mkII MIDI 1", "Akai APC40 mkII"),
    ("Launch Control XL", "Novation Launch Control XL"), ("X-TOUCH MINI", "Behringer X-Touch Mini"), ("LCXL3 1 MIDI Out", None), ("Piano", None),
])
def test_found_by_the_name_of_the_port(port, name):
    found = devices.find_profile(port)
    assert (found and found.name) == name


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(text, read=mapping_file.load):
        (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
        return read("m.yaml")
    return load


def test_a_mapping_calls_knobs_by_their_names(load):
    found = load("schema: 1\nprofile: x_touch_mini_mc\nbindings:\n  - {control: encoder 3, to: /truncation}\n"
                 "  - {control: button 1, to: /freeze}\n  - {control: cc 1/99, to: /noise}\n  - {control: key b, to: /blackout, device: .}\n")
    assert [(b.control, b.relative, b.device) for b in found] == [
        ("cc 1/18", "sign", "X-TOUCH MINI"), ("note 1/89", None, "X-TOUCH MINI"), ("cc 1/99", None, "X-TOUCH MINI"), ("key b", None, ".")]


def test_on_another_channel(load):
    found = load("schema: 1\nprofile: launch_control_xl\nchannel: 1\nbindings:\n  - {control: fader 1, to: /truncation}\n")
    assert found[0].control == "cc 1/77"
    assert devices.list_profiles()["launch_control_xl"].move_to_channel(2).leds["cc 2/13"] == Led("note 2/13", 12, 60)


def test_a_profile_of_ones_own_beside_the_mapping(load, tmp_path):
    (tmp_path / "box.yaml").write_text(GOOD + "controls:\n  dial: {control: cc 2/1-3, led: {control: note 2/1-3, dark: 1, lit: 5}}\n")
    found = load("schema: 1\nprofile: box.yaml\nbindings:\n  - {control: dial 2, to: /truncation}\n", mapping_file.read)
    assert found.bindings[0].control == "cc 2/2" and found.profile.leds["cc 2/2"] == Led("note 2/2", 1, 5)


@pytest.mark.parametrize("text, message", [
    ("profile: nano\nbindings: []", "m.yaml > profile: no profile 'nano'; there are: apc40_mk2, apc_mini, "),
    ("profile: 3\nbindings: []", "m.yaml > profile: expected text, got 3"),
    ("profile: b.yaml\nbindings: []", "m.yaml > profile: b.yaml: no such file; there: m.yaml"),
    ("profile: midimix\nbindings: [{control: fader 9, to: /x}]", "m.yaml > bindings > 1 > control: Akai MIDImix has no 'fader 9'; "
                                                                 "it has: knob top 1-8, knob middle 1-8, knob bottom 1-8, fader 1-8, master, "),
    ("profile: midimix\nbindings: [{control: 3, to: /x}]", "m.yaml > bindings > 1 > control: expected text, got 3"),
    ("profile: midimix\nchannel: 17\nbindings: []", "m.yaml > channel: expected at most 16, got 17"),
    ("bindings: [{control: fader 1, to: /x}]", "m.yaml > bindings > 1 > control: no control 'fader 1'; there are: audio kick"),
    ("bindings: [{control: note 1/1, to: /x, relative: twos}]", "m.yaml > bindings > 1: relative is for a control change that turns a parameter, got note 1/1"),
    ("bindings: [{control: cc 1/1, to: /x, relative: both}]", "m.yaml > bindings > 1 > relative: expected twos, sign or offset, got 'both'"),
    ("bindings: [{control: cc 1/1, to: /x, click: 0}]", "m.yaml > bindings > 1 > click: expected more than 0, got 0"),
    ("bindings: [{control: cc 1/1, to: /x, bank: 17}]", "m.yaml > bindings > 1 > bank: expected at most 16, got 17"),
    ("bindings: [{control: cc 1/1, to: /x, curve: s}]", "m.yaml > bindings > 1 > curve: expected linear, square, root or smooth, got 's'"),
    ("bindings: [{control: nrpn 1/16384, to: /x}]", "m.yaml > bindings > 1 > control: expected nrpn CHANNEL/NUMBER, 1-16 and 0-16383"),
    ("bindings: [{control: cc 1/1, to: /x, feedback: 1}]", "m.yaml > bindings > 1 > feedback: expected true or false, got 1"),
])
def test_mistakes_in_a_mapping(load, text, message):
    with pytest.raises(UserError) as error:
        load(f"schema: 1\n{text}\n")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("text, message", [
    ("controls: {}\nbuttons: 1", "m.yaml: unknown buttons; allowed: schema, name, match, verified, about, start, controls"),
    ("controls: []", "m.yaml > controls: expected keys and values, got []"),
    ("controls: {fader: cc 17/1}", "m.yaml > controls > fader: no control 'cc 17/1'; there are: "),
    ("controls: {fader: cc 1/120-130}", "m.yaml > controls > fader: no control 'cc 1/128'"),
    ("controls: {fader: cc 1/5-1}", "m.yaml > controls > fader: no controls in"),
    ("controls: {fader: 3}", "m.yaml > controls > fader: expected keys and values, got 3"),
    ("controls: {fader: {control: cc 1/1, led: {lit: 128}}}", "m.yaml > controls > fader > led > lit: expected at most 127, got 128"),
    ("controls: {fader: {control: cc 1/1-8, led: {control: note 1/1}}}", "m.yaml > controls > fader > led: expected 8 controls, one each, got 1"),
    ("controls: {fader: {control: cc 1/1, relative: both}}", "m.yaml > controls > fader > relative: expected one of twos, sign, offset, got 'both'"),
    ("controls: {}\nstart: [7F]", "m.yaml > start: expected a MIDI message in hex such as B0 7F 01, got '7F'"),
])
def test_mistakes_in_a_profile(load, text, message):
    with pytest.raises(UserError) as error:
        load(GOOD + text + "\n", devices.load)
    assert str(error.value).startswith(message)


def test_the_mapping_files_in_the_docs_can_be_read(load):
    import re
    from pathlib import Path

    from live.instrument import open as opening  # noqa: F401  (its commands)

    page = (Path(__file__).parents[3] / "docs" / "midi.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        head = "" if block.startswith("schema") else "schema: 1\n"
        tail = "" if "bindings:" in block else "bindings: []\n"
        assert load(head + block + tail, mapping_file.read)


def test_the_docs_name_every_profile():
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs" / "midi.md").read_text(encoding="utf-8")
    assert all(f"`{path.stem}`" in page for path in FILES)
    assert not any(devices.load(path).verified for path in FILES)       # nobody has had one in hands yet
