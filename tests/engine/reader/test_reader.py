"""The reader: drawn people, what is learned from them, its file, and how it follows a face while a show plays."""
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import reader as readers
from engine.errors import UserError
from engine.instrument import Instrument
from engine.motion import Motion
from engine.reader.network import SIZE, Reader, cut, find_window, to_numbers, to_pose
from engine.reader.train import Recipe, Trainer, make_lesson, measure
from engine.reader_live import LED, SEEN, LiveReader, OneEuro
from engine.world import MASKS
from engine.world.latent import Z_DIM
from engine.world.masks.people import COLUMNS, Pose, mirror, nobody, people
from live.show.events import Change
from tests.conftest import tiny

FOLDER = Path(__file__).parents[3] / "presets" / "masks"


@pytest.fixture(scope="module")
def shipped():
    return readers.load(FOLDER / "reader.safetensors")


def source(seed=1):
    return torch.Generator().manual_seed(seed)


def people_of(count, seed=3):
    return MASKS.uniform(torch.randn(count, Z_DIM, generator=source(seed)))


def upright(count, right=0.0, down=0.0, size=0.8, tilt=0.0):
    return Pose(*(torch.full((count,), float(v)) for v in (right, down, size, tilt)))


def test_people_are_pictures_and_the_same_for_the_same_seed():
    u, pose = people_of(6), upright(6)
    once, again = people(u, pose, 48, source()), people(u, pose, 48, source())
    assert once.shape == (6, 3, 48, 48) and torch.equal(once, again) and once.min() >= -1 and once.max() <= 1
    assert not torch.equal(once, people(u, pose, 48, source(2)))
    empty = nobody(4, 48, source())
    assert empty.shape == (4, 3, 48, 48) and empty.isfinite().all()


def test_where_a_head_is_put_is_where_it_is_drawn():
    """The middle of what changes when the face does."""
    u = people_of(8)
    shut, opened = u.clone(), u.clone()
    shut[:, MASKS.names.index("jaw")], opened[:, MASKS.names.index("jaw")] = 0.0, 1.0
    for right, size in ((0.4, 0.5), (-0.3, 0.7)):
        pictures = [people(some, upright(8, right, 0.0, size), 96, source(), strength=0.0) for some in (shut, opened)]
        change = (pictures[1] - pictures[0]).abs().sum((0, 1, 2))
        middle = (change * ((torch.arange(96) - 47.5) / 48)).sum() / change.sum()
        assert abs(middle - right) < 0.1


def test_a_mirror_mirrors():
    u = people_of(4)
    assert torch.allclose(mirror(mirror(u)), u) and not torch.equal(mirror(u), u)


def test_windows_and_poses():
    pose = Pose(*(torch.tensor(v) for v in ([0.3, -0.2], [0.1, 0.4], [0.6, 1.2], [0.2, -0.3])))
    window = Pose(*(torch.tensor(v) for v in ([0.2, 0.0], [0.0, 0.2], [0.5, 0.9], [0.1, -0.1])))
    for one, other in zip(to_pose(to_numbers(pose, window), window), pose):
        assert torch.allclose(one, other, atol=1e-5)
    picture = torch.zeros(1, 3, 200, 200)
    picture[:, :, 150:160, 40:50] = 1.0                      # at (-0.55, 0.55)
    seen = cut(picture, find_window(Pose(*(torch.tensor([v]) for v in (-0.55, 0.55, 0.2, 0.4)))))
    assert seen.shape == (1, 3, SIZE, SIZE) and seen[0, 0, 40:56, 40:56].mean() > 0.3 and seen[0, 0, :20, :20].max() == 0


def test_a_face_in_a_mirror_is_read_as_the_same_mirrored(shipped):
    u, pose = people_of(3), Pose(*(torch.tensor([v, -v, 0.0]) for v in (0.1, 0.05, 0.0, 0.2)))
    windows = people(u, pose._replace(size=torch.ones(3)), SIZE, source(), strength=0.0)
    once, mirrored = shipped.read_twice(windows), shipped.read_twice(windows.flip(3))
    assert torch.allclose(mirrored.pose, once.pose * torch.tensor([-1.0, 1.0, 1.0, -1.0]), atol=1e-4) and once.pose[:, 0].abs().max() > 0.05
    assert torch.allclose(mirrored.there, once.there, atol=1e-4)
    assert torch.allclose(mirror(_whole(mirrored.factors))[:, COLUMNS], once.factors, atol=1e-4)


