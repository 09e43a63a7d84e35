"""What the tests of the supervisor run in its processes: a renderer and an output that note what they see. No pytest here."""
import json
import os
import sys
from pathlib import Path

import numpy as np

from live.outputs.framing import Framing
from live.outputs.spec import OutputSpec
from live.processes import ring, standby
from live.processes import supervisor as supervision
from live.processes.output import run_output
from live.processes.supervisor import Supervisor
from live.show import journal
from live.show.child import prepare_child
from live.show.clock import now

SIZE = 32


def write(folder, name, data):
    """A note for the test, whole or not at all."""
    path = Path(folder) / name
    path.with_suffix(".part").write_text(json.dumps(data))
    path.with_suffix(".part").replace(path)


def fake_renderer(options, sending, link):
    """A renderer that draws its attempt's number, until it is told to stop; how it behaves is in its options."""
    prepare_child()
    folder = options["folder"]
    write(folder, f"renderer-{options['attempt']}", {"pid": os.getpid(), "attempt": options["attempt"], "safe": options["safe"], "recorded": options["recorded"]})
    if options.get("exit") is not None:
        sys.exit(options["exit"])
    link.send(("size", SIZE, SIZE))
    writer, frame = None, 0
    while True:
        link.poll(0.01)
        for _ in range(10):                              # not until none is left: on a busy machine they come faster than notes are written
            if not link.poll(0):
                break
            kind, *rest = link.recv()
            if kind == "stop":
                sys.exit(0)
            if kind == "frames" and rest[0] and writer is None:
                writer = ring.Writer(rest[0], sending)
            if kind in ("event", "down", "state"):
                write(folder, f"{kind}-{rest[0]}", rest[1:])
        if writer is not None:
            frame += 1
            writer.put(np.full((SIZE, SIZE, 3), options.get("level", 0) + options["attempt"] + 1, np.uint8), float(frame))
            if options.get("order") and (Path(folder) / "order").exists():
                (Path(folder) / "order").unlink()
                link.send(("order", "a", options["order"]))
            if options.get("records") and frame == 5:
                link.send(("recorded", options["records"]))
            if options.get("framing") and frame == 5:
                link.send(("framing", "a", Framing(fill=options["framing"])))


def fake_output(spec, reader, pipe, link):
    """An output that notes what it sees: its process, its last picture, how many it has seen, its last order."""
    prepare_child()
    frames, seen, last, reported = None, 0, None, 0.0
    note = {"pid": os.getpid(), "value": None, "seen": 0, "framing": None}
    while True:
        while link.poll(0.002):
            kind, *rest = link.recv()
            if kind == "stop":
                sys.exit(0)
            if kind == "frames" and rest[0]:
                frames = ring.Reader(rest[0], reader, pipe)
            if kind == "framing":
                note["framing"] = rest[0].fill
            if kind == "anew":
                note["anew"] = rest[1]
        if now() - reported > 0.2:
            reported = now()
            link.send(("state", {"sent": seen, "dropped": 0, "broken": None}))
        if frames and (taken := frames.take(0.002)):
            seen, last = seen + 1, int(taken.pixels[0, 0, 0])
        if note["seen"] != seen and (seen < 3 or seen % 5 == 0):
            write(spec.target, spec.name, note | {"value": last, "seen": seen})


def supervise(folder, names, settings):
    """The supervisor's process. settings: constants of the supervisor in capitals, and what the renderer shall do."""
    prepare = {"folder": str(folder), **settings}
    windows = settings.get("windows", {})                # {name: options}: real ones, with a second process each
    specs = [OutputSpec(name, "window", str(folder), **windows.get(name, {})) for name in names]
    for name in (name for name in settings if name.isupper()):
        setattr(standby if hasattr(standby, name) else supervision, name, settings[name])
    if windows:
        journal.start_log()
    sys.exit(Supervisor(fake_renderer, Options(prepare), run_output if windows else fake_output, specs, frozenset(windows), tuple(settings.get("modules", ()))).run())


class Options:
    """The options of each attempt."""

    def __init__(self, settings):
        self.settings = settings

    def __call__(self, attempt, safe, recorded):
        exits = self.settings.get("exits", [])
        return self.settings | {"attempt": attempt, "safe": safe, "recorded": recorded, "exit": exits[attempt] if attempt < len(exits) else None}


if __name__ == "__main__":
    supervise(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]))
