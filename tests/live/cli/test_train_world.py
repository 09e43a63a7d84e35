"""run_live.py train-world as a user runs it: a short run can be played, and mistakes are told before the hours pass."""
import pytest
import torch

from engine import checkpoints
from engine.checkpoints import native
from live.instrument import folder as instruments
from run_live import main
from tests.conftest import tiny

SHORT = ("--resolution", "32", "--share", "0.0006", "--every", "1")


def test_a_short_run_leaves_a_network_that_plays_and_goes_on(tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["train-world", "-o", str(folder), *SHORT, "--ship", str(tmp_path / "shipped.safetensors")]) == 0
    assert {path.name for path in folder.iterdir()} == {"checkpoint.safetensors", "figures.csv", "figures.png", "sheet.png",
                                                        "generator.safetensors"}
    assert checkpoints.load(folder / "generator.safetensors").resolution == 32
    shipped, kept = (checkpoints.load(path) for path in (tmp_path / "shipped.safetensors", folder / "generator.safetensors"))
    assert all(torch.equal(a, b) for a, b in zip(shipped.parameters(), kept.parameters()))
    rows = (folder / "figures.csv").read_text()
    assert main(["train-world", "-o", str(folder), *SHORT]) == 0                 # finished: nothing is trained again
    assert (folder / "figures.csv").read_text() == rows
    assert main(["train-world", "-o", str(folder), *SHORT, "--seed", "2"]) == 2
    assert "another seed" in capsys.readouterr().err


@pytest.mark.parametrize("flags, says", [
    (("--every", "0"), "--every 0"), (("--share", "nan"), "--share nan"), (("--share", "-1"), "--share -1"),
    (("--resolution", "48"), "resolution 48"), (("--resolution", "16"), "begins at 32 px"),
    (("--ship", "nowhere/masks.safetensors"), "nowhere"), (("--refine", "nowhere.safetensors"), "nowhere.safetensors"),
])
def test_mistakes_are_told_before_training(tmp_path, capsys, flags, says):
    assert main(["train-world", "-o", str(tmp_path / "run"), *flags]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flag", ["--refine", "--descend"])
def test_only_networks_of_a_world_are_gone_on_from(tmp_path, capsys, flag):
    native.save(tmp_path / "tiny.safetensors", tiny())
    assert main(["train-world", "-o", str(tmp_path / "run"), flag, str(tmp_path / "tiny.safetensors")]) == 2
    assert flag in capsys.readouterr().err


def test_a_relative_begins_as_its_ancestor(tmp_path):
    """A few steps from the masks' weights: their mapping network is still its own, and its picture is nearer to theirs than to any other seed's."""
    shipped = str(instruments.BUILT_IN / "generator.safetensors")
    short = ("--resolution", "64", "--share", "0.0017", "--every", "1")
    assert main(["train-world", "-o", str(tmp_path / "run"), "--world", "beasts", "--descend", shipped, *short]) == 0
    child, parent = checkpoints.load(tmp_path / "run" / "generator.safetensors"), checkpoints.load(shipped)
    z = torch.randn(2, 64, generator=torch.Generator().manual_seed(3))
    assert torch.allclose(child.map(z), parent.map(z), atol=0.05)
    ours, theirs = (g.synthesize(g.map(z), size=64) for g in (child, parent))
    assert 0 < (ours - theirs).abs().mean() < 0.5 * (ours - theirs.flip(0)).abs().mean()


def test_only_networks_of_this_world_are_measured_on_it(tmp_path, capsys):
    native.save(tmp_path / "tiny.safetensors", tiny())
    assert main(["bench", "world", "--seconds", "1", "--instrument", str(tmp_path / "tiny.safetensors")]) == 2
    assert "1024 px and z of 64" in capsys.readouterr().err


def test_a_file_is_no_folder(tmp_path, capsys):
    (tmp_path / "run").write_text("")
    assert main(["train-world", "-o", str(tmp_path / "run"), *SHORT]) == 2
    assert "can't be made a folder" in capsys.readouterr().err
