"""Outputs on the page: corners dragged by finger and mouse, nudged by arrows; test cards; an output that has died."""
import pytest

from live.outputs.framing import CORNERS
from live.outputs.settings import Framings, make_output_parameters
from live.outputs.spec import OutputSpec
from tests.live.surface.rig import find_box
from tests.live.surface.test_page import wait

PIN = "/outputs/wall/pin"


class Wall:
    """An output as the state tells of it."""
    name, dropped, broken, state = "wall", 3, None, "running"

    def put(self, frame):
        pass


@pytest.fixture
def wall(shown):
    """A show with an output called wall: the framings it was given, newest last."""
    given, specs = [], [OutputSpec("wall", "window"), OutputSpec("desk", "window")]
    with shown._lock:
        parameters = make_output_parameters(specs)
        shown.show.added = shown.show.added | parameters
        shown.show.scene = shown.show.scene.with_parameters(parameters)
        shown.show.join(framings=Framings(shown.show, {"wall": given.append, "desk": lambda framing: None}, specs))
        shown.show.outputs.append(Wall())
    return given


def opened(shown, open_page, size="laptop"):
    page = open_page(shown.url, size, view="show")
    page.get_by_label("output wall").get_by_role("button", name="set up").click()
    find_box(page, "lj-corners")
    return page


def middle(page, corner):
    box = page.get_by_role("button", name=f"wall, {corner} corner").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_corner_is_dragged_by_the_mouse_and_nudged_by_arrows(shown, wall, open_page):
    page = opened(shown, open_page)
    x, y = middle(page, "top left")
    width = page.locator("lj-corners").bounding_box()["width"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + width / 1.25 * 0.1, y + 9, steps=5)
    page.mouse.up()
    wait(shown, lambda: abs(shown.show.scene[PIN][0] - 0.1) < 0.01)
    before = shown.show.scene[PIN]
    assert before[2:] == CORNERS[2:]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    wait(shown, lambda: abs(shown.show.scene[PIN][0] - before[0] - 0.002) < 1e-5 and abs(shown.show.scene[PIN][1] - before[1] - 0.02) < 1e-5)
    wait(shown, lambda: wall and wall[-1].pin == shown.show.scene[PIN])      # the output has it
    page.get_by_role("button", name="straight").click()
    wait(shown, lambda: shown.show.scene[PIN] == CORNERS)


def test_two_corners_at_once_by_two_fingers(shown, wall, open_page):
    page = opened(shown, open_page, "phone")
    cdp = page.context.new_cdp_session(page)
    points = [dict(zip("xy", middle(page, corner)), id=n) for n, corner in enumerate(("top left", "bottom right"))]
    cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    for step in range(1, 6):
        cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [dict(points[0], x=points[0]["x"] + 6 * step), dict(points[1], y=points[1]["y"] - 4 * step)]})
    cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait(shown, lambda: shown.show.scene[PIN][0] > 0.05 and shown.show.scene[PIN][5] < 0.97)
    assert shown.show.scene[PIN][2:4] == CORNERS[2:4] and page.evaluate("scrollY") == 0


def test_cards_identify_and_what_has_died(shown, wall, open_page):
    page = opened(shown, open_page)
    page.get_by_role("group", name="test card of wall").get_by_role("button", name="grid").click()
    wait(shown, lambda: shown.show.scene["/outputs/wall/test"] == "grid")
    cards = []                                            # of each frame: both are shown for a while only
    shown.show.record = lambda tick, items: cards.append(tuple(shown.show.scene[f"/outputs/{name}/test"] for name in ("wall", "desk")))
    page.get_by_role("button", name="Which is which").click()
    wait(shown, lambda: ("number", "number") in cards)
    wait(shown, lambda: cards[-1] == ("off", "off"))
    page.get_by_label("output wall").get_by_text("3 dropped").wait_for()
    next(o for o in shown.show.outputs if o.name == "wall").broken = "the cable is out"
    page.get_by_label("output wall").get_by_text("the cable is out").wait_for()
