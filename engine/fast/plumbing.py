"""Around a computation on a GPU: capturing a program, live values in one block, output buffers in a ring.

Two machines with one interface: Cuda, and Twin, which runs the same code in the same order on any device and captures
nothing, so that everything above this file is tested without a GPU. Knows torch.cuda, no networks and no scenes.
"""
import contextlib

import torch

RING = 3                            # blocks of live values: one read, one arriving, one being made
HELD = 6                            # output buffers: the one shown and three before it, one arriving, one for a picture that is drawn again
WARM_RUNS = 3                       # before a capture: libraries choose algorithms and allocate their workspaces


class Twin:
    """The plumbing without a GPU: a program is a function that is called."""

    def __init__(self, device="cpu"):
        self.device, self.captures, self.replays, self.rounded = torch.device(device), 0, 0, False

    def host(self, *shape, dtype):
        """Return a buffer on the CPU that copies to and from the device can use."""
        return torch.zeros(*shape, dtype=dtype)

    def capture(self, body, warm):
        """Return a function that does what body() does. warm() is the same without effect on any buffer others look at."""
        warm()
        self.captures += 1

        def replay():
            self.replays += 1
            body()

        return replay

    def round_single(self):
        """Let convolutions in single precision round what they multiply to 10 bits, as half precision does, where the device is faster so (TF32)."""
        self.rounded = True

    def run(self, job):
        """Run job(), in which all of a frame is given to the device."""
        job()

    def playing(self):
        """Return a context in which all that this thread gives to the device is part of frames, in their order."""
        return contextlib.nullcontext()

    def settle(self):
        """Take note that all that a show needs was drawn once: nothing is tried out or thrown away any more."""

    def finish(self):
        """Wait until what this thread gave to the device is done, so that another may use it."""

    def fetch(self, picture, host, spare=None):
        """Start copying the device's picture to a host() buffer; return a mark whose .synchronize() waits until it is there.

        spare: a buffer like picture. By way of it the copy runs beside the frames after this one.
        """
        if spare is not None:
            picture = spare.copy_(picture)
        host.copy_(picture)
        return Past()

    def mark_range(self, name):
        """Return a context manager that names a range for a profiler."""
        return torch.profiler.record_function(name)


class Past:
    """A point already reached."""

    def synchronize(self):
        pass


