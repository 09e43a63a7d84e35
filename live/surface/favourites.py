"""The performer's favourites: addresses that an instrument's pages show first. Kept beside its presets, in surface.json."""
import asyncio
import json
import logging
from pathlib import Path

from starlette.responses import JSONResponse

from engine.errors import UserError
from engine.files import write_text

LIBRARIES = ("starlette",)
log = logging.getLogger(__name__)

NAME, SCHEMA = "surface.json", 1
MOST, LONGEST = 200, 256            # addresses, and characters of one


class Favourites:
    """folder: the instrument's, or None where it has none; then they last as long as the show."""

    def __init__(self, folder):
        self.path = Path(folder) / NAME if folder else None
        self.addresses = self._read()

    def _read(self) -> list[str]:
        """Return the favourites in the file; none, and a line in the log, where it is damaged."""
        if self.path is None or not self.path.exists():
            return []
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            return check_addresses(data["favourites"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError, UserError) as error:
            log.warning("%s: not used, as it can't be read: %s", self.path, error)
            return []

    def list_addresses(self) -> list[str]:
        """Return the addresses in their order."""
        return self.addresses

    def list_routes(self) -> list:
        """Return (path, endpoint, methods)."""
        return [("/api/favourites", self.put, ["POST"])]

    async def put(self, request):
        """Take others, and keep them."""
        from live.surface.server import read_body

        body = await read_body(request, MOST * LONGEST * 2)
        try:
            if request.scope["role"] != "play":
                raise UserError("this page may only watch")
            found = check_addresses(json.loads(body or b""))
        except (ValueError, RecursionError, UserError) as error:
            return JSONResponse({"text": str(error)[:200]}, 400)
        self.addresses = found
        if self.path is not None:
            text = json.dumps({"schema": SCHEMA, "favourites": found}, indent=1) + "\n"
            try:
                await asyncio.to_thread(write_text, self.path, text)
            except UserError as error:
                log.warning("favourites are not kept: %s", error)
        return JSONResponse({"favourites": found})


def check_addresses(data) -> list[str]:
    """Return a list of addresses, each once. UserError: it is none."""
    if not isinstance(data, list) or len(data) > MOST or not all(isinstance(a, str) and a.startswith("/") and len(a) <= LONGEST for a in data):
        raise UserError(f"expected a list of at most {MOST} addresses such as /truncation")
    return list(dict.fromkeys(data))
