"""What pages fetch: pictures, takes, figures; and jobs of the studio. Routes of the server, further keys of state."""
import json
import logging
from pathlib import Path

from starlette.responses import JSONResponse, Response

from engine.errors import UserError
from live.files.names import NAME
from live.show.clock import now
from live.show.events import Asked
from live.surface import masks
from live.surface.favourites import Favourites
from live.surface.kept_jobs import KeptJobs
from live.surface.moving import Moving
from live.surface.runs import Runs
from live.surface.thumbnails import Thumbnails
from live.surface.worker import Worker

LIBRARIES = ("starlette",)
log = logging.getLogger(__name__)

FOREVER = {"Cache-Control": "max-age=31536000, immutable"}
AN_HOUR = {"Cache-Control": "max-age=3600"}
BODY = 1 << 22                      # bytes of a job
SIDE, LARGE = 160, 384              # px of a seed's picture; of one that is painted on
WORK = ("solve", "find", "rename")


class Parts:
    """hub, preview: see live/surface/service.py. about: folder, checkpoint: of the instrument that plays."""

    def __init__(self, hub, preview, about):
        self.show, self.hub, self.about = hub.show, hub, about
        self.thumbnails = Thumbnails(hub.show, preview)
        self.runs = Runs(about.get("checkpoint", ""), about.get("folder"))
        self.worker = Worker(about.get("checkpoint", ""), self._done, KeptJobs(self.runs.path / "jobs.json" if about.get("folder") else None))
        self.favourites = Favourites(about.get("folder"))
        self.moving = Moving(hub.show, self.thumbnails, self.worker, lambda: bool(about.get("checkpoint")))
        self.clusters_version = self.edits_version = 1
        self._thumbs: dict = {}

    def close(self):
        """End of the show."""
        self.worker.close()

    def state(self) -> dict:
        """Return the keys of state that this adds."""
        return {"thumbs": lambda: self._thumbs, "layers": self._layers, "clusters": self._cluster_names, "transforms": self._transforms,
                "clusters_version": lambda: self.clusters_version, "edits_version": lambda: self.edits_version,
                "jobs": self.worker.told, "runs": self.runs.told, "source": self.moving.source_state, "favourites": self.favourites.told}

    def slow(self, names):
        """Once a second: pictures of presets, trainings."""
        self._thumbs = self.thumbnails.look(names)
        self.runs.look()

    def routes(self) -> list:
        """Return (path, endpoint, methods)."""
        return [("/api/thumb/preset/{name}.jpg", self.preset, ["GET"]), ("/api/thumb/seed/{seed:int}.jpg", self.seed, ["GET"]),
                ("/api/cluster/{layer}/{name}.jpg", self.cluster, ["GET"]), ("/api/edit/{name}.jpg", self.edit, ["GET"]),
                ("/api/report", self.report, ["GET"]), ("/api/takes", self.takes, ["GET"]), ("/api/jobs", self.jobs, ["GET", "POST"]),
                ("/api/jobs/{number:int}", self.job, ["DELETE"]), *self.runs.routes(), *self.moving.routes(), *self.favourites.routes()]

    # -- state

    def _layers(self):
        return list(getattr(getattr(self.show.instrument, "generator", None), "layers", ()))

    def _cluster_names(self):
        clusters = getattr(self.show.instrument, "clusters", None)
        return {layer: {name: len(channels) for name, channels in clusters[layer].items()} for layer in clusters} if clusters else {}

    def _transforms(self):
        from engine.bends import TRANSFORMS

        return {name: transform.about.split("\n")[0] for name, transform in TRANSFORMS.items()}

    # -- pictures

    async def preset(self, request):
        """Answer with a preset's picture: the one kept, or one drawn now."""
        name = request.path_params["name"]
        if not NAME.fullmatch(name) or self.thumbnails.library is None or (digest := self.thumbnails.hash_of(name)) is None:
            return Response("no such preset\n", 404)
        try:
            return _jpeg(self.thumbnails.path(name, digest).read_bytes(), FOREVER)
        except OSError:
            pass
        data = await self.worker.picture({"kind": "preset", "name": name, "hash": digest}) if self.about.get("checkpoint") else None
        if data is None:
            return Response("no picture\n", 404)
        self.thumbnails.keep(name, digest, data)
        return _jpeg(data, FOREVER)

    async def seed(self, request):
        """Answer with a picture of a seed."""
        try:
            psi = min(max(float(request.query_params.get("psi", 1.0)), -2.0), 2.0)
        except ValueError:
            return Response("psi is a number\n", 400)
        seed, side = request.path_params["seed"], LARGE if "large" in request.query_params else SIDE
        data = await self.worker.picture({"kind": "seed", "seed": seed, "psi": round(psi, 1), "side": side}) if seed < 2 ** 32 and psi == psi else None
        return _jpeg(data, AN_HOUR) if data else Response("no picture\n", 404)

    async def cluster(self, request):
        """Answer with a picture of where a cluster acts."""
        layer, name = request.path_params["layer"], request.path_params["name"]
        if name not in self._cluster_names().get(layer, {}):
            return Response("no such cluster\n", 404)
        data = await self.worker.picture({"kind": "cluster", "layer": layer, "name": name})
        return _jpeg(data, AN_HOUR) if data else Response("no picture\n", 404)

    async def edit(self, request):
        """Answer with what an edit does: as it is, at strength 1, at -1, and where its rule fires, side by side."""
        name = request.path_params["name"]
        if not NAME.fullmatch(name) or f"/edits/{name}/strength" not in self.show.scene.parameters:
            return Response("no such edit\n", 404)
        data = await self.worker.picture({"kind": "edit", "name": name})
        return _jpeg(data, AN_HOUR) if data else Response("no picture\n", 404)

    # -- figures

    async def report(self, request):
        """Answer with how the show goes."""
        more = {"late": self.about.get("late", lambda: 0)(), "clients": len(self.hub.links), "junk": self.hub.junk_count}
        return JSONResponse(self.hub.show.meter.report() | more)

    async def takes(self, request):
        """Answer with the names of takes, newest first."""
        recording = self.show.recording
        try:
            found = list(recording.takes.glob("*.take")) if recording else []
            found.sort(key=lambda path: -path.stat().st_mtime)
        except OSError:
            found = []
        return JSONResponse({"takes": [path.stem for path in found[:100]]})

    # -- jobs

    async def jobs(self, request):
        """Answer with the jobs there are, or begin one."""
        if request.method == "GET":
            return JSONResponse({"jobs": self.worker.told()})
        from live.surface.server import body_of

        body = await body_of(request, BODY)
        if body is None:
            return Response("too long\n", 413)
        try:
            job = json.loads(body)
        except (ValueError, RecursionError):
            job = None
        if not isinstance(job, dict) or job.get("kind") not in WORK or request.scope["role"] != "play":
            return JSONResponse({"text": f"expected a job of kind {', '.join(WORK)}, from a page that may play"}, 400)
        if job["kind"] == "solve" and (wrong := masks.wrong(job.get("request"))):
            return JSONResponse({"text": wrong}, 400)
        number = self.worker.add(job)
        return JSONResponse({"id": number}) if number else JSONResponse({"text": "too much is waiting"}, 429)

    async def job(self, request):
        """End a job."""
        if request.scope["role"] != "play":
            return JSONResponse({"text": "this page may only watch"}, 403)
        return Response("", 204) if self.worker.stop(request.path_params["number"]) else Response("no such job\n", 404)

    def _done(self, job, answer):
        """A job has ended: the show has what came of it."""
        if job["kind"] == "solve" and answer.get("ok"):
            self.edits_version += 1
            self.show.inbox.put(Asked("/edits/reload", (), now()))
        elif job["kind"] in ("find", "rename") and answer.get("ok"):
            self._reload_clusters()

    def _reload_clusters(self):
        """Have the show bend by the clusters as they are in the file now."""
        from engine.clusters import load

        instrument, folder = self.show.instrument, Path(self.about["folder"])
        for path in sorted(folder.glob("clusters.y*ml")):
            try:
                instrument.clusters = load(path, instrument.generator)
            except UserError as error:
                log.warning("%s; clusters stay as they were", error)
        self.worker.forget_pictures()
        self.clusters_version += 1


def _jpeg(data, headers):
    return Response(data, media_type="image/jpeg", headers=headers)
