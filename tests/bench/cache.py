"""What is not computed twice: frame times by what changed since the frame before, and late frames when presets switch.

    python run_live.py bench cache --seconds 20

`everything`: the walk moves. `fine styles`: only the fine layers' own walk. `fine bend`: a bend's fader in the last layer
but one. `blackout`: only the fade to black. `nothing`: the same moment again. Ratios are to `everything`. `switching`:
two scenes, one with two bends more, take turns twice a second at --fps (30); frames later than their time are counted.
"""
import time
from dataclasses import replace

from engine.bending import Bend
from tests.bench import _common

SMALLEST = 128                                          # px


def bench(options: dict) -> dict:
    """{"changes": {part: figures}, "switching": {...}}; options: instrument, size, seconds, device, threads."""
    instrument = _common.open_instrument(options)
    seconds = options.get("seconds") or 20.0
    taken = _common.in_turns(_parts(instrument.generator, instrument.size), seconds / 2, warm=4)
    rows = {name: _common.summary(values) for name, values in taken.items()}
    for row in rows.values():
        row["ratio"] = round(row["p50_ms"] / rows["everything"]["p50_ms"], 3)
    _common.show(rows)
    if options.get("plot"):
        _common.bars(options["plot"], {name: {"ms": row["p50_ms"]} for name, row in rows.items()}, "ms a frame, median, by what changed")
    return {"changes": rows, "switching": switching(instrument, seconds / 2), "size": instrument.size, "machine": _common.machine()}


def _parts(network, size):
    """Each part draws with an instrument of its own, so that what it keeps is its own."""
    from engine.instrument import Instrument

    layer = [name for name in network.layers if network.architecture.resolution_of(name) <= size][-2]
    bend = Bend("fine", layer, None, "scalar_multiply", {"factor": 1.0})
    parts = {}
    for name in ("everything", "fine styles", "fine bend", "blackout", "nothing"):
        instrument = Instrument(network, size)
        walker = _common.Walker(instrument.scene((bend,) if name == "fine bend" else ()))
        parts[name] = _part(name, instrument, *walker(), walker)
    return parts


def _part(name, instrument, scene, motion, walker):
    turn = iter(range(1, 10 ** 9))

    def draw():
        n, place = next(turn), motion
        if name == "everything":
            instrument.render(*walker())
            return
        changes = {"fine styles": {"/style/fine/mix": 1.0}, "fine bend": {"/bends/fine/factor": 1 + n % 50 / 50},
                   "blackout": {"/output/blackout": n % 50 / 60}, "nothing": {}}[name]
        if name == "fine styles":
            place = replace(motion, styles=(0.0, 0.0, n / 30))
        instrument.render(scene.set_values(changes), place)

    return draw


def switching(instrument, seconds, fps=_common.FPS) -> dict:
    """Late frames with and without a switch of scenes twice a second, at the largest size that leaves some time."""
    from tests.bench.frames import bends_for

    plain = instrument.scene()
    bent = instrument.scene(bends_for(instrument.generator, instrument.size)[:2])
    size = _fitting(instrument, bent, fps)
    counted = {}
    for name, period in (("steady", 10 ** 9), ("switching", fps // 2)):
        walkers = [_common.Walker(scene, **{"/quality/size": float(size)}) for scene in (plain, bent)]
        times = []
        for n in range(int(seconds / 2 * fps)):
            walker = walkers[(n // period) % 2 if name == "switching" else 1]
            start = time.perf_counter()
            instrument.render(*walker())
            times.append((time.perf_counter() - start) * 1000)
        counted[name] = _common.summary(times[2:]) | {"late": sum(ms > 1000 / fps for ms in times[2:])}
    return counted | {"drawn_at": size}


def _fitting(instrument, scene, fps):
    for size in sorted((s for s in instrument.sizes if s >= SMALLEST or s == instrument.size), reverse=True):
        walker = _common.Walker(scene, **{"/quality/size": float(size)})
        times = _common.in_turns({"try": lambda walker=walker: instrument.render(*walker()) and None}, 0.5)["try"]
        if _common.percentile(times, 50) < 0.6 * 1000 / fps:
            break
    return size
