"""Takes: a recorded performance as lines of JSON. The first scene and motion, then each frame's tick and what was applied.

Recording never waits for a disk: a thread writes. A file cut off anywhere is read up to its last whole line.
"""
import json
import logging
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.json_text import parse_json
from engine.motion import Motion
from engine.scene import Scene
from live.files.full_disk import name_trouble
from live.outputs.settings import FOLDER
from live.show.data import from_plain, item_from_plain, item_to_plain, motion_from_plain, motion_to_plain, scene_from_plain, scene_to_plain, to_plain
from live.show.events import Tick
from live.show.parameters import add_parameters
from live.show.threads import end_thread, make_thread
from live.sources.watching import Replayed

log = logging.getLogger(__name__)

FORMAT = "latent-jockey take"
SCHEMA = 1
FLUSHED = 0.25                      # seconds between writes to the file
LONGEST = 8 << 20                   # bytes of a line
DAMAGED = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError, UserError)


@dataclass(frozen=True)
class Origin:
    """What a take was played on. size: of the pictures in pixels. source: what the encoder saw, as --source names it;
    source_hash: what tells its file from another. encoder: what tells the one it was seen by from another. frame: the shape
    that pictures were continued to, as --frame names it. precision: of the numbers that the network was computed in.
    """
    instrument: str = ""
    generator: str = ""
    size: int = 0
    fps: float = 0.0
    source: str = ""
    source_hash: str = ""
    encoder: str = ""
    frame: str = ""
    precision: str = "fp32"


class TakeWriter:
    """Records to a file; record(tick, applied) is the loop's. shown: the (scene, motion) of the picture that is up."""

    def __init__(self, path, scene: Scene, motion: Motion, origin: Origin = Origin(), shown=None):
        self.path, self.frames = Path(path), 0
        self.failed: OSError | None = None
        self._lines: queue.SimpleQueue = queue.SimpleQueue()
        self._closing = threading.Event()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "x", encoding="utf-8", newline="\n")
        except FileExistsError:
            raise UserError(f"{self.path}: there is a take of that name already; choose another") from None
        except OSError as error:
            raise UserError(f"{self.path}: the take can't be written: {error.strerror}") from None
        self._lines.put(make_header(scene, motion, origin, shown))
        self._thread = make_thread("take", self._work)
        self._thread.start()

    def record(self, tick: Tick, applied: list):
        """Record one frame. Never waits; once writing has failed, nothing more is kept in memory."""
        if self.failed is not None:
            return
        self.frames += 1
        self._lines.put((tick, applied))

    def stop(self):
        """End the take, without waiting for the file."""
        if not self._closing.is_set():
            self._lines.put({"end": self.frames})
            self._closing.set()

    def close(self):
        """End the take and wait until the file is whole."""
        self.stop()
        end_thread(self._thread, 5.0)

    def _work(self):
        try:
            with self._file:
                while not self._closing.wait(FLUSHED):
                    self._write()
                self._write()
                os.fsync(self._file.fileno())
            log.info("take %s ended: %d frames", self.path, self.frames)
        except OSError as error:
            self.failed = error
            log.error("%s: recording stopped after a write failed (%s); what was written before is kept", self.path, error.strerror,
                      extra=name_trouble(error))

    def _write(self):
        """Write everything recorded so far to the file."""
        while not self._lines.empty():
            item = self._lines.get()
            self._file.write(json.dumps(_make_line(item), separators=(",", ":"), default=float, allow_nan=False) + "\n")
        self._file.flush()


def make_header(scene, motion, origin, shown=None) -> dict:
    """Return a take's first line: what it is played on, and the scene and motion it begins with."""
    header = {"format": FORMAT, "schema": SCHEMA, **vars(origin), "scene": scene_to_plain(scene), "motion": motion_to_plain(motion),
              "defaults": {a: to_plain(p.default) for a, p in scene.parameters.items()}}
    if shown is not None:
        header["shown"] = {"scene": scene_to_plain(shown[0]), "motion": motion_to_plain(shown[1])}
    return header


def _make_line(item):
    if isinstance(item, dict):
        return item
    tick, applied = item
    line = [tick.frame, tick.time, tick.dt]
    return [*line, [item_to_plain(change) for change in applied]] if applied else line


def read_header(path) -> dict:
    """Return a take's first line. UserError: there is none."""
    try:
        with open(path, "rb") as file:
            header = parse_json(file.readline(LONGEST))
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}") from None
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UserError(f"{path}: not a take, or not even its first line is whole")
    return header


def read_origin(header: dict) -> Origin:
    """Return the origin in a take's header: what it was played on. Older takes have fewer fields."""
    header = {"source_hash": "", "encoder": "", "frame": "", "precision": "fp32"} | header
    return Origin(**{name: type(usual)(header[name]) for name, usual in vars(Origin()).items()})


