"""A state dict with our names -> the Architecture it belongs to. Tensors decide; must not know file formats.

What no tensor shows (conv_clamp, a kind that shapes leave open) comes from the file as a hint.
"""
import re
from dataclasses import dataclass

import torch

from engine.architecture import Architecture
from engine.checkpoints.records import shorten
from engine.errors import UserError
from engine.generator import fir

MAX_SIZE = 8192                  # of any tensor's axis: four times what the largest known networks have
MOST_COLOURS = 16
LR_MUL = 0.01                    # of the mapping network, in Generator


@dataclass(frozen=True)
class Contents:
    """What a file turned out to hold; format is said in words."""
    format: str
    state: dict
    architecture: Architecture
    notes: tuple = ()


def contents(found_in: str, state: dict, conv_clamp=None, kind=None) -> Contents:
    """Return what there is to build: three colours, one truncation centre, and its architecture; notes say what was changed."""
    _expect_sizes(state)
    state, colours = to_rgb(state)
    state, centres = average_centres(state)
    shown_as = "shown as grey" if colours < 3 else "the first three are shown as red, green and blue"
    notes = [] if colours == 3 else [f"pictures of {colours} channels: {shown_as}"]
    notes += [] if centres == 1 else [f"{centres} truncation centres in the file (one per layer or class): their mean stands in"]
    return Contents(found_in, state, architecture(state, conv_clamp, kind), tuple(notes))


def architecture(state: dict, conv_clamp=None, kind=None) -> Architecture:
    """Return the shape of the generator whose tensors these are."""
    if any(".freqs" in name or re.match(r"synthesis\.L\d", name) for name in state):
        raise UserError("a StyleGAN3 network; only StyleGAN2 generators can be played")
    _expect_sizes(state)
    blocks = _blocks(state)
    const, affine = _need(state, "synthesis.b4.const", 3), _need(state, "synthesis.b4.conv1.affine.weight", 2)
    w_dim = affine.shape[1]
    with_rgb = [r for r in blocks if f"synthesis.b{r}.torgb.weight" in state]
    return Architecture(
        resolution=blocks[-1], w_dim=w_dim, channels={r: state[f"synthesis.b{r}.conv1.weight"].shape[0] for r in blocks},
        const_size=(const.shape[1], const.shape[2]), kind=_kind(state, blocks, with_rgb, kind), conv_clamp=_clamp(conv_clamp),
        noise=any(".noise_" in name for name in state), **_mapping(state, w_dim))


def _expect_sizes(state):
    for name, tensor in state.items():
        if max(tensor.shape, default=1) > MAX_SIZE or 0 in tensor.shape:
            raise UserError(f"{name}: {list(tensor.shape)} is beyond what a StyleGAN2 has")


def _blocks(state) -> list[int]:
    """Return the resolutions, 4 .. R, each twice the one before."""
    found = sorted(int(m[1]) for name in state if (m := re.fullmatch(r"synthesis\.b(\d{1,5})\.conv1\.weight", name)))
    if len(found) < 2 or found != [4 << k for k in range(len(found))]:
        raise UserError(f"no StyleGAN2 generator: expected layers at 4, 8, 16, ... px, found {found or 'none'}")
    for r in found:
        _need(state, f"synthesis.b{r}.conv1.weight", 4)
    return found


def to_rgb(state: dict) -> tuple[dict, int]:
    """Return the state dict with pictures of red, green and blue, and how many channels the network's own have.

    One or two channels (grey; grey and alpha) become grey in all three, of more than three the first three stay: layers to
    RGB are linear and each channel is for itself, so that the picture is the same.
    """
    layers = [name for name in state if re.fullmatch(r"synthesis\.b\d{1,5}\.torgb\.(weight|bias)", name)]
    counts = {state[name].shape[0] if state[name].ndim else 0 for name in layers}
    if counts <= {3}:
        return state, 3
    if len(counts) > 1 or not 1 <= max(counts) <= MOST_COLOURS:
        raise UserError(f"pictures of {', '.join(map(str, sorted(counts)))} channels; expected 3 (RGB), 1 (grey), 2 (grey and alpha) or 4 (RGB and alpha)")
    count = counts.pop()
    picked = [0, 0, 0] if count < 3 else [0, 1, 2]
    return state | {name: state[name][picked] for name in layers}, count


