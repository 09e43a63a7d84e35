"""The bends of a show: what each is set to this frame, what it keeps between frames, and which are out of order.

Knows scenes, motion and the generator; no clock. A bend that wants the frame before (feedback) makes the picture depend
on the frames since it was last dry, which a take plays again in order; forget() begins anew.
"""
import logging
import math

from engine.bending import EVERY, NO_PLACES, Bend, BendFailed, BendState, spread
from engine.bends import TRANSFORMS
from engine.generator import truncate
from engine.latents import read_label

log = logging.getLogger(__name__)

PSI = 0.7                           # truncation of another seed's activations
LOUD = 1e4                          # activations above it may be what made the picture not finite


class LiveBends:
    """One instrument's bends. own: how much of the height and width of a continued picture is the network's own."""

    def __init__(self, generator, latents, own: tuple[float, float] = (1.0, 1.0), places=NO_PLACES):
        """places: where bends may act. activate(ws, layer) -> its activations [1, C, H, W]: may be set to a faster way to have them."""
        self.generator, self.latents, self.own, self.places = generator, latents, own, places
        self.activate = lambda ws, layer: generator.activations(ws, [layer])[layer]
        self._memories: dict[tuple[str, str], BendState] = {}   # (bend name, layer) -> what it keeps
        self._borrowed: dict[tuple[str, str], tuple] = {}       # likewise -> what its memory's `other` was made from
        self._bypassed: dict[str, Bend] = {}

    def list_bends(self, scene, motion) -> list[Bend]:
        """Return the scene's bends with the values their parameters have now; those that are dry or bypassed left out."""
        if not scene.bends:
            self.forget()
            return []
        self._drop({bend.name for bend in scene.bends})
        amount = scene["/bends/amount"] if motion.bends is None else motion.bends
        soloed = any(scene[f"/bends/{bend.name}/solo"] for bend in scene.bends)
        live = []
        for bend in scene.bends:
            own = f"/bends/{bend.name}/"
            mix = scene[own + "mix"] * amount
            if mix <= 0 or scene[own + "mute"] or soloed and not scene[own + "solo"]:
                self._forget(bend.name)
            elif self._bypassed.get(bend.name) != bend:
                self._bypassed.pop(bend.name, None)
                live += self._live(bend, mix, {name: scene[own + name] for name in bend.settings_names() if name not in EVERY}, scene)
        return live

    def _live(self, bend, mix, values, scene) -> list[Bend]:
        """Return a bend with the values it has now, once for each of its layers."""
        fade = values.pop("fade", bend.fade)
        return [one.with_values(values, mix, self._memory(one, values, scene), self.own).with_fade(fade) for one in spread(bend, self.places)]

    def is_moving(self, scene) -> bool:
        """Return whether the picture changes by itself, since a bend works on its result in the frame before."""
        return any("previous" in TRANSFORMS[bend.transform].wants and scene[f"/bends/{bend.name}/mix"] > 0 for bend in scene.bends)

    def bypass(self, scene, failure: BendFailed):
        """Leave a bend out until it has been dry, or is another one; one log line."""
        for bend in scene.bends:
            if bend.name == failure.name:
                self._bypassed[bend.name] = bend
        self._memories.clear()
        self._borrowed.clear()
        log.warning("%s; it is bypassed until its mix has been at 0, or it is replaced", failure)

    def find_guilty(self, bends) -> BendFailed | None:
        """Return the failure of the bend to take out, of bends watched through a pass whose picture was not finite; None if none stands out."""
        for bend in bends:                                      # in the order they ran
            if not math.isfinite(bend.memory.peak):
                return BendFailed(bend.name, "its activations are not finite")
        loudest = max(bends, key=lambda bend: bend.memory.peak, default=None)
        if loudest is None or loudest.memory.peak < LOUD:
            return None
        return BendFailed(loudest.name, f"its activations reach {loudest.memory.peak:.3g}, and the picture is not finite")

    def watch(self, bends) -> list[Bend]:
        """Return the bends, in network order, each noting how far its activations reach."""
        order = sorted(bends, key=lambda bend: self.generator.layers.index(bend.layer))
        return [bend.with_values({}, bend.mix, BendState(getattr(bend.memory, "previous", None), getattr(bend.memory, "other", None), True))
                for bend in order]

    def forget(self):
        """Forget the frames before, and bypass nothing."""
        self._memories.clear()
        self._borrowed.clear()
        self._bypassed.clear()

    def forget_borrowed(self):
        """Forget other seeds' activations: the weights are others."""
        self._borrowed.clear()

    def _memory(self, bend, values, scene):
        wants = TRANSFORMS[bend.transform].wants
        if not {"previous", "other"} & set(wants):
            return None
        memory = self._memories.setdefault((bend.name, bend.layer), BendState())
        if "other" in wants:
            source = (bend.layer, bend.channels, int(values["seed"]), read_label(scene))
            if self._borrowed.get((bend.name, bend.layer)) != source:
                memory.other = self._activations(*source)
                self._borrowed[bend.name, bend.layer] = source
        return memory

    def _activations(self, layer, channels, seed, label):
        """Return the layer's activations for a seed, these channels of it, [1, K, H, W]."""
        g = self.generator
        ws = truncate(self.latents.w(seed, label).expand(1, g.num_ws, -1), g.w_avg, PSI)
        x = self.activate(ws, layer)
        return x if channels is None else x[:, list(channels)]

    def _drop(self, names):
        for name in [*(name for name, _ in self._memories), *self._bypassed]:
            if name not in names:
                self._forget(name)

    def _forget(self, name):
        self._bypassed.pop(name, None)
        for kept in (self._memories, self._borrowed):
            for key in [key for key in kept if key[0] == name]:
                del kept[key]
