"""The same frames on each device there is: how far they are from the processor's in float32, and how fast they come.

    python run_live.py bench device
    python run_live.py bench device --instrument ffhq.pkl --size 512

`error`: by how many levels of 255 pictures differ from the processor's in float32, on average and for 999 of 1000 numbers,
over frames with and without bends; `right`: at most 2 and 8. `advice`: the flags to play with. Devices take turns.
"""
import math

import numpy as np
import torch

from engine.bending import Bend
from engine.errors import UserError
from engine.instrument import Instrument
from tests.bench import _common

MEAN, WORST = 2.0, 8.0
FRAMES = 6


def devices() -> dict[str, str]:
    """{name: precision} of what can compute here; half precision where there is one to be tried."""
    found = {"cpu": "fp32", "cpu auto": "auto"}
    if torch.cuda.is_available():
        found |= {"cuda": "fp32", "cuda auto": "auto"}
    if torch.backends.mps.is_available():
        found["mps"] = "fp32"
    return found


def bench(options: dict) -> dict:
    """{device: figures, "advice": flags}; options: instrument, size, seconds, plot."""
    from live.show.clock import measure_cost

    network = options.get("instrument") or "presets/masks"
    parts, pictures, rows, failed = {}, {}, {}, {}
    for name, precision in devices().items():
        try:
            instrument = Instrument(_common.network(network, name.split()[0]), options.get("size"))
            instrument.use_precision(precision, measure_cost)
            pictures[name] = _frames(instrument)
            walker = _common.Walker(instrument.scene())
            parts[name] = lambda instrument=instrument, walker=walker: instrument.render(*walker()) and None
        except (RuntimeError, TypeError, UserError) as error:       # a device that lacks something is one figure, not the end
            failed[name] = {"right": False, "failed": f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"}
    for name, taken in _common.in_turns(parts, options.get("seconds") or 20.0).items():
        rows[name] = _common.summary(taken) | _error(pictures[name], pictures["cpu"]) | {"precision": devices()[name]}
    rows |= failed
    _common.show(rows)
    if options.get("plot"):
        _common.bars(options["plot"], {name: {"median": row["p50_ms"]} for name, row in rows.items() if "p50_ms" in row}, "ms a frame")
    return rows | {"advice": advice(rows), "machine": _common.machine()}


def advice(rows: dict) -> str:
    """The flags for the fastest device whose pictures are right."""
    right = {name: row for name, row in rows.items() if row["right"]}
    best = min(right, key=lambda name: right[name]["p50_ms"])
    where, _, automatic = best.partition(" ")
    return f"--device {where}" + ("" if automatic else " --precision fp32")


def _frames(instrument) -> list[np.ndarray]:
    """Frames of a walk, the second half of them bent."""
    layer = instrument.generator.layers[len(instrument.generator.layers) // 2]
    bends = Bend("turned", layer, (0, 1), "rotate", {"angle": 30.0}), Bend("louder", layer, (2, 3), "scalar_multiply", {"factor": 2.0})
    drawn = []
    for scene in (instrument.scene(), instrument.scene(bends)):
        walker = _common.Walker(scene)
        drawn += [instrument.render(*walker()).pixels.copy() for _ in range(FRAMES // 2)]
    return drawn


def _error(found, wanted) -> dict:
    apart = np.abs(np.stack(found).astype(np.int16) - np.stack(wanted)).ravel()
    mean, worst = float(apart.mean()), float(np.partition(apart, math.ceil(0.999 * len(apart)) - 1)[math.ceil(0.999 * len(apart)) - 1])
    return {"error": round(mean, 3), "error_999": worst, "right": mean <= MEAN and worst <= WORST}
