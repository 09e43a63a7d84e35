"""What bends at parts do, on unseen seeds against the drawn truth: growth, way, turn, what else changes, sharpness.

    python run_live.py bench parts --seconds 300

For each part and each of unseen pictures: scale 1.5, a shift of a tenth of the picture, a turn of 30 degrees. What became of the part is found by
laying the picture before, inside the part's drawn mask, over the picture after, grown, shifted or turned by many amounts about the mask's middle: the amount
that fits best. `outside`: the change beyond the part's reach over that inside. `pivot_px`: how far the found middle lies from the drawn one, in px of 128.
`sharp`: edge energy in the same room, after over before: of what has come in, too, and not of what has gone. `sharp_itself`: edge energy of the part in the room
it has come into, over that in the room it had; `lens`: the same of the picture at 512 px moved as a whole, which a perfect lens would show.
`cost`: processor milliseconds of a frame of 512 px, in turns: plain, with eyes scaled, with all of the same layer scaled; and what the place adds, by neighbouring frames, in shares
of a frame.
"""
import math
import statistics
import time

from engine.bending import spread

SECONDS = 120.0
SIZE = 128
NAMES = {"eyes": ("left_eye", "right_eye", "iris", "pupil"), "mouth": ("lips", "mouth", "teeth"), "nose": ("nose",), "crown": ("crown", "jewel"),
         "head": ("head", "face_paint", "nose", "lips", "mouth", "teeth", "lids", "left_eye", "right_eye", "iris", "pupil", "brows"),
         "halo": ("halo", "rays"), "collar": ("collar",)}
TRIES = {"scale": [1 + 0.05 * n for n in range(21)], "translate": [0.01 * n for n in range(19)], "rotate": [2.0 * n for n in range(31)]}
SET = {"scale": {"factor": 1.5}, "translate": {"right": 0.1, "down": 0.0}, "rotate": {"angle": 30.0}}
SEED = 20_260_777
LARGE, FRAMES = 512, 60             # of the cost


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
    return {"pictures": pictures, "size": SIZE, "medians": table, "cost": _cost(options)}


def _cost(options):
    """{plain, part, layer: processor ms a frame, place: what knowing where the part is and keeping to it adds, of a frame}."""
    from engine.motion import Motion
    from live.instrument.open import open_instrument

    instrument = open_instrument(options.get("instrument") or "presets/masks", LARGE, "cpu").instrument
    scale = lambda **where: (instrument.new_bend({"name": "b", "transform": "scale"} | where).with_values({"factor": 1.5}, 1.0),)
    part = scale(where="part:eyes")
    scenes = {"plain": instrument.scene(), "part": instrument.scene(part),
              "layer": instrument.scene(scale(layer=spread(part[0], instrument.places)[0].layer, channels="all", where="everywhere"))}
    turns, motion = {name: [] for name in scenes}, Motion()
    for turn in range(FRAMES):
        for name in list(scenes)[::1 if turn % 2 else -1]:
            motion = motion.advance(scenes[name], 0.03)
            begun = time.process_time()
            instrument.render(scenes[name], motion)
            turns[name].append(time.process_time() - begun)
    found = {name: round(1000 * statistics.median(times), 2) for name, times in turns.items()}
    more = statistics.median(part - layer for part, layer in zip(turns["part"], turns["layer"]))
    return found | {"place": round(1000 * more / found["plain"], 4)}


def _rows(instrument, z):
    from engine.world import MASKS

    g = instrument.generator
    ws, drawn = g.map(z, 0.9), MASKS.mark_parts(z * 1.0, SIZE)
    before, large = g.synthesize(ws, size=SIZE), g.synthesize(ws, size=4 * SIZE)
    for part, names in NAMES.items():
        mask = sum(drawn[name] for name in names)[0]
        for transform, settings in SET.items():
            bend = instrument.new_bend({"name": "b", "where": f"part:{part}", "transform": transform}).with_values(settings, 1.0)
            one = spread(bend, instrument.places)[0]
            after = g.synthesize(ws, size=SIZE, bends=[one])
            region = one.regions(g.activations(ws, [one.layer])[one.layer])[0]
            row = _row(before, after, mask, region, transform, part)
            yield (part, transform), row | _sharpness(before, after, large, mask, part, transform)


def _row(before, after, mask, region, transform, part):
    inside = region.amount(SIZE, SIZE)[0, 0] > 0.5
    outside = region.distance(*region.find_offsets(SIZE, SIZE))[0].amin(0) > 2.4 * (2.0 if transform == "translate" else 1.0)
    change = (after - before).abs().mean(1)[0]
    edges = [_edges(picture) for picture in (before, after)]
    kept = inside[:-1, :-1]
    places = _halves(mask) if part == "eyes" else [mask]
    fits = [_fit(before, after, place, transform) for place in places]
    return {"amount": sum(fits) / len(fits) if transform != "scale" else sum(f * f for f in fits) / len(fits), "inside": float(change[inside].mean() * 127.5),
            "outside": float(change[outside].mean() / change[inside].mean()) if outside.any() else 0.0,
            "sharp": float(edges[1][kept].mean() / edges[0][kept].mean()), "pivot_px": _off(mask, region) * SIZE / 2}


def _edges(picture):
    """Return how steep a picture [1, 3, H, W] is at each pixel, squared, [H - 1, W - 1]."""
    return (picture.diff(dim=3)[..., :-1, :].square() + picture.diff(dim=2)[..., :-1].square()).mean(1)[0]


def _backwards(transform, right, down):
    """Return rows of a matrix that leads from where a place about (right, down) is after a transform to where it was before."""
    if transform == "translate":
        return [[1, 0, -2 * SET[transform]["right"]], [0, 1, 0]]
    near, angle = (1 / SET[transform]["factor"], 0.0) if transform == "scale" else (1.0, math.radians(SET[transform]["angle"]))
    c, s = near * math.cos(angle), near * math.sin(angle)
    return [[c, -s, right - c * right + s * down], [s, c, down - s * right - c * down]]


def _sharpness(before, after, large, mask, part, transform):
    """Return the part's own edge energy after it was moved over that before, and the same through a perfect lens."""
    import torch
    from torch.nn import functional as F

    rows = []
    for place in _halves(mask) if part == "eyes" else [mask]:
        matrix = torch.tensor([_backwards(transform, *_middle(place))], dtype=torch.float32)
        place = F.max_pool2d(place[None, None], 5, 1, 2)
        grown = F.grid_sample(place, F.affine_grid(matrix, place.shape, align_corners=False), align_corners=False)
        seen = F.grid_sample(large, F.affine_grid(matrix, large.shape, align_corners=False), "bicubic", align_corners=False)
        had, has, ideal = (float((_edges(picture) * room[0, 0, :-1, :-1]).sum() / room.sum())
                           for picture, room in ((before, place), (after, grown), (F.adaptive_avg_pool2d(seen, SIZE), grown)))
        rows.append((has / had, ideal / had))
    return {name: sum(column) / len(rows) for name, column in zip(("sharp_itself", "lens"), zip(*rows))}


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
