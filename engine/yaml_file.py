"""The one reader and writer of YAML: data only, of bounded size, words and numbers as people mean them, mistakes told in one line.

Bytes, depth, entries and digits have a budget, aliases counted as often as they are written out: a file of 600 bytes can
stand for 10^9 words. Numbers are those of YAML 1.2 (`1e-3` is one, `12:30` is none), dates are text.
"""
import codecs
import re
import reprlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from engine.errors import UserError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DIGITS = 64                         # of a whole number; no setting has more
BYTE_ORDERS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
FLOAT = re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
WHOLE = re.compile(r"[-+]?(\d[\d_]*|0b[01_]+|0o[0-7_]+|0x[\da-fA-F_]+)")
ADVICE = (
    ("escape", "in \"double quotes\" a backslash begins an escape: write C:/nets/mine.pkl, or put the path in 'single quotes'"),
    ("hexdecimal", "in \"double quotes\" a backslash begins an escape: write C:/nets/mine.pkl, or put the path in 'single quotes'"),
    ("cannot start any token", "indent with spaces, not with tabs, and put text that begins with a sign in quotes"),
    ("mapping values are not allowed", "text with a colon in it needs quotes"),
)


@dataclass(frozen=True)
class Budget:
    """What a file may cost. bytes: on the disk. depth: levels. entries: keys, values and list items, aliases written out."""
    bytes: int = 4 << 20
    depth: int = 32
    entries: int = 200_000


CLUSTERS = Budget()                 # 3 x 10^4 entries of published cluster files are 1 MB
SETTINGS = Budget(bytes=1 << 20, depth=32, entries=20_000)       # what people write by hand, and presets


def load_yaml(path, budget: Budget = CLUSTERS):
    """Return a YAML file's content as plain data. UserError: it can't be read, costs too much, or has a key twice."""
    return parse_yaml(read_text(path, budget.bytes), path, budget)


def read_text(path, most: int) -> str:
    """Return a text file's content: UTF-8, or UTF-16 with a byte order mark as Notepad writes it. UserError: it can't be read."""
    try:
        with open(path, "rb") as file:
            raw = file.read(most + 1)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file{_list_beside(Path(path))}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > most:
        raise UserError(f"{path}: larger than {most / 2 ** 20:g} MB; no file of its kind is")
    coding = next((coding for mark, coding in BYTE_ORDERS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(coding)
    except UnicodeDecodeError:
        raise UserError(f"{path}: expected UTF-8 text") from None


def parse_yaml(text: str, where, budget: Budget = CLUSTERS):
    """Return the content of a YAML text as plain data. where: what mistakes are told to be in."""
    try:
        _check_cost(text, budget)
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).split("\n")[0]
        advice = next((f"; {advice}" for sign, advice in ADVICE if sign in problem), "")
        raise UserError(f"{where}{f' line {mark.line + 1}' if mark else ''}: not valid YAML: {problem}{advice}") from None
    except _TooCostly as error:
        raise UserError(f"{where}: {error}") from None
    except (ValueError, RecursionError) as error:        # !!int x, !!python of a kind nobody thought of
        raise UserError(f"{where}: not valid YAML: {shorten(str(error))}") from None


class _TooCostly(Exception):
    """A file is beyond its budget."""


def _check_cost(text, budget):
    """Count what a text would become, event by event, without making it. UserError: too much."""
    sizes: dict[str, int] = {}                           # of what anchors name, written out
    counts = [0]                                         # entries of each open collection,
    names: list[str | None] = [None]                     # and the anchors they have
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            names.append(event.anchor)
            if len(counts) - 1 > budget.depth:
                raise _TooCostly(f"nested too deeply; allowed: {budget.depth} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            count, anchor = counts.pop(), names.pop()
            counts[-1] += count
            if anchor:
                sizes[anchor] = count
        elif isinstance(event, yaml.ScalarEvent):
            counts[-1] += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in names:
                raise _TooCostly(f"*{event.anchor} lies within itself")
            counts[-1] += sizes.get(event.anchor or "", 1)
        if counts[-1] > budget.entries:
            raise _TooCostly(f"more than {budget.entries} entries; no file of its kind has so many")


def shorten(value) -> str:
    """Return a value for an error message: short, whatever it is."""
    try:
        return " ".join(reprlib.repr(value).split())
    except ValueError:                                   # a whole number too long to be written in decimals
        return "a number with very many digits"


class _Loader(LOADER):              # type: ignore[misc, valid-type]  # which of the two it is depends on how yaml was built
    """Makes plain data. A key given twice is a mistake, not a silent loss."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            name = self.construct_object(key, deep=True)
            if isinstance(name, (list, dict, set)):
                raise yaml.constructor.ConstructorError(None, None, "a list cannot be a key", key.start_mark)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name} is given twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=True)


def _to_whole(loader, node):
    text = loader.construct_scalar(node).replace("_", "")
    if len(text) > DIGITS:
        raise yaml.constructor.ConstructorError(None, None, f"a number of {len(text)} digits", node.start_mark)
    try:
        return int(text, 0) if text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else int(text)
    except ValueError:
        raise yaml.constructor.ConstructorError(None, None, f"expected a whole number, got {shorten(text)}", node.start_mark) from None


def _float(loader, node):
    text = loader.construct_scalar(node).replace("_", "").lower()
    try:
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise yaml.constructor.ConstructorError(None, None, f"expected a number, got {shorten(text)}", node.start_mark) from None


def _only_numbers_of_yaml_1_2(loader):
    """Resolve numbers as YAML 1.2 does; dates and times stay text."""
    left = {"tag:yaml.org,2002:float", "tag:yaml.org,2002:int", "tag:yaml.org,2002:timestamp"}
    loader.yaml_implicit_resolvers = {first: [(tag, pattern) for tag, pattern in rules if tag not in left]
                                      for first, rules in loader.yaml_implicit_resolvers.items()}
    for tag, pattern in (("int", WHOLE), ("float", FLOAT)):
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern.pattern})$"), list("-+.0123456789"))


def _mapping(loader, node):
    return loader.construct_mapping(node)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):       # type: ignore[misc]  # as above
    """Writes lists of plain values on one line, everything else one entry a line, and what is there twice twice."""

    def ignore_aliases(self, data):
        return True


def _list(dumper, data):
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=not any(isinstance(item, dict) for item in data))


def dump_yaml(data) -> str:
    """Return plain data as YAML that load_yaml() reads as the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False)


for _numbers in (_Loader, _Dumper):                      # the writer quotes text that the reader would take for a number
    _only_numbers_of_yaml_1_2(_numbers)
_Dumper.add_representer(list, _list)
_Loader.add_constructor("tag:yaml.org,2002:int", _to_whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _list_beside(path):
    """Return what else is in the folder, for a name mistyped."""
    try:
        names = sorted(p.name for p in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
    except (OSError, ValueError):
        names = []
    return f"; there: {', '.join(names[:12])}" if names else ""
