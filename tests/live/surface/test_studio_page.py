"""The Studio in a real browser, with the real studio beside it: an edit painted and faded in, parts named, trainings told of."""
import base64
import http.client
import json

import numpy as np
import pytest

from engine import checkpoints, png
from engine.checkpoints import native
from live.instrument.folder import BUILT_IN
from live.surface.run_folder import RunFolder
from tests.conftest import tiny
from tests.live.surface.rig import Page, find_box, insist
from tests.live.surface.test_page import wait


@pytest.fixture
def studio(tmp_path):
    """A show whose network lies in a file, so that the studio can work with it."""
    native.save(tmp_path / "tiny.safetensors", tiny(), "float32")
    (tmp_path / "tiny").mkdir()
    page = Page(tmp_path / "tiny", checkpoint=tmp_path / "tiny.safetensors").run()
    yield page
    page.close()


def stroke(page, number=0):
    """One finger draws a line on one of the pictures."""
    find_box(page, ".brush canvas")
    box = page.locator(".brush canvas").nth(number).bounding_box()
    cdp = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4
    cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 9):
        cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + step * 12, "y": y + 4}]})
    cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(2500)                          # Chromium takes a tap within a flick's run as its end, and a script flicks fast


def test_an_edit_is_painted_and_faded_in_with_three_touches(studio, open_page):
    page = open_page(studio.url, view="studio")
    page.evaluate("() => { window.touches = 0; addEventListener('pointerdown', () => window.touches++, true); }")
    page.locator(".brush canvas").first.wait_for()
    stroke(page)
    page.get_by_role("button", name="Make it a fader").tap()
    fader = page.locator("[data-address='/edits/painted-1/strength']")
    fader.wait_for(timeout=180000)                       # the studio starts at low priority
    box = find_box(page, "[data-address='/edits/painted-1/strength']")
    cdp = page.context.new_cdp_session(page)
    points = [{"x": box["x"] + 40 + n * 12, "y": box["y"] + box["height"] / 2} for n in range(10)]

    def drag():
        cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
        for point in points[1:]:
            cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    missed = insist(page, drag, lambda: studio.show.scene["/edits/painted-1/strength"] > 0.5)
    assert page.evaluate("window.touches") == 3 + missed
    page.wait_for_function("() => { const one = document.querySelector('.result .effect img'); one.scrollIntoView(); return one.complete && one.naturalWidth > 4 * one.naturalHeight - 8; }", timeout=180000)


