"""StyleGAN2 once more, slow, in float64 NumPy, straight from the published formulas: what the generator is compared with.

Shares no code with engine/. State: {name: array}, NVIDIA's names. Letters: C, I, O channels, H, W size of a map.
One sample at a time; up-convolutions are zero-insertion, FIR and correlation, one after the other.
"""
import numpy as np

EPS = 1e-8
ROW = np.array([1.0, 3.0, 3.0, 1.0])
FIR = np.outer(ROW, ROW) / 64                    # sums to 1


def pixel_norm(x):
    return x / np.sqrt(np.mean(x * x) + EPS)


def activated(x):
    return np.where(x > 0, x, 0.2 * x) * np.sqrt(2)


def dense(state, name, x, lr_mul=1.0):
    weight = state[f"{name}.weight"]
    return np.array([np.dot(row, x) for row in weight]) * lr_mul / np.sqrt(weight.shape[1]) + state[f"{name}.bias"] * lr_mul


def mapped(state, z, label=None):
    """z [Z] -> w [W]."""
    if label is None:
        x = pixel_norm(z)
    elif "mapping.embed.weight" in state:
        x = np.concatenate([pixel_norm(z), pixel_norm(dense(state, "mapping.embed", label))])
    else:
        x = pixel_norm(np.concatenate([label @ state["mapping.label"], z]))
    for i in range(sum(name.startswith("mapping.fc") for name in state) // 2):
        x = activated(dense(state, f"mapping.fc{i}", x, 0.01))
    return x


def correlated(x, weight):
    """x [I, H, W], weight [O, I, k, l] -> [O, H - k + 1, W - l + 1], nothing padded."""
    k, l = weight.shape[2:]
    height, width = x.shape[1] - k + 1, x.shape[2] - l + 1
    return sum(np.einsum("oi,ihw->ohw", weight[:, :, a, b], x[:, a:a + height, b:b + width], optimize=True)
               for a in range(k) for b in range(l))


def filtered(x, gain):
    """FIR over each map, nothing padded (the kernel is symmetric)."""
    height, width = x.shape[1] - 3, x.shape[2] - 3
    return sum(FIR[a, b] * gain * x[:, a:a + height, b:b + width] for a in range(4) for b in range(4))


def zero_inserted(x):
    y = np.zeros((x.shape[0], 2 * x.shape[1], 2 * x.shape[2]))
    y[:, ::2, ::2] = x
    return y


def padded(x, before, after):
    return np.pad(x, ((0, 0), (before, after), (before, after)))


def up_sampled(x):
    return filtered(padded(zero_inserted(x), 2, 1), 4)


def up_convolved(x, weight):
    """weight in correlation orientation; the zero padding is applied once, outside."""
    return correlated(filtered(padded(zero_inserted(x), 3, 2), 4), weight)


def modulated(weight, styles, demodulate):
    """As published: scale factor 1 / sqrt(fan in) inside the norm."""
    weight = weight / np.sqrt(np.prod(weight.shape[1:])) * styles[None, :, None, None]
    if demodulate:
        weight = weight / np.sqrt(np.sum(weight * weight, axis=(1, 2, 3), keepdims=True) + EPS)
    return weight


def styled(state, name, x, w, options):
    """One styled convolution; options: noise (bool), clamp, gain."""
    weight = modulated(state[f"{name}.weight"], dense(state, f"{name}.affine", w), True)
    if name.endswith("conv0"):
        y = up_convolved(x, weight[:, :, ::-1, ::-1])
    else:
        y = correlated(padded(x, 1, 1), weight)
    if options["noise"] and f"{name}.noise_const" in state:
        y = y + state[f"{name}.noise_strength"] * state[f"{name}.noise_const"]
    y = activated(y + state[f"{name}.bias"][:, None, None]) * options["gain"]
    return y if options["clamp"] is None else np.clip(y, -options["clamp"] * options["gain"], options["clamp"] * options["gain"])


def rgb(state, name, x, w, clamp):
    weight = modulated(state[f"{name}.weight"], dense(state, f"{name}.affine", w), False)
    y = correlated(x, weight) + state[f"{name}.bias"][:, None, None]
    return y if clamp is None else np.clip(y, -clamp, clamp)


def synthesized(state, ws, kind="skip", clamp=None, noise=True):
    """ws [num_ws, W] -> (picture [3, H, W], {layer: feature maps after activation})."""
    maps, picture = {}, None
    x = state["synthesis.b4.const"]
    for j in range(len(ws) // 2):
        r, block = 4 << j, f"synthesis.b{4 << j}"
        residual = kind == "resnet" and r > 4
        options = {"noise": noise, "clamp": clamp, "gain": 1.0}
        shortcut = x
        if r > 4:
            x = maps[f"b{r}.conv0"] = styled(state, f"{block}.conv0", x, ws[2 * j - 1], options)
        x = maps[f"b{r}.conv1"] = styled(state, f"{block}.conv1", x, ws[2 * j], options | {"gain": 0.5 ** 0.5 if residual else 1.0})
        if residual:
            skip = state[f"{block}.skip.weight"]
            x = x + up_sampled(correlated(shortcut, skip / np.sqrt(skip.shape[1]))) * 0.5 ** 0.5
        if f"{block}.torgb.weight" in state:
            here = rgb(state, f"{block}.torgb", x, ws[2 * j + 1], clamp)
            picture = here if picture is None else up_sampled(picture) + here
    return picture, maps
