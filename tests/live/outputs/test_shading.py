"""The shader against the processor's way, in a graphics library's own software."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]
COMPARED = """
import json, os, sys
from dataclasses import replace
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
import numpy as np, pygame
pygame.display.init()
for name, value in (("MAJOR_VERSION", 3), ("MINOR_VERSION", 3)):
    pygame.display.gl_set_attribute(getattr(pygame, f"GL_CONTEXT_{name}"), value)
pygame.display.gl_set_attribute(pygame.GL_CONTEXT_PROFILE_MASK, pygame.GL_CONTEXT_PROFILE_CORE)
pygame.display.set_mode((64, 64), pygame.OPENGL | pygame.HIDDEN)
import moderngl
from live.outputs.framing import CORNERS, FILLS, Framer, Framing
from live.outputs.shading import Shader

context = moderngl.create_context(require=330)
shader, found = Shader(context), {}
y, x = np.mgrid[:64, :64] / 63
picture = np.stack([40 + 150 * x, 200 - 120 * y, 60 + 100 * x * y], 2).round().astype(np.uint8)
edge = np.tile(np.linspace(0, 255, 320).round().astype(np.uint8), (180, 1))
pin = (0.1, 0.05, 0.95, 0.2, 0.9, 0.9, 0.0, 1.0)
wanted = {f"{fill} {display}": (Framing(fill=fill), display, None) for fill in FILLS for display in ((320, 180), (180, 320), (128, 128))}
wanted |= {f"pinned {fill}": (Framing(fill=fill, pin=pin), (320, 180), None) for fill in FILLS}
wanted |= {name: (Framing(fill="stretch", **{name: value}), (320, 180), None) for name, value in (
    ("brightness", 0.1), ("contrast", 1.3), ("gamma", 1.8), ("saturation", 0.4), ("hue", 70.0), ("temperature", -0.6), ("red", 0.5), ("blackout", 0.4))}
wanted |= {f"turned {turn} {flip}": (Framing(rotate=turn, flip=flip), (320, 180), None) for turn, flip in (("90", "none"), ("180", "horizontal"), ("270", "vertical"), ("0", "both"))}
wanted |= {"placed": (Framing(zoom=0.5, x=0.1, y=-0.1), (320, 180), None), "mask": (Framing(fill="fill"), (320, 180), edge)}
for name, (framing, display, mask) in wanted.items():
    buffer = context.simple_framebuffer(display)
    buffer.use()
    shader.draw(picture, framing, display, mask)
    drawn = np.frombuffer(buffer.read(alignment=1), np.uint8).reshape(display[1], display[0], 3)[::-1]
    off = np.abs(drawn.astype(int) - Framer(display, mask).draw(picture, framing)).max(2)
    found[name] = [int(off.max()), float((off > 2).mean())]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def compared():
    """{what was drawn: [the largest difference in levels, the share of points that differ by more than 2]}."""
    pytest.importorskip("moderngl")
    if shutil.which("xvfb-run") is None:
        pytest.skip("not installed: xvfb-run")
    found = subprocess.run(["xvfb-run", "-a", "-s", "-screen 0 400x300x24", sys.executable, "-c", COMPARED], cwd=ROOT, capture_output=True, text=True, timeout=180,
                           env=os.environ | {"PYTHONPATH": str(ROOT), "SDL_VIDEODRIVER": "x11"})
    if found.returncode and "GL context" in found.stderr:
        pytest.skip(found.stderr.strip().splitlines()[-1])
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout.strip().splitlines()[-1])


def test_every_fill_place_and_colour_is_the_processors_within_two_levels(compared):
    flat = {name: row for name, row in compared.items() if not name.startswith(("pinned", "tile", "mirror"))}
    assert len(flat) >= 26 and {name: row for name, row in flat.items() if row[0] > 2} == {}


def test_so_are_pinned_corners_and_repeated_pictures_but_at_their_edges(compared):
    others = {name: row for name, row in compared.items() if name.startswith(("pinned", "tile", "mirror"))}
    assert len(others) >= 12 and {name: row for name, row in others.items() if row[1] > 0.02} == {}


PANE = """
import os, sys, time
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
from types import SimpleNamespace
import numpy as np, pygame
from PIL import ImageGrab
from live.outputs.framing import Framer, Framing
from live.outputs.shader_pane import ShaderPane
from live.outputs.window import Window

ShaderPane.software = True
window = Window("Shaded", fullscreen=True, texture=True, mask=sys.argv[1])
assert type(window._pane) is ShaderPane and not window._pane.visible
y, x = np.mgrid[:64, :64] / 63
picture = np.stack([40 + 150 * x, 200 - 120 * y, 60 + 100 * x * y], 2).round().astype(np.uint8)
edge = np.tile(np.linspace(0, 255, 400).round().astype(np.uint8), (300, 1))
for framing in (Framing(fill="blur"), Framing(fill="fill", saturation=0.3, freeze=1.0), Framing(), Framing(pin=(0.0,) * 8), Framing(test="white")):
    window.framing = framing
    for _ in range(3):
        window.put(SimpleNamespace(pixels=picture, number=0))
        window.run_once(lambda event: None)
    seen = np.asarray(ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("RGB")).astype(int)
    shown = np.full((300, 400, 3), 255, np.uint8) if framing.test == "white" else picture
    wanted = Framer((400, 300), edge).draw(shown, Framing() if framing.pin[2] == 0 else framing)
    assert np.abs(seen - wanted).max() <= 2, (framing, np.abs(seen - wanted).max())
window.toggle_fullscreen()
window.run_once(lambda event: None)
assert window._pane.visible and window._pane.size[0] < 400
window.close()
print("same")
"""


def test_a_window_of_the_graphics_card_shows_what_the_processor_would(tmp_path):
    pytest.importorskip("moderngl")
    if shutil.which("xvfb-run") is None:
        pytest.skip("not installed: xvfb-run")
    Image.fromarray(np.tile(np.linspace(0, 255, 400).round().astype(np.uint8), (300, 1))).save(tmp_path / "edge.png")
    found = subprocess.run(["xvfb-run", "-a", "-s", "-screen 0 400x300x24", sys.executable, "-c", PANE, str(tmp_path / "edge.png")], cwd=ROOT, capture_output=True, text=True,
                           timeout=180, env=os.environ | {"PYTHONPATH": str(ROOT), "SDL_VIDEODRIVER": "x11"})
    if found.returncode and "GL context" in found.stderr:
        pytest.skip(found.stderr.strip().splitlines()[-1])
    assert found.stdout.strip().endswith("same"), found.stderr
