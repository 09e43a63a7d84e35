"""Which device to compute on, and with how many threads."""
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.errors import UserError

CGROUP = "/sys/fs/cgroup/cpu.max"
WITHOUT_DOUBLES = {"mps"}           # kinds of devices that know no float64
FROM_START = torch.get_num_threads()        # OMP_NUM_THREADS, or else the physical cores of this machine


def choose(name: str | None = None) -> torch.device:
    """Return the device asked for, or cuda where it is there, else the CPU. UserError if it is not there.

    Apple's (mps) has to be asked for: nobody has measured yet whether its pictures are right (`bench device`).
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device {name!r} can't be used here: {str(error).splitlines()[0]}; try --device cpu") from None
    return device


def upload(tensor: torch.Tensor, device) -> torch.Tensor:
    """Return a CPU tensor on a device, without waiting for it: CUDA copies beside the program only from pinned memory."""
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def to_double(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor in float64, on its device; on the CPU where its device has no such numbers (Apple's)."""
    return (tensor.cpu() if tensor.device.type in WITHOUT_DOUBLES else tensor).double()


def widest_floats(device) -> torch.dtype:
    """Return the most exact numbers that a device computes with: float64, or float32 where there are none."""
    return torch.float32 if torch.device(device).type in WITHOUT_DOUBLES else torch.float64


def repeat_exactly():
    """Have cuDNN choose only what gives the same numbers each time, and choose alike in every process, though it may be slower: for renders."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


def use_threads(count: int | None = None):
    """Compute with so many CPU threads; default: one for each core that this process may use."""
    torch.set_num_threads(count or cores())


def cores(cgroup=CGROUP) -> int:
    """Return the number of cores this process may use: what OMP_NUM_THREADS, its affinity and its container's share allow."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([FROM_START, allowed, *_quota(cgroup)]))


def _quota(path) -> list[int]:
    """Return the processor time, in cores, that the control group at `path` is given; [] if there is no limit."""
    try:
        quota, period = Path(path).read_text().split()
        return [] if quota == "max" else [int(quota) // int(period)]
    except (OSError, ValueError):
        return []


@dataclass(frozen=True)
class TorchBuild:
    """What torch says of itself. version: such as 2.13.0+cpu. kind: cuda, rocm, mps or cpu. made_for: the version of CUDA or ROCm.

    usable: names of the devices it can compute on. problem: why not, in torch's own words.
    """
    version: str
    kind: str
    made_for: str = ""
    usable: tuple[str, ...] = ()
    problem: str = ""


def torch_build() -> TorchBuild:
    """Return what this torch was built for, and which devices it can use here."""
    made_for = torch.version.cuda or torch.version.hip or ""
    if made_for:
        kind = "cuda" if torch.version.cuda else "rocm"
        with warnings.catch_warnings(record=True) as told:              # an old driver is told of as a warning
            warnings.simplefilter("always")
            there = torch.cuda.is_available()
        names = tuple(torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())) if there else ()
        return TorchBuild(torch.__version__, kind, made_for, names, "" if there else " ".join(str(told[0].message).split()) if told else "no device found")
    if torch.backends.mps.is_available():
        return TorchBuild(torch.__version__, "mps", usable=("Apple GPU (mps)",))
    return TorchBuild(torch.__version__, "cpu")
