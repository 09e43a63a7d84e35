"""Seeds to z to w, and a scene's place to the ws of one frame. Knows tensors and the generator, no time.

Source: SPEC.md A.1 (z from a seed, truncation, style mixing).
"""
import functools
import logging
import math
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch

from engine import factors
from engine.device import upload
from engine.directions_live import LiveDirections
from engine.fast.weights import map_one
from engine.generator import truncate
from engine.motion import GROUPS, SPANS
from engine.noise_live import Held, find_held, find_shares
from engine.parameter import Parameter
from engine.walks import Arc, Kept, Mixed, Vector, own_walk

log = logging.getLogger(__name__)
REMEMBERED = 512                    # seeds whose w is kept

PARAMETERS = {
    "/truncation": Parameter(0.8, -1.0, 2.0, about="psi: 0 = the average picture, 1 = as it comes, above = exaggerated"),
    "/truncation/cutoff": Parameter(18, 0, 18, step=1, about="how many of the first ws truncation acts on"),
    **{f"/style/{group}/{name}": parameter for group in GROUPS for name, parameter in (
        ("mix", Parameter(0.0, about=f"how much the {group} layers follow their own seed instead of the walk")),
        ("seed", Parameter(1, 0, 2 ** 31 - 1, step=1, about=f"the {group} layers' own seed")))},
}
MOST_LABEL = 100.0                  # of a number in a label: whatever a network was trained on is far below


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
        knobs["/class/next"] = Parameter(0, 0, c_dim - 1, step=1, about="the class that /class/mix fades to")
        knobs["/class/mix"] = Parameter(0.0, about="from /class at 0 to /class/next at 1: the label between the two")
    return knobs


def read_label(scene):
    """Return a scene's label: a class, or a tuple of numbers."""
    given = scene["/class/label"] if "/class/label" in scene.parameters else ()
    if given or "/class" not in scene.parameters:
        return tuple(given) or 0
    here, there, mix = int(scene["/class"]), int(scene["/class/next"]), scene["/class/mix"]
    if mix <= 0.0 or here == there:
        return here
    return there if mix >= 1.0 else tuple((1 - mix) * (n == here) + mix * (n == there) for n in range(max(here, there) + 1))


