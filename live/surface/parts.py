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
from live.surface.job_file import JobFile
from live.surface.latents import LatentPictures
from live.surface.moving import Moving
from live.surface.preview import encode_jpeg
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
        self.worker = Worker(about.get("checkpoint", ""), self._finish_job, JobFile(self.runs.path / "jobs.json" if about.get("folder") else None))
        self.favourites = Favourites(about.get("folder"))
        self.moving = Moving(hub.show, self.thumbnails, self.worker, self._can_draw)
        self.latents = LatentPictures(hub.show, self.worker, lambda: bool(self.about.get("checkpoint")))
        self.clusters_version = self.edits_version = 1
        self._thumbs: dict = {}
        self._shown = self.show.switch.opened if self.show.switch else None
        self._switches = 0                               # how often another network has come

    def close(self):
        """End of the show."""
        self.worker.close()
        self.latents.close()

    def read_state(self) -> dict:
        """Return the keys of state that this adds."""
        return {"thumbs": lambda: self._thumbs, "layers": self._list_layers, "clusters": self._list_clusters, "transforms": self._list_transforms,
                "clusters_version": lambda: self.clusters_version, "edits_version": lambda: self.edits_version,
                "jobs": self.worker.list_jobs, "runs": self.runs.list_runs, "source": self.moving.read_source_state,
                "favourites": self.favourites.list_addresses}

    def refresh(self, names):
        """Bring pictures of presets and the list of trainings up to date, once a second."""
        self._follow()
        found = self.thumbnails.refresh(names)
        self._thumbs = {name: self._tell_apart(name, digest) for name, digest in found.items()}
        self.runs.refresh()

    def _tell_apart(self, name, digest) -> str:
        """Return what a page asks for a preset's picture by: what is not drawn yet is asked for again when another network plays."""
        return digest if not self._switches or self.thumbnails.is_there(name, digest) else f"{digest}-{self._switches}"

    def _follow(self):
        """Have pictures, clusters and trainings be those of the network that plays."""
        opened = self.show.switch.opened if self.show.switch else None
        if opened is None or opened is self._shown:
            return
        self._shown, self._switches = opened, self._switches + 1
        self.about |= {"instrument": opened.name, "folder": opened.folder.folder, "checkpoint": str(opened.folder.whole)}
        self.worker.use(self.about["checkpoint"])
        self.runs.follow(self.about["checkpoint"], self.about["folder"])
        self.clusters_version += 1
        self.edits_version += 1

    def _can_draw(self, name) -> bool:
        """Return whether the studio can draw a preset: there is one, and the preset is of the network that plays."""
        preset = self.thumbnails.library.get(name) if self.thumbnails.library is not None else None
        return bool(self.about.get("checkpoint")) and preset is not None and (self.show.switch is None or self.show.switch.is_of_playing(preset))

    def list_routes(self) -> list:
        """Return (path, endpoint, methods)."""
        return [("/api/thumb/preset/{name}.jpg", self.answer_preset, ["GET"]), ("/api/thumb/seed/{seed:int}.jpg", self.answer_seed, ["GET"]),
                ("/api/thumb/back/{second:int}.jpg", self.answer_moment, ["GET"]),
                ("/api/cluster/{layer}/{name}.jpg", self.answer_cluster, ["GET"]), ("/api/edit/{name}.jpg", self.answer_edit, ["GET"]),
                ("/api/report", self.answer_report, ["GET"]), ("/api/takes", self.answer_takes, ["GET"]), ("/api/jobs", self.answer_jobs, ["GET", "POST"]),
                ("/api/jobs/{number:int}", self.answer_job, ["DELETE"]), *self.runs.list_routes(), *self.moving.list_routes(), *self.latents.list_routes(),
                *self.favourites.list_routes()]

    # -- state

    def _list_layers(self):
        return list(getattr(getattr(self.show.instrument, "generator", None), "layers", ()))

    def _list_clusters(self):
        clusters = getattr(self.show.instrument, "clusters", None)
        return {layer: {name: len(channels) for name, channels in clusters[layer].items()} for layer in clusters} if clusters else {}

    def _list_transforms(self):
        from engine.bends import TRANSFORMS

        return {name: transform.about.split("\n")[0] for name, transform in TRANSFORMS.items()}

    # -- pictures

    async def answer_preset(self, request):
        """Answer with a preset's picture: the one kept, or one drawn now."""
        name = request.path_params["name"]
        if not NAME.fullmatch(name) or self.thumbnails.library is None or (digest := self.thumbnails.hash_preset(name)) is None:
            return Response("no such preset\n", 404)
        try:
            return _respond_jpeg(self.thumbnails.make_path(name, digest).read_bytes(), FOREVER)
        except OSError:
            pass
        data = await self.worker.draw({"kind": "preset", "name": name, "file": str(self.thumbnails.library.make_path(name)), "hash": digest}) \
            if self._can_draw(name) else None
        if data is None:
            return Response("no picture\n", 404)
        self.thumbnails.store(name, digest, data)
        return _respond_jpeg(data, FOREVER)

    async def answer_seed(self, request):
        """Answer with a picture of a seed."""
        try:
            psi = min(max(float(request.query_params.get("psi", 1.0)), -2.0), 2.0)
        except ValueError:
            return Response("psi is a number\n", 400)
        seed, side = request.path_params["seed"], LARGE if "large" in request.query_params else SIDE
        data = await self.worker.draw({"kind": "seed", "seed": seed, "psi": round(psi, 1), "side": side}) if seed < 2 ** 32 and psi == psi else None
        return _respond_jpeg(data, AN_HOUR) if data else Response("no picture\n", 404)

    async def answer_moment(self, request):
        """Answer with the picture that was shown at a second of the show's time."""
        trail = self.show.find_player("trail")
        kept = next((kept for kept in list(trail.moments) if int(kept.time) == request.path_params["second"]), None) if trail is not None else None
        if kept is None or kept.picture is None:
            return Response("no picture\n", 404)
        return _respond_jpeg(encode_jpeg(kept.picture, max(kept.picture.shape[:2])), {"Cache-Control": "no-store"})

    async def answer_cluster(self, request):
        """Answer with a picture of where a cluster acts."""
        layer, name = request.path_params["layer"], request.path_params["name"]
        if name not in self._list_clusters().get(layer, {}):
            return Response("no such cluster\n", 404)
        data = await self.worker.draw({"kind": "cluster", "layer": layer, "name": name})
        return _respond_jpeg(data, AN_HOUR) if data else Response("no picture\n", 404)

    async def answer_edit(self, request):
        """Answer with what an edit does: as it is, at strength 1, at -1, and where its rule fires, side by side."""
        name = request.path_params["name"]
        if not NAME.fullmatch(name) or f"/edits/{name}/strength" not in self.show.scene.parameters:
            return Response("no such edit\n", 404)
        data = await self.worker.draw({"kind": "edit", "name": name})
        return _respond_jpeg(data, AN_HOUR) if data else Response("no picture\n", 404)

    # -- figures

    async def answer_report(self, request):
        """Answer with how the show goes."""
        more = {"late": self.about.get("late", lambda: 0)(), "clients": len(self.hub.links), "junk": self.hub.junk_count}
        return JSONResponse(self.hub.show.meter.report() | more)

    async def answer_takes(self, request):
        """Answer with the names of takes, newest first."""
        recording = self.show.recording
        try:
            found = list(recording.takes.glob("*.take")) if recording else []
            found.sort(key=lambda path: -path.stat().st_mtime)
        except OSError:
            found = []
        return JSONResponse({"takes": [path.stem for path in found[:100]]})

    # -- jobs

    async def answer_jobs(self, request):
        """Answer with the jobs there are, or begin one."""
        if request.method == "GET":
            return JSONResponse({"jobs": self.worker.list_jobs()})
        from live.surface.server import read_body

        body = await read_body(request, BODY)
        if body is None:
            return Response("too long\n", 413)
        try:
            job = json.loads(body)
        except (ValueError, RecursionError):
            job = None
        if not isinstance(job, dict) or job.get("kind") not in WORK or request.scope["role"] != "play":
            return JSONResponse({"text": f"expected a job of kind {', '.join(WORK)}, from a page that may play"}, 400)
        if job["kind"] == "solve" and (wrong := masks.find_mistake(job.get("request"))):
            return JSONResponse({"text": wrong}, 400)
        number = self.worker.add(job)
        return JSONResponse({"id": number}) if number else JSONResponse({"text": "too much is waiting"}, 429)

    async def answer_job(self, request):
        """End a job."""
        if request.scope["role"] != "play":
            return JSONResponse({"text": "this page may only watch"}, 403)
        return Response("", 204) if self.worker.stop(request.path_params["number"]) else Response("no such job\n", 404)

    def _finish_job(self, job, answer):
        """Take the result of a finished job into the show, unless that plays another network now."""
        if job["instrument"] != self.worker.instrument:
            return
        if job["kind"] == "solve" and answer.get("ok"):
            self.edits_version += 1
            self.show.inbox.put(Asked("/edits/reload", (), now()))
        elif job["kind"] in ("find", "rename") and answer.get("ok"):
            self._reload_clusters()

    def _reload_clusters(self):
        """Have the show bend by the clusters as they are in the file now."""
        from engine.clusters import load

        instrument, folder = getattr(self.show.instrument, "new", self.show.instrument), Path(self.about["folder"])
        for path in sorted(folder.glob("clusters.y*ml")):
            try:
                instrument.clusters = load(path, instrument.generator)
            except UserError as error:
                log.warning("%s; clusters stay as they were", error)
        self.worker.forget_pictures()
        self.clusters_version += 1


def _respond_jpeg(data, headers):
    return Response(data, media_type="image/jpeg", headers=headers)
