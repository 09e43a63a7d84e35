"""What two pages, two fingers and a hand elsewhere do to each other, in a real browser: SURFACE.md W.9."""
import json
import queue
import struct

import pytest

from live import controls
from live.controls import midi
from live.midi.ports import Supervisor, make_test
from live.osc import subscriber
from live.osc.receiver import Receiver
from live.show.events import Change, ControlEvent
from tests.live.controls.test_midi import Rack
from tests.live.surface.rig import Page, find_box, insist
from tests.live.surface.test_page import wait
from tests.senders.touchdesigner import message

SESSIONS: dict = {}
FADER = "[data-address='/truncation'].control"


def touch(page, kind, *points):
    """Fingers at these (x, y)."""
    if page not in SESSIONS:                              # a touch belongs to the session that began it
        SESSIONS[page] = page.context.new_cdp_session(page)
    SESSIONS[page].send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]})


def at(page, selector, x=0.3, y=0.7):
    box = find_box(page, selector)
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def frames(shown, number):
    """So many frames go by."""
    until = shown.show.meter.frames + number
    wait(shown, lambda: shown.show.meter.frames >= until)


def values_of(page):
    return page.evaluate("async () => { const store = await import('/store.js'); return store.values.get('/truncation'); }")


def single(value):
    return struct.pack(">f", value)


def test_two_pages_hold_the_very_same_value_and_the_one_that_plays_hears_nothing_back(shown, open_page, monkeypatch):
    monkeypatch.setattr(subscriber, "SETTLE", 3.0)        # a busy machine takes longer to play what came than a page is left alone
    back, pages = [], []
    for n in range(2):
        page = open_page(shown.url, view="all")
        if n == 0:
            page.evaluate("""async () => { const store = await import('/store.js'), { link } = await import('/link.js'), before = link.values;
                window.back = []; link.values = (a, v) => { if (a === '/truncation') window.back.push(v); before(a, v); }; }""")
        pages.append(page)
    a, b = pages
    x, y = at(a, FADER)

    def drag():
        touch(a, "touchStart", (x, y))
        for step in range(1, 40):
            touch(a, "touchMove", (x + 8 + 2.1 * step, y))
        touch(a, "touchEnd")
    insist(a, drag, lambda: shown.show.scene["/truncation"] != shown.show.first["/truncation"])
    wait(shown, lambda: not shown.server.hub.grabs.held)  # all of the touch is there
    frames(shown, 60)
    mine = values_of(a)
    wait(shown, lambda: single(shown.show.scene["/truncation"]) == single(mine))
    b.wait_for_function("async (v) => { const s = await import('/store.js'); return Math.fround(s.values.get('/truncation')) === Math.fround(v); }", arg=mine)
    assert a.evaluate("window.back") == back == []
    a.evaluate("async () => { const { link } = await import('/link.js'); link.value('/truncation', 99); }")      # beyond its range, as no control of the page sends it
    a.wait_for_function("async () => { const s = await import('/store.js'); return s.values.get('/truncation') === 2; }")
    wait(shown, lambda: shown.show.scene["/truncation"] == 2.0)


def test_forty_faders_of_a_page_land_in_one_frame(shown, open_page):
    page = open_page(shown.url)
    addresses = [a for a, p in shown.show.scene.parameters.items() if not (p.choices or p.size or p.step or a.startswith(("/output", "/modulators")))][:40]
    applied = []
    shown.show.record = lambda tick, items: applied.append({item.address for item in items if isinstance(item, Change)})
    page.evaluate("""async (addresses) => { const store = await import('/store.js'), curves = await import('/curves.js');
        await new Promise(requestAnimationFrame);
        for (const a of addresses) store.set(a, curves.plain(store.parameters.get(a), 0.3)); }""", addresses)
    wait(shown, lambda: any(set(addresses) <= found for found in list(applied)))
    assert sum(bool(found & set(addresses)) for found in applied) == 1


