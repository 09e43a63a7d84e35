"""An encoder's file: safetensors, with its plan, how pictures are prepared and the generator's hash in the metadata.

Holds numbers and text only. Must not know how encoders are trained.
"""
import json
from dataclasses import asdict
from pathlib import Path

import torch

from engine.checkpoints.build import prepare
from engine.checkpoints.native import generator_hash
from engine.encoder.network import Encoder
from engine.encoder.plan import Plan
from engine.errors import UserError
from engine.tensor_files import check_dtype, read_table, read_tensors, to_stored, write_tensors

FORMAT = "latent-jockey encoder"
SCHEMA = 1
CELLS = "cells"                  # of the tensors, those that features are brought back to; older files have none
LARGEST = 8192                   # of what a plan counts: pixels, channels
PREPARED = {"range": [-1, 1], "order": "RGB", "resize": "area"}


def save(path, encoder: Encoder, dtype: str = "float16", **about) -> Path:
    """Write the encoder; `about` is kept as JSON beside it (how it was trained, figures, ...)."""
    plan, kind = encoder.plan, check_dtype(dtype)
    header = {"format": FORMAT, "schema": str(SCHEMA), "layer": plan.layer, "preset": plan.preset, "generator": plan.generator,
              "plan": json.dumps(asdict(plan)), "preprocessing": json.dumps(PREPARED | {"size": list(plan.size)}), "about": json.dumps(about)}
    tensors = {name: to_stored(tensor, kind) for name, tensor in encoder.state_dict().items() if tensor.is_floating_point()}
    if encoder.cells is not None:
        tensors[CELLS] = to_stored(encoder.cells, kind)
    return write_tensors(path, tensors, header)


def load(path, generator=None, device="cpu") -> Encoder:
    """Return the encoder in a file of ours, ready to use; UserError in one line for anything else.

    generator: whom it is to feed; an encoder of another layer shape, or trained for other weights, is refused.
    """
    try:
        header, state = _read(path)
        plan = _plan(header)
        if generator is not None and (wrong := plan.mismatch(generator, generator_hash(generator))):
            raise UserError(wrong)
        return _built(plan, state).to(device)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def about(path) -> dict:
    """Return what `save` was told about the encoder."""
    try:
        return read_table(_read(path)[0], "about")
    except ValueError:
        return {}
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _read(path):
    """-> (metadata, {name: tensor})."""
    return read_tensors(path, "fetch it, or train the encoder, again", _expect_ours)


def _expect_ours(header):
    if header.get("format") != FORMAT:
        raise UserError("a safetensors file, but not an encoder of ours; make one with `run_live.py train-encoder`")
    if header.get("schema") != str(SCHEMA):
        raise UserError(f"schema version {header.get('schema', 'none')[:20]}: this version reads {SCHEMA}; update Latent Jockey")


def _plan(header) -> Plan:
    try:
        values = read_table(header, "plan")
        for name in ("features", "size"):
            values[name] = tuple(_to_whole(name, n) for n in values[name])
            if len(values[name]) != 2:
                raise ValueError(f"{name} has {len(values[name])} numbers")
        for name in ("channels", "width"):
            _to_whole(name, values.get(name, 1))
        for name in ("layer", "preset", "generator"):
            if not isinstance(values.get(name, ""), str):
                raise ValueError(f"{name}: expected a word")
        return Plan(**values)
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise UserError(f"the file's metadata is damaged: {error}; train the encoder again") from None


def _to_whole(name, value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise ValueError(f"{name}: expected a whole number 1..{LARGEST}")
    return value


def _built(plan, state) -> Encoder:
    """Return the network with these weights, each checked."""
    cells = state.pop(CELLS, None)
    if cells is not None and (cells.ndim != 4 or not len(cells) or tuple(cells.shape[1:]) != (plan.channels, *plan.features)):
        raise UserError(f"{CELLS}: expected [K, {plan.channels}, {', '.join(map(str, plan.features))}], got {list(cells.shape)}; the file is damaged")
    with torch.device("meta"):                                  # shapes are compared before anything is allocated
        expected = {name: tuple(t.shape) for name, t in Encoder(plan).state_dict().items() if t.is_floating_point()}
    for name in expected | state:
        if name not in state or name not in expected or tuple(state[name].shape) != expected[name]:
            found, wanted = (list(tensors[name].shape if tensors is state else tensors[name]) if name in tensors else "nothing"
                             for tensors in (state, expected))
            raise UserError(f"{name}: expected {wanted}, got {found}; the file is damaged, or of another version")
    encoder = Encoder(plan)
    encoder.load_state_dict({name: prepare(name, tensor) for name, tensor in state.items()}, strict=False)
    encoder.cells = None if cells is None else cells.float()
    return encoder.requires_grad_(False)
