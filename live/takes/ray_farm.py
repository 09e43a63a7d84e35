"""Workers on a Ray cluster that draw the parts of a render: they send back what they have written. Ray is an extra.

Each machine of the cluster has this project, the instrument and the take's source where this one has them; the take itself is sent.
"""
import logging
import os
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.errors import UserError
from engine.files import whole
from live.takes.drawer import Drawer
from live.takes.farm import TRIES
from live.takes.job import Job
from live.takes.opening import RenderOptions, open_job
from live.takes.render import BROKEN

LIBRARIES = ("ray",)
log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
MISSING = "--ray needs ray: pip install -r requirements-ray.txt"
AHEAD = 2                           # parts that a worker has: the one it draws and the next
LOCAL = "local"                     # an address: a cluster that is started here
NICENESS = "RAY_worker_niceness"
ON_NETWORKS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"        # Ray's switch, which it reads on every system, for nodes that others can reach


class RayWorker:
    """What runs on the cluster: one instrument, drawing one part after the other. take: the bytes of the take."""

    def __init__(self, options: RenderOptions, take: bytes, threads: int):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        (folder / Path(options.take).name).write_bytes(take)
        self._refused, self._drawer = "", None
        try:
            here = replace(options, take=str(folder / Path(options.take).name), output=str(folder / Path(options.output).name), threads=threads)
            self._drawer = Drawer(open_job(here))
            self._drawer.job.parts.mkdir(exist_ok=True)
        except UserError as error:
            self._refused = str(error)

    def find_pid(self) -> int:
        """Return the number of this worker's process."""
        return os.getpid()

    def draw(self, part) -> tuple[str, dict[str, bytes]]:
        """Return ("", {name: bytes} of what a part is written to), or (why it can't be drawn, {})."""
        if self._drawer is None:
            return self._refused, {}
        job = self._drawer.job
        try:
            self._drawer.draw(part, lambda more: None)
        except (UserError, *BROKEN) as error:
            return str(error), {}
        paths = [job.find_path(part[0])] if job.is_video else [job.find_path(number) for number in range(*part)]
        found = {path.name: path.read_bytes() for path in paths}
        for path in paths:
            path.unlink()
        return "", found


class RayCrew:
    """address: of the cluster, `local` starts one here. count: of workers, None = as many as it has processors. tell(name, text): what one is at."""

    def __init__(self, options: RenderOptions, address: str, count: int | None = None, tell: Callable = lambda name, text: None):
        self.options, self.address, self.count, self.tell = options, address, count, tell
        self._busy: dict = {}                            # what will be there -> (worker's number, part)
        self._tries: Counter = Counter()

    def draw(self, job: Job, parts: list, note: Callable[[int], None]):
        """Have all parts drawn. UserError: no Ray, no cluster, what a worker can't do, or a part that ends every worker that draws it."""
        if self.address == LOCAL:
            os.environ[ON_NETWORKS] = "0"                # a cluster of one machine listens on loopback: Ray asks nobody who they are
            os.environ.setdefault(NICENESS, "0")         # Ray's 15 has its workers wait for all else on this machine, its own helpers included
        try:
            import ray
        except ImportError:
            raise UserError(MISSING) from None
        self._connect(ray)
        try:
            self._draw(ray, job, deque(parts), note)
        finally:
            ray.shutdown()

    def _connect(self, ray):
        local = self.address == LOCAL
        try:
            ray.init(address=None if local else self.address, num_cpus=self.count if local else None, include_dashboard=False if local else None,
                     log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True,
                     runtime_env={"env_vars": {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive"}})
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f"--ray {self.address}: there is no cluster to be had ({str(error).splitlines()[0][:120]}); local starts one here") from None

    def _draw(self, ray, job, waiting, note):
        count = min(self.count or int(ray.cluster_resources().get("CPU", 1)), len(waiting))
        options, threads = replace(self.options, precision=job.instrument.precision), self.options.threads or 1
        take = ray.put(job.take.path.read_bytes())
        hire = lambda: ray.remote(RayWorker).options(num_cpus=threads).remote(options, take, threads)
        workers = {number: hire() for number in range(1, count + 1)}
        for number in list(workers) * AHEAD:
            self._give(number, workers[number], waiting)
        while self._busy:
            [ready], _ = ray.wait(list(self._busy), num_returns=1)
            number, part = self._busy.pop(ready)
            try:
                refused, files = ray.get(ready)
            except (ray.exceptions.RayActorError, ray.exceptions.WorkerCrashedError) as error:
                waiting.extendleft(reversed(self._lose(number, part, error)))
                workers[number] = hire()
                for _ in range(AHEAD):
                    self._give(number, workers[number], waiting)
                continue
            self._give(number, workers[number], waiting)
            if refused:
                raise UserError(refused)
            for name, data in files.items():
                with whole(job.parts / name) as temporary:
                    temporary.write_bytes(data)
            note(part[1] - part[0] if job.is_video else len(files))

    def _give(self, number, worker, waiting):
        """Give a worker the next part, behind the one it draws: it never waits for what it has drawn to be fetched."""
        if waiting:
            part = waiting.popleft()
            self._busy[worker.draw.remote(part)] = number, part
        mine = [part for name, part in self._busy.values() if name == number]
        self.tell(f"worker {number}", f"frames {mine[0][0]} to {mine[0][1] - 1}" if mine else "done")

    def _lose(self, number, part, error) -> list:
        """Return the parts that a worker which has ended had: the one it was drawing, and those behind it."""
        mine = [ready for ready, (name, _) in self._busy.items() if name == number]
        lost = sorted([part, *(self._busy.pop(ready)[1] for ready in mine)])
        self._tries[lost[0]] += 1
        if self._tries[lost[0]] >= TRIES:
            raise UserError(f"a worker ended {TRIES} times drawing frames {lost[0][0]} to {lost[0][1] - 1}: {str(error).splitlines()[0][:120]}")
        log.warning("worker %d ended; frames %d to %d are drawn again", number, lost[0][0], lost[0][1] - 1)
        return lost
