"""What all tests share: one thread, a tiny network, a show without devices."""
import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
os.environ.setdefault("OMP_NUM_THREADS", "1")        # of the programs that tests start: two test processes have two cores
os.environ["BROWSER"] = "true"      # a show on a screen opens its page: no test but its own wants a browser

import pytest
import torch

from engine.architecture import Architecture
from engine.generator import Generator
from engine.instrument import Instrument


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run what takes minutes as well: @pytest.mark.slow")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(0) if config.getoption("--slow") else pytest.mark.skip(reason="takes minutes: pytest --slow"))


def pytest_configure(config):
    """The same examples in each run, for as long as they take: a busy machine is no fault, and what fails fails again. --slow: others each time."""
    from hypothesis import HealthCheck, settings

    settings.register_profile("ours", derandomize=not config.getoption("--slow"), deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")


torch.set_num_threads(1)            # two threads on a busy small machine are ten times slower than one


def tiny(**changes) -> Generator:
    """A StyleGAN2 of 32 px and a few thousand weights, always the same."""
    shape = dict(resolution=32, z_dim=16, w_dim=16, mapping_layers=2, channels={4: 8, 8: 8, 16: 8, 32: 4}) | changes
    state = torch.random.get_rng_state()
    torch.manual_seed(7)
    generator = Generator(Architecture(**shape)).eval().requires_grad_(False)
    for name, tensor in generator.state_dict().items():
        if name.endswith("noise_strength"):
            tensor.fill_(0.1)
    generator.w_avg.copy_(torch.randn(shape["w_dim"]) * 0.1)
    torch.random.set_rng_state(state)
    return generator


@pytest.fixture
def generator():
    return tiny()


@pytest.fixture
def instrument(generator):
    return Instrument(generator)