@pytest.fixture
def masks(tmp_path):
    """A show of the built-in instrument's network, small, in a folder without edits."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for name in ("generator.safetensors", "instrument.yaml"):
        (folder / name).symlink_to(BUILT_IN / name)
    page = Page(folder, checkpoint=folder, generator=checkpoints.load(folder / "generator.safetensors"), size=128).run()
    yield page
    page.close()


def draw(page, number, x, y):
    """The mouse paints a stroke on one of the pictures; x, y: where it begins, 0..1."""
    find_box(page, ".brush canvas")
    box = page.locator(".brush canvas").nth(number).bounding_box()
    at = lambda n: (box["x"] + box["width"] * (x + 0.015 * n), box["y"] + box["height"] * y)
    page.mouse.move(*at(0))
    page.mouse.down()
    for n in range(1, 13):
        page.mouse.move(*at(n))
    page.mouse.up()


def test_what_is_pasted_is_seen_where_it_was_painted(masks, open_page):
    page = open_page(masks.url, view="studio")
    asked = []
    page.on("request", lambda request: asked.append(request.post_data) if request.method == "POST" else None)
    page.locator(".brush canvas").nth(1).wait_for()
    draw(page, 0, 0.4, 0.42)                              # eyes are copied
    draw(page, 1, 0.42, 0.7)                              # below the mouth
    page.get_by_role("button", name="Make it a fader").click()
    page.locator("[data-address='/edits/painted-1/strength']").wait_for(timeout=180000)
    pasted = json.loads(asked[0])["request"]["paste"][0]
    mask = png.read(base64.b64decode(pasted["mask"].partition(",")[2]))[:, :, 0].reshape(128, 4, 128, 4).mean((1, 3)) > 127
    for address, value in (("/walk/kind", "hold"), ("/walk/seed", float(pasted["seed"])), ("/truncation", 1.0), ("/noise/strength", 0.0)):
        masks.rig.send(address, value)
    plain, changed = (shown_at(masks, strength) for strength in (0.0, 1.0))
    by = np.abs(changed - plain).mean(2)
    assert by[mask].mean() > 3 * by[~mask].mean() > 0


def shown_at(masks, strength):
    """The picture that plays with the painted edit at this strength."""
    masks.rig.send("/edits/painted-1/strength", strength)
    until = masks.show.meter.frames + 3
    wait(masks, lambda: masks.show.meter.frames >= until, seconds=120)
    assert masks.show.scene["/edits/painted-1/strength"] == strength
    return np.frombuffer(masks.rig.screen[-1], np.uint8).reshape(128, 128, 3).astype(float)


def test_the_mask_of_the_first_picture_counts_where_nothing_else_is_painted(studio, open_page):
    page = open_page(studio.url, view="studio")
    page.locator(".brush canvas").first.wait_for()
    asked = []
    page.on("request", lambda request: asked.append(request.post_data) if request.method == "POST" else None)
    stroke(page)
    page.get_by_role("button", name="Make it a fader").tap()
    page.locator(".job").or_(page.locator("[data-address='/edits/painted-1/strength']")).first.wait_for()
    request = json.loads(asked[0])["request"]
    masks = {place: png.read(base64.b64decode(request[place][0]["mask"].partition(",")[2])) for place in ("object", "paste", "key")}
    assert masks["object"].shape[:2] == (512, 512) and masks["object"][:, :, 0].max() == 255 and masks["object"][:, :, 0].mean() < 100
    assert all(np.array_equal(mask, masks["object"]) for mask in masks.values())
    assert request["object"][0]["seed"] != request["paste"][0]["seed"] == request["key"][0]["seed"]


def test_nothing_painted_is_said_and_nothing_is_asked(studio, open_page):
    page = open_page(studio.url, view="studio")
    page.get_by_role("button", name="Make it a fader").tap()
    page.get_by_text("Paint on picture 1").wait_for()
    assert studio.server.hub.state.read()["jobs"] == []


def test_painting_by_keyboard_undo_and_clear(studio, open_page):
    page = open_page(studio.url, view="studio")
    canvas = page.get_by_role("application", name="paint: copy this")
    canvas.focus()
    for key in ("ArrowLeft", "ArrowUp", "Space"):
        canvas.press(key)
    page.wait_for_function("() => document.querySelectorAll('.painthint').length === 2")
    page.get_by_role("button", name="copy this: undo").press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.painthint').length === 3")
    canvas.press("Enter")
    page.get_by_role("button", name="copy this: clear").press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.painthint').length === 3")


def test_a_part_is_named_by_two_touches(studio, open_page, tmp_path):
    studio.show.instrument.clusters.save(tmp_path / "tiny/clusters.yaml")
    page = open_page(studio.url, view="studio")
    page.get_by_role("button", name="Parts", exact=True).tap()
    page.get_by_role("button", name="part 3").tap()
    page.get_by_role("button", name="mouth", exact=True).tap()
    page.get_by_role("button", name="part mouth").wait_for(timeout=180000)
    wait(studio, lambda: "mouth" in studio.show.instrument.clusters["b16.conv1"])
    assert "mouth" in (tmp_path / "tiny/clusters.yaml").read_text()
    page.locator("#tab-bend").tap()
    page.get_by_role("button", name="b16.conv1").first.tap()
    page.get_by_role("button", name="cluster mouth").wait_for()


def test_a_mask_of_the_wrong_size_is_refused_with_a_sentence(studio):
    mask = "data:image/png;base64," + base64.b64encode(png.write(np.zeros((200, 300), np.uint8))).decode()
    job = {"kind": "solve", "name": "hats", "layer": "b16.conv1", "request": {"object": [{"seed": 1, "mask": mask}]}}
    connection = http.client.HTTPConnection("127.0.0.1", studio.server.port, timeout=60)
    connection.request("POST", "/api/jobs", json.dumps(job))
    answer = connection.getresponse()
    assert answer.status == 400 and json.loads(answer.read())["text"].startswith("what is copied: the mask is 300 x 200 px")
    assert studio.server.hub.state.read()["jobs"] == []


def test_a_training_is_told_of_with_its_curve_and_stopped_by_touch(studio, open_page, tmp_path):
    run = RunFolder(tmp_path / "tiny/runs/encoder b8.conv1")
    run.write(kind="encoder", layer="b8.conv1", of=100, state="runs", number=1)
    (run.path / "figures.csv").write_text("step,loss,held_picture\n" + "".join(f"{n},{1 / n},{1 / (41 - n)}\n" for n in range(1, 40)))
    (run.path / "sheet.png").write_bytes(png.write(np.full((16, 32), 90, np.uint8)))
    lock = run.lock()
    page = open_page(studio.url, view="studio")
    page.get_by_role("button", name="Train", exact=True).tap()
    card = page.get_by_role("article", name="training encoder b8.conv1")
    card.get_by_text("learns, step 39 of 100").wait_for()
    assert card.get_by_role("img", name="samples of encoder b8.conv1").evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 32
    page.wait_for_function("() => [...document.querySelector('canvas.curve').getContext('2d').getImageData(0, 0, 640, 180).data].some((v, n) => n % 4 === 0 && v > 200)")
    card.get_by_role("button", name="Stop").tap()
    wait(studio, lambda: run.is_to_stop)
    lock.close()
    run.write(state="stopped")
    card.get_by_role("button", name="Go on").wait_for()
