"""Programs that a show runs beside itself, with little of the machine: how they are started, and that they end with the show."""
import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

from live.show.threads import make_thread

PROGRAM = Path(__file__).parents[2] / "run_live.py"
LITTLE = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000"}        # 12.8 ms of CPU a picture, 118 without
SHOW = "LATENT_JOCKEY_SHOW"         # the number of the show's process
PATIENCE = 5.0                      # seconds that the show waits for one to end
EVERY = 1.0                         # seconds between two looks whether the show is there


def start_beside(*arguments: str, **pipes) -> subprocess.Popen:
    """Return a subcommand of ours as a process beside the show, started. pipes: stdin, stdout, stderr as Popen has them; nothing otherwise."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL) | pipes
    return subprocess.Popen([sys.executable, str(PROGRAM), *arguments], text=True, env=os.environ | LITTLE | {SHOW: str(os.getpid())}, **pipes)


def end_beside(process: subprocess.Popen | None):
    """End a process that was started beside the show, if there is one that runs; a busy machine may take longer over it than the show waits."""
    if process is not None and process.poll() is None:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)


def stay_beside(idle: bool = False):
    """Give way to the show that started this program, and end with it, even one that is killed (not on Windows). By hand: give way only.

    idle: it is long work that nobody waits for, and has a processor only where there is nothing else to do (Linux).
    """
    if hasattr(os, "nice"):
        os.nice(15)
    if idle and hasattr(os, "SCHED_IDLE"):               # a processor that runs nothing but this counts as idle, so the show's threads come to it
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    show = os.environ.get(SHOW, "")
    if show.isdecimal() and os.name == "posix":
        make_thread("the show is there", lambda: _await_end(int(show))).start()


def _await_end(show: int):
    while os.getppid() == show:
        threading.Event().wait(EVERY)
    os._exit(1)
