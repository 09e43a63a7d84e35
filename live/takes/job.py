"""What is rendered, and into which parts it is cut. Knows the instrument by its name and size only; draws nothing."""
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.modulation import modulate
from engine.motion import darkness
from live.outputs.recorder import CONTAINERS
from live.takes import sound, video_parts
from live.takes.performance import play_evenly, play_ticks
from live.takes.take import TakeReader

if TYPE_CHECKING:                   # it brings torch
    from engine.instrument import Instrument

PART, SHORTEST, SHARE = 300, 24, 16 # frames of a part at most; of a short take a part is a sixteenth, but not less than these
PICTURES = 30                       # frames of a part of a folder of pictures


def _use_full_quality(moment):
    """Return a moment with the full size of the pictures, whatever the machine managed in the show."""
    address = "/quality/size"
    if address not in moment.scene.values:
        return moment
    scene = moment.scene.set_values({address: moment.scene.parameters[address].high})
    return replace(moment, scene=scene)


def _is_drawn(moment) -> bool:
    """Return whether a moment's picture is drawn anew: a freeze holds another, and black is not drawn."""
    return not moment.scene["/output/freeze"] and darkness(moment.scene, moment.motion) < 1.0


@dataclass
class Job:
    """What is rendered, and how. out: the file or folder; size: of the pictures; fps: None = the take's own ticks."""
    take: TakeReader
    instrument: "Instrument"
    out: Path
    size: int
    fps: float | None
    lossless: bool

    @property
    def is_video(self) -> bool:
        """Whether it is one file, not a folder of pictures."""
        return self.out.suffix in CONTAINERS

    def check(self, audio):
        """Raise UserError for what can't be rendered."""
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise UserError(f"{self.fps} frames a second: expected a number above 0")
        if self.size < 1:
            raise UserError(f"size {self.size}: expected a number of pixels above 0")
        if audio is not None and self.is_video:
            sound.check_sound(audio.path, self.out.suffix, audio.offset)
        if not self.take.measure_length()[0]:
            raise UserError(f"{self.take.path}: the take has no frames")
        if self.out.suffix and not self.is_video:
            raise UserError(f"{self.out}: expected a name ending in {', '.join(CONTAINERS)}, or a folder for single pictures")
        if audio is not None and not self.is_video:
            raise UserError("pictures in a folder have no place for sound; choose a .mkv or .mp4")

    def make_moments(self) -> Iterator:
        """Return the moments to draw, from the first."""
        moments = play_ticks(self.take) if self.fps is None else play_evenly(play_ticks(self.take), self.fps)
        if self.fps is not None or self.instrument.size != self.take.origin.size:
            moments = (_use_full_quality(moment) for moment in moments)
        return moments

    def measure_seconds(self) -> float:
        """Return the seconds from the take's first tick to its last."""
        return self.take.measure_length()[1] - next(self.take.read_frames())[0].time

    def count_frames(self) -> int:
        """Return how many pictures it will be."""
        return self.take.measure_length()[0] if self.fps is None else int(self.measure_seconds() * self.fps + 1e-6) + 1

    @cached_property
    def key(self) -> str:
        """What makes two renders the same: parts of another are not gone on with."""
        digest = hashlib.sha256(self.take.path.read_bytes())
        what = ["parts 2", self.size, self.instrument.size, self.fps, self.lossless, self.take.generator]
        digest.update(json.dumps(what + ([self.instrument.pixels] if self.instrument.shape else [])).encode())
        digest.update(getattr(self.take, "also", "").encode())
        return digest.hexdigest()

    @property
    def parts(self) -> Path:
        """The folder that parts are written to; of pictures, the one they stay in."""
        return self.out.with_name(f".{self.out.name}.{self.key[:12]}.parts") if self.is_video else self.out

    def find_shape(self, drawn) -> tuple[int, int]:
        """Return (height, width) of the pictures to write, where the network's are so large."""
        height, width = drawn.shape[:2]
        return height * self.size // self.instrument.size, width * self.size // self.instrument.size

    def find_path(self, number: int) -> Path:
        """Return where the part that begins with a frame, or a picture, is written to."""
        return self.parts / (f"{number:08d}{video_parts.PARTS}" if self.is_video else f"frame_{number:06d}.png")

    def plan(self) -> list[tuple[int, int]]:
        """Return [(first frame, frame after the last)] of the parts. Each begins where nothing that was drawn before is seen any more."""
        total = self.count_frames()
        length = min(PART, max(SHORTEST, -(-total // SHARE))) if self.is_video else min(PART, PICTURES)
        starts, echoed, count = [0], False, 0
        for number, moment in enumerate(self.make_moments()):
            echoes = modulate(moment.scene, moment.motion)["/echo/amount"] > 0 if "/echo/amount" in moment.scene.parameters else False
            if number - starts[-1] >= length and _is_drawn(moment) and not (echoes and echoed):
                starts.append(number)
            echoed, count = echoes or echoed and not _is_drawn(moment), number + 1
        return list(itertools.pairwise([*starts, count]))
