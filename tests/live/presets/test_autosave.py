"""The scene kept on the disk, and what --resume makes of a file that is not as it was written."""
import json
import logging
import pathlib

import pytest

from engine.bending import Bend
from engine.errors import UserError
from live.presets.autosave import Autosave, load_autosave
from tests.live.memory_rig import Rig

EYES = Bend("eyes", "b8.conv0", (1, 2), "solarize", {"threshold": 0.5})


@pytest.fixture
def saved(tmp_path):
    """(path, rig) of a show that has ended."""
    rig = Rig(bends=[EYES])
    rig.show.recording.start_autosave(tmp_path / "last.json")
    rig.send("/truncation", 0.25)
    rig.play(3)
    rig.close()
    return tmp_path / "last.json", rig


def again(path, rig):
    return load_autosave(path, rig.base, "", rig.instrument.bend)


def test_it_comes_back_to_the_bit(saved):
    path, rig = saved
    assert again(path, rig) == (rig.show.scene, rig.show.motion)


@pytest.mark.parametrize("change, message", [
    (lambda scene: scene["values"].update({"/truncation": "much"}), "/truncation: expected a number"),
    (lambda scene: scene["values"].update({"/truncation": None}), "/truncation: expected a number"),
    (lambda scene: scene["values"].update({"/walk/seed": [1, 2]}), "/walk/seed: expected a number"),
    (lambda scene: scene["values"].update({"/walk/kind": "fly"}), "/walk/kind: expected one of"),
    (lambda scene: scene["bends"][0].update(channels=[99]), "channel 99 of b8.conv0"),
    (lambda scene: scene["bends"][0].update(layer="b9.conv0"), "b9.conv0"),
])
def test_one_edited_wrong_is_refused_with_one_line(saved, change, message):
    path, rig = saved
    data = json.loads(path.read_text())
    change(data["scene"])
    path.write_text(json.dumps(data))
    with pytest.raises(UserError, match=message) as error:
        again(path, rig)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_what_the_instrument_has_no_longer_is_left_out_and_said(saved, caplog):
    path, rig = saved
    data = json.loads(path.read_text())
    data["scene"]["values"] |= {"/edits/hats/strength": 1.0, "/truncation": 1e9}
    path.write_text(json.dumps(data))
    scene, _ = again(path, rig)
    assert "/edits/hats/strength" not in scene.values and scene["/truncation"] == scene.parameters["/truncation"].high
    assert "left out: /edits/hats/strength" in caplog.text


def test_a_full_disk_is_said_once_and_keeps_the_scene_before(saved, monkeypatch, caplog):
    path, rig = saved
    before = path.read_text()
    write = pathlib.Path.write_text

    def half(self, text, **options):
        write(self, text[:20], **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_text", half)
    rig.send("/truncation", 0.5)
    rig.play()
    with caplog.at_level(logging.WARNING):
        autosave = Autosave(path, lambda: (rig.show.scene, rig.show.motion))
        autosave.save()
        autosave.close()
    assert caplog.text.count("No space left") == 1
    assert path.read_text() == before and [p.name for p in path.parent.iterdir()] == [path.name]
