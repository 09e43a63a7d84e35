"""YAML files into pydantic models, with the way to the mistake in every message. Knows files, not what is in them.

An error reads `file > path to the value: what was expected, what was found`, one line for each mistake in the file.
"""
import os
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import UserError


DEEPEST = 100                       # levels of lists and keys within each other


class Model(BaseModel):
    """What files are made of: unknown keys are mistakes, words are not numbers, nothing changes afterwards."""
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """The safe loader; a key given twice is a mistake, not a silent loss."""


def _mapping(loader, node):
    seen = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if isinstance(name, (list, dict, set)):
            raise yaml.constructor.ConstructorError(None, None, "a list cannot be a key", key.start_mark)
        if name in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{name} is given twice", key.start_mark)
        seen.add(name)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path, kind: type[Model]):
    """The YAML file at `path` as a `kind`."""
    return build(kind, read_plain(path), path)


def read_plain(path):
    """What the YAML file at `path` holds, as dicts, lists, numbers and strings."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file{_beside(Path(path))}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: expected UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        if _depth(text) > DEEPEST:
            raise UserError(f"{path}: nested too deeply; allowed: {DEEPEST} levels")
        return yaml.load(text, _Loader)
    except RecursionError:
        raise UserError(f"{path}: nested too deeply") from None
    except ValueError as error:                        # a date in month 13, !!int x
        raise UserError(f"{path}: not valid YAML: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).split("\n")[0]
        raise UserError(f"{path}{line}: not valid YAML: {problem}") from None


def _depth(text):
    """How deep a YAML text is nested, as far as that can matter: a loader written in C falls over at some ten thousand."""
    deepest = depth = 0
    if len(text) > 1 << 14:
        for event in yaml.parse(text, _Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            deepest = max(deepest, depth)
            if deepest > DEEPEST:
                break
    return deepest


def write_yaml(path, data, comments=""):
    """Write plain data as YAML, comments above it: to a temporary name first, so that a crash never leaves half a file."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    text = comments + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None


def build(kind: type[Model], data, where):
    """Parsed YAML as a `kind`; UserError names every mistake and the way to it, beginning at `where`."""
    if not isinstance(data, dict):
        raise UserError(f"{where}: expected the keys {_keys(kind)}, got {_short(data)}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = [_line(kind, data, where, mistake) for mistake in error.errors(include_url=False)]
        raise UserError("\n".join(dict.fromkeys(lines))) from None


def _line(kind, data, where, mistake):
    """One pydantic error as one line of ours."""
    path, found, names = list(mistake["loc"]), mistake["input"], mistake.get("ctx", {})
    kind_of = mistake["type"]
    if kind_of in ("missing", "extra_forbidden"):
        key = path.pop()
        key = f"value {key + 1}" if isinstance(key, int) else key
        problem = f"{key} is missing" if kind_of == "missing" else f"unknown {key}; allowed: {_allowed(kind, path)}"
    elif kind_of == "value_error":
        problem = str(names["error"])
    elif kind_of == "literal_error":
        problem = f"expected {names['expected'].replace(chr(39), '')}, got {_short(found)}"
    else:
        expected = _EXPECTED.get(kind_of) or mistake["msg"].removeprefix("Input should be ")
        problem = f"expected {expected.format(**names)}, got {_short(found)}"
    steps = [str(step + 1) if isinstance(step, int) else str(step) for step in path]
    return f"{' > '.join([str(where), *steps])}: {problem}"


_EXPECTED = {
    "float_type": "a number", "int_type": "a whole number", "string_type": "text", "bool_type": "true or false",
    "list_type": "a list", "tuple_type": "a list", "dict_type": "keys and values", "model_type": "keys and values",
    "finite_number": "a finite number", "int_from_float": "a whole number",
    "greater_than_equal": "at least {ge:g}", "less_than_equal": "at most {le:g}", "greater_than": "more than {gt:g}",
    "less_than": "less than {lt:g}", "too_long": "{max_length} values", "too_short": "{min_length} values",
}


def _allowed(kind, path):
    """The keys of the model at a path within `kind`."""
    for step in path:
        if not isinstance(step, int) and step in getattr(kind, "model_fields", {}):
            kind = kind.model_fields[step].annotation
        while kind is not None and not hasattr(kind, "model_fields"):
            inner = [a for a in getattr(kind, "__args__", ()) if hasattr(a, "model_fields") or getattr(a, "__args__", ())]
            kind = inner[0] if inner else None
    return _keys(kind) if kind else "none"


def _keys(kind):
    """What the keys of a model are called in a file."""
    return ", ".join(field.alias or name for name, field in kind.model_fields.items())


def _short(value):
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _beside(path):
    """What else is in the folder, for a name mistyped."""
    names = sorted(p.name for p in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
    return f"; there: {', '.join(names[:12])}" if names else ""