def test_a_drag_with_a_pause_is_one_step_to_undo(shown, open_page):
    page = open_page(shown.url, view="all")
    before = shown.show.scene["/truncation"]
    x, y = at(page, FADER)

    tries = []

    def begin():
        if tries:
            touch(page, "touchEnd")                       # of the one before
        tries.append(1)
        touch(page, "touchStart", (x, y))
        for step in range(1, 6):
            touch(page, "touchMove", (x + 10 * step, y))
    insist(page, begin, lambda: shown.show.scene["/truncation"] > before)
    half = shown.show.scene["/truncation"]
    frames(shown, 45)                                     # a second and a half of the show
    for step in range(6, 12):
        touch(page, "touchMove", (x + 10 * step, y))
    wait(shown, lambda: shown.show.scene["/truncation"] > half)
    touch(page, "touchEnd")
    wait(shown, lambda: not shown.server.hub.grabs.held)
    frames(shown, 5)
    page.get_by_role("button", name="Undo", exact=True).click()
    wait(shown, lambda: shown.show.scene["/truncation"] == before)


def test_a_finger_at_rest_holds_the_modulator_off_and_says_so_elsewhere(shown, open_page):
    shown.rig.send("/modulators/add", "swell", "/truncation", "sine", 0.5)
    page, other = open_page(shown.url, view="all"), open_page(shown.url, view="all")
    page.wait_for_selector(f"{FADER} .played:not([hidden])")
    x, y = at(page, FADER)
    touch(page, "touchStart", (x, y))
    touch(page, "touchMove", (x + 9, y))                  # more than a twitch: no sheet opens
    held = lambda: "/truncation" in dict(shown.show.motion.holds)
    wait(shown, held)
    seen = []
    shown.show.record = lambda tick, items: seen.append(held())
    other.wait_for_selector(f"{FADER}.held")              # who else holds it is said
    frames(shown, 61)                                     # two seconds of the show; one may be under way already
    assert len(seen) >= 60 and all(seen)
    assert page.locator(f"{FADER}.held").count() == 0     # not to the one who holds it
    touch(page, "touchEnd")
    wait(shown, lambda: not held())
    other.wait_for_selector(f"{FADER}:not(.held)")


def knob(shown, number, values, channel=1):
    """A knob turns: control changes, as the MIDI thread emits them, seen by the page as well."""
    emit = shown.server.tap(shown.show.inbox.put)
    for value in values:
        emit(ControlEvent(f"cc {channel}/{number}", value / 127))
        frames(shown, 1)


def test_learn_then_the_knob_picks_up_then_undo(shown, open_page):
    page = open_page(shown.url, view="map")
    page.get_by_role("button", name="truncation").tap()
    page.locator(FADER).tap()
    page.wait_for_selector(f"{FADER}.learning")
    knob(shown, 16, range(0, 70, 5))
    page.wait_for_function("() => document.querySelector(\"[data-address='/truncation'] .badge\").textContent.includes('cc 1/16')")
    shown.rig.send("/truncation", 1.9)
    wait(shown, lambda: abs(shown.show.scene["/truncation"] - 1.9) < 1e-6)
    knob(shown, 16, range(64, 40, -4))
    assert abs(shown.show.scene["/truncation"] - 1.9) < 1e-6      # it waits to be picked up
    page.wait_for_selector(f"{FADER} .ghost:not([hidden])")
    knob(shown, 16, range(40, 128, 3))
    wait(shown, lambda: abs(shown.show.scene["/truncation"] - 1.9) > 1e-3)
    page.get_by_role("button", name="take back").tap()
    wait(shown, lambda: not any(b.to == "/truncation" for b in shown.show.mapping.learn.layer))
    page.wait_for_function("() => !document.querySelector(\"[data-address='/truncation'] .badge\").textContent.includes('cc 1/16')")


def test_an_unknown_control_pulses_and_offers_to_be_bound(shown, open_page):
    shown.show.mapping.stats = controls.make_stats("osc")
    ports = queue.SimpleQueue()
    end = controls.start("osc", shown.server.tap(shown.show.inbox.put), stats=shown.show.mapping.stats, port=0, opened=ports.put)
    page = open_page(shown.url, view="play")
    try:
        send(ports.get(timeout=60), "/my/knob", 0.25)
        page.wait_for_selector("#tab-map.pulse")
        page.locator("#tab-map").tap()
        page.get_by_role("button", name="bind osc /my/knob").tap()
        page.get_by_role("button", name="truncation").tap()
        page.locator(FADER).tap()
        wait(shown, lambda: [(b.control, b.to) for b in shown.show.mapping.learn.layer] == [("osc /my/knob", "/truncation")])
    finally:
        end()


