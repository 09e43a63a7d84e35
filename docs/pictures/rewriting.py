"""Solve the four edits of the built-in instrument again, for the weights there are now, and draw their sheets.

    python docs/pictures/rewriting.py [NAME ...]
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
HELD = "--layer b32.conv1 --rank 8 --restraint 10 --gain 2 --fill"
EDITS = {
EDITLIST}


def main(names):
    for name in names or EDITS:
        command = [sys.executable, "run_live.py", "rewrite", *f"{HELD} {EDITS[name]}".split(), "--seeds", "101", "102", "103", "104",
                   "--sheet", f"docs/pictures/rewriting-{name}.jpg", "-o", f"presets/masks/edits/{name}.safetensors"]
        subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
