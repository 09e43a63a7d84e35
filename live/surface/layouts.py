"""Ready surfaces for other programs, made from the parameters of an instrument: grouped, labelled, with ranges."""
import json
import uuid
import zlib
from collections.abc import Callable
from xml.sax.saxutils import escape

from live.osc.query_tree import find_tags

ROWS, COLUMNS = 6, 4                # faders of TouchOSC's page
WIDE, HIGH, GAP = 300, 60, 8        # px


def grouped(parameters) -> dict:
    """Return {group: {address: Parameter}} of what one control can play."""
    found: dict = {}
    for address, p in parameters.items():
        if not p.size:
            found.setdefault(address.split("/")[1], {})[address] = p
    return found


def openstagecontrol(parameters) -> str:
    """Return a session of Open Stage Control: a tab a group; it hears what changes at its own port."""
    tabs = [{"type": "tab", "id": f"tab_{group}", "label": group, "layout": "grid", "gridTemplate": 4,
             "widgets": [_open_stage_widget(address, p) for address, p in found.items()]} for group, found in grouped(parameters).items()]
    session = {"type": "session", "version": "1.25.0", "content": {"type": "root", "id": "root", "tabs": tabs}}
    return json.dumps(session, indent=1) + "\n"


def _open_stage_widget(address, p) -> dict:
    common = {"id": address.strip("/").replace("/", "_"), "address": address, "label": address, "comments": p.about, "linkId": ""}
    if p.choices:
        return common | {"type": "dropdown", "values": list(p.choices), "default": p.default}
    if p.step == 1 and (p.low, p.high) == (0.0, 1.0):
        return common | {"type": "button", "mode": "toggle", "on": 1, "off": 0, "default": p.default}
    return common | {"type": "fader", "horizontal": True, "range": {"min": p.low, "max": p.high}, "default": p.default, "doubleTap": True, "snap": False,
                     "steps": "", "decimals": 0 if p.step == 1 else 3, "typeTags": find_tags(p, p.default)}


def chataigne(parameters) -> str:
    """Return a Chataigne file: an OSC module whose values are the parameters."""
    def container(group, found):
        items = [{"parameters": [{"value": _plain(p, p.default), "controlAddress": f"/{address.rpartition('/')[2]}"}], "niceName": address,
                  "type": "String" if p.choices else "Float", "description": p.about, "oscAddress": address,
                  **({} if p.choices else {"min": p.low, "max": p.high})} for address, p in found.items()]
        return {"niceName": group, "type": "Container", "items": items}
    remote = [{"value": "127.0.0.1", "controlAddress": "/remoteHost"}, {"value": 9000, "controlAddress": "/remotePort"}]
    module = {"niceName": "Latent Jockey", "type": "OSC", "params": {"parameters": [{"value": 9001, "controlAddress": "/oscInput/localPort"}]},
              "outputs": {"items": [{"niceName": "show", "parameters": remote}]},
              "values": {"items": [container(*item) for item in grouped(parameters).items()]}}
    return json.dumps({"metaData": {"version": "1.9.0"}, "modules": {"items": [module]}}, indent=1) + "\n"


def _plain(p, value):
    return value if p.choices else float(value)


def touchosc(parameters) -> bytes:
    """Return a TouchOSC document (.tosc): a pager with a page a group, faders and buttons that send 0..1 to /n + the address."""
    pages = "".join(_page(name, found) for name, found in _pages(parameters).items())
    return zlib.compress(f'<?xml version="1.0" encoding="UTF-8"?><lexml version="3">{_node("PAGER", "pages", (0, 0, 1280, 800), pages)}</lexml>'.encode())


def _pages(parameters) -> dict:
    """Return {name: {address: Parameter}}: a group a page, and further pages where it has more than one page has room for."""
    room, pages = ROWS * COLUMNS, {}
    for group, found in grouped(parameters).items():
        every = list(found.items())
        for n in range(0, len(every), room):
            pages[group if len(every) <= room else f"{group} {n // room + 1}"] = dict(every[n:n + room])
    return pages


def _page(group, found) -> str:
    nodes = ""
    for n, (address, p) in enumerate(found.items()):
        column, row = divmod(n, ROWS)
        frame = (GAP + column * (WIDE + GAP), GAP + row * (HIGH + 24 + GAP) + 24, WIDE, HIGH)
        kind = "BUTTON" if p.step == 1 and (p.low, p.high) == (0.0, 1.0) and not p.choices else "FADER"
        nodes += _node("LABEL", f"name {address}", (frame[0], frame[1] - 22, WIDE, 20), text=address)
        nodes += _node(kind, address, frame, address=f"/n{address}", value=0.0 if p.size else p.normalized(p.default))
    return _node("GROUP", group, (0, 40, 1280, 760), nodes)


def _node(kind, name, frame, children="", text="", address="", value=0.0) -> str:
    x, y, w, h = frame
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"latent-jockey {kind} {name}")
    properties = (f"<property type='s'><key>name</key><value>{escape(name)}</value></property>"
                  f"<property type='r'><key>frame</key><value><x>{x}</x><y>{y}</y><w>{w}</w><h>{h}</h></value></property>")
    key, locked, default = ("text", 1, escape(text)) if text else ("x", 0, f"{value:.6f}")
    values = (f"<value><key>{key}</key><locked>{locked}</locked><lockedDefaultCurrent>0</lockedDefaultCurrent><default>{default}</default>"
              "<defaultPull>0</defaultPull></value>")
    messages = _messages(address) if address else ""
    return (f"<node ID='{identity}' type='{kind}'><properties>{properties}</properties><values>{values}</values>{messages}"
            f"<children>{children}</children></node>")


def _messages(address) -> str:
    """Return the message a control sends and hears: its 0..1 at an address."""
    scale = "<scaleMin>0</scaleMin><scaleMax>1</scaleMax>"
    return ("<messages><osc><enabled>1</enabled><send>1</send><receive>1</receive><feedback>0</feedback><connections>00001</connections>"
            "<triggers><trigger><var>x</var><condition>ANY</condition></trigger></triggers>"
            f"<path><partial><type>CONSTANT</type><conversion>STRING</conversion><value>{escape(address)}</value>{scale}</partial></path>"
            f"<arguments><partial><type>VALUE</type><conversion>FLOAT</conversion><value>x</value>{scale}</partial></arguments></osc></messages>")


LAYOUTS: dict[str, Callable] = {"touchosc": touchosc, "openstagecontrol": openstagecontrol, "chataigne": chataigne}
