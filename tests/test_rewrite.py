"""`run_live.py rewrite` as a user runs it, and its bench, small."""
import json
import pathlib

import numpy as np
import pytest
import torch

from engine import png, rewriting
from engine.checkpoints import native
from tests.conftest import tiny
from tests.program import run_program


@pytest.fixture
def network(tmp_path):
    return str(native.save(tmp_path / "tiny.safetensors", tiny()))


MARKS = ("--copy", "3:4,4,14,14", "--paste", "5:18,16", "--context", "5:12,12,24,22", "6-7:12,12,24,22")


def test_an_edit_and_its_sheet(network, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    target = tmp_path / "hats.safetensors"
    done = run_program("rewrite", "--instrument", network, "--layer", "b16.conv1", *MARKS, "--rank", 2, "--seeds", 8, 9, "-o", target)
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
    done = run_program(*arguments)
    assert done.returncode == 0 and "tried on 1 the marked pictures" in done.stdout and "of the way on average" in done.stdout, done.stderr
    assert run_program(*arguments, "--layer", "b8.conv1").returncode == 0
    assert rewriting.load(tmp_path / "x.safetensors").recipe["settings"]["truncation"] == 0.5 and not (tmp_path / "x.png").exists()


def test_the_best_of_some_ways_is_taken_and_a_bad_one_is_called_bad(network, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    marks = ("--copy", "3:4,4,14,14", "--paste", "1-4:10,10,24,24", "--fill", "--sheet", "none", "-o", tmp_path / "x.safetensors")
    done = run_program("rewrite", "--instrument", network, *marks)
    assert done.returncode == 0 and "tried on 1 pictures kept aside" in done.stdout, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("  ") and "%" in line]
    assert {row[3] for row in rows} == {"b16.conv1", "b32.conv1", "styles"}
    scores = [float(row[1].rstrip("%")) / 100 - 0.03 * float(row[2]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    done = run_program("rewrite", "--instrument", network, "--solver", "style", *marks, "--gain", "-1", "--polish", "0")
    assert done.returncode == 0 and "WORSE THAN BEFORE" in done.stdout, done.stdout


def test_seeds_with_a_ruler(network, tmp_path):
    from PIL import Image

    done = run_program("seeds", "3", "5-7", "--instrument", network, "--columns", 2, "-o", tmp_path / "seeds.png")
    assert done.returncode == 0 and "4 seeds at truncation" in done.stdout, done.stderr
    sheet = Image.open(tmp_path / "seeds.png")
    assert sheet.width == 64 and 64 < sheet.height < 160
    for wrong, says in ((("7-3",), "the lower one first"), (("1-900",), "1 to 400"), (("x",), "expected a number"), (("1", "--columns", "0"), "1 or more")):
        done = run_program("seeds", *wrong, "--instrument", network, "-o", tmp_path / "no.png")
        assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


def test_the_independence_of_a_layer(network, tmp_path):
    from PIL import Image

    target = tmp_path / "independence.png"
    arguments = ("rewrite", "--instrument", network, "--independence", 3, 5, "-o")
    done = run_program(*arguments, target, "--layer", "b16.conv1", "--patch", 2, 4)
    assert done.returncode == 0 and "seeds 3, 5" in done.stdout, done.stderr
    assert Image.open(target).size == (2 * 40, 3 * 40)
    for wrong, says in (((target,), "which layer"), ((tmp_path / "x.safetensors", "--layer", "b16.conv1"), "makes a picture"),
                        ((target, "--layer", "b16.conv1", "--patch", 3), "patch 3"), ((target, "--layer", "b16.conv1", *MARKS), "solves nothing")):
        done = run_program(*arguments, *wrong)
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

    done = run_program("rewrite", "--instrument", network, *arguments, "-o", tmp_path / "x.safetensors")
    assert done.returncode == 2 and re.search(says, done.stderr) and "Traceback" not in done.stderr
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize("name, says", [("my hats.safetensors", "name 'my hats'"), ("hats.json", "ends in .safetensors")])
def test_a_name_that_cannot_be_is_refused_before_anything_is_solved(network, tmp_path, name, says):
    done = run_program("rewrite", "--instrument", network, "--layer", "b16.conv1", *MARKS, "--solver", "constrained", "--steps", 10 ** 9, "-o", tmp_path / name)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr and not (tmp_path / name).exists()


def test_a_request_of_our_own_names_its_network_and_how_to_solve_it(network, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mask = torch.zeros(32, 32)
    mask[8:20, 8:20] = 1.0
    mark = rewriting.Mark(rewriting.Picture(3, True), mask)
    (tmp_path / "asked").mkdir()
    settings = {"instrument": "../tiny.safetensors", "layer": "b8.conv1", "rank": 2, "restraint": 0.25, "truncation": 0.7}
    asked = rewriting.write_request(tmp_path / "asked" / "hats.json", rewriting.Request((mark,), (mark,), settings=settings))
    done = run_program("rewrite", "--request", asked, "--sheet", "none", "-o", tmp_path / "hats.safetensors")
    assert done.returncode == 0, done.stderr
    edit = rewriting.load(tmp_path / "hats.safetensors")
    assert (edit.layer, edit.rank) == ("b8.conv1", 2)
    assert edit.recipe["settings"]["restraint"] == 0.25 and edit.recipe["settings"]["truncation"] == 0.7


def test_a_request_in_words_with_a_drawing(network, tmp_path):
    folder = tmp_path / "asked"
    folder.mkdir()
    dot = np.zeros((9, 9, 4), np.uint8)
    dot[2:7, 2:7] = (255, 200, 0, 255)
    (folder / "dot.png").write_bytes(png.write(dot))
    words = folder / "dot.yaml"
    words.write_text("about: a dot\ncopy: [dot.png@12]\npaste: ['1-4:16,16']\ninstrument: ../tiny.safetensors\npolish: 5\n")
    asked = ("rewrite", "--request", words, "--sheet=none", f"--output={tmp_path / 'dot.safetensors'}")
    done = run_program(*asked, "--rank", 3)
    assert done.returncode == 0, done.stderr
    recipe = rewriting.load(tmp_path / "dot.safetensors").recipe
    assert (recipe["solver"], recipe["rank"], recipe["settings"]["polish"]) == ("picture", 3, 5) and "drawing" in recipe["request"]["object"][0]
    assert recipe["command"] == "run_live.py rewrite --request dot.yaml --sheet=none --output=dot.safetensors --rank 3"        # nobody's folders
    for text, says in (("copys: [3]\n", "copys"), ("copy: 3\n", "copy"), ("rank: many\n", "rank"), ("copy: [none.png]\npaste: ['1:9,9']\n", "none.png")):
        words.write_text("instrument: ../tiny.safetensors\n" + text)
        done = run_program(*asked)
        assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


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


@pytest.mark.parametrize("path", sorted(pathlib.Path("presets").glob("*/edits/*.yaml")), ids=lambda path: f"{path.parts[1]}-{path.stem}")
def test_the_shipped_edits_are_for_the_weights_that_are_there(path):
    from engine import checkpoints
    from live.instrument import folder as instruments

    edit = rewriting.load(path.with_suffix(".safetensors"))
    generator = checkpoints.load(instruments.find(path.parents[1]).generator)
    assert edit.check_fit(generator).generator == checkpoints.generator_hash(generator) and "run_live.py rewrite" in edit.recipe["command"]


def test_the_edits_that_come_with_the_instruments():
    found = {path.relative_to("presets").as_posix() for path in pathlib.Path("presets").glob("*/edits/*.safetensors")}
    assert len(found) >= 14 and {f"{name}.safetensors" for name in ("masks/edits/third-eye", "bloom/edits/mouth", "gate/edits/eye", "beasts/edits/oracle")} <= found
