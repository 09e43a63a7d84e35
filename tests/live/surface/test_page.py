"""The page in a real browser: what is on it, what fingers do, what happens when the show goes and comes back."""
import hashlib
import json
import pathlib
import re

import pytest

from engine.parameter import Parameter
from live.mapping.binding import Binding
from live.show.commands import COMMANDS
from live.show.events import ControlEvent
from tests.live.surface.conftest import SIZES
from tests.live.surface.rig import Page, find_box, furnish, insist

PAGE = pathlib.Path(__file__).parents[3] / "live/surface/page"
VIEWS = ("play", "all", "bend", "edit", "latent", "mod", "sound", "map", "show", "studio")
VENDORED = {
    "lit-html.js": "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2",
    "directive.js": "3344c4f41c69cd0701d3937e8f9ef90bd845614bf6456d0b8314b7c51d415b9d",
    "directive-helpers.js": "f7fb1154b8f72ed2cc08b05eaeed71c99270e9ad2d48620ed24688a1af4c2b62",
    "directives/repeat.js": "083140026ecd8665fedd15b17769f9d516252a9f1502f1e91e6967686ee82626",
}


def test_what_was_taken_from_others_is_unchanged():
    folder = PAGE / "vendor/lit-html"
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in VENDORED} == VENDORED
    assert "BSD" in (folder / "LICENSE").read_text()


def test_files_of_the_page_stay_short_and_write_no_markup():
    for path in (p for p in PAGE.rglob("*.js") if "vendor" not in p.parts):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")       # a name, which nobody fetches
        assert len(text.splitlines()) <= 300 and not re.search(r"innerHTML|eval\(|https?://|style=", text), path


def expected_kind(p: Parameter):
    if p.size:
        return "lj-vector"
    if p.choices:
        return "lj-choice"
    if p.step == 1 and p.high > 2 ** 24:
        return "lj-seed"
    if p.step == 1 and (p.low, p.high) == (0, 1):
        return "lj-toggle"
    return "lj-ring" if p.curve == "circular" else "lj-fader"


def test_every_address_and_command_has_its_control(shown, open_page):
    page = open_page(shown.url, view="all")
    page.wait_for_function("([controls, commands]) => document.querySelectorAll('.scroll [data-address]').length === controls && document.querySelectorAll('[data-command]').length === commands",
                           arg=[len(shown.show.scene.parameters), len(COMMANDS)])
    tags = dict(page.eval_on_selector_all(".scroll [data-address]", "all => all.map(e => [e.dataset.address, e.localName])"))
    assert tags == {address: expected_kind(p) for address, p in shown.show.scene.parameters.items()}
    found = page.eval_on_selector_all("[data-command]", """all => all.map(e => [e.dataset.command, [...e.querySelectorAll('input')].map(i => i.placeholder.replace('?', '')),
        e.querySelector('button').classList.contains('guarded')])""")
    assert {command: fields for command, fields, _ in found} == {command: [a for a in c.arguments if a != "on"] for command, c in COMMANDS.items()}
    assert {"/quit", "/panic", "/preset/delete", "/take/stop"} <= {command for command, _, guarded in found if guarded}
    shown.rig.send("/bends/add", "turn", "b16.conv1", "eyes", "rotate", 0.0)
    page.wait_for_selector(".scroll lj-ring[data-address='/bends/turn/angle']")
    shown.rig.send("/bends/remove", "turn")
    page.wait_for_selector("[data-address='/bends/turn/angle']", state="detached")


def test_a_number_with_a_name_is_shown_and_typed_by_it(shown, open_page):
    page = open_page(shown.url, view="sound")
    fader = page.locator("[data-address='/tempo/ahead'].control")
    fader.scroll_into_view_if_needed()
    page.wait_for_selector("[data-address='/tempo/ahead'].control[aria-valuetext=auto] >> text=auto")
    fader.press("Enter")
    field = page.get_by_label("/tempo/ahead, value")
    wait(shown, lambda: field.input_value() == "auto")
    for typed, value in (("20", 20.0), ("Auto", -1.0)):
        field.fill(typed)
        field.press("Tab")
        wait(shown, lambda: shown.show.scene["/tempo/ahead"] == value)


