"""An encoder's file: safetensors, with its plan, how pictures are prepared and the generator's hash in the metadata.

Holds numbers and text only. Must not know how encoders are trained.
"""
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from engine.checkpoints.build import prepared
from engine.checkpoints.native import generator_hash
from engine.encoder.network import Encoder
from engine.encoder.plan import Plan
from engine.errors import UserError
from engine.tensor_files import checked_dtype, stored, write_tensors

FORMAT = "latent-jockey encoder"
SCHEMA = 1
PREPARED = {"range": [-1, 1], "order": "RGB", "resize": "area"}


def save(path, encoder: Encoder, dtype: str = "float16", **about) -> Path:
    """Write the encoder; `about` is kept as JSON beside it (how it was trained, figures, ...)."""
    plan, kind = encoder.plan, checked_dtype(dtype)
    header = {"format": FORMAT, "schema": str(SCHEMA), "layer": plan.layer, "preset": plan.preset, "generator": plan.generator,
              "plan": json.dumps(asdict(plan)), "preprocessing": json.dumps(PREPARED | {"size": list(plan.size)}), "about": json.dumps(about)}
    tensors = {name: stored(tensor, kind) for name, tensor in encoder.state_dict().items() if tensor.is_floating_point()}
    return write_tensors(path, tensors, header)


def load(path, generator=None, device="cpu") -> Encoder:
    """The encoder in a file of ours, ready to use; UserError in one line for anything else.

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
    """What `save` was told about the encoder."""
    try:
        return dict(json.loads(_read(path)[0].get("about", "{}")))
    except (ValueError, TypeError):
        return {}
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _read(path):
    """-> (metadata, {name: tensor})."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise UserError("a safetensors file, but not an encoder of ours; make one with `run_live.py train-encoder`")
            if header.get("schema") != str(SCHEMA):
                raise UserError(f"schema version {header.get('schema')}: this version reads {SCHEMA}; update Latent Jockey")
            return header, {name: file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError:
        raise UserError("there is no such file") from None
    except (OSError, SafetensorError) as error:
        raise UserError(f"not a whole safetensors file: {error}; fetch it, or train the encoder, again") from None


def _plan(header) -> Plan:
    try:
        values = dict(json.loads(header["plan"]))
        for name in ("features", "size"):
            values[name] = tuple(int(n) for n in values[name])
            if len(values[name]) != 2:
                raise ValueError(f"{name} has {len(values[name])} numbers")
        return Plan(**values)
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise UserError(f"the file's metadata is damaged: {error}; train the encoder again") from None


def _built(plan, state) -> Encoder:
    """The network with these weights, each checked."""
    with torch.device("meta"):                                  # shapes are compared before anything is allocated
        expected = {name: tuple(t.shape) for name, t in Encoder(plan).state_dict().items() if t.is_floating_point()}
    for name in expected | state:
        if name not in state or name not in expected or tuple(state[name].shape) != expected[name]:
            found, wanted = (list(tensors[name].shape if tensors is state else tensors[name]) if name in tensors else "nothing"
                             for tensors in (state, expected))
            raise UserError(f"{name}: expected {wanted}, got {found}; the file is damaged, or of another version")
    encoder = Encoder(plan)
    encoder.load_state_dict({name: prepared(name, tensor) for name, tensor in state.items()}, strict=False)
    return encoder.requires_grad_(False)
