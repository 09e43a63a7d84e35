"""Trainings beside the show: begun, watched and stopped from the page. Each is a process of its own that outlives pages and shows."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from starlette.responses import JSONResponse, Response

from engine.errors import UserError
from engine.files import whole
from live.surface.run_folder import ENDED, OUTPUT, SHEET, RunFolder, find_folder

LIBRARIES = ("starlette",)

PROGRAM = Path(__file__).parents[2] / "run_live.py"
KINDS = ("encoder", "world")
AT_ONCE = 2                         # trainings at the same time
SHOWN = 12                          # newest ones that are told of
POINTS = 400                        # of a curve
STEPS = {"encoder": (1, 1_000_000), "world": (0.0001, 10.0)}        # what `steps` may be: steps; share of the usual ones
CURVES = {"encoder": ("loss", "held_picture"), "world": ("loss", "psnr")}
BODY = 4096


class Runs:
    """instrument: what is trained on, as --instrument has it. folder: the instrument's; trainings lie in its runs/."""

    def __init__(self, instrument, folder):
        self.instrument, self.folder = str(instrument), Path(folder) if folder else None
        self._told: list = []

    def follow(self, instrument, folder):
        """Have the trainings of another instrument from now on; those that run go on."""
        self.instrument, self.folder = str(instrument), Path(folder)

    @property
    def path(self) -> Path:
        """Where trainings lie."""
        if self.folder is None:
            raise UserError("there is no folder for trainings: this show plays no instrument of its own")
        return self.folder / "runs"

    def list_runs(self) -> list:
        """Return what pages show of trainings, newest first, as look() found it."""
        return self._told

    def refresh(self):
        """Look at the folders; once a second."""
        try:
            found = [RunFolder(path.parent) for path in self.path.glob("*/run.json")] if self.folder else []
        except OSError:
            return
        told = [_describe(run, about) for run in found if (about := run.read_about())]
        self._told = sorted(told, key=lambda one: -one["number"])[:SHOWN]

    def begin(self, asked: dict) -> str:
        """Begin a training; returns its name. UserError: what can't be in what was asked."""
        kind, layer = asked.get("kind"), asked.get("layer") or ""
        if kind not in KINDS:
            raise UserError(f"no training {kind!r}; there are: {', '.join(KINDS)}")
        steps = _check_range(asked.get("steps"), *STEPS[kind])
        if sum(run.runs for run in map(RunFolder, self.path.glob("*")) if run.read_about()) >= AT_ONCE:
            raise UserError(f"{AT_ONCE} trainings run already: stop one first")
        run = RunFolder(self.path / _find_free_name(self.path, f"encoder {layer}" if kind == "encoder" else "world"))
        run.write(kind=kind, layer=layer, of=steps, arguments=self._make_arguments(kind, layer, steps, run), state="begins", number=self._find_next_number())
        self._start(run)
        return run.name

    def _make_arguments(self, kind, layer, steps, run) -> list:
        if kind == "encoder":
            every = max(1, min(50, int(steps) // 8))
            return ["train-encoder", "--instrument", self.instrument, "--layer", layer, "--steps", str(int(steps)), "--every", str(every), "-o", str(run.path)]
        return ["train-world", "--share", str(steps), "--every", "20", "--resolution", "256", "-o", str(run.path)]

    def _find_next_number(self) -> int:
        return 1 + max((run.read_about().get("number", 0) for run in map(RunFolder, self.path.glob("*"))), default=0)

    def resume(self, name):
        """Let a training that was stopped go on where it is. UserError: there is none, or it runs."""
        run = find_folder(self.path, name)
        if run.runs:
            raise UserError(f"{name} runs already")
        run.cancel_stop()
        run.write(state="begins", text="")
        self._start(run)

    def stop(self, name):
        """Have a training end at its next step; what it has learned stays. UserError: there is none."""
        find_folder(self.path, name).ask_to_stop()

    def use(self, name):
        """Have the next show see with an encoder that was trained here; the one before is kept. UserError: there is none."""
        made = find_folder(self.path, name).path / "encoder.safetensors"
        mine = self.path.parent / "encoder.safetensors"
        if not made.exists():
            raise UserError(f"{name}: it has made no encoder yet")
        if mine.exists() and not (kept := mine.with_name("encoder.before.safetensors")).exists():
            shutil.copyfile(mine, kept)
        with whole(mine) as temporary:
            shutil.copyfile(made, temporary)

    def _start(self, run):
        run.path.mkdir(parents=True, exist_ok=True)
        cores = max(1, (os.cpu_count() or 1) // 2)
        quiet = {"OMP_NUM_THREADS": str(cores), "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000"}
        apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)} if sys.platform == "win32" else {"start_new_session": True}
        with open(run.path / OUTPUT, "wb") as output:
            subprocess.Popen([sys.executable, str(PROGRAM), "studio", "--train", str(run.path)], stdin=subprocess.DEVNULL, stdout=output,
                             stderr=subprocess.STDOUT, env=os.environ | quiet, **apart)

    # -- routes

    def list_routes(self) -> list:
        """Return (path, endpoint, methods)."""
        return [("/api/runs", self.answer_runs, ["GET", "POST"]), ("/api/runs/{name}", self.answer_run, ["POST", "DELETE"]),
                ("/api/runs/{name}/figures", self.answer_figures, ["GET"]), ("/api/runs/{name}/sheet.png", self.answer_sheet, ["GET"])]

    async def answer_runs(self, request):
        """Answer with the trainings there are, or begin one."""
        if request.method == "GET":
            self.refresh()
            return JSONResponse({"runs": self._told})
        return await _answer(request, lambda asked: {"name": self.begin(asked)})

    async def answer_run(self, request):
        """Stop a training, have one go on, or use what it made: {"do": "go on" | "use"}."""
        name = request.path_params["name"]
        if request.method == "DELETE":
            return await _answer(request, lambda asked: self.stop(name) or {})
        ways = {"go on": self.resume, "use": self.use}

        def act(asked):
            if asked.get("do") not in ways:
                raise UserError(f"expected do: {' or '.join(ways)}")
            ways[asked["do"]](name)
            return {}
        return await _answer(request, act)

    async def answer_figures(self, request):
        """Answer with the curves of a training, {name: [numbers]}, and the steps they are of."""
        try:
            run = find_folder(self.path, request.path_params["name"])
        except UserError as error:
            return JSONResponse({"text": str(error)}, 404)
        rows = run.read_rows()
        rows = rows[::max(1, len(rows) // POINTS)]
        curves = {name: [row.get(name) for row in rows] for name in CURVES.get(str(run.read_about().get("kind")), ())}
        return JSONResponse({"steps": [row.get("steps", row.get("step")) for row in rows], "curves": {k: v for k, v in curves.items() if any(v)}})

    async def answer_sheet(self, request):
        """Answer with the newest sheet of samples."""
        try:
            return Response((find_folder(self.path, request.path_params["name"]).path / SHEET).read_bytes(), media_type="image/png")
        except (OSError, UserError):
            return Response("no sheet yet\n", 404)


async def _answer(request, act):
    """Answer a page that may play with the result of act(its request, a dict), or with the line of its UserError."""
    from live.surface.server import read_body

    if request.scope["role"] != "play":
        return JSONResponse({"text": "this page may only watch"}, 403)
    body = await read_body(request, BODY)
    try:
        asked = json.loads(body or "{}")
        if body is None or not isinstance(asked, dict):
            raise ValueError
        return JSONResponse(act(asked))
    except UserError as error:
        return JSONResponse({"text": str(error)}, 400)
    except (ValueError, RecursionError):
        return JSONResponse({"text": "expected a JSON object"}, 400)


def _describe(run, about) -> dict:
    rows, state = run.read_rows(), about.get("state")
    if state not in ENDED and not run.runs and state != "begins":
        state = "stopped"                                # its process is gone: the machine was turned off
    newest = rows[-1] if rows else {}
    of = about.get("of") or 1 if about.get("kind") == "encoder" else about.get("planned") or 0
    step = newest.get("steps", newest.get("step", 0.0))
    figures = {name: round(newest[name], 4) for name in CURVES.get(str(about.get("kind")), ()) if name in newest}
    return {"name": run.name, "kind": about.get("kind"), "layer": about.get("layer", ""), "state": state, "text": about.get("text", ""), "of": of,
            "step": int(step), "at": round(min(step / of, 1.0), 3) if of else 0.0, "figures": figures, "rows": len(rows),
            "sheet": run.find_sheet(), "made": (run.path / "encoder.safetensors").exists(), "number": about.get("number", 0)}


def _check_range(value, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UserError(f"steps: expected {low} to {high}, got {value!r}")
    return value


def _find_free_name(path, name) -> str:
    name = "".join(c if c.isalnum() or c in " .+-" else "-" for c in name).strip()
    return next(found for n in range(1, 10_000) if not (path / (found := name if n == 1 else f"{name} {n}")).exists())
