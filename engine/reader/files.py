"""A reader's file: safetensors, with the names of the factors it reads in the metadata. Knows nothing of training."""
import json
from pathlib import Path

import torch

from engine.errors import UserError
from engine.reader.network import FACTORS_READ, SIZE, Reader
from engine.tensor_files import read_tensors, to_stored, write_tensors

FORMAT = "latent-jockey reader"
SCHEMA = "1"


def save(path, reader: Reader, dtype=torch.float16, **about) -> Path:
    """Write the reader; `about` is kept as JSON beside it."""
    header = {"format": FORMAT, "schema": SCHEMA, "size": str(SIZE), "factors": json.dumps(FACTORS_READ), "about": json.dumps(about)}
    tensors = {name: to_stored(tensor, dtype) for name, tensor in reader.state_dict().items() if tensor.is_floating_point()}
    return write_tensors(path, tensors, header)


def load(path, device="cpu") -> Reader:
    """Return the reader in a file of ours; UserError in one line for anything else."""
    try:
        _, state = read_tensors(path, "fetch it, or train the reader, again", _expect_ours)
        reader = Reader()
        expected = {name: tuple(t.shape) for name, t in reader.state_dict().items() if t.is_floating_point()}
        for name in expected | state:
            found, wanted = state.get(name), expected.get(name)
            if found is None or wanted is None or tuple(found.shape) != wanted:
                raise UserError(f"{name}: expected {list(wanted or ())}, got {'nothing' if found is None else list(found.shape)}; "
                                "the file is damaged, or of another version")
        reader.load_state_dict({name: tensor.float() for name, tensor in state.items()}, strict=False)
        return reader.requires_grad_(False).eval().to(device)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _expect_ours(header):
    if header.get("format") != FORMAT:
        raise UserError("a safetensors file, but not a reader of ours; make one with `run_live.py train-reader`")
    if header.get("schema") != SCHEMA or header.get("factors") != json.dumps(FACTORS_READ):
        raise UserError("a reader of another version, which reads other factors: train it again")
