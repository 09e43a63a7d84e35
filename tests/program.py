"""run_live.py as a user runs it, but begun in a moment: forked from a process that has imported what takes seconds, and done nothing else.

Each run is a process of its own, with its own folder, environment and streams, and ends as any program does. Where a process
that has imported so much can't be forked, it is started from nothing.
"""
import gc
import importlib
import json
import os
import pathlib
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
PROGRAM = str(ROOT / "run_live.py")
FORKED = sys.platform == "linux"
BESIDES = ("engine.instrument", "engine.rewriting", "live.surface.server", "PIL.Image")       # imported by functions, once they are called


def run_program(*arguments, cwd=None, timeout=240, **environment) -> subprocess.CompletedProcess:
    """Run `python run_live.py ARGUMENTS` to its end and return its status and what it wrote, as text. Nothing is typed into it."""
    arguments = [str(argument) for argument in arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    if not FORKED:
        return subprocess.run([sys.executable, PROGRAM, *arguments], cwd=cwd or ROOT, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        status = find_server().ask({"arguments": arguments, "cwd": str(cwd or ROOT), "environment": environment}, out, err, timeout)
        out.seek(0), err.seek(0)
        return subprocess.CompletedProcess([PROGRAM, *arguments], status, out.read(), err.read())


class Server:
    """The process that the others are forked from. It ends when this one does, as its socket is closed then."""
    newest: "Server | None" = None

    def __init__(self):
        self.link, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen([sys.executable, "-c", "from tests.program import serve; serve()", str(theirs.fileno())], cwd=ROOT,
                                            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def ask(self, request: dict, out, err, timeout: float) -> int:
        """Have a command line run, writing into two files; returns its status, negative for a signal. TimeoutExpired: it was ended."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self.link, [b"."], [theirs.fileno(), out.fileno(), err.fileno()])
            ours.sendall(json.dumps(request).encode() + b"\n")
            ours.settimeout(timeout)
            try:
                return int(ours.recv(16))
            except TimeoutError:
                raise subprocess.TimeoutExpired(request["arguments"], timeout) from None


def find_server() -> Server:
    """Return the server of this process, starting it on first use."""
    if Server.newest is None or Server.newest.process.poll() is not None:
        Server.newest = Server()
    return Server.newest


def serve():
    """Fork a process for each request, until the socket closes."""
    link = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)                # nobody waits for those that watch
    sys.path[0] = str(ROOT)
    for name in (*(module.name for module in pkgutil.iter_modules([str(ROOT / "live" / "cli")], "live.cli.")), *BESIDES):
        importlib.import_module(name)
    gc.freeze()
    while True:
        message, streams, _, _ = socket.recv_fds(link, 1, 3)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            link.close()
            return watch(socket.socket(fileno=streams[0]), streams[1:])
        for stream in streams:
            os.close(stream)


def watch(asker: socket.socket, streams):
    """Have one request run by a process forked for it, and tell its status; end it where nobody waits for that any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = json.loads(asker.makefile().readline())
    process = os.fork()
    if process == 0:
        asker.close()
        return run(request, streams)
    ended = os.pidfd_open(process)
    if ended not in select.select([ended, asker], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        asker.sendall(str(status).encode())
    finally:
        os._exit(0)


def run(request, streams):
    """Become the program."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, stream in enumerate((nothing, *streams)):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode, encoding="utf-8", closefd=False, errors=errors)
                                         for number, mode, errors in ((0, "r", None), (1, "w", None), (2, "w", "backslashreplace")))
    sys.stderr.reconfigure(line_buffering=True)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    sys.argv = [PROGRAM, *request["arguments"]]
    runpy.run_path(PROGRAM, run_name="__main__")
