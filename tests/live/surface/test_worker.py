"""The studio's queue: what waits, what goes first, what outlives a show. A stub stands for the process."""
import json

import pytest

from live.surface.job_file import JobFile
from live.surface.worker import Worker


class Process:
    """Takes lines down; never answers by itself."""

    def __init__(self):
        self.stdin, self.lines = self, []

    def write(self, line):
        self.lines.append(json.loads(line))

    def flush(self):
        pass

    def kill(self):
        pass

    def wait(self, seconds):
        pass


@pytest.fixture
def make(monkeypatch, tmp_path):
    made = []

    def worker(**more):
        found = Worker("nowhere", kept=JobFile(tmp_path / "runs/jobs.json"), **more)
        process = Process()
        monkeypatch.setattr(found, "_start", lambda: process)
        found.process = process
        found.resume()
        made.append(found)
        return found
    yield worker
    for one in made:
        one.close()


def test_jobs_that_were_not_done_go_on_in_the_next_show(make):
    first = make()
    done, waits = first.add({"kind": "find", "layer": "b8.conv1"}), first.add({"kind": "solve", "name": "hats", "request": {"object": []}})
    first._end(done, {"ok": True})
    assert [one["state"] for one in first.list_jobs()] == ["runs", "done"] and waits
    first.close()
    ended = []
    again = make(done=lambda job, answer: ended.append(job["kind"]))
    assert [(one["kind"], one["state"]) for one in again.list_jobs()] == [("solve", "runs"), ("find", "done")]
    assert again.process.lines[0]["request"] == {"object": []} and not ended


def test_a_second_show_of_the_same_instrument_leaves_them_alone(make):
    first = make()
    first.add({"kind": "find", "layer": "b8.conv1"})
    second = make()
    assert second.list_jobs() == [] and second.add({"kind": "find", "layer": "b16.conv1"})
    assert [one["name"] for one in first.list_jobs()] == ["b8.conv1"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"jobs": 5}', '{"jobs": [1, {"job": 7}, {"job": {"kind": 5}}, {"kind": "solve"}]}'])
def test_a_file_of_jobs_that_is_none(make, tmp_path, text):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/jobs.json").write_text(text)
    assert make().list_jobs() == []


def test_a_job_is_stopped(make):
    worker = make()
    first, second = worker.add({"kind": "find", "layer": "a"}), worker.add({"kind": "find", "layer": "b"})
    assert worker.stop(second) and worker.stop(first) and not worker.stop(first)
    assert {one["stage"] for one in worker.list_jobs()} == {"stopped"}
