"""train-encoder as a user runs it, on a tiny network: its files, going on, the published recipe, mistakes in one line."""
import pytest
import torch

import run_live
from engine import encoder as encoders
from engine.checkpoints import native
from tests.conftest import tiny

QUICK = ("--layer", "b8.conv1", "--input", "16", "--width", "16", "--batch", "2", "--every", "2")


@pytest.fixture
def network(tmp_path):
    native.save(tmp_path / "tiny.safetensors", tiny(z_dim=64))
    return tmp_path / "tiny.safetensors"


def command(network, folder, *more):
    return run_live.main(["train-encoder", "--instrument", str(network), "-o", str(folder), *QUICK, *map(str, more)])


def test_a_run_leaves_its_files_and_goes_on(network, tmp_path, capsys):
    folder, shipped = tmp_path / "run", tmp_path / "e.safetensors"
    assert command(network, folder, "--steps", 2, "--ship", shipped) == 0
    assert {path.name for path in folder.iterdir()} == {"checkpoint.safetensors", "encoder.safetensors", "figures.csv", "figures.png", "sheet.png"}
    assert encoders.load(shipped, native.load(network)).layer == "b8.conv1"
    assert encoders.files.about(shipped)["step"] == 2
    assert len(encoders.load(shipped).cells)
    assert command(network, folder, "--steps", 4) == 0
    assert (folder / "figures.csv").read_text().count("\n") == 3
    out = capsys.readouterr()
    assert out.out == "" and "encoder" in out.err


def test_drawn_pictures_and_a_beginning(network, tmp_path):
    assert command(network, tmp_path / "a", "--steps", 2, "--drawn", 0.5, "--ship", tmp_path / "a.safetensors") == 0
    assert command(network, tmp_path / "b", "--steps", 2, "--rate", 1e-9, "--start", tmp_path / "a.safetensors", "--ship", tmp_path / "b.safetensors") == 0
    a, b = (encoders.load(tmp_path / f"{name}.safetensors") for name in "ab")
    assert all(torch.allclose(x, y, atol=1e-3) for x, y in zip(a.parameters(), b.parameters()))


def test_an_older_encoder_gets_the_cells_of_its_network(network, tmp_path):
    old, new = (tmp_path / f"{name}.safetensors" for name in ("old", "new"))
    encoders.save(old, encoders.Encoder.fresh(native.load(network), "b8.conv1", width=16), steps=7)
    assert run_live.main(["train-encoder", "--instrument", str(network), "--cells", str(old), "--ship", str(new)]) == 0
    assert encoders.load(old).cells is None and len(encoders.load(new, native.load(network)).cells) and encoders.files.about(new) == {"steps": 7}


def test_the_published_recipe(network, tmp_path):
    made = tmp_path / "p.safetensors"
    assert run_live.main(["train-encoder", "--instrument", str(network), "-o", str(tmp_path / "p"), "--seed-mode", "--layer", "b4.conv1",
                          "--input", "16", "--steps", "2", "--every", "2", "--ship", str(made)]) == 0
    assert encoders.load(made).plan.preset == "published"


MISTAKES = {
    "layer": (["--layer", "b64.conv1"], "no layer 'b64.conv1'; this network has"),
    "preset": (["--preset", "best"], "expected one of live, published"),
    "input": (["--input", "20"], "expected 1, 2, 4, 8, ... times"),
    "width": (["--width", "2"], "encoder width 2: expected 8 to"),
    "steps": (["--steps", "0"], "--steps 0: expected more than 0"),
    "rate": (["--rate", "nan"], "--rate nan: expected more than 0"),
    "psi": (["--psi", "nan", "1"], "--psi nan: expected -10 to 10"),
    "drawn": (["--drawn", "2"], "--drawn 2.0: expected 0 to 1"),
    "augment": (["--augment", "-1"], "--augment -1.0: expected 0 to 5"),
    "seed": (["--seed", "99999999999999999999"], "expected 0 to 1000000"),
    "ship": (["--ship", "nowhere/at/all.safetensors"], "--ship nowhere/at/all.safetensors: there is no such folder"),
    "ship to a folder": (["--ship", "/"], "--ship /: expected the name of a file"),
    "loss size": (["--loss-size", "20"], "loss size 20: expected one of"),
    "start": (["--start", "none.safetensors"], "none.safetensors: there is no such file"),
    "instrument": (["--instrument", "nowhere"], "nowhere: there is no such instrument"),
    "published": (["--published", "nothing.zip"], "--ship says where to write"),
}


@pytest.mark.parametrize("flags, says", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_in_one_line(network, tmp_path, capsys, flags, says):
    assert command(network, tmp_path / "run", *flags) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def test_one_recipe_does_not_go_on_with_the_others_run(network, tmp_path, capsys):
    folder = tmp_path / "run"
    assert command(network, folder, "--preset", "published", "--steps", 2) == 0
    assert command(network, folder, "--seed-mode", "--steps", 4) == 2
    assert "the run there follows ours, not the published recipe" in capsys.readouterr().err.replace("\n", " ")
    assert command(network, folder, "--preset", "published", "--steps", 4) == 0


def test_a_run_that_diverges_ends_and_keeps_what_was_saved(network, tmp_path, capsys):
    assert command(network, tmp_path / "run", "--steps", 2) == 0
    saved = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert command(network, tmp_path / "run", "--steps", 6, "--rate", 1e9) == 2
    assert "at step 4 the loss is not a number any more; go on with a smaller rate" in capsys.readouterr().err.replace("\n", " ")
    assert saved == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert command(network, tmp_path / "run", "--steps", 4) == 0


def test_the_world_is_for_its_own_network_only(tmp_path, capsys):
    native.save(tmp_path / "other.safetensors", tiny())
    assert command(tmp_path / "other.safetensors", tmp_path / "run", "--drawn", 0.5) == 2
    assert "z with 64 numbers, this network's have 16" in capsys.readouterr().err


def test_without_a_folder_it_says_so(network, capsys):
    assert run_live.main(["train-encoder", "--instrument", str(network)]) == 2
    assert "-o says where to write" in capsys.readouterr().err
