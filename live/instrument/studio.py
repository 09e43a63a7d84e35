"""Slow work for the page, done beside the show: pictures of seeds, clusters and presets, clusters found and named, edits solved.

A process of its own runs this at low priority (run_live.py studio); it opens the instrument once and keeps it.
"""
import base64
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.errors import UserError
from live.files.names import check_name
from live.instrument import open as opening
from live.instrument.found import CLUSTERS
from live.presets.preset import read_file
from live.surface.preview import encode_jpeg

SIDE, LARGE = 160, 512              # px of a picture; of one that is painted on, at most
SAMPLE = 3                          # the seed that clusters are shown on
MOST_SAMPLES = 500
EDITS = "edits"
MOVING = 256                        # px of the cued look, which moves
LONGEST_STEP = 1.0                  # seconds it goes on at most from picture to picture


class Workshop:
    """where: the instrument's folder or checkpoint. do(job) -> what comes of it, ready for JSON. UserError: why nothing does."""

    def __init__(self, where):
        self.opened = opening.open_instrument(where, size=None, device="cpu", threads=1)
        self.generator = self.opened.instrument.generator
        self.library = self.opened.open_library()
        self._maps: dict = {}
        self._moving: tuple | None = None                # (name, hash), scene, motion of the look that is drawn moving

    def do(self, job: dict, progress: Callable[[str, float], None] = lambda stage, at: None) -> dict:
        """Do one job: {"kind": ..., and what it needs}. progress(stage, 0..1)."""
        kind = job.get("kind")
        if kind not in KINDS:
            raise UserError(f"no job {kind!r}; there are: {', '.join(KINDS)}")
        return KINDS[kind](self, job, progress)

    # -- pictures

    def seed(self, job, progress) -> dict:
        """Draw a seed, `side` px wide."""
        side = min(_to_whole(job.get("side", SIDE)), LARGE)
        return _encode_picture(self._cells(self._latent(_to_whole(job.get("seed")), _to_number(job.get("psi", 1.0))), side)[0], max(side, 1))

    def latent(self, job, progress) -> dict:
        """Draw a kept latent, the first where there are several."""
        from engine import kept
        from live.instrument.found import LATENTS, choose_folder

        path = choose_folder(self.opened.folder.folder, self.opened.generator) / LATENTS / f"{check_name(job.get('name'), 'kept latent')}.safetensors"
        ws = kept.load(path, self.generator).ws[:1]
        return _encode_picture(self._cells(ws.to(self.generator.device).expand(-1, self.generator.num_ws, -1))[0])

    def _cells(self, ws, side=SIDE, generator=None):
        from engine.clustering.sheet import picture_cells

        sizes = [r for r in self.generator.architecture.resolutions if r >= side] or [self.generator.resolution]
        return picture_cells(generator or self.generator, ws, size=min(sizes))

    def _latent(self, seed, psi):
        from engine.rewriting import Picture
        from engine.rewriting.memory import latents

        return latents(self.generator, [Picture(seed, seeded=True)], psi)

    def cluster(self, job, progress) -> dict:
        """Draw where a cluster acts, over a sample."""
        from engine.clustering.sheet import heat_map, lay_heat

        layer, name = job.get("layer"), job.get("name")
        clusters = opening.load_clusters(self.opened.folder, self.generator)
        if clusters is None or layer not in list(clusters) or name not in clusters[layer]:
            raise UserError(f"no cluster {name!r} in {layer!r}")
        if layer not in self._maps:
            ws = self._latent(SAMPLE, 0.7)
            self._maps[layer] = self._cells(ws), self.generator.activations(ws, [layer])[layer]
        plain, maps = self._maps[layer]
        return _encode_picture(lay_heat(plain, heat_map(maps, clusters[layer][name], plain.shape[1:3]))[0])

    def preset(self, job, progress) -> dict:
        """Draw a preset as it begins."""
        from engine.motion import Motion
        from live.presets.preset import apply_preset

        scene, motion = apply_preset(self._preset(job), self.opened.scene, Motion(), ())
        return _encode_picture(self.opened.instrument.render(scene, motion.advance(scene, 0.0)).pixels)

    def _preset(self, job):
        if isinstance(job.get("file"), str):
            return read_file(job["file"], self.opened.begin(), self.opened.generator, self.opened.instrument.bend)[0]
        self.library.refresh()                              # the show may have stored it just now
        return self.library.read(str(job.get("name")))

    def moving(self, job, progress) -> dict:
        """Draw a preset as it goes on, small: job["seconds"] after its last picture, from its beginning if it is another one."""
        from engine.motion import Motion
        from live.presets.preset import apply_preset

        which = job.get("name"), job.get("hash")
        if self._moving is None or self._moving[0] != which:
            self._moving = which, *apply_preset(self._preset(job), self.opened.scene, Motion(), ())
        _, scene, motion = self._moving
        motion = motion.advance(scene, min(max(_to_number(job.get("seconds", 0.0)), 0.0), LONGEST_STEP))
        self._moving = which, scene, motion
        small = scene.set_values({"/quality/size": float(min(MOVING, self.opened.instrument.size))})
        return _encode_picture(self.opened.instrument.render(small, motion).pixels, MOVING)

    def edit(self, job, progress) -> dict:
        """Draw what an edit does, side by side: as it is, at strength 1, at -1, and where its rule fires."""
        from engine.clustering.sheet import lay_heat
        from engine.rewriting import apply, load
        from engine.rewriting.sheet import heat

        edit = load(Path(self.opened.folder.folder) / EDITS / f"{check_name(job.get('name'), 'edit')}.safetensors")
        ws = self._latent(_find_seed(edit), 1.0)
        plain = self._cells(ws)
        changed = [self._cells(ws, generator=apply(self.generator, [(edit, strength)])) for strength in (1.0, -1.0)]
        fires = lay_heat(plain, heat(self.generator, edit, ws, plain.shape[1:3]))
        return _encode_picture(np.concatenate([plain[0], changed[0][0], changed[1][0], fires[0]], 1), 4 * SIDE)

    # -- work

    def find(self, job, progress) -> dict:
        """Find the clusters of a layer and write them to the instrument's file; the names of groups found again stay."""
        from engine.clusters import Clusters, find

        layer = job.get("layer")
        if layer not in self.generator.layers:
            raise UserError(f"no layer {layer!r}; there are: {', '.join(self.generator.layers)}")
        progress("samples", 0.1)
        known = opening.load_clusters(self.opened.folder, self.generator) or Clusters()
        found = find(self.generator, layer, None, min(_to_whole(job.get("samples", 60)), MOST_SAMPLES), 0)
        self._save_clusters(known.merge(found))
        return {"layer": layer}

    def rename(self, job, progress) -> dict:
        """Give a cluster a name."""
        from engine.clusters import Clusters

        known = opening.load_clusters(self.opened.folder, self.generator) or Clusters()
        self._save_clusters(known.rename_all([f"{job.get('layer')}:{job.get('name')}={job.get('to')}"]))
        return {}

    def _save_clusters(self, clusters):
        folder = Path(self.opened.folder.folder)
        clusters.save(next((folder / name for name in CLUSTERS if (folder / name).exists()), folder / CLUSTERS[0]))

    def solve(self, job, progress) -> dict:
        """Solve an edit from a request as the page paints it, and put it with the instrument's edits."""
        from engine import rewriting

        name = check_name(job.get("name"), "edit")
        path = Path(self.opened.folder.folder) / EDITS / f"{name}.safetensors"
        if path.exists():
            raise UserError(f"there is an edit {name!r} already; choose another name")
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "request.json"
            written.write_text(json.dumps(job.get("request")), encoding="utf-8")
            try:
                request = rewriting.read_request(written)
            except UserError as error:
                raise UserError(str(error).replace(f"{written}: ", "")) from None
        step = lambda event: progress(str(event["stage"]), event["done"] / max(event["of"] or 1, 1))
        edit = rewriting.solve(self.generator, request, job.get("layer"), _to_whole(job.get("rank", 1)), None, name=name, progress=step, truncation=1.0)
        path.parent.mkdir(parents=True, exist_ok=True)
        rewriting.save(path, edit)
        return {"edit": name}


