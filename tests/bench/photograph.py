"""A photograph dropped on the page in Chromium: how soon it is a kept latent there, with its picture.

    python run_live.py bench photograph --size 256

A real show, started as a user starts it, in a process of its own, on a copy of the instrument; its page in Chromium, the view Latent. A photograph is dropped
DROPS times, under another name each time. `tile`: seconds until the page shows a tile with its picture (aim: 3). Null where there is no Chromium or playwright.
"""
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from tests.bench import _common

DROPS, PATIENCE = 5, 120.0
DROP = """async ([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/jpeg' }));
    const target = document.getElementById('view');
    for (const kind of ['dragover', 'drop']) target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
HAS_PICTURE = """(name) => document.querySelector(`[aria-label='kept latent ${name}'] img`)?.naturalWidth > 0"""


def bench(options: dict) -> dict:
    """{"tile": {"p50", "most"}, "drops", "photograph"}; options: instrument, size, threads."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        return {"tile": None, "why": "no Chromium, or no playwright"}
    photograph = _find_photograph()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tools:
        port, show = _start_show(options, pathlib.Path(folder))
        browser = tools.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/#latent")
            page.wait_for_selector("body:not(.away)", timeout=PATIENCE * 1000)
            took = [_drop(page, photograph, f"dropped-{n}") for n in range(DROPS)]
        finally:
            browser.close()
            show.terminate()
            show.wait()
    figures = {"tile": {"p50": round(statistics.median(took), 2), "most": round(max(took), 2), "first": round(took[0], 2)}, "drops": DROPS, "photograph": photograph.name}
    return figures | {"machine": _common.machine()}


def _find_photograph() -> pathlib.Path:
    import matplotlib

    return pathlib.Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def _start_show(options, folder):
    """Start a show on a copy of the instrument; return (the port of its page, the process) once the page answers."""
    copy = shutil.copytree(options.get("instrument") or "presets/masks", folder / "instrument")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--instrument", str(copy), "--size", str(options.get("size") or 256), "--output", "null", "--osc-port", "0", "--midi-ports", "none",
             "--surface-port", str(port), "--no-browser"]
    words += ["--threads", str(options["threads"])] if options.get("threads") else []
    show = subprocess.Popen([sys.executable, "run_live.py", *words], cwd=_common.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and show.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
            return port, show
        except OSError:
            time.sleep(0.1)
    show.kill()
    raise RuntimeError(f"the show did not open its page within {PATIENCE:g} s; exit status {show.wait()}")


def _drop(page, photograph, name) -> float:
    """Drop the photograph under a name; return seconds until its tile shows it."""
    start = time.perf_counter()
    page.evaluate(DROP, [f"{name}.jpg", list(photograph.read_bytes())])
    page.wait_for_function(HAS_PICTURE, arg=name, timeout=PATIENCE * 1000)
    return time.perf_counter() - start
