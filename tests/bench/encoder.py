"""How well a camera plays the built-in instrument: pictures of its world nobody trained on, through the encoder.

    python run_live.py bench encoder                     500 pictures; either recipe trained for four minutes beside it
    python run_live.py bench encoder --seconds 900       trained for a quarter of an hour of processor time each
    python run_live.py bench encoder --seconds 0         without training

Pictures are drawn, not generated; errors are mean absolute differences in -1..1 (engine/encoder/measure.py). "mean look":
the layers above have the mean w's styles, so that all they know of the picture comes from the encoder. "nobody" is the
picture of the w alone. The published recipe (SPEC.md D.2) and ours start from nothing and get the same processor time.
`added_to_a_frame`: processor time of RATE encodings a second, over that of the frames of a second.
"""
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from engine import checkpoints
from engine import encoder as encoders
from engine.encoder import measure, train
from engine.encoder.pairs import Own, SeedPairs, loss_size
from engine.fast import Synthesis
from engine.fast.allocator import keep_freed
from engine.world import MASKS
from tests.bench._common import in_turns, percentile, show

COUNT, SIZE, SECONDS, RATE, FPS = 500, 128, 240.0, 15.0, 30.0


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: instrument, seconds, size, count, frames' seconds."""
    from live.instrument import folder as instruments

    where = instruments.find(options.get("instrument") or instruments.BUILT_IN)
    generator = checkpoints.load(where.generator)
    shipped = encoders.load(Path(where.folder) / "encoder.safetensors", generator)
    seconds = SECONDS if options.get("seconds") is None else options["seconds"]
    size, count = options.get("size") or SIZE, options.get("count") or COUNT
    table = measure.errors({"shipped": shipped}, generator, count, size, progress=say)
    if seconds:
        table = measure.errors(trained(generator, shipped.layer, seconds), generator, count, size, {"clean": ()}, say) | table
    figures = ratios(table) | cost(shipped, generator, options.get("frames") or 10.0)
    table = {who: {name: {look: round(error, 4) for look, error in row.items()} for name, row in named.items()} for who, named in table.items()}
    show({f"{who}, {name}": row for who, named in table.items() for name, row in named.items()})
    return {"pictures": count, "size": size, "layer": shipped.layer, "seconds_of_training": seconds, "errors": table, **figures,
            "bars": measure.BARS, "met": {bar: figures[bar] <= value for bar, value in measure.BARS.items() if bar in figures}}


def say(event):
    if event["measured"] % 100 == 0:
        sys.stderr.write(f"{event['measured']} of {event['of']} pictures\n")


def ratios(table) -> dict:
    """What the bars are about."""
    clean = {who: named["clean"]["mean look"] for who, named in table.items()}
    figures = {"half_of_mean_w": clean["shipped"] / clean["nobody"],
               "all_over_clean": table["shipped"]["all"]["mean look"] / clean["shipped"]}
    if "published" in table:
        for look, name in (("mean look", "over_published"), ("own look", "over_published_own_look")):
            figures[name] = table["ours"]["clean"][look] / table["published"]["clean"][look]
    return {name: round(value, 3) for name, value in figures.items()}


def trained(generator, layer, seconds) -> dict:
    """{"ours", "published": an Encoder trained from nothing for so much processor time}."""
    made = {}
    for name, preset, recipe in (("ours", "live", train.Recipe(batch=8)), ("published", "published", train.SEED_RECIPE)):
        begun = encoders.Encoder.fresh(generator, layer, preset)
        size = loss_size(generator, begun.plan)
        pairs = Own(generator, begun.plan, size, draw=MASKS.draw) if name == "ours" else SeedPairs(generator, begun.plan, size)
        made[name], steps = trained_for(seconds, begun, pairs, recipe)
        sys.stderr.write(f"{name}: {steps} steps of {recipe.batch} pictures in {seconds:g} s of processor time\n")
    return made


def trained_for(seconds, encoder, pairs, recipe):
    """(the encoder trained for so much processor time, steps that took)."""
    start = time.process_time()
    trainer = train.Trainer(None, encoder, pairs, recipe)
    while (taken := time.process_time() - start) < seconds:
        if trainer.steps in (2, 10, 50):                    # the rate falls towards the end: where will that be?
            trainer.recipe = replace(recipe, steps=max(1, round(seconds / taken * trainer.steps)))
        trainer.step()
    return trainer.make_average(), trainer.steps


def cost(encoder, generator, seconds) -> dict:
    """Processor time of an encoding and of a frame, in turns."""
    keep_freed()                                            # as an Instrument does
    synthesis, picture = Synthesis(generator), torch.rand(1, 3, *encoder.size) * 2 - 1
    places = torch.randn(64, generator.z_dim, generator=torch.Generator().manual_seed(0))
    ws, number = generator.map(places), [0]

    @torch.no_grad()
    def frame():
        number[0] += 1
        return processor_ms(lambda: synthesis(ws[number[0] % 64][None]))

    @torch.no_grad()
    def encoding():
        return processor_ms(lambda: encoder(picture))

    taken = {name: percentile(ms, 50) for name, ms in in_turns({"frame": frame, "encoding": encoding}, seconds).items()}
    frames = min(FPS, 1000 * torch.get_num_threads() / taken["frame"])          # as many as the machine holds
    return {"frame_processor_ms": round(taken["frame"], 1), "encoding_processor_ms": round(taken["encoding"], 1), "rate": RATE,
            "added_to_a_frame": round(min(RATE, frames) * taken["encoding"] / (frames * taken["frame"]), 3)}


def processor_ms(call) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1000
