"""Edits of styles: what they do to w, in a copy, live and in a file; and solved, that the marked places get their colour and little else does."""
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from engine import checkpoints, rewriting
from engine.errors import UserError
from engine.instrument import Instrument
from engine.rewriting import StyleChange
from engine.rewriting.marks import parse, world_region
from engine.rewriting.memory import map_z
from engine.rewriting.shares import find_shares
from engine.rewriting.wanted import draw_wanted
from tests.conftest import tiny

MASKS = Path(__file__).parents[3] / "presets" / "masks" / "generator.safetensors"


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def change(width, rank=2, seed=3):
    source = torch.Generator().manual_seed(seed)
    return StyleChange(torch.randn(width, rank, generator=source) * 0.3, torch.randn(rank, width, generator=source) * 0.3, torch.randn(rank, generator=source))


def edit_of(generator, style, name="gold"):
    shape = generator.weights("b8.conv1").shape
    return rewriting.Edit(name, "b8.conv1", torch.zeros(1, shape[1]), torch.zeros(1, shape[0], 3, 3), style=style)


@pytest.mark.parametrize("strength", (1.0, 0.4, -1.0))
def test_an_edited_network_draws_what_another_w_would_give(strength):
    generator = tiny()
    style = change(generator.w_dim)
    ws = generator.map(torch.randn(2, generator.z_dim, generator=torch.Generator().manual_seed(1)))
    wanted = generator.synthesize(style.move(ws, strength))
    edited = rewriting.apply(generator, [(edit_of(generator, style), strength)])
    assert (edited.synthesize(ws) - wanted).abs().max() < 1e-4 < (generator.synthesize(ws) - wanted).abs().max()


def test_live_it_is_the_same_and_at_0_the_base_to_the_bit():
    generator = tiny()
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    style = change(generator.w_dim)
    wanted = rewriting.apply(generator, [(edit_of(generator, style), 0.7)]).state_dict()
    instrument = Instrument(generator, edits=[edit_of(generator, style)])
    scene = instrument.scene()
    assert instrument.weights.write(scene.set_values({"/edits/gold/strength": 0.7}))
    now = generator.state_dict()
    assert all(torch.allclose(now[name], wanted[name], atol=1e-5) for name in wanted)
    instrument.weights.write(scene.set_values({"/edits/gold/strength": 0.0}))
    assert all(torch.equal(before[name], tensor) for name, tensor in generator.state_dict().items())


def test_its_file_gives_it_back(tmp_path):
    generator = tiny()
    style = change(generator.w_dim)
    found = rewriting.load(rewriting.save(tmp_path / "gold.safetensors", edit_of(generator, style)))
    assert all(torch.equal(getattr(found.style, name), getattr(style, name)) for name in ("into", "reads", "adds"))
    plain = rewriting.load(rewriting.save(tmp_path / "plain.safetensors", edit_of(generator, None, "plain")))
    assert plain.style is None


def shared(generator, style):
    """The style with a share for each style of two affines."""
    state = generator.state_dict()
    return replace(style, shares={name: torch.linspace(0, 1, len(state[f"{name}.weight"])) for name in ("synthesis.b8.conv0.affine", "synthesis.b8.torgb.affine")})


def test_shares_keep_a_change_to_some_styles_in_a_copy_live_and_in_a_file(tmp_path):
    generator = tiny()
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    whole, part = (edit_of(generator, style) for style in (change(generator.w_dim), shared(generator, change(generator.w_dim))))
    full, some = (rewriting.apply(generator, [(edit, 0.7)]).state_dict() for edit in (whole, part))
    changed = [name for name in before if not torch.equal(some[name], before[name])]
    assert changed == [f"synthesis.b8.{one}.affine.{last}" for one in ("conv0", "torgb") for last in ("weight", "bias")]
    for name in changed:
        share = torch.linspace(0, 1, len(before[name])).view(-1, *[1] * (before[name].ndim - 1))
        assert torch.allclose(some[name] - before[name], share * (full[name] - before[name]), atol=1e-6)
    instrument = Instrument(generator, edits=[rewriting.load(rewriting.save(tmp_path / "gold.safetensors", part))])
    instrument.weights.write(instrument.scene().set_values({"/edits/gold/strength": 0.7}))
    assert all(torch.allclose(tensor, some[name], atol=1e-5) for name, tensor in generator.state_dict().items())


def test_what_can_not_be_is_refused():
    good = change(8)
    with pytest.raises(UserError, match="do not belong together"):
        StyleChange(good.into, good.reads[:1], good.adds)
    with pytest.raises(UserError, match="NaN"):
        StyleChange(good.into * float("nan"), good.reads, good.adds)
    generator = tiny()
    wrong = replace(change(generator.w_dim), shares={"synthesis.b8.conv0.affine": torch.ones(99)})
    with pytest.raises(UserError, match="edit gold: style shares: 99 for synthesis.b8.conv0.affine"):
        edit_of(generator, wrong).check_fit(generator)
    with pytest.raises(UserError, match="its style is for a w of 8 numbers"):
        edit_of(generator, good).check_fit(generator)
    for wrong in ("gold", "#12345", "#12345g"):
        with pytest.raises(UserError, match="expected #rrggbb"):
            rewriting.Settings(colour=wrong)
    request = rewriting.Request((), parse("3:4,4,14,14", generator, 1.0))
    with pytest.raises(UserError, match="solvers style and picture only"):
        rewriting.solve(generator, request, "b8.conv1", 1, "instant", colour="#ffcc00")
    with pytest.raises(UserError, match="no object"):
        rewriting.solve(generator, request, None, 1, "style")


def test_crowns_become_golden_and_faces_stay():
    generator = checkpoints.load(MASKS)
    request = rewriting.Request((), parse("1-3:crown", generator, 1.0))
    edit = rewriting.solve(generator, request, colour="#e8b030", truncation=1.0, polish=0)
    assert edit.recipe["solver"] == "style" and edit.style.rank == 3
    z = torch.randn(6, 64, generator=torch.Generator().manual_seed(9))
    ws = map_z(generator, z.numpy(), 1.0)
    gold = torch.tensor([0xe8, 0xb0, 0x30]).view(3, 1, 1) / 127.5 - 1
    style = find_shares(generator, edit.style, draw_wanted(generator, request, 1.0, 64, gold.flatten()), 15, restraint=4.0)
    edits = [edit, edit_of(generator, style)]
    before, whole, after = (network.synthesize(ws, size=64) for network in (generator, *(rewriting.apply(generator, [(one, 1.0)]) for one in edits)))
    crown, head = (world_region(parts, z, size=64)[:, None] > 0.9 for parts in ("crown", "head"))
    beyond = F.max_pool2d(crown.float(), 5, 1, 2) == 0
    for picture, least in ((whole, 0.4), (after, 0.3)):
        away = [((one - gold).abs() * crown).sum() for one in (before, picture)]
        assert away[1] < (1 - least) * away[0]
        assert ((picture - before).abs() * head).sum() / head.sum() / 3 < 0.1
    assert ((after - before).abs() * beyond).sum() < 0.75 * ((whole - before).abs() * beyond).sum(), "shares keep it to the crown"
