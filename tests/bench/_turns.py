"""Compare two checkouts: `bench frames` and `bench osc` of each, taking turns, and the ratios of their figures.

    git worktree add /tmp/before 6e1352e
    python tests/bench/_turns.py /tmp/before . --rounds 3 -- --seconds 4

Prints JSON: for each figure that both have, the median of the rounds' ratios (second checkout over first), and the lowest and highest.
Ratios of one round are of minutes that lie side by side, so that what else the machine does falls on both.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys


def measure(checkout, name, more):
    """Return what `bench name` of a checkout prints."""
    done = subprocess.run([sys.executable, "run_live.py", "bench", name, *more], cwd=checkout, capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(checkout)})
    if done.returncode:
        raise SystemExit(f"{checkout}: bench {name} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


def flatten(figures, path=""):
    """Yield (path, number) of every number in nested figures."""
    for key, value in figures.items() if isinstance(figures, dict) else enumerate(figures) if isinstance(figures, list) else ():
        if isinstance(value, (dict, list)):
            yield from flatten(value, f"{path}{key} ")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{path}{key}", float(value)


def compare(first, second, names, rounds, more):
    """Return {bench: {figure: {"ratio", "low", "high", "first", "second"}}} of the figures that both have."""
    found = {}
    for number in range(rounds):
        for name in names:
            pair = (first, second) if number % 2 == 0 else (second, first)
            of = {checkout: dict(flatten(measure(checkout, name, more))) for checkout in pair}
            for figure in of[first].keys() & of[second].keys():
                if of[first][figure]:
                    found.setdefault(name, {}).setdefault(figure, []).append((of[first][figure], of[second][figure]))
    return {name: {figure: summarise(pairs) for figure, pairs in sorted(figures.items())} for name, figures in found.items()}


def summarise(pairs):
    ratios = [second / first for first, second in pairs]
    return {"ratio": round(statistics.median(ratios), 3), "low": round(min(ratios), 3), "high": round(max(ratios), 3),
            "first": round(statistics.median(first for first, _ in pairs), 4), "second": round(statistics.median(second for _, second in pairs), 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="after -- : what each bench is given, as -- --seconds 4 --size 256")
    parser.add_argument("first", type=pathlib.Path, help="a checkout, as before")
    parser.add_argument("second", type=pathlib.Path, help="a checkout, as now")
    parser.add_argument("--bench", nargs="+", default=["frames", "osc"], help="which benches")
    parser.add_argument("--rounds", type=int, default=3, help="how often each of them")
    own, _, more = " ".join(sys.argv[1:]).partition(" -- ")
    options = parser.parse_args(own.split())
    figures = compare(options.first.resolve(), options.second.resolve(), options.bench, options.rounds, more.split())
    print(json.dumps({"load": os.getloadavg(), **figures}, indent=1))


if __name__ == "__main__":
    main()
