"""The monitor: what it makes of two looks at a show, and what it says where there is none."""
import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from engine.errors import UserError
from live.cli import monitor
from tests.ports import find_free_port
from tests.program import run_program

ROOT = Path(__file__).parents[3]


def report(packets=10, **newest):
    return {"frames": 100, "late": 2, "osc": {"packets": packets, "messages": 3 * packets, "queries": 0, "unknown": 1, "bad": 0,
            "senders": {"10.0.0.7": packets}, "unknown_addresses": {"/my/[red]knob": 0.25}}, "newest": newest,
            "echo": {"listeners": ["10.0.0.7:9001"]}, "midi": {"ports": ["nanoKONTROL2"], "messages": 7}}


def text(watched):
    out = io.StringIO()
    Console(file=out, width=120).print(watched.draw_page())
    return out.getvalue()


def test_rates_come_from_two_looks_and_what_moved_last_stands_first(monkeypatch):
    moments = iter((10.0, 12.0))
    monkeypatch.setattr(monitor, "now", lambda: next(moments))
    watched = monitor.Watched()
    watched.look(report(10, **{"/a": 1.0, "/b": 2.0, "/c": [1.0] * 9}))
    first = text(watched)
    assert all(word in first for word in ("10.0.0.7", "/my/[red]knob", "nanoKONTROL2", "10.0.0.7:9001"))
    watched.look(report(70, **{"/a": 1.5, "/b": 2.0, "/c": [1.0] * 9}))
    page = text(watched)
    assert [word for word in page.split() if word in ("/a", "/b", "/c")] == ["/a", "/c", "/b"] and "1.5" in page and "1 1 1 1 1 1 ..." in page
    assert page.split("10.0.0.7")[1].split()[:2] == ["70", "30"]
    watched.problem = "gone"
    assert text(watched).startswith("gone")


def test_no_show_is_one_line():
    done = run_program("monitor", "--port", find_free_port(), "--once")
    assert done.returncode == 2 and "no show answers" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("status, body, complaint", [(401, "{}", "wants a token"), (500, "", "500"), (200, "rubbish", "no show answers"), (200, "[]", "not Latent Jockey")])
def test_what_is_no_show_is_said_so(status, body, complaint):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(UserError, match=complaint):
            monitor.ask(SimpleNamespace(host="127.0.0.1", port=server.server_port, token=""))
    finally:
        server.shutdown()
        server.server_close()




def test_nothing_that_came_over_the_network_acts_on_the_terminal():
    watched = monitor.Watched()
    watched.look(report(1, **{"/a": "\x1b[2J\u202e\r\n\tx"}) | {"echo": {"listeners": ["\x9b31m"]}})
    watched.report["osc"]["questions"] = {"/asked/for": 3}
    watched.report["told"] = [{"ago": 1.5, "level": "WARNING", "text": "\x1b]0;evil\x07 gone"}, {"ago": 9.0, "level": "INFO", "text": "preset night"}]
    page = text(watched)
    assert "preset night" in page and "warning: " in page and "\x07" not in page
    assert not set("\x1b\x9b\u202e\r\t") & set(page) and "/asked/for" in page and "\\x1b" in page