def test_the_map_tab_pulses_though_the_page_heard_of_the_control_before_the_loop_did(tmp_path, open_page):
    shown = Page(tmp_path)                                # its frames are played by hand
    stats = shown.show.mapping.stats = controls.make_stats("osc")
    receiver = Receiver(None, shown.show.inbox.put, None, None, stats)
    shown.play()
    try:
        page = open_page(shown.url, view="play")
        receiver.receive(message("/my/knob", 0.25), ("127.0.0.1", 5000))
        page.wait_for_function("async () => (await import('/hands.js')).hands.get('osc /my/knob')?.bound")
        assert not page.locator("#tab-map.pulse").count()
        shown.play()
        page.wait_for_selector("#tab-map.pulse")
    finally:
        shown.close()


def send(port, address, value):
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(message(address, value), ("127.0.0.1", port))


def test_nothing_pressed_while_the_show_was_away_arrives(tmp_path, open_page):
    first = Page(tmp_path).run()
    page = open_page(first.url, view="all")
    port = first.server.port
    first.close()
    page.wait_for_selector("body.away")
    assert page.evaluate("document.getElementById('view').inert && document.getElementById('transport').inert")
    page.evaluate("""async () => { const store = await import('/store.js'), { link } = await import('/link.js');
        store.set('/truncation', 0.1); link.value('/truncation', 0.2); store.call('/freeze'); link.call('/blackout', []); }""")
    for button in page.locator("#transport button").all():
        button.dispatch_event("pointerdown")
    again = Page(tmp_path, surface_port=port).run()
    try:
        page.wait_for_selector("body:not(.away)")
        page.wait_for_function("() => document.querySelectorAll('[data-address]').length > 5")
        frames(again, 30)
        scene = again.show.scene
        assert (scene["/output/freeze"], scene["/output/blackout"], scene["/truncation"]) == (0.0, 0.0, again.show.first["/truncation"])
        assert not again.show.recording.recording
    finally:
        page.context.close()
        again.close()


def test_the_numbers_of_sixty_pictures_rise(shown, open_page):
    page = open_page(shown.url)
    page.evaluate("""() => { window.numbers = []; const canvas = document.getElementById('preview');
        new MutationObserver(() => window.numbers.push(Number(canvas.dataset.number))).observe(canvas, { attributes: true, attributeFilter: ['data-number'] }); }""")
    page.wait_for_function("() => window.numbers.length >= 60")
    numbers = page.evaluate("window.numbers")
    assert numbers == sorted(set(numbers))


def test_a_foreign_page_that_was_pointed_here_sees_and_plays_nothing(shown, browser):
    page = browser.new_context().new_page()
    page.set_default_timeout(90000)
    port = shown.server.port
    answer = page.goto(f"http://evil.test:{port}/")
    assert answer.status == 403
    heard = page.evaluate("""async (port) => {
        const tried = [`ws://evil.test:${port}/ws`, `ws://127.0.0.1:${port}/ws`, `ws://127.0.0.1:${port}/preview?size=256&fps=30`].map((url) => new Promise((resolve) => {
            let socket;
            try { socket = new WebSocket(url); } catch { resolve('blocked'); return; }
            socket.onopen = () => resolve('open'); socket.onmessage = () => resolve('told'); socket.onerror = () => resolve('refused');
        }));
        return Promise.all(tried); }""", port)
    page.context.close()
    assert set(heard) <= {"refused", "blocked"}
    assert not shown.server.hub.links and not shown.server.preview.watchers


def test_what_goes_wrong_is_said_on_the_page_and_the_picture_plays_on(shown, open_page):
    page = open_page(shown.url)
    folder = shown.rig.show.recall.library.folder
    (folder / "broken.yaml").write_text("schema: 1\nvalues: {nonsense")
    page.get_by_role("button", name="look broken").tap()
    page.wait_for_function("() => /broken/.test(document.getElementById('band').textContent)")
    before = shown.show.meter.frames
    wait(shown, lambda: shown.show.meter.frames > before + 10)
    assert shown.show.meter.failed == 0


def test_a_controller_that_vanishes_is_said_and_shown(shown, open_page):
    rack = Rack("Nano:Nano MIDI 1 24:0")
    supervisor = Supervisor(shown.server.tap(shown.show.inbox.put), make_test(None), rack, midi.Stats(), midi.decode)
    supervisor.look()
    page = open_page(shown.url, view="map")
    page.wait_for_selector("tr:not(.gone) td:text-is('Nano:Nano MIDI 1')")
    rack.there = []
    supervisor.look()
    page.wait_for_function("() => /Nano:Nano MIDI 1 has gone/.test(document.getElementById('band').textContent)")
    page.wait_for_selector("tr.gone td:text-is('Nano:Nano MIDI 1')")
    rack.there = ["Nano:Nano MIDI 1 28:0"]
    supervisor.look()
    page.wait_for_selector("tr:not(.gone) td:text-is('Nano:Nano MIDI 1')")
    assert shown.show.meter.failed == 0


