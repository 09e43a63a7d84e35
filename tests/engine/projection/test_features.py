"""Distances by networks of users' files, of random weights in the published layouts: beside slow references; what is refused, and how it is said."""
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from engine.checkpoints.judges import CONVOLUTIONS, WIDTHS, read_discriminator
from engine.errors import UserError
from engine.projection.features import make_discriminator_loss, make_vgg_loss
from engine.projection.find import Projector
from tests.conftest import tiny
from tests.engine.checkpoint_files import rosinality_state, write_nvlabs

SIDE = 16                            # px of the discriminators


def pictures(count=2, size=SIDE, seed=1):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def discriminator_state(channels=(4, 6, 8), seed=0) -> dict:
    """NVIDIA's names of a residual discriminator of 16 px: channels at 16, 8 and 4 px."""
    drawn = torch.Generator().manual_seed(seed)
    normal = lambda *shape: torch.randn(*shape, generator=drawn)
    state = {"b16.fromrgb.weight": normal(channels[0], 3, 1, 1), "b16.fromrgb.bias": normal(channels[0])}
    for r, here, there in ((16, channels[0], channels[1]), (8, channels[1], channels[2])):
        state |= {f"b{r}.conv0.weight": normal(here, here, 3, 3), f"b{r}.conv0.bias": normal(here), f"b{r}.conv1.weight": normal(there, here, 3, 3),
                  f"b{r}.conv1.bias": normal(there), f"b{r}.skip.weight": normal(there, here, 1, 1)}
    return state | {"b4.conv.weight": normal(8, 9, 3, 3), "b4.fc.weight": normal(8, 128), "b4.out.weight": normal(1, 8)}


def to_rosinality(state) -> dict:
    """The same with rosinality's names."""
    found = {"convs.0.0.weight": state["b16.fromrgb.weight"], "convs.0.1.bias": state["b16.fromrgb.bias"], "final_conv.0.weight": state["b4.conv.weight"]}
    for n, r in ((1, 16), (2, 8)):
        found |= {f"convs.{n}.conv1.0.weight": state[f"b{r}.conv0.weight"], f"convs.{n}.conv1.1.bias": state[f"b{r}.conv0.bias"],
                  f"convs.{n}.conv2.1.weight": state[f"b{r}.conv1.weight"], f"convs.{n}.conv2.2.bias": state[f"b{r}.conv1.bias"],
                  f"convs.{n}.skip.1.weight": state[f"b{r}.skip.weight"], f"convs.{n}.conv2.0.kernel": torch.ones(4, 4) / 16}
    return found


def see_slowly(x, state):
    """The blocks' maps by the published formulas, in plain steps: weights scaled at run time, the low-pass as a loop, leaky ReLU * sqrt 2."""
    def low_pass(x, pad):
        taps, x = torch.tensor([1.0, 3, 3, 1]) / 8, F.pad(x, (pad,) * 4)
        height, width = x.shape[2] - 3, x.shape[3] - 3
        return sum(taps[i] * taps[j] * x[:, :, i:i + height, j:j + width] for i in range(4) for j in range(4))

    act = lambda y: torch.where(y < 0, 0.2 * y, y) * 2 ** 0.5
    scaled = lambda name: state[f"{name}.weight"] / state[f"{name}.weight"][0].numel() ** 0.5
    bias = lambda name: state[f"{name}.bias"].view(1, -1, 1, 1)
    x, found = act(F.conv2d(x, scaled("b16.fromrgb")) + bias("b16.fromrgb")), []
    for r in (16, 8):
        y = F.conv2d(low_pass(x, 1), scaled(f"b{r}.skip"), stride=2)
        x = act(F.conv2d(x, scaled(f"b{r}.conv0"), padding=1) + bias(f"b{r}.conv0"))
        x = act(F.conv2d(low_pass(x, 2), scaled(f"b{r}.conv1"), stride=2) + bias(f"b{r}.conv1"))
        x = (x + y) / 2 ** 0.5
        found.append(x)
    return found


