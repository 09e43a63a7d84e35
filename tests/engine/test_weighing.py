"""What is done to weights and styles, in C and by torch: each against the same arithmetic written out in float64."""
import copy

import pytest
import torch

from engine.compiled import weights as compiled
from engine.errors import UserError
from engine.fast import Synthesis, weights
from engine.fast.kernels import channels_last
from engine.generator import EPS
from tests.engine.test_generator import A64, KINDS, network, ws_of
from tests.engine.ways import THERE, WAYS, take_way

DTYPES = (torch.float32, torch.bfloat16)
KERNELS = [(1, 1, 3), (4, 8, 3), (16, 16, 3), (20, 33, 3), (48, 40, 2), (512, 96, 3), (32, 512, 1)]      # channels out and in, width of the window


@pytest.fixture(autouse=True)
def same_numbers():
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        yield


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    return take_way(request.param, monkeypatch, weights, "find_weighing")


@pytest.fixture(params=[1, 3])
def threads(request, monkeypatch):
    """Threads, and woken however few the numbers are."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    monkeypatch.setattr(compiled, "MANY", 0)
    monkeypatch.setattr(compiled, "SCATTERED", 0)
    yield request.param
    torch.set_num_threads(before)


def kernel(outputs, inputs, window):
    return channels_last(torch.randn(outputs, inputs, window, window))


def close(found, expected, size=None):
    size = size or (2 ** -8 if found.dtype == torch.bfloat16 else 3e-6)
    assert found.shape == expected.shape
    torch.testing.assert_close(found.double(), expected, rtol=size, atol=size)
    return True


@pytest.mark.parametrize("shape", KERNELS, ids=str)
def test_weights_are_demodulated(way, threads, shape):
    weight, styles = kernel(*shape), torch.randn(shape[1])
    energy = weights.sum_squares(weight)
    exact = weight.double().square().sum((2, 3))
    assert close(energy, exact)
    wanted = 1.7 / torch.sqrt((exact * styles.double().square()).sum(1) + EPS)
    assert close(weights.demodulate(energy, styles, 1.7), wanted)
    assert weights.demodulate(torch.zeros(3, 5), torch.zeros(5), 1.0).tolist() == pytest.approx([EPS ** -0.5] * 3)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", KERNELS, ids=str)
def test_weights_are_modulated(way, threads, shape, dtype):
    weight, styles, scale = kernel(*shape), torch.randn(shape[1]), torch.rand(shape[0])
    led = weight.double() * styles.double().view(1, -1, 1, 1)
    found = weights.modulate(weight, styles, scale, dtype)
    assert found.dtype == dtype and found.is_contiguous(memory_format=torch.channels_last) and close(found, led * scale.double().view(-1, 1, 1, 1))
    assert close(weights.modulate(weight, styles, None, dtype), led)
    if shape[0] % 4 == 0:
        again = scale[:shape[0] // 4]
        assert close(weights.modulate(weight, styles, again, dtype), led * again.repeat(4).double().view(-1, 1, 1, 1))
    turned = weights.turn(weight, dtype)
    assert close(turned, weight.to(dtype).double().permute(2, 3, 0, 1).reshape(-1, shape[1], 1, 1))


@pytest.mark.parametrize("rows, width, sizes", [(1, 1, (1,)), (4, 20, (3, 9, 5, 1)), (18, 512, (512, 512, 64, 3)), (2, 33, (7, 70))], ids=str)
def test_weights_lead_all_styles(way, threads, rows, width, sizes):
    ws, weight, bias = torch.randn(rows, width), torch.randn(sum(sizes), width), torch.randn(sum(sizes))
    reads = torch.randint(rows, (len(sizes),)).repeat_interleave(torch.tensor(sizes))[None]
    found = weights.lead(ws, weight, bias, reads)
    if way == "torch":
        assert found is None
    else:
        assert close(found, (weight.double() * ws.double()[reads[0]]).sum(1) + bias.double(), 2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_map_a_seed(way, threads, kind):
    mapping = network(KINDS[kind]).mapping
    z, c = torch.randn(1, KINDS[kind].z_dim), torch.randn(1, KINDS[kind].c_dim) if KINDS[kind].c_dim else None
    found = weights.map_one(mapping, z, c)
    wanted = copy.deepcopy(mapping).double()(z.double(), None if c is None else c.double())
    assert close(found, wanted, 2e-5)
    if c is not None:
        with pytest.raises(UserError, match="label"):
            weights.map_one(mapping, z)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.49, 0.5, 0.9, 1.0])
def test_weights_are_mixed(way, threads, share):
    mixes = [(torch.randn(size), torch.randn(size), share, torch.full((size,), torch.nan)) for size in (1, 15, 1000, 70001)]
    mixes += [(kernel(5, 33, 3), kernel(5, 33, 3), share, kernel(5, 33, 3)), (torch.randn(3).double(), torch.randn(3).double(), share, torch.zeros(3).double())]
    before = [out._version for *_, out in mixes]
    weights.mix_all(mixes)
    for (one, other, _, out), version in zip(mixes, before):
        assert close(out, one.double() + share * (other.double() - one.double())) and out._version > version     # what is made of weights goes by that
        assert share not in (0.0, 1.0) or torch.equal(out, other if share else one)
    weights.mix_all([])


@pytest.mark.parametrize("channels", [1, 4, 20, 512])
def test_weights_of_colours(way, channels):
    weight, styles, bias = torch.randn(3, channels, 1, 1), torch.randn(channels), torch.randn(3)
    found, offset = weights.tint(weight, styles, bias, 127.5, 128.0)
    assert close(found, weight.double()[:, :, 0, 0] * styles.double() * 127.5, 1e-6 * 127.5) and close(offset, bias.double() * 127.5 + 128.0, 1e-4)


@pytest.mark.skipif(not THERE, reason="no compiled passes on this machine")
def test_what_c_cannot_take_is_left_to_torch():
    """Other number formats, other devices, and memory with gaps: never read as what it is not."""
    weight, styles, scale = kernel(8, 6, 3), torch.randn(12)[::2], torch.rand(8)
    expected = weight.double() * (styles.double().view(1, -1, 1, 1) * scale.double().view(-1, 1, 1, 1))
    for other in (weight.double(), weight.contiguous(), kernel(8, 12, 3)[:, ::2].copy_(weight)):
        assert close(weights.modulate(other, styles, scale, torch.float32), expected)
        assert close(weights.sum_squares(other), weight.double().square().sum((2, 3)))
        assert close(weights.turn(other, torch.float32), weight.double().permute(2, 3, 0, 1).reshape(-1, 6, 1, 1))
    assert weights.modulate(weight.to("meta"), styles.to("meta"), None, torch.bfloat16).shape == weight.shape
    assert weights.modulate(weight, styles, scale, torch.float64).dtype == torch.float64
    wide, apart = torch.zeros(70, 2), torch.zeros(30, 30)
    weights.mix_all([(torch.ones(70), torch.full((70,), 3.0), 0.5, wide[:, 0]), (torch.arange(900.0).view(30, 30), torch.zeros(30, 30).T, 0.0, apart)])
    assert (wide[:, 0] == 2).all() and not wide[:, 1].any() and torch.equal(apart, torch.arange(900.0).view(30, 30))
    rows = torch.zeros(1, 4, dtype=torch.int64)
    assert weights.lead(torch.randn(1, 6).double(), torch.randn(4, 6).double(), torch.randn(4).double(), rows) is None


def test_numbers_that_are_none_stay_none(way):
    weight, styles = kernel(4, 20, 3), torch.randn(20)
    styles[3] = torch.nan
    assert weights.modulate(weight, styles, None, torch.bfloat16).isnan().sum() == 4 * 9
    assert weights.demodulate(torch.rand(4, 20), styles, 1.0).isnan().all()


@pytest.mark.skipif(not THERE, reason="no compiled passes on this machine")
@pytest.mark.parametrize("half", [False, True])
def test_pictures_are_those_of_torchs_operations(monkeypatch, half):
    generator, pictures = network(A64), []
    for there in (True, False):
        if not there:
            monkeypatch.setattr(weights, "find_weighing", lambda: None)
        pictures.append(Synthesis(generator, half=half)(ws_of(generator, 1, 3)))
    assert (pictures[0] - pictures[1]).abs().max() < (0.05 if half else 2e-5)
