"""What each transform changes in the picture, in every layer and at parts, at a quarter, half and all of its mix.

    python run_live.py bench shows

As a hand adds it, so with the settings it begins with, on all channels, 128 px, mean over pictures never asked about. `changes`: the mean change of 255 at mix
0.25, 0.5 and 1; at parts it is that inside the part, as the masks' world draws it (of other instruments: where the place acts by more than half). `flags`: `dead` below 4 of 255 (8 at a part), `blown` where more than a quarter of the picture is at its
brightest or `black` at its darkest and was not before. Those that lead from one part to another get a second one; those that mix in the frame before or
another seed's maps get the maps of a picture a quarter of the way to another seed, and of that seed. `pin` holds a part where it is on average.
"""
import sys
from dataclasses import replace

SIZE, PICTURES, SEED = 128, 1, 20_260_901
LAYERS = ("b8.conv1", "b16.conv1", "b32.conv1", "b64.conv1", "b128.conv1")
PARTS = ("eyes", "mouth", "nose", "crown", "head", "halo", "collar")
LEAST, LEAST_AT_A_PART, MUCH = 4.0, 8.0, 0.25
PSI = 0.8
ALSO = {"mouth": "crown"}           # the second part, of transforms that need one; of all others the mouth
STEP = 0.25                         # of the way to another seed: where the frame before was


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: instrument, optional."""
    import torch

    from engine.bends import TRANSFORMS
    from live.instrument.open import open_instrument

    opened = open_instrument(options.get("instrument") or "presets/masks", SIZE, "cpu")
    instrument, g = opened.instrument, opened.instrument.generator
    figures: dict = {"changes": {}, "flags": []}
    with torch.no_grad():
        z = torch.randn(2 * PICTURES, g.z_dim, generator=torch.Generator().manual_seed(SEED))
        ws, others = g.map(z, PSI).chunk(2)
        rooms = _draw_rooms(z[:PICTURES]) if opened.folder.world == "masks" else {}
        before = g.synthesize(ws, size=SIZE)
        for transform in sorted(TRANSFORMS):
            wants = TRANSFORMS[transform].wants
            places = [({"layer": layer, "channels": "all", "where": "everywhere"}, layer) for layer in LAYERS if layer in g.layers and "place" not in wants]
            parts = [part for part in PARTS if instrument.places.parts and part in instrument.places.parts]
            places += [({"where": f"part:{part},{ALSO.get(part, 'mouth')}" if "target" in wants else f"part:{part}"}, part) for part in parts]
            for where, name in places:
                bend = instrument.new_bend({"name": "b", "transform": transform} | where)
                row, flags = _measure(instrument, (ws, others), before, bend, rooms.get(name))
                figures["changes"][f"{transform} {name}"] = row
                figures["flags"] += [f"{transform} {name}: {flag}" for flag in flags]
            sys.stderr.write(f"\r{transform:20}")
    return figures


def _draw_rooms(z):
    """Return {part: where it is, [N, SIZE, SIZE]} as the masks' world draws it."""
    from engine.rewriting.marks import world_region
    from tests.bench.parts import NAMES

    return {part: world_region("+".join(names), z, PSI, SIZE) > 0.5 for part, names in NAMES.items()}


def _measure(instrument, seeds, before, bend, room):
    """Return (the mean changes at each mix, the flags). seeds: the ws of what is shown, and of others. room: where the part is drawn, if that is known."""
    from engine.bending import spread

    (ws, _), changes, at_part = seeds, [], bend.where != "everywhere"
    for mix in (0.25, 0.5, 1.0):
        bends = [_remember(instrument, seeds, one.with_fade(bend.fade)) for one in spread(bend.with_values({}, mix), instrument.places)]
        after = instrument.generator.synthesize(ws, size=SIZE, bends=bends)
        change = (after - before).abs().mean(1) * 127.5
        if at_part:
            inside = room if room is not None else _find_room(instrument, ws, bends[0])
            changes.append(round(float((change * inside).sum() / inside.sum().clamp(min=1)), 1))
        else:
            changes.append(round(float(change.mean()), 1))
    flags = ["dead"] if changes[-1] < (LEAST_AT_A_PART if at_part else LEAST) else []
    for flag, end in (("blown", 1.0), ("black", -1.0)):
        shares = [float((picture.clamp(-1, 1) == end).all(1).float().mean()) for picture in (before, after)]
        flags += [flag] if shares[1] > MUCH + shares[0] else []
    return changes, flags


def _find_room(instrument, ws, bend):
    """Return where a bend acts by more than half, [N, SIZE, SIZE]."""
    return bend.regions(instrument.generator.activations(ws, [bend.layer])[bend.layer])[0].amount(SIZE, SIZE)[:, 0] > 0.5


def _remember(instrument, seeds, bend):
    """Return the bend with what its transform wants from the frame before and from another seed."""
    import torch

    from engine.bending.layer import BendState
    from engine.bends import TRANSFORMS

    if not {"previous", "other"} & set(TRANSFORMS[bend.transform].wants):
        return bend

    def take(ws):
        maps = instrument.generator.activations(ws, [bend.layer])[bend.layer]
        return maps if bend.channels is None else maps[:, list(bend.channels)]

    return replace(bend, memory=BendState(previous=take(torch.lerp(*seeds, STEP)), other=take(seeds[1])[:1]))
