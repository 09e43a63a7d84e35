"""How well a mask follows a person: drawn people nobody learned from, shown to the instrument, and the factors read back off its picture.

    python run_live.py bench camera --seconds 300

`correlation`: of each of the person's factors with that of the mask, which are known, since the walk's z is. `edges`, `colours`: edge energy and spread
of colour of the led pictures over the walk's own. `look_ms`: one look of the reader, over `frame_ms`, one frame at 256 px.
`cells`: the same of every CELLS_OF-th person through feature maps, at each of /source/cells and /source/vivid; `encoder_ms`, `cells_ms`: processor time of one encoding, and of
bringing it back, taking turns, and `drawn_ms` of a frame of DRAWN px.
"""
import time

SECONDS = 120.0
SIZE = 256
SHOWN = ("tilt", "shift_x", "shift_y", "scale", "gaze_x", "gaze_y", "eye_open", "mouth_open", "smile", "brow_height", "brow_angle", "turn", "nod", "hair_length")
SEED = 20_260_778
CELLS = ((0.0, 0.0), (0.5, 0.0), (0.75, 0.0), (1.0, 0.0), (0.5, 1.0), (0.8, 1.0), (1.0, 1.0))
CELLS_OF, DRAWN = 8, 512


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: seconds, optional."""
    import torch

    from live.instrument.open import open_instrument

    opened = open_instrument(options.get("instrument") or "presets/masks", SIZE, "cpu")
    source = torch.Generator().manual_seed(SEED)
    truth, read, picture, looks, frames, cells = [], [], [[], []], [], [], {amount: [] for amount in CELLS}
    end = time.perf_counter() + (options.get("seconds") or SECONDS)
    while len(truth) < 500 and (time.perf_counter() < end or len(truth) < 8):
        _one(opened, source, (truth, read, picture, looks, frames, cells))
    truth, read = torch.tensor(truth), torch.tensor(read)
    a, b = truth - truth.mean(0), read - read.mean(0)
    correlation = (a * b).sum(0) / (a.norm(dim=0) * b.norm(dim=0)).clamp(min=1e-9)
    (own_edges, own_colours), (edges, colours) = ((sum(v) / len(v) for v in zip(*kind)) for kind in picture)
    looks, frames = sorted(looks), sorted(frames)
    return {"people": len(truth), "correlation": {name: round(float(v), 3) for name, v in zip(SHOWN, correlation)}, "edges": round(edges / own_edges, 3),
            "colours": round(colours / own_colours, 3), "look_ms": round(looks[len(looks) // 2], 2), "frame_ms": round(frames[len(frames) // 2], 2),
            "cells": {"{} {}".format(*amount): [round(sum(v) / len(v), 3) for v in zip(*rows)] for amount, rows in cells.items() if rows}, **_time_cells(options)}


def _time_cells(options):
    """{encoder_ms, cells_ms, drawn_ms}: processor milliseconds of one encoding, of bringing it back, and of a frame, taking turns."""
    import statistics

    import torch

    from engine.motion import Motion
    from live.instrument.open import open_instrument

    opened = open_instrument(options.get("instrument") or "presets/masks", DRAWN, "cpu")
    live, motion, taken = opened.instrument.live_encoder, Motion(), {"encoder_ms": [], "cells_ms": [], "drawn_ms": []}
    scene = opened.scene.set_values({"/walk/kind": "wander", "/walk/speed": 2.0})
    with torch.no_grad():
        for _ in range(12):
            motion = motion.advance(scene, 0.05)
            shown = torch.rand(1, 3, *live.encoder.size) * 2 - 1
            features = live.encoder(shown)
            for name, part in (("encoder_ms", lambda: live.encoder(shown)), ("cells_ms", lambda: live.cells.match(live.cells.bring_back(live.cells.match(features, 1.0), 0.24), 1.0)),
                               ("drawn_ms", lambda: opened.instrument.render(scene, motion))):
                begun = time.process_time()
                part()
                taken[name].append(1000 * (time.process_time() - begun))
    return {name: round(statistics.median(times), 2) for name, times in taken.items()}


def _one(opened, source, kept):
    import torch

    from engine.motion import Motion
    from engine.world import MASKS
    from engine.world.latent import Z_DIM
    from engine.world.masks.people import Pose, people
    from live.show.events import Change

    truth, read, picture, looks, frames, cells = kept
    instrument, count = opened.instrument, len(kept[0])
    u = MASKS.uniform(torch.randn(1, Z_DIM, generator=source))
    right, down, tilt = (float(torch.rand(1, generator=source) * 2 - 1) * most for most in (0.35, 0.2, 0.2))
    size = 0.8 * 1.3 ** float(torch.rand(1, generator=source) * 2 - 1)
    shown = people(u, Pose(*(torch.tensor([v]) for v in (right, down, size, tilt))), 256, source)
    pixels = ((shown[0].permute(1, 2, 0) + 1) * 127.5).byte().numpy()
    scene = opened.scene.set([Change("/walk/kind", "hold"), Change("/walk/seed", 5000 + count), Change("/source/into", "factors")])
    motion = Motion().advance(scene, 0.0)
    instrument.live_reader.forget()
    plain = instrument.render(scene, motion).pixels.copy()
    scene = scene.set([Change("/source/mix", 1.0)])
    for _ in range(8):
        motion, pixels = motion.advance(scene, 1 / 15), pixels.copy()
        pixels[0, 0, 0] ^= 1                                    # another picture, or nobody would look
        start = time.perf_counter()
        instrument.follow(scene, motion, pixels)
        looks.append((time.perf_counter() - start) * 1000)
    start = time.perf_counter()
    led = instrument.render(scene, motion, pixels).pixels
    frames.append((time.perf_counter() - start) * 1000)
    where = {"tilt": tilt, "shift_x": right, "shift_y": down, "scale": size}
    truth.append([where.get(name, float(u[0, MASKS.names.index(name)])) for name in SHOWN])
    leads, _ = instrument.sight.led
    read.append([leads[MASKS.names.index(name)] if leads else 0.5 for name in SHOWN])
    for figures, drawn in zip(picture, (plain, led)):
        figures.append(_measure(drawn))
    if count % CELLS_OF == 0:
        for amount, rows in cells.items():
            scene = scene.set([Change("/source/into", "features"), Change("/source/cells", amount[0]), Change("/source/vivid", amount[1])])
            instrument.live_encoder.forget()
            rows.append(tuple(a / b for a, b in zip(_measure(instrument.render(scene, Motion().advance(scene, 0.0), pixels).pixels), picture[0][-1])))


def _measure(pixels):
    """Return (edge energy, spread of colour) of a picture, uint8 [H, W, 3]."""
    import torch

    light = torch.from_numpy(pixels.copy()).float() / 255
    return float(light.diff(dim=0).square().mean() + light.diff(dim=1).square().mean()), float(light.std((0, 1)).mean())
