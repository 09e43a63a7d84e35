"""Libraries that only some outputs and sources need, and that are not installed with the show: one line says how to get one."""
import contextlib
import sys
from collections.abc import Iterator

from engine.errors import UserError

SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


class MissingError(UserError):
    """Something that no second try will find: a library that is not installed, or another system than it is for."""


@contextlib.contextmanager
def import_extra(what: str, package: str) -> Iterator[None]:
    """Import an optional library inside this. what: who needs it, "output ndi". MissingError: the pip command that brings it."""
    try:
        yield
    except ImportError as error:
        reason = "" if isinstance(error, ModuleNotFoundError) else f" ({error})"
        raise MissingError(f"{what}: {package} is not installed{reason}; pip install {package}") from None


def check_system(what: str, *systems: str, instead: str):
    """Raise MissingError where this system is none of these; instead: what to use on others."""
    if sys.platform not in systems:
        here = SYSTEMS.get(sys.platform, sys.platform)
        raise MissingError(f"{what}: there is that on {' and '.join(SYSTEMS[name] for name in systems)} only, and this is {here}; {instead}")
