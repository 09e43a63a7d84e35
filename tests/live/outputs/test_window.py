import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import types

import numpy as np
import pytest

from engine.errors import UserError
from engine.instrument import Frame
from live.outputs.keyboard import Keyboard, name_key
from live.outputs.placement import Placement, fit
from live.outputs.window import Window
from live.show.clock import now, sleep
from live.show.commands import COMMANDS

ROOT = pathlib.Path(__file__).parents[3]
DEADLINE = 180.0                    # seconds after which a test gives up waiting
TOOLS = ("Xvfb", "xdotool", "import", "xwininfo")
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)

CHILD = """
import json, queue, sys, threading
import numpy as np
from types import SimpleNamespace
from live.show.clock import sleep
from live.outputs.window import Window

options = json.loads(sys.argv[1])
window, orders = Window("Test pattern", **options), queue.SimpleQueue()
pixels = np.zeros((64, 64, 3), np.uint8)
pixels[:32, :32], pixels[:32, 32:], pixels[32:, :32], pixels[32:, 32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
threading.Thread(target=lambda: [orders.put(line.strip()) for line in sys.stdin] + [orders.put("end")], daemon=True).start()
ended = False

def until():
    global pixels, ended
    if not orders.empty():
        order = orders.get()
        if order == "toggle": window.toggle_fullscreen()
        if order.startswith("displays"): sys.modules["pygame"].display.get_num_displays = lambda: int(order.split()[1])
        if order == "wide": pixels = np.concatenate([pixels, pixels[::-1]], 1)
        if order == "end": ended = True
    window.put(SimpleNamespace(pixels=pixels, number=0))
    sleep(0.01)
    return ended

window.run(until, lambda event: print(json.dumps([event.control, event.value, event.momentary, event.at > 0]), flush=True))
window.close()
print(json.dumps(["sent", window.sent > 0, window.dropped]))
"""


