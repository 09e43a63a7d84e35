"""Senders in their real processes, received by other real processes. SURFACE.md O.7 (6), (7)."""
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import numpy as np
import pytest

from live.outputs.frame_reader import FrameReader
from live.outputs.framing import Framing
from live.outputs.spec import OutputSpec
from live.processes.supervisor import MISSING, USER_ERROR
from tests.live.processes.output_rig import OutputRig
from tests.ports import find_free_port

ROOT = Path(__file__).parents[3]
COLOURS = ((200, 40, 90), (16, 235, 128), (60, 60, 220), (240, 240, 240))


@pytest.fixture
def rig():
    rigs = []

    def make(spec, size=(128, 96)):
        rigs.append(OutputRig(spec, size))
        return rigs[-1]

    yield make
    for each in rigs:
        each.close()


def quarters(width=128, height=96):
    """Four colours."""
    pixels = np.empty((height, width, 3), np.uint8)
    for place, colour in enumerate(COLOURS):
        y, x = place // 2 * height // 2, place % 2 * width // 2
        pixels[y:y + height // 2, x:x + width // 2] = colour
    return pixels


def middles(pixels):
    """The mean colour in the middle of each quarter, away from the edges between them."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    return np.array([pixels[y + height // 4:y + 3 * height // 4, x + width // 4:x + 3 * width // 4].mean((0, 1)) for y in (0, height) for x in (0, width)])


def test_memory_is_read_by_another_process_and_survives_a_kill(rig):
    name = f"lj-rig-{os.getpid()}"
    output = rig(OutputSpec("mem", "memory", name, size=(64, 48), fps=25, rate=25))
    reader = FrameReader(name)
    first = []
    output.play(lambda n: quarters(), lambda: first.append(reader.read()) or first[-1] is not None, fps=25)
    assert first[-1].pixels.shape == (48, 64, 3) and np.abs(middles(first[-1].pixels) - COLOURS).max() <= 1
    os.kill(output.child.process.pid, signal.SIGKILL)
    assert output.ended() == -signal.SIGKILL
    output.start()
    after = []
    output.play(lambda n: quarters(), lambda: after.append(reader.read()) or after[-1] is not None, fps=25)
    assert after[-1].number > first[-1].number           # the very same reader goes on
    output.send("framing", Framing(test="white"))
    output.play(lambda n: quarters(), lambda: (read := reader.read()) is not None and (read.pixels == 255).all(), fps=25)
    output.play(lambda n: quarters(), lambda: output.states and output.states[-1]["sent"] > 0, fps=25)
    assert output.states[-1]["broken"] is None


def test_one_that_breaks_leaves_so_that_it_can_be_opened_again(rig):
    pytest.importorskip("pyvirtualcam")
    output = rig(OutputSpec("cam", "camera", "/dev/null/none"))
    output.put(quarters())
    assert output.ended() == USER_ERROR


def test_what_is_missing_is_not_tried_again(rig, capfd):
    output = rig(OutputSpec("s", "spout" if sys.platform != "win32" else "syphon"))
    assert output.ended() == MISSING
    assert "only, and this is" in capfd.readouterr().err


NDI_RECEIVER = """
    import json, sys, time
    import numpy as np
    from cyndilib import Finder, Receiver, RecvBandwidth, RecvColorFormat, VideoRecvFrame
    from cyndilib.receiver import ReceiveFrameType

    finder = Finder()
    finder.open()
    name, end = None, time.monotonic() + 120
    while name is None and time.monotonic() < end:
        finder.wait(1.0)
        name = next((name for name in finder.get_source_names() if sys.argv[1] in name), None)
    receiver, frame = Receiver(color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest), VideoRecvFrame()
    receiver.set_video_frame(frame)
    receiver.set_source(finder.get_source(name))
    times, stop = [], time.monotonic() + 200
    while len(times) < 60 and time.monotonic() < stop:
        if receiver.receive(ReceiveFrameType.recv_video, 500) & ReceiveFrameType.recv_video:
            pixels = np.zeros(frame.get_buffer_size(), np.uint8)
            frame.fill_p_data(pixels)
            times.append(frame.get_timestamp_posix())
    width, height = frame.get_resolution()
    pixels = pixels.reshape(height, -1, 4)[:, :width, :3]
    h, w = height // 2, width // 2
    middles = [pixels[y + h // 4:y + 3 * h // 4, x + w // 4:x + 3 * w // 4].mean((0, 1)).tolist() for y in (0, h) for x in (0, w)]
    print(json.dumps({"name": name, "size": [width, height], "rate": [frame.get_frame_rate().numerator, frame.get_frame_rate().denominator],
                      "frames": len(times), "middles": middles}), flush=True)
    finder.close()
"""


@pytest.fixture
def ndi(tmp_path, monkeypatch):
    """NDI that finds senders of this machine without asking the network who is there."""
    pytest.importorskip("cyndilib")
    (tmp_path / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": {"ips": "127.0.0.1"}}}))
    monkeypatch.setenv("NDI_CONFIG_DIR", str(tmp_path))


@pytest.mark.parametrize("size, fps, sent, rate", [(None, 30.0, [128, 96], [30, 1]), ((160, 90), 29.97, [160, 90], [30000, 1001])])
def test_ndi_is_received_by_another_process(ndi, rig, size, fps, sent, rate):
    name = f"Stage {os.getpid()} {sent[0]}"
    output = rig(OutputSpec("ndi", "ndi", name, size=size, rate=fps, framing=Framing(fill="stretch")))
    receiver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(NDI_RECEIVER), name], stdout=subprocess.PIPE, text=True)
    output.play(lambda n: quarters(), lambda: receiver.poll() is not None, fps=fps)
    found = json.loads(receiver.stdout.read())
    assert found["name"].endswith(f"({name})") and found["size"] == sent and found["rate"] == rate and found["frames"] == 60
    assert np.abs(np.array(found["middles"]) - COLOURS).mean() <= 3


LISTENER = ("-hide_banner", "-loglevel", "error", "-y", "-fflags", "+genpts")


def listen(port, path):
    """A server that takes one stream, as a user's would: ffmpeg."""
    return subprocess.Popen(["ffmpeg", *LISTENER, "-listen", "1", "-f", "flv", "-i", f"rtmp://127.0.0.1:{port}/live/key", "-c", "copy", "-flush_packets", "1", "-f", "mpegts", str(path)],
                            stdin=subprocess.DEVNULL)


def streamed(path):
    """The pictures of a recording and its sound, as far as it goes: [(seconds, mean)], seconds of sound."""
    pictures, sound = [], 0.0
    with av.open(str(path)) as file:
        assert {stream.type for stream in file.streams} == {"video", "audio"}
        for frame in file.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append((frame.time, frame.to_ndarray(format="rgb24").mean((0, 1))))
            else:
                sound = max(sound, frame.time)
    return pictures, sound


def count_streamed(path):
    """How many pictures of a recording that is still being written can be seen."""
    try:
        with av.open(str(path)) as file:
            return sum(1 for _ in file.decode(video=0))
    except (OSError, IndexError, av.error.FFmpegError):  # no more than its beginning
        return 0


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="not installed: ffmpeg")
def test_a_stream_reaches_its_server_and_comes_back_with_it(rig, tmp_path, capfd):
    port = find_free_port()
    output = rig(OutputSpec("tv", "stream", f"rtmp://127.0.0.1:{port}/live/key", size=(64, 48), fps=10, rate=10, framing=Framing(fill="stretch")))
    for turn in range(2):                                # nobody is there at first, and again after the first server was ended
        before, path = len(output.states), tmp_path / f"{turn}.ts"
        output.play(lambda n: quarters(), lambda before=before: len(output.states) > before + 2, fps=10)
        server = listen(port, path)
        output.play(lambda n: quarters(), lambda path=path: path.exists() and path.stat().st_size > 0, fps=10)
        output.play(lambda n: quarters(), lambda path=path: count_streamed(path) > 40, fps=10)
        server.send_signal(signal.SIGINT)                # it writes what it has
        server.wait(120)
        shown, sound = streamed(path)
        assert np.abs(np.mean([mean for _, mean in shown], axis=0) - quarters().mean((0, 1))).max() <= 4
        times = [at for at, _ in shown]
        assert len(shown) > 30 and times == sorted(set(times)) and abs(sound - shown[-1][0]) < 1.0 + max(np.diff(times))     # sound is sent up to each picture
    told = capfd.readouterr().err
    assert f"rtmp://127.0.0.1:{port}/...: Connection refused; trying again" in told and "key" not in told


def has_srt():
    """Whether an ffmpeg is installed that knows SRT."""
    return shutil.which("ffmpeg") is not None and " srt\n" in subprocess.run(["ffmpeg", "-hide_banner", "-protocols"], capture_output=True, text=True).stdout


@pytest.mark.skipif(not has_srt(), reason="not installed: an ffmpeg with SRT")
def test_a_stream_by_srt_is_received(rig, tmp_path):
    """By a server that listens, as OBS or vMix would: ffmpeg."""
    port, path = find_free_port(), tmp_path / "srt.ts"
    server = subprocess.Popen(["ffmpeg", *LISTENER, "-analyzeduration", "1000000", "-f", "mpegts", "-i", f"srt://127.0.0.1:{port}?mode=listener", "-c", "copy", "-flush_packets", "1",
                               "-f", "mpegts", str(path)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    output = rig(OutputSpec("tv", "stream", f"srt://127.0.0.1:{port}", size=(64, 48), fps=10, rate=10, framing=Framing(fill="stretch")))
    output.play(lambda n: quarters(), lambda: count_streamed(path) > 20, fps=10)
    server.send_signal(signal.SIGINT)
    server.wait(120)
    shown, _ = streamed(path)
    assert np.abs(np.mean([mean for _, mean in shown], axis=0) - quarters().mean((0, 1))).max() <= 4
    times = [at for at, _ in shown]
    assert len(shown) > 10 and times == sorted(set(times))
