"""Music made by numbers, whose hits and beats are known: drums, chords, voices and noises of twelve styles and more. Seeds are fixed.

A song is samples at a rate and its truth: when each kick, snare, hat is hit, when each beat is.
"""
from dataclasses import dataclass, field

import numpy as np

RATE = 48000


@dataclass
class Song:
    """samples: float32 mono. hits: {kind: [seconds]}. beats: [seconds]. tempo: bpm, None where there is none."""
    samples: np.ndarray
    hits: dict = field(default_factory=dict)
    beats: list = field(default_factory=list)
    tempo: float | None = None
    rate: int = RATE

    @property
    def onsets(self):
        """Every hit; those nearer than 30 ms to the one before are heard as one."""
        times = sorted(t for kind in self.hits.values() for t in kind)
        return [t for n, t in enumerate(times) if n == 0 or t - times[n - 1] > 0.03]


def kick(rng, rate=RATE, length=0.22):
    t = np.arange(int(length * rate)) / rate
    sweep = 48.0 + 110.0 * np.exp(-t * 32.0)
    return 0.9 * np.sin(2 * np.pi * np.cumsum(sweep) / rate) * np.exp(-t * 16.0) + 0.1 * rng.standard_normal(len(t)) * np.exp(-t * 500.0)


def snare(rng, rate=RATE, length=0.2):
    t = np.arange(int(length * rate)) / rate
    return 0.5 * rng.standard_normal(len(t)) * np.exp(-t * 24.0) + 0.35 * np.sin(2 * np.pi * 190.0 * t) * np.exp(-t * 30.0)


def hat(rng, rate=RATE, length=0.06):
    t = np.arange(int(length * rate)) / rate
    noise = rng.standard_normal(len(t))
    return 0.3 * np.diff(np.diff(noise, prepend=0.0), prepend=0.0) * 0.3 * np.exp(-t * 70.0)


SOUNDS = {"kick": kick, "snare": snare, "hat": hat}


def chord(notes, seconds, rate=RATE, loud=0.06, rise=0.3):
    t = np.arange(int(seconds * rate)) / rate
    shape = np.minimum(1.0, np.minimum(t / rise, (seconds - t) / rise))
    return loud * shape * sum(np.sin(2 * np.pi * note * t * k) / k for note in notes for k in (1, 2, 3))


CHORDS = ((220.0, 277.2, 329.6), (196.0, 246.9, 293.7), (174.6, 220.0, 261.6), (196.0, 233.1, 293.7))


def pads(seconds, rate=RATE, loud=0.06):
    out = np.zeros(int(seconds * rate))
    for n in range(int(np.ceil(seconds / 2.0))):
        tone = chord(CHORDS[n % len(CHORDS)], 2.0, rate, loud)
        place = n * 2 * rate
        out[place:place + len(tone)] += tone[:max(0, len(out) - place)]
    return out


def drums(pattern, beats, steps=4, seed=0, rate=RATE, seconds=None, shake=0.0, swing=0.0):
    """{kind: steps of a bar of 4 beats as text, x = hit}, on beats at these times. swing: of a step that every second one comes later."""
    rng = np.random.default_rng(seed)
    seconds = beats[-1] + 1.0 if seconds is None else seconds
    out, hits = np.zeros(int(seconds * rate) + rate), {kind: [] for kind in pattern}
    for kind, text in pattern.items():
        for n, beat in enumerate(beats[:-1]):
            length = beats[n + 1] - beat
            for step in range(steps):
                place = (n % 4) * steps + step
                if text[place % len(text)] != "x":
                    continue
                time = beat + length * (step + (swing if step % 2 else 0.0)) / steps + rng.normal() * shake
                if not 0 <= time < seconds - 0.3:
                    continue
                sound = SOUNDS[kind](rng, rate) * (1.0 + 0.1 * rng.standard_normal())
                at = round(time * rate)
                out[at:at + len(sound)] += sound[:len(out) - at]
                hits[kind].append(time)
    return out[:int(seconds * rate)], hits


def steady(tempo, seconds, start=0.5):
    return list(np.arange(start, seconds, 60.0 / tempo))


