"""Faders of the world's factors: each moves its own coordinate and no other, relative to the walk, and the picture agrees with the drawn truth."""
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import checkpoints
from engine.factors import Asked, Factors, move_factors
from engine.instrument import Instrument
from engine.motion import Motion
from engine.world import MASKS
from live.show.events import Change
from tests.conftest import tiny

FOLDER = Path(__file__).parents[2] / "presets" / "masks"

FACTORS = Factors(MASKS.names)


@pytest.fixture(scope="module")
def masks():
    return checkpoints.load(FOLDER / "generator.safetensors").eval().requires_grad_(False)


def u_of(z):
    return MASKS.uniform(torch.from_numpy(np.atleast_2d(z)))[0]


def push(name, amount, **more):
    return Asked(tuple(amount if n == name else 0.0 for n in MASKS.names), **more)


@pytest.mark.parametrize("name", MASKS.names[::5])
@pytest.mark.parametrize("amount", (-1.0, -0.4, 0.6, 1.0))
def test_a_push_moves_its_factor_alone(name, amount):
    for seed in range(4):
        z = np.random.RandomState(seed).randn(64)
        before, after = u_of(z), u_of(move_factors(z, push(name, amount)))
        at = MASKS.names.index(name)
        wanted = before[at] + amount * (1 - before[at]) if amount > 0 else before[at] * (1 + amount)
        room = 1e-5 if abs(amount) < 1 else 0.03                  # at an end it may need more than the free coordinates have
        assert abs(after[at] - wanted.clamp(0.01, 0.99)) < room
        others = torch.arange(len(MASKS.names)) != at
        assert (after - before)[others].abs().max() < room


def test_hold_lets_go_of_the_walk():
    z = np.random.RandomState(3).randn(64)
    still = Asked((0.0,) * len(MASKS.names), 1.0)
    assert (u_of(move_factors(z, still)) - 0.5).abs().max() < 1e-5
    assert abs(u_of(move_factors(z, push("smile", 0.5, hold=1.0)))[MASKS.names.index("smile")] - 0.75) < 1e-5


def test_a_source_leads_as_far_as_its_share():
    z, led = np.random.RandomState(3).randn(64), [0.5] * len(MASKS.names)
    share = [0.0] * len(MASKS.names)
    at = MASKS.names.index("gaze_x")
    led[at], share[at] = 0.9, 0.5
    before = u_of(z)
    after = u_of(move_factors(z, Asked((0.0,) * len(MASKS.names), 0.0, tuple(led), tuple(share))))
    assert abs(after[at] - (before[at] + 0.9) / 2) < 1e-5
    assert (after - before)[torch.arange(len(MASKS.names)) != at].abs().max() < 1e-5


def test_the_extremes_are_finite():
    for amount in (-1.0, 1.0):
        everything = move_factors(np.random.RandomState(1).randn(64), Asked((amount,) * len(MASKS.names), 0.0))
        assert np.isfinite(everything).all() and np.isfinite(move_factors(np.zeros(64), Asked((amount,) * len(MASKS.names)))).all()


def at(instrument, *changes):
    scene = instrument.scene().set([Change("/walk/kind", "hold"), Change("/walk/seed", 5), *(Change(*change) for change in changes)])
    return instrument.latents.ws(scene, Motion().advance(scene, 0.0))


@pytest.mark.parametrize("name", ("stage_hue", "skin_hue", "hair_hue", "tilt", "mouth_open", "gaze_x", "crown_height", "halo_radius", "light"))
def test_the_picture_agrees_with_the_drawn_truth(masks, name):
    """Cosine of the change against the world's own, as drawn for the changed z."""
    z = np.stack([np.random.RandomState(seed).randn(64) for seed in range(6)])
    moved = np.stack([move_factors(one, push(name, 0.6)) for one in z])
    made = [masks.synthesize(masks.map(torch.from_numpy(some).float()), size=64) for some in (z, moved)]
    drawn = [MASKS.draw(torch.from_numpy(some).float(), 64) for some in (z, moved)]
    ours, truth = (made[1] - made[0]).flatten(1), (drawn[1] - drawn[0]).flatten(1)
    cosine = (ours * truth).sum(1) / (ours.norm(dim=1) * truth.norm(dim=1))
    assert cosine.median() >= (0.9 if "hue" in name else 0.75)


def test_faders_of_an_instrument(masks):
    instrument = Instrument(masks, 64)
    assert not [address for address in instrument.scene().parameters if address.startswith("/factors")]
    instrument.know_world()
    scene = instrument.scene()
    assert set(FACTORS.addresses) <= set(scene.parameters) and len(FACTORS.addresses) == 56 and "/factors/gaze-x" in scene.parameters
    plain = at(instrument)
    assert torch.equal(at(instrument, ("/factors/smile", 0.8), ("/factors/amount", 0.0)), plain)
    smiling = at(instrument, ("/factors/smile", 0.8))
    assert not torch.equal(smiling, plain) and torch.equal(at(instrument, ("/factors/smile", 0.0)), plain)
    assert torch.equal(at(instrument, ("/factors/smile", 1.0), ("/factors/amount", 0.8)), smiling)
    led = tuple(0.9 if n == "smile" else 0.5 for n in MASKS.names), tuple(float(n == "smile") for n in MASKS.names)
    assert not torch.equal(instrument.latents.ws(scene, Motion().advance(scene, 0.0), led), instrument.latents.ws(scene, Motion().advance(scene, 0.0)))


@pytest.mark.parametrize("kind", ("loop", "wander", "circle", "field", "vector", "hold"))
def test_every_walk_has_them(masks, kind):
    instrument = Instrument(masks, 64)
    instrument.know_world()
    scene = instrument.scene().set([Change("/walk/kind", kind), Change("/factors/mouth-open", 1.0)])
    motion = Motion().advance(scene, 0.7)
    moved, plain = instrument.latents.ws(scene, motion), instrument.latents.ws(scene.set([Change("/factors/mouth-open", 0.0)]), motion)
    assert moved.isfinite().all() and not torch.equal(moved, plain)


def test_networks_without_the_world_have_none():
    scene = Instrument(tiny()).scene()
    assert FACTORS.read_factors(scene) is None and not set(FACTORS.parameters) & set(scene.parameters)
