"""What the page costs a show, and how soon it is heard: four pages with pictures, on and off in turns; touches; 300 controls.

    python run_live.py bench surface --size 256 --seconds 60

A real show plays in this process with its own page; the clients (tests/senders/surface_clients.py) are a process of their own,
each with a control socket, a picture at 30 fps that it acknowledges, and a fader it moves 60 times a second. They come for a second
and go for a second, in the order on, off, off, on, so that a busy machine is busy for both. The first part of each turn, in which they
join or leave, is not counted.

    on, off             the show's frame times; `p95_ratio` is what is aimed at: at most 1.1. On a machine that has other work the clients
                        take their part of it from the show; then loop_cpu_ms says more, the processor time of the loop's thread per frame
    surface_percent     of a core, by the threads that serve: the surface's own (aim: under 6), the encoder's, the echo's
    touch_to_frame_ms   a finger in Chromium -> the frame that shows it is out, at 60 fps (aim: p50 under 30). `fps` is what was
                        held: where frames take longer than 16 ms, take a small network: --instrument tiny. Its legs: page (the browser tells the
                        page, which sends), wire (until the show's inbox has it), waits (for the next frame to begin), frame
    page_ms             JavaScript's time for one turn of 300 new values, controls drawn (aim: p50 under 2)

Without Chromium and playwright the last two are null.
"""
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import types

from tests.bench.osc import with_idle_bends

