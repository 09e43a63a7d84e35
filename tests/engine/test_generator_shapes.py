"""Names, sizes and parameter counts of generators."""
import pytest
import torch

from engine.architecture import Architecture, channel_table
from engine.errors import UserError
from engine.generator import Generator
from tests.engine.checkpoint_files import network


def test_names_and_shapes():
    generator = network()
    assert generator.layers == ["b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    assert [generator.channels(name) for name in generator.layers] == [6, 5, 5, 4, 4]
    assert generator.weights("b8.conv0").shape == (5, 6, 3, 3)
    assert (generator.num_ws, generator.resolution, generator.z_dim, generator.w_dim, generator.c_dim) == (6, 16, 8, 8, 0)
    for wrong in ("b32.conv1", "b4.conv0", "b4", ""):
        with pytest.raises(UserError, match="b4.conv1, b8.conv0"):
            generator.layer(wrong)
    with pytest.raises(UserError, match=r"expected \[N, 6, 8\], got \[1, 5, 8\]"):
        generator.synthesize(torch.zeros(1, 5, 8))


@pytest.mark.parametrize("resolution, base, count", [(1024, 32768, 30_370_060), (512, 32768, 30_276_583), (256, 32768, 30_034_338),
                                                     (1024, 16384, 24_900_764), (256, 16384, 24_767_458)])
def test_parameter_counts_of_the_published_networks(resolution, base, count):
    with torch.device("meta"):
        generator = Generator(Architecture(resolution=resolution, channels=channel_table(resolution, base)))
    assert sum(p.numel() for p in generator.parameters()) == count
    assert generator.num_ws == 2 * resolution.bit_length() - 4


@pytest.mark.parametrize("wrong", [{"resolution": 48}, {"resolution": 4}, {"resolution": 2048}, {"kind": "wavelet"}, {"channels": {4: 8}}])
def test_impossible_shapes_are_refused(wrong):
    with pytest.raises(UserError):
        Architecture(**wrong)
