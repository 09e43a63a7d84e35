"""Kept latents in a show: gone to, walked through, kept, added from a photograph; in presets, takes and morphs."""
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from engine import kept, look
from engine.checkpoints import native
from engine.kept import Kept
from engine.walks import Kept as Point
from live.instrument import adding
from live.instrument.open import open_instrument
from live.mapping.mapping import Mapping
from live.show.clock import Pace
from live.show.loop import Show
from live.takes.take import TakeReader
from tests.conftest import tiny
from tests.engine.kept.test_kept import plus
from tests.live.instrument.test_finds import Playing


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = native.save(tmp_path / "net.safetensors", tiny(), "float32")
    running = []

    def begin(names=("one", "two"), sees=False, refines=False):
        folder = network.with_suffix("")
        for n, name in enumerate(names):
            kept.save(folder / "latents" / f"{name}.safetensors", Kept(torch.from_numpy(plus(1 + n, seed=n)), generator=native.generator_hash(tiny())))
        if sees:
            look.save(folder / "look.safetensors", look.find(tiny(), None, seeds=32))
        running.append(Playing(network, looks=refines))
        return running[-1]
    yield begin
    for one in running:
        one.show.close()


def place(one):
    return one.show.motion.place


def test_going_there_by_name_number_and_index(start):
    one = start()
    for send, wanted in ((("/latents/go", "two"), ("two", 0)), (("/latents/go", ("two", 1)), ("two", 1)), (("/latents/go", 1), ("one", 0))):
        one.send(*send)
        one.play()
        assert place(one) == ((Point(wanted), 1.0),)


@pytest.mark.parametrize("address, value, told", [("/latents/go", "three", "no kept latent 'three'; there are: one, two"), ("/latents/go", ("two", 7), "there is no 7"),
                                                  ("/latents/go", 9, "there are 2"), ("/latents/play", ("one", "fast"), "/latents/play: expected")])
def test_what_cannot_be_gone_to(start, caplog, address, value, told):
    one = start()
    one.send(address, value)
    one.play()
    assert told in caplog.text and not isinstance(place(one)[0][0], Point)


def test_over_seconds_it_glides(start):
    one = start()
    one.play(2)
    one.send("/latents/go", ("one", 0, 1.0))
    one.play(15)
    assert len(place(one)) > 1 and any(isinstance(point, Point) for point, _ in place(one))
    one.play(20)
    assert place(one) == ((Point(("one", 0)), 1.0),)


def test_presets_takes_and_undo_hold_them(start, tmp_path):
    one = start()
    one.show.recording.record_to(tmp_path / "one.take")
    one.play()
    one.send("/latents/walk", ("two", "one"))
    one.play(5)
    one.send("/preset/store", "walked")
    one.play()
    one.send("/seed/go", 3)
    one.play(2)
    assert place(one) == ((3, 1.0),)
    one.send("/preset/recall", "walked")
    one.play(3)
    assert one.show.motion.kept == (("two", 0), ("one", 0)) and all(isinstance(point, Point) for point, _ in place(one))
    last = place(one)
    one.send("/morph/seconds", 0.2)
    one.send("/preset/recall", "walked")
    one.play(12)
    assert one.show.scene["/walk/kind"] == "kept"
    last = place(one)
    one.send("/take/stop")
    one.play()
    opened = open_instrument(tmp_path / "net.safetensors", threads=1, device="cpu")
    take = TakeReader(tmp_path / "one.take", opened.instrument.scene(), opened.generator, opened.instrument.bend)
    show, seen = Show(opened.instrument, Mapping(), opened.scene, strict=True), []
    for _ in take.replay(show, Pace(sleep=lambda seconds: None)):
        seen.append(show.motion.place)
    assert last in seen


def test_what_plays_is_kept(start):
    one = start(names=())
    one.play(3)
    one.send("/walk/kind", "hold")
    one.play()
    one.send("/latents/keep", "mine")
    one.play()
    joined(one, "mine")
    before = one.show.instrument.latents.ws(one.show.scene, one.show.motion)
    one.send("/latents/go", "mine")
    one.play()
    assert torch.equal(one.show.instrument.latents.ws(one.show.scene, one.show.motion), before)


