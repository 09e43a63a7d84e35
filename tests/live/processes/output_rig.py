"""An output's real process, as the supervisor starts it, and its shared memory, with the test in the renderer's place."""
import time

import numpy as np

from live.outputs.spec import OutputSpec
from live.processes.frames import Frames
from live.processes.output import run_output
from live.processes.ring import Writer
from live.show.child import Child

DEADLINE = 240.0


class OutputRig:
    """frames(pixels) at its own pace: put(); what the process says: states; its end: code."""

    def __init__(self, spec: OutputSpec, size: tuple[int, int]):
        self.spec, self.states, self.frames = spec, [], Frames(1)
        self.child = Child(spec.name, run_output)
        self.frames.resize(size[1], size[0])
        self.writer = Writer(self.frames.name, {0: self.frames.pipes[0][1]})
        self.start()

    def start(self):
        """Start the process, or start it again, as after a crash."""
        self.frames.drain(0)
        self.child.start(self.spec, 0, self.frames.pipes[0][0])
        self.child.send(("framing", self.spec.framing))
        self.child.send(("frames", self.frames.name))

    def put(self, pixels):
        """Hand the process a picture."""
        self.writer.put(np.ascontiguousarray(pixels), time.monotonic())

    def send(self, *message):
        self.child.send(message)

    def play(self, picture, until, fps=30.0):
        """Put picture(n) at a rate until until() is true; returns how many."""
        start, number = time.monotonic(), 0
        while not until():
            assert time.monotonic() < start + DEADLINE, "never came true"
            self.put(picture(number))
            number += 1
            self.states += [rest[0] for kind, *rest in self.child.receive() if kind == "state"]
            time.sleep(max(0.0, start + number / fps - time.monotonic()))
        return number

    def ended(self):
        """The exit code, once the process has ended by itself."""
        self.child.process.join(DEADLINE)
        return self.child.poll()

    def close(self):
        self.child.send(("stop",))
        if self.child.process is not None:
            self.child.process.join(60)
            self.child.kill()
            self.child.process.join()
        self.child.close()
        self.writer.close()
        self.frames.close()