class Latents:
    """Turns places into ws with one generator; keeps the w of seeds it has met."""

    def __init__(self, generator):
        self.generator = generator
        self.factors: factors.Factors | None = None                # of the world it was taught, if it is one of ours
        self.directions: LiveDirections | None = None
        self.kept: dict[str, Held] = {}                            # the kept latents by their names, on the device
        self._missed: set = set()
        self._known: OrderedDict = OrderedDict()
        self._draw_z = functools.lru_cache(REMEMBERED)(z_of)       # not to be written to; a fade to other weights forgets the w, not these

    def w(self, point, label=0, asked=None):
        """Return a point's w [w_dim], before truncation. label: a class, or a tuple of numbers (label_in). asked: of the factors."""
        if isinstance(point, Kept):
            return self._find_kept(*point.of).mean(0)
        if isinstance(point, Arc):
            start, end, t = point.way
            return slerp(self.find_w(start, label, asked), self.find_w(end, label, asked), self.generator.w_avg, t)
        if asked is not None:
            return self._map(factors.move_factors(self._z(point), asked), label)
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

    def prepare_kept(self, kept: dict) -> dict:
        """Return {name: engine.kept.Kept} as what plays, for `kept`: made beside the show."""
        device = self.generator.device
        return {name: Held(one.ws.to(device), {layer: maps.float().to(device) for layer, maps in one.noise.items()}) for name, one in sorted(kept.items())}

    def find_noise(self, motion) -> tuple:
        """Return how far the walk has the noise maps of kept latents, as LiveWeights.write() takes it; () = the network's own."""
        return find_shares(motion.place, self.kept) if self.kept else ()

    def forget(self):
        """Forget all w: the mapping network is another one."""
        self._known.clear()

    def find_w(self, place, label=0, asked=None):
        """Return a place's w [w_dim]."""
        return sum(self.w(point, label, asked) * weight for point, weight in place)

    def ws(self, scene, motion, led=((), ()), seen=None):
        """Return the ws [1, num_ws, w_dim] of one frame: walk, factors, style mixing, truncation, directions.

        led: factors a source leads, see read_factors(). seen: (ws [1, 1 or n, W] that a source leads to, how much), or None.
        """
        generator = self.generator
        label, asked = read_label(scene), self.factors and self.factors.read_factors(scene, led)
        cut = scene["/truncation"], int(scene["/truncation/cutoff"])
        find_w: Callable = self.find_w
        if has_kept(motion.place) or any(map(has_kept, motion.styles_led)):
            find_w, cut = functools.partial(self._find_played, cut=cut), (1.0, 0)           # as it is played: kept ones are not truncated
        ws = find_w(motion.place, label, asked).expand(1, generator.num_ws, -1)
        led = motion.styles_led or ((),) * len(GROUPS)
        for group, position, place in zip(GROUPS, motion.styles, led):
            mix = scene[f"/style/{group}/mix"]
            if mix > 0:
                own = find_w(place or own_walk(int(scene[f"/style/{group}/seed"]), position), label, asked)
                start, end = SPANS[group]
                ws = ws.clone()
                ws[:, start:end] = torch.lerp(ws[:, start:end], own if own.ndim == 1 else own[start:end], mix)
        ws = truncate(ws, generator.w_avg, *cut)
        if seen is not None:
            ws = torch.lerp(ws, seen[0], seen[1])
        return ws if self.directions is None else self.directions.move(ws, scene)

    def _find_played(self, place, label, asked, cut):
        """Return a place's ws [n, W] as they are played: kept latents as they are, everything else truncated by `cut`."""
        total = torch.zeros((), device=self.generator.device)
        for point, weight in place:
            if isinstance(point, Kept):
                ws = self._find_kept(*point.of)
            elif isinstance(point, Arc) and has_kept(((point, 1.0),)):
                start, end, t = point.way
                a, b = (self._find_played(side, label, asked, cut) for side in (start, end))
                ws = torch.stack([slerp(one, other, self.generator.w_avg, t) for one, other in zip(a, b)])
            else:
                w = self.w(point, label, asked)
                ws = truncate(w.expand(1, self.generator.num_ws, -1), self.generator.w_avg, *cut)[0]
            total = total + ws * weight if total.ndim or weight != 1.0 else ws
        return total.expand(self.generator.num_ws, -1)

    def _find_kept(self, name, number):
        """Return the ws [n, W] of a kept latent; the centre, and a line in the log, where there is none of that name."""
        held, at = find_held(self.kept, name, number)
        if held is None:
            if name not in self._missed:
                self._missed.add(name)
                log.warning("there is no kept latent %r; the centre plays in its place", name)
            return self.generator.w_avg.expand(self.generator.num_ws, -1)
        return held.ws[at].expand(self.generator.num_ws, -1)

    def _z(self, point):
        z_dim = self.generator.z_dim
        if isinstance(point, Vector):
            return np.pad(np.array(point.z, dtype=np.float64)[:z_dim], (0, max(0, z_dim - len(point.z))))
        if isinstance(point, Mixed):
            return sum(self._draw_z(seed, z_dim) * weight for seed, weight in point.seeds)
        return self._draw_z(point, z_dim)

    def _map(self, z, label):
        g = self.generator
        z = upload(torch.from_numpy(z).float(), g.device)[None]
        return map_one(g.mapping, z, self._numbers(label) if g.c_dim else None)[0]

    def _numbers(self, label):
        """Return a class, or the label's numbers, as a label [1, c_dim]."""
        numbers = torch.zeros(1, self.generator.c_dim)
        if isinstance(label, tuple):
            numbers[0, :len(label)] = torch.tensor(label)
        else:
            numbers[0, label] = 1.0
        return upload(numbers, self.generator.device)


def has_kept(place) -> bool:
    """Return whether there are kept latents in a place."""
    return any(isinstance(point, Kept) or isinstance(point, Arc) and (has_kept(point.way[0]) or has_kept(point.way[1])) for point, _ in place)


def slerp(a, b, centre, t: float):
    """Return the vector [W] between a and b at t, on the arc around the centre [W]; its distance from that goes from a's to b's."""
    a, b = a - centre, b - centre
    long_a, long_b = a.norm(), b.norm()
    angle = torch.acos((a @ b / (long_a * long_b)).clamp(-1.0, 1.0))
    turned = (a / long_a * torch.sin((1 - t) * angle) + b / long_b * torch.sin(t * angle)) / torch.sin(angle)
    there_is_one = (angle > 1e-4) & (angle < math.pi - 1e-4)        # an arc: not between opposites, or from the centre itself
    return centre + torch.where(there_is_one, turned * torch.lerp(long_a, long_b, t), torch.lerp(a, b, t))       # a GPU is not asked which
