"""The page opens in the browser by itself: where there is a screen, once, and only where no page is open yet."""
import asyncio
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import websockets

from live.surface import browser
from tests.live.outputs.test_window import eventually
from tests.live.surface.rig import Page
from tests.ports import find_free_port

ROOT = pathlib.Path(__file__).parents[3]


@pytest.mark.parametrize(("environment", "platform", "screen"), [
    ({"DISPLAY": ":0"}, "linux", True), ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True), ({}, "linux", False), ({"DISPLAY": ""}, "linux", False),
    ({}, "darwin", True), ({}, "win32", True), ({"SSH_CONNECTION": "1 2 3 4"}, "darwin", False), ({"DISPLAY": "localhost:10.0", "SSH_TTY": "/dev/pts/1"}, "linux", False)])
def test_where_there_is_a_screen(environment, platform, screen):
    assert browser.has_screen(environment, platform) is screen


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A browser that writes down what it is to open, and then does not come back: a file of addresses."""
    script, told = tmp_path / "browser", tmp_path / "opened"
    script.write_text(f"#!/bin/sh\necho \"$@\" >> {told}\necho $$ >> {told}.pid\nexec sleep 600\n")
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(script))
    monkeypatch.setenv("DISPLAY", ":99")
    for name in browser.REMOTE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(browser, "PATIENCE", 0.3)
    yield told
    ids = pathlib.Path(f"{told}.pid")
    for pid in ids.read_text().split() if ids.exists() else ():
        os.kill(int(pid), signal.SIGKILL)


def addresses(told):
    return told.read_text().split() if told.exists() else []


@pytest.mark.parametrize(("flags", "opened"), [
    ({}, "http://127.0.0.1:{port}/"), ({"surface_host": "0.0.0.0", "surface_token": "open-sesame"}, "http://127.0.0.1:{port}/#open-sesame"),
    ({"surface_host": "localhost"}, "http://localhost:{port}/")])
def test_the_page_is_opened_once(tmp_path, fake, flags, opened):
    page = Page(tmp_path, no_browser=False, **flags)
    try:
        eventually(lambda: addresses(fake), [opened.format(port=page.server.port)])
        page.play(3)
    finally:
        page.close()
    assert len(addresses(fake)) == 1


@pytest.mark.parametrize("why", ["--no-browser", "no screen", "a page is open", "the show is over"])
def test_the_page_is_not_opened(tmp_path, fake, monkeypatch, why):
    started = []
    real = browser.Opening.start
    begin = (lambda self: self) if why == "a page is open" else real              # there it begins once the page is: however long that takes
    monkeypatch.setattr(browser.Opening, "start", lambda self: started.append(self) or begin(self))
    if why == "the show is over":
        monkeypatch.setattr(browser, "PATIENCE", 240.0)
    if why == "no screen":
        monkeypatch.setattr(browser, "has_screen", lambda: False)
    page = Page(tmp_path, no_browser=why == "--no-browser")

    async def look():
        async with websockets.connect(f"ws://127.0.0.1:{page.server.port}/ws", open_timeout=60) as socket:
            await socket.recv()
            await asyncio.to_thread(real(started[0]).thread.join)
    if why == "a page is open":
        asyncio.run(look())
    page.close()
    for one in started:
        one.thread.join()
    assert not addresses(fake) and len(started) == (why in ("a page is open", "the show is over"))


def test_a_show_as_it_is_started_opens_its_page_and_does_not_wait_for_the_browser(tmp_path, fake):
    port = find_free_port()
    log = tmp_path / "log"
    with open(log, "w") as written:
        show = subprocess.Popen([sys.executable, str(ROOT / "run_live.py"), "--instrument", str(ROOT / "presets/masks"), "--size", "64", "--threads", "1", "--output", "null",
                                 "--midi-ports", "none", "--osc-port", "0", "--oscquery-port", "0", "--surface-port", str(port)], cwd=tmp_path, stdout=written, stderr=written)
    try:
        eventually(lambda: addresses(fake), [f"http://127.0.0.1:{port}/"])
        eventually(lambda: "playing Masks" in log.read_text(), True)
    finally:
        show.send_signal(signal.SIGINT)
        status = show.wait(180)
    assert status == 0 and "Traceback" not in log.read_text() and len(addresses(fake)) == 1
