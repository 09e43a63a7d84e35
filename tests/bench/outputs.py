"""What outputs cost: shared frames to a window, a framing's stages, and frames with outputs open beside none.

    python run_live.py bench outputs --size 1024 --seconds 20

All parts take turns in one run. The handover is to another process that waits for frames as a window does; it notes when it
has its copy. With nothing else to do both have a core each, which a show in the same place has not.

    put_ms              what the renderer spends on handing out a frame, by the clock; on a busy machine whoever is woken takes its core
    put_cpu_ms          the same in processor time: its own work, which is a copy
    handover_ms         from before put() until the other process has copied the picture
    framing_cpu_ms      processor time that an output's own process spends on one frame of a 1920 x 1080 display
    limiter_cpu_ms      processor time of the flash limiter, with a picture it passes and with one it holds
    frame_ms            frames of a show that draws and hands out; the ratio of p95 with outputs open to none is the price of them
"""
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from engine.instrument import Frame
from live import outputs
from live.outputs.framing import FILLS, Framer, Framing
from live.outputs.limiter import FlashLimiter
from live.outputs.spec import OutputSpec
from live.processes import ring
from live.processes.frames import Frames
from live.processes.output import run_output
from live.show.child import SPAWN
from tests.bench import _common

DISPLAY, PINNED = (1920, 1080), (0.1, 0.05, 0.95, 0.2, 0.9, 0.9, 0.0, 1.0)
FPS = 60


def bench(options: dict) -> dict:
    """See the module's docstring. options: instrument, size, seconds, threads, all optional."""
    seconds = (options.get("seconds") or 20.0) / 3
    size = options.get("size") or 1024
    figures = {"size": size, **_handover(size, seconds), "framing_cpu_ms": _framing(size), "limiter_cpu_ms": _limiter(size),
               "frame_ms": _frames(options, seconds), "machine": _common.machine(), "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None}
    _common.show({name: row for name, row in figures.items() if isinstance(row, dict) and name != "machine" and not any(isinstance(v, dict) for v in row.values())})
    return figures


def read(name, pipe, link):
    """Another process: the times at which it had each picture, until told to stop."""
    reader, taken = ring.Reader(name, 0, pipe), []
    link.send("ready")
    while not link.poll(0):
        if (found := reader.take(0.005)) is not None:
            taken.append((found.number, time.monotonic()))
    reader.close()
    link.send(taken)


def _handover(size, seconds):
    frames = Frames(1)
    frames.resize(size, size)
    link, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=read, args=(frames.name, frames.pipes[0][0], theirs))
    process.start()
    drawn, put, begun = np.random.default_rng(1).integers(0, 256, (size, size, 3), np.uint8), [], {}
    pixels = np.empty_like(drawn)
    spent: list[float] = []
    try:
        link.recv()
        writer, end = ring.Writer(frames.name, {0: frames.pipes[0][1]}), time.monotonic() + seconds
        while time.monotonic() < end:
            number = writer.segment.published + 1
            np.copyto(pixels, drawn)                     # as after a render: just written
            begun[number], before = time.monotonic(), time.thread_time()
            writer.put(pixels, begun[number])
            put.append((time.monotonic() - begun[number]) * 1000)
            spent.append((time.thread_time() - before) * 1000)
            time.sleep(1 / FPS)
        link.send("stop")
        taken = [(at - begun[number]) * 1000 for number, at in link.recv() if number in begun]
        writer.close()
    finally:
        process.join(10)
        frames.close()
    return {"put_ms": _row(put), "put_cpu_ms": _row(spent), "handover_ms": _row(taken)}


def _row(milliseconds):
    return {"p50": round(statistics.median(milliseconds), 3), "p95": round(_common.percentile(milliseconds, 95), 3), "frames": len(milliseconds)}


def _spent(part, times=12):
    """The processor milliseconds of one turn: what else the machine does is not in them."""
    for _ in range(12):                                  # a pin's map is worked out after some frames
        part()
    taken = []
    for _ in range(times):
        start = time.process_time()
        part()
        taken.append((time.process_time() - start) * 1000)
    return round(statistics.median(taken), 2)


def _framing(size):
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    picture, framer, moving = np.random.default_rng(1).integers(0, 256, (size, size, 3), np.uint8), Framer(DISPLAY), iter(range(10 ** 6))
    wanted = {fill: Framing(fill=fill) for fill in FILLS} | {f"{fill}, pinned": Framing(fill=fill, pin=PINNED) for fill in ("fit", "fill", "mirror")}
    wanted |= {"colour": Framing(saturation=1.3, gamma=1.2)}
    found = {name: _spent(lambda: framer.draw(picture, framing)) for name, framing in wanted.items()}
    found["fit, pin moving"] = _spent(lambda: framer.draw(picture, Framing(pin=(next(moving) * 1e-4, *PINNED[1:]))))
    cv2.setNumThreads(threads)
    return found


def _limiter(size):
    base = np.random.default_rng(1).integers(0, 100, (size, size, 3), np.uint8)
    calm, wild, bright = FlashLimiter(), FlashLimiter(), base + np.uint8(150)
    numbers = iter(range(10 ** 6))
    return {"passed": _spent(lambda: calm.limit(base, next(numbers) / FPS, 3.0)),
            "held": _spent(lambda: wild.limit(bright if (frame := next(numbers)) % 4 < 2 else base, frame / FPS, 3.0), 40)}


def _frames(options, seconds):
    """p95 of frames that are drawn and handed out, with outputs open and without, in turns."""
    instrument = _common.open_instrument({**options, "size": options.get("size") or 256})
    walker = _common.Walker(instrument.scene())
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as closing:
        put, opened = _open(Path(folder), instrument.size, closing)
        numbers = iter(range(10 ** 9))

        def drawn(hand_out):
            frame = instrument.render(*walker(), None)
            hand_out(Frame(frame.pixels, next(numbers)))
            time.sleep(0.004)                            # a show at a rate it can keep waits for its next tick

        taken = _common.in_turns({"null": lambda: drawn(lambda frame: None), "all": lambda: drawn(put)}, seconds * 2)
    rows = {name: _row(times) for name, times in taken.items()}
    pairs = [with_all / without for with_all, without in zip(taken["all"], taken["null"])]
    return rows | {"outputs": opened, "ratio": {"p95 to p95": round(rows["all"]["p95"] / rows["null"]["p95"], 3), "median of pairs": round(statistics.median(pairs), 3)}}


def _open(folder, size, closing):
    """Open a window, a recorder and, where its library is, NDI; returns (what hands a frame to all, their names)."""
    kinds = ["window"]
    with contextlib.suppress(ImportError):
        import cyndilib  # noqa: F401

        kinds.append("ndi")
    if "ndi" not in outputs.OUTPUTS:
        kinds = kinds[:1]
    frames = Frames(len(kinds))
    frames.resize(size, size)
    closing.callback(frames.close)
    for reader, kind in enumerate(kinds):
        link, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=run_output, args=(OutputSpec(kind, kind), reader, frames.pipes[reader][0], theirs))
        process.start()
        closing.callback(process.join, 10)
        closing.callback(link.send, ("stop",))
        link.send(("frames", frames.name))
        link.recv()                                      # its first report: it is open
    writer = ring.Writer(frames.name, {reader: pipe[1] for reader, pipe in enumerate(frames.pipes)})
    closing.callback(writer.close)
    recorder = outputs.start_output("recorder", target=str(folder / "bench.mkv"))
    closing.callback(recorder.close)

    def put(frame):
        writer.put(frame.pixels, time.monotonic())
        recorder.put(frame)

    return put, [*kinds, "recorder"]
