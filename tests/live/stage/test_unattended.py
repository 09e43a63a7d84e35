"""A day without anybody, by a fast clock: faults made on purpose are survived and written down once, memory stays flat."""
import gc
import logging
import tracemalloc
import types

import pytest

import engine.files
from live.outputs import Running
from live.show.events import Tick
from live.stage import service
from live.stage.unattended import NAME, Unattended
from tests.live.memory_rig import Rig
from tests.live.outputs.test_outputs import frame
from tests.live.stage.test_running import Undrawn, write

STEP = 9.0                          # seconds of a frame: a day in ten thousand of them


class Day:
    """A show whose hours pass as fast as it can play. now: seconds since 1970."""

    def __init__(self, folder):
        self.rig, self.now, self.time, self.frame = Rig(folder), 1.8e9, 0.0, 0
        self.rig.show.strict = False
        self.rig.show.instrument = Undrawn(self.rig.instrument)
        for name in "ab":
            self.rig.send("/preset/store", name)
            self.rig.play()
        write(self.rig, {"preset": "a", "hold": 600}, {"preset": "b", "hold": 600, "morph": {"seconds": 30}})
        self.nobody = Unattended(self.rig.show, folder, wall=lambda: self.now)
        self.rig.show.join(unattended=self.nobody)
        logging.getLogger().addHandler(self.nobody)
        self.log = folder / NAME

    def play(self, seconds, step=STEP):
        for _ in range(int(seconds / step)):
            self.frame, self.time, self.now = self.frame + 1, self.time + step, self.now + step
            self.rig.show.frame(Tick(self.frame, self.time, step))
            self.rig.screen.clear()

    def close(self):
        logging.getLogger().removeHandler(self.nobody)
        self.nobody.close()
        self.rig.close()


def test_a_day_with_every_fault_made_on_purpose(tmp_path, monkeypatch):
    day = Day(tmp_path)
    show = day.rig.show
    day.play(2 * 3600)
    recalls = show.recall.recalls
    gc.collect()
    tracemalloc.start()
    day.play(600)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    day.play(2 * 3600)

    class Gone:                                           # a source, and an output, that raise in every frame
        name = "gone"

        def picture(self, scene):
            raise OSError("the camera has gone")

        def note_frame(self):
            pass

        def put(self, frame):
            raise RuntimeError("the projector has gone")
    show.source = Gone()
    day.play(1800)
    show.source = None
    logging.getLogger("live.outputs").warning("window: gone, it is opened again")
    logging.getLogger("live.outputs").warning("window: gone, it is opened again")

    full = engine.files.os.fsync

    def refuse(number):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(engine.files.os, "fsync", refuse)
    day.now += 3600                                       # the clock is set
    day.play(1800)
    monkeypatch.setattr(engine.files.os, "fsync", full)
    day.time, day.now = day.time + 3 * 3600, day.now + 3 * 3600
    day.frame += 1
    show.frame(Tick(day.frame, day.time, 3 * 3600.0))     # sleep, and wake
    day.play(14 * 3600)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert show.recall.recalls > recalls + 40 and show.scene["/set/auto"] == 1.0
    day.close()
    text = day.log.read_text()
    for trouble in ("the camera has gone", "it is opened again", "the clock was set by +3600", "the machine slept"):
        assert text.count(trouble) == 1, (trouble, text)
    assert text.count(" day: ") == 2 and "warnings of" in text and "begun" in text       # midnight came, and the end
    assert grown < 400_000, grown                         # of some 40 MB: under one per cent


def test_a_show_that_is_killed_and_begun_again_has_one_day(tmp_path):
    first = Day(tmp_path)
    first.play(900)
    logging.getLogger("live.outputs").warning("window: gone after %d frames", 100)
    first.play(9)
    first.nobody._jobs.flush()
    logging.getLogger().removeHandler(first.nobody)       # and nothing more: as after kill -9
    again = Day(tmp_path)
    again.now += 900
    again.play(90)
    logging.getLogger("live.outputs").warning("window: gone after %d frames", 7)       # the same once more
    logging.getLogger("live.outputs").warning("wall: gone after %d frames", 7)
    again.nobody.note("renderer: ended with SIGKILL", again.now)                        # as the supervisor has it told
    again.close()
    first.close()
    lines = again.log.read_text().splitlines()
    assert [line.split()[-1] for line in lines if line.endswith(("begun", "goes on"))] == ["begun", "on"]
    assert [sum(words in line for line in lines) for words in ("window: gone", "wall: gone", "SIGKILL")] == [1, 1, 1]
    day = next(line for line in lines if " day: " in line)
    frames = int(day.split(" frames")[0].split()[-1])
    assert 105 <= frames <= 111 and "4 warnings of 3 kinds" in day       # 111 were played, of which those after the last writing are not known


def test_a_take_that_a_full_disk_ended_goes_on_in_another_file(tmp_path, monkeypatch):
    day = Day(tmp_path)
    recording = day.rig.show.recording
    recording.record_to(tmp_path / "night.take")
    day.play(90)
    recording.writer.failed = OSError(28, "No space left on device")
    free = [0]
    monkeypatch.setattr("live.stage.unattended.shutil.disk_usage", lambda path: types.SimpleNamespace(free=free[0]))
    day.play(180)
    assert not recording.recording
    free[0] = 1 << 40
    day.play(180)
    assert recording.recording and recording.writer.path.name == "night-002.take"
    day.close()


def test_a_full_disk_is_written_down_once_however_much_it_stops(tmp_path):
    class Full:
        """A file or recording that finds no room."""
        def __init__(self, why):
            self.why = why

        def send(self, frame):
            raise OSError(28, self.why)

        def close(self):
            pass

    day = Day(tmp_path)
    recording = day.rig.show.recording
    recording.record_to(tmp_path / "night.take")
    day.play(90)

    def refuse():
        raise OSError(28, "No space left on device")
    recording.writer._write = refuse
    recording.writer._thread.join(60)
    for number, why in enumerate(("No space left on device", "less than 256 MB left on the disk")):
        stopped = Running(f"recorder-{number}", Full(why))
        stopped.put(frame(number))
        stopped.thread.join(60)
        assert stopped.broken == why
    logging.getLogger("live.outputs").error("output window stopped after 3 frames: gone")
    day.close()
    lines = day.log.read_text().splitlines()
    assert sum("disk" in line or "No space" in line for line in lines) == 1 and sum("gone" in line for line in lines) == 1
    assert any("night.take" in line and "what else is written there stops too" in line for line in lines)
    assert "4 warnings of 2 kinds" in lines[-1]


def test_the_flag_resumes_where_it_can_and_asks_nothing():
    options = types.SimpleNamespace(unattended=True, no_browser=False, resume=False)
    service.prepare(options)
    assert options.no_browser and options.resume == "if there is one"
    options = types.SimpleNamespace(unattended=False, no_browser=False, resume=False)
    service.prepare(options)
    assert not options.no_browser and options.resume is False


@pytest.mark.parametrize("name", ["docs/latent-jockey.service"])
def test_the_unit_file_names_what_there_is(name):
    import configparser
    import pathlib

    from live.cli.play import arguments
    root = pathlib.Path(__file__).parents[3]
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string((root / name).read_text())
    command = unit["Service"]["ExecStart"].split()
    assert command[1].endswith("run_live.py") and "--unattended" in command and unit["Service"]["RestartPreventExitStatus"] == "2"
    import argparse
    parser = argparse.ArgumentParser()
    arguments(parser)
    parser.parse_args(command[2:])
