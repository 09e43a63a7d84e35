"""What lies between convolutions on a GPU, with torch's own operations: each function does what the one of its name in fused.py does.

Letters: I, O channels in and out, H, W size.
"""
import torch
from torch.nn import functional as F

from engine.fast.kernels import low_pass, skip_kernel, up_rgb
from engine.generator import EPS, SLOPE


def bias_noise_act(y, scale, bias, noise=None, strength=None, bound=None):
    """Return y [1, O, H, W] times scale [O] + bias [O] + noise [H, W] * strength [], activated, clamped at bound; in place.

    scale, noise, bound: None for none. y may be float16; all else is float32.
    """
    if scale is not None:
        y = y.mul_(scale.view(1, -1, 1, 1))
    y = y.add_(bias.view(1, -1, 1, 1))
    if noise is not None:
        y = y.add_(noise * strength)
    y = F.leaky_relu_(y, SLOPE)
    return y if bound is None else y.clamp_(-bound, bound)


def fir_act(y, bias, noise=None, strength=None, bound=None):
    """Return y [1, O, H + 1, W + 1], as a transposed convolution left it, under the FIR, then as bias_noise_act() does: [1, O, H, W]."""
    kernel = low_pass(y.device, y.dtype).expand(y.shape[1], 1, 4, 4)
    return bias_noise_act(F.conv2d(y, kernel, padding=1, groups=y.shape[1]), None, bias, noise, strength, bound)


def modulate(weight, energy, styles, gain, dtype, up=False):
    """Return weight [O, I, 3, 3] times styles [I], demodulated by energy [O, I], times gain, in a dtype; up: as [I, O, 3, 3]."""
    scale = torch.rsqrt(energy @ styles.square() + EPS) * gain                       # [O]
    made = (weight * (styles.view(1, -1, 1, 1) * scale.view(-1, 1, 1, 1))).to(dtype)
    return made.transpose(0, 1) if up else made


def add_rgb(x, weight, bias, bound=None, picture=None, around=None):
    """Return the 1x1 convolution of x [1, I, H, W] with weight [3, I], + bias [3], clamped, + the picture [1, 3, H / 2, W / 2] at twice its size.

    around: engine.around.Around, what the picture sees beyond its edges.
    """
    y = F.conv2d(x, weight[:, :, None, None].to(x.dtype)).float() + bias.view(1, -1, 1, 1)
    y = y if bound is None else y.clamp(-bound, bound)
    if picture is None:
        return y
    kernel = skip_kernel(y.device, y.dtype)
    if around is None or not around.goes_round:
        return up_rgb(picture, y, kernel)
    return around.up_sample(picture, lambda wrapped: up_rgb(wrapped, None, kernel)).add_(y)


def finish_rgb(x, weight, bias, levels, out, bound=None, picture=None, around=None):
    """Fill out, uint8 [H, W, 3], with what add_rgb() gives, times levels[0] [] plus levels[1] []; NaN becomes 0."""
    factor, offset = levels
    light = (add_rgb(x, weight, bias, bound, picture, around) * factor + offset).nan_to_num_(0.0).clamp_(0, 255)
    out.copy_(light[0].permute(1, 2, 0))
