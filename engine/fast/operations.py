"""Which operations a device computes with between its convolutions: Triton's kernels, or torch's own. Knows no networks."""
import logging
import subprocess
from functools import lru_cache

import torch

from engine.fast import unfused

log = logging.getLogger(__name__)


@lru_cache(maxsize=8)
def operations_for(device):
    """Return the quicker of the modules fused and unfused that works on this device; where kernels can't be built, a warning says what is lacking.

    Triton compiles its launcher at the first launch, with the system's C compiler: a small one shows whether it can.
    """
    if torch.device(device).type != "cuda":
        return unfused
    try:
        from engine.fast import fused  # brings Triton, which takes its time, and torch's CPU builds come without it

        y = torch.zeros(1, 4, 2, 2, device=device).contiguous(memory_format=torch.channels_last)
        fused.bias_noise_act(y, None, torch.zeros(4, device=device))
    except ModuleNotFoundError:
        log.warning("Triton is not installed: playing with torch's own operations, which are slower. On Windows: pip install triton-windows")
        return unfused
    except (RuntimeError, OSError, ImportError, subprocess.SubprocessError, AttributeError) as error:
        lines = str(error).strip().splitlines()
        log.warning("Triton can't build its kernels (%s): playing with torch's own operations, which are slower. On Linux: "
                    "sudo apt install build-essential python3-dev", lines[-1][:200] if lines else type(error).__name__)
        return unfused
    return fused
