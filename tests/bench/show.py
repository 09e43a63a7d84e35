"""A whole show as its user would run it: ten minutes at 30 fps with a walk, bends and OSC at 18,000 messages a second.

    python run_live.py bench show --size 512 --seconds 600 --plot show.png

`run_live.py play` runs in a process of its own with its governor, autosave and OSC port; a sender in another moves 300
channels, four bends that are heard among them, in one bundle sixty times a second. Nobody has to be there.

    late, frame_ms      ticks past their time, and what a frame took; from the show's own --report
    drawn_at            frames drawn at each size: the governor lowers it where the machine is too slow
    arrived             messages the show counted over those sent
    rss_mb              resident memory after 30 seconds and at the end, and the most there was
    cpu_ms              processor time a frame, all threads of the show
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from tests.bench import _common, osc

SECONDS, EARLY, SAMPLED = 600.0, 30.0, 2.0              # EARLY: when memory is looked at first; SAMPLED: how often
NAME = "bench show"
PLAY = ("--output", "null", "--midi-ports", "none", "--preset", NAME)


def bench(options: dict) -> dict:
    """See the module's docstring. options: instrument, size, seconds, threads, plot, all optional."""
    seconds = options.get("seconds") or SECONDS
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        channels = _stage(options.get("instrument") or "presets/masks", folder)
        (folder / "channels.json").write_text(json.dumps(channels), encoding="utf-8")
        port, report = _free_port(), folder / "report.json"
        show = _run("run_live.py", "--instrument", folder, *PLAY, "--osc-port", port, "--report", report, "--seconds", seconds + 2,
                    *(("--size", options["size"]) if options.get("size") else ()))
        sender = None
        try:
            _wait_for(port, show)
            sender = _run(osc.SENDER, "--port", port, "--parameters", folder / "channels.json", "--seconds", seconds, stdout=subprocess.PIPE)
            memory = _watched(show, time.monotonic())
            sent = json.loads(sender.communicate(timeout=30)[0])
        finally:
            for process in (show, sender):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()
        figures = _summary(json.loads(report.read_text(encoding="utf-8")), sent, memory)
    _common.show({"show": {k: v for k, v in figures.items() if not isinstance(v, dict)} | figures["rss_mb"] | figures["frame_ms"]})
    if options.get("plot"):
        _plot(options["plot"], memory)
    return figures | {"machine": _common.machine()}


def _stage(instrument, folder):
    """Lay out an instrument's folder that has a preset to play; returns the channels to move, {address: its range}."""
    from engine.bending import Bend
    from engine.checkpoints import generator_hash
    from engine.instrument import Instrument
    from live.instrument import folder as instruments
    from live.presets.library import Library
    from live.presets.preset import make_preset
    from live.show.parameters import add_parameters

    found = instruments.find(instrument)
    generator = _common.network(instrument)
    shutil.copy(found.generator, folder)
    (folder / "instrument.yaml").write_text(f"schema: 1\nname: Show\ngenerator: {found.generator.name}\n", encoding="utf-8")
    playing = Instrument(generator)
    heard = _heard(generator, Bend)
    scene = osc.with_idle_bends(playing, heard).set_values({"/walk/kind": "wander"})
    library = Library(folder / "scenes", playing.scene(), "Show", generator_hash(generator), playing.bend)
    library.store(NAME, make_preset(add_parameters(scene), _common.Motion()))
    library.flush()
    library.close()
    return {a: {"low": scene.parameters[a].low, "high": scene.parameters[a].high} for a in osc.channels(scene)}


def _heard(generator, bend):
    """Four bends of half the channels of layers in the middle."""
    from tests.bench.frames import BENT

    layers = [name for name in generator.layers if 8 <= generator.architecture.resolution_of(name) <= 64 and name.endswith("conv1")][-4:]
    return [bend(f"heard{i}", layer, tuple(range(0, generator.channels(layer), 2)), transform, settings)
            for i, (layer, (transform, settings)) in enumerate(zip(layers, BENT))]


def _run(*arguments, **options):
    return subprocess.Popen([sys.executable, *map(str, arguments)], cwd=_common.ROOT, **options)


def _free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(port, show, most=60.0):
    """Until the show answers over OSC."""
    from tests.senders.touchdesigner import message

    deadline = time.monotonic() + most
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        while time.monotonic() < deadline and show.poll() is None:
            asking.sendto(message("/truncation", "?", tag="s"), ("127.0.0.1", port))
            try:
                asking.recv(1024)
                return
            except (TimeoutError, ConnectionRefusedError):
                continue
    raise RuntimeError("the show did not begin")


def _watched(show, start):
    """[(seconds, resident megabytes, processor seconds)] of the show until it ends."""
    found = []
    while show.poll() is None:
        found += _usage(show.pid, time.monotonic() - start)
        time.sleep(SAMPLED if time.monotonic() - start > SAMPLED else 0.2)
    return found


def _usage(pid, moment):
    try:
        resident = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, TypeError):                        # it has just ended, or this is no Linux
        return []
    return [(moment, resident, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))]


def _summary(report, sent, memory):
    early = next((mb for at, mb, _ in memory if at >= min(EARLY, memory[-1][0] / 3)), None) if memory else None
    spent = memory[-1][2] - memory[0][2] if memory else 0.0
    share = (memory[-1][0] - memory[0][0]) / report["seconds"] if memory else 1.0
    return {"frames": report["frames"], "fps": report["fps"], "late": report["late"], "failed": report["failed"],
            "frame_ms": report["frame_ms"], "control_to_frame_ms": {k: v for k, v in report["control_to_frame_ms"].items() if k != "by_source"},
            "size": report["resolution"], "drawn_at": report["quality"]["frames"], "sent": sent["messages"],
            "messages_a_second": round(sent["messages"] / sent["seconds"]), "arrived": round((report["osc"]["messages"] - report["osc"]["queries"]) / sent["messages"], 6),
            "rss_mb": {"early": early and round(early, 1), "end": memory and round(memory[-1][1], 1), "most": memory and round(max(m[1] for m in memory), 1)},
            "cpu_ms": round(1000 * spent / (report["frames"] * share), 1)}


def _plot(path, memory):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 3))
    axes.plot([at for at, *_ in memory], [mb for _, mb, _ in memory])
    axes.set(xlabel="seconds", ylabel="resident memory, MB", ylim=(0, None))
    figure.savefig(path, dpi=120, bbox_inches="tight")
