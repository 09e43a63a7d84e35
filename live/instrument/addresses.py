"""Every address an instrument answers to, as text, as JSON and as a page of the docs. Writes no files."""
import json

from live.osc.query_tree import find_tags
from live.show.commands import COMMANDS

TITLE = """# Addresses

Every parameter and command of the built-in instrument. An address is at once its OSC address, its name in presets, mappings
and takes. A parameter takes its plain value at the address, and 0..1 at `/n` + the address.

This page is written by `run_live.py --list-parameters --page`; instruments with bends or classes have more.

"""


def to_json(scene) -> str:
    """Return {address: its declaration} for every parameter."""
    rows = {address: {"default": p.default, "low": p.low, "high": p.high, "unit": p.unit, "about": p.about,
                      "curve": p.curve, "step": p.step, "choices": list(p.choices), "size": p.size, "type": find_tags(p, p.default)[0],
                      "words": [list(word) for word in p.words]}
            for address, p in scene.parameters.items()}
    return json.dumps(rows, indent=1) + "\n"


def to_text(scene) -> str:
    """Return the list for reading in a terminal."""
    lines = [f"{address:<25} {_format_range(p):<35} {p.about}" for address, p in scene.parameters.items()]
    return "\n".join(lines + [f"{_call(c):<61} {_read_first_line(c)}" for c in _list_commands()]) + "\n"


def to_page(scene) -> str:
    """Return the list as Markdown."""
    rows = [f"| `{address}` | {_format_range(p).replace('|', ', ')} | {p.about} |" for address, p in scene.parameters.items()]
    calls = [f"| `{_call(c)}` | {_read_first_line(c)} |" for c in _list_commands()]
    return (TITLE + "| parameter | range (default) | about |\n|---|---|---|\n" + "\n".join(rows)
            + "\n\n| command | about |\n|---|---|\n" + "\n".join(calls) + "\n")


def _list_commands():
    return [COMMANDS[address] for address in sorted(COMMANDS)]


def _call(command):
    return " ".join((command.address, *(name.upper() for name in command.arguments if name != "on")))


def _read_first_line(command):
    return command.about.splitlines()[0]


def _format_range(p):
    if p.choices:
        return f"{'|'.join(p.choices)} ({p.default})"
    if p.size:
        return f"up to {p.size} numbers {p.low:g}..{p.high:g}"
    return f"{p.low:g}..{p.high:g}{' ' + p.unit if p.unit else ''} ({p.default:g})"
