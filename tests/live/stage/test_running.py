"""The set list's show (SURFACE L.2), who it belongs to, and the two soft ways out (L.4, L.5)."""
import collections
import logging

import pytest
import yaml

from engine.bending import Bend
from live.show.commands import load_commands
from tests.live.memory_rig import Rig

EYES = Bend("eyes", "b8.conv0", (1, 2), "solarize", {"threshold": 0.5}, selection="1-2")
LOOKS = {"a": 0.2, "b": 0.4, "c": 0.6, "d": 0.8}

load_commands()
@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path, bends=[EYES])
    rig.show.instrument = Undrawn(rig.instrument)
    for name, value in LOOKS.items():
        rig.send("/truncation", value)
        rig.play()
        rig.send("/preset/store", name)
        rig.play()
    rig.show.recall.library.flush()
    yield rig
    rig.close()


class Undrawn:
    """An instrument that draws nothing, for thousands of frames."""

    def __init__(self, instrument):
        self._instrument = instrument

    def __getattr__(self, name):
        return getattr(self._instrument, name)

    def render(self, scene, motion, source=None):
        return self

    pixels = __import__("numpy").zeros((2, 2, 3), "uint8")


def write(rig, *steps):
    path = rig.show.recall.library.set_list
    path.write_text(yaml.safe_dump({"schema": 2, "show": list(steps)}))
    rig.show.recall.library._listed = None
    rig.show.recall.library.refresh()


def walk(rig, frames):
    """Play; returns [(frame, look)] whenever another recall came."""
    found, count = [], rig.show.recall.recalls
    for n in range(frames):
        rig.play()
        if rig.show.recall.recalls != count:
            count = rig.show.recall.recalls
            found.append((n, rig.show.recall.current))
    return found


def test_holds_are_exact_to_a_frame_and_counted_from_the_end_of_the_morph(rig):
    write(rig, {"preset": "a", "hold": 2}, {"preset": "b", "hold": 1.5, "morph": {"seconds": 1}}, {"preset": "c", "hold": 0.5, "then": "first"})
    rig.send("/set/auto", 1)
    found = walk(rig, 350)
    start = found[0][0]
    assert [(n - start, name) for n, name in found[:5]] == [(0, "a"), (60, "b"), (60 + 29 + 45, "c"), (149, "a"), (209, "b")]


def test_bars_land_on_the_beat_for_hours(rig):
    write(rig, {"preset": "a", "hold": 2, "unit": "bars"}, {"preset": "b", "hold": 3, "unit": "beats", "then": "next"})
    rig.send("/tempo", 127.0)
    rig.play()
    rig.send("/set/auto", 1)
    beats = []
    for _ in range(4000):
        count = rig.show.recall.recalls
        rig.play()
        if rig.show.recall.recalls != count:
            beats.append(rig.show.quantiser.beat)
    whole = [round(beat - beats[0]) for beat in beats[1:]]
    assert len(whole) > 40 and whole == [sum((8, 3)[k % 2] for k in range(n)) for n in range(1, len(whole) + 1)]
    one = 127 / 60 / 30
    assert all(0 <= beat - round(beat) < one + 1e-6 for beat in beats[1:])


def test_chances_are_what_the_file_says(rig):
    write(rig, *({"preset": name, "hold": 0, "chance": {"next": 3, "other": 1, "again": 1}} for name in LOOKS))
    rig.show.random.seed(4)
    rig.send("/set/auto", 1)
    names = [name for _, name in walk(rig, 1002)]
    assert len(names) > 990
    order = list(LOOKS)
    ways = collections.Counter((order.index(b) - order.index(a)) % 4 for a, b in zip(names, names[1:]))
    total = sum(ways.values())
    expected = {0: total / 5, 1: total * (3 / 5 + 1 / 15), 2: total / 15, 3: total / 15}
    chi = sum((ways[k] - expected[k]) ** 2 / expected[k] for k in expected)
    assert chi < 16.27                                   # 3 degrees of freedom, p = 0.001


