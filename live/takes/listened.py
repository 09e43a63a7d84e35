"""A take that hears a sound file instead of what was heard when it was played: hands as they were, /audio/... as the file has it."""
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import UserError
from engine.scene import Scene
from live.audio.listening import Listening
from live.audio.offline import Whole, analyse_file, fingerprint_sound
from live.show.events import Change, ControlEvent
from live.show.meter import Meter
from live.show.sound_parameters import TURNED


@dataclass
class _Stage:
    """What a Listening needs of a show."""
    scene: Scene
    meter: Meter = field(default_factory=Meter)
    tempo: None = None


class ListenedTake:
    """take: a TakeReader. sound: the file. way: live or ahead (live.audio.offline.WAYS). late: seconds after the first picture that the sound begins."""

    def __init__(self, take, sound, way: str = "live", late: float = 0.0):
        self._take, self._heard, self._late = take, analyse_file(sound, way), late
        self.also = f"{fingerprint_sound(sound)} {way} {late}"
        self._name = Path(sound).name

    def __getattr__(self, name):
        return getattr(self._take, name)

    def read_frames(self):
        """Yield (tick, what was applied) of every frame, with what is heard at its time."""
        stage, moment, start = _Stage(self._take.scene), 0.0, None
        listening = Listening(stage, Whole(self._heard, self._name), now=lambda: moment)
        for tick, applied in self._take.read_frames():
            start = tick.time if start is None else start
            moment = tick.time - start - self._late
            heard = [item for item in listening.play(tick) if not isinstance(item, ControlEvent)]
            hands = [item for item in applied if not (isinstance(item, Change) and item.address in TURNED)]
            for item in (*hands, *heard):
                stage.scene = stage.scene.set([item]) if isinstance(item, Change) and item.address in stage.scene.parameters else stage.scene
            yield tick, self._filter(hands, stage.scene) + heard

    @staticmethod
    def _filter(hands, scene):
        """Return what hands did. A scene that they went to keeps the values that come from sound."""
        heard = {a: scene[a] for a in TURNED if a in scene.values}
        return [item.set_values(heard) if isinstance(item, Scene) else item for item in hands]


def listen(take, sound, way: str, late: float = 0.0) -> ListenedTake:
    """Return the take as it hears a file. UserError: there is no file to hear."""
    if sound is None:
        raise UserError("--listen needs --audio FILE: the sound that is listened to")
    return ListenedTake(take, sound, way, late)
