"""Ready surfaces for other programs, made from the parameters of an instrument: grouped, labelled, with ranges."""
import json
import uuid
import zlib
from collections.abc import Callable
from xml.sax.saxutils import escape

from live.osc.query_tree import find_tags

ROWS, COLUMNS = 6, 4                # faders of TouchOSC's page
WIDE, HIGH, GAP = 300, 60, 8        # px
SCREEN = 0, 0, 1280, 800            # TouchOSC's, as left, top, width, height
HOW = {"FADER": (("orientation", 1), ("response", 1)),         # of TouchOSC: to the right; from where it is, so that nothing jumps
       "BUTTON": (("buttonType", 2),)}                         # stays as it was pressed


def group_parameters(parameters) -> dict:
    """Return {group: {address: Parameter}} of what one control can play."""
    found: dict = {}
    for address, p in parameters.items():
        if not p.size:
            found.setdefault(address.split("/")[1], {})[address] = p
    return found


def make_openstagecontrol(parameters) -> str:
    """Return a session of Open Stage Control: a tab a group; it hears what changes at its own port."""
    tabs = [{"type": "tab", "id": f"tab_{group}", "label": group, "layout": "grid", "gridTemplate": COLUMNS,
             "widgets": [_open_stage_panel(address, p) for address, p in found.items()]} for group, found in group_parameters(parameters).items()]
    session = {"createdWith": "Open Stage Control", "version": "1.30.1", "type": "session", "content": {"type": "root", "id": "root", "tabs": tabs}}
    return json.dumps(session, indent=1) + "\n"


def _open_stage_panel(address, p) -> dict:
    """Return a control below its name: a fader of this program has no label of its own."""
    identity = address.strip("/").replace("/", "_")
    name = {"type": "text", "id": f"name_{identity}", "default": address, "align": "left", "height": 22, "bypass": True}
    return {"type": "panel", "id": f"panel_{identity}", "layout": "vertical", "scroll": False, "height": HIGH + 24, "comments": p.about,
            "widgets": [name, _make_widget(identity, address, p)]}


def _make_widget(identity, address, p) -> dict:
    common = {"id": identity, "address": address, "comments": p.about, "default": p.default, "expand": True}
    if p.choices:
        return common | {"type": "dropdown", "values": list(p.choices)}
    if _is_switch(p):
        return common | {"type": "button", "label": "on", "mode": "toggle", "on": 1, "off": 0}
    return common | {"type": "fader", "horizontal": True, "range": {"min": p.low, "max": p.high}, "doubleTap": True, "snap": False,
                     "logScale": p.curve == "log", "decimals": 0 if p.step == 1 else 3, "typeTags": find_tags(p, p.default)}


def _is_switch(p) -> bool:
    return p.step == 1 and (p.low, p.high) == (0.0, 1.0) and not p.choices


def make_chataigne(parameters) -> str:
    """Return a Chataigne file: an OSC module whose values are the parameters; a value that is moved there is sent."""
    at = lambda address, value: {"value": value, "controlAddress": address}
    output = {"niceName": "show", "type": "BaseItem", "parameters": [at("/remoteHost", "127.0.0.1"), at("/remotePort", 9000)]}
    values = [_chataigne_value(address, p) for found in group_parameters(parameters).values() for address, p in found.items()]
    module = {"niceName": "Latent Jockey", "type": "OSC",
              "params": {"parameters": [at("/autoAdd", False), at("/autoFeedback", True)],
                         "containers": {"oscInput": {"parameters": [at("/localPort", 9001)]}, "oscOutputs": {"items": [output]}}},
              "values": {"parameters": values}}
    return json.dumps({"metaData": {"version": "1.10.4"}, "modules": {"items": [module]}}, indent=1) + "\n"


def _chataigne_value(address, p) -> dict:
    """Return a value of the module. Its name is its address; in Chataigne's own addresses, slashes are underscores."""
    short = address.replace("/", "_")
    kind, more = ("String", {"value": p.default}) if p.choices else ("Boolean", {"value": p.default > 0.5}) if _is_switch(p) else (
        "Float", {"value": float(p.default), "minValue": float(p.low), "maxValue": float(p.high)})
    return {"type": kind, "niceName": address, "shortName": short, "controlAddress": f"/{short}", "customizable": True, "removable": True,
            "description": p.about} | more