@pytest.mark.parametrize("then, expected", [("previous", "adcb"), ("last", "addd"), ("again", "aaaa"), ("c", "acccc"), ("stay", "a")])
def test_follow_actions(rig, then, expected):
    write(rig, *({"preset": name, "hold": 0.1, "then": then} for name in LOOKS))
    rig.send("/set/start")
    found = "".join(name for _, name in walk(rig, 16))
    assert found.startswith(expected[:len(found)]) and len(found) >= min(4, len(expected))


def test_a_look_that_cannot_be_read_is_passed_over_and_said(rig, caplog):
    write(rig, {"preset": "a", "hold": 0.1}, {"preset": "b", "hold": 0.1}, {"preset": "nobody", "hold": 1}, {"preset": "c", "hold": 9})
    (rig.show.recall.library.folder / "b.yaml").write_text("schema: 1\nvalues: {/nothing: 1}\n")
    rig.show.recall.library.refresh()
    with caplog.at_level(logging.WARNING):
        rig.send("/set/start")
        assert [name for _, name in walk(rig, 20)] == ["a", "c"]
    assert "passed over" in caplog.text and "nobody" in caplog.text


def test_a_hands_recall_leaves_it_on_and_goes_on_from_there(rig):
    write(rig, *({"preset": name, "hold": 1} for name in LOOKS))
    rig.send("/set/start", 2)
    rig.play(10)
    rig.send("/preset/recall", "d")
    found = walk(rig, 40)
    assert [name for _, name in found] == ["d", "a"] and found[1][0] - found[0][0] == 30 and rig.show.scene["/set/auto"] == 1
    rig.send("/set/hold")
    assert walk(rig, 90) == []
    rig.send("/set/go")
    assert [name for _, name in walk(rig, 35)] == ["b", "c"]


def test_nobody_there_and_somebody_back(rig):
    write(rig, *({"preset": name, "hold": 1} for name in LOOKS))
    rig.send("/set/idle", 2)
    found = walk(rig, 150)
    assert found[0][0] in (61, 62) and [name for _, name in found[:3]] == ["a", "b", "c"] or found[0][1] == "a"
    rig.send("/truncation", 0.33)
    rig.play(2)
    assert rig.show.scene["/set/auto"] == 0.0 and walk(rig, 50) == [] and rig.show.scene["/truncation"] == 0.33
    rig.send("/set/auto", 1)                             # by hand: a touch leaves it on
    rig.play()
    rig.send("/truncation", 0.5)
    rig.play(2)
    assert rig.show.scene["/set/auto"] == 1.0


def test_with_the_decks_on_it_fades_to_the_other_side(rig):
    write(rig, {"preset": "a", "hold": 0.5, "morph": {"seconds": 0.5}}, {"preset": "b", "hold": 5, "morph": {"seconds": 0.5}})
    rig.send("/deck/on", 1)
    rig.play()
    rig.send("/set/start")
    rig.play(18)
    assert rig.show.scene["/deck/fade"] == 1.0 and rig.show.scene["/truncation"] == 0.2
    rig.play(32)
    assert rig.show.scene["/deck/fade"] == 0.0 and rig.show.scene["/truncation"] == 0.4


def test_the_show_is_edited_by_commands_and_survives_other_edits(rig):
    for step in (("/set/add", "b", 4, "bars", "stay"), ("/set/add", "a"), ("/set/add", "c", 8, "seconds", "b")):
        rig.send(*step)
        rig.play()
    rig.send("/set/move", 2, 1)
    rig.send("/preset/move", "d", 1)
    rig.play()
    rig.show.recall.library.flush()
    found = yaml.safe_load(rig.show.recall.library.set_list.read_text())
    assert found["schema"] == 2 and [step["preset"] for step in found["show"]] == ["a", "b", "c"] and found["show"][1] == {
        "preset": "b", "hold": 4.0, "unit": "bars", "then": "stay"}
    rig.send("/set/remove", 3)
    rig.play()
    assert len(rig.show.recall.library.show) == 2
    rig.send("/undo")
    rig.play()
    assert len(rig.show.recall.library.show) == 3


