import json
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.bending import Bend
from engine.errors import UserError
from engine.motion import Motion
from engine.walks import Mixed, Vector
from live.show.clock import FixedClock, Pace, limit_ticks
from live.show.data import from_plain, item_from_plain, item_to_plain, scene_from_plain, to_plain
from live.show.events import Change, Tick
from live.takes.take import TakeReader, TakeWriter
from tests.live.memory_rig import Kept, Rig

EYES = Bend("eyes", "b8.conv0", (1, 2), "solarize", {"threshold": 0.5})
LOOKS = ("one", "two", "three")


def recorded(tmp_path, frames, play=lambda rig, frame: None, **options):
    """A take of so many frames, and for each (scene values, motion, digest of the picture)."""
    rig = Rig(tmp_path, **options)
    rig.show.recording.record_to(tmp_path / "a.take")
    for frame in range(frames):
        play(rig, frame)
        rig.play()
    rig.close()
    return tmp_path / "a.take", rig


def replayed(path):
    rig = Rig()
    reader = TakeReader(path, rig.base, rig.hash)
    screen = Kept()
    rig.show.outputs = [screen]
    return [(rig.show.scene, rig.show.motion) for _ in reader.replay(rig.show)], list(screen)


@st.composite
def events(draw):
    """Events of one frame: parameters of every kind, presets, morphs, seeds, gestures, undo."""
    return draw(st.lists(st.one_of(
        st.tuples(st.sampled_from(("/truncation", "/noise/strength", "/walk/seed", "/walk/speed", "/walk/glide", "/tempo",
                                   "/style/fine/mix", "/style/fine/seed", "/style/coarse/speed", "/bends/eyes/threshold",
                                   "/bends/eyes/mix", "/morph/seconds", "/morph/beats", "/pad/x", "/pad/y", "/pad/on",
                                   "/output/freeze", "/output/blackout", "/no/such/thing")),
                  st.floats(-3, 100) | st.just(float("nan"))),
        st.tuples(st.just("/walk/kind"), st.sampled_from(("loop", "wander", "circle", "hold", "field", "vector", "none"))),
        st.tuples(st.just("/noise/mode"), st.sampled_from(("const", "random", "none"))),
        st.tuples(st.just("/walk/z"), st.lists(st.floats(-4, 4), max_size=9).map(tuple)),
        st.tuples(st.sampled_from(("/preset/store", "/preset/recall", "/preset/cue")), st.sampled_from(LOOKS)),
        st.tuples(st.just("/preset/recall"), st.tuples(st.sampled_from(LOOKS), st.floats(0, 0.3))),
        st.tuples(st.just("/pad/corner"), st.tuples(st.integers(1, 4), st.sampled_from(LOOKS))),
        st.tuples(st.sampled_from(("/undo", "/redo", "/panic", "/freeze", "/seed/random", "/compare", "/morph/reverse",
                                   "/gesture", "/gesture/overdub", "/preset/next", "/preset/go")), st.just(1.0)),
    ), max_size=4))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(show=st.lists(events(), min_size=1, max_size=14), late_start=st.integers(0, 4))
def test_a_take_replays_every_scene_and_every_frame(tmp_path_factory, show, late_start):
    folder = tmp_path_factory.mktemp("take")
    rig = Rig(folder, bends=[EYES])
    seen = []
    for frame, heard in enumerate(show):
        if frame == min(late_start, len(show) - 1):
            rig.show.recording.record_to(folder / "a.take")
            seen, before = [], len(rig.screen)
        for address, value in heard:
            rig.send(address, *(value if isinstance(value, tuple) and address != "/walk/z" else (value,)))
        rig.play()
        seen.append((rig.show.scene, rig.show.motion))
    rig.close()
    states, pictures = replayed(folder / "a.take")
    assert states == seen
    assert pictures == rig.screen[before:]


def busy(rig, frame):
    """A little of everything, the same every time."""
    if frame == 2:
        rig.send("/preset/store", "one")
    if frame == 5:
        rig.send("/walk/kind", "circle")
        rig.send("/truncation", 0.37)
    if frame == 9:
        rig.send("/preset/recall", "one", 0.3)
    if frame == 12:
        rig.send("/noise/mode", "random")


RESTARTED = """
import sys, torch
torch.set_num_threads(1)
from live.takes.take import TakeReader
from tests.live.memory_rig import Rig, scenes_of
rig = Rig()
print("\\n".join(found[2] for found in scenes_of(TakeReader(sys.argv[1], rig.base, rig.hash), rig.show)))
"""


def test_it_replays_the_same_in_another_process(tmp_path):
    import hashlib

    path, rig = recorded(tmp_path, 20, busy, bends=[EYES])
    result = subprocess.run([sys.executable, "-c", RESTARTED, str(path)], capture_output=True, text=True, check=True)
    assert result.stdout.split() == [hashlib.sha256(picture).hexdigest() for picture in rig.screen]


