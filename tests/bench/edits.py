"""What a fade between weight presets costs: frame times with and without one, and late frames of a show that fades.

    python run_live.py bench edits --seconds 60

`steady`: a walk with one weight preset held. `fading`: the same walk while a fade of 60 frames goes from that preset to another
and back, without end. `checkpoint`: the same with the amount of a whole second checkpoint. The instrument's own edits are taken,
or random ones where it has none. The three draw in turns; ratios are to `steady`, of medians, by the clock and by this process's
processor time. `show`: a show at a rate that leaves some room, in which a preset is recalled every 90 frames with a fade of
60, and one in which none is; frames past their time are counted.
"""
import copy
import pathlib
import time

import torch

from engine import device
from engine.instrument import Instrument
from engine.rewriting import Edit
from tests.bench import _common

FADE, PERIOD, ROOM = 60, 90, 0.55                       # frames; of a frame's time that drawing may take
LAYERS = ("b32.conv1", "b16.conv1", "b64.conv0")


def bench(options: dict) -> dict:
    """{"frames": {part: figures}, "show": {...}}; options: instrument, size, seconds, device, threads, plot."""
    device.use_threads(options.get("threads"))
    generator = _common.network(options.get("instrument") or "presets/masks", device.choose(options.get("device")))
    edits, own = _edits(options.get("instrument") or "presets/masks", generator)
    seconds = options.get("seconds") or 60.0
    rows, size = _frames(generator, edits, options.get("size"), seconds / 2)
    _common.show(rows)
    counted = _shows(generator, edits, size, seconds / 2, rows["steady"]["p50_ms"])
    _common.show(counted)
    if options.get("plot"):
        _common.bars(options["plot"], {name: {part: row[name] for part, row in rows.items()} for name in ("p50_ms", "cpu_ms")}, "ms a frame")
    return {"frames": rows, "show": counted, "size": size, "edits": [f"{edit.name}: {edit.layer}, rank {edit.rank}" for edit in edits],
            "edits_of_the_instrument": own, "machine": _common.machine()}


def _edits(name, generator):
    """(edits, whether they are the instrument's)."""
    from live.instrument import folder as instruments
    from live.weights.folder import read_folder

    found = () if name in _common.SHAPES else read_folder(instruments.find(name).folder, generator).edits
    return (found, True) if len(found) > 1 else (_random_edits(generator), False)


def _random_edits(generator):
    edits = []
    for n, layer in enumerate([name for name in LAYERS if name in generator.layers] or generator.layers[-2:]):
        weight, random = generator.weights(layer).cpu(), torch.Generator().manual_seed(n)
        directions = torch.linalg.qr(torch.randn(weight.shape[1], 1, generator=random)).Q.T
        values = torch.randn(1, weight.shape[0], *weight.shape[2:], generator=random)
        edits.append(Edit(f"random{n}", layer, directions, values * (0.1 * weight.norm() / values.norm())))
    return edits


def second(generator):
    """Another checkpoint of the same shape, as if trained on from this one: every tensor but the noise maps differs a little."""
    other = copy.deepcopy(generator)
    random = torch.Generator().manual_seed(5)
    for name, tensor in other.state_dict().items():
        if not name.endswith("noise_const"):
            tensor.mul_(1 + 0.05 * torch.randn(tensor.shape, generator=random).to(tensor.device))
    return other


def presets(edits) -> tuple[dict, dict]:
    """{address: value} of two weight presets: every second edit in one, the others in the other."""
    return tuple({f"/edits/{edit.name}/strength": float(n % 2 == k) for n, edit in enumerate(edits)} for k in (0, 1))


def faded(n: int, a: dict, b: dict) -> dict:
    """Frame n of fades to and fro."""
    t = abs((n / FADE) % 2 - 1)
    return {address: b[address] + (a[address] - b[address]) * t for address in a}


