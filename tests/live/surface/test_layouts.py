"""Layouts for other programs hold every parameter one control can play, with its range."""
import json
import zlib
from xml.etree import ElementTree

import pytest

from live.show.parameters import add_parameters
from live.surface.layouts import LAYOUTS


@pytest.fixture
def parameters(instrument):
    return dict(add_parameters(instrument.scene()).parameters)


def test_open_stage_control(parameters):
    tabs = json.loads(LAYOUTS["openstagecontrol"](parameters))["content"]["tabs"]
    panels = [panel["widgets"] for tab in tabs for panel in tab["widgets"]]
    widgets = {w["address"]: w for _, w in panels}
    assert all(name["type"] == "text" and name["default"] == w["address"] for name, w in panels)       # a fader of it has no label
    assert len({w["id"] for pair in panels for w in pair}) == 2 * len(panels)                          # those with the same id would move together
    assert widgets.keys() == {a for a, p in parameters.items() if not p.size}
    assert widgets["/truncation"]["range"] == {"min": parameters["/truncation"].low, "max": parameters["/truncation"].high}
    assert widgets["/walk/kind"]["values"] == list(parameters["/walk/kind"].choices)


def test_touchosc(parameters):
    root = ElementTree.fromstring(zlib.decompress(LAYOUTS["touchosc"](parameters)))
    how = {kind: {(p.find("key").text, p.find("value").text) for node in root.iter("node") if node.get("type") == kind for p in node.find("properties") if p.get("type") == "i"}
           for kind in ("FADER", "BUTTON")}
    assert how == {"FADER": {("orientation", "1"), ("response", "1")}, "BUTTON": {("buttonType", "2")}}       # lying, relative; a switch stays on
    sent = {value.text for path in root.iter("path") for value in path.iter("value")}
    assert sent == {f"/n{a}" for a, p in parameters.items() if not p.size}


def test_touchosc_as_another_program_reads_it(parameters, tmp_path):
    py2tosc = pytest.importorskip("py2tosc")
    (tmp_path / "show.tosc").write_bytes(LAYOUTS["touchosc"](parameters))
    document = py2tosc.load(tmp_path / "show.tosc")
    assert [str(issue) for issue in py2tosc.validate(document)] == []
    assert document.root.control_type is py2tosc.ControlType.GROUP           # at the top, a pager would show all its pages at once
    pages, = document.root.children
    assert pages.control_type is py2tosc.ControlType.PAGER and [page.get("tabLabel") for page in pages.children] == [page.get("name") for page in pages.children]
    faders = {node.get("name"): node for node in document.walk() if node.control_type in (py2tosc.ControlType.FADER, py2tosc.ControlType.BUTTON)}
    assert faders.keys() == {a for a, p in parameters.items() if not p.size}


def test_touchosc_clips_nothing(parameters):
    many = parameters | {f"/extra/{n}": parameters["/truncation"] for n in range(60)}
    root = ElementTree.fromstring(zlib.decompress(LAYOUTS["touchosc"](many)))
    frames = [[float(node.find(f"properties/property/value/{side}").text) for side in "xywh"] for node in root.iter("node")]
    assert all(x + w <= 1280 and y + h <= 800 for x, y, w, h in frames) and len({node.get("ID") for node in root.iter("node")}) == len(frames)
    pages = [node.find("properties/property/value").text for node in root.iter("node") if node.get("type") == "GROUP"]
    assert {"extra 1", "extra 2", "extra 3"} <= set(pages)


def test_chataigne(parameters):
    module = json.loads(LAYOUTS["chataigne"](parameters))["modules"]["items"][0]
    values = {value["niceName"]: value for value in module["values"]["parameters"]}
    assert values.keys() == {a for a, p in parameters.items() if not p.size}
    assert len({value["controlAddress"] for value in values.values()}) == len(values)
    p = parameters["/truncation"]
    assert {key: values["/truncation"][key] for key in ("type", "value", "minValue", "maxValue")} == {"type": "Float", "value": p.default, "minValue": p.low, "maxValue": p.high}
    assert values["/output/freeze"]["type"] == "Boolean" and values["/walk/kind"]["type"] == "String"
    output = module["params"]["containers"]["oscOutputs"]["items"][0]["parameters"]
    assert {one["controlAddress"]: one["value"] for one in output} == {"/remoteHost": "127.0.0.1", "/remotePort": 9000}
