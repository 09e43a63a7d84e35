"""A minute of music through JACK into a real show, and what came of it: measured from the video that its take renders to.

    python run_live.py bench song

A JACK server with the dummy driver, a player in a process of its own, a show that listens to it, hands that send OSC. Kicks flash the picture (dark, for it is bright),
bars change presets, the bass moves a bend. `flashes`: F-measure of the video's falls of brightness against the song's kicks (-50..+250 ms), and
milliseconds from a kick in the file's own sound to its flash. `presets`: how far their changes are from the nearest bar's beginning. `breathing`:
correlation of the bend's mix with the loudness of the song's bass. `live`: of the show; a busy machine makes few frames a second, and all is later
by that. `steady`: of the same song, mapping and presets by `run_live.py clip --listen live` at 60 frames a second, which no load disturbs.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from engine.modulation import modulate
from live.audio.sound_file import read
from live.instrument import open as opening
from live.osc.write import make_message
from live.takes.performance import play_ticks
from live.takes.take import TakeReader
from tests.bench import _common, _fluid
from tests.engine.hearing.songs import BREAK, RATE, f_measure, matched, played
from tests.live.audio.rig import write_wav

TEMPO, EARLY, LATE = 120.0, 0.05, 0.25
DARK = 0.7
MAPPING = f"""schema: 1
bindings:
- {{control: audio kick, to: /output/blackout, mode: momentary, range: [0.0, {DARK}]}}
- {{control: audio bar, to: /preset/next}}
"""
LOOKS = (0.5, 0.8, 1.1)                                  # truncation of the presets, by which they are told apart
PARTS = ("generator.safetensors", "instrument.yaml", "clusters.yaml", "parts.yaml")
REACH, AROUND = 0.2, 0.4             # seconds by which a place may be off the one before, and around it that are compared
WAIT = 60.0                                              # seconds for each part to be there
JACKD = ["jackd", "-r", "-n", "{name}", "-d", "dummy", "-r", str(RATE), "-p", "1024"]


def bench(options: dict) -> dict:
    """Run it; see the module's docstring. options: seconds (60), size (64), instrument."""
    if shutil.which("jackd") is None:
        return {"left_out": "jackd is not installed"}
    seconds, size = options.get("seconds") or 60.0, options.get("size") or 64
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ending:
        folder = Path(name)
        song = make_song(seconds)
        write_wav(folder / "song.wav", song.samples)
        instrument = copy_instrument(options.get("instrument") or "presets/masks", folder / "instrument")
        (folder / "song.yaml").write_text(MAPPING, encoding="utf-8")
        report = perform(folder, instrument, size, seconds, ending)
        run("render", folder / "a.take", "-o", folder / "a.mp4", "--instrument", instrument, "--size", size)
        live = of_video(folder / "a.mp4", song) | of_take(folder / "a.take", folder / "a.take.wav", instrument, size, song)
        run("clip", folder / "song.wav", "-o", folder / "b.mp4", "--listen", "live", "--mapping", folder / "song.yaml", "--instrument", instrument, "--size", size,
            "--fps", 60)
        steady = of_video(folder / "b.mp4", song) | of_take(folder / "b.take", folder / "song.wav", instrument, size, song)
        _common.show({f"{way}, {of}": figures[of] for way, figures in (("live", live), ("steady", steady)) for of in ("flashes", "presets")})
        live |= {"frames_a_second": report["fps"], "hit_to_frame_ms": report["audio"]["hit_to_frame_ms"], "heard": report["audio"]["heard"]}
        return {"live": live, "steady": steady, "load": round(os.getloadavg()[0], 1), "machine": _common.machine()}


