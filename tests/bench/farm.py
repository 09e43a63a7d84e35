"""One worker of one core against two, of `render --workers` and of `render --ray local`: frames a second once all draw, and whether the frames are the same.

    python run_live.py bench farm              under three minutes on a quiet machine

They take turns, in one order and back. fps: of each turn, the slope of frames over time between a fifth and four fifths of the render. Two against one: of the means.
"""
import os
import statistics
import tempfile
from pathlib import Path

from engine.motion import Motion
from live.instrument import open as opening
from live.show.clock import now
from live.show.events import Change, Tick
from live.takes.farm import LocalCrew
from live.takes.opening import RenderOptions, open_job
from live.takes.render import render_job
from live.takes.take import Origin, TakeWriter

SECONDS = 12.0                      # of drawing by one worker, a turn
FPS = 30.0


def bench(options):
    """Return {how: {frames per second, whole seconds}} and the ratios."""
    folder = Path(tempfile.mkdtemp(prefix="farm-"))
    size = options["size"] or 256
    opened = opening.open_instrument(options["instrument"], size, "cpu", 1)
    frames = _choose_frames(opened, options["seconds"] or SECONDS)
    _write_take(folder / "a.take", opened, frames)
    found: dict = {"size": size, "frames": frames, "load": os.getloadavg()[0]}
    files, ways = {}, list(_list_ways())
    for turn, (how, count, crew) in enumerate([*ways, *reversed(ways)]):
        out = folder / f"{how} {count} {turn}.mp4"
        wanted = RenderOptions(str(folder / "a.take"), str(out), options["instrument"], size, threads=1, device="cpu")
        seen: list = []
        begun = now()
        render_job(open_job(wanted), None, lambda done, total, seen=seen: seen.append((now(), done)), crew(wanted, count))
        row = found.setdefault(f"{how} {count}", {"fps": [], "seconds": []})
        row["fps"].append(round(_measure_rate(seen), 2))
        row["seconds"].append(round(now() - begun, 1))
        files[out.stem] = _hash_frames(out)
    for how in dict.fromkeys(way for way, _, _ in ways):
        found[f"{how}: two against one"] = round(statistics.mean(found[f"{how} 2"]["fps"]) / statistics.mean(found[f"{how} 1"]["fps"]), 2)
    return found | {"same frames": len(set(files.values())) == 1, "load at the end": os.getloadavg()[0]}


def _list_ways():
    yield from (("workers", count, lambda wanted, n: LocalCrew(wanted, n)) for count in (1, 2))
    try:
        import ray  # noqa: F401
    except ImportError:
        return
    from live.takes.ray_farm import RayCrew

    yield from (("ray", count, lambda wanted, n: RayCrew(wanted, "local", n)) for count in (1, 2))


def _choose_frames(opened, seconds) -> int:
    motion, begun, count = Motion(), now(), 0
    while count < 5:
        motion, count = motion.advance(opened.scene, 0.2), count + 1
        opened.instrument.render(opened.scene, motion, None)
    return max(96, round(seconds * count / (now() - begun)))


def _write_take(path, opened, frames):
    writer = TakeWriter(path, opened.scene, Motion(), Origin(opened.name, opened.generator, opened.instrument.size, FPS))
    for n in range(frames):
        writer.record(Tick(n, n / FPS, 1 / FPS if n else 0.0), [Change("/truncation", 0.5 + 0.5 * (n % 60) / 60)])
    writer.close()


def _measure_rate(seen) -> float:
    """Return frames a second while all draw: none is still starting, none has run out of parts."""
    total = seen[-1][1]
    middle = [(at, done) for at, done in seen if 0.2 * total <= done <= 0.8 * total]
    return statistics.linear_regression([at for at, _ in middle], [done for _, done in middle]).slope


def _hash_frames(path) -> int:
    import av

    with av.open(str(path)) as file:
        return hash(tuple(hash(frame.to_ndarray(format="rgb24").tobytes()) for frame in file.decode(video=0)))
