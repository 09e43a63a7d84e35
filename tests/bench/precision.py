"""Frames in float32, in half precision, and as StyleGAN2 is usually published, taking turns; and what half precision changes.

    python run_live.py bench precision --size 1024 --seconds 60
    python run_live.py bench precision --instrument config-f

`harm`: by how many levels of 255 pictures differ, on average and for 999 of 1000 numbers, with and without bends at work.
Ratios are of medians, to the published form.
"""
import torch

from engine.fast.precision import choose_precision, harm
from live.show.clock import measure_cost
from tests.bench import _common
from tests.bench.naive import Other


def bench(options: dict) -> dict:
    """{"fp32", "bf16", "published": figures, "chosen", "harm"}; options: instrument, size, seconds, threads, plot."""
    from engine.instrument import Instrument

    network = _common.open_instrument(options).generator
    size = options.get("size") or network.resolution
    other = Other(options.get("instrument") or "presets/masks", size, torch.get_num_threads(), "cpu")
    try:
        parts = {precision: _part(Instrument(network, size), precision) for precision in ("fp32", "bf16")}
        taken = _common.in_turns(parts | {"published": other}, options.get("seconds") or 30.0)
    finally:
        other.close()
    rows = {name: _common.summary(values) for name, values in taken.items()}
    for row in rows.values():
        row["ratio"] = round(rows["published"]["p50_ms"] / row["p50_ms"], 2)
    _common.show(rows)
    if options.get("plot"):
        _common.bars(options["plot"], {name: {"median": row["p50_ms"]} for name, row in rows.items()}, "ms a frame")
    mean, worst = harm(network, size)
    return rows | {"harm": {"mean": round(mean, 3), "p99.9": round(worst, 3)}, "chosen": choose_precision(network, "auto", size, measure_cost),
                   "size": size, "machine": _common.machine()}


def _part(instrument, precision):
    instrument.use_precision(precision)
    walker = _common.Walker(instrument.scene())
    return lambda: instrument.render(*walker()) and None