def test_curves_are_the_engines_own(shown, open_page):
    page = open_page(shown.url)
    parameters = {a: p for a, p in shown.show.scene.parameters.items() if not p.size}
    shown.rig.send("/modulators/add", "m", "/truncation", "sine", 0.1)
    parameters |= {f"test {n}": p for n, p in enumerate((Parameter(1.0, 0.01, 30.0, curve="log"), Parameter(0.0, -180.0, 180.0, curve="circular"),
                                                        Parameter(3.0, 0.0, 10.0, step=0.5), Parameter(0.0, 0.0, 600.0, curve="square")))}
    rows = {a: [p.plain(n / 100) for n in range(101)] for a, p in parameters.items()}
    declared = {a: dict(low=p.low, high=p.high, curve=p.curve, step=p.step, choices=list(p.choices), size=0, default=p.default) for a, p in parameters.items()}
    page.evaluate("(d) => { window.__declared = JSON.parse(d); }", json.dumps(declared))
    found = page.evaluate("""async () => {
        const curves = await import('/curves.js'), out = {};
        for (const [a, p] of Object.entries(window.__declared)) {
            out[a] = [];
            for (let n = 0; n <= 100; n++) { const v = curves.plain(p, n / 100); out[a].push([v, curves.normalized(p, v)]); }
        }
        return out; }""")
    for address, p in parameters.items():
        for mine, (plain, normalized) in zip(rows[address], found[address]):
            if p.choices:
                assert plain == mine
            else:
                assert plain == pytest.approx(mine, abs=1e-6 * max(1, abs(p.high))) and normalized == pytest.approx(p.normalized(mine), abs=1e-6)


def test_two_fingers_on_two_faders(shown, open_page):
    for n, target in ((1, "/truncation"), (2, "/walk/speed")):
        shown.rig.send("/macro/target", n, target)
    page = open_page(shown.url, view="play")
    page.locator("[data-address='/macro/2']").wait_for()
    boxes = [find_box(page, f"[data-address='/macro/{n}'] .track") for n in (1, 2)]
    page.evaluate("() => { window.cancels = 0; addEventListener('pointercancel', () => window.cancels++, true); }")
    cdp = page.context.new_cdp_session(page)
    points = [{"x": b["x"] + 10, "y": b["y"] + b["height"] - 10, "id": n} for n, b in enumerate(boxes)]

    def drag():
        cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
        for step in range(1, 13):
            cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [dict(p, y=p["y"] - 10 * step) for p in points]})
        cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    insist(page, drag, lambda: page.evaluate("() => [1, 2].every(n => Number(document.querySelector(`[data-address='/macro/${n}']`).getAttribute('aria-valuenow')) > 0.3)"))
    assert page.evaluate("[window.cancels, scrollY]") == [0, 0]
    wait(shown, lambda: all(shown.show.scene[f"/macro/{n}"] > 0.3 for n in (1, 2)))


def wait(shown, holds, seconds=180.0):
    import threading
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen")


def test_keys_double_tap_and_undo(shown, open_page):
    page = open_page(shown.url, view="all")
    fader = page.get_by_role("slider", name="/truncation", exact=True)
    before = shown.show.scene["/truncation"]
    default = shown.show.scene.parameters["/truncation"].default
    page.wait_for_function("(before) => Math.abs(document.querySelector(\".scroll [data-address='/truncation']\").getAttribute('aria-valuenow') - before) < 1e-3", arg=before)
    fader.press("PageUp")
    wait(shown, lambda: shown.show.scene["/truncation"] > before)
    once = shown.show.scene["/truncation"]
    fader.press("PageUp")
    wait(shown, lambda: shown.show.scene["/truncation"] > once)
    later = shown.show.meter.frames + 60                 # two seconds of the show: another step than the keys
    wait(shown, lambda: shown.show.meter.frames > later)
    insist(page, fader.dblclick, lambda: abs(shown.show.scene["/truncation"] - default) < 1e-6)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo", exact=True).click()
    wait(shown, lambda: abs(shown.show.scene["/truncation"] - default) > 1e-3)


def test_an_address_followed_in_an_open_page(shown, open_page):
    page = open_page(shown.url, view="play")
    page.evaluate("location.hash = '#map'")
    page.wait_for_selector("#tab-map[aria-selected=true]")
    page.evaluate("location.hash = '#no-view-and-no-token'")
    page.wait_for_function("() => location.hash === ''")
    assert page.locator("#tab-map[aria-selected=true]").count() == 1


def test_learn_by_touching(shown, open_page):
    page = open_page(shown.url, view="map")
    page.get_by_role("button", name="truncation").click()
    page.locator("[data-address='/truncation']").click()
    page.wait_for_selector("[data-address='/truncation'].learning")
    for value in range(0, 100, 8):
        shown.show.inbox.put(ControlEvent("cc 1/70", value / 127))
    page.wait_for_function("() => document.querySelector(\"[data-address='/truncation'] .badge\").textContent.includes('cc 1/70')")
    page.get_by_role("button", name="take back").click()
    page.wait_for_function("() => !document.querySelector(\"[data-address='/truncation'] .badge\").textContent.includes('cc 1/70')")


def test_a_show_that_goes_and_comes_back(tmp_path, open_page):
    first = Page(tmp_path).run()
    page = open_page(first.url)
    port = first.server.port
    first.close()
    page.wait_for_selector("body.away")
    page.locator(".freeze").dispatch_event("pointerdown")
    again = Page(tmp_path, surface_port=port).run()
    try:
        page.wait_for_selector("body:not(.away)")
        page.wait_for_function("() => document.querySelectorAll('[data-address]').length > 5")
        assert again.show.scene["/output/freeze"] == 0.0
    finally:
        page.context.close()
        again.close()


