"""Samples beside their targets, for looking at while training."""
import numpy as np
import torch

from engine.generator import quantize
from engine.world.measure import unseen


@torch.no_grad()
def samples(world, generator, count: int, size: int) -> np.ndarray:
    """Return uint8 [2 * count, size, size, 3]: what the generator makes of unseen z, then what a world draws for them."""
    z = unseen(count)
    made = [generator.synthesize(generator.map(one), size=size) for one in z.split(1)]
    drawn = [world.draw(one, size) for one in z.split(1)]                 # eight at once at 1024 px: thrice the time, 2 GB
    return np.stack([quantize(picture).cpu().numpy() for picture in made + drawn])
