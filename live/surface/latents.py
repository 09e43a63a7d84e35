"""Kept latents on the page: their pictures, and photographs that are dropped there."""
import asyncio
import logging
import re
import shutil
import tempfile
from pathlib import Path

from starlette.responses import JSONResponse, Response

from engine.errors import UserError
from engine.names import make_name
from live.files.names import NAME
from live.files.stills import read_still
from live.show.clock import now
from live.show.events import Asked
from live.surface.preview import encode_jpeg

LIBRARIES = ("starlette",)
log = logging.getLogger(__name__)

LARGEST = 64 << 20                  # bytes of a photograph
LONGEST = 200                       # characters of its name
SIDE = 192                          # px of a picture
KEPT = {"Cache-Control": "max-age=31536000, immutable"}
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif")


class LatentPictures:
    """show: whose kept latents. worker: what draws those that have no picture; can_draw(): whether it can."""

    def __init__(self, show, worker, can_draw):
        self.show, self.worker, self.can_draw = show, worker, can_draw
        self._folder: Path | None = None             # where photographs lie until they have been looked for
        self._count = 0

    def list_routes(self) -> list:
        """Return (path, endpoint, methods)."""
        return [("/api/thumb/latent/{name}.jpg", self.answer_picture, ["GET"]), ("/api/latents", self.take_photograph, ["POST"])]

    def close(self):
        """End of the show: photographs that were sent are forgotten; their latents stay."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def answer_picture(self, request):
        """Answer with the picture of a kept latent: its photograph, or what the network makes of it."""
        name, finds = request.path_params["name"], self.show.finds
        if not NAME.fullmatch(name) or not hasattr(finds, "read_picture") or name not in finds.describe()["latents"]:
            return Response("no such latent\n", 404)
        pixels = finds.read_picture(name)
        data: bytes | None = None
        if pixels is not None:
            data = await asyncio.to_thread(encode_jpeg, pixels, SIDE)
        elif self.can_draw():
            data = await self.worker.draw({"kind": "latent", "name": name, "mark": finds.describe()["pictures"][name]})
        return Response(data, media_type="image/jpeg", headers=KEPT) if data else Response("no picture\n", 404)

    async def take_photograph(self, request):
        """Take a photograph, the body, and have the show make a kept latent of it and go there. ?name: of its file."""
        from live.surface.server import read_body

        if request.scope["role"] != "play":
            return JSONResponse({"text": "this page may only watch"}, 403)
        if not hasattr(self.show.finds, "add_picture"):
            return JSONResponse({"text": "this show has no folder that a latent could be kept in"}, 400)
        data = await read_body(request, LARGEST)
        if not data:
            return JSONResponse({"text": "an empty file" if data is not None else f"more than {LARGEST >> 20} MB"}, 400 if data is not None else 413)
        try:
            path = await asyncio.to_thread(self._write, request.query_params.get("name", ""), data)
        except (UserError, OSError) as error:
            return JSONResponse({"text": _shorten(error, self._folder)}, 400)
        self.show.inbox.put(Asked("/latents/add", (str(path),), now()))
        return JSONResponse({"name": path.stem})

    def _write(self, name: str, data: bytes) -> Path:
        """Return where a photograph lies now. UserError: it is none."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="latent-jockey-"))
        self._count += 1
        folder = self._folder / str(self._count)                # each has one of its own, so that it keeps its name
        folder.mkdir()
        given = Path(name[-LONGEST:].replace("\\", "/").rpartition("/")[2])
        path = folder / (make_name(given.stem or "photograph") + (given.suffix.lower() if given.suffix.lower() in ENDINGS else ".jpg"))
        path.write_bytes(data)
        try:
            read_still(path)
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return path


def _shorten(error, folder) -> str:
    """Return an error in words, without the folder that nobody knows of."""
    text = re.sub(rf"{re.escape(str(folder))}[\\/]\d+[\\/]", "", str(error))
    return f"not added: {text.partition(': ')[2] or text}"[:200]
