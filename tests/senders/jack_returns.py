"""Play a controller over a JACK server of its own, end the server, start it again, and play on: what was heard is the last line.

Ended and not killed: a JACK server that is killed keeps its place in the machine's list of servers, which has eight. A program by itself,
as libjack keeps what it knows of a server for as long as a process lives.

    python tests/senders/jack_returns.py NAME_OF_A_SERVER
"""
import queue
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from live import controls

DEADLINE = 120.0
BOX = """import rtmidi, sys, time
out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="box")
out.open_virtual_port("out")
while True:
    out.send_message([0xB0, 20, int(sys.argv[1])])
    time.sleep(0.05)
"""


def server(name):
    """A JACK server with the dummy driver."""
    return subprocess.Popen(["jackd", "-r", "-n", name, "-d", "dummy", "-r", "48000", "-p", "256"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def heard(inbox, value):
    """Whether a controller that says this is heard in time."""
    box = subprocess.Popen([sys.executable, "-c", BOX, str(value)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + DEADLINE
    try:
        while time.monotonic() < end:
            if box.poll() is not None:                # the server was not up yet
                box = subprocess.Popen(box.args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                event = inbox.get(timeout=0.2)
            except queue.Empty:
                continue
            if event.control.startswith("cc 1/20") and round(event.value * 127) == value:
                return True
        return False
    finally:
        box.kill()
        box.wait()


def main(name):
    """Do as the head of this file says."""
    inbox, jackd = queue.SimpleQueue(), server(name)
    end = controls.start("midi", inbox.put, api="UNIX_JACK", look=0.2)
    try:
        found = ["heard 20"] if heard(inbox, 20) else ["no server"]
        jackd.terminate()
        jackd.wait()
        found.append("died")
        jackd = server(name)
        found += ["heard 90"] if heard(inbox, 90) else ["silence"]
        sys.stdout.write(", ".join(found) + "\n")
    finally:
        end()
        jackd.terminate()
        jackd.wait()


if __name__ == "__main__":
    main(sys.argv[1])
