"""Lanes (SURFACE L.3): breakpoints exactly, gestures kept, hands, locks, files."""
import logging
import math

import pytest
import yaml

from engine.parameter import Parameter
from live.show.commands import load_commands
from live.stage.thinning import make_points
from tests.live.memory_rig import Rig
from tests.live.stage.test_running import Undrawn

load_commands()


@pytest.fixture
def rig(tmp_path):
    (tmp_path / "lanes").mkdir()
    rig = Rig(tmp_path)
    rig.show.instrument = Undrawn(rig.instrument)
    yield rig
    rig.close()


def write(rig, name, **keys):
    folder = rig.show.find_player("lanes").folder
    (folder.folder / f"{name}.yaml").write_text(yaml.safe_dump({"schema": 1, **keys}))
    folder.refresh()


def reference(points, at):
    """The slow way: straight lines in plain values, or by smoothstep, or steps."""
    before = [p for p in points if p[0] <= at]
    after = [p for p in points if p[0] > at]
    if not before or not after:
        return (before[-1] if before else after[0])[1]
    (a, x, *_), (b, y, *ease) = before[-1], after[0]
    t = (at - a) / (b - a)
    t = {"smooth": t * t * (3 - 2 * t), "step": 0.0}.get(ease[0] if ease else "", t)
    return x + (y - x) * t


@pytest.mark.parametrize("unit, loop", [("beats", True), ("seconds", True), ("beats", False)])
def test_every_tick_has_the_value_of_the_breakpoints(rig, unit, loop):
    lanes = {"/truncation": [[0, 0.7], [1, 1.2, "smooth"], [3, 0.2], [3.5, 0.9, "step"]], "/bends/amount": [[1, 0.0], [2, 1.0]], "/walk/kind": [[0, "wander"], [2, "circle"]]}
    write(rig, "sweep", length=4, unit=unit, loop=loop, lanes=lanes)
    rig.send("/lanes/play", "sweep")
    rig.play()
    per = 2.0 if unit == "beats" else 1.0               # at 120 bpm
    for n in range(300):
        at = n / 30 * per
        at = at % 4 if loop else min(at, 4)
        for address in ("/truncation", "/bends/amount"):
            clear = min(abs(at - turn) for turn in (0, 4, *(row[0] for row in lanes[address]))) > 1e-6
            assert not clear or rig.show.scene[address] == pytest.approx(reference(lanes[address], at), abs=1e-6), (n, address)
        if abs(at - 2) > 1e-6 and 1e-6 < at < 4 - 1e-6:
            assert rig.show.scene["/walk/kind"] == ("wander" if at < 2 else "circle")
        rig.play()
    assert bool(rig.show.find_player("lanes").list_playing()) == loop


def test_a_hand_wins_until_the_loop_comes_round(rig):
    write(rig, "sweep", length=2, unit="seconds", lanes={"/truncation": [[0, 0.5], [2, 1.5]]})
    rig.send("/lanes/play", "sweep")
    rig.play(10)
    rig.send("/truncation", 0.1)
    rig.play(20)
    assert rig.show.scene["/truncation"] == 0.1
    rig.play(35)
    assert rig.show.scene["/truncation"] > 0.5


def test_locked_addresses_stay_and_a_recall_does_not_end_it(rig):
    write(rig, "sweep", length=2, unit="seconds", lanes={"/truncation": [[0, 0.5], [2, 1.5]], "/bends/amount": [[0, 0.5], [2, 1.0]]})
    rig.send("/preset/store", "look")
    rig.send("/lock", "/truncation")
    rig.play()
    before = rig.show.scene["/truncation"]
    rig.send("/lanes/play", "sweep")
    rig.play(5)
    rig.send("/preset/recall", "look")
    rig.play(5)
    assert rig.show.scene["/truncation"] == before and rig.show.scene["/bends/amount"] == pytest.approx(0.5 + 0.5 * 9 / 60)
    rig.send("/output/freeze", 1)
    rig.play(2)
    held = rig.show.scene["/bends/amount"]
    rig.play(9)
    assert rig.show.scene["/bends/amount"] == held


