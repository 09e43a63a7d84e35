"""`run_live.py rewrite` as a user runs it, and its bench, small."""
import json

import numpy as np
import pytest
import torch

from engine import png, rewriting
from engine.checkpoints import native
from tests.conftest import tiny
from tests.test_cli import run


@pytest.fixture
def network(tmp_path):
    return str(native.save(tmp_path / "tiny.safetensors", tiny()))


MARKS = ("--copy", "3:4,4,14,14", "--paste", "5:18,16", "--context", "5:12,12,24,22", "6-7:12,12,24,22")


def test_an_edit_and_its_sheet(network, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    target = tmp_path / "hats.safetensors"
    done = run("rewrite", "--instrument", network, "--layer", "b16.conv1", *MARKS, "--rank", 2, "--seeds", 8, 9, "-o", target)
    assert done.returncode == 0 and "rank 2; mean error" in done.stdout, done.stderr
    edit = rewriting.load(target)
    assert (edit.name, edit.layer, edit.rank) == ("hats", "b16.conv1", 2) and "--rank 2" in edit.recipe["command"]
    assert (tmp_path / "hats.png").stat().st_size > 1000 and len(list((tmp_path / "cache").rglob("*.safetensors"))) == 1


def test_a_published_request(network, tmp_path, monkeypatch):
    import base64

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mask = "data:image/png;base64," + base64.b64encode(png.write(np.full((32, 32), 255, np.uint8))).decode()
    (tmp_path / "edit.json").write_text(json.dumps({"object": [3, mask], "paste": [4, mask]}))
    arguments = ("rewrite", "--instrument", network, "--request", tmp_path / "edit.json", "--sheet", "none", "-o", tmp_path / "x.safetensors")
    done = run(*arguments)
    assert done.returncode == 2 and "doesn't say which layer" in done.stderr and "Traceback" not in done.stderr
    assert run(*arguments, "--layer", "b8.conv1").returncode == 0
    assert rewriting.load(tmp_path / "x.safetensors").recipe["settings"]["truncation"] == 0.5 and not (tmp_path / "x.png").exists()


def test_the_independence_of_a_layer(network, tmp_path):
    from PIL import Image

    target = tmp_path / "independence.png"
    arguments = ("rewrite", "--instrument", network, "--independence", 3, 5, "-o")
    done = run(*arguments, target, "--layer", "b16.conv1", "--patch", 2, 4)
    assert done.returncode == 0 and "seeds 3, 5" in done.stdout, done.stderr
    assert Image.open(target).size == (2 * 40, 3 * 40)
    for wrong, says in (((target,), "which layer"), ((tmp_path / "x.safetensors", "--layer", "b16.conv1"), "makes a picture"),
                        ((target, "--layer", "b16.conv1", "--patch", 3), "patch 3"), ((target, "--layer", "b16.conv1", *MARKS), "solves nothing")):
        done = run(*arguments, *wrong)
        assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments, says", [
    (("--layer", "b16.conv1"), "no object|neither key"), (("--layer", "b99.conv1", *MARKS), "no layer 'b99.conv1'"),
    (("--layer", "b16.conv1", "--copy", "3:nose"), "3:nose"), (("--request", "nowhere.json"), "nowhere.json"),
    (("--layer", "b16.conv1", *MARKS, "--rank", 0), "rank 0: expected 1 to"), (("--request", "nowhere.json", *MARKS), "leave out --copy"),
    (("--layer", "b16.conv1", *MARKS, "--truncation", "nan"), "truncation nan: expected a number"),
    (("--layer", "b16.conv1", *MARKS, "--seeds", 5, -1), "seed -1"), (("--layer", "b16.conv1", *MARKS, "--sheet", "sheet.txt"), "sheet.txt: expected a name in"),
])
def test_mistakes_are_one_line(network, tmp_path, arguments, says):
    import re

    done = run("rewrite", "--instrument", network, *arguments, "-o", tmp_path / "x.safetensors")
    assert done.returncode == 2 and re.search(says, done.stderr) and "Traceback" not in done.stderr
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize("name, says", [("my hats.safetensors", "name 'my hats'"), ("hats.json", "ends in .safetensors")])
def test_a_name_that_cannot_be_is_refused_before_anything_is_solved(network, tmp_path, name, says):
    done = run("rewrite", "--instrument", network, "--layer", "b16.conv1", *MARKS, "--solver", "constrained", "--steps", 10 ** 9, "-o", tmp_path / name)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr and not (tmp_path / name).exists()


def test_a_request_of_our_own_names_its_network_and_how_to_solve_it(network, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mask = torch.zeros(32, 32)
    mask[8:20, 8:20] = 1.0
    mark = rewriting.Mark(rewriting.Picture(3, True), mask)
    (tmp_path / "asked").mkdir()
    settings = {"instrument": "../tiny.safetensors", "layer": "b8.conv1", "rank": 2, "restraint": 0.25, "truncation": 0.7}
    asked = rewriting.write_request(tmp_path / "asked" / "hats.json", rewriting.Request((mark,), (mark,), settings=settings))
    done = run("rewrite", "--request", asked, "--sheet", "none", "-o", tmp_path / "hats.safetensors")
    assert done.returncode == 0, done.stderr
    edit = rewriting.load(tmp_path / "hats.safetensors")
    assert (edit.layer, edit.rank) == ("b8.conv1", 2)
    assert edit.recipe["settings"]["restraint"] == 0.25 and edit.recipe["settings"]["truncation"] == 0.7


def test_the_bench_small(tmp_path, monkeypatch):
    from tests.bench import rewrite

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(rewrite, "SEEN", "1-3")
    monkeypatch.setattr(rewrite, "SETTINGS", {"truncation": 1.0})
    figures = rewrite.bench({"samples": 3, "steps": 3, "statistics": 30, "tasks": ["no mouth"]})
    rows = figures["tasks"]["no mouth"]
    assert rows.keys() == {"instant", "constrained", "constrained at 1.5", "finetune", "finetune at 1.5"}
    assert figures["speed"]["constrained"]["share_of_time"] == 1.0
    assert rows["instant"]["changed"] > 0.3 > rows["finetune"]["changed"] and json.dumps(figures)


@pytest.mark.parametrize("name", ["asleep", "no-eyes", "no-mouth", "no-nose"])
def test_the_four_edits_are_for_the_weights_that_are_there(name):
    from engine import checkpoints
    from live.instrument import folder as instruments

    edit = rewriting.load(instruments.BUILT_IN / "edits" / f"{name}.safetensors")
    generator = checkpoints.load(instruments.find(instruments.BUILT_IN).generator)
    assert edit.fitted(generator).generator == checkpoints.generator_hash(generator) and "run_live.py rewrite" in edit.recipe["command"]
