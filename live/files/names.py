"""Names that users give to files: presets, takes, mappings."""
import re
import unicodedata

from engine.errors import UserError

NAME = re.compile(r"\w[\w .+()-]{0,80}")


def check_name(name, kind: str = "preset") -> str:
    """Return a name that can be a file's, each accented letter as one; UserError if it can't. kind: what it is to be the name of."""
    name = unicodedata.normalize("NFC", name) if isinstance(name, str) else name             # a Mac sends accents apart
    if not isinstance(name, str) or not NAME.fullmatch(name) or name != name.strip():
        raise UserError(f"{kind} name {name!r}: expected letters, digits, spaces and . + - ( ), at most 80, no dot first")
    return name
