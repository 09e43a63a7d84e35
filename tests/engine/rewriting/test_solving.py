"""Solving: the published mathematics in float64, what an edit may change and what not, each solver, odd requests."""
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import checkpoints, rewriting
from engine.checkpoints import native
from engine.directions.statistics import sample_w
from engine.errors import UserError
from engine.rewriting import Mark, Picture, Request
from engine.rewriting.directions import directions
from engine.rewriting.memory import deactivate, map_z, recall
from engine.rewriting.paste import Place, goals, move
from engine.rewriting.request import rows
from engine.rewriting.solvers import SOLVERS
from engine.rewriting.statistics import Statistics, collect, content_hash, statistics
from tests.conftest import tiny
from tests.engine.checkpoint_files import TINY, network

QUICK = dict(samples=24, steps=40, cache=None, truncation=1.0)


def box(number, top, left, bottom, right, size=32, seeded=False):
    mask = torch.zeros(size, size)
    mask[top:bottom, left:right] = 1.0
    return Mark(Picture(number, seeded), mask)


REQUEST = Request((box(3, 4, 4, 14, 16),), (box(5, 14, 8, 26, 22),), (box(5, 14, 8, 26, 22), box(8, 10, 10, 20, 20)))


def state(generator):
    return {name: tensor.clone() for name, tensor in generator.state_dict().items()}


# --- the mathematics (SPEC.md C.1) -----------------------------------------------------------------------------------

def test_the_closed_form_meets_its_constraint_at_the_least_cost():
    source = torch.Generator().manual_seed(0)
    keys = torch.randn(12, 400, generator=source, dtype=torch.float64)
    weight, key, value = (torch.randn(*shape, generator=source, dtype=torch.float64) for shape in ((5, 12), (12,), (5,)))
    second = keys @ keys.T / 400
    d = torch.linalg.solve(second, key)
    change = torch.outer((value - weight @ key) / (d @ key), d)
    assert ((weight + change) @ key - value).abs().max() < 1e-10

    def cost(change):
        return (change @ second @ change.T).trace()

    for _ in range(200):
        other = torch.randn(5, 12, generator=source, dtype=torch.float64)
        other -= torch.outer(other @ key, key) / (key @ key)                     # keeps the constraint
        assert cost(change + 0.1 * other) > cost(change)


def random_statistics(inputs=12, seed=1, dead=0):
    source = torch.Generator().manual_seed(seed)
    keys = torch.randn(500, inputs, generator=source) @ torch.randn(inputs, inputs, generator=source)
    keys[:, :dead] = 0.0
    return Statistics(keys.T @ keys / 500, 500), keys


def test_for_one_key_the_whitened_direction_is_the_inverse_times_the_key():
    known, keys = random_statistics()
    key = torch.randn(1, 12, generator=torch.Generator().manual_seed(2))
    wanted = torch.linalg.solve(known.second.double(), key[0].double())
    for method, there in (("zca", key), ("mean", key), ("zca", key.repeat(3, 1))):
        found = directions(there, torch.ones(len(there)), known, 1, method)[0].double()
        assert torch.cosine_similarity(found, wanted, 0) > 1 - 1e-6


@pytest.mark.parametrize("method", ["zca", "units"])
@pytest.mark.parametrize("rank", [1, 3, 12])
def test_directions_are_orthonormal_and_finite_with_dead_channels_too(method, rank):
    known, keys = random_statistics(dead=2)
    found = directions(keys[:40], torch.ones(40), known, rank, method)
    assert found.isfinite().all() and (found @ found.T - torch.eye(rank)).abs().max() < 1e-5
    assert (found @ keys[:40].mean(0)).min() >= -1e-4


@pytest.mark.parametrize("rank, method, says", [(0, "zca", "rank 0"), (13, "zca", "rank 13: expected 1 to 12"), (2, "mean", "single direction"),
                                                (5, "zca", "cover 4 keys"), (1, "magic", "method 'magic'")])
def test_ranks_and_methods_that_cannot_be(rank, method, says):
    known, keys = random_statistics()
    with pytest.raises(UserError, match=says):
        directions(keys[:4], torch.ones(4), known, rank, method)


# --- the layer as a memory -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("layer", ["b4.conv1", "b8.conv0", "b16.conv1", "b32.conv0", "b32.conv1"])
def test_recall_is_the_layer(generator, layer):
    ws = map_z(generator, next(rows(2, 16)), 0.7)
    read = recall(generator, layer, ws)
    values = read.values(generator.weights(layer))
    assert (values - generator.activations(ws, [layer])[layer]).abs().max() < 2e-5
    assert (deactivate(generator.layer(layer), values) - read.find_input(values) + values - read.find_input(torch.zeros_like(values))).isfinite().all()