KINDS = {name: getattr(Workshop, name) for name in ("seed", "latent", "cluster", "preset", "moving", "edit", "find", "rename", "solve")}


def _encode_picture(pixels, side=SIDE) -> dict:
    return {"jpeg": base64.b64encode(encode_jpeg(pixels, side)).decode()}


def _find_seed(edit) -> int:
    """Return the seed that an edit is shown on: the one it was pasted onto, if it was one."""
    request = edit.recipe.get("request", {})
    for mark in (*request.get("paste", ()), *request.get("key", ())):
        if "seed" in mark and not mark.get("factors"):
            return mark["seed"]
    return SAMPLE


def _to_whole(value) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value) or not 0 <= value < 2 ** 32:
        raise UserError(f"expected a whole number, got {value!r}")
    return int(value)


def _to_number(value) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -10 <= value <= 10:
        raise UserError(f"expected a number -10..10, got {value!r}")
    return float(value)


def work(where, lines, write):
    """Do the jobs of lines of JSON until they end. write(line): told {"id", "stage", "at"}, and {"id", "ok", ...} at a job's end."""
    if hasattr(os, "nice"):
        os.nice(10)
    workshop = None
    for line in lines:
        try:
            job = json.loads(line)
        except ValueError:
            continue
        number = job.get("id") if isinstance(job, dict) else None
        if number is None:
            continue
        try:
            workshop = workshop or Workshop(where)
            told = lambda stage, at, number=number: write({"id": number, "stage": stage, "at": round(at, 3)})
            write({"id": number, "ok": True, **workshop.do(job, told)})
        except UserError as error:
            write({"id": number, "ok": False, "text": str(error)})