KILLED = """
import sys, threading, torch
torch.set_num_threads(1)
from pathlib import Path
from live.presets.autosave import Autosave
from tests.live.memory_rig import Rig
rig = Rig(Path(sys.argv[1]))
rig.show.recording.record_to(Path(sys.argv[1]) / "a.take")
rig.show.recording.start_autosave(Path(sys.argv[1]) / "autosave.json")
rig.send("/truncation", 0.37)
while True:
    rig.play(5)
    print(rig.show.motion.frame, flush=True)
"""


def test_kill_9_loses_at_most_a_second(tmp_path):
    from live.presets.autosave import load_autosave

    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    saved = tmp_path / "autosave.json"
    for line in process.stdout:                                    # until both have been written at least once
        played = int(line)
        if saved.exists() and (tmp_path / "a.take").stat().st_size > 8000:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    rig = Rig()
    reader = TakeReader(tmp_path / "a.take", rig.base, rig.hash)
    frames, _ = reader.measure_length()
    assert frames > 100
    states, pictures = replayed(tmp_path / "a.take")
    assert len(states) == frames
    rig.show.scene, rig.show.motion = load_autosave(saved, rig.base, rig.hash)
    again = rig.show.motion.frame
    assert again <= played + 10
    if again <= frames:                                            # the same picture as the one that was up
        assert (rig.show.scene, rig.show.motion) == states[again - 1]
        rig.show.frame(Tick(0, 0.0, 0.0))
        assert rig.screen[-1] == pictures[again - 1]


@pytest.mark.parametrize("cut", [1, 7, 40, 200])
def test_a_file_cut_off_anywhere_is_read_to_its_last_whole_line(tmp_path, cut):
    path, rig = recorded(tmp_path, 12, busy)
    whole, _ = replayed(path)
    path.write_bytes(path.read_bytes()[:-cut])
    states, _ = replayed(path)
    assert states == whole[:len(states)] and len(states) >= len(whole) - 1 - cut // 20


def test_a_frozen_beginning_shows_the_frozen_picture(tmp_path):
    rig = Rig(tmp_path)
    rig.play(5)
    rig.send("/freeze")
    rig.play()
    rig.send("/truncation", 0.0)
    rig.play(2)
    rig.show.recording.record_to(tmp_path / "a.take")
    held = rig.play(3)
    rig.close()
    assert replayed(tmp_path / "a.take")[1] == [held] * 3


WRONG = [
    (lambda line: b"", "not a take"),
    (lambda line: b"{", "not a take"),
    (lambda line: b'{"format": "something else"}\n', "not a take"),
    (lambda line: line.replace(b'"schema":1', b'"schema":2'), "schema version 2; this version reads 1: update"),
    (lambda line: line.replace(b'"scene":{', b'"secne":{'), "first line is damaged"),
    (lambda line: line.replace(b'"motion":{', b'"motion":{"walk":"far"},"was":{'), "motion > walk: expected a number"),
    (lambda line: line.replace(b'"values":{', b'"values":{"/edits/hat/strength":1.0},"were":{'), "has no /edits/hat/strength"),
    (lambda line: line.replace(b'"values":{', b'"values":{"/truncation":"much"},"were":{'), "/truncation: expected a number"),
    (lambda line: line.replace(b'"values":{', b'"values":{"/walk/kind":"fly"},"were":{'), "/walk/kind: expected one of"),
    (lambda line: line.replace(b'"channels":[1,2]', b'"channels":[1,99]'), "bend 'eyes': channel 99 of b8.conv0"),
    (lambda line: line.replace(b'"solarize"', b'"melt"'), "melt"),
    (lambda line: line.replace(b'"mix":1.0', b'"mix":1e300'), "bend 'eyes' > mix: expected 1.0"),
    (lambda line: line.replace(b'"motion":{', b'"motion":{"place":[[0.5,1.0]]},"was":{'), "motion > place: expected"),
    (lambda line: line.replace(b'"motion":{', b'"motion":{"place":[[-1,1.0]]},"was":{'), "motion > place: expected a seed"),
    (lambda line: line.replace(b'"motion":{', b'"motion":{"walk":1' + b"0" * 400 + b'},"was":{'), "motion > walk: expected a number"),
]


@pytest.mark.parametrize("change, message", WRONG)
def test_a_take_that_cannot_be_is_refused_with_one_line(tmp_path, change, message):
    path, rig = recorded(tmp_path, 2, bends=[EYES])
    first, _, rest = path.read_bytes().partition(b"\n")
    changed = change(first + b"\n")
    path.write_bytes(changed + (rest if changed.endswith(b"\n") else b""))
    with pytest.raises(UserError, match=message) as error:
        TakeReader(path, rig.base, rig.hash, rig.instrument.bend)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_damage_in_the_middle_names_its_line(tmp_path):
    path, rig = recorded(tmp_path, 6)
    lines = path.read_bytes().split(b"\n")
    lines[3] = b"[2,xx"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(UserError, match="line 4: damaged"):
        list(TakeReader(path, rig.base).read_frames())


