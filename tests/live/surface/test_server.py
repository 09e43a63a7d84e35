"""The page's server spoken to without a browser: values, commands, grabs, junk, tokens."""
import asyncio
import contextlib
import http.client
import json
import struct
import tracemalloc

import pytest
import websockets
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from engine.bending import bend_from_dict
from live.osc import subscriber
from live.show.clock import now
from live.show.events import Change
from live.surface import connections
from tests.live.surface.rig import Page

DEADLINE = 90.0                     # seconds after which a test gives up waiting


@pytest.fixture
def page(tmp_path):
    """A show whose frames the test plays itself."""
    found = Page(tmp_path)
    yield found
    found.close()


def run(page, talk, path="ws", **more):
    async def whole():
        async with websockets.connect(f"ws://127.0.0.1:{page.server.port}/{path}", max_size=None, **more) as socket:
            return await talk(socket)
    return asyncio.run(whole())


async def until(socket, wanted, frames=None):
    """The first JSON message for which wanted(message) holds; frames() is called between looks."""
    end = now() + DEADLINE
    while now() < end:
        try:
            data = await asyncio.wait_for(socket.recv(), 0.05)
        except TimeoutError:
            if frames:
                await asyncio.to_thread(frames)
            continue
        if isinstance(data, str) and wanted(message := json.loads(data)):
            return message
    raise AssertionError("it did not come")


async def becomes(holds):
    """Wait until something is so, without a frame."""
    end = now() + DEADLINE
    while not holds():
        assert now() < end, "it did not become so"
        await asyncio.sleep(0.02)


def osc(address, *values):
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value, "f" if isinstance(value, float) else None)
    return builder.build()


def bundle(*messages):
    builder = OscBundleBuilder(IMMEDIATELY)
    for message in messages:
        builder.add_content(message)
    return builder.build().dgram


def values_of(data):
    if not data.startswith(b"#bundle"):
        return {OscMessage(data).address: OscMessage(data).params}
    return {message.address: message.params for message in OscBundle(data)}


async def gather(socket, *addresses, seconds=0.3):
    """{address: arguments} of the values that come: all of these, and whatever comes until there is a pause of so many seconds."""
    found, end = {}, now() + DEADLINE
    while True:
        try:
            data = await asyncio.wait_for(socket.recv(), seconds)
        except TimeoutError:
            if set(addresses) <= found.keys():
                return found
            assert now() < end, f"these did not come: {set(addresses) - found.keys()}"
            continue
        if isinstance(data, bytes):
            found |= values_of(data)


async def arrives(page, holds):
    """Play frames until it holds."""
    end = now() + DEADLINE
    while not holds():
        assert now() < end, "it did not arrive"
        await asyncio.sleep(0.02)
        await asyncio.to_thread(page.play)


def test_a_page_that_comes_is_told_everything(page):
    async def talk(socket):
        hello, tree, state = [json.loads(await socket.recv()) for _ in range(3)]
        return hello, tree, state, await gather(socket, *page.show.scene.parameters)
    hello, tree, state, values = run(page, talk)
    assert (hello["t"], hello["schema"], hello["role"], hello["instrument"]) == ("hello", 1, "play", "tiny")
    assert tree["parameters"].keys() == page.show.scene.parameters.keys() and "/preset/recall" in tree["commands"]
    assert {address for address in values if not address.startswith("/status/")} == page.show.scene.parameters.keys()
    assert {"presets", "bends", "modulators", "learn", "bindings", "locks", "take", "weights", "outputs", "clusters", "transforms"} <= state.keys()


def test_a_command_is_answered_with_the_very_line_of_its_error(page, caplog):
    async def talk(socket):
        answers = []
        for n, (command, arguments) in enumerate([("/preset/recall", ["nobody"]), ("/freeze", []), ("/nonsense", [])]):
            await socket.send(json.dumps({"t": "call", "id": n, "command": command, "arguments": arguments}))
            answers.append(await until(socket, lambda m, n=n: m["t"] == "done" and m["id"] == n, page.play))
        return answers
    caplog.clear()
    wrong, right, none = run(page, talk)
    assert not wrong["ok"] and wrong["text"].startswith("no preset 'nobody'; there are:")
    assert right == {"t": "done", "id": 1, "ok": True, "text": ""} and page.show.scene["/output/freeze"] == 1.0
    assert not none["ok"] and "/nonsense" in none["text"]
    assert not [record for record in caplog.records if "nobody" in record.getMessage()]


