"""Samples beside their targets, for looking at while training."""
import numpy as np
import torch

from engine.instrument import quantize
from engine.world.draw import draw
from engine.world.measure import unseen


@torch.no_grad()
def samples(generator, count: int, size: int) -> np.ndarray:
    """uint8 [2 * count, size, size, 3]: what the generator makes of unseen z, then what the world draws for them."""
    z = unseen(count)
    pictures = torch.cat([generator.synthesize(generator.map(z), size=size), draw(z, size)])
    return np.stack([quantize(picture).numpy() for picture in pictures.split(1)])
