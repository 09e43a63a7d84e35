"""Spout, Syphon and the virtual camera against stand-ins with exactly the interface of their libraries: real ones need their system."""
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from engine.errors import UserError
from live.outputs import OUTPUTS, extras
from live.outputs.camera import Camera
from live.outputs.extras import MissingError
from live.outputs.spec import OutputSpec
from live.outputs.spout import Spout
from live.outputs.syphon import Syphon

RED = SimpleNamespace(pixels=np.full((4, 6, 3), (200, 10, 20), np.uint8), number=0)


def install(monkeypatch, name, **contents):
    """A module of that name, which has these and nothing else."""
    module = ModuleType(name)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)
    return module


class SpoutSender:
    """SpoutGL 0.1.1."""
    takes = True

    def __init__(self):
        self.calls = []

    def setSenderName(self, name):
        assert isinstance(name, str)
        self.calls.append(("name", name))

    def sendImage(self, buffer, width, height, glFormat, invert, hostFbo):
        pixels = memoryview(buffer)
        assert pixels.c_contiguous and pixels.nbytes == width * height * 4 and glFormat == 0x1908 and invert is False and hostFbo == 0
        self.calls.append(("image", width, height, bytes(pixels)[:4]))
        return self.takes

    def setFrameSync(self, name):
        self.calls.append(("sync", name))

    def releaseSender(self):
        self.calls.append(("release",))


def test_spout(monkeypatch):
    made = []
    install(monkeypatch, "SpoutGL", SpoutSender=lambda: made.append(SpoutSender()) or made[-1])
    monkeypatch.setattr(extras.sys, "platform", "win32")
    spout = Spout("Stage")
    assert not made                                      # what it opens belongs to the thread that sends
    spout.send(RED)
    spout.send(RED)
    spout.close()
    spout.close()
    image, sync = ("image", 6, 4, bytes((200, 10, 20, 255))), ("sync", "Stage")
    assert made[0].calls == [("name", "Stage"), image, sync, image, sync, ("release",)] and len(made) == 1


def test_spout_that_takes_no_picture_says_why_that_may_be(monkeypatch):
    install(monkeypatch, "SpoutGL", SpoutSender=type("Refusing", (SpoutSender,), {"takes": False}))
    monkeypatch.setattr(extras.sys, "platform", "win32")
    with pytest.raises(RuntimeError, match="takes no picture; is its driver there"):
        Spout("Stage").send(RED)


def test_syphon(monkeypatch):
    calls = []

    class SyphonMetalServer:
        """syphon-python 0.2.0."""

        def __init__(self, name, device=None, command_queue=None):
            self.device = "gpu"
            calls.append(("server", name))

        def publish_frame_texture(self, texture, region=None, size=None, is_flipped=False, command_buffer=None, auto_commit=True):
            calls.append(("publish", texture, is_flipped))

        def stop(self):
            calls.append(("stop",))

    class SyphonServerDirectory:
        run_loop_interval = 1.0

        def update_run_loop(self):
            calls.append(("loop", self.run_loop_interval))

    def copy_image_to_mtl_texture(image, texture):
        assert image.shape[2] == 4 and image.dtype == np.uint8
        calls.append(("copy", image[0, 0].tolist(), texture))

    install(monkeypatch, "syphon", SyphonMetalServer=SyphonMetalServer, SyphonServerDirectory=SyphonServerDirectory)
    install(monkeypatch, "syphon.utils")
    install(monkeypatch, "syphon.utils.numpy", copy_image_to_mtl_texture=copy_image_to_mtl_texture)
    install(monkeypatch, "syphon.utils.raw", create_mtl_texture=lambda device, width, height: (device, width, height))
    monkeypatch.setattr(extras.sys, "platform", "darwin")
    syphon = Syphon("Stage")
    syphon.run_once(None)
    syphon.send(RED)
    syphon.send(RED)
    syphon.close()
    syphon.close()
    sent = [("copy", [200, 10, 20, 255], ("gpu", 6, 4)), ("publish", ("gpu", 6, 4), True)]
    assert calls == [("loop", 0.0), ("server", "Stage"), *sent, *sent, ("stop",)]


