"""Solve the four edits of the built-in instrument again, for the weights there are now, and draw their sheets.

"independence" is the picture of what a patch of a layer knows by itself.

    python docs/pictures/rewriting.py [NAME ...]
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
HELD = "--layer b32.conv1 --rank 8 --gain 1.3 --fill"
EDITS = {
    "no-mouth": "--copy 1-12:head~lips --paste 1-12:lips+mouth+teeth",
    "no-nose": "--copy 1-12:head~nose --paste 1-12:nose",
    "no-eyes": "--copy 1-12:head~nose --paste 1-12:left_eye+right_eye+iris+pupil+lids --gain 1.6",
    "asleep": "--copy 1-12@mouth_open=0.95:teeth --paste 1-12@eye_open=0.9:left_eye+right_eye+iris+pupil --gain 1.6",
}
INDEPENDENCE = "--layer b32.conv1 --independence 3 5 103 --patch 2 8 -o docs/pictures/rewriting-independence.jpg"


def main(names):
    for name in names or [*EDITS, "independence"]:
        if name == "independence":
            subprocess.run([sys.executable, "run_live.py", "rewrite", *INDEPENDENCE.split()], cwd=ROOT, check=True)
            continue
        command = [sys.executable, "run_live.py", "rewrite", *f"{HELD} {EDITS[name]}".split(), "--seeds", "101", "102", "103", "104",
                   "--sheet", f"docs/pictures/rewriting-{name}.jpg", "-o", f"presets/masks/edits/{name}.safetensors"]
        subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
