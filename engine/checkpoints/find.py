"""Finds the generator in what a file holds: nested dicts, lists and modules -> tensors with dotted names, and where they begin.

Tools put their own names before ours (G_ema., module., state_dict.generator., decoder.); what a network's names end in tells
where it is. Must not open files; knows of each family of names only where it begins.
"""
import re
from dataclasses import dataclass, field

import numpy as np
import torch

from engine.checkpoints.records import DAMAGED, Array, Record, tensor
from engine.errors import UserError

MAX_NODES = 100_000
MAX_DEPTH = 24
LONGEST_NAME = 200
TABLES = ("_modules", "_parameters", "_buffers")         # of a pickled torch module; the other attributes are settings
WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module")       # what parallel and compiled modules put into the names
NVIDIA = re.compile(r"((?:.*?\.)??)((?:[^.]*synthesis[^.]*\.)?)b4\.const")
ROSINALITY = "input.input"
AVERAGED = ("ema", "shadow", "avg", "average", "smooth")        # a running mean of the weights is what pictures are made with
PLAIN = ("g", "generator", "netg", "decoder", "gs", "g_running")
OTHERS = ((re.compile(r"synthesis\.(input\.freqs|L\d+_)"), "a StyleGAN3 network (or StyleGAN-XL, made of it)"),
          (re.compile(r"\.(iwt|dwt)\."), "a SWAGAN (wavelet) network"),
          (re.compile(r"g_synthesis\.blocks|synthesis\.blocks\.\d+x"), "a StyleGAN1 network"))


@dataclass
class Found:
    """tensors: {dotted name: tensor}. records: {dotted name: Record} of the modules. top: what the file's own names are."""
    tensors: dict = field(default_factory=dict)
    records: dict = field(default_factory=dict)
    top: tuple = ()


@dataclass(frozen=True)
class Place:
    """prefix: what all of a network's names begin with. synthesis, mapping: what the two parts are called, with a dot."""
    prefix: str
    synthesis: str = ""
    mapping: str = ""

    @property
    def label(self) -> str:
        """Return the prefix as words."""
        return self.prefix.strip(".")


def flatten(content) -> Found:
    """Return everything in `content` that has a name. UserError beyond what a checkpoint has."""
    found = Found(top=tuple(key[:30] for key in list(content)[:5] if isinstance(key, str)) if isinstance(content, dict) else (describe(content),))
    waiting, count = [("", content, 0)], 0
    while waiting:
        name, node, depth = waiting.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise UserError("refused: what is in it is nested beyond what a StyleGAN2 has")
        if isinstance(node, Record):
            found.records[name] = node
        for key, child in children(node):
            path = _join(name, key)
            if isinstance(child, (dict, list, tuple, Record)):
                waiting.append((path, child, depth + 1))
            elif (numbers := _numbers(child)) is not None:
                found.tensors[path] = numbers
    return found


def _join(name: str, key) -> str:
    path = f"{name}.{key}" if name else str(key)
    return ".".join(part for part in path.split(".") if part not in WRAPPERS)


def children(node):
    """Return (name, thing) of everything in a dict, list or record. A module's own tables add nothing to the names."""
    if isinstance(node, (list, tuple)):
        return list(enumerate(node[:64])) if any(isinstance(item, (dict, Record)) for item in node[:64]) else []
    tables = [node] if isinstance(node, dict) else [node.state, node.items] if isinstance(node, Record) else []
    if isinstance(node, Record) and isinstance(node.state, dict) and any(table in node.state for table in TABLES):
        tables = [node.state.get(table) for table in TABLES]
    return [(key, child) for table in tables if isinstance(table, dict) for key, child in table.items()
            if isinstance(key, str) and len(key) <= LONGEST_NAME or isinstance(key, int) and abs(key) < 1 << 31]


def _numbers(child):
    if isinstance(child, torch.Tensor):
        return child
    if isinstance(child, Array) or isinstance(child, np.ndarray):
        try:
            return tensor(child)
        except DAMAGED:
            return None
    return None


def networks(found: Found) -> list[tuple[str, Place]]:
    """Return ("nvidia" | "rosinality", Place) of every StyleGAN2 generator there, the one pictures should be made with first."""
    places = []
    for name in found.tensors:
        if match := NVIDIA.fullmatch(name):
            places.append(("nvidia", Place(match[1], match[2], match[2].replace("synthesis", "mapping") or "mapping.")))
        elif (name == ROSINALITY or name.endswith("." + ROSINALITY)) and f"{name[:-len(ROSINALITY)]}conv1.conv.weight" in found.tensors:
            places.append(("rosinality", Place(name[:-len(ROSINALITY)])))
    return sorted(places, key=lambda entry: _rank(entry[1].prefix + entry[1].synthesis))


def _rank(prefix: str):
    """Return a key that sorts averaged networks before trained ones, well-known names before others, short before long."""
    parts = prefix.lower().strip(".").split(".")
    averaged = any(word in part.split("_") or part.endswith(word) for part in parts for word in AVERAGED)
    return not averaged, not any(part in PLAIN for part in parts), len(parts), len(prefix)


def refusal(found: Found, network=None) -> str:
    """Return why there is no network to play in it."""
    for pattern, what in OTHERS:
        if any(pattern.search(name) for name in found.tensors):
            return f"{what}; only StyleGAN2 generators can be played"
    what = ", ".join(found.top) or "nothing"
    if not found.tensors and not found.records:
        return f"without a generator: expected G_ema, g_ema or a state dict of a StyleGAN2 generator, found {what}"
    classes = [record.class_name[:40] for name, record in found.records.items() if name.lower().rstrip("0123456789") in ("g_ema", "g", "")]
    names = next(iter(found.tensors), "")[:60]
    return (f"without a generator of StyleGAN2: found {what}" + (f", a network of class {classes[0]!r}" if classes else "")
            + (f", tensors such as {names}" if names else "") + "; expected NVIDIA's names (synthesis.b4.const, ...) or rosinality's (input.input, ...)")


def describe(content) -> str:
    """Return the kind of a thing, in a word."""
    return f"an object of class {content.class_name[:40]!r}" if isinstance(content, Record) else type(content).__name__
