"""Which device to compute on, and with how many threads."""
import os

import torch

from engine.errors import UserError


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
    """Compute with so many CPU threads; default: all cores this process may run on."""
    torch.set_num_threads(count or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count or os.cpu_count())
