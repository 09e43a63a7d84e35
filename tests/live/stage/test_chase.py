"""What plays by timecode: lanes, the set list, a take; jumps, and two seconds of free wheel. Show Control's orders."""
import yaml

from live.show.commands import load_commands
from live.show.timecode import TimecodeClock
from tests.live.memory_rig import Rig
from tests.live.stage.test_running import Undrawn, write

load_commands()


class Tape:
    """A show whose clock is driven by hand, and timecode that comes with every second frame of it."""

    def __init__(self, folder):
        self.rig, self.moment = Rig(folder), 0.0
        self.rig.show.instrument = Undrawn(self.rig.instrument)
        self.clock = TimecodeClock(self.rig.show, now=lambda: self.moment)
        self.rig.show.join(timecode=self.clock)

    def play(self, frames, seconds=None):
        """Play; seconds: of the timecode at the first of these frames, None: none comes."""
        for n in range(frames):
            self.moment += 1 / 30
            if seconds is not None and n % 2 == 0:
                self.clock.receive("MTC", seconds + n / 30, self.moment)
            self.rig.play()

    def __getitem__(self, address):
        return self.rig.show.scene[address]


def test_lanes_and_the_set_list_follow_a_jump_and_run_on_for_two_seconds(tmp_path):
    tape = Tape(tmp_path)
    rig = tape.rig
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        rig.send("/walk/seed", seed)
        rig.play()
        rig.send("/preset/store", name)
        rig.play()
    write(rig, {"preset": "a", "at": 10.0}, {"preset": "b", "at": "00:00:14"}, {"preset": "c", "hold": 0.1})
    (tmp_path / "lanes").mkdir()
    (tmp_path / "lanes/line.yaml").write_text(yaml.safe_dump({"schema": 1, "length": 20, "unit": "timecode", "start": 5.0, "lanes": {"/truncation": [[0, 0.0], [20, 1.0]]}}))
    rig.show.find_player("lanes").folder.refresh()
    rig.send("/lanes/play", "line")
    rig.send("/set/auto", 1)
    tape.play(32, 10.0)
    assert abs(tape["/truncation"] - 6.0 / 20) < 0.01 and tape["/walk/seed"] == 1
    tape.play(62, 14.0)                                  # a jump: two frames of it that agree
    assert tape["/walk/seed"] == 2 and abs(tape["/truncation"] - 11 / 20) < 0.01
    tape.play(32, 12.5)                                  # and back
    assert tape["/walk/seed"] == 1
    before = tape["/timecode"]
    tape.play(45)
    assert abs(tape["/timecode"] - before - 1.5) < 0.04 and tape["/timecode/signal"] == 1.0
    tape.play(30)
    held = tape["/truncation"]
    tape.play(2)
    assert tape["/timecode/signal"] == 0.0 and tape["/truncation"] == held
    rig.close()


def test_a_take_stands_where_the_timecode_does(tmp_path):
    tape = Tape(tmp_path)
    rig = tape.rig
    rig.send("/take/record", "moves")
    for n in range(90):
        rig.send("/bends/amount", n / 100)
        rig.play()
    rig.send("/take/stop")
    rig.send("/output/fade", 7.0)
    rig.play(2)
    rig.show.recording.writer.close()
    rig.send("/take/chase", "moves", 12.0)
    for seconds, amount in ((10.0, 0.89), (13.0, 0.6), (12.2, 0.36), (20.0, 0.89)):
        tape.play(31, seconds)                           # before its beginning; within, back, beyond its end
        assert abs(tape["/bends/amount"] - amount) < 0.03 and tape["/output/fade"] == 7.0, seconds
    rig.close()


def test_show_control_runs_the_set_list(tmp_path):
    tape = Tape(tmp_path)
    rig = tape.rig
    for name in "abc":
        rig.send("/preset/store", name)
        rig.play()
    write(rig, *({"preset": name, "hold": 1} for name in "abc"))
    for order, frames, expected in ((("/msc/go", "2"), 1, "b"), (("/msc/go",), 1, "c"), (("/msc/resume",), 33, "a"), (("/msc/stop",), 60, "a"), (("/msc/resume",), 32, "b")):
        rig.send(*order)
        rig.play(frames)
        assert rig.show.recall.current == expected, order
    rig.close()
