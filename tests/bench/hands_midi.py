"""How well a MIDI clock is followed, and what controllers' lights cost.

    python run_live.py bench hands_midi --seconds 300

`clock`: a sender in a process of its own plays 128 BPM into a JACK port (a dummy server is started for it) for so many
seconds. A show without pictures follows at 60 frames a second. `tempo_error_bpm` is how far its tempo is off after two bars
and at most from there on (wanted: 0.3), `drift_ms` how far its beat is from the sender's, from two bars on (wanted: 20);
`offset_ms` is the middle of it: what the port itself delays.

`lights`: processor time of the thread that keeps 500 controls of a device lit, at its own rate, as a share of a frame at
30 frames a second, with none, 8 and all of their values changing.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from types import MappingProxyType

from tests.bench._common import ROOT, machine, show

BPM, FPS, CONTROLS = 128.0, 60, 500
SENDER = ROOT / "tests" / "senders" / "midi_clock.py"
TWO_BARS = 8 * 60 / BPM


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: seconds, optional."""
    seconds = options.get("seconds") or 20.0
    clock, lights = _clock(seconds), {f"{n} changing": _lights(n) for n in (0, 8, CONTROLS)}
    show({"clock": clock})
    show(lights)
    return {"bpm": BPM, "seconds": seconds, "clock": clock, "lights": lights,
            "wanted": {"tempo_error_bpm": 0.3, "drift_ms": 20.0}, "machine": machine()}


def _clock(seconds) -> dict:
    """A real sender followed; {"skipped": why} where there is no JACK."""
    if shutil.which("jackd") is None:
        return {"skipped": "jackd is not installed"}
    name = f"lj-bench-{os.getpid()}"
    os.environ.update(JACK_DEFAULT_SERVER=name, JACK_NO_START_SERVER="1")
    server = subprocess.Popen(["jackd", "-r", "-n", name, "-d", "dummy", "-r", "48000", "-p", "256"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return _followed(server, seconds)
    finally:
        server.terminate()
        server.wait()


def _followed(server, seconds):
    from live import controls
    from live.controls.midi import list_ports

    end = time.perf_counter() + 20
    while "problem" in list_ports("UNIX_JACK"):
        if server.poll() is not None or time.perf_counter() > end:
            return {"skipped": "jackd does not run here"}
        time.sleep(0.2)
    stage = _stage()
    stop = controls.start("midi", lambda event: None, api="UNIX_JACK", ports="clock", look=0.1, clock=stage.tempo.receive_clock)
    sender = subprocess.Popen([sys.executable, str(SENDER), "--bpm", str(BPM), "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True)
    try:
        sender.stdout.readline()
        start = json.loads(sender.stdout.readline())["start"]
        return _figures(stage.play(start, seconds))
    finally:
        sender.terminate()
        sender.wait()
        stop()


class _Stage:
    """As much of a show as a tempo needs."""

    def __init__(self, scene, motion):
        from live.show.tempo import Tempo

        self.scene, self.motion = scene, motion
        self.tempo = Tempo(self)

    def play(self, start, seconds):
        """(seconds since the start, bpm, seconds the beat is ahead) of every frame."""
        from engine.motion import Motion
        from live.show.clock import WallClock, limit_ticks

        found = []
        for tick in limit_ticks(WallClock(FPS).ticks(), seconds=seconds + start - time.perf_counter()):
            for item in self.tempo.play(tick):
                if isinstance(item, Motion):
                    self.motion = item
                else:
                    self.scene = self.scene.set([item])
            self.motion = self.motion.advance(self.scene, tick.dt)
            since = self.tempo.at - start
            found.append((since, self.scene["/tempo"], self.motion.beat * 60 / BPM - since))
        return found


def _stage():
    from engine import motion
    from engine.parameter import Parameter
    from engine.scene import Scene
    from live.show import parameters as performer

    parameters = motion.PARAMETERS | performer.PARAMETERS | {"/output/freeze": Parameter(0.0, step=1)}
    return _Stage(Scene(MappingProxyType(parameters)), motion.Motion())


def _figures(frames):
    settled = [frame for frame in frames if frame[0] > TWO_BARS]
    if not settled:
        return {"skipped": f"two bars take {TWO_BARS:.1f} s: more --seconds"}
    ahead = [1000 * offset for _, _, offset in settled]
    middle = statistics.median(ahead)
    return {"frames": len(frames), "tempo_after_two_bars": round(settled[0][1], 3),
            "tempo_error_bpm": round(max(abs(bpm - BPM) for _, bpm, _ in settled), 3),
            "offset_ms": round(middle, 2), "drift_ms": round(max(abs(offset - middle) for offset in ahead), 2),
            "furthest_ms": round(max(map(abs, ahead)), 2)}


def _lights(changing) -> dict:
    """Milliseconds of processor time a frame, at 30 looks a second."""
    from engine.parameter import Parameter
    from engine.scene import Scene
    from live.mapping.binding import Binding
    from live.mapping.mapping import Mapping
    from live.midi.feedback import Feedback

    class Nowhere:
        recall, scene = None, Scene({f"/p/{i}": Parameter(0.5) for i in range(CONTROLS)})
        mapping = Mapping([[Binding(control=f"cc {i // 120 + 1}/{i % 120}", to=f"/p/{i}", feedback=True) for i in range(CONTROLS)]])

        def send(self, message):
            pass

    stage, taken = Nowhere(), []
    lights = Feedback(stage, "Box", stage)
    for turn in range(160):
        stage.scene = stage.scene.set_values({f"/p/{i}": (turn + i) % 89 / 89 for i in range(changing)})
        start = time.thread_time()
        lights.look()
        taken.append(1000 * (time.thread_time() - start))
    return {"cpu_ms": round(statistics.median(taken[60:]), 4), "looks": len(taken)}