@pytest.fixture(params=["nvidia", "rosinality"])
def judged(request, tmp_path):
    """A file that holds a discriminator beside a generator."""
    state = discriminator_state()
    if request.param == "nvidia":
        return write_nvlabs(tmp_path / "net.pkl", tiny(), judge=state)
    torch.save({"g": rosinality_state(tiny()), "d": to_rosinality(state), "g_ema": rosinality_state(tiny())}, tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_a_discriminator_beside_the_generator(judged):
    a, b = pictures(), pictures(seed=2)
    state, resolution = read_discriminator(judged)
    assert resolution == 16 and not [name for name in state if name.startswith("b4.")]
    wanted = sum((x - y).abs().mean((1, 2, 3)) for x, y in zip(see_slowly(a, discriminator_state()), see_slowly(b, discriminator_state()))) / 2
    loss = make_discriminator_loss(judged)
    assert torch.allclose(loss(a, b), wanted, rtol=1e-4) and (loss(b, b) == 0).all() and loss(pictures(size=32), pictures(size=32, seed=2)).shape == (2,)


def test_it_is_projected_by_it(judged):
    projector = Projector(tiny(), 32, make_discriminator_loss(judged))
    found = projector.project(pictures(1, 40), 3)
    assert projector.loss_name == "discriminator" and found.ws.isfinite().all()


def break_state(state, **changes):
    return {name: tensor for name, tensor in (state | changes).items() if tensor is not None}


@pytest.mark.parametrize("state, told", [
    ({"a": torch.zeros(3)}, "no discriminator in it; NVIDIA's .pkl"), (break_state(discriminator_state(), **{"b8.skip.weight": None}), "no fitting b8.skip.weight"),
    (break_state(discriminator_state(), **{"b8.conv0.weight": None, "b8.conv1.weight": None, "b8.skip.weight": None, "b8.conv0.bias": None, "b8.conv1.bias": None}),
     r"blocks at \[16\] px"), (break_state(discriminator_state(), **{"b16.conv1.bias": torch.full((6,), float("nan"))}), "NaN or infinity"),
    (break_state(discriminator_state(), **{"b16.fromrgb.weight": torch.zeros(4, 1, 1, 1)}), "no layer that sees RGB")])
def test_files_without_one_say_so(tmp_path, state, told):
    torch.save({"d": state}, tmp_path / "net.pt")
    with pytest.raises(UserError, match=f"net.pt: .*{told}"):
        make_discriminator_loss(tmp_path / "net.pt")


class Published(nn.Module):
    """VGG16 as torchvision lays it out."""

    def __init__(self):
        super().__init__()
        layers, inputs = [], 3
        for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()] if width else [nn.MaxPool2d(2)]
            inputs = width or inputs
        self.features = nn.Sequential(*layers)


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """(the network, its file, the file of its heads, the heads)."""
    folder = tmp_path_factory.mktemp("vgg")
    torch.manual_seed(0)
    network = Published().eval().requires_grad_(False)
    torch.save(network.state_dict() | {"classifier.0.bias": torch.zeros(4)}, folder / "vgg16.pth")
    heads = {f"lin{n}.model.1.weight": torch.rand(1, width, 1, 1) for n, width in enumerate((64, 128, 256, 512, 512))}
    torch.save(heads, folder / "heads.pth")
    return network, folder / "vgg16.pth", folder / "heads.pth", list(heads.values())


def measure_slowly(network, a, b, heads=None):
    """LPIPS as published, one map after the other."""
    def see(x):
        x, found = ((x + 1) / 2 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), []
        for n, layer in enumerate(network.features):
            x = layer(x)
            if n in (3, 8, 15, 22, 29):
                found.append(x / (x.norm(dim=1, keepdim=True) + 1e-10))
        return found
    parts = [(x - y) ** 2 for x, y in zip(see(a), see(b))]
    return sum((part * (heads[n] if heads else 1)).sum(1).mean((1, 2)) for n, part in enumerate(parts))


def test_vgg_and_its_heads(vgg):
    network, file, heads_file, heads = vgg
    assert [n for n, layer in enumerate(network.features) if isinstance(layer, nn.Conv2d)] == list(CONVOLUTIONS)
    a, b = pictures(2, 32), pictures(2, 32, 2)
    plain, weighed = make_vgg_loss(file), make_vgg_loss(file, heads_file)
    assert torch.allclose(plain(a, b), measure_slowly(network, a, b), rtol=2e-3) and plain.name == "vgg"
    assert torch.allclose(weighed(a, b), measure_slowly(network, a, b, heads), rtol=2e-3) and weighed.name == "lpips"
    x = b.clone().requires_grad_(True)
    weighed(x, a).sum().backward()
    assert x.grad.isfinite().all() and (weighed(a, a) < 1e-6).all() and plain(pictures(1, 8), pictures(1, 8, 2)).isfinite().all()


@pytest.mark.parametrize("make, told", [
    (lambda p: torch.jit.save(torch.jit.trace(nn.ReLU(), torch.zeros(1)), p), "TorchScript program or pickled code, which is not run; give torchvision's vgg16"),
    (lambda p: torch.save(nn.Linear(2, 2), p), "which is not run"), (lambda p: torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, p), r"features.0 is \[64, 3, 3, 3\]"),
    (lambda p: torch.save({f"features.{n}.weight": torch.zeros(2) for n in range(4)}, p), r"features.0 is \[2\], expected \[64, 3, 3, 3\]"),
    (lambda p: p.write_bytes(b"no"), "x.pth: "), (lambda p: np.savez(p.open("wb"), a=np.zeros(3)), "not a VGG16: features.0 is not there"), (lambda p: None, "x.pth: can't be read")])
def test_files_that_are_no_vgg(tmp_path, make, told):
    make(tmp_path / "x.pth")
    with pytest.raises(UserError, match=told) as error:
        make_vgg_loss(tmp_path / "x.pth")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("heads, told", [({}, "which is not run"), ({"lin0.model.1.weight": torch.zeros(1, 64, 1, 1)}, "lin1.model.1.weight is not there"),
                                         ({f"lin{n}.model.1.weight": torch.full((1, w, 1, 1), -1.0) for n, w in enumerate((64, 128, 256, 512, 512))}, "negative numbers")])
def test_files_that_are_no_heads(vgg, tmp_path, heads, told):
    torch.save(heads, tmp_path / "heads.pth")
    with pytest.raises(UserError, match=told):
        make_vgg_loss(vgg[1], tmp_path / "heads.pth")


def test_widths_are_those_of_vgg16(vgg):
    assert tuple(layer.out_channels for layer in vgg[0].features if isinstance(layer, nn.Conv2d)) == WIDTHS
