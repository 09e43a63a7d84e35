"""Pictures beside an encoder's view of them, for looking at while it trains. Letters: N pictures, S side."""
import numpy as np
import torch

from engine.generator import quantize

ROWS = ("source", "mean look", "own look", "another's look")


@torch.no_grad()
def samples(encoder, generator, batch, own, size: int) -> np.ndarray:
    """Return uint8 [4 * N, S, S', 3], a row each: the pictures seen, and what is made of them with three looks.

    batch: held-out pictures. own: their own ws [N, num_ws, W].
    """
    seen, count = batch.seen[:len(own)], len(own)
    middle = generator.w_avg.expand_as(own).contiguous()
    features = encoder(seen)
    rows = [torch.nn.functional.interpolate(seen, generator.architecture.pixels(size), mode="bilinear", align_corners=False)]
    rows += [generator.synthesize(ws, size=size, splice={encoder.layer: features}) for ws in (middle, own, own.roll(1, 0))]
    return np.stack([quantize(picture).cpu().numpy() for picture in torch.cat(rows).split(1)]).reshape(len(ROWS) * count, *rows[0].shape[2:], 3)
