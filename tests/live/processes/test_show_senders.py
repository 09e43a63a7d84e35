"""Senders in a whole show, started as a user does: settings by OSC, a window that stands still, every process killed in turn."""
import os
import signal
import sys

import pytest

from live.outputs.frame_reader import FrameReader
from tests.live.outputs.test_window import eventually, screen  # noqa: F401  (a fixture)
from tests.live.processes.test_show import Playing
from tests.program import run_program

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a virtual display")


@pytest.fixture
def name():
    return f"lj-show-{os.getpid()}"


def test_a_sender_plays_on_whatever_happens_to_the_others(screen, tmp_path, name):  # noqa: F811  (the fixture)
    show = Playing(screen, tmp_path, "--output", f"window,memory={name},spout")
    reader = FrameReader(name)
    try:
        assert reader.read(timeout=180.0).pixels.shape == (64, 64, 3)
        eventually(lambda: show.said("output spout: there is that on Windows only, and this is Linux"), 1)
        eventually(lambda: show.send("/outputs/memory/test", "white") or (frame := reader.read(timeout=1.0)) is not None and bool((frame.pixels == 255).all()), True)
        show.send("/outputs/memory/test", "off")
        os.kill(show.pid("window"), signal.SIGSTOP)                    # a window that is not drawn, as one that is minimised or whose driver hangs
        eventually(lambda: (frame := reader.read(timeout=1.0)) is not None and bool((frame.pixels < 255).any()), True)
        os.kill(show.pid("window"), signal.SIGCONT)
        for victim in ("memory", "renderer", "window"):
            os.kill(show.pid(victim), signal.SIGKILL)
            eventually(lambda victim=victim: show.said(rf"{victim}: ended with SIGKILL") >= 1, True)
            reader.read()
            assert reader.read(timeout=180.0) is not None, victim
        show.process.send_signal(signal.SIGTERM)
        assert show.process.wait(180) == 0
        assert reader.read() is None and not os.path.exists(f"/dev/shm/{name}")
        assert show.said("output spout: there is that") == 1           # and is not told again and again
    finally:
        show.close()
        reader.close()


@pytest.mark.parametrize("flags, words", [
    (["--output", "ndy"], "no output 'ndy'; there are: camera, files, memory, ndi, null, recorder, spout, stream, syphon, window"),
    (["--output", "stream"], "output stream: stream=: expected a server's address that begins with rtmp://"),
    (["--output", "stream=live.example.org"], "output stream: stream=live.example.org: expected a server's address"),
    (["--output", "memory=no/such"], "output memory: memory='no/such': expected up to 29 letters"),
    (["--output", "ndi=Stage,ndi=Stage"], "output ndi-2: ndi is ndi=Stage already; give them different names"),
])
def test_mistakes_are_one_line_and_end_with_2(flags, words):
    done = run_program(*flags)
    assert done.returncode == 2 and done.stderr.startswith(f"run_live.py: {words}") and done.stderr.count("\n") == 1