def eventually(found, wanted):
    """Wait until found() is what is wanted."""
    end = now() + DEADLINE
    while (last := found()) != wanted:
        assert now() < end, f"still {last}, not {wanted}"
        sleep(0.05)


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    """A virtual display of 400 x 300 of our own: its name."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    read, write = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "400x300x24", "-nolisten", "tcp", "-noreset"],
                              pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


class Child:
    """The window in a process of its own, on a virtual display."""

    def __init__(self, screen, folder, **options):
        self.environment = {**os.environ, "DISPLAY": screen, "PYTHONPATH": str(ROOT), "SDL_FRAMEBUFFER_ACCELERATION": "0",
                            "SDL_RENDER_DRIVER": "software", "SDL_VIDEODRIVER": "x11"}
        self.folder, self.lines = folder, []
        self.process = subprocess.Popen([sys.executable, "-c", CHILD, json.dumps(options)], env=self.environment, cwd=folder,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.reader = threading.Thread(target=lambda: self.lines.extend(json.loads(line) for line in self.process.stdout))
        self.reader.start()

    def order(self, text):
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def tool(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=DEADLINE).stdout

    def identity(self):
        lines = [line for line in self.tool("xwininfo", "-root", "-tree").splitlines() if '"Test pattern"' in line]
        return lines[0].split()[0] if lines else None

    def colours(self, *places):
        """The colours on the screen at (x, y) places."""
        from PIL import Image

        path = self.folder / "shot.png"
        self.tool("import", "-window", "root", str(path))
        with Image.open(path) as picture:
            return [picture.convert("RGB").getpixel(place) for place in places]

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(DEADLINE) == 0
        self.reader.join(DEADLINE)
        return self.lines


@pytest.fixture(params=["surface", "texture"])
def child(screen, tmp_path, request):
    opened = Child(screen, tmp_path, fullscreen=True, texture=request.param == "texture")
    yield opened
    opened.process.kill()
    opened.process.wait()


def test_the_picture_is_as_large_as_can_be_with_black_beside_it(child):
    corners = [(51, 1), (348, 1), (51, 298), (348, 298), (48, 150), (351, 150), (1, 1), (398, 298)]
    eventually(lambda: child.colours(*corners), [RED, GREEN, BLUE, WHITE, BLACK, BLACK, BLACK, BLACK])
    child.order("wide")                               # another shape of picture: bars above and below
    eventually(lambda: child.colours((2, 52), (398, 52), (2, 247), (200, 48), (200, 252), (200, 2)),
               [RED, WHITE, BLUE, BLACK, BLACK, BLACK])
    assert child.end()[-1][:2] == ["sent", True]


def test_out_of_fullscreen_and_back(child):
    eventually(lambda: child.colours((51, 1), (348, 298)), [RED, WHITE])
    child.order("toggle")                             # 4/5 of the screen's height, in its middle
    eventually(lambda: child.colours((82, 32), (318, 268), (51, 1), (78, 150)), [RED, WHITE, BLACK, BLACK])
    child.order("toggle")
    eventually(lambda: child.colours((51, 1), (348, 298)), [RED, WHITE])
    child.end()


def test_back_from_fullscreen_it_is_where_and_as_large_as_it_was_left(child):
    def place():
        window = child.identity()
        return [line.split()[-1] for line in child.tool("xwininfo", "-id", window).splitlines() if "-geometry" in line] if window else None

    eventually(lambda: child.colours((51, 1)), [RED])
    child.order("toggle")
    eventually(lambda: child.colours((82, 32), (51, 1)), [RED, BLACK])
    child.tool("xdotool", "windowsize", "--sync", child.identity(), "150", "120", "windowmove", "--sync", child.identity(), "10", "20")
    eventually(place, ["150x120+10+20"])
    for _ in range(2):
        child.order("toggle")
        eventually(place, ["400x300+0+0"])
        child.order("toggle")
        eventually(place, ["150x120+10+20"])
    eventually(lambda: child.colours((30, 25), (140, 135)), [RED, WHITE])
    child.end()


def test_keys_reach_the_show(child):
    eventually(lambda: child.colours((51, 1)), [RED])
    child.tool("xdotool", "windowfocus", "--sync", child.identity())
    child.tool("xdotool", "key", "space", "F11", "Right", "ctrl+s", "q")
    heard = [["space"], ["f11"], ["right"], ["left ctrl"], ["ctrl+s"], ["q"]]
    presses = lambda: [[line[0].removeprefix("key ")] for line in child.lines if line[1] == 1.0]
    eventually(presses, heard)
    eventually(lambda: sum(line[1] == 0.0 for line in child.lines), len(heard))
    assert all(line[2:] == [True, True] for line in child.lines)
    child.end()


def test_without_a_display_it_says_what_to_do(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
    found = subprocess.run([sys.executable, "-c", CHILD, "{}"], env={**environment, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
    last = found.stderr.strip().splitlines()[-1]
    if "UserError" not in last:
        pytest.skip("this machine shows windows without DISPLAY")
    assert "no window: " in last and "log in to a desktop (on Linux: set DISPLAY), or play with --output null" in last


# -- without any display: SDL's dummy driver

@pytest.fixture
def window():
    window = Window("Test", size=(64, 48))
    yield window
    window.close()


def test_two_threads(window):
    """The loop puts frames from its own thread while the main one shows them; the newest wins."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    loop = threading.Thread(target=lambda: [window.put(Frame(pixels, i)) for i in range(500)])
    loop.start()
    window.run(lambda: not loop.is_alive() and window.sent > 0, lambda event: None)
    loop.join()
    assert window.sent + window.dropped in (499, 500)


def test_the_close_button_is_one_event_however_many_the_system_sends(window):
    import pygame

    pygame.event.get()
    pygame.event.post(pygame.event.Event(pygame.WINDOWCLOSE))
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    heard = []
    window.run_once(heard.append)
    assert [(e.control, e.value, e.momentary) for e in heard] == [("window close", 1.0, True)]


def test_a_file_that_is_dropped_becomes_a_kept_latent(window):
    import pygame

    pygame.event.get()
    pygame.event.post(pygame.event.Event(pygame.DROPFILE, file="/tmp/a photo.jpg"))
    heard = []
    window.run_once(heard.append)
    assert [(e.control, e.value) for e in heard] == [("osc /latents/add", "/tmp/a photo.jpg")]


