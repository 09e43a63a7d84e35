"""A show of half a minute in which every process is killed in turn, and what could be seen of it on two displays and in other programs.

    python run_live.py bench outages --seconds 30 -o outages.json --plot outages.png

Two displays of 1280 x 720 by Xorg's dummy driver (Debian: xserver-xorg-core xserver-xorg-video-dummy x11-xserver-utils), a
full-screen window on each with a fill of its own, shared memory that is read, NDI that another process receives where its library
is, and a recorder. A thread looks at both displays as often as it can.

    black_seconds       how long a display was black after a kill: 0, as the window of each one's second process lies behind
    still_seconds       how long the same picture stood: a killed renderer is a picture that stands and then moves on
    received            pictures that came through shared memory; black_received: those that were black
    ndi                 what the receiver of NDI saw: pictures, black ones, and for how long none came at most; null: no library
    recorded            pictures in each part of the recording

The plot has one row a kill: both displays before it, right after it, and at the end of its turn.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

from tests.bench import _common

RECEIVER = pathlib.Path(__file__).parents[1] / "senders" / "ndi_receiver.py"
SIZE, BLACK = (1280, 720), 12                           # BLACK: levels below which a whole display counts as black
KILLS = ("wall", "hung desk", "desk", "memory", "ndi", "renderer")      # hung: stopped, and killed by whoever watches; the renderer in the middle of a show
OPENING = 4.0                                           # seconds in which those open
CONFIG = """
Section "ServerFlags"
  Option "AutoAddDevices" "false"
EndSection
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 256000
EndSection
Section "Monitor"
  Identifier "monitor"
  HorizSync 5-1000
  VertRefresh 5-200
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "monitor"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Virtual 4096 2160
  EndSubSection
EndSection
"""
MODE = ("p720", "74.25", "1280", "1390", "1430", "1650", "720", "725", "730", "750")
OUTPUTS = """
schema: 1
outputs:
  - {{name: desk, kind: window, display: 0, fullscreen: true, fill: blur}}
  - {{name: wall, kind: window, display: 1, fullscreen: true, fill: mirror}}
  - {{name: memory, kind: memory, target: {memory}}}
  - {{name: recorder, kind: recorder, target: show.mp4}}
"""


def bench(options: dict) -> dict:
    """See the module's docstring. options: instrument, size, seconds, threads, plot, all optional."""
    if missing := [tool for tool in ("Xorg", "xrandr") if shutil.which(tool) is None]:
        raise SystemExit(f"bench outages needs {', '.join(missing)}")
    seconds = options.get("seconds") or 30.0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as closing:
        folder = pathlib.Path(folder)
        display = open_two_displays(folder, closing)
        show = Show(folder, display, options, closing)
        eyes = Eyes(show, display, f"outages-{os.getpid()}", closing)
        ndi = Receiver(folder, closing) if "ndi" in show.names else None
        rows = {}
        for name in [name for name in KILLS if name in show.names]:
            rows[name] = eyes.watch(lambda: show.kill(name), seconds / len(show.names))
        seen, received = (eyes.received, eyes.black), ndi.end() if ndi else None
        show.end()
        figures = {"kills": rows, "received": seen[0], "black_received": seen[1], "ndi": received, "recorded": show.recorded(), "exit": show.process.returncode,
                   "left": show.left(), "load": os.getloadavg()[0], "machine": _common.machine()}
        if options.get("plot"):
            _plot(options["plot"], eyes.shots)
    _common.show(rows)
    dark = max(value for row in rows.values() for key, value in row.items() if key.endswith("black_seconds"))
    print(f"longest black on a display: {dark} s; {figures['received']} pictures received, {figures['black_received']} of them black; NDI: {figures['ndi']}; "
          f"recorded {sum(figures['recorded'].values())} in {len(figures['recorded'])} files; processes left: {len(figures['left'])}")
    return figures


