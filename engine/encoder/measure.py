"""How well an encoder sees: the picture its features make against the picture it was shown. Knows tensors only.

Errors are mean absolute differences of pictures in -1..1. Looks: the mean w, which knows nothing of the picture, and the
picture's own w. Letters: N pictures, S side.
"""
from dataclasses import dataclass

import torch

from engine.encoder import augment
from engine.world import MASKS
from engine.world.measure import unseen

SEED = 20_260_601                   # of what befalls the pictures
MOVED, EXPOSED, QUALITY = 0.05, 0.2, 50     # share of the side, share of the light, of JPEG
CHANGES = {"clean": (), "shift": ("shift",), "brightness": ("brightness",), "jpeg": ("jpeg",), "all": ("shift", "brightness", "jpeg")}
BARS = {"half_of_mean_w": 0.5, "all_over_clean": 1.3, "over_published": 1.5, "added_to_a_frame": 0.4}


@torch.no_grad()
def measure_held_out(encoder, generator, batch, size, at_once=8) -> dict:
    """Return the errors on pictures kept aside. held_picture: the picture's error with the batch's looks. held_features: mean squared error of the
    features.
    """
    missed, wrong = [], []
    for seen, target, true, ws in zip(*(part.split(at_once) for part in (batch.seen, batch.target, batch.features, batch.ws))):
        features = encoder(seen)
        made = generator.synthesize(ws, size=size, splice={encoder.layer: features})
        missed.append((made - target).abs().mean((1, 2, 3)))
        wrong.append((features - true).square().mean((1, 2, 3)))
    return {"held_picture": torch.cat(missed).mean().item(), "held_features": torch.cat(wrong).mean().item()}


@dataclass(frozen=True)
class Shown:
    """Drawn pictures as a camera shows them, [N, 3, S, S], and what they should be seen as: moved pictures stay moved,
    but the light and what compression loses are the camera's."""
    seen: torch.Tensor
    target: torch.Tensor


def draw_changed(z, size, changes, source) -> Shown:
    """Return z [N, 64] drawn at `size`; changes: of "shift", "brightness", "jpeg", each by a random amount within its range."""
    corner = torch.full((len(z), 2), -1.0)
    if "shift" in changes:
        corner = corner + 2 * MOVED * (2 * torch.rand(len(z), 2, generator=source) - 1)
    target = MASKS.view(MASKS.uniform(z), corner[:, 0], corner[:, 1], 2 / size, size, size).picture * 2 - 1
    seen = target
    if "brightness" in changes:
        seen = ((seen + 1) * augment.spans(len(z), 1 - EXPOSED, 1 + EXPOSED, source) - 1).clamp(-1, 1)
    if "jpeg" in changes:
        seen = augment.jpeg(seen, QUALITY)
    return Shown(seen, target)


@torch.no_grad()
def errors(encoders: dict, generator, count=500, size=128, changes=CHANGES, progress=None) -> dict:
    """Return {who: {change: {look: error}}} over `count` unseen drawn pictures; of clean ones with the own look too.

    encoders: {name: Encoder}; beside them "nobody", the picture of the w alone. "mse": mean square, mean look.
    """
    sums: dict[str, dict] = {}
    middle = generator.w_avg.expand(1, generator.num_ws, -1)
    blind = generator.synthesize(middle, size=size)
    for i, z in enumerate(unseen(count).split(4)):
        own = generator.map(z)
        for name, which in changes.items():
            pictures = draw_changed(z, size, which, torch.Generator().manual_seed(SEED + i))
            looks = {"mean look": middle.expand_as(own).contiguous()} | ({} if which else {"own look": own})
            blank = {"mean look": blind} | ({} if which else {"own look": generator.synthesize(own, size=size)})
            for who, made in {"nobody": blank, **_draw_played(encoders, generator, pictures.seen, looks, size)}.items():
                _add(sums.setdefault(who, {}).setdefault(name, {}), made, pictures.target, count)
        if progress is not None:
            progress({"measured": min(4 * (i + 1), count), "of": count})
    return sums


def _draw_played(encoders, generator, seen, looks, size) -> dict:
    """Return {who: {look: picture}}."""
    features = {who: encoder(seen) for who, encoder in encoders.items()}
    return {who: {look: generator.synthesize(ws, size=size, splice={encoders[who].layer: features[who]}) for look, ws in looks.items()}
            for who in encoders}


def _add(row, made, target, count):
    """Add pictures' share of the means to a row of the table."""
    for look, picture in made.items():
        missed = picture - target
        row[look] = row.get(look, 0.0) + missed.abs().mean((1, 2, 3)).sum().item() / count
        if look == "mean look":
            row["mse"] = row.get("mse", 0.0) + missed.square().mean((1, 2, 3)).sum().item() / count
