"""What 300 OSC channels at 60 Hz do to a show: whether every value arrives, frame times with and without, latency.

    python run_live.py bench osc --seconds 8

A real show plays in this process, with its own OSC port; the sender is tests/senders/touchdesigner.py in a process of
its own. Parts take turns, so that a machine busy with something else is busy for all of them, and figures are pooled
over the rounds:

    quiet       nobody sends
    elsewhere   single packets, to a port where nobody listens: what the sender's own work costs on this machine
    bundle      one bundle of all channels a frame, as TouchDesigner sends
    single      a packet per channel

`arrived` is what the port counted over what the sender sent; `verified` is how many channels, asked by the sender over
OSC afterwards, hold the value it sent last. `ratio` is the p99 frame time over that of quiet; `noise` is the same of
the last quiet part over the first, so how far a ratio can be trusted. On a machine that has other work as well, the
processor time says more: `cpu_ms` is what this process spent per frame, `loop_cpu_ms` the loop's thread alone, and
`osc_thread_percent` what the OSC thread took of one core, and `put_aside` how often a frame the loop's thread lost its core.
"""
import gc
import itertools
import json
import pathlib
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time

SENDER = pathlib.Path(__file__).parents[1] / "senders" / "touchdesigner.py"
PARTS = ("quiet", "elsewhere", "bundle", "single")
CHANNELS, RATE, FPS, SECONDS, ROUNDS = 300, 60, 30, 6.0, 3
IDLE = 56                                                        # bends that do nothing: a scene may have 64
SETTLE = 0.5                                                     # seconds of a part before it is measured, and after
LEAVE = ("/output/", "/walk/glide")                              # not moved: they change how much there is to draw
SHARE = 0.6                                                      # of a frame's time that drawing may take, to choose a size


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: instrument, size, seconds, device, threads, rounds, all optional."""
    instrument, scene = _instrument(options)
    figures = {part: {"frame_ms": [], "latency_ms": [], "sent": [], "arrived": 0, "late": 0, "cpu": []} for part in PARTS}
    with tempfile.TemporaryDirectory() as folder:
        parameters = pathlib.Path(folder) / "parameters.json"
        parameters.write_text(json.dumps({a: {"low": scene.parameters[a].low, "high": scene.parameters[a].high}
                                          for a in channels(scene)}), encoding="utf-8")
        interval = sys.getswitchinterval()
        sys.setswitchinterval(0.001)                             # as `play` does, and the next line too
        gc.freeze()
        try:
            _rounds(instrument, scene, parameters, options, figures)
        finally:
            sys.setswitchinterval(interval)
            gc.unfreeze()
    return _summary(figures) | {
        "channels": CHANNELS, "rate": RATE, "fps": FPS, "frame_period_ms": round(1000 / FPS, 2),
        "size": instrument.size, "device": str(instrument.device)}


def channels(scene):
    """The addresses that are moved: continuous parameters, the instrument's own first."""
    found = [a for a, p in scene.parameters.items()
             if not (p.choices or p.size or p.step) and not a.startswith(LEAVE) and not a.endswith(("/mix", "/mute"))]
    return sorted(found, key=lambda a: a.startswith(("/bends/", "/modulators/")))[:CHANNELS]


def _rounds(instrument, scene, parameters, options, figures):
    from live import controls
    from live.mapping.mapping import Mapping
    from live.osc.address import read_value
    from live.show.loop import Show

    stats, opened = controls.make_stats("osc"), queue.SimpleQueue()
    show = Show(instrument, Mapping(stats=stats), scene, strict=True)
    end = controls.start("osc", show.inbox.put, stats=stats, port=0, opened=opened.put,
                         answers=(lambda address: read_value(show.scene, address), lambda: show.scene.parameters))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        ports = {"bundle": opened.get(timeout=10), "elsewhere": nowhere.getsockname()[1]}
        ports["single"] = ports["bundle"]
        for turn in range(options.get("rounds") or ROUNDS):
            for part in PARTS[turn % len(PARTS):] + PARTS[:turn % len(PARTS)]:
                _part(part, show, stats, ports.get(part), parameters, options.get("seconds") or SECONDS, figures[part])
    end()


def _part(part, show, stats, port, parameters, seconds, figures):
    """Play one part and add to its figures; the sender's start and its questions at the end are not among them."""
    from live.show.clock import WallClock, limit_ticks

    clock, sender = WallClock(FPS), None
    if port:
        sender = subprocess.Popen(
            [sys.executable, str(SENDER), "--port", str(port), "--parameters", str(parameters), "--rate", str(RATE),
             "--seconds", str(seconds + 2 * SETTLE)] + (["--single"] if part != "bundle" else [])
            + (["--verify"] if part != "elsewhere" else []), stdout=subprocess.PIPE)
    packets, counted = stats.packets, stats.messages - stats.report()["queries"]
    show.play(_while(clock.ticks(), lambda: bool(port) and part != "elsewhere" and stats.packets == packets))
    show.play(limit_ticks(WallClock(FPS).ticks(), seconds=SETTLE))   # the sender, or what was before, is past its start
    meter, clock, before = _fresh(show), WallClock(FPS), _processor()
    show.play(limit_ticks(clock.ticks(), seconds=seconds))
    figures["cpu"].append([(after - b) for after, b in zip(_processor(), before)])
    figures["frame_ms"].append(list(meter.frame_ms.values[:meter.frame_ms.count]))
    if "osc" in meter.latency_ms:
        ring = meter.latency_ms["osc"]
        figures["latency_ms"].append(list(ring.values[:min(ring.count, len(ring.values))]))
    figures["late"] += clock.late
    _fresh(show)
    if sender:
        show.play(_while(WallClock(FPS).ticks(), lambda: sender.poll() is None))
        figures["sent"].append(json.loads(sender.communicate()[0]))
        figures["arrived"] += stats.messages - stats.report()["queries"] - counted