def open_two_displays(folder, closing):
    (folder / "dummy.conf").write_text(CONFIG)
    reading, writing = os.pipe()
    server = subprocess.Popen(["Xorg", "-displayfd", str(writing), "-noreset", "-novtswitch", "-sharevts", "-nolisten", "tcp", "-logfile", str(folder / "Xorg.log"),
                               "-config", str(folder / "dummy.conf")], pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    closing.callback(server.wait)
    closing.callback(server.terminate)
    with os.fdopen(reading) as pipe:
        display = f":{pipe.readline().strip()}"
    for order in (("--newmode", *MODE), ("--addmode", "DUMMY0", MODE[0]), ("--addmode", "DUMMY1", MODE[0]), ("--output", "DUMMY0", "--mode", MODE[0]),
                  ("--output", "DUMMY1", "--mode", MODE[0], "--right-of", "DUMMY0"),
                  ("--query",)):                         # the last one has the server look at its outputs: before that, programs see one display
        subprocess.run(["xrandr", *order], env=os.environ | {"DISPLAY": display}, check=True, stdout=subprocess.DEVNULL)
    return display


class Show:
    """run_live.py as a user starts it, in a folder of its own."""

    def __init__(self, folder, display, options, closing):
        self.folder, self.log, self.pids = folder, folder / "log", set()
        text = OUTPUTS.format(memory=f"outages-{os.getpid()}")
        with contextlib.suppress(ImportError):
            import cyndilib  # noqa: F401

            text += "  - {name: ndi, kind: ndi}\n"
        self.names = [name for name in KILLS if name == "renderer" or f"name: {name.split()[-1]}," in text]
        (folder / "outputs.yaml").write_text(text)
        instrument = pathlib.Path(options.get("instrument") or "presets/masks").resolve()
        shutil.copytree(instrument, folder / "instrument", ignore=shutil.ignore_patterns(".last-scene*"))
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(_common.ROOT / "run_live.py"), "--instrument", "instrument", "--outputs", "outputs.yaml", "--size", str(options.get("size") or 128),
                 "--threads", "1", "--fps", "15", "--midi-ports", "none", "--osc-port", str(_free_port()), "--oscquery-port", "0", "--surface-port", "0"],
                cwd=folder, stdout=log, stderr=log, env=os.environ | {"DISPLAY": display, "SDL_VIDEODRIVER": "x11", "BROWSER": "true"} | _find_here(folder))
        closing.callback(self.end)
        self._until("playing ")
        for name in ("desk", "wall"):                    # a show that has just begun has no second windows yet
            self._until(f"{name}, standing in: process ")
        time.sleep(OPENING)

    def _until(self, words, most=180.0):
        end = time.monotonic() + most
        while words not in self.log.read_text():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"the show did not say {words!r}: {self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def kill(self, name):
        hung, _, name = name.rpartition(" ")
        pid = int(re.findall(rf"{name}: process (\d+)", self.log.read_text())[-1])
        self.pids |= set(map(int, re.findall(r": process (\d+)", self.log.read_text())))
        os.kill(pid, signal.SIGSTOP if hung else signal.SIGKILL)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def recorded(self):
        """{part: pictures} of the recording."""
        import av

        found = {}
        for path in sorted(self.folder.glob("show*.m*")):
            with av.open(str(path)) as video:
                found[path.name] = sum(1 for _ in video.decode(video=0))
        return found

    def left(self):
        """The show's processes that are still there."""
        return [pid for pid in self.pids if pathlib.Path(f"/proc/{pid}").exists()]


def _find_here(folder) -> dict:
    """The environment in which NDI finds senders of this machine without asking the network."""
    (folder / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": {"ips": "127.0.0.1"}}}))
    return {"NDI_CONFIG_DIR": str(folder)}


class Receiver:
    """Another program that receives the show's NDI (tests/senders/ndi_receiver.py)."""

    def __init__(self, folder, closing):
        self.process = subprocess.Popen([sys.executable, str(RECEIVER), "Latent Jockey"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=os.environ | _find_here(folder))
        closing.callback(self.process.kill)
        self.first = self.process.stdout.readline()      # it receives, or has given up

    def end(self):
        """What it saw."""
        self.process.stdin.close()
        return json.loads(self.process.stdout.readline() or self.first)


class Eyes:
    """What is seen on both displays and received through shared memory."""

    def __init__(self, show, display, memory, closing):
        self.display, self.shots, self.received, self.black = display, {}, 0, 0
        self._until_lit(show)
        reading = threading.Thread(target=self._receive, args=(memory,), daemon=True)
        self._over = False
        reading.start()
        closing.callback(reading.join, 5)
        closing.callback(setattr, self, "_over", True)

    def look(self):
        """The pixels of both displays, side by side, uint8 [720, 2560, 3]."""
        from PIL import ImageGrab

        return np.asarray(ImageGrab.grab(bbox=(0, 0, 2 * SIZE[0], SIZE[1]), xdisplay=self.display).convert("RGB"))

    def _until_lit(self, show, most=120.0):
        end = time.monotonic() + most
        while (self.look().reshape(SIZE[1], 2, SIZE[0], 3).max((0, 2, 3)) < BLACK).any():
            if time.monotonic() > end:
                raise RuntimeError(f"a display stayed black: {show.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def watch(self, act, seconds):
        """Do something, and say how it was seen: {"desk": {...}, "wall": {...}}."""
        shots = self.shots[len(self.shots)] = [self.look()]
        act()
        begun, moments, levels, pictures = time.monotonic(), [], [], []
        while time.monotonic() - begun < seconds:
            seen = self.look()
            moments.append(time.monotonic() - begun)
            levels.append([int(half.max()) for half in np.split(seen, 2, axis=1)])
            pictures.append([hash(half[::8, ::8].tobytes()) for half in np.split(seen, 2, axis=1)])
            if len(shots) == 1:
                shots.append(seen)
        shots.append(seen)
        row = {"looks": len(moments)}
        for number, name in enumerate(("desk", "wall")):
            row[f"{name} black_seconds"] = _longest(moments, [level[number] < BLACK for level in levels])
            row[f"{name} still_seconds"] = _longest(moments, [a[number] == b[number] for a, b in zip(pictures, pictures[1:])])
        return row

    def _receive(self, memory):
        from live.outputs.frame_reader import FrameReader

        reader = None
        while not self._over:
            try:
                reader = reader or FrameReader(memory)
                pixels = reader.read()
            except (OSError, EOFError, ValueError):
                reader, pixels = None, None
            if pixels is not None:
                self.received += 1
                self.black += int(np.max(getattr(pixels, "pixels", pixels)) < BLACK)
            time.sleep(0.02)


def _longest(moments, flags):
    """The longest time for which a flag was up, in seconds."""
    longest, since = 0.0, None
    for moment, flag in zip(moments, flags):
        since = (moment if since is None else since) if flag else None
        longest = max(longest, moment - since if since is not None else 0.0)
    return round(longest, 2)


def _free_port():
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


def _plot(path, shots):
    from PIL import Image

    rows = [np.concatenate([shot[::4, ::4] for shot in row], axis=1) for row in shots.values()]
    Image.fromarray(np.concatenate(rows, axis=0)).save(path)
