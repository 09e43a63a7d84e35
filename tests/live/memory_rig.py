"""A show with a memory, without devices: what the tests of presets, takes and morphs share."""
import contextlib
import hashlib

from engine.bending import bend_from_dict
from engine.checkpoints.native import generator_hash
from engine.instrument import Instrument
from live.mapping.mapping import Mapping
from live.presets import commands as preset_commands  # noqa: F401  (their commands)
from live.presets import deck_commands, soft_commands  # noqa: F401
from live.presets.library import Library
from live.presets.recall import Recall
from live.show.clock import FixedClock
from live.show.events import ControlEvent
from live.show.loop import Show
from live.show.parameters import add_parameters
from live.stage import lane_commands, set_commands  # noqa: F401
from live.stage.service import join_stage
from live.takes import commands as take_commands  # noqa: F401  (their commands)
from live.takes.looper import Looper
from live.takes.recording import Recording
from live.takes.take import Origin
from live.weights import commands as weight_commands  # noqa: F401  (their commands)
from live.weights.folder import read_folder
from live.weights.weights import Weights
from tests.conftest import tiny

FPS = 30.0


class Kept(list):
    """An output that keeps the bytes of every frame."""

    def put(self, frame):
        self.append(frame.pixels.tobytes())


class Rig:
    """show, screen; play(n) runs n frames, each list of `events[k]` heard in frame k."""

    def __init__(self, folder=None, generator=None, bends=(), strict=True, weights=False, size=None):
        """weights: edits and weight presets of the folder are played too."""
        self.generator = generator or tiny()
        self.hash = generator_hash(self.generator)
        offer = read_folder(folder, self.generator, [self.hash]) if weights else None
        self.instrument = Instrument(self.generator, size, **({"edits": offer.edits, "checkpoints": offer.checkpoints} if offer else {}))
        self.base = self.instrument.scene()
        library = folder and Library(folder / "scenes", self.base, "tiny", self.hash, self.bend)
        self.show = Show(self.instrument, Mapping(), add_parameters(self.instrument.scene(tuple(bends))), strict=strict)
        self.show.join(recall=Recall(self.show, library), looper=Looper(self.show),
                       recording=Recording(self.show, folder or ".", Origin("tiny", self.hash, 32, FPS)))
        self.closing = contextlib.ExitStack()
        join_stage(self.show, self.closing, folder, folder or ".")
        self.weights = Weights(self.show, offer) if offer else None
        if self.weights:
            self.show.join(weights=self.weights)
        self.screen = Kept()
        self.show.outputs.append(self.screen)
        self.ticks = FixedClock(FPS).ticks()

    def bend(self, data):
        return bend_from_dict(data, self.generator)

    def send(self, address, *values):
        """As OSC would: heard in the next frame."""
        value = values[0] if len(values) == 1 else (values or 1.0)
        self.show.inbox.put(ControlEvent(f"osc {address}", value))

    def play(self, frames=1):
        """Play; returns the last picture."""
        for _, tick in zip(range(frames), self.ticks):
            self.show.frame(tick)
        return self.screen[-1]

    def close(self):
        self.closing.close()
        self.show.close()


def scenes_of(reader, show):
    """Replay: a digest of scene, motion and picture for each frame."""
    screen = Kept()
    show.outputs = [screen]
    return [(str(show.scene.values), show.motion, hashlib.sha256(screen[-1]).hexdigest()) for _ in reader.replay(show)]
