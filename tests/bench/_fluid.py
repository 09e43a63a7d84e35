"""Songs of real instruments' sounds: drum patterns as they are played, with bass and chords, by FluidSynth and a sound font. Truth is what was asked for."""
import pathlib
import shutil
import subprocess
import tempfile
import wave

import mido
import numpy as np

from tests.engine.hearing.songs import RATE, Song

FONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/soundfonts/default.sf2")
DRUMS = {"kick": 36, "snare": 38, "hat": 42}
DRUM_CHANNEL, BASS, KEYS = 9, 0, 1
PROGRAMS = {BASS: 33, KEYS: 4}
ROOTS = (33, 29, 24, 31)                                 # a bar each: A, F, C, G
TICKS = 1920                                             # a second, at the 120 bpm of a file that names no tempo
PLAYED = {                                               # tempo, steps of a beat, {part: one bar or two}; accents are capitals
    "rock": (100, 4, {"kick": "X.......X.x.....", "snare": "....X.......X...", "hat": "X.x.X.x.X.x.X.x."}),
    "house": (126, 4, {"kick": "X...X...X...X...", "snare": "....X.......X...", "hat": "..X...X...X...X."}),
    "funk": (108, 4, {"kick": "X..x......x.....", "snare": "....X..x.x..X...", "hat": "X.x.X.x.X.x.X.x."}),
    "amen": (170, 4, {"kick": "X.X.......xx....", "snare": "....X..x.x..X..x", "hat": "X.x.X.x.X.x.X.x."}),
    "drum and bass": (174, 4, {"kick": "X.........X.....", "snare": "....X.......X...", "hat": "X.x.X.x.X.x.X.x.", "bass": "X.....x...x....."}),
    "hip hop": (90, 4, {"kick": "X......x..X.....", "snare": "....X.......X...", "hat": "X.x.X.x.X.x.X.xx", "bass": "X......x..X....."}),
    "disco": (118, 4, {"kick": "X...X...X...X...", "snare": "....X.......X...", "hat": "x.X.x.X.x.X.x.X.", "bass": "X.x.X.x.X.x.X.x.", "keys": "..X...X...X...X."}),
    "shuffle": (116, 3, {"kick": "X..x..X..x..", "snare": "...X.....X..", "hat": "X.xX.xX.xX.x", "bass": "X..x.xX..x.x"}),
    "reggae": (82, 4, {"kick": "........X.......", "snare": "........X.......", "hat": "X.x.X.x.X.x.X.x.", "bass": "X.....x.x...x...", "keys": "....X.......X..."}),
    "steppers": (82, 4, {"kick": "X...X...X...X...", "snare": "........X.......", "hat": "X.x.X.x.X.x.X.x.", "bass": "X.....x.x...x...", "keys": "....X.......X..."}),
    "ballad": (85, 4, {"kick": "X.......X.......", "snare": "....X.......X...", "hat": "X.x.X.x.X.x.X.x.", "bass": "X.......X.......", "keys": "X...X...X...X..."}),
    "two step": (170, 4, {"kick": "X.........X.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x.", "bass": "X...............", "keys": "X..............."}),
    "waltz rock": (140, 2, {"kick": "X.....", "snare": "..x.x.", "hat": "x.x.x.", "bass": "X.....", "keys": "..X.X."}),
}
HELD = {"bass": 0.9, "keys": 0.5}                        # of a step to the next note


def font() -> str | None:
    """Return the sound font there is."""
    return next((path for path in FONTS if pathlib.Path(path).exists()), None)


def can_play() -> bool:
    """Return whether FluidSynth and a sound font are installed."""
    return font() is not None and shutil.which("fluidsynth") is not None


def make_songs() -> dict:
    """Return {name: what makes the song}; {} where nothing can play them."""
    return {f"fluidsynth, {name} {row[0]}": lambda row=row: play(*row) for name, row in PLAYED.items()} if can_play() else {}


def play(tempo, steps, parts, seconds=20.0, start=0.5, gain=0.7) -> Song:
    """Return so many seconds of a pattern; drums alone where there are no other parts."""
    bar = max(len(text) for text in parts.values())
    step, notes, hits = 60 / tempo / steps, [], {kind: [] for kind in DRUMS}
    for place in range(int((seconds - start - 0.5) / step)):
        for part, text in parts.items():
            mark = text[place % len(text)]
            if mark == ".":
                continue
            at, velocity = start + place * step, 110 if mark.isupper() else 80
            root = ROOTS[place // bar % len(ROOTS)]
            if part in DRUMS:
                hits[part].append(at)
                notes.append((at, 0.05, DRUM_CHANNEL, DRUMS[part], velocity))
            elif part == "bass":
                notes.append((at, HELD[part] * step * 2, BASS, root, velocity))
            else:
                notes += [(at, HELD[part] * step, KEYS, root + 24 + up, velocity - 30) for up in (0, 4 if place // bar % 2 else 3, 7)]
    beat = step * steps
    return Song(render(notes, seconds, gain), hits, [start + n * beat for n in range(int((seconds - start) / beat))], float(tempo))


def render(notes, seconds, gain=0.7) -> np.ndarray:
    """Return float32 mono of notes (second, length, channel, number, velocity), as FluidSynth plays them."""
    file, track, last = mido.MidiFile(ticks_per_beat=TICKS // 2), mido.MidiTrack(), 0
    file.tracks.append(track)
    for channel, program in PROGRAMS.items():
        track.append(mido.Message("program_change", channel=channel, program=program))
    events = [(at, 1, channel, number, velocity) for at, _, channel, number, velocity in notes]
    events += [(at + length, 0, channel, number, 0) for at, length, channel, number, _ in notes]
    for at, on, channel, number, velocity in sorted(events):
        tick = round(at * TICKS)
        track.append(mido.Message("note_on" if on else "note_off", channel=channel, note=number, velocity=velocity, time=tick - last))
        last = tick
    with tempfile.TemporaryDirectory() as folder:
        file.save(f"{folder}/a.mid")
        subprocess.run(["fluidsynth", "-ni", "-g", str(gain), "-r", str(RATE), "-F", f"{folder}/a.wav", font(), f"{folder}/a.mid"], capture_output=True, check=True)
        with wave.open(f"{folder}/a.wav") as made:
            samples = np.frombuffer(made.readframes(made.getnframes()), "<i2").reshape(-1, made.getnchannels()).mean(1) / 32768
    return np.pad(samples, (0, max(0, round(seconds * RATE) - len(samples))))[:round(seconds * RATE)].astype(np.float32)
