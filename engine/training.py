"""The files of a training run: a checkpoint that a run can go on from, and a table of figures. Knows no networks."""
import csv
import json

from safetensors import SafetensorError, safe_open

from engine.errors import UserError
from engine.tensor_files import write_tensors


def make_folder(folder):
    """Return the folder a run keeps its files in, made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: can't be made a folder for the run: {error.strerror}") from None


def write_checkpoint(path, kinds: dict, place: dict):
    """Write {kind: {name: tensor}} and where the run is (JSON) as safetensors; to a temporary name, then renamed."""
    tensors = {f"{kind}/{name}": tensor for kind, named in kinds.items() for name, tensor in named.items()}
    write_tensors(path, tensors, {"place": json.dumps(place)})


def read_checkpoint(path, kinds) -> tuple[dict, dict]:
    """Return ({kind: {name: tensor}} with every kind asked for, place)."""
    found: dict[str, dict] = {kind: {} for kind in kinds}
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
