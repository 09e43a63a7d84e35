"""Make the demo: a song of three minutes, a take in which the built-in instrument plays to it, and the README's moving picture.

    python docs/pictures/demo.py take            # presets/masks/demo.take
    python docs/pictures/demo.py song            # presets/masks/demo.take.wav, with which `render` gives the take its sound
    python docs/pictures/demo.py picture         # docs/pictures/demo.webp and demo-strip.jpg, ten seconds of that take
    python run_live.py --replay presets/masks/demo.take
    python run_live.py render presets/masks/demo.take -o demo.mp4

The song is made here too, by sines and noise; it is not in the repository, being large.
"""
import pathlib
import subprocess
import sys
import tempfile
import wave

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from live.audio.offline import analyse_file
from live.instrument.open import open_instrument
from live.takes.clip import play_song

TAKE = ROOT / "presets" / "masks" / "demo.take"
PRESETS = ("awake", "choir", "opera", "heartbeat", "equaliser", "bloom-crown", "balloon", "argus", "gaze", "woodcut", "stretch", "carnival", "dream",
           "two-faced", "whirl", "totem", "hall-of-mirrors", "wallpaper", "molten", "x-ray", "sunrise", "wheel")
RATE, BPM, BARS = 48000, 120, 4                        # BARS: of each part of the song, one preset a part
BEAT = 60 / BPM
# What plays in each part: kick, snare, hat, bass, pad, bell.
PARTS = tuple(part for part in ("pad", "pad bell", "kick pad bass", "kick hat bass bell", "kick snare hat bass", "kick snare hat bass bell", "pad bell hat",
                                "kick snare bass pad", "kick snare hat bass pad bell", "kick snare hat bass bell", "pad bell") for _ in range(2))
CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7), (164.8, 196.0, 246.9))
SIDE, FPS, SECONDS = 320, 15, 2.0                       # of the moving picture, and of each of its pieces
PIECES = ("heartbeat", "bloom-crown", "stretch", "hall-of-mirrors", "molten")


def tone(frequency, seconds, decay, attack=0.004):
    """Return a tone [N] that dies away: a sine and two of its overtones."""
    t = np.arange(int(seconds * RATE)) / RATE
    waves = sum(np.sin(2 * np.pi * frequency * k * t) / k ** 2 for k in (1, 2, 3))
    return waves * np.exp(-t / decay) * np.minimum(t / attack, 1)


def make_hits(rng):
    """Return {name: sound [N]} of the drums."""
    t = np.arange(int(0.4 * RATE)) / RATE
    noise = rng.standard_normal(len(t))
    bright = np.diff(noise, prepend=0.0)
    return {"kick": np.sin(2 * np.pi * (48 * t + 110 * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.12),
            "snare": 0.45 * noise * np.exp(-t / 0.07) + 0.4 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05), "hat": 0.22 * bright * np.exp(-t / 0.03)}


def make_song():
    """Return the song [N], -1..1."""
    hits = make_hits(np.random.default_rng(1))
    song = np.zeros(int((len(PARTS) * BARS * 4 + 2) * BEAT * RATE))

    def lay(sound, beat, level):
        at = int(beat * BEAT * RATE)
        song[at:at + len(sound)] += level * sound[:len(song) - at]

    for part, playing in enumerate(PARTS):
        for bar in range(BARS):
            first, chord = (part * BARS + bar) * 4, CHORDS[bar % len(CHORDS)]
            for name in playing.split():
                for beat, sound, level in notes(name, chord, hits):
                    lay(sound, first + beat, level)
    return 0.8 * song / np.abs(song).max()


def notes(name, chord, hits):
    """Return [(beat in the bar, sound, level)] of one player's bar."""
    if name in hits:
        beats = {"kick": (0, 1, 2, 3), "snare": (1, 3), "hat": np.arange(0.5, 4, 0.5)}[name]
        return [(beat, hits[name], {"kick": 1.0, "snare": 0.8, "hat": 0.6}[name]) for beat in beats]
    if name == "bass":
        return [(beat, tone(chord[0] / 4, 0.4, 0.2), 0.7) for beat in (0, 0.75, 1.5, 2, 2.75, 3.5)]
    if name == "pad":
        return [(0, tone(frequency, 4 * BEAT, 2.0, 0.3), 0.22) for frequency in chord]
    return [(beat, tone(4 * chord[int(2 * beat) % 3], 0.6, 0.25), 0.18) for beat in np.arange(0, 4, 0.5)]


def write_sound(path, song):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((song * 32767).astype("<i2").tobytes())


def mark_parts(heard):
    """Return what was heard, a section wherever a part of the song begins: here that is known, and need not be guessed."""
    found, length = [], BARS * 4 * BEAT
    for before, now in zip((heard[0], *heard), heard):
        begins = now.time // length > before.time // length
        hits = tuple(hit for hit in now.hits if hit[0] != "section")
        found.append(now._replace(hits=(*hits, ("section", 1.0)) if begins else hits))
    return [found[0]._replace(hits=(*found[0].hits, ("section", 1.0))), *found[1:]]


def make_take():
    """Write the take."""
    opened = open_instrument(ROOT / "presets" / "masks", 1024, "cpu")
    with tempfile.TemporaryDirectory() as folder:
        sound = pathlib.Path(folder) / "demo.wav"
        write_sound(sound, make_song())
        heard = mark_parts(analyse_file(sound))
    TAKE.unlink(missing_ok=True)
    play_song(opened, heard, TAKE, PRESETS)


def draw_piece(start):
    """Return what the take shows from `start` on, a list of PIL images."""
    with tempfile.TemporaryDirectory() as folder:
        short, frames = pathlib.Path(folder) / "short.take", pathlib.Path(folder) / "frames"
        for arguments in (["take", "trim", TAKE, "--from", start, "--to", start + SECONDS, "-o", short],
                          ["render", short, "-o", frames, "--size", 512, "--fps", FPS]):
            subprocess.run([sys.executable, ROOT / "run_live.py", *map(str, arguments)], check=True)
        return [Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS) for path in sorted(frames.glob("*.png"))]


def make_picture():
    """Write ten seconds of the take as a picture that moves, and a strip of it."""
    pictures = [picture for name in PIECES for picture in draw_piece(PRESETS.index(name) * BARS * 4 * BEAT + 4.0)]
    folder = pathlib.Path(__file__).parent
    pictures[0].save(folder / "demo.webp", save_all=True, append_images=pictures[1:], duration=round(1000 / FPS), loop=0, quality=62, method=4)
    strip = Image.new("RGB", (len(PIECES) * SIDE, SIDE))
    for place in range(len(PIECES)):
        strip.paste(pictures[(2 * place + 1) * len(pictures) // (2 * len(PIECES))], (place * SIDE, 0))
    strip.save(folder / "demo-strip.jpg", quality=88)


if __name__ == "__main__":
    {"take": make_take, "song": lambda: write_sound(f"{TAKE}.wav", make_song()), "picture": make_picture}[sys.argv[1]]()
