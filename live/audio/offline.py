"""A file heard as a whole, without a clock: the same analyser in the same hops, so the same file is heard the same everywhere."""
import hashlib
from collections import deque
from pathlib import Path

from engine.errors import UserError
from engine.hearing.ahead import look_ahead
from engine.hearing.analyser import Analyser, Heard, Settings
from live.audio.ear import Hop
from live.audio.sound_file import BLOCK, RATE, read

WAYS = ("live", "ahead")            # as the show would have heard it; as one hears it who knows the end


def analyse_file(path, way: str = "live", settings: Settings | None = None) -> list[Heard]:
    """Return the analysis of a sound file. UserError: it is no sound."""
    settings = settings or Settings()
    samples, analyser = read(path), Analyser(RATE, settings)
    found = [heard for start in range(0, len(samples), BLOCK) for heard in analyser.feed(samples[start:start + BLOCK])]
    return look_ahead(found, settings.low_tempo) if way == "ahead" else found


def fingerprint_sound(path) -> str:
    """Return what tells a sound file from another."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


class Whole:
    """An ear that has heard everything already: a Listening takes from it what is heard by its own time, in seconds of the sound."""
    state, reason, wanted, reconnects = "live", "", "", 0

    def __init__(self, heard: list[Heard], name: str = ""):
        self.name, self.heard, self.blocks, self.settings = name, len(heard), len(heard), Settings()
        self.hops = _Row(Hop(h, h.time) for h in heard)

    def choose(self, text: str):
        """Refuse another input. UserError: always."""
        raise UserError(f"/audio/input {text}: a song is heard from its file here, and nothing else")


class _Row(deque):
    """A queue.SimpleQueue of what is there already."""

    def empty(self) -> bool:
        """Return whether nothing is left."""
        return not self

    def get(self):
        """Return the oldest."""
        return self.popleft()
