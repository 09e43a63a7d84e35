"""Trainings from the page: begun, watched, stopped, gone on with; they outlive the show that began them."""
import json
import signal
import threading
import types

import pytest

from engine.checkpoints import native
from engine.errors import UserError
from live.cli import studio
from live.surface.run_folder import RunFolder
from live.surface.runs import Runs
from tests.conftest import tiny

QUICK = ("--input", "16", "--width", "16", "--batch", "2", "--every", "1", "--patience", "100000")


@pytest.fixture
def runs(tmp_path, monkeypatch):
    native.save(tmp_path / "tiny.safetensors", tiny(z_dim=64))
    found = Runs(tmp_path / "tiny.safetensors", tmp_path / "tiny")
    usual = found._make_arguments
    monkeypatch.setattr(found, "_make_arguments", lambda *asked: usual(*asked) + list(QUICK))
    yield found
    for one in found.path.glob("*/run.json"):
        RunFolder(one.parent).ask_to_stop()


def until(holds, seconds=180):                # trainings run at low priority
    pause = threading.Event()
    for _ in range(seconds * 20):
        if (found := holds()):
            return found
        pause.wait(0.05)
    raise AssertionError("it did not happen")


def told(runs, name):
    runs.refresh()
    return next(one for one in runs.list_runs() if one["name"] == name)


def test_a_training_is_watched_stopped_and_gone_on_with(runs, tmp_path):
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)                   # as where a script began the show in the background
    try:
        name = runs.begin({"kind": "encoder", "layer": "b8.conv1", "steps": 1000})
    finally:
        signal.signal(signal.SIGINT, usual)
    assert name == "encoder b8.conv1"
    until(lambda: told(runs, name)["rows"] >= 2)
    later = Runs(tmp_path / "tiny.safetensors", tmp_path / "tiny")         # another show, started meanwhile
    seen = told(later, name)
    assert seen["state"] == "runs" and seen["figures"]["loss"] > 0 and seen["sheet"] and 0 < seen["at"] < 1
    with pytest.raises(UserError, match="runs already"):
        later.resume(name)
    later.stop(name)
    until(lambda: told(later, name)["state"] == "stopped")
    steps = told(later, name)["step"]
    later.resume(name)
    until(lambda: told(later, name)["step"] > steps)
    later.stop(name)
    until(lambda: told(later, name)["state"] == "stopped")
    assert not RunFolder(later.path / name).is_to_stop


def test_an_interrupt_that_is_lost_is_repeated(tmp_path, monkeypatch):
    waits = threading.Event()

    def run(_):                                                            # the first falls where Python drops it, as into a destructor
        try:
            waits.wait(60)
        except KeyboardInterrupt:
            waits.wait(60)
        raise UserError("it was not interrupted again")
    monkeypatch.setattr(studio, "AGAIN", 0.05)
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.setattr("live.cli.train_encoder.run", run)
    folder = RunFolder(tmp_path / "run")
    folder.write(kind="encoder", arguments=["train-encoder", "-o", str(tmp_path)])
    folder.ask_to_stop()
    usual = signal.getsignal(signal.SIGINT)
    try:
        assert studio.train(folder) == 0
    finally:
        signal.signal(signal.SIGINT, usual)
    assert folder.read_about()["state"] == "stopped" and not folder.is_to_stop


def test_a_world_learned_anew_is_told_of_and_stopped(runs, monkeypatch):
    monkeypatch.setattr(runs, "_make_arguments", lambda kind, layer, steps, run: [
        "train-world", "--share", "0.3", "--every", "1", "--resolution", "256", "--refine", "presets/masks/generator.safetensors", "-o", str(run.path)])
    name = runs.begin({"kind": "world", "steps": 0.01})
    until(lambda: told(runs, name)["rows"] >= 1)
    seen = told(runs, name)
    assert seen["state"] == "runs" and seen["of"] > seen["step"] > 0 and seen["at"] == round(seen["step"] / seen["of"], 3)
    runs.stop(name)
    until(lambda: told(runs, name)["state"] == "stopped")
    assert (runs.path / name / "checkpoint.safetensors").exists()          # what it has learned stays


def test_what_a_training_made_is_used_and_what_was_before_is_kept(runs, tmp_path):
    name = runs.begin({"kind": "encoder", "layer": "b8.conv1", "steps": 1})
    (tmp_path / "tiny" / "encoder.safetensors").write_bytes(b"before")
    until(lambda: told(runs, name)["state"] == "done")
    runs.use(name)
    made = (runs.path / name / "encoder.safetensors").read_bytes()
    assert (tmp_path / "tiny" / "encoder.safetensors").read_bytes() == made
    assert (tmp_path / "tiny" / "encoder.before.safetensors").read_bytes() == b"before"


def test_what_goes_wrong_is_told(runs):
    name = runs.begin({"kind": "encoder", "layer": "b7.conv1", "steps": 5})
    assert "b7.conv1" in until(lambda: told(runs, name)["state"] == "failed" and told(runs, name)["text"])


def test_a_training_whose_process_is_gone_counts_as_stopped(runs):
    RunFolder(runs.path / "old").write(kind="encoder", state="runs", of=10)
    assert told(runs, "old")["state"] == "stopped"


@pytest.mark.parametrize("asked", [{}, {"kind": "bread"}, {"kind": "encoder", "steps": 0}, {"kind": "encoder", "steps": "many"}, {"kind": "encoder", "steps": True},
                                   {"kind": "encoder", "steps": float("nan")}, {"kind": "world", "steps": 11}])
def test_what_can_not_be_asked(runs, asked):
    with pytest.raises(UserError):
        runs.begin(asked)
    assert not list(runs.path.glob("*/run.json"))


@pytest.mark.parametrize("name", ["../tiny", "nobody", "", ".", 5, None])
def test_names_of_no_training(runs, name):
    for act in (runs.stop, runs.resume, runs.use):
        with pytest.raises(UserError):
            act(name)


def test_only_so_many_at_once(runs, monkeypatch):
    locks = []
    for name in "ab":
        RunFolder(runs.path / name).write(kind="encoder")
        locks.append(RunFolder(runs.path / name).lock())
    with pytest.raises(UserError, match="stop one first"):
        runs.begin({"kind": "encoder", "layer": "b8.conv1", "steps": 5})
    for lock in locks:
        lock.close()


def test_a_table_half_written_is_read_as_far_as_it_goes(tmp_path):
    folder = RunFolder(tmp_path)
    (tmp_path / "figures.csv").write_text("step,loss\n1,0.5\n2,0.4\n3,")
    assert folder.read_rows()[:2] == [{"step": 1.0, "loss": 0.5}, {"step": 2.0, "loss": 0.4}]
    (tmp_path / "run.json").write_text("{half")
    assert folder.read_about() == {}


def test_a_page_that_watches_may_not(runs):
    import asyncio

    async def ask(role, method, body):
        async def stream():
            yield body
        request = types.SimpleNamespace(method=method, scope={"role": role}, path_params={"name": "x"}, stream=stream)
        return await (runs.answer_runs(request) if method == "POST" else runs.answer_run(request))
    assert asyncio.run(ask("watch", "POST", b"{}")).status_code == 403
    assert asyncio.run(ask("watch", "DELETE", b"")).status_code == 403
    answer = asyncio.run(ask("play", "POST", b"[]"))
    assert answer.status_code == 400 and "object" in json.loads(answer.body)["text"]