def run(*arguments):
    """Run a subcommand. RuntimeError: it fails."""
    done = subprocess.run([sys.executable, str(_common.ROOT / "run_live.py"), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} fails: {done.stderr[-2000:]}")


def make_song(seconds):
    """Return a song with drums and a bass: by FluidSynth, where it is."""
    if _fluid.can_play():
        return _fluid.play(TEMPO, 4, {"kick": "X.........X.....", "snare": "....X.......X...", "hat": "X.x.X.x.X.x.X.x.", "bass": "X.........X....."}, seconds)
    return played(BREAK, TEMPO, seconds, seed=1)


def copy_instrument(name, target):
    """Return a folder with the instrument and none of its presets."""
    target.mkdir()
    for part in PARTS:
        source = _common.ROOT / name / part
        if source.exists():
            (target / part).symlink_to(source)
    return target


def perform(folder, instrument, size, seconds, ending) -> dict:
    """Play the song to a show; returns the show's report."""
    server = f"song-{os.getpid()}"
    environment = os.environ | {"JACK_DEFAULT_SERVER": server, "JACK_NO_START_SERVER": "1"}
    start(ending, [part.format(name=server) for part in JACKD], environment)
    player = start_player(ending, folder / "song.wav", environment)
    port = free_port()
    show = start(ending, [sys.executable, str(_common.ROOT / "run_live.py"), "--instrument", str(instrument), "--size", str(size), "--fps", "60", "--threads", "1",
                          "--output", "null", "--audio", "PortAudio", "--osc-port", str(port), "--surface-port", "0", "--mapping", str(folder / "song.yaml"),
                          "--report", str(folder / "report.json"), "--take", str(folder / "a.take"), "--precision", "fp32"], environment, folder / "show.log")
    wait_for(lambda: "hearing" in (folder / "show.log").read_text(encoding="utf-8"), show, folder)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hands:
        send = lambda address, *values: (hands.sendto(make_message(address, values), ("127.0.0.1", port)), time.sleep(0.3))
        prepare(send)
        player.stdin.write("go\n")
        player.stdin.flush()
        player.wait(seconds + WAIT)
    show.send_signal(signal.SIGINT)
    show.wait(WAIT)
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def prepare(send):
    """Make the looks: a bend that breathes with the bass, three presets."""
    send("/output/flashes", 0.0)                         # the limiter would do its work, which is another's measurement
    send("/bends/add", "breath", "b16.conv1", "all", "scalar_multiply", 0.1)
    send("/modulators/add", "breathe", "/bends/breath/mix", "follow", 0.6, "/audio/low")
    for n, psi in enumerate(LOOKS):
        send("/truncation", psi)
        send("/seed/go", float(n + 5), 0.0)
        send("/preset/store", f"look{n}")
    send("/preset/recall", "look0")


def start(ending, command, environment, log=None):
    """Start a process that ends with this one."""
    output = ending.enter_context(log.open("w")) if log else subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    ending.callback(end_process, process)
    return process


def start_player(ending, path, environment):
    """Start the player anew until the server is there for it."""
    for _ in range(20):
        player = subprocess.Popen([sys.executable, str(_common.ROOT / "tests/senders/jack_player.py"), str(path)], env=environment, text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if player.stdout.readline() == "ready\n":
            ending.callback(end_process, player)
            return player
        end_process(player)
        time.sleep(0.5)
    raise RuntimeError("the player found no JACK server")


def end_process(process):
    """End a process that may have ended."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(condition, process, folder):
    """Wait until something is so; RuntimeError: the show has ended, or it takes too long."""
    end = time.monotonic() + WAIT
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the show did not get so far: {(folder / 'show.log').read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.05)


def free_port() -> int:
    """Return a UDP port that was free just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def of_video(path, song) -> dict:
    """Return how well the video's flashes lie on its sound's kicks."""
    kicks = find_places(read(path).astype(np.float32) / 32768, song, song.hits["kick"])
    times, bright = [], []
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            times.append(float(frame.pts * frame.time_base))
            bright.append(float(frame.to_ndarray(format="gray").mean()))
    usual = float(np.median(bright))
    dark = (np.array(bright) < usual * (1.0 - DARK / 2)).astype(int)
    found = [times[n] for n in np.flatnonzero(np.diff(dark) == 1) + 1 if kicks[0] - EARLY < times[n] < kicks[-1] + LATE]
    late = [ms * 1000 for ms in matched(found, kicks, EARLY, LATE)]
    return {"flashes": {"kicks": len(kicks), "flashes": len(found), "f": round(f_measure(found, kicks, EARLY, LATE), 3)} | spread(late)}


def find_places(sound, song, times) -> list[float]:
    """Return where a recorded sound has these seconds of the song, one by one: where the machine was too slow, the song has gaps in it."""
    offset, found = delay_of(sound, song.samples), []
    for place in (t for t in times if 2.0 < t < len(song.samples) / RATE - 1.0):
        start = max(int((place + offset - REACH - AROUND) * RATE), 0)
        piece = song.samples[int((place - AROUND) * RATE):int((place + AROUND) * RATE)]
        heard = sound[start:start + len(piece) + int(2 * REACH * RATE)]
        if len(heard) > len(piece):
            offset = start / RATE + delay_of(heard, piece) - (place - AROUND)
            found.append(place + offset)
    return found


def delay_of(sound, song) -> float:
    """Return the seconds after which a song begins in a sound, by the correlation of their envelopes at 1 kHz."""
    a, b = (np.abs(x[:len(x) // 48 * 48]).reshape(-1, 48).mean(1) for x in (sound, song))
    size = 1 << (len(a) + len(b)).bit_length()
    alike = np.fft.irfft(np.fft.rfft(a - a.mean(), size) * np.conj(np.fft.rfft(b - b.mean(), size)), size)
    return float(np.argmax(alike[:max(len(a) - len(b), 1)])) / 1000


def of_take(path, heard, instrument, size, song) -> dict:
    """Return when presets were changed, and how a bend moved with the bass."""
    opened = opening.open_instrument(str(instrument), size, "cpu", 1)
    take = TakeReader(path, opened.instrument.scene(), opened.generator, opened.instrument.bend)
    sound = read(heard).astype(np.float32) / 32768
    firsts, mixes, changes, look = find_places(sound, song, song.beats[::4]), [], [], None
    for moment in play_ticks(take):
        if look is not None and moment.scene["/truncation"] != look:
            changes.append(moment.time)
        look = moment.scene["/truncation"]
        if firsts[0] < moment.time < firsts[-1]:
            mixes.append((moment.time, modulate(moment.scene, moment.motion)["/bends/breath/mix"]))
    off = [min((at - first for first in firsts), key=abs) * 1000 for at in changes if firsts[1] < at < firsts[-1]]
    return {"presets": {"changes": len(off), "bars": len(firsts) - 2} | spread(off), "breathing": round(breathing(mixes, sound), 3)}


def breathing(mixes, sound) -> float:
    """Return how alike a bend's mix and the loudness below 120 Hz are, -1..1, with the mix up to 0.1 s late."""
    times, values = np.array(mixes).T
    spectrum = np.fft.rfft(sound)
    spectrum[int(120 * len(sound) / RATE):] = 0.0
    loud = np.convolve(np.abs(np.fft.irfft(spectrum, len(sound))), np.full(2400, 1 / 2400), "same")
    at = lambda late: loud[np.clip(((times - late) * RATE).astype(int), 0, len(loud) - 1)]
    return max(float(np.corrcoef(values, at(late))[0, 1]) for late in (0.0, 0.03, 0.06, 0.1))


def spread(values) -> dict:
    """Return {"p5_ms", "p50_ms", "p95_ms", "mean_off_ms"}; {} of nothing."""
    if not values:
        return {}
    return {f"p{p}_ms": round(_common.percentile(values, p), 1) for p in (5, 50, 95)} | {"mean_off_ms": round(statistics.fmean(map(abs, values)), 1)}
