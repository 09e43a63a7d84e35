"""A take and presets recorded before live/ was put into rooms play as they did then.

Pictures differ in the last bit between processors, so what is compared is all that decides them: scenes and motions. On the machine
they were recorded on, all 200 pictures of the take and 50 of the presets were the same to the bit.
"""
import json
import pathlib

import pytest

from live.takes.take import TakeReader
from tests.live.memory_rig import Rig

FOLDER = pathlib.Path(__file__).parent / "recorded"


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value


def test_a_take_of_before_plays_as_it_did():
    rig = Rig()
    expected = {row["frame"]: row for row in json.loads((FOLDER / "evening.json").read_text())}
    frames = 0
    for tick in TakeReader(FOLDER / "evening.take", rig.base, "").replay(rig.show):
        frames += 1
        if (row := expected.pop(tick.frame, None)) is None:
            continue
        scene, motion = rig.show.scene, rig.show.motion
        assert (motion.walk, motion.beat) == (near(row["walk"]), near(row["beat"]))
        assert [[str(point), near(weight)] for point, weight in motion.place[:3]] == row["place"]
        assert {a: near(v) for a, v in scene.values.items() if v != scene.parameters[a].default} == row["values"]
        assert ([b.name for b in scene.bends], [m.name for m in scene.modulators]) == (row["bends"], row["modulators"])
    assert frames == 200 and not expected


def test_presets_of_before_are_gone_to(tmp_path):
    (tmp_path / "scenes").mkdir()
    for name in ("one", "two"):
        (tmp_path / "scenes" / f"{name}.yaml").write_bytes((FOLDER / f"{name}.yaml").read_bytes())
    rig = Rig(tmp_path)
    rig.send("/preset/recall", "two")
    rig.play()
    assert rig.show.scene["/walk/kind"] == "wander" and rig.show.scene["/bends/eyes/mix"] == 0.7
    rig.send("/preset/recall", "one", 0.5)
    rig.play(30)
    assert rig.show.scene["/walk/kind"] == "loop" and rig.show.scene["/bends/eyes/mix"] == 1.0 and rig.show.scene["/truncation"] == 0.4
    rig.close()
