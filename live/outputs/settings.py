"""The settings of outputs as parameters: /outputs/wall/fill, /outputs/desk/gamma. No preset holds them, as no preset knows the room.

A player of the loop: it sees what hands turned and hands it on to the output. Knows no windows and no processes.
"""
from dataclasses import replace

from engine.motion import darkness, slide
from live.outputs.framing import PARAMETERS, Framing
from live.outputs.spec import OutputSpec

FOLDER = "/outputs"


def make_output_parameters(specs: list[OutputSpec]) -> dict:
    """Return the parameters of these outputs by their addresses, each with the value its output begins with as default."""
    return {f"{FOLDER}/{spec.name}/{name}": replace(parameter, default=getattr(spec.framing, name))
            for spec in specs for name, parameter in PARAMETERS.items()}


class Framings:
    """Hands the settings that are turned on to their outputs. outputs: {name: set_framing(framing)}.

    shared: tells other processes which keys are bound and what is recorded, or None.
    """

    def __init__(self, show, outputs: dict, specs: list[OutputSpec], shared=None):
        self.show, self.outputs, self.shared, self._version, self._recorded = show, outputs, shared, None, None
        self._names = [spec.name for spec in specs if spec.name in outputs]
        self._values, self._dark, self._framings = None, 0.0, {spec.name: spec.framing for spec in specs}
        self._blackouts: dict[str, float] = {}           # how far each output's own blackout has got

    def join_again(self, name: str, set_framing):
        """Give an output that was opened again the settings it had, and those that come."""
        self.outputs[name] = set_framing
        set_framing(self._framings[name])

    def play(self, tick) -> list:
        """Return nothing to apply: settings only follow the hands."""
        return []

    def after_hands(self, tick, scene, motion, applied: list) -> list:
        """Tell each output whose settings have been turned; returns nothing to apply."""
        scene, mapping = self.show.scene, self.show.mapping
        if self.shared is not None and mapping.version != self._version:
            self._version = mapping.version
            self.shared.tell_bound(mapping.list_keys())
        self._tell_recorded()
        dark, gliding = darkness(scene, self.show.motion), self._glide(scene, tick.dt)
        if scene.values is not self._values or dark != self._dark or gliding:
            self._values, self._dark = scene.values, dark
            for name in self._names:
                framing = replace(Framing(**{key: scene[f"{FOLDER}/{name}/{key}"] for key in PARAMETERS}), blackout=self._blackouts[name])
                if framing.freeze:                       # what it holds is not as dark as the show has become
                    framing = replace(framing, blackout=max(framing.blackout, dark))
                if framing != self._framings[name]:
                    self._framings[name] = framing
                    self.outputs[name](framing)
        return []

    def _glide(self, scene, dt: float) -> bool:
        """Bring each output's blackout dt seconds nearer to where it was put, as fast as the show's own goes; returns whether any moved."""
        before = self._blackouts
        self._blackouts = {name: slide(before.get(name), scene[f"{FOLDER}/{name}/blackout"], scene["/output/fade"], max(dt, 0.0)) for name in self._names}
        return self._blackouts != before

    def _tell_recorded(self):
        """Tell the process that would start the show again where it records to."""
        if self.shared is None or self.show.recording is None:
            return
        paths = self.show.recording.list_paths()
        if paths != self._recorded:
            self._recorded = paths
            self.shared.tell_recorded(paths)
