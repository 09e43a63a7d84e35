"""Names that users give: each becomes part of an address."""
import re

from engine.errors import UserError
from engine.yaml_file import shorten

NAME = re.compile(r"[^\W_][\w.+-]{0,63}")


def check_name(name: str) -> str:
    """Return the name, if it can be part of an address. UserError: it cannot."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UserError(f"name {shorten(name)}: expected letters, digits, and . _ + - between them")
    return name


def make_name(text) -> str:
    """Return a text as a name that can be part of an address."""
    return re.sub(r"[^\w.+-]+", "-", str(text)).strip("-_.+")[:48] or "unnamed"