CLIENTS = pathlib.Path(__file__).parents[1] / "senders" / "surface_clients.py"
FPS, TOUCH_FPS = 30, 60
SECONDS, TURN, JOINING = 30.0, 1.0, 0.5
TOUCHED = "/truncation"                                         # a fader of the Play view
ORDER = ("on", "off", "off", "on")
THREADS = ("surface", "preview", "echo")
TOUCHES, PAGE_TURNS, PAGE_VALUES = 150, 200, 300


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: instrument, size, seconds, device, threads, clients, all optional."""
    from engine import device
    from live.show.commands import load_commands

    load_commands()
    device.use_threads(options.get("threads"))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.001)                                 # as `play` does
    try:
        with tempfile.TemporaryDirectory() as folder, Playing(options, folder) as playing:
            figures = _in_turns(playing, options)
            figures |= _in_browser(playing, options)
    finally:
        sys.setswitchinterval(interval)
    return figures | {"clients": options.get("clients") or 4, "fps": FPS, "size": playing.show.instrument.size, "device": str(playing.show.instrument.device)}


class Playing:
    """A show with its page, ready to be played by whoever asks for frames."""

    def __init__(self, options, folder):
        from engine.instrument import Instrument
        from live.mapping.mapping import Mapping
        from live.show.loop import Show
        from live.show.parameters import add_parameters
        from live.surface import service
        from tests.bench._common import network

        self.closing, self.more = contextlib.ExitStack(), threading.Event()      # more: all the faders are wanted
        drawn = network(options.get("instrument") or "presets/masks", options.get("device") or "cpu")
        instrument = Instrument(drawn, options.get("size") or min(256, drawn.resolution))
        self.many = add_parameters(with_idle_bends(instrument))            # 300 faders, for the time that a page takes
        self.show = Show(instrument, Mapping(), add_parameters(instrument.scene()).set_values({"/walk/kind": "wander"}), strict=True)
        instrument.warm_up(self.show.scene)
        about = {"instrument": "bench", "fps": FPS, "late": lambda: 0, "size": lambda: instrument.size, "folder": folder, "checkpoint": ""}
        flags = types.SimpleNamespace(surface_port=0, surface_host="127.0.0.1", surface_token="", surface_watch_token="", surface_name=[], surface_cert=None,
                                      surface_key=None, no_browser=True)
        self.server = service.start_surface(self.show, flags, self.closing, about)
        self.url = f"http://127.0.0.1:{self.server.port}/"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closing.close()
        self.show.close()

    def play(self, seconds, fps=FPS) -> list[tuple[float, float]]:
        """Play for so long; returns for each frame how many milliseconds it took, and how many of them its thread had the processor."""
        from live.show.clock import WallClock, limit_ticks

        taken = []
        for tick in limit_ticks(WallClock(fps).ticks(), seconds=seconds):
            start, spent = time.perf_counter(), time.thread_time()
            self.show.frame(tick)
            taken.append(((time.perf_counter() - start) * 1000, (time.thread_time() - spent) * 1000))
        return taken


def _in_turns(playing, options) -> dict:
    clients = subprocess.Popen([sys.executable, str(CLIENTS), "--port", str(playing.server.port), "--count", str(options.get("clients") or 4)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    frames, spent, served, counts = {"on": [], "off": []}, dict.fromkeys(THREADS, 0.0), 0.0, []
    end, turn = time.perf_counter() + (options.get("seconds") or SECONDS), 0
    playing.play(JOINING)
    try:
        while turn % len(ORDER) or time.perf_counter() < end:
            part = ORDER[turn % len(ORDER)]
            clients.stdin.write(f"{part}\n")
            clients.stdin.flush()
            playing.play(JOINING)
            start, before = time.perf_counter(), _processor()
            frames[part].append(playing.play(TURN))
            if part == "on":
                served += time.perf_counter() - start
                spent = {name: spent[name] + after - before[name] for name, after in _processor().items()}
            turn += 1
        clients.stdin.close()
        counts = [json.loads(line) for line in clients.stdout]
    finally:
        clients.kill()
        clients.wait()
    pooled, busy = ({part: sorted(one[n] for taken in turns for one in taken) for part, turns in frames.items()} for n in (0, 1))
    return {**{part: {"frames": len(taken), **{f"p{p}_ms": round(_percentile(taken, p), 2) for p in (50, 95, 99)},
                      "loop_cpu_ms": round(_percentile(busy[part], 50), 2)} for part, taken in pooled.items()},
            **{f"p{p}_ratio": round(_percentile(pooled["on"], p) / _percentile(pooled["off"], p), 3) for p in (50, 95)},
            "surface_percent": {name: round(100 * seconds / served, 2) for name, seconds in spent.items()},
            "pictures_a_second_and_client": round(counts[-1]["pictures"] / (len(frames["on"]) * (TURN + JOINING)) / (options.get("clients") or 4), 1)}


def _processor() -> dict:
    """Seconds of processor time so far, by thread."""
    clock = getattr(time, "pthread_getcpuclockid", None)
    running = {thread.name: thread for thread in threading.enumerate()}
    return {name: time.clock_gettime(clock(running[name].ident)) if clock and name in running else 0.0 for name in THREADS}


def _percentile(ordered, p):
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]


# -- in a real browser

def _in_browser(playing, options) -> dict:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        return {"touch_to_frame_ms": None, "page_ms": None}
    found, out = {}, Trace(playing.show)
    playing.show.outputs.append(out)
    playing.show.inbox = Heard(out, playing.show.inbox)  # before the page joins, which takes its way into the show then
    finger = threading.Thread(target=_touch, args=(sync_playwright, chromium, playing, found, options), daemon=True)
    finger.start()
    while finger.is_alive():
        playing.play(0.5, TOUCH_FPS)
        if playing.more.is_set() and playing.show.scene.parameters.keys() != playing.many.parameters.keys():
            playing.show.scene = playing.many
    page = sorted(found.get("page", ()))
    return {"touch_to_frame_ms": out.measure(found.get("touches", ())),
            "page_ms": {f"p{p}": round(_percentile(page, p), 2) for p in (50, 95)} | {"values": found["values"]} if page else None}


class Trace:
    """An output that notes when a value of the fader came in, and was first in a frame that is out: milliseconds since the epoch."""
    name, dropped = "bench", 0

    def __init__(self, show):
        self.show, self.begun = show, 0.0
        self.came, self.shown, self.frames = {}, {}, []

    def put(self, frame):
        """Take a frame that is out."""
        self.frames.append(_moment())
        self.shown.setdefault(_key(self.show.scene[TOUCHED]), (self.begun, self.frames[-1]))

    def measure(self, touches) -> dict | None:
        """Return how long the ways of touches were: percentiles of the whole, medians of its parts. touches: (value, when it was made, when it was sent)."""
        ways = [(at, sent, self.came[key], *self.shown[key]) for value, at, sent in touches if (key := _key(value)) in self.came and key in self.shown]
        if not ways:
            return None
        spans = {name: sorted(way[end] - way[begin] for way in ways) for name, begin, end in
                 (("whole", 0, 4), ("page", 0, 1), ("wire", 1, 2), ("waits", 2, 3), ("frame", 3, 4))}
        fps = 1000 * (len(self.frames) - 1) / (self.frames[-1] - self.frames[0])
        return {f"p{p}": round(_percentile(spans["whole"], p), 1) for p in (50, 95)} | {"touches": len(ways), "fps": round(fps, 1),
                "legs": {name: round(_percentile(spans[name], 50), 1) for name in ("page", "wire", "waits", "frame")}}


class Heard:
    """A show's inbox that tells a Trace when what is touched comes in, and when a frame begins."""

    def __init__(self, trace, inbox):
        self.trace, self.inbox = trace, inbox

    def put(self, item):
        for event in item if isinstance(item, list) else (item,):
            if getattr(event, "control", "") == f"osc {TOUCHED}":
                self.trace.came.setdefault(_key(event.value), _moment())
        self.inbox.put(item)

    def get_nowait(self):
        self.trace.begun = _moment()
        return self.inbox.get_nowait()


