"""The command that looks for pictures: one, a folder that goes on where it was, a video; what is wrong with them."""
import json

import numpy as np
import pytest
import torch
from PIL import Image

from engine import kept
from engine.checkpoints import native
from live.cli import load
from run_live import main
from tests.conftest import tiny
from tests.live.sources.test_sources import numbered, write_video


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    native.save(tmp_path / "net.safetensors", tiny(), "float32")
    (tmp_path / "photos").mkdir()
    for n, name in enumerate(("one.png", "Two pictures.jpg")):
        Image.fromarray((np.random.RandomState(n).rand(24, 40, 3) * 255).astype(np.uint8)).save(tmp_path / "photos" / name)
    write_video(tmp_path / "clip.mp4", numbered(5), codec="mpeg4", pixels="yuv420p")
    return tmp_path


def project(*arguments):
    return main(["project", *map(str, arguments), "--instrument", "net.safetensors", "--steps", "2", "--size", "16", "--device", "cpu"])


def test_a_folder_and_again(desk, capsys):
    assert not project("photos")
    assert sorted(p.name for p in (desk / "net" / "latents").iterdir()) == ["Two-pictures.png", "Two-pictures.safetensors", "one.png", "one.safetensors"]
    made = kept.load(desk / "net" / "latents" / "one.safetensors", tiny())
    assert made.space == "w" and made.recipe["source"] == "one.png" and made.picture is not None and made.generator == native.generator_hash(tiny())
    before = (desk / "net" / "latents" / "one.safetensors").stat().st_mtime_ns
    capsys.readouterr()
    assert not project("photos")
    assert capsys.readouterr().out.count("there already") == 2 and (desk / "net" / "latents" / "one.safetensors").stat().st_mtime_ns == before
    assert not project("photos/one.png", "--space", "w+", "--progress")
    assert kept.load(desk / "net" / "latents" / "one.safetensors").space == "w+"
    assert [json.loads(line)["stage"] for line in capsys.readouterr().err.splitlines() if line.startswith("{")] == ["w", "w", "w+", "w+"]


def test_a_tuning_is_an_edit_that_goes_on_where_it_was_stopped(desk, capsys, monkeypatch):
    from engine import rewriting
    from live.instrument import tuning

    arguments = ("photos/one.png", "--tune", 2, "--tune-steps", 25, "--noise", "--sheets", "sheets")
    assert not project(*arguments, "--progress")
    out = capsys.readouterr()
    edit = rewriting.load(path := desk / "net" / "edits" / "one.safetensors")
    assert len(edit.rules) == 5 and edit.generator == native.generator_hash(tiny()) and edit.recipe["rank"] == 2 and "at strength 1" in out.out
    assert [json.loads(line)["done"] for line in out.err.splitlines() if '"tune"' in line] == list(range(1, 26)) and (desk / "sheets" / "one.png").exists()
    assert not project(*arguments) and capsys.readouterr().out.count("there already") == 2
    path.unlink()
    save = tuning._save_partial

    def stop(*given):
        save(*given)
        raise KeyboardInterrupt
    monkeypatch.setattr(tuning, "_save_partial", stop)
    assert project(*arguments)
    monkeypatch.undo()
    monkeypatch.chdir(desk)
    assert [p.name for p in path.parent.iterdir()] == [".one.tuning"]
    assert not project(*arguments, "--progress") and '"done": 21' in (err := capsys.readouterr().err) and '"done": 20,' not in err
    again = rewriting.load(path)
    assert all(torch.equal(a.values, b.values) for a, b in zip(edit.rules, again.rules)) and [p.name for p in path.parent.iterdir()] == ["one.safetensors"]
    rewriting.save(path, rewriting.Edit("one", edit.layer, edit.directions, edit.values))
    assert project(*arguments) == 2 and "it is no tuning" in capsys.readouterr().err


def test_a_video_is_a_sequence(desk, capsys):
    assert not project("clip.mp4", "--every", 2, "-o", "dance.safetensors", "--sheets", "none")
    assert kept.load("dance.safetensors", tiny()).ws.shape == (3, 1, 16)


@pytest.mark.parametrize("arguments, told", [(("gone.jpg",), "there is no such picture, folder or video"), (("photos", "--name", "x"), "2 pictures: --name and -o"),
                                             (("clip.mp4", "--space", "w+"), "frames of a video are projected in w"), (("clip.mp4", "--noise"), "--noise: the frames"),
                                             (("clip.mp4", "--tune"), "--tune: the frames"), (("photos", "--tune", "0"), "--tune 0: expected 1 to 512"), (("net.safetensors",), "video"),
                                             (("photos/one.png", "-o", "x.pt"), "ends in .safetensors"),
                                             (("photos/one.png", "--loss", "vgg"), "never downloaded; give your own copy of torchvision's vgg16-397923af.pth with --vgg"),
                                             (("photos/one.png", "--loss", "lpips", "--vgg", "photos/one.png"), "give vgg.pth of the LPIPS repository with --lpips FILE"),
                                             (("photos/one.png", "--loss", "vgg", "--vgg", "gone.pth"), "gone.pth: can't be read"),
                                             (("photos/one.png", "--loss", "discriminator"), "no discriminator in it: safetensors files hold generators")])
def test_what_is_wrong_is_one_line(desk, capsys, monkeypatch, arguments, told):
    monkeypatch.setenv("TORCH_HOME", str(desk / "none"))
    assert project(*arguments) == 2
    err = capsys.readouterr().err
    assert told in err and "Traceback" not in err


def test_its_losses_are_those_there_are():
    from engine.projection import FEATURES, LOSSES

    assert (*LOSSES, *FEATURES) == load("project").LOSSES
