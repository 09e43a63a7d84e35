"""Two displays of Xorg's dummy driver: each window has its own, also after its display was away."""
import contextlib
import os
import shutil
import subprocess

import pytest

from tests.bench.outages import MODE, SIZE, open_two_displays
from tests.live.outputs.test_window import BLACK, RED, WHITE, Child, eventually

pytestmark = pytest.mark.skipif(any(shutil.which(tool) is None for tool in ("Xorg", "xrandr", "import")), reason="Xorg's dummy driver is not installed")


@pytest.fixture(scope="module")
def displays(tmp_path_factory):
    """The name of an X server with two displays of 1280 x 720, one right of the other."""
    with contextlib.ExitStack() as closing:
        yield open_two_displays(tmp_path_factory.mktemp("xorg"), closing)


@pytest.fixture
def wall(displays, tmp_path):
    """A window that fills the second display; it can be told that there are so many displays."""
    child = Child(displays, tmp_path, fullscreen=True, display=1)
    yield child
    child.process.kill()
    child.process.wait()


def corners(child):
    """The picture's first and last corner on each display: a square in the middle of it."""
    left = (SIZE[0] - SIZE[1]) // 2
    return child.colours(*((left + 5 + number * SIZE[0], 5) for number in (0, 1)), *((left + SIZE[1] - 5 + number * SIZE[0], SIZE[1] - 5) for number in (0, 1)))


def test_a_display_that_is_pulled_takes_full_screen_along_and_brings_it_back(wall):
    """As the window system tells it: there is one display, then there are two again."""
    eventually(lambda: corners(wall), [BLACK, RED, BLACK, WHITE])
    wall.order("displays 1")
    eventually(lambda: corners(wall), [BLACK] * 4)                           # of a smaller size, on the other display: nobody else's is covered
    eventually(lambda: wall.colours((SIZE[0] // 2 - 250, SIZE[1] // 2 - 250), (SIZE[0] // 2 + 250, SIZE[1] // 2 + 250)), [RED, WHITE])
    wall.order("displays 2")
    eventually(lambda: corners(wall), [BLACK, RED, BLACK, WHITE])
    assert wall.end()[-1][:2] == ["sent", True]


def test_a_display_that_is_switched_off_and_on_shows_its_picture_again(wall, displays):
    """By xrandr, as a technician does it."""
    xrandr = lambda *order: subprocess.run(["xrandr", "--output", "DUMMY1", *order], env=os.environ | {"DISPLAY": displays}, check=True)
    eventually(lambda: corners(wall), [BLACK, RED, BLACK, WHITE])
    xrandr("--off")
    eventually(lambda: wall.colours((5, 5)), [BLACK])
    xrandr("--mode", MODE[0], "--right-of", "DUMMY0")
    eventually(lambda: corners(wall), [BLACK, RED, BLACK, WHITE])
    assert wall.end()[-1][:2] == ["sent", True]