def test_a_bundle_of_the_page_lands_in_one_frame(page):
    addresses = [a for a, p in page.show.scene.parameters.items() if not p.choices and not p.size and not p.step][:40]
    put, inbox = [], page.show.inbox
    real = inbox.put
    page.show.inbox = type("Inbox", (), {"put": lambda self, item: (put.append(item), real(item)), "get_nowait": inbox.get_nowait})()

    async def talk(socket):
        await gather(socket, seconds=0.1)
        await socket.send(bundle(*(osc(a, float(page.show.scene.parameters[a].plain(0.25))) for a in addresses)))
        await becomes(lambda: put)
    async def whole():
        async with websockets.connect(f"ws://127.0.0.1:{page.server.port}/ws") as socket:
            await talk(socket)
    asyncio.run(whole())
    page.show.inbox = inbox
    while not inbox.empty():
        inbox.get_nowait()
    inbox.put(put[0])
    applied = []
    page.show.record = lambda tick, items: applied.append([item.address for item in items if isinstance(item, Change)])
    page.play(2)
    assert len(put) == 1 and [set(found) for found in applied] == [set(addresses), set()]


def test_own_moves_do_not_come_back_and_others_hear_the_exact_value(page, monkeypatch):
    monkeypatch.setattr(subscriber, "SETTLE", 1.5)       # a busy machine takes longer to play what came than a page is left alone

    async def whole():
        url = f"ws://127.0.0.1:{page.server.port}/ws"
        async with websockets.connect(url) as a, websockets.connect(url) as b:
            await gather(a, *page.show.scene.parameters)
            await gather(b, *page.show.scene.parameters)
            for n in range(30):
                await a.send(osc("/truncation", 0.1 + n / 100).dgram)
                await asyncio.to_thread(page.play)
            await arrives(page, lambda: abs(page.show.scene["/truncation"] - 0.39) < 1e-6)
            mine, theirs = await asyncio.gather(gather(a, seconds=0.6), gather(b, "/truncation", seconds=0.6))
            assert "/truncation" not in mine
            assert struct.pack(">f", theirs["/truncation"][0]) == struct.pack(">f", 0.1 + 29 / 100)
            await a.send(osc("/truncation", 99.0).dgram)
            await arrives(page, lambda: page.show.scene["/truncation"] == 2.0)
            assert (await gather(a, "/truncation", seconds=0.6))["/truncation"] == [2.0]        # clamped: the truth is told
    asyncio.run(whole())


def test_a_bend_comes_to_the_tree_and_leaves_it(page):
    async def talk(socket):
        await socket.send(json.dumps({"t": "call", "id": 1, "command": "/bends/add", "arguments": ["big", "b16.conv1", "eyes", "scale", 0]}))
        new = await until(socket, lambda m: m["t"] == "tree" and m["version"] > 1, page.play)
        await socket.send(json.dumps({"t": "call", "id": 2, "command": "/bends/remove", "arguments": ["big"]}))
        return new, await until(socket, lambda m: m["t"] == "tree" and m["gone"], page.play)
    new, gone = run(page, talk)
    assert "/bends/big/mix" in new["parameters"] and "/bends/big/mix" in gone["gone"]


def test_a_resting_finger_keeps_a_modulator_off_and_a_drag_is_one_step(page, monkeypatch):
    monkeypatch.setattr("live.surface.grabs.FORGOTTEN", 600.0)      # seconds by the clock on the wall, which the frames of a busy machine may take
    page.rig.send("/modulators/add", "swell", "/truncation", "sine", 0.5)
    page.play(40)
    hold = lambda: dict(page.show.motion.holds)

    async def talk(socket):
        await socket.send(json.dumps({"t": "grab", "addresses": ["/truncation"]}))
        await becomes(lambda: page.server.hub.grabs.held)
        before = page.show.scene["/truncation"]
        for value in (0.2, 0.3, 0.4):
            await socket.send(osc("/truncation", value).dgram)
            await arrives(page, lambda value=value: abs(page.show.scene["/truncation"] - value) < 1e-6)
            await asyncio.to_thread(page.play, 45)          # 1.5 s between moves: the hand still lies there
            assert "/truncation" in hold()
        await socket.send(json.dumps({"t": "release", "addresses": ["/truncation"]}))
        await becomes(lambda: not page.server.hub.grabs.held)
        await asyncio.to_thread(page.play, 20)
        assert "/truncation" not in hold()
        page.rig.send("/undo")
        await asyncio.to_thread(page.play, 2)
        assert page.show.scene["/truncation"] == before
    run(page, talk)


