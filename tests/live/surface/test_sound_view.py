"""The Sound view in a real browser: what is heard is seen, thresholds are turned, and three touches bind a parameter to a band."""
from live.audio.ear import Ear, Hop
from live.audio.input_list import InputList
from live.audio.listening import Listening
from live.show.clock import now
from tests.live.audio.rig import heard
from tests.live.surface.test_page import wait


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
    wait(shown, lambda: hear(low=1.0, hits=[("kick", 1.0)]) or page.evaluate(          # again and again: each has fallen before a slow page looks
        "() => [...document.querySelectorAll('.sound [data-level]')].some((e) => +e.style.getPropertyValue('--at') > 0)"))
    page.click(".bindings >> button:text-is('truncation')")
    page.click(".bindings >> button:text-is('kick')")
    page.click(".bindings >> button:text-is('+0.5')")
    page.wait_for_selector(".bindings td:text-is('truncation')")
    modulator = shown.show.scene.modulators[0]
    assert (modulator.target, modulator.source) == ("/truncation", "/audio/kick")
    assert shown.show.scene[f"/modulators/{modulator.name}/shape"] == "hit"
    page.screenshot(path=str(tmp_path / "sound.png"))
    page.click(f"[aria-label='remove {modulator.name}']")
    page.wait_for_selector(".bindings td", state="detached")
    page.wait_for_selector("[data-address='/audio/kick/threshold']")


def test_a_show_that_hears_nothing_says_so(shown, open_page):
    page = open_page(shown.url, view="sound")
    page.wait_for_selector("text=Nothing is listened to.")        # asked which inputs there are, it could listen
    page.wait_for_selector("#spectrum", state="attached")


def test_an_input_is_chosen_lost_and_found_again(shown, open_page):
    found, wanted = listening(shown), []
    there = [(0, "Built-in Microphone"), (1, "Scarlett 2i2 USB")]
    found.inputs = InputList(lambda: (list(there), None))
    found.ear.choose = lambda name: wanted.append(name) or setattr(found.ear, "wanted", name)
    found.ear.wanted, found.ear.name = "Scarlett", "Scarlett 2i2 USB"
    page = open_page(shown.url, view="sound")
    inputs = page.get_by_role("group", name="sound inputs")
    chosen = lambda name, on="true": page.wait_for_selector(f".inputs button[aria-pressed={on}]:text('{name}')")
    chosen("Scarlett 2i2 USB")
    inputs.get_by_role("button", name="Built-in Microphone").tap()
    wait(shown, lambda: wanted == ["Built-in Microphone"])
    found.ear.name = "Built-in Microphone"
    chosen("Built-in Microphone")
    del there[0]
    found.ear.state, found.ear.reason = "lost", "the input went away; it is listened to again when it comes back"
    chosen("Built-in Microphone lost")                    # gone from the list, and still to be seen: it is waited for
    page.wait_for_selector("p.warn:text('the input went away')")
    there.insert(0, {"name": "Built-in Microphone", "system": False})
    found.ear.state, found.ear.reason = "live", ""
    page.wait_for_selector("text=hears Built-in Microphone")
    inputs.get_by_role("button", name="nothing").tap()
    wait(shown, lambda: wanted[-1] == "none")             # it was the microphone until then
    inputs.get_by_role("button", name="a file").tap()
    page.get_by_role("textbox", name="file or name").fill("song.wav")
    page.get_by_role("button", name="Listen", exact=True).tap()
    page.wait_for_function("() => /song.wav/.test(document.getElementById('band').textContent)")      # there is none: said, and nothing changes
    assert wanted[-1] == "none"
