"""`link` tells a show where Ableton Link is, from a process of its own."""
import importlib.util
import socket
import struct

import pytest

from tests.bench._common import ROOT
from tests.program import run_program

HAS_LINK = importlib.util.find_spec("aalink") is not None


@pytest.mark.skipif(not HAS_LINK, reason="aalink is not installed")
def test_tempo_and_beat_are_told():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(90)
        done = run_program("link", "--port", str(udp.getsockname()[1]), "--seconds", "0.6", "--tempo", "97")
        assert done.returncode == 0, done.stderr
        first, second = (udp.recv(1000) for _ in range(2))
    assert first.startswith(b"/link/beat\0\0,ff\0")
    (tempo, before), (_, after) = (struct.unpack(">ff", packet[-8:]) for packet in (first, second))
    assert 20 <= tempo <= 999 and after > before     # another's tempo, where somebody else is on this network


def test_a_wrong_port_is_one_line():
    done = run_program("link", "--port", "0")
    assert done.returncode == 2 and "--port 0: expected 1 to 65535" in done.stderr and "Traceback" not in done.stderr


def test_the_show_imports_no_link():
    used = [path for path in (ROOT / "live").rglob("*.py") if "import aalink" in path.read_text(encoding="utf-8")]
    assert [path.name for path in used] == ["link.py"]