def test_a_page_that_goes_lets_go(page):
    async def talk(socket):
        await socket.send(json.dumps({"t": "grab", "addresses": ["/truncation"]}))
        await becomes(lambda: page.server.hub.grabs.held == {"/truncation"})
    run(page, talk)
    asyncio.run(becomes(lambda: not page.server.hub.grabs.held))


def test_pictures_are_acknowledged_and_a_page_that_does_not_holds_two(page):
    async def whole():
        url = f"ws://127.0.0.1:{page.server.port}/preview?size=128&fps=30"
        async with websockets.connect(url) as slow, websockets.connect(url) as quick:
            numbers, idle, end = [], [], now() + DEADLINE
            while len(numbers) < 9 or len(idle) < 2:
                assert now() < end, (numbers, len(idle))
                await asyncio.to_thread(page.play)
                with contextlib.suppress(TimeoutError):
                    idle += [await asyncio.wait_for(slow.recv(), 0.001)] if len(idle) < 2 else []
                try:
                    data = await asyncio.wait_for(quick.recv(), 0.06)
                except TimeoutError:
                    continue
                number, _, width, height = struct.unpack_from(">QdHH", data)
                assert data[20:22] == b"\xff\xd8" and (width, height) == (32, 32)
                numbers.append(number)
                await quick.send(json.dumps({"seen": number}))
            while True:
                try:
                    idle.append(await asyncio.wait_for(slow.recv(), 0.2))
                except TimeoutError:
                    return numbers, len(idle)
    numbers, idle = asyncio.run(whole())
    assert numbers == sorted(set(numbers)) and idle == 2


def test_a_page_that_acknowledges_nothing_makes_the_server_keep_nothing(page):
    """However long it does not read: one picture waits, whatever came."""
    preview = page.server.preview

    class Deaf:
        sent = 0

        async def send_bytes(self, data):
            self.sent += 1

        async def receive(self):
            await asyncio.Event().wait()

    async def look(socket):
        task = asyncio.create_task(preview.serve(socket, 128, 30.0))
        for _ in range(20):
            await asyncio.sleep(0)
        watcher, head = preview.watchers[-1], struct.Struct(">QdHH")
        tracemalloc.start()
        for number in range(3000):
            watcher.take(head.pack(number, 0.0, 1, 1) + bytes(10_000))
            await asyncio.sleep(0)
        grown = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        task.cancel()
        return grown
    deaf = Deaf()
    assert asyncio.run(look(deaf)) < 1_000_000 and deaf.sent == 2


JUNK = st.one_of(st.text(max_size=200), st.binary(max_size=200), st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["t", "id", "command", "arguments", "addresses", "topics", "schema", "name", "n"]), inner, max_size=5),
    max_leaves=12).map(json.dumps), st.builds(lambda kind, more: json.dumps({"t": kind} | more),
    st.sampled_from(["hello", "watch", "call", "grab", "release", "ping"]),
    st.dictionaries(st.sampled_from(["id", "command", "arguments", "addresses", "topics", "schema", "name", "n"]), st.one_of(st.none(), st.integers(), st.text(max_size=9), st.lists(st.text(max_size=5), max_size=3)), max_size=4)))


def test_junk_is_refused_and_the_show_plays_on(page):
    async def speak(messages):
        async with websockets.connect(f"ws://127.0.0.1:{page.server.port}/ws") as socket:
            for message in messages:
                await socket.send(message)
            await socket.send(json.dumps({"t": "ping", "n": 77}))
            await until(socket, lambda m: m["t"] == "pong" and m["n"] == 77)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(JUNK, max_size=6))
    def fuzz(messages):
        asyncio.run(speak(messages))
        page.play()
    fuzz()
    assert page.server.hub.junk_count > 0


