"""Play eight cluster faders over OSC: add a bend each, move all of them for a while, take them out again.

    python run_live.py --osc-port 9000 --take show.take     and, beside it:
    python tests/senders/eight_faders.py --port 9000 --seconds 30

The clusters are the built-in instrument's. Stands alone, like touchdesigner.py beside it.
"""
import argparse
import math
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))      # for the one beside it, from wherever this is started

from touchdesigner import bundle, message

# name, layer, cluster, transform, its fader, lowest and highest value the hand goes to, seconds from end to end and back
FADERS = (
    ("eyes", "b32.conv1", "eyes", "scale", "factor", 0.6, 1.8, 4.0),
    ("head", "b64.conv1", "head", "swirl", "angle", -60.0, 60.0, 7.0),
    ("halo", "b32.conv0", "halo", "rotate", "angle", -60.0, 60.0, 10.0),
    ("crown", "b16.conv1", "crown", "scalar_multiply", "factor", -1.0, 3.0, 5.0),
    ("mouth", "b32.conv0", "mouth", "dilate", "radius", 0.0, 3.0, 3.0),
    ("backdrop", "b32.conv1", "background", "wave", "amount", 0.0, 0.2, 8.0),
    ("collar", "b64.conv0", "collar", "scalar_multiply", "factor", 0.0, 3.0, 6.0),
    ("rays", "b32.conv0", "rays", "translate", "down", -0.2, 0.2, 9.0),
)
TURN = 3.0                          # seconds after which the next fader comes in


def values(now):
    """[(address, value)] of all faders at a moment: each comes in when it is its turn, then sways."""
    found = []
    for n, (name, _, _, _, setting, low, high, period) in enumerate(FADERS):
        since = now - n * TURN
        sway = 0.5 - 0.5 * math.cos(2 * math.pi * since / period)
        found += [(f"/bends/{name}/mix", min(max(since / 1.5, 0.0), 1.0)), (f"/bends/{name}/{setting}", low + (high - low) * sway)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=60.0, help="bundles a second")
    options = parser.parse_args()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        there = (options.host, options.port)
        for name, layer, cluster, transform, *_ in FADERS:
            out.sendto(message("/bends/add", name, layer, f"cluster:{cluster}", transform, "0", tag="s"), there)
        time.sleep(0.5)                                         # their faders are there from the next frame on
        begun = time.perf_counter()
        while (now := time.perf_counter() - begun) < options.seconds - 2:
            out.sendto(bundle([message(address, value) for address, value in values(now)]), there)
            time.sleep(1 / options.rate)
        out.sendto(message("/bends/neutral", 1.5), there)
        time.sleep(2)
        out.sendto(message("/bends/clear"), there)


if __name__ == "__main__":
    main()
