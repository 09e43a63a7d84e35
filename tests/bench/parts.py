"""What bends at parts do, on unseen seeds against the drawn truth: growth, way, turn, what else changes, sharpness.

    python run_live.py bench parts --seconds 300

For each part and each of unseen pictures: scale 1.5, a shift of a tenth of the picture, a turn of 30 degrees. What became of the part is found by
laying the picture before, inside the part's drawn mask, over the picture after, grown, shifted or turned by many amounts about the mask's middle: the amount
that fits best. `outside`: the change beyond the part's reach over that inside. `sharp`: edge energy inside, after over before. `pivot_px`: how far
the found middle lies from the drawn one, in px of 128.
"""
import math
import statistics
import time

SECONDS = 120.0
SIZE = 128
NAMES = {"eyes": ("left_eye", "right_eye", "iris", "pupil"), "mouth": ("lips", "mouth", "teeth"), "nose": ("nose",), "crown": ("crown", "jewel"),
         "head": ("head", "face_paint", "nose", "lips", "mouth", "teeth", "lids", "left_eye", "right_eye", "iris", "pupil", "brows"),
         "halo": ("halo", "rays"), "collar": ("collar",)}
TRIES = {"scale": [1 + 0.05 * n for n in range(21)], "translate": [0.01 * n for n in range(19)], "rotate": [2.0 * n for n in range(31)]}
SET = {"scale": {"factor": 1.5}, "translate": {"right": 0.1, "down": 0.0}, "rotate": {"angle": 30.0}}
SEED = 20_260_777


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: seconds, optional."""
    import torch

    from live.instrument.open import open_instrument

    instrument = open_instrument(options.get("instrument") or "presets/masks", SIZE, "cpu").instrument
    source = torch.Generator().manual_seed(SEED)
    found = {(part, transform): [] for part in NAMES for transform in TRIES}
    end, pictures = time.perf_counter() + (options.get("seconds") or SECONDS), 0
    with torch.no_grad():
        while pictures < 200 and (time.perf_counter() < end or pictures == 0):
            z = torch.randn(1, instrument.generator.z_dim, generator=source)
            for key, row in _rows(instrument, z):
                found[key].append(row)
            pictures += 1
    table = {f"{part} {transform}": {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]}
             for (part, transform), rows in found.items() if rows}
    return {"pictures": pictures, "size": SIZE, "medians": table}


def _rows(instrument, z):
    from engine.bending import spread
    from engine.world.draw import parts as drawn_parts

    g = instrument.generator
    ws, drawn = g.map(z, 0.9), drawn_parts(z * 1.0, SIZE)
    before = g.synthesize(ws, size=SIZE)
    for part, names in NAMES.items():
        mask = sum(drawn[name] for name in names)[0]
        for transform, settings in SET.items():
            bend = instrument.new_bend({"name": "b", "where": f"part:{part}", "transform": transform}).at(settings, 1.0)
            one = spread(bend, instrument.places)[0]
            after = g.synthesize(ws, size=SIZE, bends=[one])
            region = one.regions(g.activations(ws, [one.layer])[one.layer])[0]
            yield (part, transform), _row(before, after, mask, region, transform, part)


def _row(before, after, mask, region, transform, part):
    inside = region.amount(SIZE, SIZE)[0, 0] > 0.5
    outside = region.distance(*region.from_centre(SIZE, SIZE))[0].amin(0) > 2.4 * (2.0 if transform == "translate" else 1.0)
    change = (after - before).abs().mean(1)[0]
    edges = [(picture.diff(dim=3)[..., :-1, :].square() + picture.diff(dim=2)[..., :-1].square()).mean(1)[0] for picture in (before, after)]
    kept = inside[:-1, :-1]
    places = _halves(mask) if part == "eyes" else [mask]
    fits = [_fit(before, after, place, transform) for place in places]
    return {"amount": sum(fits) / len(fits) if transform != "scale" else sum(f * f for f in fits) / len(fits), "inside": float(change[inside].mean() * 127.5),
            "outside": float(change[outside].mean() / change[inside].mean()) if outside.any() else 0.0,
            "sharp": float(edges[1][kept].mean() / edges[0][kept].mean()), "pivot_px": _off(mask, region) * SIZE / 2}


def _halves(mask):
    left, right = mask.clone(), mask.clone()
    middle = int((mask.sum(0) * _at()).sum() / mask.sum() * SIZE / 2 + SIZE / 2)
    left[:, middle:], right[:, :middle] = 0, 0
    return [left, right]


def _at():
    import torch

    return (torch.arange(SIZE) - (SIZE - 1) / 2) * (2 / SIZE)


def _middle(mask):
    total = mask.sum()
    return float((mask.sum(0) * _at()).sum() / total), float((mask.sum(1) * _at()).sum() / total)


def _off(mask, region):
    right, down = _middle(mask)
    centre = region.centre[0].mean(0)
    return math.hypot(float(centre[0]) - right, float(centre[1]) - down)


def _fit(before, after, mask, transform):
    """Return the amount by which the picture before, moved about the mask's middle, comes nearest to the picture after."""
    import torch
    from torch.nn import functional as F

    right, down = _middle(mask)
    at = torch.nonzero(mask > 0.5).float()
    down0, right0 = (at.T + 0.5) * (2 / SIZE) - 1                              # places of the part's pixels before
    colours = before[0][:, mask > 0.5]
    best = (math.inf, 0.0)
    for amount in TRIES[transform]:
        x, y = right0 - right, down0 - down
        if transform == "scale":
            x, y = x * amount, y * amount
        elif transform == "rotate":
            c, s = math.cos(math.radians(amount)), math.sin(math.radians(amount))
            x, y = x * c + y * s, y * c - x * s
        else:
            x = x + 2 * amount
        grid = torch.stack([x + right, y + down], -1)[None, None]
        seen = F.grid_sample(after, grid, align_corners=False)[0, :, 0]
        shown = ((grid[0, 0].abs() < 1).all(1)).float()
        error = float(((seen - colours).abs().mean(0) * shown).sum() / shown.sum().clamp(min=1))
        best = min(best, (error, amount))
    return best[1]
