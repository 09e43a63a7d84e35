"""A show that nobody attends, with faults on purpose: what it lost, what its log says, and whether its memory grew.

    python run_live.py bench unattended --seconds 3600 -o unattended.json      a real hour (Linux; a full disk needs root)

The program as a user starts it, 64 px, 6 frames a second, a film as source, a picture in shared memory and a recording as outputs, the set list's show, a real OSC sender.
Every twelfth of the time 20,000 OSC messages come within ten seconds. In order, each once: the renderer is killed, the output is killed, the source's file goes and comes
back, the disk is full and has room again, the clock on the wall is set (for the show only), everything stands still for two minutes as in sleep, the output hangs.

    memory      MB of all processes together, and of the renderer alone, over a twentieth of the time: after the warm-up, a while after the renderer was begun
                again, at the end; growth: of the end over both, in %. own: what they have allocated; pss: with files they have mapped, those that several share
                in parts (a process that ends or begins moves it)
    still       seconds without a new picture at most, apart from the sleep
    log         takes/unattended.log
"""
import contextlib
import csv
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np

from tests.bench import _common

FPS, SIZE, ROOM, WARM, SLEEP = 6, 64, 300, 180.0, 120.0             # ROOM: MB of the disk of the takes, of which a recorder leaves 256 alone
EVERY = 10.0                                                        # seconds between two looks at the memory
CLOCK = """# The clock on the wall, as somebody may set it: as many seconds off as the file says. Only time.time is; a machine has one clock for all who work on it.
import pathlib, time
_time, _path, _read = time.time, pathlib.Path(__file__).with_name("clock"), [0.0, 0.0]
def _read_wall():
    if time.monotonic() - _read[0] > 1.0:
        _read[:] = time.monotonic(), float(_path.read_text() or 0.0)
    return _time() + _read[1]
time.time = _read_wall
"""
FAULTS = ((0.09, "kill the renderer"), (0.2, "kill the output"), (0.29, "source gone"), (0.32, "source back"), (0.39, "disk full"), (0.44, "room again"), (0.52, "clock set"),
          (0.6, "sleep"), (0.72, "output hangs"))
SHOW = ("awake", "dream", "totem", "molten", "carnival", "heartbeat", "frieze", "hall-of-mirrors")


def bench(options: dict) -> dict:
    """See the module's docstring. options: instrument, seconds, both optional."""
    seconds = options.get("seconds") or 3600.0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="unattended-"))
    with contextlib.ExitStack() as closing:
        night = Night(folder, options.get("instrument") or "presets/masks", closing)
        night.watch(seconds)
        status = night.end()
        rows = night.rows
        log = (folder / "takes" / "unattended.log").read_text().splitlines()
        files = {path.name: path.stat().st_size for path in sorted((folder / "takes").iterdir())}
    figures = {"seconds": seconds, "memory": weigh(rows, seconds), "pictures": night.pictures, "black": night.black, "still": round(night.still, 1), "alive": night.alive,
               "messages": night.sent, "faults": night.done, "exit": status, "log": log, "files": files, "csv": str(folder / "memory.csv"),
               "load": os.getloadavg()[0], "machine": _common.machine()}
    _common.show({name: {"MB": value} for name, value in figures["memory"].items()})
    return figures


