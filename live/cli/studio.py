"""Work beside a show for its page: pictures of seeds and clusters, edits solved. The page starts it by itself.

    python run_live.py studio --instrument presets/masks

Jobs come as lines of JSON on standard input, such as {"id": 1, "kind": "seed", "seed": 5}; what comes of them is written as
lines of JSON to standard output.
"""
import json
import sys

from live.instrument import folder as instruments
from live.instrument import studio


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose")


def run(options):
    def write(line):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    studio.work(options.instrument, sys.stdin, write)
    return 0
