"""Pictures that move while a page looks at them: the cued look, drawn beside the show, and what the source sees.

A page fetches one after the other; several pages share each. Nobody fetches: nothing is drawn.
"""
import asyncio
import base64
import logging

from starlette.responses import Response

from live.files.names import NAME
from live.show.clock import now
from live.surface.preview import encode_jpeg

LIBRARIES = ("starlette",)
log = logging.getLogger(__name__)

RATE = 5.0                          # pictures a second, at most
SIDE = 256                          # px of the source's picture
FRESH = {"Cache-Control": "no-store"}


class Moving:
    """show: whose source. thumbnails: of its presets. worker: what draws beside the show. can_draw(name): whether it can draw a preset."""

    def __init__(self, show, thumbnails, worker, can_draw):
        self.show, self.thumbnails, self.worker, self.can_draw = show, thumbnails, worker, can_draw
        self._cued: tuple = (None, 0.0, None)            # (name, hash), when it was drawn, the task that draws it
        self._source: tuple = (None, b"")                # the source's picture, and as JPEG
        self.drawn = 0

    def list_routes(self) -> list:
        """Return (path, endpoint, methods)."""
        return [("/api/thumb/cued.jpg", self.answer_cued, ["GET"]), ("/api/source.jpg", self.answer_source, ["GET"])]

    def read_source_state(self) -> dict:
        """Return the source's name and state for pages; empty where there is none."""
        feed = getattr(self.show.source, "feed", None)
        return {"name": feed.text, "state": feed.state, "reason": feed.reason} if feed is not None else {}

    async def answer_cued(self, request):
        """Answer with the cued look as it goes on, or with that of ?name."""
        recall = self.show.recall
        name = request.query_params.get("name") or (recall.cued if recall is not None else None)
        if self.thumbnails.library is None or not name or not NAME.fullmatch(name) or not self.can_draw(name):
            return Response("no such preset\n", 404)
        if (digest := self.thumbnails.hash_preset(name)) is None:
            return Response("no such preset\n", 404)
        which, since, task = self._cued
        moment = now()
        if which != (name, digest) or task is None or task.done() and moment - since >= 1 / RATE:
            seconds = moment - since if which == (name, digest) else 0.0
            task = asyncio.create_task(self._draw(name, digest, min(seconds, 1.0)))
            self._cued = (name, digest), moment, task
        data = await asyncio.shield(task)
        return Response(data, media_type="image/jpeg", headers=FRESH) if data else Response("no picture\n", 404)

    async def _draw(self, name, digest, seconds):
        path = self.thumbnails.library.make_path(name)
        answer = await self.worker.run({"kind": "moving", "name": name, "file": str(path), "hash": digest, "seconds": round(seconds, 3)})
        self.drawn += 1
        return base64.b64decode(answer["jpeg"]) if answer.get("ok") else None

    async def answer_source(self, request):
        """Answer with the picture that the source sees now."""
        pixels = self.show.source.picture(self.show.scene) if self.read_source_state() else None
        if pixels is None:
            return Response("no source\n", 404)
        if self._source[0] is not pixels:
            self._source = pixels, await asyncio.to_thread(encode_jpeg, pixels, SIDE)
        return Response(self._source[1], media_type="image/jpeg", headers=FRESH)
