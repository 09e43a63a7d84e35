"""Directions: found, played, kept in files. Against slow references and the world's own truth."""
import numpy as np
import pytest
import torch

from engine import directions
from engine.checkpoints import native
from engine.directions.data import Directions, join
from engine.directions.find import find_patterns, find_supervised, list_affines
from engine.directions.statistics import measure_spread, sample_w
from engine.errors import UserError
from engine.instrument import Instrument
from engine.motion import Motion
from tests.conftest import tiny
from tests.engine.shapes import SHAPES, shaped

BUILT_IN = "presets/masks/generator.safetensors"


@pytest.fixture(scope="module")
def masks():
    from engine import checkpoints

    return checkpoints.load(BUILT_IN).eval().requires_grad_(False)


def along(generator, count=3, seed=1):
    """Some directions of their own for a generator."""
    rows = torch.nn.functional.normalize(torch.randn(count, generator.w_dim, generator=torch.Generator().manual_seed(seed)))
    return Directions(tuple("abcdefgh"[:count]), rows, torch.linspace(0.5, 1.5, count), mean=torch.zeros(generator.w_dim))


def test_components_are_exact(masks):
    found = directions.find(masks, "pca", 20, seed=0, samples=50_000)
    assert torch.allclose(found.vectors @ found.vectors.T, torch.eye(20), atol=1e-5)
    w = sample_w(masks, 20_000, seed=99)[1]
    seen = ((w - w.mean(0)) @ found.vectors.T).std(0)
    assert (seen / found.unit - 1).abs().max() < 0.05
    assert (found.unit.diff() <= 1e-6).all() and sum(found.explained) < 1
    again = directions.find(masks, "pca", 20, seed=0, samples=50_000)
    assert torch.equal(again.vectors, found.vectors)


def test_no_more_components_than_numbers_in_w():
    assert len(directions.find(tiny(), "pca", 50, samples=500)) == 16


def test_the_closed_form_is_one(masks):
    found = directions.find(masks, "closed", 10)
    rows = torch.cat([weight / weight.norm(dim=1, keepdim=True) for _, weight in list_affines(masks)])
    matrix, d = rows.T @ rows, found.vectors.double()
    values = (d @ matrix * d).sum(1)
    assert (matrix @ d.T - d.T * values).abs().max() < 1e-4 * values.max()
    assert (values.diff() <= 1e-9).all() and torch.allclose(d.norm(dim=1), torch.ones(10).double(), atol=1e-6)


def test_a_group_moves_its_own_sizes_only(masks):
    found = join([directions.find(masks, "closed", 1, layers=group) for group in ("coarse", "fine")])
    instrument = Instrument(masks, 128)
    instrument.use_directions(instrument.prepare_directions(found))
    scene = instrument.scene().set_values({"/walk/kind": "hold"})
    motion = Motion().advance(scene, 0.0)
    plain, coarse, fine = (masks.skips(instrument.latents.ws(scene.set_values(values), motion), size=128) for values in (
        {}, {"/directions/coarse-1/amount": 3.0}, {"/directions/fine-1/amount": 3.0}))
    assert not any(torch.equal(plain[r], coarse[r]) for r in plain)
    assert [torch.equal(plain[r], fine[r]) for r in (4, 8, 16, 32)] == [True] * 4 and not torch.equal(plain[128], fine[128])


def world_factors(z):
    """The 56 factors u of z, as the network is shown them."""
    z = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
    return 0.5 + 0.5 * torch.erf(z[:, :56] / 2 ** 0.5)


def test_patterns_move_one_factor_and_filters_do_not(masks):
    z, w = sample_w(masks, 20_000, seed=3)
    u, w = world_factors(z).double(), w.double()
    x = w - w.mean(0)
    reads = torch.linalg.lstsq(x, u - u.mean(0)).solution                          # [W, F]: what reads a factor off w
    patterns, _ = find_patterns(w, u, measure_spread(masks, 20_000))

    def leak(rows):
        seen = rows @ reads
        own = seen.diagonal().abs().clone()
        seen.fill_diagonal_(0.0)
        return (seen.abs() / own[:, None]).amax(1)
    moved = leak(patterns)
    assert moved.max() <= 0.05 and moved.median() <= 0.01
    assert leak(reads.T).median() >= 0.5


def test_few_labels_find_nearly_what_many_do(masks):
    z, w = sample_w(masks, 8000, seed=5)
    u = world_factors(z)
    from engine.world import MASKS

    names = [MASKS.names.index(name) for name in ("light", "halo_radius", "crown_height")]
    labels = {MASKS.names[n]: u[:, n] for n in names}
    many = find_supervised(masks, w, labels)
    few = find_supervised(masks, w[:300], {name: value[:300] for name, value in labels.items()})
    assert ((many.vectors * few.vectors).sum(1) > 0.8).all()
    assert all(fit > 0.8 for fit in many.explained)


def test_measured_ones_do_what_they_are_called(masks):
    found = directions.find(masks, "measured", 6, samples=120)
    assert found.names == ("light", "warmth", "edges", "symmetry", "colour", "area")
    from engine.directions.sheet import move_along

    w = sample_w(masks, 6, seed=50)[1]
    ws = w[:, None].repeat(1, masks.num_ws, 1)
    with torch.no_grad():
        darker, lighter = (masks.synthesize(move_along(ws, found, "light", amount), size=64).mean((1, 2, 3)) for amount in (-1.5, 1.5))
        colder, warmer = (masks.synthesize(move_along(ws, found, "warmth", amount), size=64) for amount in (-1.5, 1.5))
    assert (lighter > darker + 0.04).all()
    assert ((warmer[:, 0] - warmer[:, 2]).mean((1, 2)) > (colder[:, 0] - colder[:, 2]).mean((1, 2)) + 0.05).all()


