"""What every transform promises, over the registry; the published ones against a slow reference of their own."""
import pathlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies

from engine.bends import RESERVED, TRANSFORMS, transform
from engine.parameter import Parameter
from engine.region import Region
from tests.engine import bends_reference as reference

PUBLISHED = ("ablate", "invert", "scalar_multiply", "binary_threshold", "flip_h", "flip_v", "translate", "scale", "rotate", "erode", "dilate")
IDENTITY = {
    "translate": dict(right=0.0, down=0.0), "scale": dict(factor=1.0), "scalar_multiply": dict(factor=1.0),
    "erode": dict(radius=0), "dilate": dict(radius=0), "blur": dict(radius=0.0), "sharpen": dict(amount=0.0, radius=0.1),
    "shear": dict(across=0.0, along=0.0), "swirl": dict(angle=0.0, radius=0.5), "tile": dict(across=1.0, down=1.0),
    "wave": dict(amount=0.0, count=3.0, phase=0.0), "scroll": dict(right=0.0, down=0.0), "gate": dict(threshold=0.0),
    "grow": dict(amount=0.0), "magnet": dict(amount=0.0), "smear": dict(length=0.0, angle=90.0),
    "power": dict(exponent=1.0), "noise": dict(amount=0.0, seed=1), "roll": dict(steps=0),
}
each = pytest.mark.parametrize("t", TRANSFORMS.values(), ids=lambda t: t.name)
dtypes = pytest.mark.parametrize("dtype", (torch.float32, torch.float16), ids=("fp32", "fp16"))


def maps(n=2, k=3, height=8, width=6, dtype=torch.float32, seed=0):
    return torch.randn(n, k, height, width, generator=torch.Generator().manual_seed(seed)).to(dtype)


def defaults(t):
    return {name: p.default for name, p in t.settings.items()}


def at(t, position):
    return {name: p.plain(position) for name, p in t.settings.items()}


def given_besides(t, x):
    """What a show would give it: the frame before, another seed's activations."""
    besides = {"previous": torch.roll(x, 1, 0) + 1, "other": x[:1] * 2, "place": region_at(0.2, -0.1), "target": region_at(-0.3, 0.3)}
    return {name: besides[name] for name in t.wants}


def region_at(right, down):
    """A round place of a map."""
    centre = torch.tensor([[[right, down]]])
    return Region(centre, torch.tensor([[[9.0, 0.0, 9.0]]]), torch.full((1, 1), 1 / 3), home=centre * 0.5)


def apply(name, x, **values):
    return TRANSFORMS[name].function(x, **values)


@each
@dtypes
def test_keeps_shape_type_and_input(t, dtype):
    for shape in ((2, 3, 8, 6), (1, 1, 4, 4), (1, 5, 1, 1), (1, 2, 16, 16)):
        x = maps(*shape, dtype=dtype)
        before = x.clone()
        y = t.function(x, **defaults(t), **given_besides(t, x))
        assert y.shape == x.shape and y.dtype == dtype and torch.equal(x, before)


@each
@dtypes
def test_is_finite_over_its_whole_range(t, dtype):
    x = maps(dtype=dtype) * 4
    for position in (0.0, 0.03, 0.25, 0.5, 0.77, 1.0):
        assert t.function(x, **at(t, position), **given_besides(t, x)).isfinite().all(), position


@each
def test_a_batch_is_its_samples(t):
    x = maps(3)
    for position in (0.2, 0.7):
        besides = given_besides(t, x)
        whole = t.function(x, **at(t, position), **besides)
        for n in range(3):
            own = {name: value if isinstance(value, Region) or len(value) == 1 else value[n:n + 1] for name, value in besides.items()}
            assert torch.allclose(whole[n:n + 1], t.function(x[n:n + 1], **at(t, position), **own), atol=1e-6)


@each
def test_layout_of_memory_does_not_matter(t):
    x = maps(2, 6, 8, 8)
    y = t.function(x, **at(t, 0.6), **given_besides(t, x))
    z = t.function(x.contiguous(memory_format=torch.channels_last), **at(t, 0.6), **given_besides(t, x))
    assert torch.allclose(y, z, atol=1e-5)


