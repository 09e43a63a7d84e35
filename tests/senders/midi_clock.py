"""A sequencer's MIDI clock on a JACK port: start, then 24 ticks a beat by this machine's clock. Prints when it began.

    python tests/senders/midi_clock.py --bpm 128 --seconds 30

Two lines come out: "ready" once somebody listens to the port, and with the start {"start": time.perf_counter()}.
"""
import argparse
import json
import sys
import time

import rtmidi


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bpm", type=float, default=128.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--wait", type=float, default=1.0, help="seconds to give listeners before the start")
    options = parser.parse_args()
    out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="clock")
    out.open_virtual_port("out")
    print("ready", flush=True)
    time.sleep(options.wait)
    step = 60 / options.bpm / 24
    start = time.perf_counter() + 0.1
    out.send_message([0xFA])
    print(json.dumps({"start": start}), flush=True)
    for n in range(int(options.seconds / step)):
        wait = start + n * step - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        out.send_message([0xF8])
    out.send_message([0xFC])
    out.close_port()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
