"""Two real fine-tunes of the built-in network, mixed (SPEC2 M.3): made here, in 100 steps each at 32 px, of a world that is mirrored and of other colours."""
import copy

import pytest
import torch

from engine import checkpoints, mixing, rewriting
from engine.directions.statistics import sample_w
from engine.projection.losses import find_pyramid, measure_psnr
from engine.rewriting.difference import find_difference
from engine.rewriting.wanted import Drawing
from engine.world import MASKS

SIZE, STEPS, BATCH, RATE = 32, 100, 8, 0.012
pytestmark = pytest.mark.slow


def draw_turned(z):
    """The new world: mirrored, its colours turned by a third of the circle."""
    return MASKS.draw(z, SIZE).flip(3).roll(1, 1)


@pytest.fixture(scope="module")
def base():
    return checkpoints.load("presets/masks/generator.safetensors").eval()


def tune(base, seed):
    """The network after 100 steps on the new world, all of its convolutions free."""
    tuned = copy.deepcopy(base)
    learnt = [tuned.weights(layer).requires_grad_(True) for layer in tuned.layers if tuned.architecture.resolution_of(layer) <= SIZE]
    adam, drawing = torch.optim.Adam(learnt, RATE), Drawing(tuned, SIZE)
    for step in range(STEPS):
        z, w = sample_w(base, BATCH, 1000 * seed + step)
        loss = find_pyramid(drawing(w[:, None].expand(-1, tuned.num_ws, -1)), draw_turned(z)).mean()
        adam.zero_grad()
        loss.backward()
        adam.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        adam.step()
    return tuned.requires_grad_(False)


@pytest.fixture(scope="module")
def tuned(base):
    return tune(base, 1), tune(base, 2)


@torch.no_grad()
def measure(network, turned=True):
    """The PSNR of unseen pictures against the new world, or the old one."""
    z, w = sample_w(network, 24, 77)
    drawn = draw_turned(z) if turned else MASKS.draw(z, SIZE)
    return float(measure_psnr(Drawing(network, SIZE)(w[:, None].expand(-1, network.num_ws, -1)).clamp(-1, 1), drawn).mean())


def mix(base, other, amount):
    """The weights on the way from one network to the other, as a fader of /weights has them."""
    made, there = copy.deepcopy(base), other.state_dict()
    made.load_state_dict({name: torch.lerp(tensor, there[name], amount) if tensor.is_floating_point() else tensor for name, tensor in base.state_dict().items()})
    return made


def test_on_the_way_there_is_no_ditch(base, tuned):
    way = [mix(base, tuned[0], amount) for amount in (0.0, 0.25, 0.5, 0.75, 1.0)]
    new, old = [measure(one) for one in way], [measure(one, turned=False) for one in way]
    assert new == sorted(new) and old == sorted(old, reverse=True) and new[-1] > new[0] + 3, (new, old)


def test_a_soup_is_as_good_as_its_better_member(base, tuned):
    assert measure(mixing.average(tuned)) >= max(map(measure, tuned)) - 0.3


def test_a_fine_tune_as_an_edit(base, tuned):
    """At full rank it is the fine-tune; at rank 16 it keeps four fifths of what that gained."""
    whole, few = (rewriting.apply(base, [(find_difference(base, tuned[0], "turned", rank=rank), 1.0)]) for rank in (512, 16))
    for layer in base.layers:
        assert torch.allclose(whole.weights(layer), tuned[0].weights(layer), atol=1e-4)
    start = measure(base)
    assert measure(few) - start >= 0.8 * (measure(tuned[0]) - start)


def test_parent_and_child_are_relatives(base, tuned):
    assert mixing.are_relatives(base, tuned[0]) and mixing.are_relatives(*tuned)
