"""What a rehearsal does to a show: its outputs are looked at and killed, its source is pulled away, a flood is sent to its port, its renderer is killed.

Each act is a generator that gives way while it waits: the show's processes are watched meanwhile.
"""
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from live.outputs.spec import OutputSpec
from live.processes.pulling import Pull
from live.processes.trial import Probe, Trial, read_end
from live.show.clock import now
from live.stage.rehearsal import Row

BEGINS = 150.0                      # seconds a show, or a renderer that was killed, may take to draw
PATIENCE = 12.0                     # seconds in which an output has to take two pictures: a window may take long to open
FIRST_PICTURE = 15.0                # seconds in which a source has to give one
GONE = 12.0                         # seconds until it is noticed that a source was pulled; one that goes round for longer plays from its open file
STILL = 5.0                         # seconds without a new frame that a flood may cost
SETTLED = 1.5                       # seconds in which a scene reaches the disk
FLOOD, BURST = 20_000, 500          # messages in all, and at once
MARK = "/truncation"
SIGNAL = "/source/signal"
ASKED = (MARK, SIGNAL)


@dataclass(frozen=True)
class Played:
    """What is rehearsed. port: where the show hears OSC. pull: its source, None: it has none. kill: whether processes are killed."""
    specs: list[OutputSpec]
    port: int
    pull: Pull | None
    kill: bool


