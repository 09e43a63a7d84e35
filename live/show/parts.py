"""What a show is put together from, as protocols: what the loop calls of each, and nothing more. Players: live/show/players.py."""
from typing import Protocol

import numpy as np

from engine.motion import Motion
from engine.scene import Scene


class Frame(Protocol):
    """A picture as outputs are given it: engine.view.Frame."""

    @property
    def pixels(self) -> np.ndarray:
        """uint8 [H, W, 3] RGB, valid until three frames later."""


class Renderer(Protocol):
    """What draws: engine.instrument.Instrument."""

    def render(self, scene: Scene, motion: Motion, source: np.ndarray | None) -> Frame:
        """Return the Frame of this moment. source: what the encoder sees, uint8 [H, W, 3], or None."""

    def repeat(self, scene: Scene, motion: Motion) -> Frame | None:
        """Return the newest Frame again, as dark as the motion is; None before the first."""


class Source(Protocol):
    """What the encoder sees: live.sources.watching.Watching."""

    def picture(self, scene: Scene) -> np.ndarray | None:
        """Return what this frame sees, uint8 [H, W, 3], or None."""

    def note_frame(self):
        """Take down that the frame is out."""


class Output(Protocol):
    """Where frames go: live.outputs.mailbox.Running."""

    @property
    def name(self) -> str:
        """What flags and notices call it."""

    def put(self, frame: Frame | None):
        """Take a frame, without making the loop wait."""


class Translator(Protocol):
    """What gives control events their meaning: live.mapping.mapping.Mapping."""

    def translate(self, events: list, scene: Scene) -> list:
        """Return the changes and calls that events mean. A ControlEvent among them comes back here once those before it are applied."""


class Listeners(Protocol):
    """Other programs that are told what happens: live.osc.echo.Echo."""

    def tell_mistake(self, address: str, *text: str):
        """Send word of a mistake to all of them, without making the loop wait."""