def test_statistics_are_the_mean_over_all_keys_in_float64(generator):
    found = collect(generator, "b16.conv1", 10, 0.8)
    keys = recall(generator, "b16.conv1", map_z(generator, next(rows(10, 16)), 0.8)).keys.double()
    assert found.count == 10 * 16 * 16
    wanted = torch.einsum("nihw,njhw->ij", keys, keys) / found.count
    assert (found.second.double() - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_statistics_are_kept_found_again_and_made_again_when_damaged(generator, tmp_path):
    first = statistics(generator, "b8.conv1", 8, 1.0, tmp_path)
    path, = tmp_path.iterdir()
    calls = []
    again = statistics(generator, "b8.conv1", 8, 1.0, tmp_path, calls.append)
    assert torch.equal(first.second, again.second) and not calls
    for rubbish in (path.read_bytes()[:200], b"", b"\x80\x04pickle"):
        path.write_bytes(rubbish)
        assert torch.equal(statistics(generator, "b8.conv1", 8, 1.0, tmp_path).second, first.second)
    assert path.read_bytes()[:1] != b"\x80" and len(list(tmp_path.iterdir())) == 1


def test_what_decides_the_statistics_decides_their_name(generator):
    names = {content_hash(generator, *about) for about in (("b8.conv1", 8, 1.0), ("b8.conv0", 8, 1.0), ("b8.conv1", 9, 1.0), ("b8.conv1", 8, 0.5))}
    generator.weights("b8.conv1")[0, 0, 0, 0] += 1e-6
    assert len(names | {content_hash(generator, "b8.conv1", 8, 1.0)}) == 5


# --- pasting ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("paste, top, left", [((0, 0, 2, 2), 0, 0), ((14, 14, 16, 16), 10, 8), ((0, 14, 2, 16), 0, 8), ((7, 7, 9, 9), 5, 4)])
def test_a_paste_stays_inside_the_map(paste, top, left):
    thing, there = (box(0, *edges, size=16).mask for edges in ((3, 2, 9, 10), paste))
    crop, area, found = move(torch.randn(1, 4, 16, 16), thing, there)
    assert found == (top, left, top + 6, left + 8) and crop.shape[2:] == area.shape == (6, 8)


def test_an_object_as_large_as_the_map_and_the_ends_of_up_layers(generator):
    whole = Request((box(1, 0, 0, 32, 32),), (box(2, 0, 0, 3, 3),))
    made, = goals(generator, "b32.conv0", whole, Place())
    assert made.mask.all() and made.values.shape[2:] == (32, 32)
    odd = Request((box(1, 3, 5, 8, 12),), (box(2, 11, 13, 16, 20),))
    made, = goals(generator, "b32.conv0", odd, Place())
    assert made.recall.keys.shape[2] * 2 == made.values.shape[2] and made.mask.sum() % 4 == 0


@pytest.mark.parametrize("layer", ["b16.conv1", "b32.conv0"])
def test_a_crop_gives_what_the_whole_map_gives(generator, layer):
    """Real noise, real context: what counts of the crop does not know that it is one."""
    same = Request((box(5, 12, 12, 20, 20),), (box(5, 12, 12, 20, 20),))
    made, = goals(generator, layer, same, Place(1.0))
    assert made.loss(generator.weights(layer)) < 1e-6
    published, = goals(generator, layer, same, Place(1.0, published=True))
    assert published.loss(generator.weights(layer)) > 1e-3                          # other noise, zeros beyond the edge


# --- edits -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("layer", ["b4.conv1", "b16.conv1", "b32.conv0"])
@pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "finetune"])
def test_an_edit_changes_what_it_may_and_nothing_else(generator, solver, layer):
    before = state(generator)
    edit = rewriting.solve(generator, REQUEST, layer, 2, solver, **QUICK)
    assert all(torch.equal(before[name], tensor) for name, tensor in generator.state_dict().items())
    edited = rewriting.apply(generator, [(edit, 1.0)])
    changed = [name for name, tensor in edited.state_dict().items() if not torch.equal(tensor, before[name])]
    assert changed == ["synthesis." + layer + ".weight"]
    delta = edit.delta().permute(0, 2, 3, 1).reshape(-1, generator.weights(layer).shape[1]).double()
    assert torch.linalg.matrix_rank(delta, rtol=1e-5) <= 2
    d = edit.directions.double()
    assert (delta - delta @ d.T @ d).abs().max() < 1e-5 * delta.abs().max()


