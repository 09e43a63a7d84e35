"""YAML files into pydantic models, with the way to the mistake in every message. Knows files, not what is in them.

An error reads `file > path to the value: what was expected, what was found`, one line for each mistake in the file.
"""
import re
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from engine.errors import UserError
from engine.files import write_text
from engine.yaml_file import SETTINGS, dump_yaml, load_yaml, shorten

DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


class Model(BaseModel):
    """What files are made of: unknown keys are mistakes, words are not numbers, nothing changes afterwards."""
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, data):
        """Return data without keys that have nothing behind them, as they stay when their entries are commented out."""
        if not isinstance(data, dict) or None not in data.values():
            return data
        optional = {field.alias or name for name, field in cls.model_fields.items() if not field.is_required()}
        return {key: value for key, value in data.items() if value is not None or key not in optional}


def read_yaml(path, kind: type[Model]):
    """Return the YAML file at `path` as a `kind`."""
    return build(kind, read_plain(path), path)


def read_plain(path):
    """Return the content of the YAML file at `path` as dicts, lists, numbers and strings."""
    return load_yaml(path, SETTINGS)


def write_yaml(path, data, comments="", make_folder=False):
    """Write plain data as YAML, whole or not at all, comments above it. UserError: why it can't be written."""
    write_text(path, comments + dump_yaml(data), make_folder)


def build(kind: type[Model], data, where):
    """Return parsed YAML as a `kind`."""
    if not isinstance(data, dict):
        raise UserError(f"{where}: expected the keys {_list_keys(kind)}, got {_shorten(data)}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = [_describe_error(kind, data, where, mistake) for mistake in error.errors(include_url=False)]
        raise UserError("\n".join(dict.fromkeys(lines))) from None


def _describe_error(kind, data, where, mistake):
    """Return one pydantic error as one line of ours."""
    path, found, names = list(mistake["loc"]), mistake["input"], mistake.get("ctx", {})
    kind_of = mistake["type"]
    if kind_of in ("missing", "extra_forbidden"):
        key = path.pop()
        key = f"value {key + 1}" if isinstance(key, int) else key
        problem = f"{key} is missing" if kind_of == "missing" else f"unknown {key}; allowed: {_list_allowed(kind, path)}"
    elif kind_of == "value_error":
        problem = str(names["error"])
    elif kind_of == "literal_error":
        problem = f"expected {names['expected'].replace(chr(39), '')}, got {_shorten(found)}"
    else:
        expected = _EXPECTED.get(kind_of) or mistake["msg"].removeprefix("Input should be ")
        problem = f"expected {expected.format(**names)}, got {_shorten(found)}"
    steps = [str(step + 1) if isinstance(step, int) else str(step) for step in path]
    return f"{' > '.join([str(where), *steps])}: {problem}"


_EXPECTED = {
    "float_type": "a number", "int_type": "a whole number", "string_type": "text", "bool_type": "true or false",
    "list_type": "a list", "tuple_type": "a list", "dict_type": "keys and values", "model_type": "keys and values",
    "finite_number": "a finite number", "int_from_float": "a whole number",
    "greater_than_equal": "at least {ge:g}", "less_than_equal": "at most {le:g}", "greater_than": "more than {gt:g}",
    "less_than": "less than {lt:g}", "too_long": "{max_length} values", "too_short": "{min_length} values",
}


def _list_allowed(kind, path):
    """Return the keys of the model at a path within `kind`."""
    for step in path:
        if not isinstance(step, int) and step in getattr(kind, "model_fields", {}):
            kind = kind.model_fields[step].annotation
        while kind is not None and not hasattr(kind, "model_fields"):
            inner = [a for a in get_args(kind) if hasattr(a, "model_fields") or get_args(a)]
            kind = inner[0] if inner else None
    return _list_keys(kind) if kind else "none"


def _list_keys(kind):
    """Return the names of a model's keys as a file has them."""
    return ", ".join(field.alias or name for name, field in kind.model_fields.items())


def _shorten(value):
    text = "nothing" if value is None else repr(value) if isinstance(value, str) and len(value) <= 58 else shorten(value)
    return (text if len(text) <= 60 else f"{text[:57]}...") + _advise(value)


def _advise(value) -> str:
    """Return what to write instead of a value that is often meant otherwise, "" where nothing is known."""
    if isinstance(value, str) and DECIMAL_COMMA.fullmatch(value.strip()):
        return f"; write it with a point: {value.strip().replace(',', '.')}"
    if isinstance(value, bool):
        return "; on, off, yes, no, true and false are not text unless they stand in quotes"
    return ""
