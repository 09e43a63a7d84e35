"""Ports for programs that tests start, where the program can't choose one itself and say which."""
import os
import random
import socket

LOWEST, HIGHEST = 10240, 32000      # below those that systems hand out by themselves: nobody gets one between now and the program's start


def find_free_port() -> int:
    """Return a port of this machine that nobody has, neither by UDP nor by TCP; other test processes choose among other ones."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    share = (HIGHEST - LOWEST) // 8
    for port in random.SystemRandom().sample(range(LOWEST + number * share, LOWEST + (number + 1) * share), 200):
        if all(is_free(port, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            return port
    raise OSError("no free port")


def is_free(port: int, kind) -> bool:
    """Return whether a socket of this kind can have a port, at all addresses of this machine."""
    with socket.socket(socket.AF_INET, kind) as tried:
        try:
            tried.bind(("", port))
        except OSError:
            return False
    return True
