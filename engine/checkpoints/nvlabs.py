"""NVIDIA's PyTorch `.pkl` (SPEC.md A.5; ada and the StyleGAN2 class of the stylegan3 repository): records -> our state dict.

Works on what the restricted unpickler returns; must not open files, and must not look at embedded source text.
"""
import re

import torch

from engine.checkpoints.infer import Contents, architecture, expect_filter, fold_lr_mul
from engine.checkpoints.unpickler import Module
from engine.errors import UserError

MAX_MODULES = 2000
MAX_DEPTH = 8


def read(content) -> Contents:
    """content: a dict with G_ema (or only G), or a single network."""
    which, network = _network(content)
    modules = dict(_modules(network))
    tensors = dict(_tensors(modules))
    if "synthesis.b4.const" not in tensors and not any("freqs" in name for name in tensors):
        raise UserError(f"no StyleGAN2 generator: the network in it is of class {network.class_name!r}")
    state = {}
    for name, tensor in tensors.items():
        if name.endswith("resample_filter"):
            expect_filter(name, tensor)
        else:
            state[name] = tensor
    last = modules.get(f"synthesis.b{_last(modules)}.conv1", network).state
    if last.get("activation", "lrelu") != "lrelu":
        raise UserError(f"activation {str(last['activation'])[:20]!r}: expected lrelu")
    state = fold_lr_mul(state, modules.get("mapping.fc0", network).state.get("bias_gain", 0.01))
    kind = modules.get(f"synthesis.b{_last(modules)}", network).state.get("architecture")
    return Contents(f"NVIDIA PyTorch pickle ({which})", state, architecture(state, last.get("conv_clamp"), kind))


def _network(content) -> tuple[str, Module]:
    if isinstance(content, Module):
        return content.class_name, content
    for which in ("G_ema", "G"):
        if isinstance(content, dict) and isinstance(content.get(which), Module):
            return which, content[which]
    found = ", ".join(str(key)[:30] for key in list(content)[:5]) if isinstance(content, dict) else type(content).__name__
    raise UserError(f"a pickle without a generator: expected G_ema or G of a StyleGAN2 snapshot, found {found or 'nothing'}")


def _last(modules) -> int:
    return max((int(m[1]) for name in modules if (m := re.fullmatch(r"synthesis\.b(\d{1,5})", name))), default=4)


def _modules(network: Module):
    """(dotted name, Module) of the network and everything under it."""
    waiting, count = [("", network, 0)], 0
    while waiting:
        name, module, depth = waiting.pop()
        count += 1
        if count > MAX_MODULES or depth > MAX_DEPTH:
            raise UserError("refused: its modules are nested beyond what a StyleGAN2 has")
        yield name, module
        for child, found in _entries(module, "_modules"):
            if isinstance(found, Module):
                waiting.append((f"{name}.{child}" if name else child, found, depth + 1))


def _tensors(modules: dict):
    """(dotted name, tensor) of all parameters and buffers."""
    for name, module in modules.items():
        for table in ("_parameters", "_buffers"):
            for leaf, tensor in _entries(module, table):
                if isinstance(tensor, torch.Tensor):
                    yield f"{name}.{leaf}" if name else leaf, tensor


def _entries(module: Module, table: str) -> list:
    entries = module.state.get(table, {})
    if not isinstance(entries, dict) or not all(isinstance(name, str) for name in entries):
        raise UserError(f"a network of class {module.class_name!r} whose {table} aren't named; the file is damaged")
    return list(entries.items())