def _processor():
    """So far: seconds of the clock, of the processor for this process, this thread (the loop) and the OSC thread; and how
    often this thread was put aside while it wanted to go on.
    """
    osc = next(t for t in threading.enumerate() if t.name == "osc")
    clock = getattr(time, "pthread_getcpuclockid", None)
    return (time.perf_counter(), time.process_time(), time.thread_time(),
            time.clock_gettime(clock(osc.ident)) if clock else 0.0, _put_aside())


def _put_aside():
    import resource  # POSIX only

    return resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)).ru_nivcsw


def _fresh(show):
    from live.show.meter import Meter

    show.meter = Meter()
    return show.meter


def _while(ticks, condition):
    return itertools.takewhile(lambda tick: condition(), ticks)


def _summary(figures):
    """Pooled figures of each part, and the ratios."""
    pooled = {part: sorted(itertools.chain(*f["frame_ms"])) for part, f in figures.items()}
    quiet = _percentile(pooled["quiet"], 99)
    found = {}
    for part, f in figures.items():
        frames = len(pooled[part])
        seconds, process, loop, osc, aside = (sum(column) for column in zip(*f["cpu"]))
        found[part] = {"frames": frames, "late": f["late"], "cpu_ms": round(1000 * process / frames, 2),
                       "loop_cpu_ms": round(1000 * loop / frames, 2), "put_aside": round(aside / frames, 2), "osc_thread_percent": round(100 * osc / seconds, 2),
                       "frame_ms": {f"p{p}": round(_percentile(pooled[part], p), 2) for p in (50, 95, 99)}}
        if part == "quiet":
            ends = [sorted(f["frame_ms"][i]) for i in (0, -1)]
            found[part]["noise"] = round(_percentile(ends[1], 99) / _percentile(ends[0], 99), 3)
            continue
        found[part]["ratio"] = round(_percentile(pooled[part], 99) / quiet, 3)
        sent = sum(s["messages"] for s in f["sent"])
        found[part]["sent"], found[part]["sender_rate"] = sent, min(s["rate"] for s in f["sent"])
        if part == "elsewhere":
            continue
        latency = sorted(itertools.chain(*f["latency_ms"]))
        found[part] |= {
            "arrived": f["arrived"] / sent, "verified": min(s["verified"] for s in f["sent"]),
            "ratio_to_elsewhere": round(_percentile(pooled[part], 99) / _percentile(pooled["elsewhere"], 99), 3),
            "control_to_frame_ms": {f"p{p}": round(_percentile(latency, p), 2) for p in (50, 99)},
            "control_to_frame_allowed_ms": round(1000 / FPS + _percentile(pooled[part], 99), 2)}
    return found


def _percentile(ordered, p):
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]


def _instrument(options):
    """The instrument asked for, at the largest size that keeps the frame rate, with idle bends to make up 300 channels."""
    from engine import checkpoints, device
    from engine.errors import UserError
    from engine.instrument import Instrument
    from live.instrument import folder as instruments

    device.use_threads(options.get("threads"))
    on = device.choose(options.get("device"))
    try:
        folder = instruments.find(options.get("instrument") or instruments.BUILT_IN)
        generator = checkpoints.load(folder.generator, on)
    except UserError:
        if options.get("instrument") not in (None, "presets/masks"):
            raise
        generator = _stand_in().to(on)
    sizes = [options["size"]] if options.get("size") else [s for s in generator.architecture.resolutions[::-1] if s >= 16]
    for size in sizes:
        instrument = Instrument(generator, size)
        scene = _moved(with_idle_bends(instrument))
        instrument.warm_up(scene)
        if _drawing_time(instrument, scene) < SHARE / FPS:
            break
    return instrument, scene


def _stand_in():
    """A seeded network of the built-in instrument's shape, where that is not there yet."""
    import torch

    from engine.architecture import Architecture, channel_table
    from engine.generator import Generator

    torch.manual_seed(0)
    table = {r: min(2048 // r, 128) for r in channel_table(256)}
    return Generator(Architecture(resolution=256, z_dim=64, w_dim=128, channels=table, mapping_layers=4))


def with_idle_bends(instrument, bends=()):
    """The instrument's scene with these bends, and idle bends and muted modulators, as many as it takes for 300 channels."""
    from engine.bending import Bend
    from engine.modulation import Modulator

    idle = [Bend(f"wave{i}", instrument.generator.layers[-1], None, "wave", mix=0.0) for i in range(IDLE)]
    scene, modulators = instrument.scene((*bends, *idle)), []
    while len(channels(scene)) < CHANNELS:
        modulators.append(Modulator(f"muted{len(modulators)}", "/noise/strength"))
        scene = scene.with_modulators(modulators)
    return scene.set_values({f"/modulators/{modulator.name}/mute": 1.0 for modulator in modulators})


def _moved(scene):
    """Every channel away from its default, in all parts alike: only the moving differs."""
    from live.show.events import Change

    return scene.set([Change(a, (p.low + p.high) / 2 + (p.high - p.low) / 8) for a in channels(scene)
                      for p in (scene.parameters[a],)])


def _drawing_time(instrument, scene):
    """Seconds a frame takes to draw: the middle of 15."""
    from engine.motion import Motion
    from live.show.clock import now

    motion, times = Motion(), []
    for _ in range(15):
        motion = motion.advance(scene, 1 / FPS)
        start = now()
        instrument.render(scene, motion)
        times.append(now() - start)
    return sorted(times)[len(times) // 2]
