"""rosinality's `.pt` (SPEC.md A.4): its names and shapes -> ours. A pure rename: no number changes. No file access here."""
import re

import torch

from engine.checkpoints.infer import Contents, architecture, expect_filter
from engine.errors import UserError

PARTS = {"conv.weight": "weight", "conv.modulation.weight": "affine.weight", "conv.modulation.bias": "affine.bias",
         "activate.bias": "bias", "bias": "bias", "noise.weight": "noise_strength"}
KERNEL = re.compile(r"\.(blur|upsample)\.kernel$")
WAVELET = re.compile(r"\.(iwt|dwt)\.")


def read(content) -> Contents:
    """content: what torch.load gave, a dict of a converted or a training file, or a bare state dict."""
    if not isinstance(content, dict):
        raise UserError(f"a torch file of {type(content).__name__}, expected a dict with g_ema; "
                        "save the generator's state dict as {'g_ema': ...}")
    weights = next((content[key] for key in ("g_ema", "g") if isinstance(content.get(key), dict)), content)
    if "input.input" not in weights or "conv1.conv.weight" not in weights:
        keys = ", ".join(str(key)[:30] for key in list(weights)[:4])
        raise UserError(f"a torch file, but not a StyleGAN2 generator's: expected g_ema with rosinality's names, found {keys or 'nothing'}")
    if getattr(content.get("args"), "arch", None) == "swagan" or any(WAVELET.search(str(name)) for name in weights):
        raise UserError("a SWAGAN (wavelet) network; only StyleGAN2 generators can be played")
    state = {}
    for name, tensor in weights.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise UserError(f"{str(name)[:60]}: expected a tensor, got {type(tensor).__name__}")
        if KERNEL.search(name):
            expect_filter(name, tensor)
            continue
        ours = our_name(name)
        state[ours] = _shaped(ours, tensor)
    if isinstance(content.get("latent_avg"), torch.Tensor):
        state["mapping.w_avg"] = content["latent_avg"].reshape(-1)
    kind = "training checkpoint" if "g_optim" in content else "checkpoint"
    return Contents(f"rosinality {kind}", state, architecture(state, kind="skip"))


def our_name(name: str) -> str:
    """Our name of a tensor of theirs."""
    if match := re.fullmatch(r"style\.(\d{1,2})\.(weight|bias)", name):
        return f"mapping.fc{int(match[1]) - 1}.{match[2]}"                      # style.0 is the pixel norm
    if match := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
        return f"synthesis.{_layer(int(match[1]))}.noise_const"
    if name == "input.input":
        return "synthesis.b4.const"
    match = re.fullmatch(r"(conv1|convs\.(\d{1,2})|to_rgb1|to_rgbs\.(\d))\.(.+)", name)
    if not match or match[4] not in PARTS:
        raise UserError(f"{name[:60]}: no such tensor in a StyleGAN2 generator; the file is of another network")
    if match[1].startswith("to_rgb"):
        place = f"b{8 << int(match[3]) if match[3] else 4}.torgb"
    else:
        place = _layer(int(match[2]) + 1 if match[2] else 0)
    return f"synthesis.{place}.{PARTS[match[4]]}"


def _layer(index: int) -> str:
    """The styled convolution of that index, 0 at 4 px."""
    return f"b{4 << (index + 1) // 2}.conv{0 if index % 2 else 1}"


def _shaped(ours: str, tensor: torch.Tensor) -> torch.Tensor:
    """Without the axes of length 1 that theirs have and ours have not."""
    if ours.endswith("noise_strength") and tensor.numel() == 1:
        return tensor.reshape(())
    if ours.endswith("torgb.bias"):
        return tensor.reshape(-1)
    if ours.endswith("noise_const") and tensor.shape[:2] == (1, 1):
        return tensor[0, 0]
    conv = re.search(r"(conv\d|torgb)\.weight$", ours)
    return tensor[0] if (conv or ours.endswith("const")) and tensor.ndim > 1 and tensor.shape[0] == 1 else tensor