@pytest.mark.parametrize("text, where", [("show: [{preset: a}]", "schema: 2"), ("schema: 2\nshow: [{preset: a, then: nowhere}]", "then"),
                                         ("schema: 2\nshow: [{preset: a, chance: {next: -1}}]", "chance"), ("schema: 2\nshow: [{preset: a, hold: soon}]", "hold"),
                                         ("schema: 2\nshow: [{hold: 3}]", "preset"), ("schema: 2\nshow: [{preset: a, unit: miles}]", "unit"), ("schema: 3\n", "schema")])
def test_a_wrong_file_says_where_and_changes_nothing(rig, caplog, text, where):
    write(rig, {"preset": "a"})
    with caplog.at_level(logging.WARNING):
        rig.show.recall.library.set_list.write_text(text)
        rig.show.recall.library.refresh()
    assert where in caplog.text and "setlist.yaml" in caplog.text and len(rig.show.recall.library.show) == 1


# -- soft ways out


def test_soft_panic_is_monotone_exact_and_undone(rig):
    rig.send("/modulators/add", "lfo", "/noise/strength", "sine", 0.3)
    for address, value in (("/bends/eyes/mix", 0.8), ("/truncation", 0.9)):
        rig.send(address, value)
    rig.play()
    before = rig.show.scene
    rig.send("/panic/soft", 2)
    mixes, depths = [], []
    for _ in range(62):
        rig.play()
        mixes.append(rig.show.scene["/bends/eyes/mix"])
        depths.append(rig.show.scene["/modulators/lfo/depth"] * (1 - rig.show.scene["/modulators/lfo/mute"]))
    assert mixes == sorted(mixes, reverse=True) and depths == sorted(depths, reverse=True) and len(set(mixes)) > 50
    scene = rig.show.scene
    assert scene["/bends/eyes/mix"] == 0.0 and scene["/modulators/lfo/mute"] == 1.0 and scene["/modulators/lfo/depth"] == 0.3
    assert scene["/truncation"] == 0.9 and scene["/walk/seed"] == before["/walk/seed"]
    rig.send("/undo")
    rig.play()
    assert rig.show.scene.values == before.values and rig.show.scene.bends == before.bends


def test_back_is_the_scene_of_then(rig):
    seen = {}
    for second in range(14):
        rig.send("/truncation", 0.1 * second)
        rig.send("/output/fade", float(second))
        rig.play(30)
        seen[second] = rig.show.scene
    rig.send("/back", 10)
    rig.play()
    there = rig.show.scene
    assert there["/truncation"] == seen[3]["/truncation"] and there["/output/fade"] == 13.0
    rig.send("/undo")
    rig.play()
    assert rig.show.scene["/truncation"] == seen[13]["/truncation"]
    rig.send("/morph/seconds", 1)
    rig.send("/back", 5)
    rig.play(15)
    assert rig.show.recall.morph and 0.8 < rig.show.scene["/truncation"] < 1.3


JUNK = [("/deck/load", "c", "a"), ("/deck/load", "a", "nobody"), ("/deck/load", "a"), ("/deck/auto", "soon"), ("/deck/auto", -1), ("/set/start", 99), ("/set/start", "x"),
        ("/set/start", 1.5), ("/set/add", "nobody"), ("/set/add", "a", "long"), ("/set/add", "a", -1), ("/set/add", "a", 1, "miles"), ("/set/add", "a", 1, "beats", "up"),
        ("/set/remove", -3), ("/set/move", 1, 9), ("/set/move", 1, "x"), ("/lanes/play", "nobody"), ("/lanes/stop", "nobody"), ("/lanes/keep", "../up"),
        ("/lanes/keep", "x"), ("/panic/soft", "now"), ("/panic/soft", -1), ("/panic/soft", float("nan")), ("/back", "then"), ("/back", -1), ("/back", 121), ("/back",)]


@pytest.mark.parametrize("words", JUNK, ids=str)
def test_junk_is_refused_in_one_line(rig, caplog, words):
    write(rig, {"preset": "a"})
    rig.play()
    before = rig.show.scene
    with caplog.at_level(logging.WARNING):
        if len(words) == 1 and words[0] == "/back":
            from live.show.events import Call
            rig.show.apply([Call("/back")])
        else:
            rig.send(*words)
        rig.play()
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 1 and "\n" not in lines[0] and rig.show.scene == before, lines
