"""What each transform changes in the picture, in every layer and at parts, at a quarter, half and all of its mix.

    python run_live.py bench shows

As a hand adds it, so with the settings it begins with, on all channels, 128 px, mean over pictures never asked about. `changes`: the mean change of 255 at mix
0.25, 0.5 and 1; at parts it is that inside the part. `flags`: `dead` below 4 of 255 (8 at a part), `blown` where more than a quarter of the picture is at its
brightest or `black` at its darkest and was not before. Transforms that need more than one frame or a second part are played for a few frames, or left out.
"""
import sys

SIZE, PICTURES, SEED = 128, 1, 20_260_901
LAYERS = ("b8.conv1", "b16.conv1", "b32.conv1", "b64.conv1", "b128.conv1")
PARTS = ("eyes", "mouth", "nose", "crown", "head", "halo", "collar")
LEAST, LEAST_AT_A_PART, MUCH = 4.0, 8.0, 0.25
OF_TWO = ("swap", "move_to", "feedback", "graft", "pin")        # a second part, a frame before, another seed, a walk that moves


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: instrument, optional."""
    import torch

    from engine.bends import TRANSFORMS
    from live.instrument.open import open_instrument

    instrument = open_instrument(options.get("instrument") or "presets/masks", SIZE, "cpu").instrument
    g = instrument.generator
    figures: dict = {"changes": {}, "flags": []}
    with torch.no_grad():
        ws = g.map(torch.randn(PICTURES, g.z_dim, generator=torch.Generator().manual_seed(SEED)), 0.8)
        before = g.synthesize(ws, size=SIZE)
        for transform in (name for name in sorted(TRANSFORMS) if name not in OF_TWO):
            places = [({"layer": layer, "channels": "all", "where": "everywhere"}, layer) for layer in LAYERS if layer in g.layers]
            places += [({"where": f"part:{part}"}, part) for part in PARTS if instrument.places.parts and part in instrument.places.parts]
            for where, name in places:
                bend = instrument.new_bend({"name": "b", "transform": transform} | where)
                row, flags = _measure(instrument, ws, before, bend)
                figures["changes"][f"{transform} {name}"] = row
                figures["flags"] += [f"{transform} {name}: {flag}" for flag in flags]
            sys.stderr.write(f"\r{transform:20}")
    return figures


def _measure(instrument, ws, before, bend):
    """Return (the mean changes at each mix, the flags)."""
    from engine.bending import spread

    changes, at_part = [], bend.where != "everywhere"
    for mix in (0.25, 0.5, 1.0):
        bends = [one.with_fade(bend.fade) for one in spread(bend.with_values({}, mix), instrument.places)]
        after = instrument.generator.synthesize(ws, size=SIZE, bends=bends)
        change = (after - before).abs().mean(1) * 127.5
        if at_part:
            seen = bends[0].regions(instrument.generator.activations(ws, [bends[0].layer])[bends[0].layer])[0]
            inside = seen.amount(SIZE, SIZE)[:, 0] > 0.5
            changes.append(round(float((change * inside).sum() / inside.sum().clamp(min=1)), 1))
        else:
            changes.append(round(float(change.mean()), 1))
    flags = ["dead"] if changes[-1] < (LEAST_AT_A_PART if at_part else LEAST) else []
    for flag, end in (("blown", 1.0), ("black", -1.0)):
        shares = [float((picture.clamp(-1, 1) == end).all(1).float().mean()) for picture in (before, after)]
        flags += [flag] if shares[1] > MUCH + shares[0] else []
    return changes, flags
