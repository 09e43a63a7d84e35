"""The page for everybody: by keyboard alone, to those who hear it, without motion, from another machine over plain http."""

import pytest

from live.surface.service import _own_address
from tests.live.surface.rig import Page
from tests.live.surface.test_page import VIEWS, wait

ROLES = {"tab", "button", "slider", "switch", "radio", "combobox", "ComboBox", "textbox", "searchbox", "spinbutton", "application", "group", "link", "menuitem", "option", "listbox",
         "main", "RootWebArea", "MenuListPopup", "radiogroup"}


def furnish(shown):
    """Have something of each kind on every view."""
    shown.rig.send("/bends/add", "turn", "b16.conv1", "eyes", "rotate", 0.0)
    shown.rig.send("/modulators/add", "swell", "/truncation", "sine", 0.2)
    shown.rig.send("/preset/store", "first")


@pytest.mark.parametrize("view", VIEWS)
def test_whatever_can_be_focused_has_a_role_and_a_name(shown, open_page, view):
    furnish(shown)
    page = open_page(shown.url, view=view)
    page.wait_for_selector(f".view-{view} > *")
    page.wait_for_timeout(300)
    cdp = page.context.new_cdp_session(page)
    nodes = cdp.send("Accessibility.getFullAXTree")["nodes"]
    focusable = [n for n in nodes if not n["ignored"] and any(p["name"] == "focusable" and p["value"].get("value") for p in n.get("properties", ()))]
    assert len(focusable) > 15
    faults = [(n["role"]["value"], n.get("name", {}).get("value")) for n in focusable
              if n["role"]["value"] not in ROLES or not n.get("name", {}).get("value") and n["role"]["value"] not in ("main", "RootWebArea", "MenuListPopup")]
    assert not faults, faults[:8]
    sliders = [n for n in nodes if n.get("role", {}).get("value") == "slider" and not n["ignored"]]
    assert all({"valuemin", "valuemax"} <= {p["name"] for p in n.get("properties", ())} for n in sliders)


def tab_to(page, name, most=260):
    """Press Tab until what has this name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate("() => { const e = document.activeElement; return (e.getAttribute('aria-label') || e.textContent || '').trim(); }")
        if found == name:
            return
    raise AssertionError(f"Tab never comes to {name}")


def test_a_set_is_played_by_keyboard_alone(shown, open_page):
    page = open_page(shown.url)
    page.get_by_role("button", name="store what plays").wait_for()
    tab_to(page, "Play")
    tab_to(page, "store what plays")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="look look 001").wait_for()
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "Play")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".view-bend")
    tab_to(page, "cluster eyes")
    page.keyboard.press("Space")
    tab_to(page, "add invert")
    page.keyboard.press("Enter")
    wait(shown, lambda: [b.name for b in shown.show.scene.bends] == ["eyes-invert"])
    page.locator("[data-address='/bends/eyes-invert/mix']").wait_for()
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "/bends/eyes-invert/mix")
    page.keyboard.press("End")
    wait(shown, lambda: shown.show.scene["/bends/eyes-invert/mix"] == 1.0)
    page.keyboard.press("Enter")
    page.locator("#sheet:not([hidden])").wait_for()
    assert page.evaluate("document.querySelector('#sheet').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.wait_for_selector("#sheet", state="hidden")
    assert page.evaluate("document.activeElement.dataset.address") == "/bends/eyes-invert/mix"
    tab_to(page, "FREEZE")
    page.keyboard.press("Enter")
    wait(shown, lambda: shown.show.scene["/output/freeze"] == 1.0)


def test_each_control_says_its_own_sentence(shown, open_page):
    page = open_page(shown.url, view="all")
    page.locator("[data-address='/truncation']").wait_for()
    abouts = {address: p.about for address, p in shown.show.scene.parameters.items()}
    titles = dict(page.eval_on_selector_all(".scroll [data-address]", "all => all.map(e => [e.dataset.address, e.title])"))
    assert titles == abouts and all(abouts.values())
    page.get_by_role("slider", name="/truncation", exact=True).press("Enter")
    assert abouts["/truncation"] in page.locator("#sheet").inner_text()


def test_a_hold_shows_the_sentence_and_moves_nothing(shown, open_page):
    page = open_page(shown.url, view="all")
    for address in ("/truncation", "/output/freeze", "/walk/unit"):
        control = page.locator(f".scroll [data-address='{address}']")
        control.scroll_into_view_if_needed()
        before = shown.show.scene[address]
        box = control.bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 12)
        page.mouse.down()
        page.locator("#sheet:not([hidden])").wait_for()
        page.mouse.up()
        assert shown.show.scene.parameters[address].about in page.locator("#sheet").inner_text()
        frames = shown.show.meter.frames + 20
        wait(shown, lambda frames=frames: shown.show.meter.frames > frames)
        assert shown.show.scene[address] == before
        page.keyboard.press("Escape")


def test_nothing_moves_for_those_who_want_no_motion(shown, open_page):
    page = open_page(shown.url)
    page.emulate_media(reduced_motion="reduce")
    for view in VIEWS:
        page.evaluate(f"document.getElementById('tab-{view}').click()")
        page.wait_for_selector(f".view-{view} > *")
        assert page.evaluate("() => document.getAnimations().length") == 0
        assert page.evaluate("""() => [...document.querySelectorAll('*')].every(e => { const s = getComputedStyle(e);
            return s.transitionDuration.split(',').every(d => parseFloat(d) === 0) && s.animationName === 'none'; })""")


def test_from_another_address_over_plain_http(tmp_path, open_page):
    address = _own_address()
    if not address or address.startswith("127."):
        pytest.skip("this machine has no other address than its own")
    shown = Page(tmp_path, surface_host="0.0.0.0", surface_token="open-sesame").run()
    try:
        page = open_page(f"http://{address}:{shown.server.port}/", view="open-sesame")
        assert page.evaluate("isSecureContext") is False
        page.wait_for_function("() => Number(document.getElementById('preview').dataset.number) > 0")
        page.click("#tab-all")
        page.get_by_role("slider", name="/truncation", exact=True).press("Home")
        wait(shown, lambda: shown.show.scene["/truncation"] == shown.show.scene.parameters["/truncation"].low)
        page.context.close()
    finally:
        shown.close()


def test_every_view_of_a_phone_is_within_two_touches(shown, open_page):
    page = open_page(shown.url, size="phone")
    for view, label in (("bend", "Bend"), ("studio", "Studio"), ("map", "Map"), ("show", "Show"), ("mod", "Mod"), ("edit", "Edit"), ("latent", "Latent")):
        tab = page.locator(f"#tab-{view}")
        if tab.is_visible():
            tab.tap()
        else:
            page.locator("#more").tap()
            page.locator("#sheet .tile", has_text=label).first.tap()
        page.wait_for_selector(f".view-{view} > *")
        assert page.locator("#sheet").is_hidden()


