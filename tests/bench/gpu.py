"""Facts about a GPU, in eight minutes at most: what is right, what fails, how fast. One command, one file to send.

    python run_live.py bench gpu
    python -m tests.bench.gpu                       # where there is torch and numpy and nothing else
    python -m tests.bench.gpu --read gpu.jsonl      # a table and a plot, gpu.png, of figures taken elsewhere

Every step (tests/bench/_gpu_steps.py) is tried by itself, and its figures are a line of gpu.jsonl at once. They run in a
process of its own: where the driver or a step takes that down, the next steps go on in a new one. Without a GPU, or with
--size 64 or less, the same steps run at sizes that show nothing but that they run.
"""
import json
import pathlib
import queue
import subprocess
import sys
import threading
import time
import traceback

from tests.bench import _bare

ROOT = pathlib.Path(__file__).parents[2]
LIMIT = 480.0                       # seconds for everything
GRACE = 60.0                        # seconds that a step may take beyond its own time before it is given up


_bare.stand_in()


def bench(options: dict) -> dict:
    """{step: figures}; options: size, device, seconds (for everything), output, plot. The lines go to OUTPUT.jsonl, or gpu.jsonl."""
    import torch

    from tests.bench import _gpu_page

    path = pathlib.Path(options.get("output") or "gpu.json").with_suffix(".jsonl")
    asked = {"device": options.get("device"), "tiny": (options.get("size") or 1024) <= 64}
    if asked["tiny"] or not torch.cuda.is_available():
        sys.stderr.write(f"{_gpu_page.SMALL}\n")
    rows = supervise(asked, path, options.get("seconds") or LIMIT)
    sys.stderr.write(_gpu_page.table(rows) + f"\nEvery figure is in {path}.\n")
    if options.get("plot"):
        _gpu_page.plot(rows, options["plot"])
    return {row["step"]: row for row in rows}


def supervise(asked: dict, path, limit=LIMIT, command=None) -> list[dict]:
    """Run all steps in processes of their own, as few as it takes; return their rows, which are lines of `path` as well."""
    from tests.bench import _gpu_steps

    left, rows, end = list(_gpu_steps.STEPS), [], time.monotonic() + limit
    with open(path, "w", encoding="utf-8") as file:
        while left:
            for row in _from_one_process(asked, list(left), end, command):
                left.remove(row["step"])
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
                sys.stderr.write(f"{row['step']}: {'ok' if row['ok'] else row['error']} ({row.get('seconds', 0):.0f} s)\n")
    return rows


def _from_one_process(asked, names, end, command):
    """Yield the rows that one process gives; for a step that ends it or takes too long, a row that says so, and that is all."""
    from tests.bench import _gpu_steps

    command = command or [sys.executable, "-m", "tests.bench.gpu", "--steps"]
    process = subprocess.Popen([*command, json.dumps(asked | {"names": names, "seconds": end - time.monotonic()})], cwd=ROOT, text=True, stdout=subprocess.PIPE)
    lines: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    try:
        for name in names:
            try:
                line = lines.get(timeout=_gpu_steps.STEPS[name].seconds + GRACE)
            except queue.Empty:
                yield {"step": name, "ok": False, "error": "took too long"}
                return
            if line is None:
                yield {"step": name, "ok": False, "error": f"its process ended with status {process.wait()}"}
                return
            yield json.loads(line)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _pass_on(stream, lines):
    try:
        for line in stream:
            lines.put(line)
    finally:
        lines.put(None)


def run_steps(asked: dict, say):
    """Run the steps named, each under its own try; say(row) at once. A step that the driver did not survive is the last one."""
    from tests.bench import _gpu_steps

    plan, end = _gpu_steps.Plan(asked["device"], asked["tiny"]), time.monotonic() + asked["seconds"]
    for name in asked["names"]:
        start, step = time.monotonic(), _gpu_steps.STEPS[name]
        if start >= end:
            say({"step": name, "ok": False, "error": "no time left"})
            continue
        try:
            row = {"step": name, "ok": True, **step.run(plan, min(step.seconds, end - start) if not plan.tiny else 0.0)}
        except Exception as error:
            where = [f"{line.filename.removeprefix(str(ROOT))}:{line.lineno}" for line in traceback.extract_tb(error.__traceback__)]
            row = {"step": name, "ok": False, "error": f"{type(error).__name__}: {error}"[:2000], "where": where[-6:]}
        say(row | {"seconds": round(time.monotonic() - start, 2)})
        if "CUDA error" in row.get("error", ""):                     # nothing works in this process any more
            return


def main(arguments):
    """--steps JSON: a process for supervise(). --read FILE: table and plot. Else everything; arguments: [FILE.jsonl]."""
    from tests.bench import _gpu_page

    if arguments[:1] == ["--steps"]:
        stdout, sys.stdout = sys.stdout, sys.stderr                  # what libraries print is no row
        run_steps(json.loads(arguments[1]), lambda row: (stdout.write(json.dumps(row) + "\n"), stdout.flush()))
    elif arguments[:1] == ["--read"]:
        rows = _gpu_page.read(arguments[1])
        sys.stdout.write(_gpu_page.table(rows))
        _gpu_page.plot(rows, pathlib.Path(arguments[1]).with_suffix(".png"))
    else:
        bench({"output": arguments[0] if arguments else None})


if __name__ == "__main__":
    main(sys.argv[1:])
