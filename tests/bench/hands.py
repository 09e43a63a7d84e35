"""What hands cost a show: bindings, modulators, the echo, a flood. Processor time, so it holds on a busy machine.

    python run_live.py bench hands --seconds 4

`frame` is what the loop's thread spends a frame on bindings and modulators alone, no picture drawn: 500 bindings of MIDI
faders on 500 parameters, 64 modulators of every shape on 64 of them; with none, 8, 64 and all 500 faders moving in every
frame. `bare` is the same frame without bindings and modulators: the walk alone. `hands_ms` is the difference; at most
0.5 ms is wanted with 8 faders moving, as many as fingers move.

`echo` is what telling four listeners over UDP costs at 60 Hz, in percent of one core, while so many values change every
frame; at most 5 % is wanted. `flood` is what a frame costs the loop while 10,000 OSC messages a second come that nothing is
called by, and as many for one parameter.
"""
import socket
import statistics
import time
from types import MappingProxyType

from tests.bench._common import machine, show

FPS, BINDINGS, MODULATORS, LISTENERS, FLOOD = 60, 500, 64, 4, 10_000
MOVING = (0, 8, 64, BINDINGS)
CHANGING = (8, 64, 300)


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: seconds, optional."""
    seconds = options.get("seconds") or 4.0
    scene, mapping = _scene(), _mapping()
    frames = {f"{moving} moving": _frame(scene, mapping, moving, seconds / 8) for moving in MOVING}
    bare = _frame(_scene(modulators=0), None, 0, seconds / 8)
    for found in frames.values():
        found["hands_ms"] = round(found["cpu_ms"] - bare["cpu_ms"], 4)
    echo = {f"{changing} changing": _echo(scene, changing, seconds / 6) for changing in CHANGING}
    flood = {name: _flood(address, seconds / 8) for name, address in (("unknown", "/nothing/{}"), ("one parameter", "/p/1"))}
    show({"bare": bare, **frames})
    show(echo)
    show(flood)
    return {"bindings": BINDINGS, "modulators": MODULATORS, "fps": FPS, "bare": bare, "frame": frames, "echo": echo, "flood": flood,
            "wanted": {"hands_ms": 0.5, "echo_percent": 5.0}, "machine": machine()}


def _scene(modulators=MODULATORS):
    """500 parameters of every curve, the walk's own, and modulators of every shape."""
    from engine import motion
    from engine.modulation import Modulator
    from engine.modulators import SHAPES
    from engine.parameter import Parameter
    from engine.scene import Scene

    kinds = (Parameter(0.5), Parameter(4.0, 0.0, 16.0, curve="square"), Parameter(1.0, 0.1, 10.0, curve="log"), Parameter(0.0, 0.0, 360.0, curve="circular"))
    parameters = {f"/p/{i}": kinds[i % len(kinds)] for i in range(BINDINGS)}
    scene = Scene(MappingProxyType(motion.PARAMETERS | parameters | {"/output/freeze": Parameter(0.0, step=1)}))
    parts = [Modulator(f"m{i}", f"/p/{i}", f"/p/{i + 100}") for i in range(modulators)]
    values = {f"/p/{i}": parameters[f"/p/{i}"].plain(0.4) for i in range(BINDINGS)}
    values |= {m.address("shape"): list(SHAPES)[i % len(SHAPES)] for i, m in enumerate(parts)}
    values |= {m.address("depth"): 0.3 for m in parts}
    return scene.with_modulators(parts).set_values(values)


def _mapping():
    from live.mapping.binding import Binding
    from live.mapping.mapping import Mapping

    return Mapping([[Binding(control=_control(i), to=f"/p/{i}", takeover="jump") for i in range(BINDINGS)]])


def _control(i):
    return f"cc {i // 120 + 1}/{i % 120}"


def _frame(scene, mapping, moving, seconds) -> dict:
    """Processor milliseconds of the loop's thread per frame: the median."""
    from engine.modulation import modulate
    from engine.motion import Motion
    from live.show.events import ControlEvent

    going, taken, frame, end = Motion(), [], 0, time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 20:
        frame += 1
        events = [ControlEvent(_control(i * BINDINGS // max(moving, 1)), (frame % 97) / 97, False, 0.0) for i in range(moving)]
        start = time.thread_time()
        if mapping is not None:
            scene = scene.set(mapping.translate(events, scene))
        going = going.advance(scene, 1 / FPS)
        modulate(scene, going)
        taken.append(1000 * (time.thread_time() - start))
    return {"cpu_ms": round(statistics.median(taken[5:]), 4), "frames": len(taken)}


def _echo(scene, changing, seconds) -> dict:
    """The echo's turns, 60 a second, as a share of one core."""
    from engine.motion import Motion
    from live.osc.echo import Echo

    ears = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(LISTENERS)]
    newest = [scene, Motion().advance(scene, 0.0)]
    echo = Echo(lambda: tuple(newest), started=False)
    for ear in ears:
        ear.bind(("127.0.0.1", 0))
        echo.subscribe("127.0.0.1", ear.getsockname()[1])
    for _ in range(8):
        echo.turn()
    taken, turn, end = [], 0, time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 20:
        turn += 1
        newest[0] = newest[0].set_values({f"/p/{i}": newest[0].parameters[f"/p/{i}"].plain((turn + i) % 89 / 89) for i in range(changing)})
        start = time.thread_time()
        echo.turn()
        taken.append(time.thread_time() - start)
    figures = echo.report()
    echo.close()
    for ear in ears:
        ear.close()
    return {"percent_of_core": round(100 * FPS * statistics.mean(taken), 2), "turn_ms": round(1000 * statistics.mean(taken), 4),
            "datagrams": figures["datagrams"], "turns": len(taken)}


def _flood(address, seconds) -> dict:
    """A frame's share of 10,000 messages a second, to the mapping that has no use for them or one parameter for all."""
    from live.mapping.mapping import Mapping
    from live.osc.stats import Stats
    from live.show.events import ControlEvent

    scene, mapping, taken, end = _scene(modulators=0), Mapping(stats=Stats()), [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 20:
        events = [ControlEvent("osc " + address.format(i), 0.5, False, 0.0) for i in range(FLOOD // FPS)]
        start = time.thread_time()
        scene = scene.set(mapping.translate(events, scene))
        taken.append(1000 * (time.thread_time() - start))
    return {"cpu_ms": round(statistics.median(taken), 4), "frames": len(taken)}