def test_commands_reach_the_window(window):
    show = types.SimpleNamespace(outputs=[object(), window])
    assert not window.place.fullscreen
    assert not COMMANDS["/window/fullscreen"].function(show)
    window.run_once(lambda event: None)
    assert window.place.fullscreen
    COMMANDS["/window/display"].function(show)
    window.run_once(lambda event: None)
    assert window.place.where == (0, True)            # there is only the one


def test_a_window_that_cannot_be_opened(monkeypatch):
    import pygame

    def refuse(*arguments, **more):
        raise pygame.error("no such visual")
    monkeypatch.setattr(pygame.display, "set_mode", refuse)
    with pytest.raises(UserError, match="^no window could be opened: SurfacePane: no such visual; without one: --output null$"):
        Window("Test", texture=False)


def key(kind, key, mod=0):
    import pygame

    return pygame.event.Event(kind, key=key, mod=mod)


def test_a_release_has_the_name_of_its_press(window):
    import pygame

    keyboard, down, up = Keyboard(now=lambda: 5.0), pygame.KEYDOWN, pygame.KEYUP
    events = [key(down, pygame.K_LSHIFT, pygame.KMOD_LSHIFT), key(down, pygame.K_r, pygame.KMOD_LSHIFT), key(down, pygame.K_r, pygame.KMOD_LSHIFT),
              key(up, pygame.K_LSHIFT), key(up, pygame.K_r), key(up, pygame.K_x), key(down, pygame.K_b)]
    heard = [keyboard.translate(event) for event in events]
    assert [e and (e.control, e.value) for e in heard] == [
        ("key left shift", 1.0), ("key shift+r", 1.0), None, ("key left shift", 0.0), ("key shift+r", 0.0), None, ("key b", 1.0)]
    assert [(e.control, e.value) for e in keyboard.release_all()] == [("key b", 0.0)] and keyboard.release_all() == []


def test_names_of_keys(window):
    import pygame

    names = [name_key(k, m) for k, m in ((pygame.K_ESCAPE, 0), (pygame.K_s, pygame.KMOD_LCTRL | pygame.KMOD_RALT), (pygame.K_RIGHT, 0),
                                      (pygame.K_LCTRL, pygame.KMOD_LCTRL), (pygame.K_b, pygame.KMOD_CAPS))]
    assert names == ["escape", "ctrl+alt+s", "right", "left ctrl", "b"]


# -- where the window belongs

def placed(display, fullscreen, *steps):
    place, seen = Placement(display, fullscreen), []
    for step in steps:
        if isinstance(step, int):
            place.set_displays(step)
        else:
            getattr(place, step)()
        seen.append(place.where)
    return seen


@pytest.mark.parametrize("start, steps, seen", [
    ((1, True), (2, 1, 2), [(1, True), (0, False), (1, True)]),                   # the projector's cable: out and in again
    ((1, True), (2, 1, "toggle", 2), [(1, True), (0, False), (0, True), (0, True)]),      # asked for in between: it stays
    ((1, True), (1, 2), [(0, False), (1, True)]),                                 # the projector is switched on later
    ((0, False), (2, "move_on", "move_on"), [(0, False), (1, False), (0, False)]),
    ((0, True), (3, "move_on", "toggle", "move_on"), [(0, True), (1, True), (1, False), (2, False)]),
    ((0, True), (0,), [(0, True)]),                                               # no display at all: stay
])
def test_where_the_window_is(start, steps, seen):
    assert placed(*start, *steps) == seen


@pytest.mark.parametrize("picture, space, rect", [
    ((1024, 1024), (1920, 1080), (420, 0, 1080, 1080)),
    ((1024, 1024), (1080, 1920), (0, 420, 1080, 1080)),
    ((1024, 512), (1920, 1080), (0, 60, 1920, 960)),
    ((64, 64), (64, 64), (0, 0, 64, 64)),
    ((1000, 1), (10, 10), (0, 4, 10, 1)),
])
def test_the_aspect_is_kept(picture, space, rect):
    assert fit(picture, space) == rect
