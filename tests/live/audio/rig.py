"""A show that hears: its clock and what it hears are set by hand. And files of sound."""
import wave

import numpy as np

from engine.hearing.analyser import Heard
from engine.hearing.beat import Beat
from live.audio import commands as sound_commands  # noqa: F401  (their commands)
from live.audio.ear import Ear, Hop
from live.audio.listening import Listening
from live.mapping import commands as mapping_commands  # noqa: F401  (their commands)
from live.mapping.binding import make_binding
from live.show import modulator_commands, tempo_commands  # noqa: F401  (their commands)
from live.show.tempo import Tempo
from tests.live.memory_rig import FPS, Rig

START = 100.0                       # seconds on the show's clock when the sound began


def heard(time=0.0, low=0.0, mid=0.0, high=0.0, level=0.0, hits=(), beat=None, bar=0, signal=True, loudness=-20.0):
    """One hop, silent but for what is said."""
    return Heard(time, low, mid, high, level, 0.5, loudness, tuple(hits), beat, bar, (0.25,) * 32, (0.0,) * 11 + (1.0,), (0.1, 0.2, 0.3),
                 (0.08, 0.09, 0.1), signal)


class Hall:
    """rig: the show, with a Tempo and a Listening whose ear is fed by hear(). moment: the show's clock; play() goes on by frames."""

    def __init__(self, folder, *bindings):
        self.rig, self.moment = Rig(folder), START
        show = self.show = self.rig.show
        self.listening = Listening(show, Ear(), now=lambda: self.moment)
        self.listening.ear.state = "live"
        self.tempo = Tempo(show, now=lambda: self.moment)
        show.join(listening=self.listening, tempo=self.tempo)
        show.meter.now = lambda: self.moment
        show.mapping.layers.append([make_binding(**b) for b in bindings])
        show.mapping.rebind()

    def hear(self, **what):
        """Hear a hop that has just ended."""
        self.listening.ear.hops.put(Hop(heard(self.moment - START, **what), self.moment))

    def play(self, frames=1, **what):
        """Play frames, with such a hop in each if anything is said."""
        for _ in range(int(frames)):
            self.moment += 1 / FPS
            if what:
                self.hear(**what)
            self.rig.play()

    def __getitem__(self, address):
        return self.show.scene[address]

    def beat(self, tempo, number=0, confidence=1.0):
        """A beat that began with the sound."""
        return Beat(tempo, 0.0, number, confidence)


def write_wav(path, samples, rate=48000, channels=1):
    """Write samples, float [N] or [N, channels], as 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path
