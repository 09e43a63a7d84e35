"""Pictures from other programs: NDI and a screen from real ones, Spout and Syphon from stand-ins with their libraries' interface."""
import itertools
import json
import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import UserError
from live.outputs import extras
from live.outputs.extras import MissingError
from live.sources import SOURCES, make
from live.sources import spout as spouts
from live.sources import syphon as syphons
from live.sources.frames import convert_pixels
from tests.live.outputs.test_stand_ins import install
from tests.live.outputs.test_window import screen  # noqa: F401  (a fixture)

SENDING = """
    import sys, time
    from types import SimpleNamespace
    import numpy as np
    from live.outputs.ndi import Ndi

    output, pixels = Ndi(sys.argv[1], fps=25.0), np.empty((48, 64, 3), np.uint8)
    pixels[:, :32], pixels[:, 32:] = (200, 40, 90), (16, 235, 128)
    while True:
        output.send(SimpleNamespace(pixels=pixels, number=0))
        time.sleep(0.04)
"""


def test_ndi_from_another_process(tmp_path, monkeypatch):
    pytest.importorskip("cyndilib")
    (tmp_path / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": {"ips": "127.0.0.1"}}}))
    monkeypatch.setenv("NDI_CONFIG_DIR", str(tmp_path))
    name = f"Camera {os.getpid()}"
    sending = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SENDING), name])
    try:
        source = make(f"ndi={name.lower()}", 32)
        seen = None
        for _ in range(60):                              # as the feed does, until the sender is there and stays
            try:
                if (seen := next(source.pictures(), None)) is not None:
                    break
            except UserError as error:
                assert "no such sender" in str(error)
    finally:
        sending.kill()
        sending.wait()
    assert seen.pixels.shape == (24, 32, 3) and seen.lasts == 1 / 25
    assert np.abs(seen.pixels[4:20, 2:14].mean((0, 1)) - (200, 40, 90)).mean() <= 3 and np.abs(seen.pixels[4:20, 18:30].mean((0, 1)) - (16, 235, 128)).mean() <= 3


RISING = """
    import sys, time
    from types import SimpleNamespace
    import numpy as np
    from live import outputs

    output = outputs.OUTPUTS["ndi"](sys.argv[1], 25.0)
    for number in range(100000):
        output.send(SimpleNamespace(pixels=np.full((24, 32, 3), 20 + number % 200, np.uint8), number=number))
        time.sleep(0.04)
"""