@pytest.fixture
def played():
    generator = tiny()
    instrument = Instrument(generator)
    instrument.use_directions(instrument.prepare_directions(along(generator)))
    return instrument


def ws_of(instrument, **values):
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/walk/seed": values.pop("seed", 1), **{f"/{k.replace('__', '/')}": v for k, v in values.items()}})
    return instrument.latents.ws(scene, Motion().advance(scene, 0.0))[0]


def test_at_rest_nothing_is_touched(played):
    plain = Instrument(tiny())
    assert torch.equal(ws_of(played), ws_of(plain))
    assert torch.equal(ws_of(played, directions__a__amount=0.0, directions__b__from=2), ws_of(plain))


def test_amounts_are_standard_deviations_whatever_the_truncation(played):
    found = played.latents.directions.directions
    for psi in (0.0, 0.5, 1.3):
        step = ws_of(played, directions__b__amount=2.0, truncation=psi) - ws_of(played, truncation=psi)
        assert torch.allclose(step, (2 * found.unit[1] * found.vectors[1]).expand_as(step), atol=1e-5)


def test_two_commute_and_ranges_hold(played):
    both = ws_of(played, directions__a__amount=1.0, directions__c__amount=-2.0)
    apart = ws_of(played, directions__a__amount=1.0) + ws_of(played, directions__c__amount=-2.0) - ws_of(played)
    assert torch.allclose(both, apart, atol=1e-5)
    moved = ws_of(played, directions__a__amount=1.0, directions__a__from=2, directions__a__to=4)
    changed = (moved != ws_of(played)).any(1)
    assert changed.tolist() == [False, False, True, True] + [False] * 4


@pytest.mark.parametrize("seed", [1, 7, 30])
def test_held_it_is_absolute(played, seed):
    found = played.latents.directions.directions
    ws = ws_of(played, seed=seed, directions__b__amount=1.5, directions__b__hold=1.0)
    assert torch.allclose((ws - found.mean) @ found.vectors[1], torch.full((8,), 1.5 * found.unit[1].item()), atol=1e-4)


def test_a_picture_follows_and_comes_back(played):
    scene = played.scene().set_values({"/walk/kind": "hold"})
    motion = Motion().advance(scene, 0.0)
    first = played.render(scene, motion).pixels.copy()
    moved = played.render(scene.set_values({"/directions/a/amount": 3.0}), motion).pixels.copy()
    assert (moved != first).any()
    assert np.array_equal(played.render(scene.set_values({"/directions/a/amount": 0.0}), motion).pixels, first)


def test_files_keep_everything(tmp_path):
    generator = tiny()
    found = join([directions.find(generator, "pca", 2, samples=500), along(generator)])
    path = directions.save(tmp_path / "directions.safetensors", found, seed=3)
    again = directions.load(path, generator)
    assert again.names == found.names and again.ranges == found.ranges and again.about == found.about and again.generator == native.generator_hash(generator)
    assert torch.equal(again.vectors, found.vectors) and torch.equal(again.unit, found.unit)
    with pytest.raises(UserError, match="directions of 16 numbers; this network's w has 24"):
        directions.load(path, tiny(w_dim=24))


@pytest.mark.parametrize("damage, told", [(b"", "not a whole safetensors file"), (b"\x10\0\0\0\0\0\0\0{}", "not a whole")])
def test_damaged_files_are_refused(tmp_path, damage, told):
    (tmp_path / "d.safetensors").write_bytes(damage)
    with pytest.raises(UserError, match=told):
        directions.load(tmp_path / "d.safetensors")


@pytest.mark.parametrize("wrong, told", [(dict(unit=torch.ones(2)), "as many of each"), (dict(vectors=torch.full((3, 16), float("nan"))), "NaN"),
                                         (dict(names=("a", "a", "b")), "two are called 'a'"), (dict(names=("a", "b/c", "d")), "name 'b/c'"),
                                         (dict(ranges=((2, 2), None, None)), "below the end")])
def test_what_cannot_be_directions(wrong, told):
    good = dict(names=("a", "b", "c"), vectors=torch.eye(3, 16), unit=torch.ones(3))
    with pytest.raises(UserError, match=told):
        Directions(**good | wrong)


@pytest.mark.parametrize("name", SHAPES)
def test_any_network_has_them(name):
    generator = shaped(name)
    parts = [directions.find(generator, "measured", 6, samples=16), directions.find(generator, "pca", 3, samples=400),
             directions.find(generator, "closed", 2, layers="coarse")]
    if generator.num_ws > 8:
        parts.append(directions.find(generator, "closed", 2, layers="fine"))
    else:
        with pytest.raises(UserError, match="no fine layers"):
            directions.find(generator, "closed", 2, layers="fine")
    found = join(parts)
    instrument = Instrument(generator, generator.architecture.resolutions[1])
    instrument.use_directions(instrument.prepare_directions(found))
    values = {address: 1.0 for address in instrument.scene().parameters if address.startswith("/directions/") and address.endswith("amount")}
    assert len(values) == len(found)
    scene = instrument.scene().set_values(values)
    assert instrument.render(scene, Motion().advance(scene, 0.0)).pixels.any()