@pytest.mark.parametrize("line", [b'[2,NaN,0.1]', b'[2,0.1,Infinity]', b'[2,0.1,0.1,[[5,1.0]]]', b'[2,0.1,0.1,[["/truncation",NaN]]]', b'[2,{},0.1]',
                                  b'[2,1' + b"0" * 400 + b',0.1]', b'[2,0.1,0.1,[{"scene":{"values":{"/truncation":"x"}}}]]'])
def test_a_line_edited_wrong_is_named(tmp_path, line):
    path, rig = recorded(tmp_path, 3)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:3], line, b""]))
    with pytest.raises(UserError, match="line 4: damaged"):
        reader = TakeReader(path, rig.base)
        reader.measure_length()
        list(reader.read_frames())


def test_another_generator_is_said(tmp_path, caplog):
    path, _ = recorded(tmp_path, 2)
    TakeReader(path, Rig().base, "another")
    assert "other weights" in caplog.text


def test_no_take_is_written_over(tmp_path):
    path, rig = recorded(tmp_path, 2)
    with pytest.raises(UserError, match="already"):
        rig.show.recording.record_to(path)
    with pytest.raises(UserError, match="already"):
        TakeWriter(path, rig.show.scene, Motion())


def test_a_full_disk_ends_the_take_and_not_the_show(tmp_path, caplog):
    rig = Rig(tmp_path)
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(3)
    written = rig.show.recording.writer
    written.stop()
    written._thread.join()
    rig = Rig(tmp_path)
    rig.show.recording.record_to(tmp_path / "b.take")
    rig.play(2)
    writer = rig.show.recording.writer

    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self.file.__enter__()

        def __exit__(self, *error):
            return self.file.__exit__(*error)

        def write(self, text):
            raise OSError(28, "No space left on device")

    writer._file = Full(writer._file)
    rig.play(2)
    writer._thread.join(60)
    frames = writer.frames
    rig.play(50)
    assert "No space left" in caplog.text and writer.frames == frames        # nothing gathers in memory
    rig.send("/take/record", "again")                                        # not the end of the one that has failed
    rig.play(4)
    rig.close()
    assert TakeReader(tmp_path / "again.take", rig.base).measure_length()[0] == 3
    assert TakeReader(tmp_path / "a.take", rig.base).measure_length()[0] == 3


def test_take_record_is_a_toggle_and_finds_a_free_name(tmp_path):
    rig = Rig(tmp_path)
    for _ in range(2):
        rig.send("/take/record")
        rig.play(4)
        rig.send("/take/record")
        rig.play(2)
    rig.send("/take/record", "named")
    rig.play(3)
    rig.close()
    lengths = {path.name: TakeReader(path, rig.base).measure_length()[0] for path in tmp_path.glob("*.take")}
    assert lengths == {"tiny-001.take": 3, "tiny-002.take": 3, "named.take": 2}


ITEMS = [Change("/truncation", 0.1 + 0.2), Change("/walk/kind", "loop"), Change("/walk/z", (1.5, -2.25)), Change("/walk/seed", 3),
         Motion(), Motion(1 / 3, (0.1, 0.2, 0.3), ((1, 0.5), (Mixed((((1, 2), 0.3), (5, 1e-17))), 0.5)), ("loop", 1, None),
                          ((Vector((0.5, 1.0)), 1.0),), 0.25, 17, ((3, 1.0),))]


@pytest.mark.parametrize("item", ITEMS, ids=repr)
def test_what_is_applied_comes_back_exactly(item):
    assert item_from_plain(json.loads(json.dumps(item_to_plain(item))), lambda data: scene_from_plain(data, Rig().base)) == item


@settings(max_examples=50)
@given(st.recursive(st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=12))
def test_plain_data_round_trips(value):
    assert from_plain(json.loads(json.dumps(to_plain(value)))) == value


def test_pace_waits_for_each_tick():
    moment, slept = [100.0], []

    def sleep(seconds):
        slept.append(round(seconds, 6))
        moment[0] += seconds
    pace = Pace(lambda: moment[0], sleep)
    for tick in limit_ticks(FixedClock(10.0).ticks(), frames=3):
        pace(tick)
    moment[0] += 1.0
    pace(Tick(3, 0.3, 0.1))
    assert slept == [0.1, 0.1] and pace.late == 1


def test_a_take_plays_and_loops_under_the_hands(tmp_path):
    rig = Rig(tmp_path)
    rig.play(2)
    rig.send("/take/record", "phrase")
    rig.play()
    for value in (0.1, 0.2, 0.3):
        rig.send("/truncation", value)
        rig.play(2)
    rig.send("/take/stop")
    rig.play()
    rig.show.recording.writer.close()
    rig.send("/take/loop", "phrase")
    heard = []
    for frame in range(16):
        if frame == 9:
            rig.send("/noise/strength", 3.0)                       # the hand plays on top
        rig.play()
        heard.append((rig.show.scene["/truncation"], rig.show.scene["/noise/strength"]))
    assert [psi for psi, _ in heard][1:14] == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3] * 2 + [0.1]
    assert heard[9][1] == 3.0 and rig.show.recording.replay is not None
    rig.send("/take/play", "nothing")
    rig.send("/take/stop")
    rig.play()
    assert rig.show.recording.replay is None
    rig.close()
