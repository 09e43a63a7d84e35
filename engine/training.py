"""What training runs keep on disk: a checkpoint that a run can go on from, and a table of figures. Knows no networks."""
import csv
import json
import os

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.errors import UserError


def write_checkpoint(path, kinds: dict, place: dict):
    """Write {kind: {name: tensor}} and where the run is (JSON) as safetensors; to a temporary name, then renamed."""
    tensors = {f"{kind}/{name}": tensor.detach().contiguous() for kind, named in kinds.items() for name, tensor in named.items()}
    try:
        save_file(tensors, f"{path}.part", {"place": json.dumps(place)})
        os.replace(f"{path}.part", path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: can't be written: {error}") from None


def read_checkpoint(path, kinds) -> tuple[dict, dict]:
    """-> ({kind: {name: tensor}} with every kind asked for, place)."""
    found = {kind: {} for kind in kinds}
    try:
        with safe_open(str(path), "pt") as file:
            place = json.loads(file.metadata()["place"])
            for key in file.keys():
                kind, name = key.split("/", 1)
                found[kind][name] = file.get_tensor(key)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a checkpoint of a training run: {error}; start again in an empty folder") from None
    return found, place


def append_row(path, row: dict):
    """Append a row to a CSV table, with the heads first if it is new."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
