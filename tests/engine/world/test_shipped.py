"""The instrument that comes with the project: it loads, has its shape, still makes its golden frames, and plays its world.

The goldens are made anew, after training, by  python -m tests.engine.world.test_shipped
"""
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import checkpoints
from engine.world import MASKS, losses, measure
from engine.world.latent import Z_DIM

FOLDER = Path(__file__).parents[3] / "presets" / "masks"
GOLDEN = Path(__file__).with_name("golden.npz")
SIZE = 128


@pytest.fixture(scope="module")
def masks():
    return checkpoints.load(FOLDER / "generator.safetensors")


@torch.no_grad()
def frames(generator):
    """uint8 [6, 3, SIZE, SIZE]: four unseen z, the centre, one beyond."""
    z = measure.unseen(4)
    ws = torch.cat([generator.map(z), generator.map(z[:1], psi=0.0), generator.map(z[:1], psi=1.2)])
    pictures = generator.synthesize(ws, noise="none", size=SIZE)
    return (pictures * 127.5 + 128).clamp(0, 255).byte().numpy()


def test_shape(masks):
    assert (masks.resolution, masks.z_dim, masks.w_dim, masks.num_ws, masks.c_dim) == (1024, Z_DIM, 128, 18, 0)
    assert [masks.channels(f"b{r}.conv1") for r in (4, 32, 64, 128, 256, 512, 1024)] == [128, 128, 64, 32, 16, 8, 4]
    assert measure.macs(masks) <= 1.5e9
    assert (FOLDER / "generator.safetensors").stat().st_size <= 8_000_000


def test_golden_frames(masks):
    expected = np.load(GOLDEN)["frames"].astype(int)
    assert np.abs(frames(masks).astype(int) - expected).mean() < 0.5
    assert np.abs(frames(masks).astype(int) - expected).max() <= 12


def test_plays_its_world(masks):
    """A slack version of the bars that `run_live.py bench world` measures in full."""
    figures = measure.pairs(MASKS, masks, measure.unseen(16), SIZE)
    assert figures[f"psnr_{SIZE}_db"] > 24
    assert max(figures["colour_error"].values()) < 0.25
    middle = measure.centre(MASKS, masks, SIZE)
    assert middle["centre_psnr_db"] > 26 and middle["psi_1.2_out_of_range"] < 0.1


def test_a_walk_has_no_jump(masks):
    assert measure.walk(MASKS, masks, 60, 64, legs=2)["largest_jump"] < 3


def test_full_size_has_edges(masks):
    figures = measure.full_size(MASKS, masks, measure.unseen(1))
    assert figures["edge_energy_1024"] > 0.6


def test_truncation_zero_is_the_worlds_centre(masks):
    with torch.no_grad():
        assert torch.allclose(masks.w_avg, masks.mapping(torch.zeros(1, Z_DIM))[0], atol=2e-2)


@pytest.mark.parametrize("group", ["head", "halo", "background", "eyes", "mouth", "crown"])
def test_channels_belong_to_parts(masks, group):
    """In some layer the mean of the group's channels finds its part: intersection over union above one half."""
    z = measure.unseen(8)
    with torch.no_grad():
        kept = masks.activations(masks.map(z), ["b32.conv0", "b64.conv0"])
    best = max(overlap(losses.group_means(x, len(MASKS.groups))[:, list(MASKS.groups).index(group)], z, group) for x in kept.values())
    assert best > 0.5


def overlap(heat, z, group):
    """The best intersection over union of heat [N, S, S] above a threshold with the group's mask."""
    shown = losses.group_masks(MASKS, MASKS.whole(z, heat.shape[-1]).visible())[:, list(MASKS.groups).index(group)] > 0.5
    levels = torch.quantile(heat.flatten(), torch.linspace(0.2, 0.99, 40))
    return max((((heat > t) & shown).sum() / ((heat > t) | shown).sum()).item() for t in levels)


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, frames=frames(checkpoints.load(FOLDER / "generator.safetensors")))
