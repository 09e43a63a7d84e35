"""The Sound view in a real browser: what is heard is seen, thresholds are turned, and three touches bind a parameter to a band."""
from live.audio.ear import Ear, Hop
from live.audio.listening import Listening
from live.show.clock import now
from tests.live.audio.rig import heard


def listening(shown):
    found = Listening(shown.show, Ear("Scarlett"))
    found.ear.state, found.ear.name = "live", "Scarlett 2i2"
    shown.show.join(listening=found)
    return found


def test_what_is_heard_is_seen_and_bound_in_three_touches(shown, open_page, tmp_path):
    found = listening(shown)
    hear = lambda **what: found.ear.hops.put(Hop(heard(**what), now()))
    page = open_page(shown.url, view="sound")
    page.wait_for_selector("text=hears Scarlett 2i2")
    hear(low=1.0, hits=[("kick", 1.0)])
    page.wait_for_function("() => [...document.querySelectorAll('.sound [data-level]')].some((e) => +e.style.getPropertyValue('--at') > 0)")
    page.click("text=/truncation >> nth=0")
    page.click(".bindings >> button:text-is('kick')")
    page.click(".bindings >> button:text-is('+0.5')")
    page.wait_for_selector(".bindings td:text-is('/truncation')")
    modulator = shown.show.scene.modulators[0]
    assert (modulator.target, modulator.source) == ("/truncation", "/audio/kick")
    assert shown.show.scene[f"/modulators/{modulator.name}/shape"] == "hit"
    page.screenshot(path=str(tmp_path / "sound.png"))
    page.click(f"[aria-label='remove {modulator.name}']")
    page.wait_for_selector(".bindings td", state="detached")
    assert page.locator("[data-address='/audio/kick/threshold']").count() == 1


def test_a_show_that_hears_nothing_says_so(shown, open_page):
    page = open_page(shown.url, view="sound")
    page.wait_for_selector("text=This show does not listen.")
    assert page.locator("#spectrum").count() == 1