@each
def test_settings_may_be_tensors(t):
    """As a captured pass wants them: 0-d, on the device, whatever is not static."""
    x = maps()
    for position in (0.3, 0.5, 0.8):
        numbers = at(t, position)
        tensors = {name: value if name in t.static else torch.tensor(float(value)) for name, value in numbers.items()}
        y, z = t.function(x, **numbers, **given_besides(t, x)), t.function(x, **tensors, **given_besides(t, x))
        assert (y - z).abs().max() < 2e-3 or t.name in ("pixelate", "posterize")      # they jump at a rounding error


@each
def test_is_documented(t):
    assert t.about and t.about[0].isupper()
    assert all(p.about for p in t.settings.values())
    assert set(t.static) <= set(t.settings) and not set(t.settings) & set(RESERVED)


@pytest.mark.parametrize("name", IDENTITY)
def test_settings_that_change_nothing_give_the_very_same_tensor(name):
    x = maps()
    assert apply(name, x, **IDENTITY[name]) is x
    tensors = {k: v if k in TRANSFORMS[name].static else torch.tensor(float(v)) for k, v in IDENTITY[name].items()}
    assert torch.equal(apply(name, x, **tensors), x)


@pytest.mark.parametrize("angle", (0, 360, -360, 720))
def test_a_whole_turn_is_none(angle):
    x = maps()
    assert apply("rotate", x, angle=angle) is x


def test_there_are_the_published_ones_and_more():
    assert set(PUBLISHED) <= set(TRANSFORMS) and len(TRANSFORMS) >= len(PUBLISHED) + 8


def test_a_transform_must_declare_what_it_takes():
    with pytest.raises(TypeError, match="declares"):
        @transform(amount=Parameter())
        def wrong(x, factor):
            """Wrong."""
    with pytest.raises(TypeError, match="has 'mix' already"):
        @transform(mix=Parameter())
        def clash(x, mix):
            """Clash."""


# --- algebra ---------------------------------------------------------------------------------------------------------

def test_flips_and_inversions_undo_themselves():
    x = maps()
    for name in ("flip_h", "flip_v"):
        assert torch.equal(apply(name, apply(name, x)), x)
    assert torch.allclose(apply("invert", apply("invert", x)), x, atol=1e-6)
    assert torch.equal(apply("invert", x), 1 - x)
    assert torch.equal(apply("flip_h", x), x[..., torch.arange(5, -1, -1)])
    assert torch.equal(apply("flip_v", x), x[..., torch.arange(7, -1, -1), :])


def test_ablating_is_multiplying_by_nothing():
    x = maps()
    assert torch.equal(apply("ablate", x), apply("scalar_multiply", x, factor=0.0).abs())
    assert torch.equal(apply("ablate", torch.full((1, 1, 2, 2), torch.inf)), torch.zeros(1, 1, 2, 2))


def test_threshold_is_strict():
    x = torch.tensor([[[[0.5, 0.5000001, 0.4, -1.0]]]])
    assert apply("binary_threshold", x, threshold=0.5).tolist() == [[[[0.0, 1.0, 0.0, 0.0]]]]


# --- morphology ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("radius", (1, 2, 3, 4))
@pytest.mark.parametrize("shape", ((16, 16), (5, 9), (2, 3), (1, 7)), ids=str)
def test_morphology_is_exact(radius, shape):
    x = maps(1, 2, *shape, seed=radius)
    for name, slow in (("dilate", reference.dilated), ("erode", reference.eroded)):
        y = apply(name, x, radius=radius)[0].numpy()
        for k in range(2):
            assert np.array_equal(y[k], slow(x[0, k].numpy(), radius)), name
    assert torch.equal(apply("dilate", -x, radius=radius), -apply("erode", x, radius=radius))


def test_morphology_beyond_the_map_is_its_extreme():
    x = maps(1, 2, 4, 6)
    assert torch.equal(apply("dilate", x, radius=16), x.amax((2, 3), keepdim=True).expand_as(x))
    assert torch.equal(apply("erode", x, radius=16.4), x.amin((2, 3), keepdim=True).expand_as(x))
    assert torch.equal(apply("dilate", x, radius=1.4), apply("dilate", x, radius=1))


