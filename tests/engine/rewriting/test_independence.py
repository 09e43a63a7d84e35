"""Patches rendered alone: against a small network a patch, against the whole picture, and odd patches."""
import pytest
import torch
from torch.nn import functional as F

from engine.architecture import Architecture
from engine.errors import UserError
from engine.generator import Generator, upsample
from engine.rewriting.independence import cut, independent, join, sheet
from tests.conftest import tiny


def latents(generator, count=1):
    return generator.map(torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(3)))


def alone(generator, layer, ws, row, column, patch):
    """That one patch, by a network that is no larger than it: the patch spliced in, the running picture added at the end."""
    r = generator.architecture.resolution_of(layer)
    conv, side = generator.layer(layer), r // (2 if generator.layer(layer).up else 1)
    share = patch / side                                                        # of a side of any map
    a = generator.architecture
    small = Generator(Architecture(**{**vars(a), "const_size": (round(4 * share),) * 2})).requires_grad_(False)
    state = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    for name, tensor in state.items():
        if name.endswith("noise_const"):
            size = round(tensor.shape[0] * share)
            state[name] = tensor[row * size:(row + 1) * size, column * size:(column + 1) * size]
        if ".torgb." in name and int(name.split(".")[1][1:]) < r and "affine" not in name:
            state[name] = torch.zeros_like(tensor)
    state["synthesis.b4.const"] = torch.zeros_like(small.synthesis.b4.const)
    small.load_state_dict(state)
    window = (..., slice(row * patch, (row + 1) * patch), slice(column * patch, (column + 1) * patch))
    keys = generator.inputs(ws, [layer])[layer][window]
    picture = small.synthesize(ws, splice={layer: conv.convolve(keys, *conv.modulation(ws[:, generator.layers.index(layer)]))})
    if r == 4:
        return picture
    running = generator.skips(ws, size=r // 2)[r // 2]
    running = running[window] if conv.up else upsample(running)[window]
    while running.shape[-1] < picture.shape[-1]:
        running = upsample(running)
    return picture + running


@pytest.mark.parametrize("layer, patch", [("b4.conv1", 1), ("b4.conv1", 2), ("b8.conv0", 1), ("b8.conv1", 2), ("b8.conv1", 4),
                                          ("b16.conv0", 2), ("b16.conv1", 4), ("b32.conv1", 8)])
def test_each_patch_is_what_a_network_of_its_size_makes_of_it(generator, layer, patch):
    ws = latents(generator)
    made = independent(generator, layer, ws, patch)
    side = generator.inputs(ws, [layer])[layer].shape[-1] // patch
    rows = [torch.cat([alone(generator, layer, ws, row, column, patch) for column in range(side)], 3) for row in range(side)]
    assert (made - torch.cat(rows, 2)).abs().max() < 1e-5


@pytest.mark.parametrize("changes", [{}, {"kind": "resnet"}, {"kind": "orig"}, {"noise": False}, {"conv_clamp": 0.5}, {"const_size": (4, 8)}], ids=str)
@pytest.mark.parametrize("layer", ["b4.conv1", "b8.conv0", "b16.conv1", "b32.conv0", "b32.conv1"])
def test_one_patch_is_the_whole_picture(layer, changes):
    generator = tiny(**changes)
    ws = latents(generator)
    assert (independent(generator, layer, ws, 64) - generator.synthesize(ws)).abs().max() < 1e-5
    assert (independent(generator, layer, ws, 64, 32) - generator.synthesize(ws, size=32)).abs().max() < 1e-5


@pytest.mark.parametrize("kind", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("layer, reach", [("b16.conv1", 7), ("b32.conv0", 5), ("b32.conv1", 1)])
def test_away_from_the_seams_nothing_changes_and_at_the_seams_something_does(kind, layer, reach):
    generator = tiny(kind=kind)
    ws = latents(generator)
    side = 32 if layer == "b32.conv1" else 16
    change = (independent(generator, layer, ws, side // 2) - generator.synthesize(ws)).abs().amax((0, 1))
    far = (torch.arange(32) - 15.5).abs() > reach
    assert change[far][:, far].max() < 1e-5 < 1e-4 < change[15:17].max()


def test_a_smaller_size_is_the_picture_there():
    skip, resnet = tiny(), tiny(kind="resnet")
    ws = latents(skip)
    assert (independent(skip, "b8.conv1", ws, 8, 16) - skip.synthesize(ws, size=16)).abs().max() < 1e-5
    whole = independent(resnet, "b8.conv1", ws, 2)
    assert (independent(resnet, "b8.conv1", ws, 2, 16) - F.avg_pool2d(whole, 2)).abs().max() < 1e-6


def test_cut_and_joined_undo_each_other():
    x = torch.arange(2 * 6 * 8.0).view(1, 2, 6, 8)
    pieces = cut(x, (3, 2))
    assert pieces.shape == (6, 2, 2, 4) and torch.equal(pieces[3], x[0, :, 2:4, 4:]) and torch.equal(join(pieces, (3, 2)), x)


@pytest.mark.parametrize("patch", [0, -1, 3, 12])
def test_patches_that_do_not_fit(generator, patch):
    with pytest.raises(UserError, match=rf"patch {patch}: the layer's keys are 16 x 16, expected one of 1, 2, 4, 8, 16"):
        independent(generator, "b16.conv1", latents(generator), patch)


def test_a_layer_or_size_that_is_not_there(generator):
    with pytest.raises(UserError, match="no layer 'b64.conv0'"):
        independent(generator, "b64.conv0", latents(generator), 2)
    with pytest.raises(UserError, match="size 24"):
        independent(generator, "b8.conv0", latents(generator), 2, 24)
    with pytest.raises(UserError, match="size 8"):
        independent(generator, "b16.conv1", latents(generator), 2, 8)


def test_the_sheet_has_a_row_for_each_patch_size(generator):
    ws = latents(generator, 2)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    made = sheet(generator, "b16.conv1", ws, (2, 16))
    assert made.shape == (3 * 40, 2 * 40, 3)                                     # 32 px and the gaps
    assert (made[:40].astype(int) - made[80:]).__abs__().max() <= 1 and (made[:40] != made[40:80]).any()
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())
