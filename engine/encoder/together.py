"""Several processes that train one encoder, as `torchrun` starts them; one process by itself is the usual case."""
import os
import sys
from contextlib import contextmanager

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel


@contextmanager
def join():
    """Yield (this process's number, how many there are), which talk over gloo until the end of the block."""
    count = int(os.environ.get("WORLD_SIZE", 1))
    if count == 1:
        yield 0, 1
        return
    distributed.init_process_group("gloo")
    try:
        yield distributed.get_rank(), count
        distributed.barrier()                   # none hangs up while another still listens
    finally:
        distributed.destroy_process_group()


def leave():
    """End this process here if it is one of several; by itself it goes on. For the very end: nothing after it is run.

    DistributedDataParallel keeps gloo's threads alive (seen with torch 2.13), and now and then they abort an interpreter
    that shuts down, which torchrun takes for a failed run.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def is_first() -> bool:
    """Return whether this is the process that writes and tells; by itself it is."""
    return int(os.environ.get("RANK", 0)) == 0


def agree(figure: float, count: int) -> float:
    """Return the first process's figure, in all of them. What decides when to stop may not differ by a bit, or one would wait for ever."""
    if count == 1:
        return figure
    told = torch.tensor(figure, dtype=torch.float64)
    distributed.broadcast(told, 0)
    return told.item()


def share(network, count):
    """Return the network with gradients that are the mean over all processes."""
    return DistributedDataParallel(network) if count > 1 else network