def _frames(generator, edits, size, seconds):
    a, b = presets(edits)
    spent, parts = {}, {}
    for name in ("steady", "fading", "checkpoint"):
        own = copy.deepcopy(generator)
        instrument = Instrument(own, size, edits=edits, checkpoints={"other": second(generator)} if name == "checkpoint" else None)
        parts[name] = _counted(name, _part(name, instrument, a, b), spent)
    taken = _common.in_turns(parts, seconds, warm=4)
    rows = {name: _common.summary(values) for name, values in taken.items()}
    for name, row in rows.items():
        row["cpu_ms"] = round(_common.percentile(spent[name][4:], 50), 2)
        row["ratio"] = round(row["p50_ms"] / rows["steady"]["p50_ms"], 3)
        row["cpu_ratio"] = round(row["cpu_ms"] / rows["steady"]["cpu_ms"], 3)
    return rows, instrument.size


def _part(name, instrument, a, b):
    walker = _common.Walker(instrument.scene(), **a)
    frames = iter(range(10 ** 9))

    def draw():
        scene, motion = walker()
        n = next(frames)
        if name == "fading":
            scene = scene.set_values(faded(n, a, b))
        elif name == "checkpoint":
            scene = scene.set_values({"/weights/other/amount": abs((n / FADE) % 2 - 1)})
        instrument.render(scene, motion)

    return draw


def _counted(name, part, spent):
    """The part, adding up the processor time of this process."""
    def run():
        start = time.process_time()
        part()
        spent.setdefault(name, []).append((time.process_time() - start) * 1000)

    return run


def _shows(generator, edits, size, seconds, p50) -> dict:
    """{"steady" | "fading": {"frames", "late", "p50_ms", "p99_ms"}}, each in pieces that take turns."""
    fps = min(60.0, ROOM * 1000 / p50)
    frames, rounds = int(seconds * fps / 4), 2
    runs = {name: _Run(copy.deepcopy(generator), edits, size, fps, fading) for name, fading in (("steady", False), ("fading", True))}
    for _ in range(rounds):
        for run in runs.values():
            run.play(max(frames, 2))
    return {name: run.figures() | {"fps": round(fps, 1)} for name, run in runs.items()}


class _Run:
    """One show, in which weight presets are recalled all the time, or never."""

    def __init__(self, generator, edits, size, fps, fading):
        from live.mapping.mapping import Mapping
        from live.presets.recall import Recall
        from live.show.loop import Show
        from live.show.parameters import add_parameters
        from live.weights.folder import Offer
        from live.weights.presets import WeightPreset, WeightsFile
        from live.weights.weights import Weights

        a, b = (WeightPreset(name=name, edits={address.split("/")[2]: value for address, value in values.items()}, seconds=FADE / fps)
                for name, values in zip("ab", presets(edits)))
        instrument = Instrument(generator, size, edits=edits)
        scene = add_parameters(instrument.scene()).set_values({"/walk/kind": "wander"})
        self.show = Show(instrument, Mapping(), scene, strict=True)
        self.weights = Weights(self.show, Offer(pathlib.Path(), tuple(edits), file=WeightsFile(schema=1, presets=[a, b])))
        self.show.join(recall=Recall(self.show), weights=self.weights)
        self.fps, self.fading, self.late, self.played = fps, fading, 0, 0

    def play(self, frames):
        from live.show.clock import WallClock, limit_ticks
        from live.show.events import ControlEvent

        clock = WallClock(self.fps)
        for tick in limit_ticks(clock.ticks(), frames=frames):
            if self.fading and self.played % PERIOD == 0:
                self.show.inbox.put(ControlEvent("osc /weights/recall", "ab"[self.played // PERIOD % 2]))
            self.show.frame(tick)
            self.played += 1
        self.late += clock.late

    def figures(self):
        times = self.show.meter.report()["frame_ms"]
        return {"frames": self.played, "late": self.late, "p50_ms": times["p50"], "p99_ms": times["p99"]}
