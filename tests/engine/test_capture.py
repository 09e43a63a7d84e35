"""What a GPU captures, with the meta device in its place: nothing in it may meet a tensor of the CPU, or ask for a number.

Either would end a capture on a GPU. Each case is drawn once, as the warm-up before a capture does, and looked at the second time.
"""
import traceback

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.bending import Bend
from engine.bends import TRANSFORMS, Transform
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.graphs import Programs
from engine.fast.plumbing import Twin
from engine.generator import Generator
from tests.engine.test_fast import A64

ASKING = ("_local_scalar_dense", "nonzero", "repeat_interleave", "is_nonzero", "unique")        # they wait for the device


class Crossings(TorchDispatchMode):
    """Notes every operation that a capture would not survive, and where in engine/ it was called."""

    def __init__(self):
        super().__init__()
        self.found, self.count = [], 0

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        out = function(*arguments, **named or {})
        self.count += 1
        kinds = {t.device.type for t in tree_leaves((arguments, named, out)) if isinstance(t, torch.Tensor)}
        if "cpu" in kinds or any(word in str(function) for word in ASKING):
            self.found.append((str(function), [f"{line.filename}:{line.lineno}" for line in traceback.extract_stack() if "/engine/" in line.filename][-2:]))
        return out


@pytest.fixture(scope="module")
def generator():
    with torch.device("meta"):
        made = Generator(A64).eval().requires_grad_(False)
    for parameter in made.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return made


@pytest.fixture(autouse=True)
def rows_of_known_length(monkeypatch, generator):
    """The meta device can't repeat by numbers it does not have; this is done when weights move, not in a capture."""
    monkeypatch.setattr(torch.Tensor, "repeat_interleave", lambda rows, times: torch.zeros(int(SIZES[0]), dtype=torch.long, device="meta"))
    monkeypatch.setattr(torch, "tensor", lambda data, *a, tensor=torch.tensor, **named: _count(data) or tensor(data, *a, **named))


SIZES = [0]


def _count(data):
    """Remember how many styles there are: the only list of numbers that is made into a tensor when weights have moved."""
    if isinstance(data, list) and all(isinstance(n, int) for n in data):
        SIZES[0] = sum(data)


@pytest.fixture(scope="module")
def renderers(generator):
    """renderers(size, half): one that has followed its weights, made once."""
    made = {}

    def of(size=64, half=False):
        if (size, half) not in made:
            machine = Twin("meta")
            made[size, half] = GraphRenderer(generator, size, half, machine=machine, programs=Programs(machine, start=lambda job: None))
            with torch.no_grad():
                made[size, half]._follow_weights()
        return made[size, half]

    return of


def crossings(body):
    """Return what a capture of body() would not survive."""
    with torch.no_grad():
        body()
        with Crossings() as noted:
            body()
    assert noted.count
    return noted.found


def frame(renderer, noise="const", splice=None, watched=()):
    renderer.watch(watched)
    for name in splice or {}:
        renderer.live.add(("splice", name))
        shape = 1, renderer.generator.channels(name), *renderer.convs[name].size
        renderer.splices[name] = torch.zeros(shape, device="meta").contiguous(memory_format=torch.channels_last)
    return crossings(lambda: renderer._body(noise, [], tuple((splice or {}).items()), None, dict(renderer.seen), renderer.scratch))


def bent(renderer, layer, channels, name, mix, kind):
    """Return the crossings of one bend: its layer's maps and the picture below it."""
    size = renderer.convs[layer].size
    x = torch.zeros(1, renderer.generator.channels(layer), *size, dtype=kind, device="meta").contiguous(memory_format=torch.channels_last)
    picture = torch.zeros(1, 3, size[0] // 2, size[1] // 2, device="meta")
    placed, _ = renderer._live_bends([Bend("a", layer, channels, name, {}, mix)])
    return crossings(lambda: renderer._apply_bends(x.clone(), picture, renderer._place_states(placed)[0], []))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_every_size_precision_and_kind_of_noise(renderers, size, half):
    for noise in ("const", "random", "none"):
        assert frame(renderers(size, half), noise) == []


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform(renderers, name):
    for layer, kind in (("b16.conv1", torch.float32), ("b64.conv1", torch.float16)):
        for channels in ((1, 2, 7), None):
            for mix in (0.5, 1.0):
                assert bent(renderers(), layer, channels, name, mix, kind) == [], (layer, channels)


def test_what_is_spliced_and_watched(renderers):
    assert frame(renderers(), splice={"b16.conv1": True}, watched=["b16.conv1", "b64.conv0"]) == []
    assert frame(renderers(half=True), splice={"b16.conv1": False}) == []


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("layer", ["b4.conv1", "b16.conv0", "b64.conv1"])
def test_another_seeds_activations(renderers, layer, half):
    renderer = renderers(half=half)
    out = torch.zeros(1, renderer.generator.channels(layer), *renderer.convs[layer].size, device="meta")
    assert crossings(lambda: renderer._reach(layer, None, out)) == []


def test_an_enlarged_picture(generator):
    machine = Twin("meta")
    renderer = GraphRenderer(generator, 16, machine=machine, programs=Programs(machine, start=lambda job: None), shown=(64, 64))
    with torch.no_grad():
        renderer._follow_weights()
    assert frame(renderer) == [] and renderer.scratch.numel() == 64 * 64 * 3 + 1


def test_maps_written_as_a_whole(renderers, monkeypatch):
    monkeypatch.setattr("engine.bending.layer._is_written_whole", lambda x, channels: True)
    assert bent(renderers(), "b64.conv1", (1, 2, 4), "invert", 0.5, torch.float16) == []


def test_a_crossing_would_be_noticed(renderers, monkeypatch):
    def meets_the_cpu(x):
        return x * torch.ones(()) + torch.ones(1).to("meta")

    monkeypatch.setitem(TRANSFORMS, "meets", Transform("meets", meets_the_cpu, {}, ""))
    assert bent(renderers(), "b16.conv1", None, "meets", 1.0, torch.float32)
