"""Instruments listed and added: a file, a web address that is cut off and goes on, a name; what is refused."""
import hashlib
import http.server
import threading

import pytest
import yaml

from engine.checkpoints import native
from live.instrument import catalogue
from live.instrument.open import open_instrument
from run_live import main
from tests.conftest import tiny


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    native.save(tmp_path / "net work.safetensors", tiny(), "float32")
    return tmp_path


class Half(http.server.BaseHTTPRequestHandler):
    """Gives half of a file the first time, the rest where it is asked for."""
    data, cut, asked = b"", True, []

    def do_GET(self):
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        Half.asked.append(start)
        part = self.data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part[:len(part) // 2] if Half.cut else part)
        Half.cut = False

    def log_message(self, *_):
        pass


@pytest.fixture
def web(desk):
    Half.data, Half.cut, Half.asked = (desk / "net work.safetensors").read_bytes(), True, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Half)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/net.safetensors"
    server.shutdown()
    thread.join()
    server.server_close()


def add(*arguments):
    return main(["instruments", "add", *map(str, arguments)])


def test_a_file_becomes_an_instrument(desk, capsys):
    assert not add(desk / "net work.safetensors", "--samples", 8)
    folder = desk / "cache" / "latent-jockey" / "added" / "net-work"
    opened = open_instrument(folder, device="cpu", threads=1)
    assert opened.found.is_whole and len(opened.found.directions) > 8
    library = opened.open_library()
    assert library.list_names() == [f"seed {n:02d}" for n in range(1, 11)] and library.read("seed 03").values["/walk/seed"] == 3.0
    library.close()
    assert add(desk / "net work.safetensors") == 2 and "there is an instrument of that name already" in capsys.readouterr().err
    assert not main(["instruments"])
    assert str(folder) in capsys.readouterr().out


def test_what_is_cut_off_goes_on(desk, web, capsys):
    assert add(web, "--no-analysis") == 2 and "cut off" in capsys.readouterr().err
    assert not add(web, "--no-analysis")
    assert Half.asked == [0, len(Half.data) // 2]
    folder = desk / "cache" / "latent-jockey" / "added" / "net"
    assert (folder / "net.safetensors").read_bytes() == Half.data and yaml.safe_load((folder / "instrument.yaml").read_text())["generator"] == "net.safetensors"


def test_another_file_than_was_promised(desk, web):
    Half.cut = False
    from engine.errors import UserError

    with pytest.raises(UserError, match="another file than the catalogue's"):
        catalogue.fetch(web, desk / "x.safetensors", "0" * 64)
    assert not list(desk.glob("x.*"))
    assert catalogue.fetch(web, desk / "x.safetensors", hashlib.sha256(Half.data).hexdigest()).exists()


@pytest.mark.parametrize("what, told", [("nothing-such", "no name of the catalogue; there are: car"), ("ftp://x/y.pkl", "expected http:// or https://"),
                                        ("http://127.0.0.1:9/x.pkl", "can't be fetched")])
def test_what_cannot_be_added(desk, capsys, what, told):
    assert add(what) == 2
    assert told in capsys.readouterr().err


def test_the_catalogue_can_be_read():
    known = catalogue.read_catalogue()
    assert len({one.name for one in known}) == len(known) >= 10
    assert all(one.url.startswith("http") and one.licence and one.author for one in known)