def test_ndi_receives_the_pictures_that_are_sent_and_not_one_now_and_then(tmp_path, monkeypatch):
    pytest.importorskip("cyndilib")
    (tmp_path / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": {"ips": "127.0.0.1"}}}))
    monkeypatch.setenv("NDI_CONFIG_DIR", str(tmp_path))
    name = f"Rising {os.getpid()}"
    sending = subprocess.Popen([sys.executable, "-c", textwrap.dedent(RISING), name])
    levels: list = []
    try:
        source = make(f"ndi={name}", 32)
        for _ in range(60):
            try:
                for seen in itertools.islice(source.pictures(), 40):
                    levels.append(float(seen.pixels.mean()))
                if levels:
                    break
            except UserError as error:
                assert "no such sender" in str(error)
    finally:
        sending.kill()
        sending.wait()
    missed = [(later - earlier) % 200 for earlier, later in zip(levels[10:], levels[11:])]       # at first one a second is sent
    assert len(levels) == 40 and sorted(missed)[len(missed) // 2] < 10


GRABBING = """
    import json, sys
    from types import SimpleNamespace
    import numpy as np
    from live.outputs.window import Window
    from live.sources import make

    window = Window("red", fullscreen=True)
    for _ in range(300):                                     # until the window system shows it
        window.put(SimpleNamespace(pixels=np.full((300, 400, 3), (200, 40, 90), np.uint8), number=0))
        window.run_once(None)
        pixels = next(make(sys.argv[1], 100).pictures()).pixels
        if (pixels[pixels.shape[0] // 2, [5, -5]] == (200, 40, 90)).all():
            break
    print(json.dumps([pixels.shape, pixels[pixels.shape[0] // 2, 5].tolist(), pixels[pixels.shape[0] // 2, -5].tolist()]))
"""


@pytest.mark.parametrize("target, shape", [("screen", [75, 100, 3]), ("screen=0,100,50,80,40", [40, 80, 3]), ("screen=0,0,0,400,300", [75, 100, 3])])
def test_a_screen(screen, target, shape):  # noqa: F811  (the fixture)
    pytest.importorskip("mss")
    grabbed = subprocess.run([sys.executable, "-c", textwrap.dedent(GRABBING), target], env=os.environ | {"DISPLAY": screen, "SDL_VIDEODRIVER": "x11"}, capture_output=True, text=True, timeout=180)
    assert json.loads(grabbed.stdout) == [shape, [200, 40, 90], [200, 40, 90]], grabbed.stderr


@pytest.mark.parametrize("target", ["x", "-1", "0,1", "0,1,2,3", "0,0,0,0,5", "0,-1,0,5,5", "0,1,2,3,4,5", "1.5"])
def test_what_is_no_region_of_a_screen(target):
    pytest.importorskip("mss")
    with pytest.raises(UserError, match="source screen=.*: expected a display, or DISPLAY,LEFT,TOP,WIDTH,HEIGHT"):
        make(f"screen={target}", 64)


def test_a_display_that_is_not_there_or_is_smaller():
    pytest.importorskip("mss")
    displays = [{"left": 0, "top": 0, "width": 640, "height": 480}, {"left": 640, "top": 10, "width": 320, "height": 200}]
    assert make("screen=1,10,20,30,40", 64)._find_place(displays) == {"left": 650, "top": 30, "width": 30, "height": 40}
    with pytest.raises(UserError, match="there are 2 displays, counted from 0"):
        make("screen=2", 64)._find_place(displays)
    with pytest.raises(UserError, match="display 1 has 320 x 200 pixels"):
        make("screen=1,300,0,30,40", 64)._find_place(displays)


@pytest.mark.parametrize("order, expected", [("rgb", (1, 2, 3)), ("bgr", (3, 2, 1))])
def test_pixels_of_any_order_become_small_rgb(order, expected):
    pixels = np.full((40, 80, 4), (1, 2, 3, 9), np.uint8)
    small = convert_pixels(pixels, 20, order)
    assert small.shape == (10, 20, 3) and (small == expected).all()
    assert convert_pixels(pixels, 100).shape == (40, 80, 3)


class SpoutReceiver:
    """SpoutGL 0.1.1: the first call finds the sender and says that its size is new."""
    there, name = ["Resolume", "Arena"], None

    def __init__(self):
        self.calls, self.updated, self.released = 0, False, False

    def setReceiverName(self, name):
        self.name = name

    def receiveImage(self, buffer, glFormat, invert, hostFbo):
        assert glFormat == 0x1908 and invert is False and hostFbo == 0
        self.calls += 1
        if self.name not in (None, *self.there):
            return False
        self.updated = self.calls == 1
        if buffer is not None and not self.updated:
            assert memoryview(buffer).nbytes == 8 * 4 * 4
            np.asarray(buffer)[:] = (7, 8, 9, 255)
        return True

    def isUpdated(self):
        return self.updated

    def getSenderWidth(self):
        return 8

    def getSenderHeight(self):
        return 4

    def getSenderList(self):
        return self.there

    def releaseReceiver(self):
        self.released = True


@pytest.fixture
def spout(monkeypatch):
    made = []
    install(monkeypatch, "SpoutGL", SpoutReceiver=lambda: made.append(SpoutReceiver()) or made[-1])
    monkeypatch.setattr(extras.sys, "platform", "win32")
    monkeypatch.setattr(spouts, "SILENT", 0.1)
    return made


def test_spout(spout):
    pictures = make("spout=Arena", 4).pictures()
    first = next(pictures)
    assert first.pixels.shape == (2, 4, 3) and (first.pixels == (7, 8, 9)).all() and spout[0].name == "Arena"
    pictures.close()
    assert spout[0].released


def test_a_spout_sender_that_is_not_there(spout):
    with pytest.raises(UserError, match="source spout=Nobody: no such sender; there are: Resolume, Arena"):
        next(make("spout=Nobody", 4).pictures())


def test_syphon(monkeypatch):
    calls, upper, lower = [], (30, 20, 10, 255), (3, 2, 1, 255)             # blue, green, red
    servers = [SimpleNamespace(name="Composition", app_name="Arena"), SimpleNamespace(name="", app_name="VDMX5")]

    class SyphonMetalClient:
        """syphon-python 0.2.0."""
        is_valid = has_new_frame = True

        def __init__(self, description, device=None):
            calls.append(description.app_name)

        @property
        def new_frame_image(self):
            return SimpleNamespace(pixelFormat=lambda: 80)

        def stop(self):
            calls.append("stop")

    directory = type("SyphonServerDirectory", (), {"run_loop_interval": 1.0, "servers": servers})
    install(monkeypatch, "syphon", SyphonMetalClient=SyphonMetalClient, SyphonServerDirectory=directory)
    install(monkeypatch, "syphon.utils")
    install(monkeypatch, "syphon.utils.numpy", copy_mtl_texture_to_image=lambda texture: np.array([[lower], [upper]], np.uint8))
    monkeypatch.setattr(extras.sys, "platform", "darwin")
    monkeypatch.setattr(syphons, "FOUND", 0.01)
    pictures = make("syphon=vdmx", 4).pictures()
    assert next(pictures).pixels.tolist() == [[[10, 20, 30]], [[1, 2, 3]]]
    pictures.close()
    assert calls == ["VDMX5", "stop"]
    with pytest.raises(UserError, match="source syphon=Nobody: no such server; there are: Arena Composition, VDMX5"):
        next(make("syphon=Nobody", 4).pictures())


@pytest.mark.parametrize("kind, package, system", [("ndi", "cyndilib", None), ("screen", "mss", None), ("spout", "SpoutGL", "win32"), ("syphon", "syphon-python", "darwin")])
def test_a_missing_library_says_the_pip_command(monkeypatch, kind, package, system):
    monkeypatch.setitem(sys.modules, {"syphon-python": "syphon"}.get(package, package), None)
    if system:
        monkeypatch.setattr(extras.sys, "platform", system)
    with pytest.raises(MissingError, match=f"source {kind}: {package} is not installed.*pip install {package}"):
        SOURCES[kind]("", 64)


@pytest.mark.parametrize("kind, elsewhere, words", [("spout", "linux", "Windows only, and this is Linux"), ("syphon", "win32", "macOS only, and this is Windows")])
def test_what_another_system_has_says_what_this_one_has(monkeypatch, kind, elsewhere, words):
    monkeypatch.setattr(extras.sys, "platform", elsewhere)
    with pytest.raises(MissingError, match=f"{words}; .*--source ndi is everywhere"):
        make(kind, 64)