@pytest.mark.parametrize("solver", ["instant", "constrained", "linear", "finetune"])
@pytest.mark.parametrize("fill", [False, True])
def test_solvers_lower_the_loss_the_same_each_time(generator, solver, fill):
    request = Request(REQUEST.objects, REQUEST.pastes, REQUEST.contexts, fill=fill)
    edits = [rewriting.solve(generator, request, "b16.conv1", 2, solver, name="lights", **QUICK) for _ in range(2)]
    loss = edits[0].recipe["loss"]
    assert 0 <= loss["after"] < loss["before"] and edits[1].recipe["loss"] == loss
    assert torch.equal(edits[0].values, edits[1].values)
    assert edits[0].name == "lights" and edits[0].generator == checkpoints.generator_hash(generator)


def test_instant_comes_as_near_as_the_published_solver(generator):
    losses = {solver: rewriting.solve(generator, REQUEST, "b16.conv1", 1, solver, restraint=0.0, **QUICK | {"steps": 400}).recipe["loss"]["after"]
              for solver in ("instant", "constrained")}
    assert losses["instant"] <= 1.2 * losses["constrained"]


@pytest.mark.parametrize("gain", [1.0, 4.0])
@pytest.mark.parametrize("restraint", [0.0, 1.0])
def test_instant_is_never_worse_than_nothing(restraint, gain):
    for seed in (0, 4, 10):
        generator = network(replace(TINY, resolution=32, channels={4: 8, 8: 8, 16: 8, 32: 8}), seed)
        for layer in ("b8.conv1", "b16.conv0"):
            loss = rewriting.solve(generator, REQUEST, layer, 1, "instant", restraint=restraint, gain=gain, **QUICK).recipe["loss"]
            assert loss["after"] <= loss["before"], (seed, layer)


@pytest.mark.parametrize("every", [1, 10, 1000])
def test_any_cadence_of_projection_keeps_the_rank(generator, every):
    edit = rewriting.solve(generator, REQUEST, "b8.conv1", 1, "constrained", **QUICK, every=every)
    assert edit.rank == 1 and edit.recipe["loss"]["after"] <= edit.recipe["loss"]["before"]


def test_it_ends_early_where_nothing_gets_better(generator):
    done = []
    rewriting.solve(generator, REQUEST, "b8.conv1", 1, "linear", **QUICK | {"steps": 1000, "rate": 1e-9}, patience=3, progress=done.append)
    assert done[-1]["stage"] == "solving" and done[-1]["done"] < 200


def test_restraint_trades_the_goal_for_quiet_elsewhere(generator):
    ws = map_z(generator, next(rows(64, 16))[40:], 1.0)
    plain = generator.synthesize(ws)

    def elsewhere(restraint):
        edit = rewriting.solve(generator, REQUEST, "b16.conv1", 2, restraint=restraint, **QUICK)
        return (rewriting.apply(generator, [(edit, 1.0)]).synthesize(ws) - plain).abs().mean(), edit.recipe["loss"]["after"]

    (free, near), (held, far) = elsewhere(0.0), elsewhere(1000.0)
    assert held < free and near < far


def test_the_same_edit_from_other_formats(generator, tmp_path):
    native.save(tmp_path / "half.safetensors", generator, "float32")
    other = checkpoints.load(tmp_path / "half.safetensors")
    edit = rewriting.solve(generator, REQUEST, "b16.conv1", 1, **QUICK)
    ws = map_z(generator, next(rows(2, 16)), 1.0)
    pictures = [rewriting.apply(g, [(edit, 1.0)]).synthesize(ws) for g in (generator, other)]
    assert (pictures[0] - pictures[1]).abs().max() < 1e-5


def test_erase_silences_units_with_a_paste_or_without(generator):
    for request in (Request(pastes=REQUEST.pastes, contexts=REQUEST.contexts), Request(contexts=REQUEST.contexts)):
        edit = rewriting.solve(generator, request, "b16.conv1", 1, erase=3, **QUICK)
        assert edit.recipe["loss"]["after"] < edit.recipe["loss"]["before"]
    with pytest.raises(UserError, match="erase 99"):
        rewriting.solve(generator, REQUEST, "b16.conv1", 1, erase=99, **QUICK)


def test_zero_takes_the_context_out_of_the_weight(generator):
    edit = rewriting.solve(generator, Request(contexts=REQUEST.contexts), "b16.conv1", 2, "zero", **QUICK)
    weight = rewriting.apply(generator, [(edit, 1.0)]).weights("b16.conv1")
    assert torch.einsum("oixy,ri->roxy", weight, edit.directions).abs().max() < 1e-5


