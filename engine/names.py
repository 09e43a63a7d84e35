"""Names that users give: each becomes part of an address."""
import re

from engine.errors import UserError
from engine.yaml_file import shown

NAME = re.compile(r"[^\W_][\w.+-]{0,63}")


def check_name(name: str) -> str:
    """The name, if it can be part of an address; UserError if it cannot."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UserError(f"name {shown(name)}: expected letters, digits, and . _ + - between them")
    return name
