"""What is asked of the outputs of a show: `--output window,ndi=Stage`, or an outputs.yaml. Plain data, for every process.

An output has a name of its own, a kind, its kind's options, and where and how its picture lies; see docs/outputs.md.
"""
from dataclasses import dataclass, field, replace

from engine.errors import UserError
from engine.names import check_name
from live.outputs.framing import PARAMETERS, Framing

PROGRAMME = "programme"
SCHEMA = 1
LARGEST = 8192                      # pixels of a side
PREVIEW = 320                       # pixels of a preview's longer side
PREVIEW_FPS = 15.0
SETTINGS = ("name", "kind", "target", "display", "fullscreen", "size", "fps", "bitrate", "preview", "picture", "mask", "colour")


@dataclass(frozen=True)
class OutputSpec:
    """One output. target: what stands behind `kind=`: a folder, a sender's name, an address.

    display, fullscreen: of windows. size: (width, height) in pixels of what it sends, or the longer side's, None = the picture's own.
    fps: the most frames a second it takes, None = all. rate: frames a second that the show aims for. bitrate: kbit a second of a stream.
    picture: which one it shows. mask: a PNG that darkens its edges.
    keys: what keys are bound to at the start, for windows: see live/outputs/keyboard.py.
    """
    name: str
    kind: str
    target: str = ""
    display: int = 0
    fullscreen: bool = False
    size: tuple[int, int] | int | None = None
    fps: float | None = None
    rate: float = 30.0
    bitrate: int | None = None
    picture: str = PROGRAMME
    mask: str = ""
    framing: Framing = field(default_factory=Framing)
    keys: frozenset[str] = frozenset()

    @property
    def rate_sent(self) -> float:
        """Frames a second that come out of it, as far as the machine keeps up."""
        return min(self.fps or self.rate, self.rate)

    def find_sender_name(self, called: str) -> str:
        """Return the name other programs see: the user's, or else `called`, followed by the output's own name where it has one."""
        if self.target or self.name == self.kind:
            return self.target or called
        return f"{called}{' ' if ' ' in called else '-'}{self.name}"


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
        specs.append(OutputSpec(find_free_name(kind, specs), kind, target, display=display + before if kind == "window" else 0,
                                fullscreen=fullscreen and kind == "window"))
    return specs


def find_free_name(wanted: str, specs) -> str:
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
            if wanted := entry.get("preview"):
                specs.append(_read_preview(specs[-1], wanted, kinds))
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
            framing = framing.turn(name, value)
        except UserError as error:
            raise UserError(f"{name}: {error}" if name in PARAMETERS else f"{error}; and {', '.join(SETTINGS)}") from None
    name = check_name(str(entry.get("name") or find_free_name(kind, before)))
    if name in {spec.name for spec in before}:
        raise UserError(f"name: there are two outputs called {name!r}")
    size = _read_size("size", entry.get("size"))
    display = entry.get("display", 0)
    if not (_is_whole(display) and 0 <= display < 64):
        raise UserError(f"display: expected 0 for the first display, 1 for the next one, ..., got {display!r}")
    fps = _read_number("fps", entry.get("fps"), 1000)
    bitrate = _read_number("bitrate", entry.get("bitrate"), 1_000_000)
    return OutputSpec(name, kind, _read_target(entry), display, bool(entry.get("fullscreen")), size, fps, bitrate=bitrate and round(bitrate),
                      picture=str(entry.get("picture") or PROGRAMME), mask=str(entry.get("mask") or ""), framing=framing)


def _read_preview(spec, wanted, kinds):
    called = getattr(kinds[spec.kind], "called", "")
    if not called:
        named = ", ".join(sorted(kind for kind in kinds if getattr(kinds[kind], "called", "")))
        raise UserError(f"preview: of {named} only")
    return make_preview(spec, wanted, called)


def _read_target(entry) -> str:
    target = entry.get("target")
    if not isinstance(target, (str, int, float, type(None))):
        raise UserError(f"target: expected a name, a folder or an address, got {target!r}")
    return "" if target is None else str(target)


def _is_whole(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_size(name, value):
    """Return a size as a file has it: (width, height), the longer side's pixels, or None. UserError: it is none."""
    sides = value if isinstance(value, list) and len(value) == 2 else [value]
    if value is not None and not all(_is_whole(side) and 0 < side <= LARGEST for side in sides):
        raise UserError(f"{name}: expected [width, height] in pixels, or the longer side's, up to {LARGEST}, got {value!r}")
    return tuple(value) if isinstance(value, list) else value


def _read_number(name, value, most):
    """Return a number above 0 and up to `most`, or None for none. UserError: it is none."""
    if value is not None and not (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most):
        raise UserError(f"{name}: expected a number above 0, up to {most}, got {value!r}")
    return value


def make_preview(spec: OutputSpec, wanted, called: str) -> OutputSpec:
    """Return the small output beside a full one. wanted: True, or its size. called: what its kind is called by itself. UserError: no size."""
    size = PREVIEW if wanted is True else _read_size("preview", wanted)
    return replace(spec, name=f"{spec.name}-preview", target=f"{spec.find_sender_name(called)}{' ' if ' ' in called else '-'}preview", size=size,
                   fps=min(spec.fps or PREVIEW_FPS, PREVIEW_FPS), bitrate=None)
