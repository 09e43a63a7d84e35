"""Take the pictures of the page: each view of a show that plays, at the size of a laptop and of a phone.

    python docs/pictures/surface.py
    python docs/pictures/surface.py --all FOLDER [VIEW ...]

Plays a copy of the built-in instrument in a folder of its own, and opens its page in Chromium. Without --all the pictures of
docs/surface.md and of the README are written; with it every view at both sizes, as PNG, to look at.
"""
import argparse
import contextlib
import io
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave

from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(__file__).parent
DRAWN = "() => ![...document.querySelectorAll('lj-pic:not(.there) img')].some((one) => one.getBoundingClientRect().top < innerHeight && one.offsetParent)"
SIZES = {"laptop": (1280, 800), "tablet": (820, 1180), "phone": (390, 844)}
PHONE = ("play", "bend", "studio")           # of whose pictures on a phone the docs make use
SCENERY = [("/preset/recall", "dream", 0), ("/preset/cue", "totem"), ("/bends/add", "eyes-scale", "b32.conv1", "eyes", "scale", 0.6),
           ("/modulators/add", "breath", "/truncation", "sine", 0.2), ("/modulators/add", "drift", "/noise/strength", "random", 0.3)]


@contextlib.contextmanager
def playing():
    """Play a copy of the built-in instrument; yields the address of its page, and a folder for what else is needed."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        copy = pathlib.Path(folder) / "masks"
        shutil.copytree(ROOT / "presets/masks", copy)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        show = subprocess.Popen([sys.executable, str(ROOT / "run_live.py"), "--instrument", str(copy), "--output", "null", "--osc-port", "0", "--size", "256",
                                 "--surface-port", str(port), "--no-browser", "--threads", "1", "--fps", "8"], cwd=folder)
        try:
            url = f"http://127.0.0.1:{port}/"
            for _ in range(600):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(url, timeout=1).close()
                    break
                time.sleep(0.1)
            yield url, pathlib.Path(folder)
        finally:
            show.terminate()
            show.wait(20)


def furnish(page):
    """Have something of each kind there."""
    page.evaluate("async (calls) => { const { call } = await import('/store.js'); for (const one of calls) await call(...one); }", SCENERY)


def paint(page):
    """Paint a crown's worth on the first picture, so that one sees how."""
    page.wait_for_selector(".brush canvas")
    box = page.locator(".brush canvas").first.bounding_box()
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.27
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(x + step * box["width"] * 0.034, y - (3 if step % 2 else 0))
    page.mouse.up()


def hear(page, folder):
    """Play a song to the show, and bind the truncation to its bass by three touches."""
    sys.path.insert(0, str(ROOT))
    from tests.engine.hearing.songs import FOUR, played

    song = played(FOUR, 124.0, 90.0, seed=1)
    with wave.open(str(folder / "song.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(song.rate)
        file.writeframes((song.samples * 32767).astype("<i2").tobytes())
    page.evaluate("async (path) => { const { call } = await import('/store.js'); await call('/audio/input', path); }",
                  str(folder / "song.wav"))
    for name in ("truncation", "low", "+0.25"):
        page.get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_timeout(9000)


def shots(page, views, take, folder):
    """Open each view and take(view, PNG) it once its pictures are there."""
    from playwright.sync_api import TimeoutError

    for view in views:
        page.evaluate("(name) => document.getElementById(`tab-${name}`).click()", view)
        if view == "studio":
            paint(page)
        if view == "sound":
            hear(page, folder)
        with contextlib.suppress(TimeoutError):
            page.wait_for_function(DRAWN, timeout=90000)
        page.wait_for_timeout(8000 if view == "mod" else 1500)
        take(view, page.screenshot())


def written(size):
    """Return what writes the pictures of the docs: a JPEG of each view of a laptop, of some of a phone."""
    def take(view, png):
        name = f"surface-{view}.jpg" if size == "laptop" else f"surface-phone-{view}.jpg"
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        if size == "laptop":
            picture = picture.resize((1024, 640), Image.Resampling.LANCZOS)
        picture.save(HERE / name, quality=80, optimize=True)
    return take


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("views", nargs="*", default=[])
    parser.add_argument("--all", metavar="FOLDER")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with playing() as (url, folder), sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for size, (width, height) in SIZES.items():
            if size == "tablet" and not options.all:     # to look at only
                continue
            context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True, is_mobile=size == "phone")
            page = context.new_page()
            page.goto(url)
            page.wait_for_selector("body:not(.away)")
            if size == "laptop":
                furnish(page)
            kept = lambda view, png, size=size: (pathlib.Path(options.all) / f"{view}-{size}.png").write_bytes(png)
            every = page.eval_on_selector_all("[role=tab]", "all => all.map((one) => one.id.slice(4))")
            shots(page, options.views or (every if options.all or size == "laptop" else PHONE), kept if options.all else written(size), folder)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
