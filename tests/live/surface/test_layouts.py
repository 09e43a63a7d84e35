"""Layouts for other programs hold every parameter one control can play, with its range."""
import json
import zlib
from xml.etree import ElementTree

import pytest

from live.show.parameters import declared
from live.surface.layouts import LAYOUTS


@pytest.fixture
def parameters(instrument):
    return dict(declared(instrument.scene()).parameters)


def test_open_stage_control(parameters):
    tabs = json.loads(LAYOUTS["openstagecontrol"](parameters))["content"]["tabs"]
    widgets = {w["address"]: w for tab in tabs for w in tab["widgets"]}
    assert widgets.keys() == {a for a, p in parameters.items() if not p.size}
    assert widgets["/truncation"]["range"] == {"min": parameters["/truncation"].low, "max": parameters["/truncation"].high}
    assert widgets["/walk/kind"]["values"] == list(parameters["/walk/kind"].choices)


def test_touchosc(parameters):
    root = ElementTree.fromstring(zlib.decompress(LAYOUTS["touchosc"](parameters)))
    sent = {value.text for path in root.iter("path") for value in path.iter("value")}
    assert sent == {f"/n{a}" for a, p in parameters.items() if not p.size}


def test_touchosc_clips_nothing(parameters):
    many = parameters | {f"/extra/{n}": parameters["/truncation"] for n in range(60)}
    root = ElementTree.fromstring(zlib.decompress(LAYOUTS["touchosc"](many)))
    frames = [[float(node.find(f"properties/property/value/{side}").text) for side in "xywh"] for node in root.iter("node")]
    assert all(x + w <= 1280 and y + h <= 800 for x, y, w, h in frames) and len({node.get("ID") for node in root.iter("node")}) == len(frames)
    pages = [node.find("properties/property/value").text for node in root.iter("node") if node.get("type") == "GROUP"]
    assert {"extra 1", "extra 2", "extra 3"} <= set(pages)


def test_chataigne(parameters):
    module = json.loads(LAYOUTS["chataigne"](parameters))["modules"]["items"][0]
    assert {item["oscAddress"] for group in module["values"]["items"] for item in group["items"]} == {a for a, p in parameters.items() if not p.size}
