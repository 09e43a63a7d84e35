"""Names of other trainers (BasicSR, mmgeneration, GenForce) -> rosinality's or NVIDIA's. No file access, no shapes of networks.

The first two keep rosinality's layout under other names; GenForce keeps TensorFlow's: kernels of upsampling layers turned by
half a turn, style biases without the 1 that is added to them, labels beside z.
"""
import re
from dataclasses import dataclass, replace

from engine.checkpoints.find import Found


@dataclass(frozen=True)
class Family:
    """marker: the tensor every network of the family has, and `beside` it another. rules: (pattern of a name, its new name)."""
    marker: str
    beside: str
    rules: tuple
    numbers: tuple = ()          # (pattern of a new name, what is done with the tensor)


BASICSR = Family("constant_input.weight", "style_conv1.modulated_conv.weight", (
    (r"constant_input\.weight", r"input.input"),
    (r"style_mlp\.(\d+\.(?:weight|bias))", r"style.\1"),
    (r"noises\.noise(\d+)", r"noises.noise_\1"),
    (r"style_conv(1|s\.\d+)\.weight", r"conv\1.noise.weight"),
    (r"style_conv(1|s\.\d+)\.bias", r"conv\1.activate.bias"),                      # its plain-torch variant has no fused activation
    (r"style_conv(1|s\.\d+)\.activate\.bias", r"conv\1.activate.bias"),
    (r"style_conv(1|s\.\d+)\.modulated_conv\.smooth\.kernel", r"conv\1.conv.blur.kernel"),
    (r"style_conv(1|s\.\d+)\.modulated_conv\.(.+)", r"conv\1.conv.\2"),
    (r"to_rgb(1|s\.\d+)\.modulated_conv\.(.+)", r"to_rgb\1.conv.\2"),
), ((r"activate\.bias", lambda tensor: tensor.reshape(-1)),))

MMGENERATION = Family("constant_input.input", "conv1.conv.style_modulation.bias", (
    (r"constant_input\.input", r"input.input"),
    (r"style_mapping\.(\d+)\.linear\.weight_orig", r"style.\1.weight"),
    (r"style_mapping\.(\d+)\.bias", r"style.\1.bias"),
    (r"injected_noise_(\d+)", r"noises.noise_\1"),
    (r"(conv1|convs\.\d+)\.noise_injector\.weight", r"\1.noise.weight"),
    (r"(.+)\.conv\.weight_orig", r"\1.conv.weight"),
    (r"(.+)\.conv\.style_modulation\.linear\.weight_orig", r"\1.conv.modulation.weight"),
    (r"(.+)\.conv\.style_modulation\.bias", r"\1.conv.modulation.bias"),
))

GENFORCE = Family("synthesis.early_layer.const", "synthesis.layer0.style.weight", (
    (r"synthesis\.early_layer\.const", r"synthesis.b4.const"),
    (r"mapping\.dense(\d+)\.(weight|bias)", r"mapping.fc\1.\2"),
    (r"mapping\.label_weight", r"mapping.label"),
    (r"truncation\.w_avg", r"mapping.w_avg"),
    (r"synthesis\.layer(\d{1,2})\.style\.(weight|bias)", lambda match: f"synthesis.{_layer(match[1])}.affine.{match[2]}"),
    (r"synthesis\.layer(\d{1,2})\.noise", lambda match: f"synthesis.{_layer(match[1])}.noise_const"),
    (r"synthesis\.layer(\d{1,2})\.filter\.kernel", lambda match: f"synthesis.{_layer(match[1])}.resample_filter"),
    (r"synthesis\.layer(\d{1,2})\.(weight|bias|noise_strength)", lambda match: f"synthesis.{_layer(match[1])}.{match[2]}"),
    (r"synthesis\.output(\d)\.style\.(weight|bias)", lambda match: f"synthesis.b{4 << int(match[1])}.torgb.affine.{match[2]}"),
    (r"synthesis\.output(\d)\.(weight|bias)", lambda match: f"synthesis.b{4 << int(match[1])}.torgb.{match[2]}"),
    (r"synthesis\.upsample\.kernel", r"synthesis.b8.resample_filter"),
), (
    (r"\.const$", lambda tensor: tensor[0] if tensor.ndim == 4 else tensor),
    (r"\.(noise_const|resample_filter)$", lambda tensor: tensor[0, 0] if tensor.ndim == 4 else tensor),
    (r"\.conv0\.weight$", lambda tensor: tensor.flip(-2, -1)),
    (r"\.affine\.bias$", lambda tensor: tensor + 1),
))
FAMILIES = (BASICSR, MMGENERATION, GENFORCE)


def rename(found: Found) -> Found:
    """Return what was found with its tensors renamed as rosinality or NVIDIA name them, where they have another trainer's names."""
    tensors = found.tensors
    for family in FAMILIES:
        for prefix in _prefixes(tensors, family):
            tensors = dict(_rename(tensors, prefix, family))
    return found if tensors is found.tensors else replace(found, tensors=tensors)


def _prefixes(tensors: dict, family: Family) -> list[str]:
    """Return the prefixes of the names of each network of the family."""
    starts = (name[:-len(family.marker)] for name in tensors if name.endswith(family.marker))
    return [start for start in starts if (not start or start.endswith(".")) and start + family.beside in tensors]


def _rename(tensors: dict, prefix: str, family: Family):
    for name, tensor in tensors.items():
        own = name[len(prefix):] if name.startswith(prefix) else None
        new = own if own is None else _new_name(own, family)
        if new is None or new == own:
            yield name, tensor
            continue
        for pattern, change in family.numbers:
            if re.search(pattern, new) and tensor.ndim:
                tensor = change(tensor)
        yield prefix + new, tensor


def _new_name(own: str, family: Family) -> str:
    for pattern, new in family.rules:
        if match := re.fullmatch(pattern, own):
            return new(match) if callable(new) else match.expand(new)
    return own


def _layer(index: str) -> str:
    """Return the convolution of that index, 0 at 4 px."""
    return f"b{4 << (int(index) + 1) // 2}.conv{0 if int(index) % 2 else 1}"