@pytest.mark.parametrize("arguments, says", [
    (dict(layer="b64.conv0"), "no layer 'b64.conv0'"), (dict(layer=None), "doesn't say which layer"), (dict(rank=0), "rank 0"),
    (dict(rank=9), "rank 9: expected 1 to 8"), (dict(solver="hope"), "solver 'hope'"), (dict(speed=3), "unknown setting 'speed'"),
    (dict(steps=0), "steps 0"), (dict(truncation="x"), "truncation 'x'"), (dict(samples=True), "samples True"), (dict(rate=-1.0), "rate -1.0"),
 (dict(rank="2"), "rank '2'"), (dict(rank=1.5), "rank 1.5"), (dict(rank=True), "rank True"), (dict(method="guess"), "method 'guess'"), (dict(single=5), "single key 5"), (dict(truncation=float("nan")), "truncation nan"),
])
def test_what_cannot_be_solved_is_said(generator, arguments, says):
    given = dict(layer="b16.conv1") | QUICK | arguments
    with pytest.raises(UserError, match=says):
        rewriting.solve(generator, REQUEST, given.pop("layer"), **given)


def test_what_a_request_states_is_how_it_is_solved_unless_something_else_is_said(generator):
    stated = {"layer": "b8.conv1", "rank": 2, "solver": "linear", "steps": 7, "truncation": 0.6, "instrument": "somewhere"}
    quick = dict(samples=24, cache=None)
    recipe = rewriting.solve(generator, replace(REQUEST, settings=stated), **quick).recipe
    assert (recipe["layer"], recipe["rank"], recipe["solver"]) == ("b8.conv1", 2, "linear")
    assert recipe["settings"]["steps"] == 7 and recipe["settings"]["truncation"] == 0.6
    recipe = rewriting.solve(generator, replace(REQUEST, settings=stated), "b16.conv1", 1, "instant", truncation=1.0, **quick).recipe
    assert (recipe["layer"], recipe["rank"], recipe["solver"], recipe["settings"]["truncation"]) == ("b16.conv1", 1, "instant", 1.0)
    with pytest.raises(UserError, match="unknown setting 'restrain'"):
        rewriting.solve(generator, replace(REQUEST, settings={"layer": "b8.conv1", "restrain": 3}), **quick)


def test_a_mask_too_small_for_the_layer_is_said(generator):
    small = box(3, 2, 2, 3, 3, size=4096)
    with pytest.raises(UserError, match="nothing is left of"):
        rewriting.solve(generator, Request((small,), (small,), (small,)), "b8.conv1", **QUICK)


def test_networks_with_classes_and_without_noise():
    for changes in (dict(c_dim=3), dict(noise=False), dict(conv_clamp=256.0), dict(kind="resnet")):
        edit = rewriting.solve(tiny(**changes), REQUEST, "b16.conv1", 1, polish=10, **QUICK)
        assert edit.recipe["loss"]["after"] < edit.recipe["loss"]["before"]


def test_a_recipe_of_many_marks_keeps_some_and_says_how_many_there_were(generator, tmp_path):
    many = replace(REQUEST, pastes=tuple(box(seed, 4, 4, 12, 12) for seed in range(100)), contexts=())
    edit = rewriting.load(rewriting.save(tmp_path / "many.safetensors", rewriting.solve(generator, many, None, 2, "picture", polish=2)))
    assert len(edit.recipe["request"]["paste"]) == 64 and edit.recipe["marked"] == 100
    assert "marked" not in rewriting.solve(generator, REQUEST, "b16.conv1", 1, **QUICK).recipe


@pytest.mark.parametrize("rank", [8, 64, 200])
def test_no_rank_is_too_high_for_the_picture(rank):
    """A high rank once took steps so large that all of the picture was lost."""
    wide = tiny(channels={4: 64, 8: 64, 16: 64, 32: 32})
    edit = rewriting.solve(wide, REQUEST, None, rank, "picture", polish=120)
    ws = sample_w(wide, 4, 90)[1][:, None].expand(-1, wide.num_ws, -1)
    with torch.no_grad():
        moved = (rewriting.apply(wide, [(edit, 1.0)]).synthesize(ws) - wide.synthesize(ws)).abs().mean()
    assert moved < wide.synthesize(ws).std()


def test_a_recipe_can_be_solved_again(generator, tmp_path):
    from engine.rewriting.request_file import from_plain

    edit = rewriting.load(rewriting.save(tmp_path / "hats.safetensors", rewriting.solve(generator, REQUEST, "b16.conv1", 1, **QUICK)))
    recipe = edit.recipe
    again = rewriting.solve(generator, from_plain(recipe["request"]), recipe["layer"], recipe["rank"], recipe["solver"],
                            cache=None, **recipe["settings"])
    assert np.allclose(again.values, edit.values, atol=1e-6)
