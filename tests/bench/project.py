"""Projection beside the published procedure, in one run: PSNR and seconds, on the network's own pictures, on drawn ones, and on photographs.

    python run_live.py bench project --seconds 300

`published`: begins at the mean w, the published schedule and noise, and its loss without a network, the squared difference; nobody's feature network is at hand.
`published, VGG`: the same with VGG16 of random weights, in few steps: what a step costs, and nothing of how good it is.
`ours`: begins at what the nearest of many seeds have in common; the pyramid. `look`: the same from the look, where the instrument has one. `at once`: the look alone.
`tuned`: `ours`, and then an edit of seven layers, one picture after the other. Seconds are of all pictures together, ms of one picture and step. `photographs`: those that matplotlib and pygame bring along.
"""
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench import _common

PICTURES, STEPS, TUNED, SIZE = 8, 100, 80, 64
FEW = 3                              # steps by VGG16


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: size, seconds: how long all may take; with little, fewer steps are taken."""
    from engine.projection.find import Projector

    generator = _common.network(options.get("instrument") or "presets/masks").eval().requires_grad_(False)
    look, size = _find_look(options, generator), options.get("size") or SIZE
    ways = {"published": Projector(generator, size, "square"), "published, VGG": Projector(generator, size, _make_vgg_loss()), "ours": Projector(generator, size)}
    ways |= {"look": Projector(generator, size, look=look)} if look else {}
    share = min(1.0, (options.get("seconds") or 60) / 60)
    steps, tuned = max(2, int(STEPS * share)), max(2, int(TUNED * share))
    found: dict = {"steps": steps, "tuned": tuned, "size": ways["ours"].size}
    for name, pictures in _make_pictures(ways["ours"], generator).items():
        rows = {way: _run(way, projector, pictures, FEW if "VGG" in way else steps) for way, projector in ways.items()}
        if look:
            rows["at once"] = _describe(_look_at_once(ways["look"], look, pictures))
        rows["tuned"] = _tune(ways["ours"], pictures, steps, tuned)
        found[name] = rows
        _common.show({f"{name}: {way}": row for way, row in rows.items()})
    return found


def _describe(psnr, seconds=None, ms=None) -> dict:
    row = {"median": round(statistics.median(psnr), 1), "worst": round(min(psnr), 1)}
    return row | ({"seconds": round(seconds, 1)} if seconds is not None else {}) | ({"ms": round(ms, 1)} if ms is not None else {})


def _run(way, projector, pictures, steps) -> dict:
    start = time.perf_counter()
    targets = projector.prepare(pictures)
    begin = projector.mean.expand(len(targets), 1, -1).clone() if way.startswith("published") else projector.find_start(targets)
    began = time.perf_counter()
    shown = projector.describe(projector.refine(begin, targets, steps), begin, targets)
    end = time.perf_counter()
    return _describe(shown.psnr, end - start, 1000 * (end - began) / steps / len(targets))


def _tune(projector, pictures, steps, tuned) -> dict:
    """Return the row of pictures that are projected and then tuned, each by itself."""
    from engine.projection.losses import measure_psnr
    from engine.projection.tune import Pace, Tuning
    from engine.rewriting import Edit

    found, psnr, start = projector.project(pictures, steps), [], time.perf_counter()
    for n in range(len(found.ws)):
        ws, target = found.ws[n:n + 1].to(projector.generator.device), found.target[n:n + 1].to(projector.generator.device)
        first, *more = Tuning(projector, ws, target, Pace(steps=tuned)).go_on()
        edit = Edit("tuned", first.layer, first.directions, first.values, more=tuple(more))
        psnr.append(float(measure_psnr(projector.draw_edited(ws, edit, 1.0), target)))
    seconds = time.perf_counter() - start
    return _describe(psnr, seconds, 1000 * seconds / tuned / len(psnr))


def _make_vgg_loss():
    """Return the distance by VGG16 of random weights, from a file in torchvision's layout."""
    import torch

    from engine.checkpoints.judges import CONVOLUTIONS, WIDTHS
    from engine.projection.features import make_vgg_loss

    state, inputs, source = {}, 3, torch.Generator().manual_seed(0)
    for place, width in zip(CONVOLUTIONS, WIDTHS):
        state[f"features.{place}.weight"] = torch.randn(width, inputs, 3, 3, generator=source) * (2 / (9 * inputs)) ** 0.5
        state[f"features.{place}.bias"] = torch.zeros(width)
        inputs = width
    with tempfile.TemporaryDirectory() as folder:
        torch.save(state, Path(folder) / "vgg16.pth")
        return make_vgg_loss(Path(folder) / "vgg16.pth")


def _look_at_once(projector, look, pictures) -> list:
    import torch

    from engine.projection.losses import measure_psnr

    targets = projector.prepare(pictures)
    with torch.no_grad():
        return measure_psnr(projector.draw(look(targets)), targets).tolist()


def _find_look(options, generator):
    """Return the look of the instrument's folder; None where it has none."""
    from engine.checkpoints import generator_hash
    from live.instrument import folder as instruments
    from live.instrument.found import read_look
    from live.instrument.open import load_encoder

    folder = instruments.find(options.get("instrument") or "presets/masks")
    return read_look(folder.folder, generator, generator_hash(generator), load_encoder(folder, generator))


def _make_pictures(projector, generator) -> dict:
    """Return {kind: pictures [N, 3, S, S']}: the network's own; drawn ones and photographs, where it is the built-in world's."""
    import torch

    from engine.directions.statistics import sample_w
    from engine.world import MASKS

    z, w = sample_w(generator, PICTURES, 123)
    with torch.no_grad():
        found = {"own": projector.draw(w[:, None]).clamp(-1, 1)}
        if (generator.z_dim, generator.w_dim) != (64, 128):
            return found
        return found | {"drawn": MASKS.draw(z, projector.size), "photographs": torch.cat([projector.prepare(photo) for photo in _read_photographs()])}


def _read_photographs() -> list:
    """Return pictures [1, 3, H, W'] in -1..1 that two packages bring along."""
    import matplotlib
    import pygame

    from engine.kept.made import to_light
    from live.files.stills import read_still

    folders = Path(matplotlib.get_data_path()) / "sample_data", Path(pygame.__file__).parent / "examples" / "data"
    return [to_light(read_still(folder / name)) for folder, name in zip(folders, ("grace_hopper.jpg", "liquid.bmp"))]