def average_centres(state: dict) -> tuple[dict, int]:
    """Return the state dict with one truncation centre [w_dim], and how many different ones there were.

    Some tools keep one per layer, [num_ws, w_dim], or per class: mostly the same row again.
    """
    centre = state.get("mapping.w_avg")
    if centre is None or centre.ndim < 2 or not centre.numel():
        return state, 1
    rows = centre.reshape(-1, centre.shape[-1])
    if rows.numel() > MAX_SIZE * MAX_SIZE or not rows.is_floating_point():
        return state, 1
    same = bool((rows == rows[0]).all())
    return state | {"mapping.w_avg": rows[0] if same else rows.double().mean(0)}, 1 if same else len(rows)


def _need(state, name, axes) -> torch.Tensor:
    if name not in state:
        raise UserError(f"{name} is missing: not a whole StyleGAN2 generator")
    if state[name].ndim != axes:
        raise UserError(f"{name}: expected {axes} axes, got {list(state[name].shape)}")
    return state[name]


def _kind(state, blocks, with_rgb, hint) -> str:
    if any(".skip." in name for name in state):
        return "resnet"
    if hint == "resnet":
        raise UserError("a residual network without its skip weights: the file is incomplete")
    if with_rgb != blocks and (hint == "skip" or with_rgb != blocks[-1:]):
        absent = next(r for r in blocks if r not in with_rgb)
        raise UserError(f"synthesis.b{absent}.torgb.weight is missing: the file is incomplete")
    return "skip" if with_rgb == blocks else "orig"


def _mapping(state, w_dim) -> dict:
    depth = 0
    while f"mapping.fc{depth}.weight" in state:
        depth += 1
    width, inputs = _need(state, "mapping.fc0.weight", 2).shape
    embed, c_dim, conditioning = 0, 0, "embed"
    if "mapping.embed.weight" in state:
        embed, c_dim = _need(state, "mapping.embed.weight", 2).shape
    elif "mapping.label" in state:
        (c_dim, embed), conditioning = _need(state, "mapping.label", 2).shape, "concat"
    if inputs <= embed:
        raise UserError(f"mapping.fc0.weight: {inputs} inputs leave none for z beside a label of {embed}")
    return {"z_dim": inputs - embed, "c_dim": c_dim, "conditioning": conditioning, "embed_dim": embed,
            "mapping_layers": depth, "mapping_width": 0 if depth == 1 or width == w_dim else width}


def _clamp(value) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < float(value) < float("inf"):
        raise UserError(f"conv_clamp {shorten(value)}: expected a positive number")
    return float(value)


def expect_filter(name: str, kernel) -> None:
    """Raise UserError unless the resampling kernel is the usual one, at any gain."""
    kernel = torch.as_tensor(kernel, dtype=torch.float32)
    if kernel.ndim == 1:
        kernel = torch.outer(kernel, kernel)
    if kernel.shape != (4, 4) or not torch.allclose(kernel / kernel.sum(), fir(1), atol=1e-4):
        raise UserError(f"{name}: a resampling kernel other than [1, 3, 3, 1]; such networks aren't supported")


def fold_lr_mul(state: dict, lr_mul) -> dict:
    """Return mapping weights of another learning-rate multiplier, scaled so that ours gives the same result."""
    if not isinstance(lr_mul, (int, float)) or not 0 < lr_mul < 1e3:
        raise UserError(f"learning-rate multiplier {shorten(lr_mul)} of the mapping network: expected a number")
    if abs(lr_mul - LR_MUL) < 1e-6:
        return state
    return {name: tensor * (lr_mul / LR_MUL) if name.startswith("mapping.fc") else tensor for name, tensor in state.items()}