@given(strategies.integers(0, 9), strategies.integers(1, 12), strategies.integers(1, 12), strategies.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_morphology_is_monotonous(radius, height, width, seed):
    x = maps(1, 1, height, width, seed=seed)
    wide, narrow = apply("dilate", x, radius=radius + 1), apply("dilate", x, radius=radius)
    assert (wide >= narrow).all() and (narrow >= x).all()


# --- moving maps about -----------------------------------------------------------------------------------------------

SPOT = torch.zeros(1, 1, 9, 9)
SPOT[0, 0, 4, 6] = 1.0              # right of the middle


def place(x):
    """(row, column) of the brightest pixel."""
    return divmod(int(x.argmax()), x.shape[3])


def test_directions():
    assert place(SPOT) == (4, 6)
    assert place(apply("translate", SPOT, right=1 / 9, down=0.0)) == (4, 7)
    assert place(apply("translate", SPOT, right=0.0, down=2 / 9)) == (6, 6)
    assert place(apply("rotate", SPOT, angle=90.0)) == (2, 4)          # counter-clockwise: from the right to the top
    assert place(apply("scale", SPOT, factor=2.0)) == (4, 8)
    assert place(apply("scale", SPOT, factor=-1.0)) == (4, 2)
    assert place(apply("shear", torch.rot90(SPOT, 1, (2, 3)), across=1.0, along=0.0)) == (2, 6)
    assert place(apply("scroll", SPOT, right=4 / 9, down=0.0)) == (4, 1)
    assert place(apply("mirror", SPOT.flip(-1), angle=0.0)) in ((4, 2), (4, 6))
    assert place(apply("swirl", SPOT, angle=90.0, radius=1.0))[0] < 4


@pytest.mark.parametrize("shape", ((16, 16), (8, 12)), ids=str)
@pytest.mark.parametrize("name, values, forward", [
    ("translate", dict(right=0.23, down=-0.4), lambda w, h: [[1, 0, 0.23 * w], [0, 1, -0.4 * h]]),
    ("rotate", dict(angle=33.0), lambda w, h: reference.turned_and_zoomed(33.0, 1, ((w - 1) / 2, (h - 1) / 2))),
    ("rotate", dict(angle=-90.0), lambda w, h: reference.turned_and_zoomed(-90.0, 1, ((w - 1) / 2, (h - 1) / 2))),
    ("scale", dict(factor=1.7), lambda w, h: reference.turned_and_zoomed(0.0, 1.7, ((w - 1) / 2, (h - 1) / 2))),
    ("scale", dict(factor=-0.6), lambda w, h: reference.turned_and_zoomed(0.0, -0.6, ((w - 1) / 2, (h - 1) / 2))),
])
def test_affine_about_the_true_centre(name, values, forward, shape):
    x = maps(1, 1, *shape)
    y = apply(name, x, **values)[0, 0].double().numpy()
    assert np.allclose(y, reference.warped(x[0, 0].double().numpy(), forward(shape[1], shape[0])), atol=2e-5)


@pytest.mark.parametrize("name, values, forward", [
    ("translate", dict(right=0.5, down=-0.2), [[1, 0, 8], [0, 1, -3.2]]),
    ("translate", dict(right=0.04, down=0.0), [[1, 0, 0.64], [0, 1, 0]]),
    ("rotate", dict(angle=45.0), reference.turned_and_zoomed(45.0, 1, (8, 8))),
    ("rotate", dict(angle=180.0), reference.turned_and_zoomed(180.0, 1, (8, 8))),
    ("scale", dict(factor=1.2), reference.turned_and_zoomed(0.0, 1.2, (8, 8))),
    ("scale", dict(factor=-2.0), reference.turned_and_zoomed(0.0, -2.0, (8, 8))),
    ("scale", dict(factor=0.0), reference.turned_and_zoomed(0.0, 0.0, (8, 8))),
])
def test_opencv_geometry(name, values, forward):
    x = maps(1, 1, 16, 16)
    y = apply(name, x, **values, opencv_geometry=True)[0, 0].double().numpy()
    assert np.allclose(y, reference.warped(x[0, 0].double().numpy(), forward, quantised=True), atol=1e-5)


def test_opencv_geometry_is_half_a_pixel_off():
    x = maps(1, 1, 8, 8).abs() + 1
    theirs, ours = (apply("rotate", x, angle=180.0, opencv_geometry=flag)[0, 0] for flag in (True, False))
    assert (theirs[0] == 0).all() and (theirs[:, 0] == 0).all()         # the zero row and column of the published tool
    assert torch.allclose(ours, x[0, 0].flip(0, 1), atol=1e-5)
    assert apply("scale", x, factor=1.0, opencv_geometry=True) is x
    assert torch.allclose(apply("rotate", x, angle=90.0), torch.rot90(x, 1, (2, 3)), atol=1e-5)


def test_a_scale_of_nothing_leaves_nothing():
    assert (apply("scale", maps(1, 1, 8, 8), factor=0.0) == 0).all()


# --- the others ------------------------------------------------------------------------------------------------------

def test_scrolling_by_pixels_is_a_roll():
    x = maps(1, 2, 8, 8)
    assert torch.allclose(apply("scroll", x, right=0.25, down=0.875), torch.roll(x, (7, 2), (2, 3)), atol=1e-5)


def test_mirror_and_tile_have_their_symmetry():
    x = maps(1, 2, 8, 8)
    y = apply("mirror", x, angle=0.0)
    assert torch.allclose(y, y.flip(-1), atol=1e-5) and torch.allclose(y[..., :4], x[..., :4], atol=1e-5)
    z = apply("mirror", x, angle=90.0)
    assert torch.allclose(z, z.flip(-2), atol=1e-5) and torch.allclose(z[..., 4:, :], x[..., 4:, :], atol=1e-5)
    y = apply("tile", maps(1, 2, 12, 12), across=3.0, down=1.0)
    assert torch.allclose(y[..., :4], y[..., 4:8].flip(-1), atol=1e-5) and torch.allclose(y[..., 8:], y[..., :4], atol=1e-5)


def test_kaleidoscope_repeats():
    x = maps(1, 1, 9, 9)
    y = apply("kaleidoscope", x, segments=4, angle=10.0)
    assert torch.allclose(y, torch.rot90(y, 1, (2, 3)), atol=1e-4)


def test_blur_keeps_the_mean_of_a_flat_map_and_lowers_the_spread():
    flat = torch.full((1, 1, 8, 8), 3.0)
    assert torch.allclose(apply("blur", flat, radius=0.2), flat, atol=1e-5)
    x = maps(1, 1, 16, 16)
    spreads = [float(apply("blur", x, radius=r).std()) for r in (0.0, 0.03, 0.1, 0.3)]
    assert spreads == sorted(spreads, reverse=True)
    assert apply("sharpen", x, amount=2.0, radius=0.05).std() > x.std()


def test_noise_shuffle_and_roll_are_seeded():
    x = maps(2, 6)
    assert torch.equal(apply("noise", x, amount=1.0, seed=3), apply("noise", x, amount=1.0, seed=3))
    assert not torch.equal(apply("noise", x, amount=1.0, seed=3), apply("noise", x, amount=1.0, seed=4))
    y = apply("shuffle", x, seed=5)
    assert torch.equal(y, apply("shuffle", x, seed=5))
    assert torch.equal(y.sort(1).values, x.sort(1).values)
    assert torch.equal(apply("roll", x, steps=-1), x[:, [1, 2, 3, 4, 5, 0]])


def test_feedback_remembers_and_graft_borrows():
    x, before = maps(1), maps(1, seed=1)
    settled = dict(zoom=1.0, angle=0.0)
    assert apply("feedback", x, amount=0.5, **settled) is x                            # nothing before it: the first frame
    assert torch.allclose(apply("feedback", x, amount=1.0, **settled, previous=before), before, atol=1e-5)
    assert torch.allclose(apply("feedback", x, amount=0.25, **settled, previous=before), torch.lerp(x, before, 0.25), atol=1e-5)
    assert apply("feedback", x, amount=1.0, **settled, previous=before[:, :1]) is x    # another cluster's: not for this one
    assert torch.equal(apply("graft", maps(2), seed=1, other=before), before.expand(2, -1, -1, -1))


def test_the_page_names_every_transform_and_setting():
    page = (pathlib.Path(__file__).parents[2] / "docs" / "bending.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for t in TRANSFORMS.values():
        assert t.name in rows and t.about in rows[t.name] and all(f"`{name}`" in rows[t.name] for name in t.settings), t.name