def joined(one, name):
    """Play until the thread has brought a kept latent."""
    wait_for_threads("kept latent")
    one.play(2)
    assert name in one.finds.describe()["latents"]


def test_a_photograph_is_gone_to_with_its_thumbnail(start, tmp_path):
    Image.fromarray((np.random.RandomState(0).rand(60, 90, 3) * 255).astype(np.uint8)).save(tmp_path / "My photo.jpg")
    one = start(names=(), sees=True)
    one.send("/latents/add", str(tmp_path / "My photo.jpg"))
    one.play()
    joined(one, "My-photo")
    assert place(one) == ((Point(("My-photo", 0)), 1.0),)
    made = kept.load(tmp_path / "net" / "latents" / "My-photo.safetensors", tiny())
    assert made.picture.shape[2] == 3 and made.space == "w" and made.recipe["source"] == "My photo.jpg"


def take_photograph(path, seed):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray((np.random.RandomState(seed).rand(30, 40, 3) * 255).astype(np.uint8)).save(path)
    return str(path)


def test_photographs_of_one_name_stay_apart(start, tmp_path):
    one = start(names=(), sees=True)
    for n, wanted in ((1, "image"), (2, "image-2"), (1, "image"), (3, "image-3")):
        one.send("/latents/add", take_photograph(tmp_path / str(n) / "image.png", n))
        one.play()
        joined(one, wanted)
        assert place(one) == ((Point((wanted, 0)), 1.0),)
    found = one.finds.describe()
    assert list(found["latents"]) == ["image", "image-2", "image-3"] and len(set(found["pictures"].values())) == 3
    assert one.finds.read_picture("image-2").shape == (30, 30, 3) and one.finds.read_picture("gone") is None


def wait_for_threads(*names, seconds=300):
    """Wait until no thread of these names is left; one that has not started yet counts, and can't be joined."""
    end = time.monotonic() + seconds
    while running := {thread.name for thread in threading.enumerate()} & set(names):
        assert time.monotonic() < end, f"still running after {seconds} s: {running}"
        time.sleep(0.01)


@pytest.mark.parametrize("sees", [True, False])
def test_a_photograph_is_looked_for_more_exactly_beside_the_show(start, tmp_path, monkeypatch, sees):
    monkeypatch.setattr(adding, "LOOKING", ("--steps", "2", "--device", "cpu"))          # at the usual priority: this machine may be busy
    one = start(names=(), sees=sees, refines=True)
    one.send("/latents/add", take_photograph(tmp_path / "a.png", 1))
    one.play()
    if sees:
        joined(one, "a")
        before = one.show.instrument.latents.ws(one.show.scene, one.show.motion).clone()
    wait_for_threads("kept latent", "refining")                                          # the first begins the second
    one.play(2)
    made = kept.load(tmp_path / "net" / "latents" / "a.safetensors", tiny())
    assert made.recipe["made"] == "projected" and made.recipe["psnr"] > 0 and tuple(made.picture.shape) == (30, 30, 3)
    assert place(one) == ((Point(("a", 0)), 1.0),) and one.finds.describe()["refining"] == ""
    ws = one.show.instrument.latents.ws(one.show.scene, one.show.motion)
    assert torch.equal(ws[0], made.ws[0].expand_as(ws[0])) and not (sees and torch.equal(ws, before))


@pytest.mark.parametrize("make, told", [(lambda path: None, "there is no such file"), (lambda path: path.write_text("no"), "not a picture that can be read")])
def test_pictures_that_cannot_be_added(start, tmp_path, caplog, make, told):
    one = start(names=())
    make(tmp_path / "a.jpg")
    with caplog.at_level("INFO"):
        one.send("/latents/add", str(tmp_path / "a.jpg"))
        one.play()
        wait_for_threads("kept latent")
        one.play(2)
    assert told in caplog.text and not one.finds.describe()["latents"]