class Night:
    """The show, in a folder of its own; rows: (second, own MB of all, of the renderer, PSS of all, of the renderer, processes)."""

    def __init__(self, folder, instrument, closing):
        self.folder, self.rows, self.done, self.sent = folder, [], {}, 0
        self.pictures, self.black, self.still, self.alive, self._came, self._asleep = 0, 0, 0.0, False, None, False
        self.port, self.name = find_free_port(), f"unattended-{os.getpid()}"
        prepare(folder, instrument, closing)
        (folder / "clock").write_text("0")
        (folder / "sitecustomize.py").write_text(CLOCK)
        self.log = folder / "log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(_common.ROOT / "run_live.py"), "--unattended", "--instrument", "instrument", "--source", "video=film.mp4", "--size", str(SIZE), "--fps", str(FPS),
                 "--threads", "1", "--output", f"memory={self.name},recorder=takes/night.mkv", "--take", "takes/night.take", "--osc-port", str(self.port), "--oscquery-port", "0",
                 "--surface-port", "0", "--midi-ports", "none"], cwd=folder, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(folder)}, start_new_session=True)
        closing.callback(self.end)

    def watch(self, seconds):
        """Look at the pictures and the memory, send messages, and do the faults at their times."""
        from live.outputs.frame_reader import FrameReader

        reader, begun, faults, looked, told = FrameReader(self.name), time.monotonic(), list(FAULTS), -EVERY, 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, open(self.folder / "memory.csv", "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("second", "own_all", "own_renderer", "pss_all", "pss_renderer", "processes"))
            while (gone := time.monotonic() - begun) < seconds and self.process.poll() is None:
                self.look(reader.read(timeout=0.5))
                if gone - looked >= EVERY:
                    looked = gone
                    self.rows.append((round(gone), *self.weigh()))
                    table.writerow(self.rows[-1])
                    file.flush()
                if faults and gone >= faults[0][0] * seconds:
                    self.do(faults.pop(0)[1], gone)
                if (gone % (seconds / 12)) < 10.0:
                    self.flood(udp, 330)
                elif int(gone) > told:
                    told = int(gone)
                    udp.sendto(message("/truncation", 0.5 + told % 60 / 60), ("127.0.0.1", self.port))
        end = time.monotonic() + 5.0
        while not self.alive and time.monotonic() < end:
            frame = reader.read(timeout=1.0)
            self.alive = frame is not None and int(frame.pixels.max()) > 12
        reader.close()

    def look(self, frame):
        now = time.monotonic()
        if frame is not None:
            self.pictures, self.black = self.pictures + 1, self.black + int(int(frame.pixels.max()) <= 12)
            if self._came is not None and not self._asleep:
                self.still = max(self.still, now - self._came)
            self._came, self._asleep = now, False

    def flood(self, udp, count):
        for n in range(count):
            udp.sendto(message("/bends/eyes/mix" if n % 2 else f"/nowhere/{n % 50}", n / count), ("127.0.0.1", self.port))
        self.sent += count

    def find(self, name) -> int:
        """The newest process of that name."""
        return int(re.findall(rf"{re.escape(name)}: process (\d+)", self.log.read_text())[-1])

    def do(self, fault, gone):
        takes, film, spare = self.folder / "takes", self.folder / "film.mp4", self.folder / "film.away"
        self.done[fault] = f"{time.strftime('%H:%M:%S')}, second {gone:.0f}"
        if fault == "kill the renderer":
            os.kill(self.find("renderer"), signal.SIGKILL)
        elif fault in ("kill the output", "output hangs"):
            os.kill(self.find("memory"), signal.SIGKILL if fault.startswith("kill") else signal.SIGSTOP)
        elif fault == "source gone":
            film.rename(spare)
        elif fault == "source back":
            spare.rename(film)
        elif fault == "disk full" and takes.is_mount():
            with contextlib.suppress(OSError), open(takes / "ballast", "wb", buffering=0) as ballast:
                while ballast.write(bytes(1 << 16)):
                    pass
        elif fault == "room again":
            (takes / "ballast").unlink(missing_ok=True)
        elif fault == "clock set":
            (self.folder / "clock").write_text("900")
        elif fault == "sleep":
            os.killpg(self.process.pid, signal.SIGSTOP)
            time.sleep(SLEEP)
            os.killpg(self.process.pid, signal.SIGCONT)
            self._asleep = True
        else:
            self.done[fault] = "not tried here"

    def weigh(self):
        """(own MB of all processes, of the renderer, PSS of all, of the renderer, how many there are)."""
        weights = {pid: read_memory(pid) for pid in list_processes(self.process.pid)}
        renderer = self.find("renderer") if "renderer: process" in self.log.read_text() else 0
        found = []
        for kind in (0, 1):
            found += [round(sum(weight[kind] for weight in weights.values()), 2), round(weights[renderer][kind] if renderer in weights else 0.0, 2)]
        return *found, len(weights)

    def end(self):
        """End the show as systemd does; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(90)
        return self.process.returncode


def prepare(folder, instrument, closing):
    """The instrument with a show of eight looks, a film of three seconds, and a disk of its own for takes where that may be had."""
    import av

    shutil.copytree(instrument, folder / "instrument", ignore=shutil.ignore_patterns(".last-scene*", "runs"))
    steps = "".join(f"- {{preset: {name}, hold: 12, unit: seconds, morph: {{seconds: 2}}}}\n" for name in SHOW)
    (folder / "instrument/setlist.yaml").write_text(f"schema: 2\npresets: [{', '.join(SHOW)}]\nshow:\n{steps}")
    with av.open(str(folder / "film.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=4)
        stream.width = stream.height = SIZE
        for n in range(12):
            picture = np.full((SIZE, SIZE, 3), 40, np.uint8)
            picture[16:48, 4 * n:4 * n + 16] = 200
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())
    (folder / "takes").mkdir()
    if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "tmpfs", str(folder / "takes")], check=False).returncode == 0:
        closing.callback(subprocess.run, ["umount", "-l", str(folder / "takes")], check=False)


def list_processes(root) -> list[int]:
    """A process and all that it has started."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def read_memory(pid) -> tuple[float, float]:
    """(MB that a process has allocated, MB with its share of what others have mapped as well)."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.search(r"^Anonymous:\s+(\d+)", text, re.M)[1]) / 1024, int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024
    return 0.0, 0.0


def weigh(rows, seconds) -> dict:
    """The means over a twentieth of the time, and what they grew by, in %."""
    span, again = seconds / 20, FAULTS[0][0] * seconds
    parts = {"warm": (min(WARM, again - span), again), "renderer begun again": (again + 1.5 * span, again + 2.5 * span), "end": (seconds - span, seconds)}
    found = {}
    for column, what in enumerate(("own, all", "own, renderer", "pss, all", "pss, renderer"), 1):
        for part, (first, last) in parts.items():
            values = [row[column] for row in rows if first <= row[0] < last]
            found[f"{what}, {part}"] = round(float(np.mean(values)), 2) if values else None
        for part in list(parts)[:2]:
            before, after = found[f"{what}, {part}"], found[f"{what}, end"]
            found[f"{what}, growth over {part} %"] = round(100 * (after / before - 1), 2) if before and after else None
    return found


def message(address, value) -> bytes:
    """An OSC message."""
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address)
    builder.add_arg(float(value), "f")
    return builder.build().dgram


def find_free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]
