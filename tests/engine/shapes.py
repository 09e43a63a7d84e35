"""Networks of random weights in every shape there is, small in channels: what has to work on any network is tried on these."""
from tests.conftest import tiny

NARROW = {4: 4, 8: 4, 16: 4, 32: 4, 64: 2, 128: 2, 256: 2, 512: 2, 1024: 2}


def _narrow(resolution):
    return {r: count for r, count in NARROW.items() if r <= resolution}


SHAPES = {
    "16 px": dict(resolution=16, channels=_narrow(16)),
    "1024 px": dict(resolution=1024, channels=_narrow(1024)),
    "classes": dict(c_dim=3),
    "wide": dict(const_size=(4, 7)),
    "resnet": dict(kind="resnet"),
    "without noise": dict(noise=False),
}


def shaped(name: str):
    """Return the network of random weights of a shape of SHAPES, always the same."""
    return tiny(**SHAPES[name])
