"""Settings of outputs that write to the disk: a recorder and files lie, are coloured and held as every other output's pictures."""
import av
import numpy as np
from PIL import Image

from live.outputs.drawing import Drawing
from live.outputs.framing import Framer, Framing
from live.outputs.service import open_output
from live.outputs.spec import OutputSpec
from tests.live.outputs.test_outputs import frame


def noise(seed, size=24):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def test_pictures_pass_as_they_are_unless_something_is_asked_for():
    drawing, pixels = Drawing(OutputSpec("a", "files")), noise(1)
    assert drawing(pixels) is pixels
    larger = noise(2, 48)
    assert drawing(larger) is larger                     # as the governor changes it
    drawing.set_framing(Framing(flip="horizontal"))
    assert (drawing(pixels) == pixels[:, ::-1]).all()


def test_what_is_held_is_let_go_of():
    drawing = Drawing(OutputSpec("a", "files"))
    first, second = noise(1), noise(2)
    drawing(first)
    drawing.set_framing(Framing(freeze=1.0))
    held = drawing(first).copy()
    assert (drawing(second) == held).all() and (held == first).all()
    drawing.set_framing(Framing())
    assert drawing(second) is second
    drawing.set_framing(Framing(freeze=1.0))
    assert (drawing(second) == second).all()


def test_files_are_as_their_settings_have_them(tmp_path):
    spec = OutputSpec("frames", "files", str(tmp_path / "frames"), size=(64, 36), framing=Framing(fill="mirror"))
    running = open_output(spec)
    pixels = frame(0, 24)
    pixels.pixels[:] = noise(3)
    running.put(pixels)
    running.close()
    with Image.open(tmp_path / "frames" / "frame_000000.png") as written:
        assert (np.asarray(written) == Framer((64, 36)).draw(noise(3), Framing(fill="mirror"))).all()


def test_a_recording_is_as_its_settings_have_it(tmp_path):
    running = open_output(OutputSpec("tape", "recorder", str(tmp_path / "a.mkv"), size=(64, 36), framing=Framing(fill="stretch", red=0.0)))
    running.put(frame(200, 24))
    running.close()
    with av.open(str(tmp_path / "a.mkv")) as file:
        found = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert found.shape == (36, 64, 3) and np.abs(found.mean((0, 1)) - (0, 200, 200)).max() < 6
