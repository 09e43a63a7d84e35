"""The other instruments in the folder that a world of ours taught: their shape, and that each plays its world, by slack versions of `bench world`'s bars."""
from pathlib import Path

import pytest
import torch
import yaml

from engine import checkpoints, world
from engine.world import measure
from engine.world.latent import Z_DIM

PRESETS = Path(__file__).parents[3] / "presets"
OTHERS = sorted(path.parent for path in PRESETS.glob("*/instrument.yaml") if path.parent.name != "masks")
SIZE = 128


@pytest.fixture(scope="module", params=OTHERS, ids=lambda path: path.name)
def played(request):
    """Return (what its file says, World, Generator)."""
    said = yaml.safe_load((request.param / "instrument.yaml").read_text())
    return said, world.find(said["world"]), checkpoints.load(request.param / said["generator"])


def test_two_worlds_and_a_relative_come_with_the_masks():
    assert {path.name for path in OTHERS} >= {"bloom", "gate", "beasts"}


def test_shape(played):
    said, drawn, generator = played
    assert (generator.resolution, generator.z_dim, generator.w_dim, generator.num_ws, generator.c_dim) == (1024, Z_DIM, 128, 18, 0)
    assert measure.macs(generator) <= 1.5e9 and (PRESETS / drawn.name / said["generator"]).stat().st_size <= 8_000_000
    assert len(drawn.names) >= 36 and len(drawn.parts) >= 10


def test_it_plays_its_world(played):
    _, drawn, generator = played
    figures = measure.pairs(drawn, generator, measure.unseen(16), SIZE)
    assert figures[f"psnr_{SIZE}_db"] > 23
    assert max(figures["colour_error"].values()) < 0.25
    assert measure.full_size(drawn, generator, measure.unseen(1))["edge_energy_1024"] > 0.45


def test_its_centre_is_the_worlds_and_beyond_the_usual_it_still_has_colours(played):
    _, drawn, generator = played
    middle = measure.centre(drawn, generator, SIZE)
    assert middle["centre_psnr_db"] > 20 and middle["psi_1.2_out_of_range"] < 0.1
    with torch.no_grad():
        assert torch.allclose(generator.w_avg, generator.mapping(torch.zeros(1, Z_DIM))[0], atol=2e-2)


def test_a_walk_has_no_jump(played):
    _, drawn, generator = played
    assert measure.walk(drawn, generator, 60, 64, legs=2)["largest_jump"] < 3


def test_every_macro_has_a_name_and_moves_factors_of_its_world(played):
    said, drawn, _ = played
    assert sorted(macro["macro"] for macro in said["macros"]) == list(range(1, 9)) and len({macro["name"] for macro in said["macros"]}) == 8
    moved = {target["to"].removeprefix("/factors/").replace("-", "_") for macro in said["macros"] for target in macro["to"]}
    assert moved <= set(drawn.names) and len(moved) >= 12
