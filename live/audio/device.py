"""Inputs and outputs of the machine, as the show has them: their drivers run in a process of their own (port_audio.py).

Whatever a driver does there, hang, abort, or take its process with it, is an input that has gone.
"""
import contextlib

from live.audio.inputs import Lost
from live.audio.port_audio import BLOCK, SILENT, serve, unpack_block
from live.show.child import Child, describe_end
from live.show.clock import now

PATIENCE = 20.0                     # seconds that opening and listing may take: drivers that hang are not waited for
CLOSING = 1.0                       # the same of letting go of a device
LOOK = 0.1                          # seconds between looks at whether something else is wanted
AHEAD = 2                           # blocks on their way to the speakers


class Driver:
    """The process of the drivers, for one thread of the show: begun when it is first needed, and again after it has ended."""

    def __init__(self, serve=serve):
        self._child = Child("sound driver", serve, daemon=True)

    def ask(self, *message) -> tuple:
        """Ask for something, and return the answer. Lost: it is that it can't be, or there is none."""
        if not self._child.running:
            self._child.start()
        self._child.send(message)
        return self.wait(PATIENCE)

    def send(self, *message):
        """Say something that has no answer."""
        self._child.send(message)

    def wait(self, seconds: float) -> tuple:
        """Return the next message. Lost: the driver says so, has ended, or says nothing for so long; then it is ended."""
        answer = self.poll(seconds)
        if answer is None:
            self._child.kill()
            self._forget()
            raise Lost(f"the sound driver hangs: it has not answered for {seconds:g} seconds")
        return answer

    def poll(self, seconds: float):
        """Return the next message, None where there is none for so long; a block is bytes. Lost: the driver says so, or has ended."""
        try:
            answer = self._child.wait(seconds)
        except OSError:
            raise Lost(f"the sound driver has ended with {describe_end(self._forget())}") from None
        if answer is not None and answer[0] == "lost":
            raise Lost(answer[1])
        return answer

    def let_go(self):
        """Close the device. A driver that can't close it is ended."""
        self._child.send(("close",))
        end, closed = now() + CLOSING, False
        while self._child.running and not closed and now() < end:
            with contextlib.suppress(Lost):
                closed = self.poll(max(0.0, end - now())) == ("closed",)
        if not closed:
            self.close()

    def close(self):
        """End the process."""
        self._child.kill()
        self._forget()

    def _forget(self):
        """Take leave of a process that has ended, or will at once; returns its exit code."""
        code = self._child.end(CLOSING)
        self._child.close()
        return code


class DeviceInput:
    """An open input. Lost: it can't be opened. driver: a Driver, which is not closed with it."""

    def __init__(self, text: str, driver: Driver, now=now):
        self._driver, self.now, self.name = driver, now, text
        _, self.name, self.rate = driver.ask("hear", text)

    def read_blocks(self, stop):
        """Yield (samples [N, channels], when the last of them was heard) until stop() says so. Lost: nothing comes any more."""
        last = self.now()
        while not stop():
            message = self._poll()
            if message is not None:
                last = self.now()
                yield unpack_block(message)
            elif self.now() - last > 2 * SILENT:         # it would have said itself that no block comes
                self._driver.close()
                raise Lost(f"sound input {self.name} has gone: its driver hangs")

    def _poll(self):
        try:
            return self._driver.poll(LOOK)
        except Lost as error:
            self._driver.close()                         # not let_go(): asked to close a stream whose device is lost, JACK's library aborts
            raise Lost(str(error) if self.name in str(error) else f"sound input {self.name} has gone: {error}") from None

    def close(self):
        """Let go of the device."""
        self._driver.let_go()


class Speaker:
    """Where a file is played: write() waits for the device. Lost: there is no output. latency: seconds from write() to what is heard."""

    def __init__(self, rate: float, channels: int = 2):
        self._driver, self._waiting = Driver(), 0
        try:
            self.latency = self._driver.ask("speak", rate, channels)[1] + AHEAD * BLOCK / rate
        except Lost:
            self._driver.close()
            raise

    def write(self, samples):
        """Play samples [N, channels]."""
        self._driver.send("play", samples)
        self._waiting += 1
        while self._waiting > AHEAD:
            self._driver.wait(SILENT)
            self._waiting -= 1

    def close(self):
        """Let go of the device."""
        self._driver.let_go()
        self._driver.close()


def list_inputs(serve=serve) -> tuple[list, str | None]:
    """Return ([(number, name)] of inputs, why there are none)."""
    driver = Driver(serve)
    try:
        _, found, problem = driver.ask("list")
        return found, problem
    except Lost as error:
        return [], f"sound inputs can't be listed: {error}"
    finally:
        driver.close()