def test_junk_is_counted_and_said_once_a_second(page, caplog):
    async def talk(socket):
        for n in range(300):
            await socket.send("no json" if n % 2 else b"no osc")
        await socket.send(bundle(*(osc("/truncation", 0.5) for _ in range(4000))))      # far more than one packet may hold
        await socket.send(json.dumps({"t": "ping", "n": 9}))
        await until(socket, lambda m: m["t"] == "pong" and m["n"] == 9)
    before, caplog.records[:] = page.server.hub.junk_count, []
    beginning = page.server.hub.junk_count
    run(page, talk)
    assert page.server.hub.junk_count - beginning == 301 and before == beginning
    said = [record.getMessage() for record in caplog.records if "ignored" in record.getMessage()]
    assert 1 <= len(said) <= 100                         # and not 301
    default = page.show.scene["/truncation"]
    page.play(2)
    assert page.show.scene["/truncation"] == default     # nothing of the packet that was too large


def test_junk_on_the_socket_of_pictures(page):
    async def speak(messages):
        async with websockets.connect(f"ws://127.0.0.1:{page.server.port}/preview?size=oops&fps=-3") as socket:
            for message in messages:
                await socket.send(message)
            end = now() + DEADLINE
            while now() < end:
                await asyncio.to_thread(page.play)
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(socket.recv(), 0.1)
            raise AssertionError("no picture came")

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.one_of(JUNK, st.sampled_from(['{"seen": -1}', '{"seen": true}', '{"seen": 1e99}', '{"seen": 99999999999999999999999999}', '{"seen": []}'])), max_size=5))
    def fuzz(messages):
        assert asyncio.run(speak(messages))[20:22] == b"\xff\xd8"
    fuzz()
    asyncio.run(becomes(lambda: not page.server.preview.watchers))
    done = []
    page.server.preview.snaps.append(lambda pixels: done.append(1))       # once this is done, nothing is being encoded that was begun for somebody
    asyncio.run(arrives(page, lambda: done))
    encoded = page.server.preview.encoded
    page.play(10)
    assert not page.server.preview.watchers and page.server.preview.encoded == encoded      # nobody watches: nothing is done


def test_a_message_of_ten_megabytes_ends_its_socket_only(page):
    async def talk(socket):
        with pytest.raises(websockets.ConnectionClosed):
            await socket.send(b"x" * 10_000_000)
            while True:
                await socket.recv()
    run(page, talk)
    page.play()
    run(page, lambda socket: socket.recv())


def test_more_pages_than_there_is_room_for_are_refused(page):
    async def whole():
        sockets = []
        for _ in range(16):
            sockets.append(await websockets.connect(f"ws://127.0.0.1:{page.server.port}/ws"))
            await sockets[-1].recv()
        late = await websockets.connect(f"ws://127.0.0.1:{page.server.port}/ws")
        with pytest.raises(websockets.ConnectionClosed):
            await late.recv()
        await sockets[0].close()
    asyncio.run(whole())