def _whole(read):
    """u of all factors, those that are not read in the middle."""
    u = torch.full((len(read), len(MASKS.names)), 0.5)
    u[:, COLUMNS] = read
    return u


def test_training_can_begin_with_another_readers_weights(shipped, tmp_path):
    trainer = Trainer(tmp_path, Recipe(steps=1, batch=8), start=shipped)
    assert all(torch.equal(a, b) for a, b in zip(trainer.make_average().state_dict().values(), shipped.state_dict().values()))


@pytest.mark.parametrize("kind", ("near", "far"))
def test_a_lesson_says_what_is_in_it(kind):
    found = make_lesson(kind, 16, source())
    assert found.seen.shape == (16, 3, SIZE, SIZE) and found.there.sum() == 14 and found.factors.shape == (16, len(COLUMNS))
    assert found.seen.isfinite().all() and found.pose.abs().max() < 8


def test_training_goes_on_where_it_stopped(tmp_path):
    recipe = Recipe(steps=4, batch=8, every=4, far=2)
    Trainer(tmp_path / "whole", recipe).train()
    halted = Trainer(tmp_path / "halved", recipe)
    halted.step()
    halted.step()
    halted.save()
    resumed = Trainer(tmp_path / "halved", recipe)
    assert resumed.steps == 2
    resumed.train()
    for one, other in zip(Trainer(tmp_path / "whole", recipe).make_average().state_dict().items(), resumed.make_average().state_dict().items()):
        assert torch.equal(one[1], other[1]), one[0]
    assert (tmp_path / "whole" / "figures.csv").read_text().startswith("step,")


def test_the_shipped_one_reads_people_it_never_saw(shipped):
    figures = measure(shipped, 96)
    for name in ("near_right", "near_down", "near_tilt", "near_size", "far_right", "far_down", "gaze_x", "mouth_open", "smile", "eye_open", "turn"):
        assert figures[name] >= 0.8, (name, figures[name])
    assert figures["far_there"] > 0.9 and figures["near_there"] > 0.9


def test_its_file(shipped, tmp_path):
    path = readers.save(tmp_path / "reader.safetensors", shipped)
    again = readers.load(path)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), shipped.state_dict().values()))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="reader.safetensors: not a whole safetensors file"):
        readers.load(path)
    with pytest.raises(UserError, match="not a reader of ours"):
        readers.load(FOLDER / "encoder.safetensors")
    assert (FOLDER / "reader.safetensors").stat().st_size < 4_000_000


def test_the_filter_is_still_with_the_still_and_quick_with_the_quick():
    shaky = torch.randn(60, 1, generator=source()) * 0.02
    calm = OneEuro()
    still = torch.stack([calm.step(x, 1 / 15) for x in shaky])[20:]
    assert still.std() < 0.6 * shaky[20:].std()
    calm = OneEuro()
    jump = [float(calm.step(torch.tensor([0.0 if n < 10 else 1.0]), 1 / 15)) for n in range(20)]
    assert jump[9] == 0.0 and jump[13] > 0.8 and max(jump) <= 1.0


class Shown:
    """An instrument's reader before a picture."""

    def __init__(self, shipped):
        self.instrument = Instrument(tiny(z_dim=64))
        self.instrument.know_world(shipped)
        self.scene = self.instrument.scene().set([Change("/source/mix", 1.0), Change("/source/into", "factors")])
        self.motion = Motion()

    def play(self, picture, frames=30, **changes):
        """u and share after so many frames at the source's own rate."""
        scene = self.scene.set([Change(f"/source/{name}", value) for name, value in changes.items()])
        for _ in range(frames):
            self.motion = self.motion.advance(scene, 1 / 15)
            led = self.instrument.live_reader.lead(scene, self.motion, picture)
        return led


@pytest.fixture
def shown(shipped):
    return Shown(shipped)


def as_seen(pictures):
    return [((p.permute(1, 2, 0) + 1) * 127.5).byte().numpy() for p in pictures]


def person(seed=7, **where):
    return as_seen(people(people_of(1, seed), upright(1, **where), 256, source(seed), strength=0.3))[0]


