"""The synthesis network as training runs it: one w per picture, whole or on crops, over a Generator's own parameters.

Computes what Generator.skips computes (a test holds them together) with the same layers. Its loop is its own since it also
freezes the lower blocks and carries on with a window of their feature maps: 512 and 1024 px train at the price of small pictures.
Letters: N batch, W = w_dim, C channels, H, W' pixels.
"""
from dataclasses import dataclass

import torch

from engine.generator import upsample


@dataclass(frozen=True)
class Crop:
    """Windows of `size` x `size` features, cut where block `at` ends; top, left: one integer per picture."""
    at: int
    size: int
    top: tuple
    left: tuple

    def cut(self, x):
        """Return the windows [N, C, size, size] of x [N, C, at, at]."""
        s = self.size
        rows = [x[i:i + 1, :, t:t + s, l:l + s] for i, (t, l) in enumerate(zip(self.top, self.left))]
        return torch.cat(rows).contiguous(memory_format=torch.channels_last)


def speckles(generator, count, top, seed=0, crop=None):
    """Return random noise for `count` pictures: {layer: [N, 1, H, W']} up to block `top`, at the layers' stored strength."""
    source = torch.Generator(generator.device).manual_seed(seed)
    maps = {}
    for name in generator.layers:
        r = generator.architecture.resolution_of(name)
        size = r if crop is None or r <= crop.at else r * crop.size // crop.at
        if r <= top:
            strength = generator.layer(name).noise_strength.detach()
            maps[name] = torch.randn(count, 1, size, size, generator=source, device=generator.device) * strength
    return maps


def pyramid(generator, w, top, noise, keep=(), crop=None, frozen=0):
    """Return ({resolution: skip picture}, {layer in `keep`: activations}) of w [N, W], up to block `top`.

    noise: {layer: [N, 1, H, W']}. Blocks up to `frozen` run without gradients.
    """
    pictures, kept = {}, {}
    x = picture = None
    for r in [q for q in generator.architecture.resolutions if q <= top]:
        block = generator.block(r)
        with torch.set_grad_enabled(r > frozen and torch.is_grad_enabled()):
            if x is None:
                x = block.const[None].expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
            for name in ("conv0", "conv1") if r > 4 else ("conv1",):
                layer = getattr(block, name)
                x = layer.finish(layer.convolve(x, *layer.modulation(w)), noise[f"b{r}.{name}"])
                if f"b{r}.{name}" in keep:
                    kept[f"b{r}.{name}"] = x
            rgb = block.torgb(x, w)
            picture = rgb if picture is None else upsample(picture) + rgb
        if crop is not None and r == crop.at:
            x, picture = crop.cut(x), crop.cut(picture)
        pictures[r] = picture
    return pictures, kept
