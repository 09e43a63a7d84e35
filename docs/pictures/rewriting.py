"""Solve the edits of the built-in instruments again, for the weights there are now, and draw their sheets.

What each one asks for is in words beside it, presets/*/edits/NAME.yaml. "independence" is the picture of what a patch of a layer knows by itself.

    python docs/pictures/rewriting.py [NAME ...]
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
INDEPENDENCE = "--layer b32.conv1 --independence 3 5 103 --patch 2 8 -o docs/pictures/rewriting-independence.jpg"


def main(names):
    asked = {path.stem: path.relative_to(ROOT) for path in sorted(ROOT.glob("presets/*/edits/*.yaml"))}
    for name in names or [*asked, "independence"]:
        words = INDEPENDENCE.split()
        if name != "independence":
            path = asked[name]
            words = ["--request", str(path), "--instrument", str(path.parents[1]), "--seeds", "2001", "2002", "2003", "2004",
                     "--sheet", f"docs/pictures/rewriting-{name}.jpg", "-o", str(path.with_suffix(".safetensors"))]
        subprocess.run([sys.executable, "run_live.py", "rewrite", *words], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
