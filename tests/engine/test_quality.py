"""A picture that was drawn smaller, enlarged to the size that is shown: in C and by torch, against float64."""
import pytest
import torch
from torch.nn import functional as F

from engine import quality
from tests.engine.ways import WAYS, take_way


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    return take_way(request.param, monkeypatch, quality)


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def draw(height, width):
    return torch.randint(256, (height, width, 3), generator=torch.Generator().manual_seed(height * width), dtype=torch.uint8)


def enlarged(small, height, width):
    """The picture in float64, before it is rounded."""
    return F.interpolate(small.permute(2, 0, 1)[None].double(), size=(height, width), mode="bilinear", align_corners=False)[0].permute(1, 2, 0)


@pytest.mark.parametrize("small, shown", [((4, 4), (16, 16)), ((1, 1), (4, 4)), ((8, 12), (16, 24)), ((64, 192), (256, 768)), ((5, 7), (20, 28)), ((16, 16), (24, 24)),
                                          ((9, 8), (17, 20)), ((6, 5), (12, 10))], ids=str)
def test_it_is_bilinear(way, threads, small, shown):
    picture, out = draw(*small), torch.zeros(*shown, 3, dtype=torch.uint8)
    around = torch.zeros(shown[0] + 2, shown[1], 3, dtype=torch.uint8)
    quality.enlarge(picture, out)
    assert (out.double() - enlarged(picture, *shown)).abs().max() <= (0.51 if way == "compiled" and shown[1] % 4 == 0 else 1.01)
    quality.enlarge(picture, around[1:-1])
    assert torch.equal(around[1:-1], out) and not around[0].any() and not around[-1].any()


def test_what_lies_otherwise_in_memory(way):
    picture, out = draw(16, 8).transpose(0, 1), torch.zeros(16, 64, 3, dtype=torch.uint8)[:, ::2]
    quality.enlarge(picture, out)
    assert (out.double() - enlarged(picture, 16, 32)).abs().max() <= 1.01


def test_white_stays_white_and_black_black(way):
    out = torch.full((12, 16, 3), 7, dtype=torch.uint8)
    for level in (0, 255):
        quality.enlarge(torch.full((3, 4, 3), level, dtype=torch.uint8), out)
        assert (out == level).all()
