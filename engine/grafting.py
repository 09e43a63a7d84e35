"""Feature maps of one network grafted into another: the first draws the picture up to a layer, the second goes on from there.

Between relatives maps go over as they are. Strangers' channels mean other things: theirs are turned so that they have the mean and the covariance that
the second network's own have, and what they come to show there is free association. Source: SPEC2.md M.2. Letters: C channels, N seeds.
"""
import torch

from engine.device import to_double
from engine.directions.statistics import sample_w
from engine.errors import UserError
from engine.fast import Blend
from engine.mixing import ALIKE
from engine.modulation import modulate

SEEDS, BATCH = 256, 8                # whose maps are measured
LEAST = 1e-3                         # of the mean variance, that a direction of maps counts for at least


class Grafting:
    """giver, taker: engine.instrument.Instrument, both ready to play, of one device. layer: at which. UserError: the maps don't fit there."""

    def __init__(self, giver, taker, layer: str):
        check_fit(giver.generator, taker.generator, layer)
        self.giver, self.taker, self.layer = giver, taker, layer
        self.kin = are_alike(giver.generator, taker.generator, layer)
        self._cause: tuple | None = None
        self.turn: tuple | None = None               # (matrix [C, C], offset [C]) for strangers, once measured

    @property
    def ready(self) -> bool:
        """Whether maps can go over: strangers' have to be measured before, see measure()."""
        return self.kin or self.turn is not None

    def measure(self):
        """Find how strangers' maps are to be turned; takes seconds, beside the show."""
        ours, theirs = (measure_maps(one.generator, self.layer) for one in (self.taker, self.giver))
        self.turn = make_turn(theirs, ours)
        self.taker.drawing.machine.finish()          # another thread will use it, on a stream of its own

    @torch.no_grad()
    def play(self, mix: float, scene, motion):
        """Let the next pictures of the taker have so much of the giver's maps, as they are at this moment of the giver's own scene."""
        sight = self.taker.sight
        with self.taker.drawing.machine.playing():
            played = modulate(scene, motion)
            cause = mix, motion.place, motion.styles, motion.styles_led, played.values, motion.frame if played["/noise/mode"] == "random" else None
            if cause == self._cause:
                return                               # nothing has moved: the maps of the frame before
            self._cause = cause
            ws = self.giver.latents.ws(played, motion)
            maps = self.giver.generator.features(ws, [self.layer], played["/noise/mode"])[self.layer]
            sight.graft({self.layer: Blend(turn_maps(maps, *self.turn) if self.turn else maps, mix)}, object())

    def end(self):
        """Leave the taker to itself again."""
        self._cause = None
        self.taker.sight.graft({})


def check_fit(giver, taker, layer: str):
    """Raise a UserError where maps of a layer of one network can't stand in for the other's; it says where they can."""
    shapes = [find_shapes(giver), find_shapes(taker)]
    if layer in shapes[0] and shapes[0][layer] == shapes[1].get(layer):
        return
    fit = [name for name, shape in shapes[0].items() if name.endswith("conv1") and shape == shapes[1].get(name)]
    said = [f"{one[layer][0]} maps of {one[layer][2]} x {one[layer][1]}" if layer in one else "no such layer" for one in shapes]
    where = f"they fit at {', '.join(name.split('.')[0][1:] for name in fit)} px" if fit else "they fit at no size"
    raise UserError(f"{layer}: {said[0]} there, {said[1]} here; {where}")


def find_shapes(generator) -> dict[str, tuple[int, int, int]]:
    """Return {layer: (C, height, width) of its maps}."""
    a = generator.architecture
    return {layer: (a.channels[a.resolution_of(layer)], *a.pixels(a.resolution_of(layer))) for layer in generator.layers}


@torch.no_grad()
def are_alike(giver, taker, layer: str) -> bool:
    """Return whether two networks were trained on from the same start, by the styles of the layers up to one of them; their tops may differ."""
    alike = []
    for name in giver.layers[:giver.layers.index(layer) + 1]:
        ours, theirs = (one.state_dict().get(f"synthesis.{name}.affine.weight") for one in (taker, giver))
        alike.append(ours is not None and theirs is not None and ours.shape == theirs.shape
                     and torch.nn.functional.cosine_similarity(ours.flatten(), theirs.to(ours).flatten(), 0).item() > ALIKE)
    return sum(alike) > len(alike) / 2


@torch.no_grad()
def measure_maps(generator, layer: str):
    """Return (the mean [C], the covariance [C, C]) of a layer's maps over places and seeds, in float64."""
    w = sample_w(generator, SEEDS, 0)[1]
    count, total, products = 0, torch.zeros(()), torch.zeros(())
    for some in w.split(BATCH):
        maps = generator.features(some[:, None].expand(-1, generator.num_ws, -1), [layer])[layer]
        rows = to_double(maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])).cpu()
        count, total, products = count + len(rows), total + rows.sum(0), products + rows.T @ rows
    mean = total / count
    return mean, products / count - mean[:, None] * mean[None, :]


def make_turn(theirs, ours):
    """Return (matrix [C, C], offset [C]) that gives maps of one mean and covariance another's: as little turned as can be."""
    (mean, covariance), (wanted, spread) = theirs, ours
    matrix = _raise(spread, 0.5) @ _raise(covariance, -0.5)
    return matrix.float(), (wanted - matrix @ mean).float()


def turn_maps(maps, matrix, offset):
    """Return maps [1, C, H, W'] of one network as the other's: matrix times each place's numbers, plus the offset."""
    return torch.nn.functional.conv2d(maps, matrix.to(maps)[:, :, None, None], offset.to(maps))


def _raise(covariance, power: float):
    """Return a covariance [C, C] to a power; what hardly varies counts as varying a little."""
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp_min(LEAST * values.mean().clamp_min(1e-12)) ** power @ vectors.T