class TakeReader:
    """A recorded take. scene, motion: what it began with; origin: what it was played on; read_frames(): the rest.

    base: any scene of the instrument it shall be played on, with that one's parameters. generator: that one's hash;
    make_bend(data) -> Bend: its check of bends, a UserError for those it has no place for.
    """

    def __init__(self, path, base: Scene, generator: str = "", make_bend=None):
        self.path, self.base, self.generator, self.make_bend = Path(path), add_parameters(base), generator, make_bend
        self.source = Replayed(None)                     # the pictures it was played to, where they can be had again
        header = read_header(self.path)
        version = header.get("schema")
        if type(version) is not int or version != SCHEMA:
            hint = ": update Latent Jockey" if type(version) is int and version > SCHEMA else ""
            raise UserError(f"{path}: schema version {version}; this version reads {SCHEMA}{hint}")
        try:
            self.origin = read_origin(header)
            self.scene, self.motion = self._read_scene(header["scene"]), motion_from_plain(header["motion"])
            shown = header.get("shown")
            self.shown = shown and (self._read_scene(shown["scene"]), motion_from_plain(shown["motion"]))
            self._check(header["defaults"])
        except DAMAGED as error:
            raise UserError(f"{path}: the take's first line is damaged: {error}") from None
        if generator and self.origin.generator and self.origin.generator != generator:
            log.warning("%s: recorded on other weights (%s, %s): the same hands, another picture",
                        path, self.origin.instrument or "unnamed", self.origin.generator[:8])

    def _read_scene(self, data) -> Scene:
        """Return a scene that was recorded, without the settings of outputs that are not there now: they are the room's."""
        parameters = self.base.parameters
        values = {a: value for a, value in data["values"].items() if a in parameters or not a.startswith(f"{FOLDER}/")}
        return scene_from_plain({**data, "values": values}, self.base, self.make_bend)

    def _check(self, defaults):
        """Log which parameters have changed since the take was recorded."""
        parameters = self.scene.parameters
        gone = sorted(a for a in self.scene.values if a not in parameters)
        if gone:
            raise UserError(f"this instrument has no {', '.join(gone[:4])}{' ...' if gone[4:] else ''}")
        moved = [a for a, value in defaults.items() if a in parameters and to_plain(parameters[a].default) != value]
        if moved:
            log.warning("%s: recorded when the default of %s was another", self.path, ", ".join(sorted(moved)[:4]))

    def read_frames(self) -> Iterator[tuple[Tick, list]]:
        """Yield (tick, what was applied) of every frame, read as it goes."""
        for number, line in enumerate(self._read_lines(), 2):
            if isinstance(line, dict):
                return
            try:
                tick = Tick(int(line[0]), float(from_plain(line[1])), float(from_plain(line[2])))
                applied = [item_from_plain(item, self._read_scene) for item in (line[3] if len(line) > 3 else ())]
            except DAMAGED as error:
                raise UserError(f"{self.path} line {number}: damaged: {error}") from None
            yield tick, applied

    def _read_lines(self):
        """Yield every whole line after the first; where the file was cut off, it ends."""
        with open(self.path, "rb") as file:
            file.readline()
            for number, raw in enumerate(iter(lambda: file.readline(LONGEST), b""), 2):
                try:
                    yield parse_json(raw)
                except ValueError:
                    if raw.endswith(b"\n"):
                        raise UserError(f"{self.path} line {number}: damaged") from None
                    return

    def measure_length(self) -> tuple[int, float]:
        """Return (frames, seconds) that can be read; parses no more than it must."""
        count, last = 0, None
        with open(self.path, "rb") as file:
            file.readline()
            for raw in iter(lambda: file.readline(LONGEST), b""):
                if raw.startswith(b"[") and raw.endswith(b"\n"):
                    count, last = count + 1, raw
        try:
            return count, float(parse_json(last)[1]) if last else 0.0
        except DAMAGED:
            raise UserError(f"{self.path} line {count + 1}: damaged") from None

    def replay(self, show, pace=None) -> Iterator[Tick]:
        """Set the show to the take's beginning, then play its frames one by one. pace(tick) waits for a frame's time."""
        self.begin(show)
        for tick, applied in self.read_frames():
            if show.stopped:
                return
            if pace:
                pace(tick)
            show.frame(tick, replayed=applied)
            yield tick

    def begin(self, show):
        """Set a show to how the take began."""
        if self.shown is not None:                       # a freeze holds this picture, so it has to be drawn
            scene, motion = self.shown
            show.instrument.render(scene, motion, self.source.picture(scene))
        show.source = self.source
        scene = self.scene.with_parameters(show.added)       # the outputs' own, which no take needs to have known
        show.scene, show.motion, show.first = scene, self.motion, scene
