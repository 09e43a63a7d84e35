"""Seeds to z to w, and a scene's place to the ws of one frame. Knows tensors and the generator, no time.

Source: SPEC.md A.1 (z from a seed, truncation, style mixing).
"""
import math
from collections import OrderedDict

import numpy as np
import torch

from engine import factors
from engine.generator import truncate
from engine.motion import GROUPS
from engine.parameter import Parameter
from engine.walks import Arc, Mixed, Vector, own_walk

REMEMBERED = 512                    # seeds whose w is kept

PARAMETERS = {
    "/truncation": Parameter(0.8, -1.0, 2.0, about="psi: 0 = the average picture, 1 = as it comes, above = exaggerated"),
    "/truncation/cutoff": Parameter(18, 0, 18, step=1, about="how many of the first ws truncation acts on"),
    **{f"/style/{group}/{name}": parameter for group in GROUPS for name, parameter in (
        ("mix", Parameter(0.0, about=f"how much the {group} layers follow their own seed instead of the walk")),
        ("seed", Parameter(1, 0, 2 ** 31 - 1, step=1, about=f"the {group} layers' own seed")))},
}
MOST_LABEL = 100.0                  # of a number in a label: whatever a network was trained on is far below
# ws [start, end) of each group: 4-8 px, 16-32 px, 64 px and above.
SPANS = {"coarse": (0, 4), "middle": (4, 8), "fine": (8, None)}


def z_of(seed, z_dim: int) -> np.ndarray:
    """Return a seed's z [z_dim] float64, as NVIDIA's scripts draw it: RandomState(seed).randn."""
    return np.random.RandomState(list(seed) if isinstance(seed, tuple) else seed).randn(z_dim)


def label_parameters(c_dim: int) -> dict[str, Parameter]:
    """Return the knobs of a network with labels of c_dim numbers: which class, and the label itself."""
    if not c_dim:
        return {}
    knobs = {"/class/label": Parameter((), -MOST_LABEL, MOST_LABEL, size=c_dim,
                                       about="the label, number by number, e.g. shares of the classes; missing ones are 0; empty = 1 for /class alone")}
    if c_dim > 1:
        knobs["/class"] = Parameter(0, 0, c_dim - 1, step=1, about="the class, for a conditional network")
    return knobs


def label_in(scene):
    """Return a scene's label: a class, or a tuple of numbers."""
    given = scene["/class/label"] if "/class/label" in scene.parameters else ()
    return tuple(given) or (int(scene["/class"]) if "/class" in scene.parameters else 0)


class Latents:
    """Turns places into ws with one generator; keeps the w of seeds it has met."""

    def __init__(self, generator):
        self.generator = generator
        self._known: OrderedDict = OrderedDict()

    def w(self, point, label=0, asked=None):
        """Return a point's w [w_dim], before truncation. label: a class, or a tuple of numbers (label_in). asked: of the factors."""
        if isinstance(point, Arc):
            start, end, t = point.way
            return slerp(self.at(start, label, asked), self.at(end, label, asked), self.generator.w_avg, t)
        if asked is not None:
            return self._map(factors.changed(self._z(point), asked), label)
        key = (point, label)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        w = self._map(self._z(point), label)
        if not isinstance(point, (Mixed, Vector)):               # those change every frame: nothing to keep
            self._known[key] = w
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return w

    def forget(self):
        """Forget all w: the mapping network is another one."""
        self._known.clear()

    def at(self, place, label=0, asked=None):
        """Return a place's w [w_dim]."""
        return sum(self.w(point, label, asked) * weight for point, weight in place)

    def ws(self, scene, motion, led=((), ())):
        """Return the ws [1, num_ws, w_dim] of one frame: walk, factors, style mixing, truncation. led: factors a source leads, see asked_in()."""
        generator = self.generator
        label, asked = label_in(scene), factors.asked_in(scene, led)
        ws = self.at(motion.place, label, asked).expand(1, generator.num_ws, -1)
        led = motion.styles_led or ((),) * len(GROUPS)
        for group, position, place in zip(GROUPS, motion.styles, led):
            mix = scene[f"/style/{group}/mix"]
            if mix > 0:
                own = self.at(place or own_walk(int(scene[f"/style/{group}/seed"]), position), label, asked)
                start, end = SPANS[group]
                ws = ws.clone()
                ws[:, start:end] = torch.lerp(ws[:, start:end], own, mix)
        return truncate(ws, generator.w_avg, scene["/truncation"], int(scene["/truncation/cutoff"]))

    def _z(self, point):
        z_dim = self.generator.z_dim
        if isinstance(point, Vector):
            return np.pad(np.array(point.z, dtype=np.float64)[:z_dim], (0, max(0, z_dim - len(point.z))))
        if isinstance(point, Mixed):
            return sum(z_of(seed, z_dim) * weight for seed, weight in point.seeds)
        return z_of(point, z_dim)

    def _map(self, z, label):
        g = self.generator
        z = torch.from_numpy(z).to(g.device, torch.float32)[None]
        return g.mapping(z, self._numbers(label) if g.c_dim else None)[0]

    def _numbers(self, label):
        """A class, or the label's numbers, as a label [1, c_dim]."""
        numbers = torch.zeros(1, self.generator.c_dim)
        if isinstance(label, tuple):
            numbers[0, :len(label)] = torch.tensor(label)
        else:
            numbers[0, label] = 1.0
        return numbers.to(self.generator.device)


def slerp(a, b, centre, t: float):
    """Return the vector [W] between a and b at t, on the arc around the centre [W]; its distance from that goes from a's to b's."""
    a, b = a - centre, b - centre
    long_a, long_b = a.norm(), b.norm()
    angle = torch.acos((a @ b / (long_a * long_b)).clamp(-1.0, 1.0))
    if not 1e-4 < float(angle) < math.pi - 1e-4:                    # no arc between opposites, or from the centre itself
        return centre + torch.lerp(a, b, t)
    turned = (a / long_a * torch.sin((1 - t) * angle) + b / long_b * torch.sin(t * angle)) / torch.sin(angle)
    return centre + turned * torch.lerp(long_a, long_b, t)
