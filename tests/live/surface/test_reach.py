"""The page for everybody: by keyboard alone, to those who hear it, without motion, from another machine over plain http."""

import pytest

from live.osc.advertise import find_own_address
from tests.live.surface.rig import Page, find_box, furnish
from tests.live.surface.test_page import VIEWS, wait

ROLES = {"tab", "button", "slider", "switch", "radio", "combobox", "ComboBox", "textbox", "searchbox", "spinbutton", "application", "group", "link", "menuitem", "option", "listbox",
         "main", "RootWebArea", "MenuListPopup", "radiogroup"}


@pytest.mark.parametrize("view", VIEWS)
def test_whatever_can_be_focused_has_a_role_and_a_name(shown, open_page, view):
    furnish(shown)
    page = open_page(shown.url, view=view)
    page.wait_for_selector(f".view-{view} > *")
    cdp = page.context.new_cdp_session(page)
    seen = []

    def is_right():
        """Whether it is, once the page has drawn all it is told."""
        seen[:] = find_faults(cdp.send("Accessibility.getFullAXTree")["nodes"])
        return not seen
    try:
        wait(shown, is_right, seconds=30.0)
    except AssertionError:
        assert not seen, seen[:8]


def find_faults(nodes):
    """What is wrong with what assistive programs are told of a page."""
    focusable = [n for n in nodes if not n["ignored"] and any(p["name"] == "focusable" and p["value"].get("value") for p in n.get("properties", ()))]
    faults = [] if len(focusable) > 15 else [f"only {len(focusable)} can be focused"]
    faults += [(n["role"]["value"], n.get("name", {}).get("value")) for n in focusable
               if n["role"]["value"] not in ROLES or not n.get("name", {}).get("value") and n["role"]["value"] not in ("main", "RootWebArea", "MenuListPopup")]
    sliders = [n for n in nodes if n.get("role", {}).get("value") == "slider" and not n["ignored"]]
    return faults + [("slider", n.get("name")) for n in sliders if not {"valuemin", "valuemax"} <= {p["name"] for p in n.get("properties", ())}]


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
    page.wait_for_function("document.querySelector('#sheet').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.wait_for_selector("#sheet", state="hidden")
    page.wait_for_function("document.activeElement.dataset.address === '/bends/eyes-invert/mix'")
    tab_to(page, "FREEZE")
    page.keyboard.press("Enter")
    wait(shown, lambda: shown.show.scene["/output/freeze"] == 1.0)


def test_each_control_says_its_own_sentence(shown, open_page):
    page = open_page(shown.url, view="all")
    abouts = {address: p.about for address, p in shown.show.scene.parameters.items()}
    page.wait_for_function("(count) => document.querySelectorAll('.scroll [data-address]').length === count", arg=len(abouts))
    titles = dict(page.eval_on_selector_all(".scroll [data-address]", "all => all.map(e => [e.dataset.address, e.title])"))
    assert titles == abouts and all(abouts.values())
    page.get_by_role("slider", name="/truncation", exact=True).press("Enter")
    page.locator("#sheet:not([hidden])", has_text=abouts["/truncation"]).wait_for()


def test_a_hold_shows_the_sentence_and_moves_nothing(shown, open_page):
    page = open_page(shown.url, view="all")
    for address in ("/truncation", "/output/freeze", "/walk/unit"):
        box = find_box(page, f".scroll [data-address='{address}']")
        before = shown.show.scene[address]
        page.mouse.move(box["x"] + 20, box["y"] + 12)
        page.mouse.down()
        page.locator("#sheet:not([hidden])", has_text=shown.show.scene.parameters[address].about).wait_for()
        page.mouse.up()
        frames = shown.show.meter.frames + 20
        wait(shown, lambda frames=frames: shown.show.meter.frames > frames)
        assert shown.show.scene[address] == before
        page.keyboard.press("Escape")
        page.wait_for_selector("#sheet", state="hidden")


def test_nothing_moves_for_those_who_want_no_motion(shown, open_page):
    page = open_page(shown.url)
    page.emulate_media(reduced_motion="reduce")
    for view in VIEWS:
        page.evaluate(f"document.getElementById('tab-{view}').click()")
        page.wait_for_selector(f".view-{view} > *")
        page.wait_for_function("() => document.getAnimations().length === 0")
        assert page.evaluate("""() => [...document.querySelectorAll('*')].every(e => { const s = getComputedStyle(e);
            return s.transitionDuration.split(',').every(d => parseFloat(d) === 0) && s.animationName === 'none'; })""")


def test_from_another_address_over_plain_http(tmp_path, open_page):
    address = find_own_address()
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
        page.wait_for_selector("#sheet", state="hidden")


