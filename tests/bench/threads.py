"""How many threads, and how long those that wait spin before they sleep: frame times alone and beside a busy neighbour.

    python run_live.py bench threads --size 256 --seconds 30

Each part is a process of its own and they take turns, frame by frame. `brief` is what run_live.py sets, with `asleep`
they sleep at once, `default` is what OpenMP does by itself (it spins for milliseconds), `one thread` needs no waiting. `cpu_ms`: processor time a frame, over
all threads. The neighbour keeps one core busy.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
ASLEEP = {"OMP_WAIT_POLICY": "passive"}
PARTS = {"brief": ASLEEP | {"GOMP_SPINCOUNT": "1000"}, "asleep": ASLEEP, "default": {}, "one thread": {"OMP_NUM_THREADS": "1"}}
NEIGHBOUR = "while True: pass"


def bench(options: dict) -> dict:
    """{"alone", "beside a neighbour": {part: figures}}; options: instrument, size, seconds, device, plot."""
    from tests.bench import _common

    asked = {"instrument": options.get("instrument"), "size": options.get("size") or 256}
    figures = {}
    for name in ("alone", "beside a neighbour"):
        parts = {part: Process(asked, changes) for part, changes in PARTS.items()}
        other = subprocess.Popen([sys.executable, "-c", NEIGHBOUR]) if name != "alone" else None
        try:
            taken = _common.in_turns(parts, (options.get("seconds") or 30.0) / 2)
        finally:
            for process in (*parts.values(), *([other] if other else [])):
                process.kill()
                process.wait()
        figures[name] = {part: _common.summary(taken[part]) | {"cpu_ms": round(statistics.median(parts[part].spent[2:]), 2)}
                         for part in PARTS}
        _common.show({f"{name}: {part}": row for part, row in figures[name].items()})
    if options.get("plot"):
        _common.bars(options["plot"], {name: {part: row["p50_ms"] for part, row in rows.items()} for name, rows in figures.items()}, "ms a frame, median")
    return figures | {"size": asked["size"], "machine": _common.machine()}


class Process:
    """An instrument in a process of its own: call it for the milliseconds of one frame. spent: processor milliseconds."""

    def __init__(self, asked, changes):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "KMP_"))}
        self.spent = []
        self.running = subprocess.Popen([sys.executable, "-m", "tests.bench.threads", json.dumps(asked)], cwd=ROOT, text=True,
                                        env=clean | changes, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self) -> float:
        self.running.stdin.write("\n")
        self.running.stdin.flush()
        taken, spent = map(float, self.running.stdout.readline().split())
        self.spent.append(spent)
        return taken

    def kill(self):
        self.running.kill()

    def wait(self):
        self.running.communicate()


def _serve(asked):
    """Draw a frame for every line on stdin; say how many milliseconds it took, of the clock and of the processor."""
    from tests.bench import _common

    instrument = _common.open_instrument(asked)
    walker = _common.Walker(instrument.scene())
    for _ in sys.stdin:
        moment, start, spent = walker(), time.perf_counter(), time.process_time()
        instrument.render(*moment)
        sys.stdout.write(f"{(time.perf_counter() - start) * 1000} {(time.process_time() - spent) * 1000}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