class VirtualCamera:
    """pyvirtualcam 0.15."""
    made: list = []

    def __init__(self, width, height, fps, *, fmt="rgb", device=None, backend=None, print_fps=False):
        if device == "none":
            raise RuntimeError("'obs' backend: virtual camera output could not be started\n'unitycapture' backend: not found")
        self.size, self.fps, self.fmt, self.device, self.seen, self.closed = (width, height), fps, fmt, device, [], 0
        self.made.append(self)

    def send(self, frame):
        assert frame.shape == (self.size[1], self.size[0], 3) and frame.dtype == np.uint8 and frame.flags.c_contiguous
        self.seen.append(frame[0, 0].tolist())

    def close(self):
        self.closed += 1


@pytest.fixture
def cameras(monkeypatch):
    VirtualCamera.made = []
    install(monkeypatch, "pyvirtualcam", Camera=VirtualCamera, PixelFormat=SimpleNamespace(RGB="rgb24"))
    return VirtualCamera.made


def test_camera(cameras):
    camera = Camera("/dev/video10", fps=25.0)
    camera.send(SimpleNamespace(pixels=np.full((5, 7, 3), (1, 2, 3), np.uint8), number=0))     # odd sides are cut
    camera.close()
    camera.close()
    made = cameras[0]
    assert (made.size, made.fps, made.fmt, made.device, made.seen, made.closed) == ((6, 4), 25.0, "rgb24", "/dev/video10", [[1, 2, 3]], 1)


def test_a_camera_that_is_not_there_says_every_reason_in_one_line(cameras):
    with pytest.raises(UserError) as error:
        Camera("none").send(RED)
    assert "'obs' backend: virtual camera output could not be started; 'unitycapture' backend: not found; it needs OBS" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind, package, system", [("ndi", "cyndilib", None), ("camera", "pyvirtualcam", None), ("spout", "SpoutGL", "win32"), ("syphon", "syphon-python", "darwin")])
def test_a_missing_library_says_the_pip_command(monkeypatch, kind, package, system):
    monkeypatch.setitem(sys.modules, {"syphon-python": "syphon"}.get(package, package), None)
    if system:
        monkeypatch.setattr(extras.sys, "platform", system)
    with pytest.raises(MissingError) as error:
        OUTPUTS[kind]()
    assert str(error.value).startswith(f"output {kind}: {package} is not installed") and str(error.value).endswith(f"pip install {package}")


@pytest.mark.parametrize("kind, elsewhere, words", [("spout", "linux", "Windows only, and this is Linux"), ("syphon", "win32", "macOS only, and this is Windows")])
def test_what_another_system_has_says_what_this_one_has(monkeypatch, kind, elsewhere, words):
    monkeypatch.setattr(extras.sys, "platform", elsewhere)
    with pytest.raises(MissingError, match=f"{words}; .*--output ndi is everywhere"):
        OUTPUTS[kind]()


@pytest.mark.parametrize("spec, words", [
    (OutputSpec("c", "camera", size=(63, 48)), "output c: size: camera takes even numbers only, got 63 x 48"),
    (OutputSpec("t", "stream"), "output t: stream=: expected a server's address that begins with rtmp://, "),
    (OutputSpec("t", "stream", "live.example.org/key"), "output t: stream=live.example.org/key: expected"),
    (OutputSpec("t", "stream", "https://me:secret@example.org/key"), "output t: stream=https://example.org/...: expected"),
    (OutputSpec("t", "stream", "rtmp://"), "expected a server's address"),
    (OutputSpec("t", "stream", "rtmp://h/a", size=(64, 47)), "size: stream takes even numbers only"),
    (OutputSpec("n", "ndi", "x" * 101), "expected a name of up to 100 letters"),
    (OutputSpec("n", "ndi", "two\nlines"), "expected a name of up to 100 letters in one line"),
])
def test_what_can_be_told_before_the_show(spec, words):
    with pytest.raises(UserError) as error:
        OUTPUTS[spec.kind].check(spec)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_library_under_the_gpl_stays_out_of_the_shows_process():
    from argparse import Namespace

    from live.outputs import service

    flags = Namespace(outputs=None, output="camera", display=0, fullscreen=False, fps=30.0, single_process=True)
    with pytest.raises(UserError, match="pyvirtualcam is under the GPL .* play without --single-process"):
        service.read_specs(flags)
    flags.single_process = False
    assert [spec.kind for spec in service.read_specs(flags)] == ["camera"]