class Acts:
    """rows: what was tried, one each."""

    def __init__(self, played: Played, probe: Probe, tell: Callable[[Row], None] = lambda row: None):
        self.played, self.probe, self.tell = played, probe, tell
        self.rows: list[Row] = []
        self._out: set[str] = set()                      # outputs that do not work: they are not looked at again
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __call__(self, trial: Trial) -> Iterator:
        """Do everything, one after the other."""
        self.trial = trial
        begun = yield from self._wait(lambda: trial.drawing and self.probe.report, BEGINS)
        if not begun:
            self._note("the show begins", f"no picture within {BEGINS:.0f} s: {read_end(trial.log)}")
            return
        self._note("the show begins")
        for line in ("/set/auto", "/deck/on"):
            self._send(line, 0.0)
        yield from self._look_at_outputs()
        if self.played.pull is not None:
            yield from self._pull_source(self.played.pull)
        yield from self._flood()
        if self.played.kill:
            yield from self._kill_renderer()
            yield from self._kill_outputs()

    def close(self):
        """Let go of the socket."""
        self._udp.close()

    # -- outputs

    def _look_at_outputs(self):
        """Each output has to take two pictures, and say nothing of an error."""
        for spec in self.played.specs:
            what = f"output {spec.name}"
            begun = now()
            moves = yield from self._wait(lambda name=spec.name: self._find_trouble(name) or self._count_sent(name) >= 2, PATIENCE)
            trouble = self._find_trouble(spec.name)
            if trouble:
                reason = f"{trouble}; mend that, or leave it out of the show"
            elif not moves:
                reason = f"it hangs: no two pictures taken in {now() - begun:.0f} s; see to what receives it, or leave it out of the show"
            else:
                reason = ""
            self._note(what, reason)
            self._out |= {spec.name} if reason else set()

    def _find_trouble(self, name) -> str:
        """Return why an output does not work: what it has said, or that it ended."""
        own = (self.probe.report.get("outputs") or {}).get(name, {})
        broken = own.get("broken") or self.trial.figures.get(name, {}).get("broken")
        said = self.trial.find_said(f"output {name}:") or self.trial.find_said(f"output {name} ")
        said = said.removeprefix(f"output {name}: ").split("; the show goes on")[0]
        return said or (f"it broke: {broken}" if broken else "")

    def _count_sent(self, name) -> int:
        if self.trial.find_child(name) is not None:
            return self.trial.figures.get(name, {}).get("sent", 0)
        return (self.probe.report.get("outputs") or {}).get(name, {}).get("sent", 0)

    def _kill_outputs(self):
        """Each output that has a process of its own comes back after a crash."""
        for spec in self.played.specs:
            child = self.trial.find_child(spec.name)
            if child is None or spec.name in self._out:
                continue
            killed, begun = self.trial.kill(child), now()
            back = yield from self._wait(lambda name=spec.name, pid=killed: self._is_back(name, pid), BEGINS)
            self._note(f"output {spec.name} killed", "" if back else "it did not come back", f"back after {now() - begun:.1f} s")

    def _is_back(self, name, killed) -> bool:
        child = self.trial.find_child(name)
        return child is not None and child.running and child.pid != killed and self._count_sent(name) >= 2

    # -- the source

    def _pull_source(self, pull: Pull):
        """The source gives a picture; pulled away it is missed, and it comes back."""
        what = f"source {pull.text if pull.remark else pull.name}"
        came = yield from self._wait(lambda: self.probe.values.get(SIGNAL, 0.0) > 0.5, FIRST_PICTURE)
        if not came:
            said = self.trial.find_said("source ").replace(pull.text, pull.name).split("; trying again")[0]
            self._note(what, f"no picture within {FIRST_PICTURE:.0f} s{f': {said}' if said else ''}; see to its cable or its program, or play without --source")
            return
        if pull.remark:
            self._note(what, "", pull.remark)
            return
        pull.away()
        missed = yield from self._wait(lambda: self.probe.values.get(SIGNAL, 1.0) < 0.5, GONE)
        pull.back()
        back = yield from self._wait(lambda: self.probe.values.get(SIGNAL, 0.0) > 0.5, 2 * FIRST_PICTURE)
        remark = "pulled away and back" if missed else "pulled away and back: it played on from what it had open"
        self._note(what, "" if back else "no picture after it came back", remark)

    # -- the flood

    def _flood(self):
        """Many messages a second to the show's own port: frames go on, and a fader is heard after it."""
        before = self.probe.report.get("osc", {}).get("messages", 0)
        self.trial.clear_longest()
        for sent in range(0, FLOOD, BURST):
            for n in range(sent, sent + BURST):
                self._send(("/n/truncation", f"/nowhere/{n}", "/undo", "/n/walk/speed")[n % 4], (n % 100) / 100)
            self._udp.sendto(b"\x00no OSC\xff", ("127.0.0.1", self.played.port))
            yield
        heard_one = yield from self._mark(0.55)
        still, heard = self.trial.longest, self.probe.report.get("osc", {}).get("messages", 0) - before
        reason = ("" if heard_one else "a fader was not heard after it") or (f"no new frame for {still:.1f} s" if still > STILL else "")
        self._note("an OSC flood", f"{reason}; see what sends so much, or send it bundled" if reason else "",
                   f"{FLOOD} messages, {heard} heard, no frame for {still:.1f} s at most")

    def _mark(self, value: float):
        """Turn a fader until the show says that it stands there; returns whether it did."""
        def stands():
            if abs(self.probe.values.get(MARK, -1.0) - value) < 1e-3:
                return True
            self._send(MARK, value)
            return False
        return (yield from self._wait(stands, BEGINS / 5))

    # -- the renderer

    def _kill_renderer(self):
        """The renderer that draws the show is killed; the next one has to go on where it was."""
        what, value = "the renderer killed", 0.61
        if not (yield from self._mark(value)):
            self._note(what, "not tried: no fader is heard")
            return
        yield from self._wait(lambda: False, SETTLED)
        outputs = self._list_pids()
        attempt, begun = self.trial.attempt, now()
        self.trial.kill(self.trial.renderer)
        back = yield from self._wait(lambda: self.trial.attempt > attempt and self.trial.drawing and self.probe.at > begun, BEGINS)
        gone = now() - begun
        lost = [name for name, pid in self._list_pids().items() if outputs.get(name) != pid]
        stands = self.probe.values.get(MARK, -1.0)
        reason = "it did not come back" if not back else f"it came back with {MARK} {stands:g}, not {value:g}" if abs(stands - value) > 1e-3 else \
            f"{', '.join(lost)} ended with it" if lost else ""
        self._note(what, reason, f"back after {gone:.1f} s, where it was")

    def _list_pids(self) -> dict[str, int]:
        """Return {output: its process} of those that work."""
        children = {spec.name: self.trial.find_child(spec.name) for spec in self.played.specs if spec.name not in self._out}
        return {name: child.pid for name, child in children.items() if child is not None}

    # -- all of them

    def _wait(self, done: Callable, seconds: float):
        """Give way until done() is true; returns whether it was within so many seconds."""
        end = now() + seconds
        while now() < end:
            if done():
                return True
            yield
        return False

    def _note(self, what, reason="", remark=""):
        self.rows.append(Row(what, not reason, reason or remark))
        self.tell(self.rows[-1])

    def _send(self, address, value):
        text = address.encode() + b"\0"
        self._udp.sendto(text + bytes(-len(text) % 4) + b",f\0\0" + struct.pack(">f", value), ("127.0.0.1", self.played.port))
