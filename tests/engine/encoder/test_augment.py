"""What befalls pictures on their way through a camera: shape, range, strength 0, a seed; and JPEG against Pillow."""
import io

import numpy as np
import pytest
import torch
from PIL import Image

from engine.encoder import augment
from engine.world import MASKS

EVERY = augment.SEEN | {"place": augment.place, "camera": augment.camera}


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(height=40, width=40, count=3):
    return torch.rand(count, 3, height, width, generator=source(7)) * 2 - 1


@pytest.mark.parametrize("size", [(40, 40), (17, 33), (1, 1), (64, 16)])
@pytest.mark.parametrize("change", EVERY.values(), ids=EVERY)
def test_shape_range_and_seed(change, size):
    x = pictures(*size)
    kept = x.clone()
    for strength in (0.3, 1.0, 2.0):
        y = change(x, strength, source())
        assert y.shape == x.shape and y.dtype == x.dtype and y.isfinite().all()
        assert y.min() >= -1.001 and y.max() <= 1.001
        assert torch.equal(y, change(x, strength, source()))
    assert torch.equal(x, kept)
    if size == (40, 40):
        assert not torch.equal(y, change(x, strength, source(1)))
        assert not torch.equal(y[0] - x[0], y[1] - x[1])


@pytest.mark.parametrize("name", ["place", "colour", "blur", "noise", "occlusion"])
def test_strength_zero_changes_nothing(name):
    x = pictures()
    assert torch.allclose(EVERY[name](x, 0.0, source()), x, atol=1e-4)


def test_place_moves_as_it_says():
    """A turn keeps lengths on a picture that is not square, and the target moves with what is seen."""
    x = torch.zeros(1, 3, 32, 96) - 1
    x[:, :, 14:18, 20:76] = 1
    y = augment.place(x.expand(40, -1, -1, -1), 1.0, source())
    areas = (y + 1).sum((1, 2, 3)) / (x + 1).sum()
    assert 0.5 < areas.min() and areas.max() < 1.6 and areas.std() > 0.03
    assert torch.equal(y, augment.place(x.expand(40, -1, -1, -1), 1.0, source()))


def test_some_pictures_stay_clean():
    x = pictures(16, 16, 200)
    same = (augment.camera(x, 1.0, source()) == x).all(3).all(2).all(1)
    assert 40 < same.sum() < 90
    assert (augment.camera(x, 1.0, source(), clean=1.0) == x).all()


def test_occlusion_hides_a_rectangle_of_one_colour():
    x = pictures(64, 64, 20)
    changed = (augment.occlusion(x, 1.0, source()) != x).any(1)
    assert 0 < changed.float().mean() < 0.12
    for hidden, y in zip(changed, augment.occlusion(x, 1.0, source())):
        rows, columns = hidden.any(1).sum(), hidden.any(0).sum()
        assert hidden.sum() == rows * columns
        assert y[:, hidden].std(1).max() < 1e-6 if hidden.any() else True


@pytest.mark.parametrize("quality", [20, 50, 85])
def test_jpeg_loses_what_jpeg_loses(quality):
    """Not the same bits as libjpeg, but as near to the picture, and nearer to libjpeg's result than that is to the picture."""
    x = MASKS.draw(torch.randn(2, 64, generator=source(3)), 96)
    ours = augment.jpeg(x, quality)
    for one, made in zip(x, ours):
        pixels = ((one.permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        theirs = np.asarray(Image.open(file)) / 127.5 - 1
        made, one = made.permute(1, 2, 0).numpy(), one.permute(1, 2, 0).numpy()
        lost = np.abs(theirs - one).mean()
        assert 0.6 * lost < np.abs(made - one).mean() < 1.4 * lost
        assert np.abs(made - theirs).mean() < lost


def test_jpeg_keeps_a_flat_picture():
    assert torch.allclose(augment.jpeg(torch.full((1, 3, 10, 20), 0.2), 90), torch.full((1, 3, 10, 20), 0.2), atol=0.03)
