"""Kept latents on the page: photographs dropped there or chosen as files, in a real browser; their pictures; what is refused."""
import io
import json
import types
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
from PIL import Image

from engine import kept, look
from engine.checkpoints import native
from engine.kept import Kept
from engine.walks import Kept as Point
from live.instrument.finds import Finds
from live.instrument.found import read_found
from tests.conftest import tiny
from tests.engine.kept.test_kept import plus
from tests.live.surface.rig import Page
from tests.live.surface.test_page import wait


def make_photograph(seed=1, size=(60, 48), kind="PNG"):
    file = io.BytesIO()
    Image.fromarray((np.random.RandomState(seed).rand(size[1], size[0], 3) * 255).astype(np.uint8)).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def looks():
    return look.find(tiny(), None, seeds=16)


@pytest.fixture
def shown(tmp_path, monkeypatch, looks):
    """A show with a look and two kept latents, one of them a sequence without a picture."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    import torch

    network, folder = native.save(tmp_path / "net.safetensors", tiny(), "float32"), tmp_path / "net"
    look.save(folder / "look.safetensors", looks)
    own = native.generator_hash(tiny())
    kept.save(folder / "latents" / "dance.safetensors", Kept(torch.from_numpy(plus(3)), generator=own))
    kept.save(folder / "latents" / "face.safetensors", Kept(torch.from_numpy(plus(1)), generator=own, picture=torch.full((40, 30, 3), 200, dtype=torch.uint8)))
    page = Page(tmp_path, checkpoint=network)
    instrument = page.rig.instrument
    found = read_found(folder, instrument.generator, own)
    instrument.latents.kept = instrument.latents.prepare_kept(found.latents)
    opened = types.SimpleNamespace(found=found, instrument=instrument, generator=own, name="tiny",
                                   folder=types.SimpleNamespace(folder=folder, generator=network, whole=network))
    page.show.join(finds=Finds(page.show, opened))
    yield page.run()
    page.close()


def post(shown, data, name="a photo.png", role=""):
    request = urllib.request.Request(f"{shown.url}api/latents?name={urllib.parse.quote(name)}", data, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def place(shown):
    return shown.show.motion.place


def test_a_photograph_that_is_sent_is_gone_to(shown):
    assert post(shown, make_photograph(), "C:\\me\\My photo.PNG") == (200, {"name": "My-photo"})
    wait(shown, lambda: place(shown) == ((Point(("My-photo", 0)), 1.0),))
    with urllib.request.urlopen(f"{shown.url}api/thumb/latent/My-photo.jpg", timeout=60) as answer:
        picture = Image.open(io.BytesIO(answer.read()))
    assert picture.size == (48, 48) and answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("data, name, status, told", [(b"not a picture", "a.jpg", 400, "not added: not a picture that can be read"), (b"", "a.jpg", 400, "an empty file"),
                                                      (make_photograph()[:200], "../../etc/passwd", 400, "not added: not a picture")])
def test_what_is_no_photograph_is_said_at_once(shown, data, name, status, told, tmp_path):
    found, answer = post(shown, data, name)
    assert found == status and answer["text"].startswith(told) and str(tmp_path) not in answer["text"] and "/tmp" not in answer["text"]
    assert set(shown.show.finds.describe()["latents"]) == {"dance", "face"}


def test_a_page_that_may_only_watch_adds_nothing(tmp_path):
    shown = Page(tmp_path, surface_token="open-sesame", surface_watch_token="only-look").run()
    try:
        for token, status in (("only-look", 403), ("open-sesame", 400)):
            request = urllib.request.Request(f"{shown.url}api/latents", make_photograph(), {"Authorization": f"Bearer {token}"}, method="POST")
            with pytest.raises(urllib.error.HTTPError) as error:
                urllib.request.urlopen(request, timeout=60)
            assert error.value.code == status
    finally:
        shown.close()


def test_one_without_a_photograph_is_drawn_and_one_that_is_not_there_is_not(shown):
    with urllib.request.urlopen(f"{shown.url}api/thumb/latent/dance.jpg", timeout=200) as answer:
        assert Image.open(io.BytesIO(answer.read())).size == (32, 32)
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{shown.url}api/thumb/latent/gone.jpg", timeout=60)
    assert error.value.code == 404


DROP = """async ([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
    const target = document.getElementById('view');
    for (const kind of ['dragover', 'drop']) {
        target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
        if (kind === 'dragover') window.marked = document.body.classList.contains('dropping');
    }
}"""


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_dropped_on_the_page_or_chosen_with_a_finger(shown, open_page, size, tmp_path):
    page = open_page(shown.url, size, view="latent")
    page.get_by_role("button", name="kept latent face").wait_for()
    page.evaluate(DROP, ["dropped.png", list(make_photograph(1))])
    assert page.evaluate("window.marked && !document.body.classList.contains('dropping')")
    wait(shown, lambda: place(shown) == ((Point(("dropped", 0)), 1.0),))
    page.get_by_role("button", name="kept latent dropped").wait_for()
    (tmp_path / "chosen.jpg").write_bytes(make_photograph(2, kind="JPEG"))
    with page.expect_file_chooser() as chooser:
        button = page.get_by_role("button", name="+ photograph")
        button.tap()
    chooser.value.set_files(tmp_path / "chosen.jpg")
    wait(shown, lambda: place(shown) == ((Point(("chosen", 0)), 1.0),))
    tile = page.get_by_role("button", name="kept latent chosen")
    tile.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector(\"[aria-label='kept latent chosen'] img\").naturalWidth > 0", timeout=200_000)
    page.get_by_role("button", name="kept latent face").tap()
    wait(shown, lambda: place(shown) == ((Point(("face", 0)), 1.0),))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / f"latents-{size}.png")


def test_what_is_no_picture_is_said_on_the_band(shown, browser):
    page = browser.new_page()
    try:
        page.goto(shown.url)
        page.wait_for_selector("body:not(.away)", timeout=60_000)
        page.evaluate(DROP, ["words.png", [1, 2, 3]])
        page.wait_for_function("() => document.getElementById('band').textContent.startsWith('words.png: not added')", timeout=60_000)
    finally:
        page.close()