def _moment() -> float:
    return time.time() * 1000


def _key(value) -> float:
    return round(value, 6)


WATCH = """async () => {
    const store = await import('/store.js'), { link } = await import('/link.js'), send = link.socket.send.bind(link.socket);
    window.touches = [];
    let at = 0, value = 0;
    for (const kind of ['pointermove', 'pointerrawupdate']) addEventListener(kind, (event) => { at = event.timeStamp; }, true);
    store.subscribe('/truncation', (now) => { value = now; });
    link.socket.send = (data) => {
        if (typeof data !== 'string') window.touches.push([Math.fround(value), performance.timeOrigin + at, performance.timeOrigin + performance.now()]);
        send(data);
    };
}"""

TURNS = """async ([turns, most]) => {
    const osc = await import('/osc.js'), store = await import('/store.js'), curves = await import('/curves.js');
    const shown = new Set([...document.querySelectorAll('lj-fader')].map((e) => e.dataset.address));
    const addresses = [...shown].filter((a) => !store.parameters.get(a).step).slice(0, most), spent = [];
    for (let turn = 0; turn < turns; turn += 1) {
        const packet = osc.bundle(addresses.map((a, n) => [a, curves.plain(store.parameters.get(a), ((turn * 7 + n) % 100) / 100)]));
        const data = packet.buffer ? packet.buffer.slice(packet.byteOffset, packet.byteOffset + packet.byteLength) : packet;
        await new Promise(requestAnimationFrame);
        const start = performance.now();
        osc.read(data, store.receive);
        spent.push(performance.now() - start);
    }
    return [addresses.length, spent];
}"""


def _touch(sync_playwright, chromium, playing, found, options):
    """A finger on a fader, and the time that 300 controls take. In a thread: frames go on meanwhile."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True).new_page()
        page.goto(f"{playing.url}#play")
        track = page.locator(f"[data-address='{TOUCHED}'] .track").first
        track.wait_for()
        page.evaluate(WATCH)
        box, cdp = track.bounding_box(), page.context.new_cdp_session(page)
        at = {"x": box["x"] + 10, "y": box["y"] + box["height"] - 10, "id": 0}
        cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        for step in range(options.get("touches") or TOUCHES):
            y = at["y"] - 20 - 200 * abs((step / 40) % 2 - 1)
            cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [dict(at, y=y + step / 10)]})
            page.wait_for_timeout(1000 / 60)
        cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        found["touches"] = page.evaluate("window.touches")
        playing.more.set()
        page.click("#tab-all")
        page.wait_for_function(f"() => document.querySelectorAll('.scroll lj-fader').length >= {PAGE_VALUES}")
        found["values"], found["page"] = page.evaluate(TURNS, [options.get("turns") or PAGE_TURNS, PAGE_VALUES])
        browser.close()
