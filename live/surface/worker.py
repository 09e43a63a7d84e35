"""The studio beside the show: one process of low priority that draws and solves what pages ask for. Started when first asked."""
import asyncio
import json
import logging
import subprocess
import threading
from collections import OrderedDict, deque

from live.show.beside import end_beside, start_beside
from live.show.threads import make_thread
from live.surface.job_file import JobFile

log = logging.getLogger(__name__)

WAITING = 400                       # jobs that may wait
KEPT = 512                          # pictures
PICTURES = ("seed", "cluster", "preset", "edit", "moving", "latent")
SHOWN = 12                          # finished jobs that are told of


class Worker:
    """instrument: whose pictures are drawn now; each job keeps the one it was asked of.

    done(job, answer): told of each job of work that ended. kept: where jobs of work outlive the show."""

    def __init__(self, instrument, done=lambda job, answer: None, kept=None):
        self.instrument, self.done, self.kept = str(instrument), done, kept or JobFile(None)
        self.jobs: OrderedDict = OrderedDict()           # id -> {kind, name, stage, at, state}: work, not pictures
        self._pictures: OrderedDict = OrderedDict()
        self._asked: dict = {}                           # id -> (job, loop, future)
        self._queue: deque = deque()
        self._lock, self._number, self._running = threading.Lock(), 0, None
        self._process = None
        self._opened = ""                                # the instrument of the process
        self._closed = False

    async def draw(self, job: dict) -> bytes | None:
        """Return a JPEG, which is drawn once and then kept; None where there is none."""
        job = {"instrument": self.instrument} | job
        key = json.dumps(job, sort_keys=True)
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        answer = await self.run(job)
        if not answer.get("ok"):
            return None
        import base64

        self._pictures[key] = data = base64.b64decode(answer["jpeg"])
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        return data

    async def run(self, job: dict) -> dict:
        """Return what comes of a job."""
        future = asyncio.get_running_loop().create_future()
        self.add(job, future)
        return await future

    def use(self, instrument):
        """Work for another instrument from now on: pictures of the one before that nobody has begun are left; its work is done first."""
        self.instrument = str(instrument)
        for number, (job, *_) in list(self._asked.items()):
            if job["kind"] in PICTURES and number in self._queue:
                self.stop(number)

    def forget_pictures(self):
        """Have the pictures of clusters drawn again, as the clusters have changed."""
        self._pictures = OrderedDict((key, data) for key, data in self._pictures.items() if '"cluster"' not in key)

    def add(self, job: dict, future=None) -> int | None:
        """Let a job wait for its turn; returns its number, None if too many wait. Work goes before pictures, the newest picture first."""
        with self._lock:
            if len(self._queue) >= WAITING or self._closed:
                if future is not None:
                    future.set_result({"ok": False, "text": "too much is waiting"})
                return None
            self._number += 1
            number, job = self._number, {"instrument": self.instrument} | job
            self._asked[number] = job, future.get_loop() if future is not None else None, future
            if job["kind"] in PICTURES:
                self._queue.append(number)
            else:
                self._queue.appendleft(number)
                name = str(job.get("name") or job.get("layer") or "")[:80]
                self.jobs[number] = {"id": number, "kind": job["kind"], "name": name, "stage": "waits", "at": 0.0, "state": "waits"}
                while len(self.jobs) > SHOWN:
                    self.jobs.popitem(last=False)
        if number in self.jobs:
            self._store_jobs()
        self._take_next()
        return number

    def stop(self, number: int) -> bool:
        """Take a job out of the queue, or end it; returns whether there was one."""
        with self._lock:
            there = number in self._asked
            if number in self._queue:
                self._queue.remove(number)
            running = self._running == number
        if there:
            self._end(number, {"ok": False, "text": "stopped"})
        if running:
            self._kill()
        return there

    def list_jobs(self) -> list:
        """Return the jobs of work, newest first."""
        return [dict(job) for job in reversed(list(self.jobs.values()))]

    def resume(self):
        """Go on with the jobs of the show before."""
        for one in self.kept.read()[-SHOWN:]:
            job = one.pop("job", None)
            if isinstance(job, dict) and isinstance(job.get("kind"), str) and job["kind"] not in PICTURES:
                self.add(job)
            elif isinstance(one.get("kind"), str) and {"name", "stage", "at", "state"} <= one.keys():
                with self._lock:
                    self._number += 1
                    self.jobs[self._number] = one | {"id": self._number}

    def _store_jobs(self):
        with self._lock:
            jobs = [told | ({"job": self._asked[number][0]} if number in self._asked else {}) for number, told in self.jobs.items()]
        self.kept.write(jobs)

    # -- the process

    def _take_next(self):
        with self._lock:
            if self._running is not None or not self._queue or self._closed:
                return
            number = self._running = self._queue.popleft()
            job = self._asked[number][0]
            if self._process is not None and self._opened != job["instrument"]:
                self._kill()                                 # nothing runs in it now
            self._opened = job["instrument"]
            process = self._process or self._start()
        if number in self.jobs:
            self.jobs[number] |= {"state": "runs", "stage": "begins"}
        try:
            process.stdin.write(json.dumps(job | {"id": number}) + "\n")
            process.stdin.flush()
        except OSError:
            self._end(number, {"ok": False, "text": "the studio has ended"})

    def _start(self):
        process = start_beside("studio", "--instrument", self._opened, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process = process
        make_thread("studio", lambda: self._read(process)).start()
        return process

    def _read(self, process):
        for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            number = said.get("id")
            if "stage" in said:
                if number in self.jobs:
                    self.jobs[number] |= {"stage": said["stage"], "at": said["at"]}
            else:
                self._end(number, said)
        if self._process is process:
            self._process = None
            running = self._running
            if running is not None:
                self._end(running, {"ok": False, "text": "the studio has ended; asked again it starts anew"})

    def _end(self, number, answer):
        with self._lock:
            job, loop, future = self._asked.pop(number, (None, None, None))
            if self._running == number:
                self._running = None
        if job is None:
            self._take_next()
            return
        if number in self.jobs:
            self.jobs[number] |= {"state": "done" if answer.get("ok") else "failed", "stage": answer.get("text", "done"), "at": 1.0}
            if not self._closed:
                self._store_jobs()
        if future is not None:
            try:
                loop.call_soon_threadsafe(lambda: future.done() or future.set_result(answer))
            except RuntimeError:                         # the loop of a surface that ends
                pass
        self.done(job, answer)
        self._take_next()

    def _kill(self):
        process, self._process = self._process, None
        end_beside(process)

    def close(self):
        """End of the show: what is not done yet is left to the next."""
        self._closed = True
        self._kill()
        for number in list(self._asked):
            self._end(number, {"ok": False, "text": "the show is over"})
        self.kept.close()
