"""The synthesis network as training runs it: one w per picture, whole or on crops, over a Generator's own parameters.

Computes what Generator.skips computes (a test holds them together), and can also freeze the lower blocks and carry on
with a window of their feature maps, so that 512 and 1024 px train at the price of small pictures.
Letters: N batch, W = w_dim, C channels, H, W' pixels.
"""
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.generator import GAIN, SLOPE, fir, upsample


@dataclass(frozen=True)
class Crop:
    """Windows of `size` x `size` features, cut where block `at` ends; top, left: one integer per picture."""
    at: int
    size: int
    top: tuple
    left: tuple

    def cut(self, x):
        """x [N, C, at, at] -> [N, C, size, size]."""
        s = self.size
        rows = [x[i:i + 1, :, t:t + s, l:l + s] for i, (t, l) in enumerate(zip(self.top, self.left))]
        return torch.cat(rows).contiguous(memory_format=torch.channels_last)


def speckles(generator, count, top, seed=0, crop=None):
    """Random noise for `count` pictures: {layer: [N, 1, H, W']} up to block `top`, at the layers' stored strength."""
    source = torch.Generator(generator.device).manual_seed(seed)
    maps = {}
    for name in generator.layers:
        r = int(name[1:].split(".")[0])
        size = r if crop is None or r <= crop.at else r * crop.size // crop.at
        if r <= top:
            strength = generator.layer(name).noise_strength.detach()
            maps[name] = torch.randn(count, 1, size, size, generator=source, device=generator.device) * strength
    return maps


def pyramid(generator, w, top, noise, keep=(), crop=None, frozen=0):
    """w [N, W] -> ({resolution: skip picture}, {layer in `keep`: activations}), up to block `top`.

    noise: {layer: [N, 1, H, W']}. Blocks up to `frozen` run without gradients.
    """
    pictures, kept = {}, {}
    x = picture = None
    for r in [q for q in generator.architecture.resolutions if q <= top]:
        block = getattr(generator.synthesis, f"b{r}")
        with torch.set_grad_enabled(r > frozen and torch.is_grad_enabled()):
            if x is None:
                x = block.const[None].expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
            for name in ("conv0", "conv1") if r > 4 else ("conv1",):
                x = styled(getattr(block, name), x, w, noise[f"b{r}.{name}"])
                if f"b{r}.{name}" in keep:
                    kept[f"b{r}.{name}"] = x
            rgb = block.torgb(x, w)
            picture = rgb if picture is None else upsample(picture) + rgb
        if crop is not None and r == crop.at:
            x, picture = crop.cut(x), crop.cut(picture)
        pictures[r] = picture
    return pictures, kept


def styled(layer, x, w, noise):
    """One modulated convolution, noise, bias and leaky ReLU; x [N, I, h, w'] -> [N, O, H, W']."""
    styles = layer.affine(w)                                                        # [N, I]
    demodulation = torch.rsqrt(styles.square() @ layer.weight.square().sum((2, 3)).T + 1e-8)   # [N, O]
    x = x * styles[:, :, None, None]
    if layer.up:
        y = F.conv_transpose2d(x, layer.weight.transpose(0, 1), stride=2)
        y = F.conv2d(y, fir(4, y.device, y.dtype).expand(y.shape[1], 1, 4, 4), padding=1, groups=y.shape[1])
    else:
        y = F.conv2d(x, layer.weight, padding=1)
    y = y * demodulation[:, :, None, None] + layer.bias[None, :, None, None] + noise
    return F.leaky_relu(y, SLOPE) * GAIN