class Cuda:
    """One GPU: a stream for frames, one for pictures on their way out, two for captures, graphs that share a memory pool.

    Graphs never run at the same time and leave nothing behind in the pool (results go to buffers made before), so one
    pool serves all of them. A pool whose last graph goes can never be captured into again, so one graph, which is never
    replayed, stays. Captures use capture_begin, not torch.cuda.graph, which would synchronise the device and
    collect garbage while the show plays. Libraries keep a workspace for each stream, and a graph goes on using that of
    the stream it was captured on: so what warms up, beside frames that are replayed, does so on another one.
    """

    def __init__(self, device):
        self.device = torch.device(device)
        self.frames = torch.cuda.Stream(self.device, priority=-1)   # before whatever else the card is asked for
        self.copies, self.aside, self.taped = (torch.cuda.Stream(self.device) for _ in range(3))
        self.warm_runs = WARM_RUNS
        self.pool, self._keeper = torch.cuda.graph_pool_handle(), torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.stream(self.taped):
            self._tape(self._keeper, lambda: torch.zeros(1, device=self.device))
        torch.backends.cudnn.benchmark = not torch.backends.cudnn.deterministic     # shapes never change here
        torch.backends.cudnn.allow_tf32 = False                     # its 10 bits are not single precision; see round_single()

    def host(self, *shape, dtype):
        return torch.zeros(*shape, dtype=dtype, pin_memory=True)

    def capture(self, body, warm):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device):
            self.aside.wait_stream(self.frames)
            with torch.cuda.stream(self.aside):
                for _ in range(self.warm_runs):
                    warm()
            self.aside.synchronize()
            with torch.cuda.stream(self.taped):
                self._tape(graph, body)
        return graph.replay

    def _tape(self, graph, body):
        graph.capture_begin(pool=self.pool, capture_error_mode="thread_local")       # the loop's thread plays on meanwhile
        failures: tuple = (RuntimeError,)                            # of a capture that failed: what failed in it says more
        try:
            body()
            failures = ()
        finally:
            with contextlib.suppress(*failures):
                graph.capture_end()

    def round_single(self):
        torch.backends.cudnn.allow_tf32 = True                       # keeps single precision's range

    def run(self, job):
        with torch.cuda.device(self.device):
            beside = torch.cuda.current_stream()
            if beside == self.frames:                                # see playing()
                job()
                return
            self.frames.wait_stream(beside)                          # weights, ws and features are written there,
            with torch.cuda.stream(self.frames):
                try:
                    job()
                finally:
                    beside.wait_stream(self.frames)                  # and those of the next frame only once this one has read them

    @contextlib.contextmanager
    def playing(self):
        with torch.cuda.device(self.device), torch.cuda.stream(self.frames):
            yield

    def settle(self):
        """Stop trying out algorithms: cuDNN keeps what it found for each thread, and would stop a frame to try a new shape."""
        torch.cuda.synchronize(self.device)
        torch.cuda.empty_cache()                                     # a gigabyte of what was tried
        torch.backends.cudnn.benchmark = False
        self.warm_runs = 1

    def finish(self):
        torch.cuda.current_stream(self.device).synchronize()

    def fetch(self, picture, host, spare=None):
        stream = self.frames if spare is None else self.copies
        if spare is not None:
            picture = spare.copy_(picture)
            self.copies.wait_stream(self.frames)
        with torch.cuda.stream(stream):
            host.copy_(picture, non_blocking=True)
            event = torch.cuda.Event()
            event.record(stream)
        return event

    def mark_range(self, name):
        return torch.cuda.nvtx.range(name)


def make_machine(device):
    """Return the machine for a device: Cuda or Twin."""
    return Cuda(device) if torch.device(device).type == "cuda" else Twin(device)


class Live:
    """Numbers that change from frame to frame: one block on the device, sent there with one copy a frame.

    add() hands out 0-d views of the device's block; they stay valid, so a captured program reads them where they are.
    """

    def __init__(self, machine, room=4096):
        self.hosts = [machine.host(room, dtype=torch.float32) for _ in range(RING)]
        self.block = torch.zeros(room, device=machine.device)
        self.names: dict = {}                                       # name -> place in the block

    def add(self, name):
        """Return the 0-d tensor on the device that has this name's value."""
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
    """Pictures on their way to the CPU: a ring of host buffers, each with the mark of its copy. They are handed out as they are: outputs read them there.

    ahead: 0 waits for the picture just made (least latency), 1 hands out the one before, whose copy runs while this one
    is computed (most frames a second).
    """

    def __init__(self, machine, like, ahead=0):
        """like: the device's picture, uint8 [H, W, 3]."""
        self.machine, self.ahead = machine, ahead
        self.buffers = [machine.host(*like.shape, dtype=torch.uint8) for _ in range(HELD)]
        self.spares = [torch.empty_like(like) if ahead else None for _ in range(HELD)]
        self.marks = [Past()] * HELD
        self.first = 0                                              # the turn that pictures were begun at

    def restart(self, turn: int):
        """Begin at this turn: pictures of turns before it are not handed out any more."""
        self.first = turn

    def fetch(self, picture, turn: int):
        """Start copying the device's uint8 picture; return the buffer of this turn, or of `ahead` turns before, ready to read."""
        place = turn % HELD
        self.marks[place].synchronize()
        self.marks[place] = self.machine.fetch(picture, self.buffers[place], self.spares[place])
        ready = max(self.first, turn - self.ahead) % HELD
        self.marks[ready].synchronize()
        return self.buffers[ready]