def test_a_preset_is_stored_recalled_and_pictured_by_touch(shown, open_page):
    page = open_page(shown.url)
    page.get_by_role("button", name="store what plays").click()
    look = page.get_by_role("button", name="look look 001")
    look.wait_for()
    page.wait_for_selector(".look.current img")
    shown.rig.send("/truncation", 0.1)
    wait(shown, lambda: abs(shown.show.scene["/truncation"] - 0.1) < 1e-6)
    look.click()
    wait(shown, lambda: abs(shown.show.scene["/truncation"] - 0.1) > 1e-3)


def test_a_bend_on_a_named_cluster_in_two_touches(shown, open_page):
    page = open_page(shown.url, view="bend")
    page.get_by_role("button", name="cluster eyes").click()
    page.get_by_role("button", name="add invert").click()
    wait(shown, lambda: [b.name for b in shown.show.scene.bends] == ["eyes-invert"])
    page.wait_for_selector("[data-address='/bends/eyes-invert/mix']")


def test_a_modulator_in_one_touch_and_its_trace(shown, open_page):
    page = open_page(shown.url, view="mod")
    page.get_by_role("button", name="Modulate").click()
    wait(shown, lambda: len(shown.show.scene.modulators) == 1)
    page.wait_for_selector("canvas.trace")


def test_names_are_text_and_nothing_else(shown, open_page):
    shown.show.mapping.learn.keep(Binding(control="osc /<script>alert(1)</script>", to="/truncation"))
    shown.show.mapping.rebind()
    shown.rig.send("/bends/add", "<img src=x onerror=alert(1)>", "b16.conv1", "all", "invert", 0.0)
    page = open_page(shown.url, view="map")
    for view in VIEWS:
        page.click(f"#tab-{view}")
    assert page.locator("script:not([src]), img[src=x]").count() == 0


def test_the_picture_is_drawn_and_its_numbers_rise(shown, open_page):
    page = open_page(shown.url)
    page.wait_for_function("() => Number(document.getElementById('preview').dataset.number) > 0")
    first = page.evaluate("Number(document.getElementById('preview').dataset.number)")
    page.wait_for_function(f"() => Number(document.getElementById('preview').dataset.number) > {first + 3}")


def test_a_page_that_is_only_to_watch_moves_nothing(tmp_path, open_page):
    shown = Page(tmp_path, surface_token="open-sesame", surface_watch_token="only-look").run()
    try:
        page = open_page(shown.url, view="only-look")
        page.wait_for_selector("body.watch")
        assert "only-look" not in page.url
        before = shown.show.scene["/truncation"]
        page.click("#tab-all")
        page.get_by_role("slider", name="/truncation", exact=True).press("PageDown")
        page.get_by_role("slider", name="/truncation", exact=True).press("PageDown")
        later = shown.show.meter.frames + 20
        wait(shown, lambda: shown.show.meter.frames > later)
        assert shown.show.scene["/truncation"] == before
        page.context.close()
    finally:
        shown.close()


@pytest.mark.parametrize("size", SIZES)
def test_every_view_has_names_targets_and_stays_inside(shown, open_page, size, tmp_path):
    furnish(shown)
    page = open_page(shown.url, size)
    for view in VIEWS:
        page.evaluate(f"document.getElementById('tab-{view}').click()")
        page.wait_for_selector(f".view-{view} > *")
        page.screenshot(path=tmp_path / f"{view}-{size}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        assert page.evaluate("(() => { const view = document.getElementById('view'); return view.scrollWidth <= view.clientWidth; })()"), view
        faults = page.evaluate("""() => [...document.querySelectorAll('button, input, select, [role=slider], [role=switch], lj-pad')].filter(e => e.offsetParent).flatMap(e => {
            const box = e.getBoundingClientRect(), name = (e.getAttribute('aria-label') || e.textContent || e.placeholder || '').trim(), out = [];
            if (!name) out.push('no name: ' + e.outerHTML.slice(0, 120));
            if (e.localName === 'button' && e.scrollWidth > e.clientWidth + 1) out.push('clipped: ' + e.outerHTML.slice(0, 120));
            const card = e.closest('.card')?.getBoundingClientRect();
            if (card && box.right > card.right + 1) out.push('over the edge: ' + e.outerHTML.slice(0, 120));
            if (box.width < 43.5 || box.height < 43.5) out.push(`${box.width}x${box.height}: ` + e.outerHTML.slice(0, 120));
            return out; })""")
        assert not faults, (view, faults[:5])


def luminance(colour):
    parts = [int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_the_palette_can_be_read():
    found = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", (PAGE / "style.css").read_text()))
    for name in ("text", "quiet", "amber", "cyan", "green", "violet", "red"):
        for ground in ("ground", "panel", "raised"):
            assert (luminance(found[name]) + 0.05) / (luminance(found[ground]) + 0.05) >= 4.5, (name, ground)