def make_touchosc(parameters) -> bytes:
    """Return a TouchOSC document (.tosc): a pager with a page a group, faders and buttons that send 0..1 to /n + the address.

    The pager lies in a group, as what lies at the top of a document is a plain container to TouchOSC, whatever its type says.
    """
    pages = "".join(_make_page(name, found) for name, found in _make_pages(parameters).items())
    root = _make_node("GROUP", "Latent Jockey", SCREEN, _make_node("PAGER", "pages", SCREEN, pages))
    return zlib.compress(f'<?xml version="1.0" encoding="UTF-8"?><lexml version="3">{root}</lexml>'.encode())


def _make_pages(parameters) -> dict:
    """Return {name: {address: Parameter}}: a group a page, and further pages where it has more than one page has room for."""
    room, pages = ROWS * COLUMNS, {}
    for group, found in group_parameters(parameters).items():
        every = list(found.items())
        for n in range(0, len(every), room):
            pages[group if len(every) <= room else f"{group} {n // room + 1}"] = dict(every[n:n + room])
    return pages


def _make_page(group, found) -> str:
    nodes = ""
    for n, (address, p) in enumerate(found.items()):
        column, row = divmod(n, ROWS)
        frame = (GAP + column * (WIDE + GAP), GAP + row * (HIGH + 24 + GAP) + 24, WIDE, HIGH)
        kind = "BUTTON" if _is_switch(p) else "FADER"
        nodes += _make_node("LABEL", f"name {address}", (frame[0], frame[1] - 22, WIDE, 20), text=address)
        nodes += _make_node(kind, address, frame, address=f"/n{address}", value=0.0 if p.size else p.normalized(p.default))
    return _make_node("GROUP", group, (0, 40, 1280, 760), nodes, tab=group)


def _make_node(kind, name, frame, children="", text="", address="", value=0.0, tab="") -> str:
    x, y, w, h = frame
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"latent-jockey {kind} {name}")
    texts = {"name": name} | ({"tabLabel": tab} if tab else {})
    properties = ("".join(f"<property type='s'><key>{key}</key><value>{escape(word)}</value></property>" for key, word in texts.items())
                  + f"<property type='r'><key>frame</key><value><x>{x}</x><y>{y}</y><w>{w}</w><h>{h}</h></value></property>"
                  + "".join(f"<property type='i'><key>{key}</key><value>{number}</value></property>" for key, number in HOW.get(kind, ())))
    own = {"LABEL": _make_value("text", escape(text), 1), "PAGER": _make_value("page", "0"), "GROUP": ""}.get(kind, _make_value("x", f"{value:.6f}"))
    values = own + _make_value("touch", "false")
    messages = _make_messages(address) if address else ""
    return (f"<node ID='{identity}' type='{kind}'><properties>{properties}</properties><values>{values}</values>{messages}"
            f"<children>{children}</children></node>")


def _make_value(key, default, locked=0) -> str:
    return (f"<value><key>{key}</key><locked>{locked}</locked><lockedDefaultCurrent>0</lockedDefaultCurrent><default>{default}</default>"
            "<defaultPull>0</defaultPull></value>")


def _make_messages(address) -> str:
    """Return the message that a control sends and receives: its 0..1 at an address."""
    scale = "<scaleMin>0</scaleMin><scaleMax>1</scaleMax>"
    return ("<messages><osc><enabled>1</enabled><send>1</send><receive>1</receive><feedback>0</feedback><connections>00001</connections>"
            "<triggers><trigger><var>x</var><condition>ANY</condition></trigger></triggers>"
            f"<path><partial><type>CONSTANT</type><conversion>STRING</conversion><value>{escape(address)}</value>{scale}</partial></path>"
            f"<arguments><partial><type>VALUE</type><conversion>FLOAT</conversion><value>x</value>{scale}</partial></arguments></osc></messages>")


LAYOUTS: dict[str, Callable] = {"touchosc": make_touchosc, "openstagecontrol": make_openstagecontrol, "chataigne": make_chataigne}
