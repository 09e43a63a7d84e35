"""A view of the page is one file: found by its folder, listed by the server, and opened in a browser."""
import shutil

from live.surface import server
from live.surface.views import ORDER, list_views
from tests.live.surface.rig import Page

VIEW = """
import { state } from "../store.js";
export const ribbon = { name: "ribbon", label: "Ribbon", about: "one more", draw(root) { root.append(`drawn beside ${Object.keys(state).length > 0}`); } };
"""


def test_the_list_has_every_file_in_order():
    assert list_views(server.PAGE / "views") == list(ORDER)


def test_a_new_view_is_one_file(tmp_path, monkeypatch, open_page):
    shutil.copytree(server.PAGE, tmp_path / "page")
    (tmp_path / "page/views/ribbon.js").write_text(VIEW)
    monkeypatch.setattr(server, "PAGE", tmp_path / "page")
    shown = Page(tmp_path).run()
    try:
        page = open_page(shown.url, view="ribbon")
        page.wait_for_selector(".view-ribbon >> text=drawn beside true")
        page.get_by_text("Ribbon").first.wait_for(state="attached")
    finally:
        shown.close()
