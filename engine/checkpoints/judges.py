"""Users' files of networks that judge pictures -> plain tensors: StyleGAN2 discriminators, VGG16, LPIPS heads. Executes nothing.

A discriminator lies beside the generator in NVIDIA's pickles and rosinality's training checkpoints. Must not know what they are for.
"""
import re
from pathlib import Path

import torch

from engine.checkpoints.arrays import read_arrays, to_floats
from engine.checkpoints.find import flatten
from engine.checkpoints.records import DAMAGED, brief
from engine.checkpoints.sniff import open_unwrapped
from engine.checkpoints.torch_file import load_pickle, load_torch
from engine.errors import UserError
from engine.tensor_files import read_tensors

NVIDIA = re.compile(r"((?:.*\.)??)b(\d{1,5})\.fromrgb\.weight")
ROSINALITY = re.compile(r"((?:.*\.)??)convs\.0\.0\.weight")
PARTS = {"conv1.0.weight": "conv0.weight", "conv1.1.bias": "conv0.bias", "conv2.1.weight": "conv1.weight", "conv2.2.bias": "conv1.bias",
         "skip.1.weight": "skip.weight"}
BLOCK = re.compile(r"b\d{1,5}\.(fromrgb|conv0|conv1|skip)\.(weight|bias)")
CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)      # of VGG16, by their places in torchvision's `features`
WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
TAPPED = (64, 128, 256, 512, 512)    # channels of the five maps that are compared
VGG_FILE = "torchvision's vgg16-397923af.pth"
HEADS_FILE = "vgg.pth of the LPIPS repository, version 0.1"
NO_PROGRAM = f"a TorchScript program or pickled code, which is not run; give {VGG_FILE} and, for lpips, {HEADS_FILE}"


def read_discriminator(path) -> tuple[dict, int]:
    """Return ({NVIDIA's name: tensor} of the blocks of the discriminator in a checkpoint, their resolution); UserError: why there is none."""
    path = Path(path)
    try:
        with open_unwrapped(path) as (file, kind):
            if kind == "safetensors":
                raise UserError("no discriminator in it: safetensors files hold generators; give the .pkl or the training .pt it was made from")
            state = _find_discriminator(flatten((load_torch(file) if kind == "torch" else load_pickle(file)).content))
            return {name: to_floats(tensor) for name, tensor in state.items()}, max(int(name.split(".")[0][1:]) for name in state)
    except DAMAGED as error:
        raise UserError(f"{path}: not laid out as a StyleGAN2 checkpoint ({brief(error)}); fetch it again") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _find_discriminator(found) -> dict:
    places = sorted({match[1] for name in found.tensors if (match := NVIDIA.fullmatch(name))}, key=len)
    if places:
        state = {name[len(places[0]):]: tensor for name, tensor in found.tensors.items() if name.startswith(places[0])}
        state = {name: tensor for name, tensor in state.items() if BLOCK.fullmatch(name) and name[:3] != "b4."}
    else:
        places = sorted({match[1] for name in found.tensors if (match := ROSINALITY.fullmatch(name))}, key=len)
        if not places:
            raise UserError("no discriminator in it; NVIDIA's .pkl (D) and rosinality's training checkpoints (d) have one")
        state = _rename({name[len(places[0]):]: tensor for name, tensor in found.tensors.items() if name.startswith(places[0])})
    _check_blocks(state)
    return state


def _rename(tensors) -> dict:
    """Return rosinality's names as NVIDIA's."""
    count = max((int(match[1]) for name in tensors if (match := re.fullmatch(r"convs\.(\d{1,2})\.conv1\.0\.weight", name))), default=0)
    largest = f"b{4 << count}"
    state = {f"{largest}.fromrgb.{part}": tensors[name] for part, name in (("weight", "convs.0.0.weight"), ("bias", "convs.0.1.bias")) if name in tensors}
    for name, tensor in tensors.items():
        match = re.fullmatch(r"convs\.(\d{1,2})\.(.+)", name)
        if match and match[2] in PARTS:
            state[f"b{4 << (count - int(match[1]) + 1)}.{PARTS[match[2]]}"] = tensor
    return state


def _check_blocks(state):
    """Raise UserError unless these are the blocks of a residual discriminator, from its largest down to 8 px."""
    sizes = sorted({int(name.split(".")[0][1:]) for name in state})
    if not sizes or sizes != [8 << n for n in range(len(sizes))]:
        raise UserError(f"a discriminator with blocks at {sizes or 'no'} px; expected 8, 16, 32, ...")
    for r in sizes:
        here = state.get(f"b{r}.conv0.weight")
        for name, axes in (("conv0.weight", 4), ("conv0.bias", 1), ("conv1.weight", 4), ("conv1.bias", 1), ("skip.weight", 4)):
            tensor = state.get(f"b{r}.{name}")
            if not isinstance(tensor, torch.Tensor) or tensor.ndim != axes or here is None or axes == 4 and tensor.shape[1] != here.shape[0]:
                raise UserError(f"its discriminator has no fitting b{r}.{name}; only residual ones (architecture resnet) can be used")
    if state.get(f"b{sizes[-1]}.fromrgb.bias") is None or state[f"b{sizes[-1]}.fromrgb.weight"].shape[1:] != (3, 1, 1):
        raise UserError("its discriminator has no layer that sees RGB pictures")


def read_vgg(path) -> list:
    """Return the 13 convolutions [(weight [O, I, 3, 3], bias [O])] of a VGG16 in torchvision's layout."""
    state = _read_state(path)
    start = "features." if any(str(name).startswith("features.") for name in state) else ""
    found, inputs = [], 3
    for place, width in zip(CONVOLUTIONS, WIDTHS):
        weight, bias = (state.get(f"{start}{place}.{part}") for part in ("weight", "bias"))
        if getattr(weight, "shape", None) != (width, inputs, 3, 3) or getattr(bias, "shape", None) != (width,):
            raise UserError(f"{path}: not a VGG16: features.{place} is {list(getattr(weight, 'shape', ())) or 'not there'}, expected {[width, inputs, 3, 3]}; "
                            f"give {VGG_FILE}")
        found.append((to_floats(weight), to_floats(bias)))
        inputs = width
    return found


def read_heads(path) -> list:
    """Return the five LPIPS heads [C], none of whose numbers is negative."""
    state, found = _read_state(path), []
    for n, width in enumerate(TAPPED):
        head = state.get(f"lin{n}.model.1.weight", state.get(f"lins.{n}.model.1.weight"))
        if getattr(head, "shape", None) != (1, width, 1, 1):
            raise UserError(f"{path}: no heads of LPIPS for VGG16: lin{n}.model.1.weight is {list(getattr(head, 'shape', ())) or 'not there'}, "
                            f"expected {[1, width, 1, 1]}; give {HEADS_FILE}")
        if (head := to_floats(head).flatten()).min() < 0:
            raise UserError(f"{path}: lin{n} has negative numbers: it would call what is unlike alike; give {HEADS_FILE}")
        found.append(head)
    return found


def _read_state(path) -> dict:
    """Return {name: tensor} of a state dict."""
    path = Path(path)
    try:
        state = read_tensors(path, "fetch it again")[1] if path.suffix == ".safetensors" else read_arrays(path)
    except UserError as error:
        text = str(error)
        raise UserError(f"{path}: {NO_PROGRAM}" if "TorchScript" in text else text if text.startswith(str(path)) else f"{path}: {text}") from None
    while isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not any(isinstance(value, torch.Tensor) for value in state.values()):
        raise UserError(f"{path}: {NO_PROGRAM}")
    return {str(name).removeprefix("module."): value for name, value in state.items()}
