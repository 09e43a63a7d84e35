"""What is asked of the outputs of a show: `--output window,ndi=Stage`, or an outputs.yaml. Plain data, for every process.

An output has a name of its own, a kind, its kind's options, and where and how its picture lies; see docs/outputs.md.
"""
from dataclasses import dataclass, field

from engine.errors import UserError
from engine.names import check_name
from live.outputs.framing import PARAMETERS, Framing

PROGRAMME = "programme"
SCHEMA = 1
SETTINGS = ("name", "kind", "target", "display", "fullscreen", "size", "fps", "picture", "mask", "colour")


@dataclass(frozen=True)
class OutputSpec:
    """One output. target: what stands behind `kind=`: a folder, a sender's name, an address.

    display, fullscreen: of windows. size: (width, height) in pixels of what it sends, None = the picture's own.
    fps: the most frames a second it takes, None = all. picture: which one it shows. mask: a PNG that darkens its edges.
    keys: what keys are bound to at the start, for windows: see live/outputs/keyboard.py.
    """
    name: str
    kind: str
    target: str = ""
    display: int = 0
    fullscreen: bool = False
    size: tuple[int, int] | None = None
    fps: float | None = None
    picture: str = PROGRAMME
    mask: str = ""
    framing: Framing = field(default_factory=Framing)
    keys: frozenset[str] = frozenset()


def parse_outputs(text: str, kinds, display: int = 0, fullscreen: bool = False) -> list[OutputSpec]:
    """Return the outputs that a list as `window,ndi=Stage,files=frames` names. UserError: an unknown kind.

    Two of one kind get names with numbers: window, window-2. Of several windows each next one has the next display.
    """
    specs: list[OutputSpec] = []
    for part in (part.strip() for part in text.split(",")):
        kind, _, target = part.partition("=")
        if kind not in kinds:
            raise UserError(f"no output {kind!r}; there are: {', '.join(sorted(kinds))}")
        before = sum(spec.kind == kind for spec in specs)
        specs.append(OutputSpec(free_name(kind, specs), kind, target, display=display + before if kind == "window" else 0,
                                fullscreen=fullscreen and kind == "window"))
    return specs


def free_name(wanted: str, specs) -> str:
    """Return a name that no output of these has: the wanted one, or with a number behind it."""
    names, number, name = {spec.name for spec in specs}, 1, wanted
    while name in names:
        number += 1
        name = f"{wanted}-{number}"
    return name


def read_outputs(data: dict, kinds) -> list[OutputSpec]:
    """Return the outputs of an outputs.yaml that was read. UserError says which entry is wrong and what is allowed."""
    entries = data.get("outputs") if isinstance(data, dict) and data.get("schema", SCHEMA) == SCHEMA else None
    if not isinstance(entries, list) or not entries or data.keys() - {"schema", "outputs"}:
        raise UserError(f"expected `schema: {SCHEMA}` and `outputs:` with a list of outputs")
    specs: list[OutputSpec] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise UserError(f"output {number}: expected settings as `kind: window`, got {entry!r}")
        try:
            specs.append(_read_output(entry, kinds, specs))
        except UserError as error:
            raise UserError(f"output {number}: {error}") from None
    return specs


def _read_output(entry, kinds, before):
    kind = entry.get("kind")
    if kind not in kinds:
        raise UserError(f"kind: expected one of {', '.join(sorted(kinds))}, got {kind!r}")
    colour = entry.get("colour") or {}
    framing = Framing()
    for name, value in ({key: value for key, value in entry.items() if key not in SETTINGS} | colour).items():
        value = tuple(n for corner in value for n in corner) if name == "pin" and value and isinstance(value[0], list) else value
        try:
            framing = framing.turned(name, value)
        except UserError as error:
            raise UserError(f"{name}: {error}" if name in PARAMETERS else f"{error}; and {', '.join(SETTINGS)}") from None
    name = check_name(str(entry.get("name") or free_name(kind, before)))
    if name in {spec.name for spec in before}:
        raise UserError(f"name: there are two outputs called {name!r}")
    size = entry.get("size")
    if size is not None and not (isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) and 0 < n <= 8192 for n in size)):
        raise UserError(f"size: expected [width, height] in pixels, got {size!r}")
    fps = entry.get("fps")
    if fps is not None and not (isinstance(fps, (int, float)) and 0 < fps <= 1000):
        raise UserError(f"fps: expected a number above 0, got {fps!r}")
    display = entry.get("display", 0)
    if not (isinstance(display, int) and 0 <= display < 64):
        raise UserError(f"display: expected 0 for the first display, 1 for the next one, ..., got {display!r}")
    return OutputSpec(name, kind, str(entry.get("target") or ""), display, bool(entry.get("fullscreen")),
                      tuple(size) if size else None, fps, str(entry.get("picture") or PROGRAMME), str(entry.get("mask") or ""), framing)