FOUR = {"kick": "x...x...x...x...", "snare": "....x.......x...", "hat": "..x...x...x...x."}
ROCK = {"kick": "x.......x.x.....", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."}
BREAK = {"kick": "x.........x.....", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."}
HALF = {"kick": "x.....x.........", "snare": "........x.......", "hat": "x.x.x.x.x.x.x.x."}


def played(pattern, tempo, seconds=20.0, seed=0, pad=0.05, noise=0.001, **how):
    beats = steady(tempo, seconds)
    out, hits = drums(pattern, [*beats, beats[-1] + 60.0 / tempo], seed=seed, seconds=seconds, **how)
    rng = np.random.default_rng(seed + 99)
    samples = out * 0.5 + pads(seconds, loud=pad)[:len(out)] + noise * rng.standard_normal(len(out))
    return Song(samples.astype(np.float32), hits, beats, tempo)


def voice(seconds, seed=3, rate=RATE, loud=0.1):
    """Syllables: a pulse train with formants, which come irregularly."""
    rng = np.random.default_rng(seed)
    out, at = np.zeros(int(seconds * rate)), 0.2
    while at < seconds - 0.4:
        length = rng.uniform(0.12, 0.3)
        t = np.arange(int(length * rate)) / rate
        pitch = rng.uniform(100, 180) * (1 + 0.05 * np.sin(2 * np.pi * 5 * t))
        phase = 2 * np.pi * np.cumsum(pitch) / rate
        formants = rng.uniform((300, 900, 2200), (800, 2000, 3000))
        tone = sum(np.sin(k * phase) * sum(1 / (1 + ((k * 140 - f) / 150) ** 2) for f in formants) for k in range(1, 25))
        tone *= np.sin(np.pi * t / length) ** 0.7
        place = int(at * rate)
        out[place:place + len(tone)] += tone[:len(out) - place]
        at += length + rng.exponential(0.15)
    return loud * out


def strings(seconds=20.0, rate=RATE):
    """Slow chords that swell at no steady time: no drums at all."""
    rng = np.random.default_rng(11)
    out, at = np.zeros(int((seconds + 5) * rate)), 0.3
    while at < seconds:
        length = rng.uniform(1.2, 3.5)
        tone = chord(CHORDS[rng.integers(4)], length, rate, 0.12, rise=0.45 * length)
        place = int(at * rate)
        out[place:place + len(tone)] += tone
        at += length * rng.uniform(0.6, 0.9)
    return out[:int(seconds * rate)]


def ramp(low, high, seconds, start=0.5):
    beats, at = [], start
    while at < seconds:
        beats.append(at)
        at += 60.0 / (low + (high - low) * at / seconds)
    return beats


def pink(count, seed=5):
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    out = np.fft.irfft(spectrum, count)
    return 0.2 * out / out.std()


def _of(samples, **truth):
    return Song(np.asarray(samples, np.float32), **truth)


def _over(song, more):
    song.samples = (song.samples + more[:len(song.samples)]).astype(np.float32)
    return song


def _bass():
    """Four on the floor with a bass in eighths, which is as low as the kick."""
    song, seconds = played(FOUR, 124.0, seed=8), 20.0
    t = np.arange(int(seconds * RATE)) / RATE
    eighth = (t - 0.5) % (30.0 / 124.0)
    return _over(song, 0.15 * np.sin(2 * np.pi * 55.0 * t) * np.exp(-eighth * 6.0) * (t > 0.5))


def _ramped():
    beats = ramp(100.0, 130.0, 30.0)
    out, hits = drums(FOUR, beats, seed=6, seconds=30.0)
    return Song((0.5 * out + pads(30.0, loud=0.03)[:len(out)]).astype(np.float32), hits, beats[:-1])


def _clipped():
    song = played(ROCK, 110.0, seed=9)
    song.samples = np.clip(song.samples * 6.0, -1.0, 1.0).astype(np.float32)
    return song


def _quiet():
    song = played(ROCK, 110.0, seed=9, noise=0.0)
    song.samples = (song.samples * 0.003).astype(np.float32)
    return song


STYLES = {
    "four on the floor, 128": lambda: played(FOUR, 128.0, seed=1),
    "rock, 100": lambda: played(ROCK, 100.0, seed=2),
    "breakbeat, 174": lambda: played(BREAK, 174.0, seed=3),
    "half time, 140": lambda: played(HALF, 140.0, seed=4),
    "swing, 120": lambda: played(ROCK, 120.0, seed=5, swing=0.3),
    "played by hand, 96": lambda: played(ROCK, 96.0, seed=12, shake=0.006),
    "bass in eighths, 124": _bass,
    "speech over music, 112": lambda: _over(played(ROCK, 112.0, seed=7), voice(20.0)),
    "tempo ramp, 100-130": _ramped,
    "clipped, 110": _clipped,
    "very quiet, 110": _quiet,
    "rubato strings": lambda: _of(strings()),
    "speech alone": lambda: _of(voice(20.0, loud=0.2)),
    "white noise": lambda: _of(0.2 * np.random.default_rng(1).standard_normal(20 * RATE)),
    "pink noise": lambda: _of(pink(20 * RATE)),
    "50 Hz hum": lambda: _of(0.3 * np.sin(2 * np.pi * 50.0 * np.arange(20 * RATE) / RATE)),
    "silence": lambda: _of(np.zeros(20 * RATE)),
}


# -- how right something is


def matched(found, truth, early=0.02, late=0.05):
    """Return the lateness of each found one that has a true one, which counts once."""
    truth, used, out = sorted(truth), set(), []
    for time in sorted(found):
        near = [(abs(time - t), n) for n, t in enumerate(truth) if n not in used and -early <= time - t <= late]
        if near:
            n = min(near)[1]
            used.add(n)
            out.append(time - truth[n])
    return out


def f_measure(found, truth, early=0.02, late=0.05):
    """Return 2 * right / (found + true), 0..1."""
    if not len(found) and not len(truth):
        return 1.0
    return 2 * len(matched(found, truth, early, late)) / (len(found) + len(truth))
