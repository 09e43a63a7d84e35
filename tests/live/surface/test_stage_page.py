"""The Show view: decks, the show that runs, lanes and the way back, played in a browser."""

import pytest
import yaml

from live.stage.lane_file import SCHEMA


@pytest.fixture
def furnished(shown, tmp_path):
    for name, value in (("calm", 0.4), ("wild", 1.4)):
        shown.rig.send("/truncation", value)
        wait(shown, lambda: shown.show.scene["/truncation"] == value)
        shown.rig.send("/preset/store", name)
    (tmp_path / "lanes").mkdir()
    (tmp_path / "lanes/sweep.yaml").write_text(yaml.safe_dump({"schema": SCHEMA, "length": 8, "lanes": {"/bends/amount": [[0, 0.2], [8, 0.9]]}}))
    shown.show.find_player("lanes").folder.refresh()
    return shown


def wait(shown, until):
    for _ in range(18000):
        if until():
            return
        shown._stop.wait(0.005)
    raise AssertionError("it did not come")


def test_a_show_is_run_from_the_page(furnished, open_page, tmp_path):
    page = open_page(furnished.url, view="show")
    scene = lambda address: furnished.show.scene[address]
    page.get_by_label("load deck a").select_option("calm")
    page.get_by_label("load deck b").select_option("wild")
    page.get_by_role("switch", name="/deck/on").click()
    wait(furnished, lambda: scene("/truncation") == 0.4)
    page.get_by_role("slider", name="/deck/fade").press("End")
    wait(furnished, lambda: scene("/truncation") == 1.4)
    page.wait_for_selector(".deck.seen >> text=wild")
    page.get_by_role("switch", name="/deck/on").click()
    for look in ("wild", "calm"):
        page.get_by_label("look to add").select_option(look)
        page.get_by_label("how long").fill("90")
        page.get_by_role("button", name="add", exact=True).click()
        page.wait_for_selector(f".step >> text={look}")
    page.get_by_role("button", name="start the show at 2 calm").click()
    wait(furnished, lambda: scene("/set/auto") == 1.0 and scene("/truncation") == 0.4)
    page.wait_for_selector(".step .current >> text=calm")
    page.get_by_label("the show").get_by_role("button", name="GO").click()
    wait(furnished, lambda: scene("/truncation") == 1.4)
    page.get_by_role("button", name="play lanes sweep").click()
    wait(furnished, lambda: 0.2 <= scene("/bends/amount") < 1.0)
    page.get_by_role("button", name="stop lanes sweep").click()
    page.get_by_role("button", name="play lanes sweep").wait_for()
    wait(furnished, lambda: furnished.show.find_player("trail").time > 11)
    page.wait_for_selector(".trail button")
    page.wait_for_function("[...document.querySelectorAll('.trail img')].some((i) => i.naturalWidth > 0)")
    for size, width in (("laptop", 1280), ("phone", 390)):
        page.set_viewport_size({"width": width, "height": 844 if size == "phone" else 800})
        page.screenshot(path=str(tmp_path / f"show-{size}.png"), full_page=True)
    assert all((tmp_path / f"show-{size}.png").stat().st_size for size in ("laptop", "phone"))
