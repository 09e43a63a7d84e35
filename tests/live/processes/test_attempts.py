"""What a renderer that is started again goes on with: scene, time left, files beside those that are there."""
import argparse

import pytest

from live.files.paths import find_free_part
from live.outputs.again import continue_output
from live.outputs.spec import OutputSpec
from live.processes import show as processes
from live.processes.show import Attempts


def options(**more):
    return argparse.Namespace(**{"resume": False, "take": None, "preset": None, "bends": None, "seconds": None, **more})


def test_the_first_start_has_the_flags_as_they_are():
    given = options(take="a.take")
    assert Attempts(given)(0, False, None) is given


def test_a_second_start_resumes_and_a_safe_one_begins_anew():
    attempts = Attempts(options(preset="dawn", bends="eyes.yaml"))
    again, safe = attempts(1, False, None), attempts(3, True, None)
    assert (again.resume, again.preset, again.bends) == ("if there is one", "dawn", "eyes.yaml")
    assert (safe.resume, safe.preset, safe.bends) == (False, None, None)


def test_takes_and_videos_go_on_in_parts(tmp_path):
    attempts = Attempts(options(take=str(tmp_path / "walk.take")))
    assert attempts(1, False, None).take == str(tmp_path / "walk.take")            # it died before it wrote one
    (tmp_path / "walk.take").touch()
    assert attempts(1, False, None).take == str(tmp_path / "walk-002.take")
    (tmp_path / "walk-002.take").touch()
    (tmp_path / "a.b.mkv").touch()                                             # a video is Matroska until it is finished
    again = attempts(2, False, {"take": str(tmp_path / "walk-002.take"), "video": str(tmp_path / "a.b.mp4")})
    assert (again.take, again.video) == (str(tmp_path / "walk-003.take"), str(tmp_path / "a.b-002.mp4"))
    stopped = attempts(3, False, {"take": None, "video": None})
    assert stopped.take is stopped.video is None


def test_what_is_left_of_the_time_is_played(monkeypatch):
    moments = iter([100.0, 112.0, 500.0])
    monkeypatch.setattr(processes, "now", lambda: next(moments))
    attempts = Attempts(options(seconds=30.0))
    assert attempts(1, False, None).seconds == pytest.approx(18.0)
    assert 0 < attempts(2, False, None).seconds < 1


def test_outputs_that_write_files_go_on_beside_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("show.mkv", "recording.mkv"):
        (tmp_path / name).touch()
    (tmp_path / "frames").mkdir()
    after = [continue_output(OutputSpec(kind, kind, target)).target for kind, target in
             [("recorder", "show.mp4"), ("recorder", ""), ("recorder", "other.mp4"), ("files", "frames"), ("files", ""), ("null", ""), ("window", "")]]
    assert after == ["show-002.mp4", "recording-002.mp4", "other.mp4", "frames-002", "frames-002", "", ""]


def test_parts_have_names_of_their_own(tmp_path):
    for name in ("x.take", "x-002.take", "x-003.mkv", "xy-004.take", "[x].take"):
        (tmp_path / name).touch()
    assert find_free_part(tmp_path / "x.take").name == "x-004.take"
    assert find_free_part(tmp_path / "[x].take").name == "[x]-002.take"
    assert find_free_part(tmp_path / "z.take").name == "z.take"
