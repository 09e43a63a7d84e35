"""How a layer's keys lie over many pictures: their second moment C = E[k k^T], and that of a key with those beside it.

Streamed over the published z numbering, kept in a folder under a hash of all that decides it. SPEC.md C.3.
"""
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.rewriting.memory import mapped, recall
from engine.rewriting.request import rows

VERSION = 1                         # of this computation: part of the hash
REACH = 2                           # cells: two keys of one 3x3 window are so far apart at most
LAGS = tuple((down, right) for down in range(REACH + 1) for right in range(-REACH, REACH + 1) if down or right >= 0)
BATCH = 8
FLOOR = 1e-6                        # of the largest eigenvalue: what lies below it counts as noise


@dataclass(frozen=True, eq=False)
class Statistics:
    """moments [13, I, I]: E[k(p) k(p + lag)^T] for each of LAGS, the first of them C. count: of keys. float32."""
    moments: torch.Tensor
    count: int

    @property
    def second(self) -> torch.Tensor:
        """C [I, I]."""
        return self.moments[0]

    def lagged(self, down: int, right: int) -> torch.Tensor:
        """E[k(p) k(p + (down, right))^T], [I, I], for any lag within reach."""
        if (down, right) in LAGS:
            return self.moments[LAGS.index((down, right))]
        return self.moments[LAGS.index((-down, -right))].T

    def whitening(self, power: float) -> torch.Tensor:
        """C ** power [I, I], symmetric: -0.5 is ZCA, -1 the inverse; eigenvalues from FLOOR of the largest up, float64 within."""
        values, vectors = torch.linalg.eigh(self.second.double())
        values = values.clamp(min=max(float(values.max()) * FLOOR, torch.finfo(torch.float64).tiny))
        return ((vectors * values ** power) @ vectors.T).float()


def default_folder() -> Path:
    """Where statistics are kept: the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "latent-jockey" / "statistics"


def statistics(generator, layer: str, samples: int = 1000, psi: float = 1.0, folder=None, progress=None) -> Statistics:
    """The layer's statistics over pictures 0 to samples - 1. folder: where they are kept, and found again; None = not kept."""
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
    """Compute them: a batch of pictures at a time, sums in float64."""
    sums, counts, done = 0.0, torch.zeros(len(LAGS), dtype=torch.float64), 0
    for chunk in rows(samples, generator.z_dim):
        for start in range(0, len(chunk), BATCH):
            keys = recall(generator, layer, mapped(generator, chunk[start:start + BATCH], psi)).keys
            here, count = _moments(keys)
            sums, counts, done = sums + here, counts + count, done + len(keys)
            if progress is not None:
                progress({"stage": "statistics", "done": done, "of": samples})
    return Statistics((sums / counts.view(-1, 1, 1).to(sums.device)).float().cpu(), int(counts[0]))


def _moments(keys):
    """keys [N, I, h, w'] -> (sums [13, I, I] float64, how many products in each [13])."""
    sums, counts = [], []
    height, width = keys.shape[2:]
    for down, right in LAGS:
        here = keys[:, :, :max(height - down, 0), max(0, -right):width - max(0, right)]
        there = keys[:, :, down:, max(0, right):width - max(0, -right)]
        flat = [part.transpose(0, 1).flatten(1) for part in (here, there)]                     # [I, N * cells]
        sums.append((flat[0] @ flat[1].T).double())
        counts.append(flat[0].shape[1])
    return torch.stack(sums), torch.tensor(counts, dtype=torch.float64).clamp(min=1)


def content_hash(generator, layer: str, samples: int, psi: float) -> str:
    """Of all that decides the statistics: every weight and noise map, the layer, psi, how many pictures, this code."""
    digest = hashlib.sha256(f"{VERSION} {layer} {samples} {psi!r} {LAGS}".encode())
    for name, tensor in sorted(generator.state_dict().items()):
        digest.update(f"{name} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy())
    return digest.hexdigest()[:32]


def _read(path, inputs: int) -> Statistics | None:
    """What is in the file; None where there is none, or one that is damaged: it is made again then."""
    try:
        with safe_open(path, "pt") as file:
            moments, count = file.get_tensor("moments"), int(file.metadata()["count"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    whole = moments.shape == (len(LAGS), inputs, inputs) and moments.dtype == torch.float32 and bool(moments.isfinite().all())
    return Statistics(moments, count) if whole else None


def _write(path, found):
    """Keep them; a folder that can't be written costs the next solve some seconds, nothing else."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"moments": found.moments.contiguous()}, temporary, {"count": str(found.count)})
        os.replace(temporary, path)
    except (OSError, SafetensorError):
        temporary.unlink(missing_ok=True)