def test_favourites_are_the_instruments(shown, open_page, tmp_path):
    page, other = open_page(shown.url, view="all"), open_page(shown.url, "phone", view="all")
    page.locator(FADER).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Favourite").click()
    wait(shown, lambda: (tmp_path / "surface.json").exists() and json.loads((tmp_path / "surface.json").read_text())["favourites"] == ["/truncation"])
    other.wait_for_function("() => [...document.querySelectorAll('h2')].some((h) => h.textContent.includes('favourites'))")


@pytest.mark.parametrize("near", [["beasts", "bloom"], [f"world {n}" for n in range(9)]], ids=["a row", "a list"])
def test_another_instrument_is_opened_with_a_tap(shown, open_page, near):
    told, asked = {"name": "Masks", "folder": "masks", "key": "0", "before": "", "opening": False}, []

    class Switch:
        opened = None                                                      # nothing of it is looked at

        def close(self):
            pass

        def describe(self):
            return told

        def list_near(self):
            return near

        def open(self, where, preset=None):
            asked.append(where)
            told["opening"] = True
    shown.show.switch = Switch()
    page = open_page(shown.url)
    if len(near) < 6:
        page.get_by_role("button", name=near[1], exact=True).click()
    else:
        page.get_by_label("instrument").select_option(near[1])
    wait(shown, lambda: asked == [near[1]])
    page.get_by_text("opening ...").wait_for()
    told |= {"folder": near[1], "opening": False}
    page.get_by_text("instrument", exact=True).first.wait_for()
    assert shown.show.meter.failed == 0


@pytest.mark.parametrize("body", [b"", b"{}", b'["truncation"]', b'[1]', b"[" * 5000, json.dumps(["/a"] * 201).encode(), json.dumps(["/" + "a" * 300]).encode(), b"x" * 200_000])
def test_favourites_that_are_none(shown, body):
    from tests.live.surface.test_server import ask
    assert ask(shown, "/api/favourites", "POST", body)[0].status == 400


class Touches:
    """Counts touches of a page, and nothing else touches it."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def tap(self, locator):
        locator.first.scroll_into_view_if_needed()
        locator.first.tap()
        self.count += 1

    def hold(self, selector):
        x, y = at(self.page, selector, 0.5, 0.6)
        touch(self.page, "touchStart", (x, y))
        self.page.wait_for_selector("#sheet:not([hidden])")
        touch(self.page, "touchEnd")
        self.count += 1


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_from_a_fresh_start_each_thing_takes_at_most_three_touches(shown, open_page, size):
    page, counts = open_page(shown.url, size), {}

    def opened(view):
        page.evaluate(f"document.getElementById('tab-{view}').click()")      # a phone keeps some of them behind More
        return Touches(page)

    hand = opened("bend")
    hand.tap(page.get_by_role("button", name="cluster eyes"))
    hand.tap(page.get_by_role("button", name="add invert"))
    page.wait_for_selector("[data-address='/bends/eyes-invert/mix']")
    counts["a bend on a named cluster"] = hand.count

    hand = Touches(page)                                  # in the view that is open
    hand.hold("[data-address='/bends/eyes-invert/mix']")
    hand.tap(page.get_by_role("button", name="Modulate"))
    wait(shown, lambda: [m.target for m in shown.show.scene.modulators] == ["/bends/eyes-invert/mix"])
    counts["an LFO on it"] = hand.count

    hand = opened("play")
    hand.tap(page.get_by_role("button", name="store what plays"))
    page.wait_for_selector(".look.current img:not(.missing)")
    counts["a preset stored with its picture"] = hand.count

    hand = opened("map")
    hand.tap(page.locator("[data-address='/macro/1'].control"))
    page.wait_for_selector("[data-address='/macro/1'].learning")
    knob(shown, 21, range(0, 110, 6))
    wait(shown, lambda: [(b.control, b.to) for b in shown.show.mapping.learn.layer] == [("cc 1/21", "/macro/1")])
    counts["a MIDI knob bound"] = hand.count
    assert counts == {"a bend on a named cluster": 2, "an LFO on it": 2, "a preset stored with its picture": 1, "a MIDI knob bound": 1}