def test_a_gesture_kept_plays_within_a_128th(rig, tmp_path):
    rig.send("/gesture/only", "/truncation")
    rig.send("/quantise", "bar")
    rig.play()
    rig.send("/gesture")
    while rig.show.looper.gesture.state != "recording":
        rig.play()
    for n in range(119):                                  # a turn, a rest, a jump: two bars
        if n < 50 or n in (80, 100):
            rig.send("/truncation", {80: 0.2, 100: 1.7}.get(n, 0.8 + 0.5 * math.sin(n / 6)))
        rig.play()
    rig.send("/gesture")
    while rig.show.looper.gesture.state != "looping":
        rig.play()
    length = rig.show.looper.gesture.length
    frames = round(length * 15)
    rig.play(frames)                                      # once round: its beginning is what its end left

    def listen(start):
        found = {}
        for _ in range(frames):
            rig.play()
            found[round((rig.show.quantiser.beat - start) * 15) % frames] = rig.show.scene["/truncation"]
        return found
    original = listen(rig.show.looper.gesture._start)
    rig.send("/lanes/keep", "turned")
    rig.play()
    rig.show.find_player("lanes").folder.flush()
    data = yaml.safe_load((tmp_path / "lanes/turned.yaml").read_text())
    assert len(data["lanes"]["/truncation"]) < 35 and data["length"] == length
    rig.send("/gesture/stop")
    rig.send("/lanes/play", "turned")
    while "turned" not in rig.show.find_player("lanes").list_playing():
        rig.play()
    rig.play(frames)
    kept = listen(rig.show.find_player("lanes")._playing["turned"].begun)
    span = rig.show.scene.parameters["/truncation"]
    wrong = {k: (original[k], kept[k]) for k in original if abs(original[k] - kept[k]) > (span.high - span.low) / 128}
    assert not wrong and len(original) == frames


@pytest.mark.parametrize("keys, where", [(dict(length=4, lanes={"/truncation": [[5, 1]]}), "time"), (dict(length=0, lanes={}), "length"),
                                         (dict(length=4, lanes={"/truncation": [[2, 1], [1, 1]]}), "later"), (dict(length=4, lanes={"/truncation": [[0, "x"]]}), "/truncation > 1"),
                                         (dict(length=4, lanes={"/truncation": [[0, 1], [1, 1, "leap"]]}), "leap"), (dict(length=4, lanes={"/truncation": []}), "at least one"),
                                         (dict(length=4, lanes={"truncation": [[0, 1]]}), "address"), (dict(length=4, lanes={"/timecode": [[0, 1]]}), "by itself"),
                                         (dict(length=4, unit="miles", lanes={}), "unit"), (dict(length=4, lanes={"/truncation": [[float("nan"), 1]]}), "time")])
def test_a_wrong_file_says_where(rig, caplog, keys, where):
    write(rig, "bad", **keys)
    with caplog.at_level(logging.WARNING):
        rig.send("/lanes/play", "bad")
        rig.play()
    assert where in caplog.text and "bad" in caplog.text and not rig.show.find_player("lanes").list_playing()


def test_points_of_steps_and_lines():
    knob, pick = Parameter(0.0, 0.0, 1.0), Parameter("a", choices=("a", "b"))
    assert make_points(knob, [(0.0, 0.0), (0.1, 0.1), (0.2, 0.2), (0.3, 0.3)], 4) == [(0.0, 0.0, "linear"), (0.3, 0.3, "linear")]
    assert make_points(knob, [(1.0, 0.5), (3.0, 0.8)], 4) == [(0.0, 0.8, "linear"), (1.0, 0.5, "step"), (3.0, 0.8, "step")]
    assert make_points(pick, [(0.0, "a"), (0.1, "a"), (0.2, "b")], 4) == [(0.0, "a", "linear"), (0.2, "b", "step")]
    assert make_points(knob, [], 4) == []
