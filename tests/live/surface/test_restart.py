"""A real show whose renderer is killed: its page is let in again with the token it had, and is told that the show is another one."""
import argparse
import asyncio
import json
import os
import re
import signal

import websockets

from live.cli import play
from live.processes.show import Attempts
from live.surface import service
from tests.live.outputs.test_window import eventually, screen  # noqa: F401  (a fixture)
from tests.live.processes.test_show import Playing
from tests.ports import find_free_port


def test_a_renderer_that_is_started_again_opens_no_browser_and_has_the_same_token():
    parser = argparse.ArgumentParser()
    play.arguments(parser)
    flags = parser.parse_args(["--surface-host", "0.0.0.0"])
    service.check_token(flags)
    again = Attempts(flags)(1, False, None)
    assert len(flags.surface_token) >= 20 and again.surface_token == flags.surface_token and again.no_browser and not flags.no_browser


def hello(port, token):
    """What a page is told first; None while there is nobody to tell it."""
    async def ask():
        async with websockets.connect(f"ws://127.0.0.1:{port}/ws", additional_headers={"Authorization": f"Bearer {token}"}, open_timeout=60) as page:
            return json.loads(await asyncio.wait_for(page.recv(), 60))
    try:
        return asyncio.run(ask())
    except (OSError, TimeoutError, websockets.WebSocketException):
        return None


def greeting(port, token):
    """What a page is told first, once there is somebody to tell it."""
    found = []
    eventually(lambda: found.append(hello(port, token)) or found[-1] is not None, True)
    return found[-1]


def test_a_killed_renderer_serves_its_page_again(screen, tmp_path):  # noqa: F811  (the fixture)
    port = find_free_port()
    show = Playing(screen, tmp_path, "--surface-port", str(port), "--surface-token", "auto")
    try:
        eventually(lambda: show.said("playing Masks") >= 1, True)
        token = re.search(r"page: http://127\.0\.0\.1:\d+/#(\S+)", show.log.read_text())[1]
        first = greeting(port, token)
        assert hello(port, "wrong") is None
        os.kill(show.pid("renderer"), signal.SIGKILL)
        eventually(lambda: show.said("playing Masks") >= 2, True)
        second = greeting(port, token)
        assert first["role"] == second["role"] == "play" and first["session"] != second["session"]
    finally:
        show.close()
