"""From a hand's event to the frame that shows it, in host memory: what the loop and the network add, no window.

    python run_live.py bench latency --seconds 20

A show plays at 30 fps; a thread puts faders' events into its inbox at random moments. An event waits for the next tick
(half a period on average) and is in the frame of that tick, so the least there can be is the frame's own time.
"""
import random
import threading
import time

from live.mapping.mapping import Mapping
from live.show.clock import WallClock, limit_ticks, now
from live.show.events import ControlEvent
from live.show.loop import Show
from tests.bench import _common

EVENTS = 200                                            # a second


def bench(options: dict) -> dict:
    """{size: {"event_to_frame_ms": ..., "frame_ms": ..., "late"}}; options: instrument, size, seconds, device, threads, plot."""
    instrument = _common.open_instrument(options)
    sizes = [instrument.size] if options.get("size") else [s for s in (256, 512, 1024) if s in instrument.sizes]
    seconds = (options.get("seconds") or 20.0) / len(sizes)
    rows = {str(size): _measure(instrument, size, seconds) for size in sizes}
    _common.show({size: {"event p50": row["event_to_frame_ms"].get("p50"), "event p99": row["event_to_frame_ms"].get("p99"),
                         "frame p50": row["frame_ms"].get("p50"), "late": row["late"]} for size, row in rows.items()})
    if options.get("plot"):
        _common.bars(options["plot"], {f"{size} px": {f"event to frame, {p}": row["event_to_frame_ms"].get(p, 0.0) for p in ("p50", "p99")}
                                       | {"frame, p50": row["frame_ms"]["p50"]} for size, row in rows.items()}, "ms")
    return {"sizes": rows, "fps": _common.FPS, "events_a_second": EVENTS, "machine": _common.machine()}


def _measure(instrument, size, seconds):
    scene = instrument.scene().set_values({"/walk/kind": "wander", "/quality/size": float(size)})
    show, clock = Show(instrument, Mapping(), scene, strict=True), WallClock(_common.FPS)
    stop = threading.Event()
    hand = threading.Thread(target=_play, args=(show.inbox.put, stop))
    hand.start()
    try:
        show.play(limit_ticks(clock.ticks(), seconds=seconds))
    finally:
        stop.set()
        hand.join()
    report = show.meter.report()
    return {"event_to_frame_ms": {k: v for k, v in report["control_to_frame_ms"].items() if k != "by_source"},
            "frame_ms": report["frame_ms"], "late": clock.late, "frames": report["frames"]}


def _play(put, stop):
    chance = random.Random(1)
    while not stop.is_set():
        put(ControlEvent("osc /truncation", chance.random(), at=now()))
        time.sleep(chance.expovariate(EVENTS))
