"""A rehearsal of the looks passes where nothing is wrong, and finds what is planted: a preset that throws, one that can't be read, names of nothing."""
import types

import pytest
import yaml

from live.presets.library import Library
from live.show.commands import load_commands
from live.stage import rehearsal
from tests.live.memory_rig import Rig

load_commands()


@pytest.fixture
def opened(tmp_path):
    """An instrument with three presets and a show of two of them, as live.instrument.open has it."""
    rig = Rig(tmp_path)
    for name, value in (("calm", 0.4), ("wild", 1.4), ("third", 0.9)):
        rig.send("/truncation", value)
        rig.play()
        rig.send("/preset/store", name)
        rig.play()
    rig.close()
    (tmp_path / "setlist.yaml").write_text(yaml.safe_dump({"schema": 2, "show": [{"preset": "calm", "hold": 8}, {"preset": "wild", "hold": 8, "morph": {"seconds": 2}}]}))
    return types.SimpleNamespace(instrument=rig.instrument, scene=rig.base, folder=types.SimpleNamespace(folder=tmp_path),
                                 open_library=lambda: Library(tmp_path / "scenes", rig.base, "tiny", rig.hash, rig.bend))


def run(opened, folder, mapping=()):
    return {row.what: row for row in rehearsal.Rehearsal(opened, mapping=mapping, takes=folder / "logs").run()}


def test_it_passes_where_nothing_is_wrong(opened, tmp_path):
    rows = run(opened, tmp_path)
    assert all(row.passed for row in rows.values()), rows
    assert {"cues", "preset calm", "preset wild", "MIDI pulled and back"} == set(rows)


def test_a_preset_that_throws_and_one_that_cannot_be_read_are_found(opened, tmp_path, monkeypatch):
    draw, names = opened.instrument.render, []

    def throw(scene, motion, source=None):
        if names and scene["/truncation"] > 1.2:
            raise RuntimeError("planted")
        return draw(scene, motion, source)
    monkeypatch.setattr(opened.instrument, "render", throw)
    (tmp_path / "scenes/calm.yaml").write_text("schema: 1\nvalues: {/nothing: 1}\n")
    found = rehearsal.Rehearsal(opened, takes=tmp_path / "logs")
    names.append(found.recall)
    rows = {row.what: row for row in found.run()}
    assert not rows["preset wild"].passed and "planted" in rows["preset wild"].reason
    assert not rows["preset calm"].passed and "instead" in rows["preset calm"].reason and "calm.yaml" in rows["preset calm"].reason
    assert rows["MIDI pulled and back"].passed


def test_names_that_are_of_nothing_are_found(opened, tmp_path):
    steps = [{"preset": "calm", "hold": 8, "lanes": ["swell"]}, {"preset": "gone", "hold": 8}]
    (tmp_path / "setlist.yaml").write_text(yaml.safe_dump({"schema": 2, "presets": ["calm", "lost"], "banks": {"fast": ["away"]}, "show": steps}))
    (tmp_path / "desk.yaml").write_text("schema: 1\nbindings:\n- {control: cc 1/1, to: /bend/nothing}\n"
                                        "- {control: note 1/36, to: /preset/recall, arguments: [vanished]}\n")
    (tmp_path / "odd.yaml").write_text("schema: 1\nprofile: nanokontrol2\nbindings:\n- {control: fader 99, to: /truncation}\n")
    found = rehearsal.Rehearsal(opened, mapping=[tmp_path / "desk.yaml", tmp_path / "odd.yaml"], takes=tmp_path / "logs").run()
    reasons = {row.what: [] for row in found if not row.passed}
    for row in found:
        reasons.get(row.what, []).append(row.reason)
    for words in ("names lanes 'swell'", "step 2 of the show names preset 'gone'", "the set list names preset 'lost'", "bank fast names preset 'away'"):
        assert [words in reason for reason in reasons["cues"]].count(True) == 1, (words, reasons)
    assert "/bend/nothing" in reasons["mapping desk.yaml"][0] and "no preset 'vanished'" in reasons["mapping desk.yaml"][0]
    assert "fader 99" in reasons["mapping odd.yaml"][0]
    assert all(reason and "\n" not in reason for found in reasons.values() for reason in found)


def test_a_set_list_that_cannot_be_read_is_found(opened, tmp_path):
    (tmp_path / "setlist.yaml").write_text("schema: 2\nshow: [{preset: calm, hold: soon}]\n")
    rows = run(opened, tmp_path)
    assert not rows["set list"].passed and "hold" in rows["set list"].reason and "preset wild" in rows
