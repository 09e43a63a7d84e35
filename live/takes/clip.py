"""A song played by itself into a take: sections go to the next preset, beats and hits move. It is a take like any other.

Without a clock: a second of the song is so many frames, however long they take, so the same song makes the same take everywhere.
"""
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from engine.errors import UserError
from live.audio.listening import Listening
from live.audio.offline import Whole
from live.mapping.macros import Macros, label
from live.mapping.mapping import Mapping
from live.presets.recall import Recall
from live.show.clock import FixedClock
from live.show.events import Asked, ControlEvent
from live.show.loop import Show
from live.show.parameters import add_parameters
from live.show.tempo import Tempo
from live.takes.looper import Looper
from live.takes.recording import Recording
from live.takes.take import Origin
from live.weights.weights import Weights

# name, what is moved, shape, depth, source; what is set besides. They come back with each section, for presets bring their own.
MOVES: tuple[tuple[str, str, str, float, str, dict], ...] = (
    ("clip-beat", "/truncation", "saw", -0.06, "", {"unit": "beats", "beats": 1.0, "polarity": "up"}),
    ("clip-low", "/walk/speed", "follow", 0.12, "/audio/low", {"release": 0.4}),
    ("clip-hit", "/noise/strength", "hit", 0.12, "/audio/onset", {"release": 0.15}),
)


BLACK = SimpleNamespace(pixels=np.zeros((2, 2, 3), np.uint8), number=0)


class _Undrawn:
    """An instrument whose pictures are drawn later, when its take is rendered."""

    def __init__(self, instrument):
        self._instrument = instrument

    def __getattr__(self, name):
        return getattr(self._instrument, name)

    def render(self, scene, motion, source=None):
        """Return a picture of nothing."""
        return BLACK

    def repeat(self, scene, motion):
        """Return a picture of nothing."""
        return BLACK


def check_names(wanted, library) -> list[str]:
    """Return the presets a clip goes through, all there are where none is wanted. UserError: there is no such."""
    there = library.list_names()
    for name in wanted:
        if name not in there:
            raise UserError(f"no preset {name!r}; there are: {', '.join(there) or 'none yet'}")
    return list(wanted) or there


def play_song(opened, heard, path, presets=(), fps: float = 30.0, mapping=()) -> Path:
    """Record a song that was heard (live.audio.offline.hear) as a take. presets: names, gone through section by section, round and round.

    mapping: files whose bindings of `audio ...` are played as well. Returns the take's path.
    """
    if not heard:
        raise UserError("there is nothing to hear in the song")
    moment = 0.0
    played = Mapping.load(mapping, macros=opened.folder.macros)
    show = Show(_Undrawn(opened.instrument), played, label(opened.scene, played.macros))
    origin = Origin(opened.name, opened.generator, opened.instrument.size, fps)
    recall, recording = Recall(show, opened.open_library()), Recording(show, Path(path).parent, origin)
    show.join(macros=Macros(show), recording=recording, looper=Looper(show), recall=recall,
              weights=Weights(show, opened.offer), tempo=Tempo(show, now=lambda: moment),
              listening=Listening(show, Whole(heard), now=lambda: moment))
    names = check_names(presets, recall.library)
    if names:
        recall.begin_with(names[0])
    show.scene = show.first = add_parameters(show.scene).set_values({"/tempo/source": "audio", "/tempo/ahead": 0.0})
    recording.record_to(path)
    sections = [h.time for h in heard if any(kind == "section" for kind, _ in h.hits)][1:]
    frames, entered = math.ceil(heard[-1].time * fps), 0
    try:
        for tick in FixedClock(fps).ticks():
            if tick.frame >= frames or show.stopped:
                break
            moment = tick.time
            if entered < len(sections) and sections[entered] <= moment:
                entered += 1
                _enter(show, names[entered % len(names)] if names else None, entered)
            elif tick.frame == 0:
                _move(show)
            _settle(show)
            show.frame(tick)
    finally:
        show.close()
    if recording.writer is None or recording.writer.failed is not None:
        raise UserError(f"{path}: the take can't be written")
    return Path(path)


def _enter(show, name, number):
    """Begin a section: the next preset, or where there is none another seed."""
    show.inbox.put(Asked("/preset/recall", (name, 0.0)) if name else Asked("/seed/go", (float(number + 1), 0.5)))
    _move(show)


def _move(show):
    for name, target, shape, depth, source, _ in MOVES:
        if target in show.scene.parameters:
            show.inbox.put(Asked("/modulators/remove", (name,)))
            show.inbox.put(Asked("/modulators/add", (name, target, shape, depth, source)))


def _settle(show):
    """Set the settings of a modulator that was just added."""
    there = {modulator.name for modulator in show.scene.modulators}
    for name, *_, settings in MOVES:
        for setting, value in settings.items() if name in there else ():
            address = f"/modulators/{name}/{setting}"
            if show.scene[address] != value:
                show.inbox.put(ControlEvent(f"osc {address}", value))
