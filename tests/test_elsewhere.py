"""Every subcommand that computes can do so on another device, with the same result; by a pretended one, see tests/pretend.py."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from live.cli import SUBCOMMANDS
from tests import elsewhere
from tests.pretend import NAME

ROOT = pathlib.Path(__file__).parents[1]
WITHOUT = {"convert", "doctor", "layout", "link", "monitor", "ports", "studio", "take"}        # studio: beside a show, on the processor
DRAW_ONLY = {"play", "rehearse", "render", "clip", "bench"}                                       # as the scenes of tests/elsewhere.py do
LONG = {"train-reader"}                                                                           # half a minute of drawn people
SCENES = list(elsewhere.list_scenes())


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """The folder in which everything was computed on both devices, and what was told of it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run([sys.executable, "-m", "tests.elsewhere", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=850,
                          env=os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache"), "LATENT_JOCKEY_COMPILED": "0"})     # the device has torch's operations only
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, json.loads((folder / "told.json").read_text())


@pytest.mark.parametrize("name", [*elsewhere.COMMANDS, *SCENES])
def test_it_goes_through_elsewhere_as_on_the_processor(computed, name):
    _, told = computed
    assert told[f"cpu {name}"] == "" and told[f"{NAME} {name}"] == ""


@pytest.mark.parametrize("name", SCENES)
def test_frames_are_the_same(computed, name):
    here, there = (np.load(computed[0] / device / f"{name}.npy") for device in ("cpu", NAME))
    assert here.shape == there.shape and here.std() > 1 and np.array_equal(here, there)


def test_files_are_the_same(computed):
    folder, _ = computed
    files = {path.relative_to(folder / "cpu") for path in (folder / "cpu").rglob("*") if path.is_file() and path.suffix != ".npy"}
    assert len(files) > 40
    for path in sorted(files):
        here, there = folder / "cpu" / path, folder / NAME / path
        if path.suffix == ".safetensors":
            one, other = load_file(here), load_file(there)
            assert one.keys() == other.keys(), path
            assert all(torch.allclose(one[key].double(), other[key].double(), rtol=1e-4, atol=1e-6) for key in one), path
        else:
            assert here.read_bytes() == there.read_bytes(), path


def test_every_subcommand_that_computes_may_be_told_where_and_is_tried(capsys):
    import run_live

    for command in sorted(set(SUBCOMMANDS) - WITHOUT):
        with pytest.raises(SystemExit):
            run_live.main([command, "--help"])
        assert "--device" in capsys.readouterr().out, command
    assert set(SUBCOMMANDS) - WITHOUT - DRAW_ONLY - LONG == {command[0] for command in elsewhere.COMMANDS.values()}


def test_a_device_that_is_not_there_is_one_line_before_anything_is_done(tmp_path, capsys, monkeypatch):
    import run_live

    monkeypatch.chdir(tmp_path)
    elsewhere.prepare(tmp_path)
    before = sorted(tmp_path.rglob("*.*"))
    for name in ("cluster", "channels", "directions", "seeds", "bend", "split", "difference", "latents", "instant", "project", "check", "train-world"):
        assert run_live.main([*elsewhere.COMMANDS[name], "--device", "toaster"]) == 2
        told = capsys.readouterr().err.strip().splitlines()
        assert len(told) == 1 and "device 'toaster' can't be used here" in told[0], name
    assert sorted(tmp_path.rglob("*.*")) == before
