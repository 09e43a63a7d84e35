"""What the show's logic costs: two decks that fade, lanes, the set list by itself, locks, ways back; beside the same pictures without it.

    python run_live.py bench logic

Two shows take turns, frame by frame, in one order and the other. One runs the logic; the other is given what that one applied in its frame before, as a take is played,
and so draws the very same pictures. The period is as long as lets a plain frame take six tenths of it.

    p50, p95, p99     milliseconds of a frame, with and without
    late              frames longer than the period: with, without, and of the pairs those where only the one or only the other was late
    logic_ms          median of the pairs' differences; logic_processor_ms: of this thread's processor time, which other programs on the machine don't move
"""
import contextlib
import itertools
import pathlib
import statistics
import tempfile
import time

import yaml

from tests.bench import _common

LOOKS = ("awake", "dream", "totem", "heartbeat")
SHARE, FPS, SETTLE = 0.6, 30.0, 60                      # SETTLE: frames that are not counted
LANES = {"schema": 1, "length": 8, "unit": "seconds", "loop": True,
         "lanes": {"/truncation": [[0, 0.6], [4, 1.1, "smooth"], [8, 0.6]], "/walk/speed": [[0, 0.1], [8, 0.6]], "/noise/strength": [[0, 1.0], [4, 0.4], [8, 1.0]]}}
ORDERS = {30: ("/set/auto", 1.0), 40: ("/lanes/play", "swell"), 50: ("/lock", "/noise"), 55: ("/set/idle", 2.0)}
AGAIN = {0: ("/deck/on", 1.0), 60: ("/deck/auto", 1.5), 150: ("/deck/auto", 1.0), 240: ("/back", 3.0), 330: ("/panic/soft", 1.0), 400: ("/set/auto", 1.0)}       # every 15 s


def bench(options: dict) -> dict:
    """See the module's docstring. options: instrument, size, seconds, threads, all optional."""
    size, seconds = options.get("size") or 256, options.get("seconds") or 60.0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as closing:
        shows = [_open(pathlib.Path(folder), options, size, closing, with_logic) for with_logic in (True, False)]
        pairs, spent = _take_turns(*shows, seconds)
    with_, without = zip(*pairs)
    period = statistics.median(without) / SHARE
    late = [(a > period, b > period) for a, b in pairs]
    figures = {"size": size, "pairs": len(pairs), "period_ms": round(period, 1),
               "with": _summarize(with_), "without": _summarize(without), "logic_ms": round(statistics.median(a - b for a, b in pairs), 3),
               "logic_processor_ms": round(statistics.median(a - b for a, b in spent), 3), "plain_processor_ms": round(statistics.median(b for _, b in spent), 3),
               "late": {"with": sum(a for a, _ in late), "without": sum(b for _, b in late), "only with": sum(a and not b for a, b in late),
                        "only without": sum(b and not a for a, b in late)}, "machine": _common.machine()}
    _common.show({"with": figures["with"], "without": figures["without"]})
    return figures


def _summarize(times) -> dict:
    return {f"p{p}": round(_common.percentile(times, p), 2) for p in (50, 95, 99)}


def _open(folder, options, size, closing, with_logic):
    """A show of an instrument of its own."""
    from live.instrument import open as opening
    from live.mapping.mapping import Mapping
    from live.presets import commands, deck_commands, soft_commands  # noqa: F401  (their commands)
    from live.presets.recall import Recall
    from live.presets.set_list import Step
    from live.show.loop import Show
    from live.show.parameters import add_parameters
    from live.stage import lane_commands, set_commands  # noqa: F401
    from live.stage.service import join_stage
    from live.takes.looper import Looper

    opened = opening.open_instrument(options.get("instrument") or "presets/masks", size, "cpu", options.get("threads"))
    opened.instrument.warm_up(opened.scene)
    show = Show(opened.instrument, Mapping(), add_parameters(opened.scene))
    if with_logic:
        library = opened.open_library()
        library.show = [Step(preset=name, hold=4.0, morph={"seconds": 1.0}) for name in LOOKS]
        (folder / "lanes").mkdir()
        (folder / "lanes/swell.yaml").write_text(yaml.safe_dump(LANES))
        show.join(recall=Recall(show, library), looper=Looper(show))
        join_stage(show, closing, folder, folder / "logs")
        closing.callback(show.close)
    return show


def _take_turns(logic, plain, seconds):
    """(the milliseconds of each pair of frames, and of processor time)."""
    from live.show.events import Tick

    applied: list = []
    logic.record = lambda tick, items: applied.append((tick, items))
    taken, end = ([], [], [], []), time.perf_counter() + seconds
    for frame in itertools.count():
        if time.perf_counter() > end:
            break
        for order in (ORDERS.get(frame), AGAIN.get(frame % 450)):
            if order is not None:
                logic.inbox.put(_make_event(order))
        tick = Tick(frame, frame / FPS, 1 / FPS if frame else 0.0)
        first = [lambda: _time(lambda: logic.frame(tick), taken[0], taken[2])]
        if len(applied):
            before = applied.pop(0)
            first.append(lambda: _time(lambda: plain.frame(before[0], replayed=before[1]), taken[1], taken[3]))
        for act in first if frame % 2 else reversed(first):
            act()
    return list(zip(*taken[:2]))[SETTLE:], list(zip(*taken[2:]))[SETTLE:]


def _make_event(order):
    from live.show.events import Asked, ControlEvent

    address, *arguments = order
    if address in ("/set/auto", "/set/idle", "/deck/on"):
        return ControlEvent(f"osc {address}", arguments[0])
    return Asked(address, tuple(arguments))


def _time(act, wall: list, processor: list):
    begun, spent = time.perf_counter(), time.thread_time()
    act()
    processor.append((time.thread_time() - spent) * 1000)
    wall.append((time.perf_counter() - begun) * 1000)
