"""Which device to compute on, and with how many threads."""
import os
from pathlib import Path

import torch

from engine.errors import UserError

CGROUP = "/sys/fs/cgroup/cpu.max"
FROM_START = torch.get_num_threads()        # OMP_NUM_THREADS, or else the physical cores of this machine


def choose(name: str | None = None) -> torch.device:
    """The device asked for, or the best there is: cuda, mps, cpu. UserError if it is not there."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} can't be used here: {str(error).splitlines()[0]}; try --device cpu") from None
    return device


def use_threads(count: int | None = None):
    """Compute with so many CPU threads; default: one for each core that this process may use."""
    torch.set_num_threads(count or cores())


def cores(cgroup=CGROUP) -> int:
    """The cores this process may use: no more than OMP_NUM_THREADS, its affinity and its container's share allow."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([FROM_START, allowed, *_quota(cgroup)]))


def _quota(path) -> list[int]:
    """Cores' worth of processor time that the control group at `path` is given; [] if there is no limit."""
    try:
        quota, period = Path(path).read_text().split()
        return [] if quota == "max" else [int(quota) // int(period)]
    except (OSError, ValueError):
        return []