def test_a_person_leads_and_nobody_lets_go(shown):
    u, share = shown.play(person(right=0.3, size=0.6))
    assert len(u) == len(MASKS.names) and share[MASKS.names.index("gaze_x")] == 1.0 and share[MASKS.names.index("stage_hue")] == 0.0
    assert u[MASKS.names.index("shift_x")] > 0.6
    seen = shown.instrument.live_reader.list_values()
    assert set(seen) == set(SEEN) and seen["/source/seen/there"] == 1.0 and seen["/source/seen/shift-x"] > 0.6
    empty = as_seen(nobody(1, 256, source(4)))[0]
    shown.play(empty, frames=3)
    assert shown.play(empty, frames=12) == ((), ())
    assert shown.instrument.live_reader.list_values()["/source/seen/there"] == 0.0


def test_it_follows_from_side_to_side(shown):
    places = [np.interp(t, (0, 40), (-0.4, 0.4)) for t in range(41)]
    u = people_of(1, 9)
    found = []
    for right in places:
        picture = as_seen(people(u, upright(1, right, 0.0, 0.7), 192, source(5), strength=0.0))[0]
        led = shown.play(picture, frames=1)
        found.append(led[0][MASKS.names.index("shift_x")] if led[0] else 0.5)
    assert np.corrcoef(places[10:], found[10:])[0, 1] > 0.97


def test_the_same_pictures_give_the_same_factors(shipped):
    pictures = [person(seed, right=0.1 * seed) for seed in range(3)]
    runs = []
    for _ in range(2):
        shown = Shown(shipped)
        runs.append([shown.play(picture, frames=4) for picture in pictures])
    assert runs[0] == runs[1]


def test_into_features_and_a_dry_mix_lead_nothing(shown):
    picture = person()
    assert shown.play(picture, into="features") == ((), ()) and shown.play(picture, mix=0.0) == ((), ())
    assert shown.play(picture, into="all") != ((), ())
    half = shown.play(picture, mix=0.5)
    assert max(half[1]) == pytest.approx(0.5)


def test_expression_exaggerates(shown):
    picture = person(right=0.2)
    plain, strong = shown.play(picture, expression=1.0)[0], shown.play(picture, expression=2.0, frames=4)[0]
    at = MASKS.names.index("shift_x")
    assert strong[at] - 0.5 == pytest.approx(min(0.49, 2 * (plain[at] - 0.5)), abs=0.02)


def test_a_reader_that_fails_is_left_out(shown, caplog):
    class Broken(Reader):
        def find(self, picture):
            raise RuntimeError("out of memory")

    shown.instrument.live_reader = LiveReader(Broken())
    assert shown.play(person(), frames=3) == ((), ()) and caplog.text.count("out of memory") == 1


def test_names_are_addresses():
    assert len(SEEN) == len(LED) + 1 and all(address.startswith("/source/seen/") and "_" not in address for address in SEEN)
    assert set(LED) <= set(MASKS.names)


def test_a_show_has_what_is_seen_and_an_envelope_follows_it(shipped):
    """One frame later the scene knows it, so that modulators, surfaces and takes do."""
    from live.mapping.mapping import Mapping
    from live.show.clock import FixedClock
    from live.show.events import ControlEvent
    from live.show.loop import Show
    from live.show.modulator_commands import add  # noqa: F401  (its commands)
    from live.show.parameters import add_parameters
    from live.sources.watching import Watching

    class Feed:
        state, text, reason = "live", "a person", ""
        newest = type("Arrival", (), {"pixels": person(right=0.35, size=0.6), "number": 1, "at": 0.0})()

    instrument = Instrument(tiny(z_dim=64))
    instrument.know_world(shipped)
    show = Show(instrument, Mapping(), add_parameters(instrument.scene()), strict=True)
    Watching(show, Feed(), lambda: 0).join()
    for address, value in (("/source/mix", 1.0), ("/source/into", "factors"), ("/modulators/add", ("follow", "/factors/hold", "envelope", 1.0, "/source/seen/shift-x"))):
        show.inbox.put(ControlEvent(f"osc {address}", value, True))
    for _, tick in zip(range(30), FixedClock(15.0).ticks()):
        show.frame(tick)
    assert [m.name for m in show.scene.modulators] == ["follow"]
    assert show.scene["/source/seen/there"] == 1.0 and show.scene["/source/seen/shift-x"] > 0.6
