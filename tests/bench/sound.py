"""How well sound is heard, against music whose truth is known; beside aubio, where it is installed.

    python run_live.py bench sound
    python run_live.py bench sound --size 64           (where 256 px are no 60 frames a second)

`styles`: F-measures of kicks, snares and onsets (-20..+50 ms) and of beats (+-70 ms, from 6 s on), how late an onset is known, false
onsets a second, and how far the tempo is off at the end. `aubio_...`: the same of aubio, by tests/senders/aubio_onsets.py in a process of its
own. `cost`: processor time a hop of 10.7 ms takes (wanted: 0.15 ms), and its share of a core (wanted: 2 %). Where FluidSynth and a sound font
are, real drum sounds are played by them as well (`fluidsynth, ...`). `show`: a show at 60 fps that is fed a song in real time. `hit_to_frame_ms`: from
a kick's true moment to the frame that answers to it, out (wanted: p50 under 45); `legs_ms`: of
that, `hearing`: until the hop ends in which it is told, `ear`: the block's way and its analysis, `waiting`: for the next frame, `frame`: drawing it
(a display adds its own); `beat_to_frame_ms`: the same of beats, which are predicted
(wanted: within 15); `frames`: their times with sound and without, in turns (wanted: p99 within 5 %).
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from engine.hearing.analyser import Analyser
from tests.bench import _fluid, _sound_show
from tests.bench._common import ROOT, machine, show
from tests.engine.hearing.songs import STYLES, f_measure, matched
from tests.live.audio.rig import write_wav


def bench(options: dict) -> dict:
    """Run it; see the module's docstring."""
    names = list(STYLES)[:options["styles"]] if options.get("styles") else list(STYLES)
    songs = {name: STYLES[name] for name in names} | ({} if options.get("styles") else _fluid.make_songs())
    rows, costs = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in songs.items():
            song = make()
            heard, spent = _heard(song)
            costs += spent
            rows[name] = _row(song, heard) | _aubio(song, pathlib.Path(folder))
    show(rows)
    hop = 512 / 48000 * 1000
    live = _sound_show.measure(options, options.get("seconds") or 60.0)
    show({"hit to frame": live["hit_to_frame_ms"], **live["legs_ms"], "beat to frame": live["beat_to_frame_ms"], **{f"frames {name} sound": live["frames"][name] for name in ("with", "without")}})
    return {"styles": rows, "show": live, "cost": {"ms_a_hop": round(statistics.fmean(costs), 4), "least_ms": round(min(costs), 4),
                                     "share_of_a_core": round(statistics.fmean(costs) / hop, 4)}, "machine": machine()}


def _heard(song):
    """Return (what is heard, milliseconds of processor time a hop, song by song)."""
    analyser, start = Analyser(song.rate), time.thread_time()
    heard = [h for at in range(0, len(song.samples), 512) for h in analyser.feed(song.samples[at:at + 512])]
    return heard, [(time.thread_time() - start) / max(len(heard), 1) * 1000]


def _row(song, heard) -> dict:
    events = {kind: [h.time for h in heard for found, _ in h.hits if found == kind] for kind in ("kick", "snare", "onset")}
    right = matched(events["onset"], song.onsets)
    row = {kind: round(f_measure(found, song.onsets if kind == "onset" else song.hits.get(kind, [])), 3) for kind, found in events.items()}
    row |= {"late_ms": round(statistics.median(right) * 1000, 1) if right else None,
            "false_a_s": round((len(events["onset"]) - len(right)) / heard[-1].time, 2)}
    if song.beats:
        row["beats"] = round(f_measure(*_late_beats(_beats(heard), song, heard[-1].time), 0.07, 0.07), 3)
    if song.tempo and heard[-1].beat:
        row["tempo_off"] = round(abs(heard[-1].beat.tempo - song.tempo), 2)
    return row


def _beats(heard):
    found, last = [], None
    for h in heard:
        at = h.beat.beats(h.time) if h.beat is not None and h.beat.confidence >= 0.3 else None
        if at is not None and last is not None and np.floor(at) > np.floor(last):
            found.append(h.time - (at - np.floor(at)) * 60 / h.beat.tempo)
        last = at
    return found


def _late_beats(found, song, end):
    return [t for t in found if t > 6], [t for t in song.beats if 6 < t < end - 0.1]


def _aubio(song, folder) -> dict:
    path = write_wav(folder / "song.wav", song.samples, song.rate)
    done = subprocess.run([sys.executable, str(ROOT / "tests/senders/aubio_onsets.py"), str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        return {}
    found = json.loads(done.stdout)
    right = matched(found["onsets"], song.onsets)
    row = {"aubio_onset": round(f_measure(found["onsets"], song.onsets), 3), "aubio_late_ms": round(statistics.median(right) * 1000, 1) if right else None,
           "aubio_ms_a_hop": round(found["ms_a_hop"], 3), "aubio_false_a_s": round((len(found["onsets"]) - len(right)) * song.rate / len(song.samples), 2)}
    if song.beats:
        row["aubio_beats"] = round(f_measure(*_late_beats(found["beats"], song, len(song.samples) / song.rate), 0.07, 0.07), 3)
    return row