def test_a_thousand_pages_are_refused_and_counted_and_the_show_plays_on(page, caplog):
    """Each asks for a socket, as a page does, and stays."""
    ask_in = (b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")

    async def whole():
        async with websockets.connect(f"ws://127.0.0.1:{page.server.port}/ws") as inside:
            await inside.recv()
            crowd = []
            for n in range(1000):
                reader, writer = await asyncio.open_connection("127.0.0.1", page.server.port)
                writer.write(ask_in)
                crowd.append((reader, writer))
                if n % 100 == 0:
                    await asyncio.to_thread(page.play)
            await inside.send(json.dumps({"t": "ping", "n": 5}))
            await until(inside, lambda m: m["t"] == "pong", page.play)
            await inside.send(osc("/truncation", 0.125).dgram)
            await arrives(page, lambda: page.show.scene["/truncation"] == 0.125)
            await becomes(lambda: page.server.hub.junk_count >= 1000 - connections.MOST)
            for _, writer in crowd:
                writer.close()
    frames = page.show.meter.frames
    asyncio.run(whole())
    assert page.server.hub.junk_count >= 1000 - connections.MOST and page.show.meter.frames >= frames + 10 and page.show.meter.failed == 0
    said = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert 2 <= len(said) < 500                           # of each kind one a second, however slow this machine is


def ask(page, path, method="GET", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.server.port, timeout=DEADLINE)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    data = answer.read()
    return answer, data


@pytest.mark.parametrize(("path", "headers", "status"), [
    ("/", {}, 200), ("/app.js", {}, 200), ("/views/play.js", {}, 200), ("/nothing.js", {}, 404), ("/../server.py", {}, 404), ("/%2e%2e/server.py", {}, 404),
    ("/", {"Host": "evil.test"}, 403), ("/", {"Host": "127.0.0.1.evil.example"}, 403), ("/api/clients", {"Sec_Fetch_Site": "cross-site"}, 403),
    ("/api/thumb/preset/nobody.jpg", {}, 404), ("/api/thumb/preset/..%2F..%2Fx.jpg", {}, 404), ("/api/cluster/b16.conv1/nobody.jpg", {}, 404),
    ("/api/takes", {}, 200), ("/api/report", {}, 200), ("/api/jobs", {}, 200)])
def test_what_is_there(page, path, headers, status):
    answer, _ = ask(page, path, **headers)
    assert answer.status == status
    assert "default-src 'none'" in answer.getheader("Content-Security-Policy") and answer.getheader("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize(("body", "status"), [(b"{}", 400), (b"no json", 400), (b'{"kind": "format disk"}', 400), (b"[" * 100000, 400), (b"x" * 5_000_000, 413)])
def test_jobs_that_are_none(page, body, status):
    assert ask(page, "/api/jobs", "POST", body)[0].status == status


def test_a_foreign_page_may_not_post_nor_open_a_socket(page):
    assert ask(page, "/api/jobs", "POST", b"{}", Origin="http://evil.test")[0].status == 403
    with pytest.raises(websockets.InvalidStatus):
        run(page, lambda socket: socket.recv(), origin="http://evil.test")


def test_a_token_lets_in_and_its_role_decides(tmp_path):
    page = Page(tmp_path, surface_token="open-sesame", surface_watch_token="only-look")
    try:
        assert ask(page, "/")[0].status == 200 and ask(page, "/api/takes")[0].status == 401
        with pytest.raises(websockets.InvalidStatus):
            run(page, lambda socket: socket.recv())
        answer, _ = ask(page, "/api/enter", "POST", b"open-sesame")
        cookie = answer.getheader("Set-Cookie")
        assert answer.status == 200 and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
        assert ask(page, "/api/takes", Cookie=cookie.split(";")[0])[0].status == 200

        async def watch(socket):
            before = page.show.scene["/truncation"]
            await socket.send(osc("/truncation", 0.1).dgram)
            await socket.send(json.dumps({"t": "call", "id": 1, "command": "/panic", "arguments": []}))
            refused = await until(socket, lambda m: m["t"] == "done", page.play)
            assert not refused["ok"] and page.show.scene["/truncation"] == before
        run(page, watch, additional_headers={"Authorization": "Bearer only-look"})
        assert [ask(page, "/api/enter", "POST", b"wrong")[0].status for _ in range(6)] == [401] * 5 + [429]
    finally:
        page.close()


def test_a_stored_preset_has_its_picture(page):
    page.rig.send("/preset/store", "first")
    page.play(3)
    hub = page.server.hub
    end = now() + DEADLINE
    while not list((page.rig.show.recall.library.folder / ".thumbs").glob("first.*.jpg")):
        assert now() < end, "no picture is kept"
        hub._refresh_files()
        page.play()
        asyncio.run(asyncio.sleep(0.05))
    answer, data = ask(page, "/api/thumb/preset/first.jpg")
    assert answer.status == 200 and data[:2] == b"\xff\xd8" and "immutable" in answer.getheader("Cache-Control")


def test_bends_are_told_by_what_they_are(page):
    bend = bend_from_dict({"name": "b", "layer": "b16.conv1", "channels": "all", "transform": "invert", "mix": 0.5}, page.rig.generator)
    page.show.scene = page.show.scene.with_bends((bend,))
    assert page.server.hub.state.read()["bends"][0]["layer"] == "b16.conv1"


def test_a_solved_edit_has_the_show_look_at_its_edits_again(page):
    from live.surface.hub import Hub
    from live.surface.parts import Parts

    parts = Parts(Hub(page.show, {}), page.server.preview, {})
    parts._finish_job({"kind": "solve", "name": "hats", "instrument": parts.worker.instrument}, {"ok": True, "edit": "hats"})
    page.play()
    assert page.rig.weights.looking is not None and page.show.meter.failed == 0
    page.rig.weights.looking.join(DEADLINE)
