"""The parameters and commands as an OSCQuery tree: plain data out of the registry. Knows no sockets.

Source: the OSCQuery proposal, github.com/Vidvox/OSCQueryProposal.
"""
from live.show.commands import COMMANDS

CONTAINER, READ_WRITE, WRITE = 0, 3, 2                           # ACCESS
ATTRIBUTES = ("FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE")
ROOT = "the instrument"


def describe_node(scene, path: str) -> dict | None:
    """Return the node at a path with all that lies below it; None where there is none."""
    path = "/" + path.strip("/")
    below = path if path == "/" else path + "/"
    addresses = [a for a in (*scene.parameters, *COMMANDS) if a == path or a.startswith(below)]
    if not addresses:
        return None
    found = _describe_leaf(scene, path)
    for address in sorted(set(addresses)):
        _place(found, scene, address, path)
    return found


def _place(root, scene, address, path):
    """Put a leaf where it belongs, with the containers on the way."""
    here, at = root, "" if path == "/" else path
    for name in address.removeprefix(at).split("/")[1:]:
        at = f"{at}/{name}"
        contents = here.setdefault("CONTENTS", {})
        if name not in contents:
            contents[name] = _describe_leaf(scene, at)
        here = contents[name]


def _describe_leaf(scene, path) -> dict:
    """Return a node without what lies below it. A parameter goes before a command of the same address."""
    if path in scene.parameters:
        return _describe_parameter(path, scene.parameters[path], scene[path])
    if path in COMMANDS:
        return _describe_command(path, COMMANDS[path])
    return {"FULL_PATH": path, "ACCESS": CONTAINER} | ({"DESCRIPTION": ROOT} if path == "/" else {})


def _describe_parameter(path, p, value) -> dict:
    found = {"FULL_PATH": path, "ACCESS": READ_WRITE, "DESCRIPTION": p.about, "TYPE": find_tags(p, value), "VALUE": list_values(p, value)}
    count = len(found["TYPE"])
    found["RANGE"] = [{"VALS": list(p.choices)}] if p.choices else [{"MIN": _to_number(p, p.low), "MAX": _to_number(p, p.high)}] * count
    found["CLIPMODE"] = ["none" if p.curve == "circular" else "both"] * count
    return found | ({"UNIT": [p.unit] * count} if p.unit else {})


def _describe_command(path, command) -> dict:
    """Return a command's node. All of its arguments may be sent as text; a trigger has none."""
    names = [name for name in command.arguments if name != "on"]
    wants = f" Arguments: {', '.join(names)}; the first {command.needed} must." if names else ""
    return {"FULL_PATH": path, "ACCESS": WRITE, "DESCRIPTION": command.about + wants, "TYPE": "s" * len(names) or "N"}


def find_tags(p, value) -> str:
    """Return the OSC type tags of a parameter: s for a choice, i for whole numbers, f else; one for each number of a vector."""
    return "s" if p.choices else ("i" if p.step and p.step == int(p.step) else "f") * (max(len(value), 1) if p.size else 1)


def list_values(p, value) -> list:
    """Return a parameter's value as OSCQuery has it: always a list."""
    return [_to_number(p, v) for v in value] if p.size else [value] if p.choices else [_to_number(p, value)]


def _to_number(p, value):
    return int(value) if p.step and p.step == int(p.step) else float(value)


def read_attribute(scene, path, name):
    """Return one attribute of a node: (whether there is such a node, the attribute or None)."""
    found = describe_node(scene, path) if name == "CONTENTS" else _describe_leaf(scene, "/" + path.strip("/"))
    if found is None or len(found) <= 2 and describe_node(scene, path) is None:
        return False, None
    return True, found.get(name)
