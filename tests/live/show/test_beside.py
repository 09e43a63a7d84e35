"""Programs beside a show give way to it, and end with it however it ends."""
import os
import signal
import subprocess
import sys

import pytest

from engine.checkpoints import native
from live.instrument.folder import ROOT
from live.show.beside import end_beside
from tests.conftest import tiny
from tests.live.outputs.test_window import eventually
from tests.live.processes.test_supervisor import alive

SHOW = """
import sys, threading
from live.show.beside import start_beside
print(start_beside(*sys.argv[1:]).pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.skipif(os.name != "posix", reason="only there a program can see that it was left alone")
def test_a_killed_show_takes_what_it_had_begun_along(tmp_path):
    network = native.save(tmp_path / "tiny.safetensors", tiny())
    endless = ["project", str(ROOT / "docs/pictures/cells.jpg"), "--instrument", str(network), "--beside", "--steps", "100000",
               "-o", str(tmp_path / "never.safetensors")]
    show = subprocess.Popen([sys.executable, "-c", SHOW, *endless], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    beside = int(show.stdout.readline())
    try:
        lower = min(os.getpriority(os.PRIO_PROCESS, 0) + 15, 19)
        eventually(lambda: os.getpriority(os.PRIO_PROCESS, beside), lower)          # it has begun, and gives way
        assert alive(beside)
        show.kill()
        show.wait()
        eventually(lambda: alive(beside), False)
    finally:
        show.kill()
        if alive(beside):
            os.kill(beside, signal.SIGKILL)


@pytest.mark.parametrize("ended", [False, True])
def test_a_program_that_takes_long_to_end_holds_up_nothing(ended):
    class Busy:
        killed = False

        def poll(self):
            return 0 if ended else None

        def kill(self):
            self.killed = True

        def wait(self, seconds):
            raise subprocess.TimeoutExpired("studio", seconds)

    busy = Busy()
    end_beside(busy)
    end_beside(None)
    assert busy.killed != ended
