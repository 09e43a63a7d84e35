"""Work beside a show for its page: pictures of seeds and clusters, edits solved, trainings. The page starts it by itself.

    python run_live.py studio --instrument presets/masks
    python run_live.py studio --train presets/masks/runs/encoder

Jobs come as lines of JSON on standard input, such as {"id": 1, "kind": "seed", "seed": 5}; what comes of them is written as
lines of JSON to standard output. With --train it goes on with the training whose run.json lies in the folder, until it is done
or a file called stop lies there.
"""
import _thread
import contextlib
import importlib
import os
import signal
import sys
import threading

from engine.errors import UserError
from live.cli import write_json_line
from live.instrument import folder as instruments
from live.instrument import studio
from live.show.threads import make_thread
from live.surface.run_folder import RunFolder

LOOK = 0.5                          # seconds between looks for the wish to stop
AGAIN = 5.0                         # seconds until an interrupt is repeated
TRAININGS = ("train-encoder", "train-world")


def arguments(parser):
    parser.add_argument("--instrument", metavar="DIR|CHECKPOINT", default=str(instruments.BUILT_IN), help="whose")
    parser.add_argument("--train", metavar="FOLDER", help="go on with the training in this folder, instead of listening for jobs")


def run(options):
    if options.train:
        return train(RunFolder(options.train))

    studio.work(options.instrument, sys.stdin, write_json_line)
    return 0


def train(folder: RunFolder) -> int:
    """Run the training that a folder's run.json describes, and write there how it ended. UserError: it says nothing, or another process is at it."""
    asked = folder.read_about().get("arguments")
    if not isinstance(asked, list) or not asked or asked[0] not in TRAININGS:
        raise UserError(f"{folder.path}: expected a run.json with the arguments of {' or '.join(TRAININGS)}")
    with contextlib.closing(folder.lock()):
        if hasattr(os, "nice"):
            os.nice(15)
        signal.signal(signal.SIGINT, signal.default_int_handler)         # which a show that a script began in the background leaves ignored
        folder.write(state="runs", text="")
        ended = threading.Event()
        make_thread("training", lambda: _watch(folder, ended)).start()
        state, text = _ask_trainer(asked)
        ended.set()
        folder.write(state=state, text=text)
    return 0 if state != "failed" else 2


def _ask_trainer(asked):
    """Run the training's own command line; returns (how it ended, why)."""
    import argparse

    module = importlib.import_module(f"live.cli.{asked[0].replace('-', '_')}")
    parser = argparse.ArgumentParser(exit_on_error=False)
    module.arguments(parser)
    try:
        module.run(parser.parse_args([str(argument) for argument in asked[1:]]))
        return "done", ""
    except KeyboardInterrupt:
        return "stopped", ""
    except UserError as error:
        return "failed", str(error)
    except (SystemExit, argparse.ArgumentError) as error:
        return "failed", f"{' '.join(asked)}: {error}"


def _watch(folder, ended):
    """End the training as Ctrl-C does once it is asked to stop. An interrupt that falls into a destructor or another call that can't fail is lost, so
    it is repeated until the training has ended.
    """
    while not ended.wait(LOOK):
        if folder.is_to_stop:
            break
    folder.cancel_stop()
    while not ended.is_set():
        _thread.interrupt_main()
        ended.wait(AGAIN)
