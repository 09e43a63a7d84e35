"""What each output shows: the programme, or another picture: the source's, the cued look, a look inside the network, another output's.

A picture that no output shows is not made. All have the programme's size, black where theirs is another shape, are as dark
as the show is, and flash no more than it may. Knows the show and its instrument, no windows and no processes.
"""
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.errors import UserError
from engine.motion import darkness
from engine.parameter import Parameter
from live.outputs.limiter import FlashLimiter
from live.outputs.spec import PROGRAMME, OutputSpec
from live.show.clock import now
from live.show.journal import Seldom

LIBRARIES = ("cv2",)
log = logging.getLogger(__name__)

SOURCE, CUE, SAME = "source", "cue", "same as "
BROKEN = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, UserError)      # what drawing one may raise: the programme goes on


def list_pictures(inside, specs: list[OutputSpec]) -> tuple[str, ...]:
    """Return the names of the pictures an output can show. inside: those of the network's inside."""
    return (PROGRAMME, SOURCE, CUE, *inside, *(SAME + spec.name for spec in specs))


def make_picture_parameters(inside, specs: list[OutputSpec]) -> dict:
    """Return {address: parameter} of what each output shows. UserError: a file asks for a picture there is not."""
    names = list_pictures(inside, specs)
    for spec in specs:
        if spec.picture not in names:
            near = [name for name in names if name.startswith(spec.picture.split(" ")[0])][:20] or [*names[:3], "layer b64.conv1", SAME + "NAME"]
            raise UserError(f"output {spec.name}: picture: no {spec.picture!r}; there are {', '.join(near)}, ...")
    about = "what it shows: the programme, the source, the cued look, feature maps of a layer or cluster, or what another output does"
    return {f"/outputs/{spec.name}/picture": Parameter(spec.picture, choices=names, about=about) for spec in specs}


@dataclass(frozen=True)
class Shown:
    """A frame for all outputs. pixels: the programme, uint8 [H, W, 3]. others: the pictures beside it, by name.

    shown_by: {output: the picture it shows}.
    """
    pixels: np.ndarray
    number: int
    others: dict[str, np.ndarray] = field(default_factory=dict)
    shown_by: dict[str, str] = field(default_factory=dict)


class Pictures:
    """Makes what the outputs of a show want to be given. cued(name) -> the picture of a cued preset, or None."""

    def __init__(self, show, specs: list[OutputSpec], cued: Callable = lambda name: None):
        self.show, self.cued = show, cued
        self._failed: set[str] = set()
        self.addresses = {spec.name: f"/outputs/{spec.name}/picture" for spec in specs}
        self._limiters = {PROGRAMME: FlashLimiter()}
        self._complaints = Seldom(log, now)
        self._look_inside({self.choose(name, show.scene) for name in self.addresses})

    def finish(self, frame, time, scene):
        """Return the frame that outputs are given, limited, and with what else they show."""
        frame = self._limiters[PROGRAMME].finish(frame, time, scene)
        shown_by = {name: self.choose(name, scene) for name in self.addresses}
        wanted = sorted(set(shown_by.values()) - {PROGRAMME})
        self._look_inside(wanted)
        self._limiters = {name: limiter for name, limiter in self._limiters.items() if name == PROGRAMME or name in wanted}
        if not wanted:
            return frame
        light = 1.0 - darkness(scene, self.show.motion)
        others = {name: self._finish(name, frame, time, scene, light) for name in wanted}
        return Shown(frame.pixels, frame.number, others, shown_by)

    def choose(self, name: str, scene) -> str:
        """Return the name of the picture that an output shows, its own or that of the output it follows. Outputs that follow each other show the
        programme.
        """
        seen: set[str] = set()
        while name in self.addresses and name not in seen:
            seen.add(name)
            picture = scene[self.addresses[name]] if self.addresses[name] in scene.parameters else PROGRAMME
            if not picture.startswith(SAME):
                return picture
            name = picture.removeprefix(SAME)
        return PROGRAMME

    def select(self, name: str, frame):
        """Return the frame for the output of that name; a black one where its picture does not exist."""
        picture = self.choose(name, self.show.scene)
        if picture == PROGRAMME:
            return frame
        pixels = getattr(frame, "others", {}).get(picture)
        return Shown(np.zeros_like(frame.pixels) if pixels is None else pixels, frame.number)

    def _look_inside(self, wanted):
        instrument = self.show.instrument
        if hasattr(instrument, "watch"):
            instrument.watch([name for name in wanted if name in instrument.inside])

    def _find_picture(self, name, scene) -> np.ndarray | None:
        self._failed.discard(name)
        try:
            if name == SOURCE:
                return self.show.instrument.source
            if name == CUE:
                return self.cued(self.show.recall.cued if self.show.recall else None)
            return self.show.instrument.look_inside(name)
        except BROKEN as error:
            self._failed.add(name)
            self._complaints.warn("picture %s: %s", name, error)
            return None

    def _finish(self, name, frame, time, scene, light):
        """Return a picture as outputs are to show it."""
        pixels = self._find_picture(name, scene)
        if pixels is None and name not in (SOURCE, CUE) and name not in self._failed:
            return frame.pixels                          # for the frame until the network is drawn with it, or at a size that has that layer
        limiter = self._limiters.setdefault(name, FlashLimiter())
        return limiter.finish(Shown(_fit(pixels, frame.pixels.shape, light), frame.number), time, scene).pixels


def _fit(pixels, shape, light: float) -> np.ndarray:
    """Return a picture in the middle of black of a shape, with so much of its light; black alone where there is none."""
    import cv2

    whole = np.zeros(shape, np.uint8)
    if pixels is None:
        return whole
    scale = min(shape[0] / pixels.shape[0], shape[1] / pixels.shape[1])
    size = tuple(max(1, round(side * scale)) for side in pixels.shape[:2])
    if size != pixels.shape[:2]:
        pixels = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    above, before = (shape[0] - size[0]) // 2, (shape[1] - size[1]) // 2
    whole[above:above + size[0], before:before + size[1]] = pixels if light >= 1.0 else cv2.convertScaleAbs(pixels, alpha=max(light, 0.0))
    return whole
