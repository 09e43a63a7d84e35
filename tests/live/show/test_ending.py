"""A show that is told to end, before there is one and while it plays."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from live.show.ending import Ending

ROOT = Path(__file__).parents[3]
WAITS = """
import sys
from live.show.clock import sleep
from live.show.ending import Ending, handle_signals

ending = Ending()
handle_signals(ending)
print("ready", flush=True)
while not ending.told:
    sleep(0.01)
ending.attach(lambda: print("stopped", flush=True))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_show_told_to_end_while_it_is_opened_ends_once_it_could_play(number):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("these tests were begun by nohup or the like, which a show respects")
    process = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=180)
    assert out == "stopped\n" and process.returncode == 0


def test_what_was_not_told_does_not_stop():
    stopped = []
    ending = Ending()
    ending.attach(lambda: stopped.append(1))
    assert not stopped
    ending()
    assert stopped == [1]
