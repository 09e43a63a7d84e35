"""Edits of several layers: what they do in a copy, live and in a file; and that descent through the picture makes what is asked for."""
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import checkpoints, png, rewriting
from engine.errors import UserError
from engine.instrument import Instrument
from engine.rewriting.choose import worth_of
from engine.rewriting.marks import parse
from engine.rewriting.wanted import draw_wanted
from tests.conftest import tiny

MASKS = Path(__file__).parents[3] / "presets" / "masks" / "generator.safetensors"
BOX, WHERE = "3:2,2,8,8", "1-3:11,11"


@pytest.fixture(scope="module")
def masks():
    return checkpoints.load(MASKS)


def rule(generator, layer, rank=2, seed=1):
    source = torch.Generator().manual_seed(seed)
    outputs, inputs, *kernel = generator.weights(layer).shape
    return rewriting.Rule(layer, torch.randn(rank, inputs, generator=source), torch.randn(rank, outputs, *kernel, generator=source))


def edit_of(generator, *layers):
    first, *more = (rule(generator, layer) for layer in layers)
    return rewriting.Edit("eye", first.layer, first.directions, first.values, more=tuple(more))


def test_it_changes_all_its_layers_in_a_copy_live_and_from_a_file(tmp_path):
    generator = tiny()
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    edit = edit_of(generator, "b8.conv0", "b8.conv1", "b16.conv0")
    edited = rewriting.apply(generator, [(edit, -0.5)]).state_dict()
    for one in edit.rules:
        name = f"synthesis.{one.layer}.weight"
        assert torch.allclose(edited[name], before[name] + one.delta(-0.5), atol=1e-5)
    assert sum(not torch.equal(edited[name], before[name]) for name in before) == 3
    instrument = Instrument(generator, edits=[rewriting.load(rewriting.save(tmp_path / "eye.safetensors", edit))])
    scene = instrument.scene()
    instrument.weights.write(scene.set_values({"/edits/eye/strength": -0.5}))
    assert all(torch.allclose(tensor, edited[name], atol=1e-4) for name, tensor in generator.state_dict().items())
    instrument.weights.write(scene)
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())


def test_a_layer_that_does_not_fit_is_refused():
    generator = tiny()
    wrong = edit_of(generator, "b8.conv0", "b8.conv1")
    narrow = rewriting.Rule("b16.conv0", torch.ones(1, 3), torch.ones(1, 3, 3, 3))
    with pytest.raises(UserError, match="edit eye: it is for a layer of shape"):
        rewriting.Edit("eye", wrong.layer, wrong.directions, wrong.values, more=(narrow,)).check_fit(generator)


def test_descent_makes_what_is_asked_for_and_leaves_the_rest():
    generator = tiny()
    things = parse(BOX, generator, 1.0)
    request = rewriting.Request(things, parse(WHERE, generator, 1.0, things))
    worths = [worth_of(generator, rewriting.solve(generator, request, solver="picture", truncation=1.0, polish=25, restraint=dear), request, 1.0)
              for dear in (1.0, 100.0)]
    assert worths[0].reached > 0.15
    assert worths[1].elsewhere < worths[0].elsewhere


def test_an_object_lands_beside_the_parts_that_are_named(masks):
    for parts, side in (("left_eye+iris.left", -1), ("right_eye+iris.right", 1)):
        things = parse(f"1-2:{parts}", masks, 1.0)
        pastes = parse("1-2:nose:0,-200", masks, 1.0, things)
        for thing, paste in zip(things, pastes):
            nose = parse(f"{paste.picture.number}:nose", masks, 1.0)[0].resize(256, 256)
            there, here = (middle(mask.resize(256, 256)) for mask in (paste, thing))
            assert abs(there[0] - middle(nose)[0]) < 4 and abs(middle(nose)[1] - there[1] - 50) < 4
            assert side * (here[0] - middle(nose)[0]) > 10
    with pytest.raises(UserError, match="how many pixels right and down"):
        parse("1:nose:5", masks, 1.0, things)


