"""JSON that comes from files: read with a budget, so that no line of brackets or digits can throw the reader."""
import json
import re

DEEPEST = 64                        # levels; a take's own lines have fewer than twenty
LARGEST = 16 << 20                  # bytes
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def parse_json(raw: bytes | str):
    """Return the data of a JSON text. ValueError: it is no JSON, larger than 16 MB, or nested deeper than 64 levels."""
    raw = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(raw) > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 20} MB")
    if raw.count(b"[") + raw.count(b"{") > DEEPEST:
        _check_depth(raw)
    return json.loads(raw)


def _check_depth(raw):
    depth = 0
    for mark in _MARKS.finditer(raw):
        first = raw[mark.start()]
        depth += (first in b"[{") - (first in b"]}")
        if depth > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST} levels")
