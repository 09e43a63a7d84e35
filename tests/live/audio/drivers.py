"""What stands in for the process of the sound drivers (live.audio.port_audio.serve): it plays its part well, or dies, or hangs."""
import os
import signal
import threading

import numpy as np

from live.audio.port_audio import pack_block
from live.show.child import prepare_child
from live.show.clock import now

BLOCK = np.zeros((512, 2), np.float32)


def play(link):
    """Send blocks for as long as someone asks."""
    prepare_child()
    while True:
        kind, *_ = link.recv()
        if kind == "list":
            link.send(("inputs", [(1, "Desk")], None))
        if kind == "hear":
            link.send(("open", "Desk", 48000.0))
            while not link.poll(0.002):
                link.send_bytes(pack_block(BLOCK, now()))
            link.send(("closed",))
        if kind == "speak":
            link.send(("open", 0.01))
        if kind == "play":
            link.send(("played",))


def abort_when_asked(link):
    """Die as a driver's assertion has it, when something is to be opened."""
    prepare_child()
    link.recv()
    signal.signal(signal.SIGABRT, signal.SIG_DFL)        # without the stacks a test run writes
    os.abort()


def abort_when_closed(link):
    """Open, and die when it is to be closed, as PortAudio does whose JACK server has gone."""
    prepare_child()
    link.recv()
    link.send(("open", "Desk", 48000.0))
    link.send_bytes(pack_block(BLOCK, now()))
    link.recv()
    os.abort()


def hang(link):
    """Answer nothing."""
    prepare_child()
    threading.Event().wait()


def hang_later(link):
    """Open, and then say nothing."""
    prepare_child()
    link.recv()
    link.send(("open", "Desk", 48000.0))
    threading.Event().wait()
