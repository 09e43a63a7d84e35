"""How a layer's keys lie over many pictures: their second moment C = E[k k^T], uncentred.

Streamed over the published z numbering, kept in a folder under a hash of all that decides it. SPEC.md C.3.
"""
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from engine.device import to_double
from engine.errors import UserError
from engine.files import find_cache
from engine.rewriting.memory import map_z, recall
from engine.rewriting.request import rows
from engine.tensor_files import write_tensors

VERSION = 2                         # of this computation: part of the hash
BATCH = 8
FLOOR = 1e-6                        # of the largest eigenvalue: what lies below it counts as noise


@dataclass(frozen=True, eq=False)
class Statistics:
    """second: C [I, I] float32. count: of keys."""
    second: torch.Tensor
    count: int

    def whitening(self, power: float) -> torch.Tensor:
        """Return C ** power [I, I], symmetric: -0.5 is ZCA, -1 the inverse; eigenvalues from FLOOR of the largest up, float64 within."""
        values, vectors = torch.linalg.eigh(to_double(self.second))
        values = values.clamp(min=max(float(values.max()) * FLOOR, torch.finfo(torch.float64).tiny))
        return ((vectors * values ** power) @ vectors.T).float()


def default_folder() -> Path:
    """Return the folder that statistics are kept in: the user's cache folder."""
    return find_cache("statistics")


def statistics(generator, layer: str, samples: int = 1000, psi: float = 1.0, folder=None, progress=None) -> Statistics:
    """Return the layer's statistics over pictures 0 to samples - 1. folder: where they are kept, and found again; None = not kept."""
    if folder is None:
        return collect(generator, layer, samples, psi, progress)
    path = Path(folder) / f"{content_hash(generator, layer, samples, psi)}.safetensors"
    found = _read(path, generator.weights(layer).shape[1])
    if found is None:
        found = collect(generator, layer, samples, psi, progress)
        _write(path, found)
    return found


@torch.no_grad()
def collect(generator, layer: str, samples: int, psi: float, progress=None) -> Statistics:
    """Compute the statistics: a batch of pictures at a time, the sum in float64."""
    total, count, done = torch.zeros((), dtype=torch.float64), 0, 0
    for chunk in rows(samples, generator.z_dim):
        for start in range(0, len(chunk), BATCH):
            keys = recall(generator, layer, map_z(generator, chunk[start:start + BATCH], psi)).keys
            flat = keys.transpose(0, 1).flatten(1)                                              # [I, N * cells]
            total, count, done = total + to_double(flat @ flat.T), count + flat.shape[1], done + len(keys)
            if progress is not None:
                progress({"stage": "statistics", "done": done, "of": samples})
    return Statistics((total / count).float().cpu(), count)


def content_hash(generator, layer: str, samples: int, psi: float) -> str:
    """Return a hash of all that decides the statistics: every weight and noise map, the layer, psi, how many pictures, this code."""
    digest = hashlib.sha256(f"{VERSION} {layer} {samples} {psi!r}".encode())
    for name, tensor in sorted(generator.state_dict().items()):
        digest.update(f"{name} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy())
    return digest.hexdigest()[:32]


def _read(path, inputs: int) -> Statistics | None:
    """Return the statistics in the file; None where there is none, or one that is damaged: it is made again then."""
    try:
        with safe_open(path, "pt") as file:
            second, count = file.get_tensor("second"), int(file.metadata()["count"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    whole = second.shape == (inputs, inputs) and second.dtype == torch.float32 and bool(second.isfinite().all())
    return Statistics(second, count) if whole else None


def _write(path, found):
    """Keep them; a folder that can't be written costs the next solve some seconds, nothing else."""
    with suppress(UserError):
        write_tensors(path, {"second": found.second}, {"count": str(found.count)}, make_folder=True)
