"""Original TensorFlow `.pkl` (SPEC.md A.6; StyleGAN2 = version 4, ADA = version 5): variables -> our state dict.

Works on what the restricted unpickler returns; TensorFlow is not needed, and the build source in the file is never read.
"""
import re

import torch

from engine.checkpoints.infer import Contents, contents, expect_filter, fold_lr_mul
from engine.checkpoints.records import Record, shorten, tensor
from engine.errors import UserError

FORMATS = {4: "TensorFlow StyleGAN2 pickle", 5: "TensorFlow StyleGAN2-ADA pickle"}
MAX_DEPTH = 3
LAYERS = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb", "Skip": "skip"}
PARTS = {"weight": "weight", "bias": "bias", "mod_weight": "affine.weight", "mod_bias": "affine.bias",
         "noise_strength": "noise_strength"}
USUAL = {"nonlinearity": "lrelu", "mapping_nonlinearity": "lrelu", "normalize_latents": True}


def read(content) -> Contents:
    """Return the averaged generator. content: a network, or a tuple of them (G, D, Gs) whose last it is."""
    network = find_network(content)
    version = network.state.get("version")
    if not isinstance(version, int) or version not in FORMATS:
        raise UserError(f"a TensorFlow network of version {str(version)[:10] if isinstance(version, (int, str)) else '?'} (StyleGAN1 has 2 or 3): "
                        "only StyleGAN2, versions 4 and 5, can be played")
    settings = _settings(network)
    found = dict(_variables(network))
    scopes = _scopes(found)
    if not scopes or f"synthesis/{scopes[0]}/Conv/mod_weight" not in found:
        raise UserError("no StyleGAN2 generator: the network lacks modulated convolutions "
                        "(StyleGAN1, or StyleGAN2's configurations a to d)")
    ours = {scope: 4 << k for k, scope in enumerate(scopes)}
    state = {}
    for name, value in found.items():
        name = name.replace("synthesis/ToRGB_lod0/", f"synthesis/{scopes[-1]}/ToRGB/")
        if name == "lod" or name.endswith("/lod") or "ToRGB_lod" in name:
            continue                                                # of progressive growing: without effect at full size
        known = translate_name(name, ours)
        state[known] = _convert(known, value)
    state = fold_lr_mul(state, settings.get("mapping_lrmul", 0.01))
    return contents(FORMATS[version], state, settings.get("conv_clamp"), settings.get("architecture"))


def find_network(content):
    """Return the averaged generator in a pickle's content; None if that isn't of TensorFlow."""
    if isinstance(content, dict):
        content = [content[name] for name in ("G", "Gs", "G_ema") if name in content]
    if isinstance(content, (tuple, list)):
        content = content[-1] if content else None
    known = isinstance(content, Record) and content.class_name == "Network" and isinstance(content.state, dict)
    return content if known and ("tflib" in content.source or "variables" in content.state) else None


def _scopes(found) -> list[str]:
    """Return the names of the resolutions, from the smallest: 4x4, 8x8, ..., or 5x3, 10x6, ... of networks that aren't square."""
    seen = {match[0] for name in found if (match := re.search(r"(?<=^synthesis/)\d{1,5}x\d{1,5}(?=/)", name))}
    return sorted(seen, key=lambda scope: [int(side) for side in scope.split("x")])


def _settings(network: Record) -> dict:
    """Return the keyword arguments the network was made with. UserError: some of them change what it computes."""
    settings = network.state.get("static_kwargs")
    settings = dict(settings) if isinstance(settings, dict) else {}
    for name, usual in USUAL.items():
        if settings.get(name, usual) != usual:
            raise UserError(f"made with {name} = {shorten(settings[name])}: expected {usual}")
    if settings.get("resample_kernel") is not None:
        expect_filter("resample_kernel", to_tensor(settings["resample_kernel"]))
    return settings


def to_tensor(numbers) -> torch.Tensor:
    """Return a list of numbers, or an array, as a tensor."""
    if isinstance(numbers, (list, tuple)):
        return torch.stack([tensor(number) for number in numbers[:16]] or [torch.zeros([])])
    return tensor(numbers)


def _variables(network: Record, prefix="", depth=0):
    """Yield (path, value) of the network's and its components' variables; `prefix` is the component's key."""
    variables, components = network.state.get("variables", []), network.state.get("components", {})
    if depth > MAX_DEPTH or not isinstance(variables, list) or not isinstance(components, dict):
        raise UserError("a TensorFlow network whose variables can't be found; the file is damaged")
    for name, value in variables:
        if isinstance(name, str):
            yield prefix + name, value
    for key, component in components.items():
        if isinstance(component, Record) and isinstance(component.state, dict):
            yield from _variables(component, f"{prefix}{key}/", depth + 1)


def translate_name(name: str, scopes: dict) -> str:
    """Return our name of a variable of theirs. scopes: {theirs: the resolution as we call it}."""
    if name == "dlatent_avg":
        return "mapping.w_avg"
    if match := re.fullmatch(r"mapping/Dense(\d{1,2})/(weight|bias)", name):
        return f"mapping.fc{match[1]}.{match[2]}"
    if match := re.fullmatch(r"mapping/LabelEmbed/(weight|bias)", name):
        return f"mapping.embed.{match[1]}"
    if name == "mapping/LabelConcat/weight":
        return "mapping.label"
    if match := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        n = int(match[1])
        return f"synthesis.b{4 << (n + 1) // 2}.conv{0 if n % 2 else 1}.noise_const"
    match = re.fullmatch(r"synthesis/(\d{1,5}x\d{1,5})/(\w+)/(\w+)", name)
    if match and match[1] in scopes and (match[2], match[3]) == ("Const", "const"):
        return f"synthesis.b{scopes[match[1]]}.const"
    if not match or match[2] not in LAYERS or match[3] not in PARTS:
        raise UserError(f"variable {name[:60]}: not of a StyleGAN2 generator")
    return f"synthesis.b{scopes[match[1]]}.{LAYERS[match[2]]}.{PARTS[match[3]]}"


def _convert(ours: str, value) -> torch.Tensor:
    """Return the variable in our layout: kernels [O, I, kh, kw], matrices [O, I], the affine's bias with its 1."""
    value = tensor(value)
    if ours.endswith("const") and value.ndim == 4:                  # [1, C, H, W'] and [1, 1, H, W']
        return value[0] if ours.endswith("b4.const") else value[0, 0]
    if ours.endswith("weight") and value.ndim == 4:
        value = value.permute(3, 2, 0, 1)
        return value.flip(2, 3) if ".conv0." in ours else value     # ours is in transposed-convolution orientation
    if ours.endswith("weight") and value.ndim == 2:
        return value.T
    return value + 1 if ours.endswith("affine.bias") else value
