"""What a GPU wants around a computation: a captured program, live values in one block, output buffers in a ring.

Two machines with one interface: Cuda, and Twin, which runs the same code in the same order on any device and captures
nothing, so that everything above this file is tested without a GPU. Knows torch.cuda, no networks and no scenes.
"""
import threading

import torch

RING = 3                            # output buffers, and blocks of live values: one shown, one arriving, one being made
WARM_RUNS = 3                       # before a capture: libraries choose algorithms and allocate their workspaces


class Twin:
    """The plumbing without a GPU: a program is a function that is called."""

    def __init__(self, device="cpu"):
        self.device, self.captures, self.replays = torch.device(device), 0, 0

    def host(self, *shape, dtype):
        """A buffer on the CPU that copies to and from the device can use."""
        return torch.zeros(*shape, dtype=dtype)

    def capture(self, body, warm):
        """A function that does what body() does. warm() is the same without effect on any buffer others look at."""
        warm()
        self.captures += 1

        def replay():
            self.replays += 1
            body()

        return replay

    def run(self, job):
        """Everything of a frame is given to the device inside this."""
        job()

    def mark(self):
        """A point in the device's work; .synchronize() waits for it."""
        return Past()

    def named(self, name):
        """A range for a profiler, as a context manager."""
        return torch.profiler.record_function(name)


class Past:
    """A point already reached."""

    def synchronize(self):
        pass


class Cuda:
    """One GPU: a stream for frames, another one for captures, graphs that share a memory pool.

    Graphs never run at the same time and leave nothing behind in the pool (results go to buffers made before), so one
    pool serves all of them. Captures use capture_begin, not torch.cuda.graph, which would synchronise the device and
    collect garbage while the show plays.
    """

    def __init__(self, device):
        self.device = torch.device(device)
        self.frames, self.aside = torch.cuda.Stream(self.device), torch.cuda.Stream(self.device)
        self.pool = torch.cuda.graph_pool_handle()
        torch.backends.cudnn.benchmark = True                       # shapes never change here

    def host(self, *shape, dtype):
        return torch.zeros(*shape, dtype=dtype, pin_memory=True)

    def capture(self, body, warm):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.stream(self.aside):
            self.aside.wait_stream(self.frames)
            for _ in range(WARM_RUNS):
                warm()
            self.aside.synchronize()
            graph.capture_begin(pool=self.pool, capture_error_mode="thread_local")   # the loop's thread plays on meanwhile
            try:
                body()
            finally:
                graph.capture_end()
        return graph.replay

    def run(self, job):
        with torch.cuda.device(self.device):
            self.frames.wait_stream(torch.cuda.current_stream())     # weights and ws are written there
            with torch.cuda.stream(self.frames):
                job()

    def mark(self):
        event = torch.cuda.Event()
        event.record(self.frames)
        return event

    def named(self, name):
        return torch.cuda.nvtx.range(name)


def machine_for(device):
    """The plumbing for a device."""
    return Cuda(device) if torch.device(device).type == "cuda" else Twin(device)


class Live:
    """Numbers that change from frame to frame: one block on the device, sent there with one copy a frame.

    add() hands out 0-d views of the device's block; they stay valid, so a captured program reads them where they are.
    """

    def __init__(self, machine, room=1024):
        self.hosts = [machine.host(room, dtype=torch.float32) for _ in range(RING)]
        self.block = torch.zeros(room, device=machine.device)
        self.names: dict = {}                                       # name -> place in the block

    def add(self, name):
        """The 0-d tensor on the device that has this name's value."""
        place = self.names.setdefault(name, len(self.names))
        if place >= len(self.block):
            raise RuntimeError(f"more than {len(self.block)} live values")
        return self.block[place]

    def send(self, values: dict, turn: int):
        """Copy the values to the device, {name: number}; names not given keep what they had in this host block."""
        host = self.hosts[turn % RING]
        if turn % RING != (turn - 1) % RING:
            host.copy_(self.hosts[(turn - 1) % RING])
        numbers = host.numpy()
        for name, value in values.items():
            numbers[self.names[name]] = value
        self.block.copy_(host, non_blocking=True)


class Outputs:
    """Pictures on their way to the CPU: a ring of host buffers, each with the mark of its copy.

    ahead: 0 waits for the picture just made (least latency), 1 hands out the one before, whose copy ran while this one
    was computed (most frames a second).
    """

    def __init__(self, machine, shape, ahead=0):
        self.machine, self.ahead = machine, ahead
        self.buffers = [machine.host(*shape, dtype=torch.uint8) for _ in range(RING)]
        self.marks = [Past()] * RING

    def fetch(self, picture, turn: int):
        """Start copying the device's uint8 picture; the buffer of this turn, or of `ahead` turns before, ready to read."""
        place = turn % RING
        self.marks[place].synchronize()
        self.buffers[place].copy_(picture, non_blocking=True)
        self.marks[place] = self.machine.mark()
        ready = (turn - min(self.ahead, turn)) % RING
        self.marks[ready].synchronize()
        return self.buffers[ready]


class Programs:
    """Captured programs by topology. A new one runs uncaptured until its capture, made aside, is ready.

    start(job): how to run something aside; a thread unless a test has another idea.
    """

    def __init__(self, machine, most=16, start=None):
        self.machine, self.most = machine, most
        self.start = start or (lambda job: threading.Thread(target=job, name="capture", daemon=True).start())
        self.ready, self.pending, self.epoch = {}, set(), 0
        self.uncaptured = 0                                         # frames drawn while a capture was under way

    def run(self, topology, body, warm):
        """Do what body() does: by its captured program if there is one. warm: see capture()."""
        replay = self.ready.get(topology)
        if replay is not None:
            replay()
            return
        if topology not in self.pending:
            self.pending.add(topology)
            epoch = self.epoch
            self.start(lambda: self._capture(topology, body, warm, epoch))
        self.uncaptured += 1
        body()

    def _capture(self, topology, body, warm, epoch):
        captured = self.machine.capture(body, warm)
        if epoch != self.epoch:                                     # tensors moved while it was made
            return
        while len(self.ready) >= self.most:
            self.ready.pop(next(iter(self.ready)))
        self.ready[topology] = captured
        self.pending.discard(topology)

    def forget(self):
        """What was captured no longer holds: tensors have moved."""
        self.ready, self.pending, self.epoch = {}, set(), self.epoch + 1
