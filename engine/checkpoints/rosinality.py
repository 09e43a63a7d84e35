"""rosinality's `.pt` (SPEC.md A.4): its names and shapes -> ours. A pure rename: no number changes. No file access here."""
import re

import torch

from engine.checkpoints.find import Found, Place
from engine.checkpoints.infer import Contents, contents, expect_filter
from engine.errors import UserError

PARTS = {"conv.weight": "weight", "conv.modulation.weight": "affine.weight", "conv.modulation.bias": "affine.bias",
         "activate.bias": "bias", "bias": "bias", "noise.weight": "noise_strength"}
KERNEL = re.compile(r"\.(blur|upsample)\.kernel$")
WAVELET = re.compile(r"\.(iwt|dwt)\.")
STRICT = re.compile(r"(style\.\d|input\.|convs?\d*\.|to_rgbs?\d*\.|noises\.)")     # a network's, where its table holds other things as well
OWN = re.compile("")
CENTRES = ("latent_avg", "mean_latent", "latent_mean", "w_avg", "dlatent_avg", "truncation_latent")
CENTRE = re.compile("|".join(CENTRES))


def read(found: Found, place: Place, container: str) -> Contents:
    """Return the network at a place. container: what kind of file it was found in, in words."""
    if any(WAVELET.search(name) for name in found.tensors if name.startswith(place.prefix)) or _arch(found) == "swagan":
        raise UserError("a SWAGAN (wavelet) network; only StyleGAN2 generators can be played")
    state = {}
    for name, tensor in found.tensors.items():
        own = name[len(place.prefix):]
        if not name.startswith(place.prefix) or not (OWN if place.prefix else STRICT).match(own) or CENTRE.fullmatch(own):
            continue
        if KERNEL.search(name):
            expect_filter(name, tensor)
        else:
            ours = translate_name(own)
            state[ours] = _reshape(ours, tensor)
    centre = _centre(found, place)
    if centre is not None:
        state["mapping.w_avg"] = centre
    container = "training checkpoint" if any(name.startswith("g_optim") for name in found.top) else container
    label = f" ({place.label})" if place.label else ""
    known = {name: tensor for name, tensor in state.items() if not _beyond(name, state)}
    return contents(f"rosinality {container}{label}", known, kind="skip")


def _arch(found: Found):
    settings = found.records.get("args")
    return settings.state.get("arch") if settings is not None and isinstance(settings.state, dict) else None


def _centre(found: Found, place: Place):
    """Return the mean latent, which lies inside the network's own table, beside it or at the top."""
    outer = place.prefix.rpartition(".")[0].rpartition(".")[0]
    for start in (place.prefix, f"{outer}." if outer else "", ""):
        for name in CENTRES:
            if f"{start}{name}" in found.tensors:
                return found.tensors[f"{start}{name}"]
    return None


def _beyond(name: str, state) -> bool:
    """Return whether it is a noise map for a layer that the network hasn't got."""
    return name.endswith("noise_const") and name.replace("noise_const", "weight") not in state


def translate_name(name: str) -> str:
    """Return our name of a tensor of theirs."""
    if match := re.fullmatch(r"style\.(\d{1,2})\.(weight|bias)", name):
        return f"mapping.fc{int(match[1]) - 1}.{match[2]}"                      # style.0 is the pixel norm
    if match := re.fullmatch(r"noises\.(?:noise_?)?(\d{1,2})", name):
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
    """Return the styled convolution of that index, 0 at 4 px."""
    return f"b{4 << (index + 1) // 2}.conv{0 if index % 2 else 1}"


def _reshape(ours: str, tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor without the axes of length 1 that theirs have and ours have not."""
    if ours.endswith("noise_strength") and tensor.numel() == 1:
        return tensor.reshape(())
    if ours.endswith("torgb.bias"):
        return tensor.reshape(-1)
    if ours.endswith("noise_const") and tensor.shape[:2] == (1, 1):
        return tensor[0, 0]
    conv = re.search(r"(conv\d|torgb)\.weight$", ours)
    return tensor[0] if (conv or ours.endswith("const")) and tensor.ndim > 1 and tensor.shape[0] == 1 else tensor