@pytest.fixture
def hat(tmp_path):
    """An orange disc of 20 px in 40 x 30 px of nothing, which is black."""
    y, x = np.mgrid[:30, :40]
    inside = (x - 19.5) ** 2 + (y - 14.5) ** 2 < 100
    path = tmp_path / "hat.png"
    path.write_bytes(png.write((inside[..., None] * np.array([255, 128, 0, 255])).astype(np.uint8)))
    return path


def test_a_drawing_is_laid_where_it_is_to_be_at_the_width_that_is_said(hat):
    generator = tiny(resolution=64, channels={4: 8, 8: 8, 16: 8, 32: 4, 64: 4})
    thing, = parse(f"{hat}@20", generator, 1.0)
    assert thing.mask.shape == (64, 64) and 70 < thing.mask.sum() < 85             # half as wide: a disc of 10 px
    paste, = parse("3:40,24", generator, 1.0, (thing,))
    wanted = draw_wanted(generator, rewriting.Request((thing,), (paste,)), 1.0, 32)
    assert abs(middle(wanted.marked[0, 0])[0] - 19.5) < 1 and abs(middle(wanted.marked[0, 0])[1] - 11.5) < 1
    seen = wanted.wanted[0][:, wanted.marked[0, 0] > 0.2]                          # the edge is as orange as the middle
    assert torch.allclose(seen, torch.tensor([1.0, 0.0, -1.0])[:, None].expand_as(seen), atol=0.02)


def test_a_drawing_is_learned_and_no_other_solver_takes_it(hat):
    generator = tiny()
    things = parse(f"{hat}@16", generator, 1.0)
    request = rewriting.Request(things, parse("1-3:16,16", generator, 1.0, things))
    edit = rewriting.solve(generator, request, truncation=1.0, polish=40)
    assert edit.recipe["solver"] == "picture" and worth_of(generator, edit, request, 1.0).reached > 0.15
    for solver in ("instant", "style"):
        with pytest.raises(UserError, match="a drawing is no picture of the network's"):
            rewriting.solve(generator, request, "b16.conv1", solver=solver)


def test_a_drawing_goes_into_a_file_and_comes_back(hat, tmp_path):
    thing, = parse(str(hat), tiny(resolution=64, channels={4: 8, 8: 8, 16: 8, 32: 4, 64: 4}), 1.0)
    again = rewriting.read_request(rewriting.write_request(tmp_path / "own.json", rewriting.Request((thing,)))).objects[0]
    there = thing.mask > 0
    assert torch.allclose(again.mask, thing.mask, atol=1 / 255) and torch.allclose(again.drawing[:, there], thing.drawing[:, there], atol=2 / 255)


@pytest.mark.parametrize("pixels, width, says", [
    (np.zeros((4, 4, 4), np.uint8), "", "with transparency"), (np.full((4, 4, 3), 9, np.uint8), "", "with transparency"),
    (np.arange(64 * 64 * 4, dtype=np.uint8).reshape(64, 64, 4), "", "64 x 64 px is more than the picture has, 32 x 32"),
    (np.arange(64, dtype=np.uint8).reshape(4, 4, 4), "@40", "40 x 40 px is more"),
])
def test_drawings_that_cannot_be_laid_anywhere(tmp_path, pixels, width, says):
    (tmp_path / "hat.png").write_bytes(png.write(pixels))
    with pytest.raises(UserError, match=says):
        parse(f"{tmp_path / 'hat.png'}{width}", tiny(), 1.0)


def middle(mask):
    """(x, y) of the middle of a mask's box."""
    rows, columns = (mask > 0.3).any(1).nonzero()[:, 0], (mask > 0.3).any(0).nonzero()[:, 0]
    return float(columns[0] + columns[-1]) / 2, float(rows[0] + rows[-1]) / 2
