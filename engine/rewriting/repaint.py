"""Solve a request in several layers at once, by descent through the picture: for what no single rule knows how to make, such as a third eye.

What a layer's rule sees is what is somewhere, hardly where; the layers below know where. So the rules of all layers between 8 and 32 px learn
together, each of low rank, on: how far the marked places are from what is asked for, and how far all else is from what it was.
Letters: O, I channels out and in, r rank.
"""
import torch

from engine.rewriting.descent import Pace, descend_on_pictures
from engine.rewriting.edit import Rule
from engine.rewriting.wanted import draw_wanted, size_of

LOOK = 64                           # px of the pictures that are looked at
LAYERS = (8, 32)                    # px of the layers that learn, from and to
RANK, STEPS, BATCH = 32, 600, 6
RATE = 0.06                         # of Adam, in shares of a weight's spread, at RANK or below; of more, each goes less far, or together they go too far
DEAR = 0.1                          # of a change elsewhere, to one at the marks, at restraint 1
WHERE = 2                           # the first layer that learns, where a network is smaller: after the constant and its convolution


def choose_layers(generator, layer: str | None) -> list[str]:
    """Return the layers that learn: the one that is asked for, or all between 8 and 32 px but the first of 8."""
    if layer:
        generator.layer(layer)
        return [layer]
    found = [name for name in generator.layers[WHERE:] if LAYERS[0] <= generator.architecture.resolution_of(name) <= LAYERS[1]]
    return found or generator.layers[-1:]


def repaint(generator, request, layer: str | None, rank: int | None, settings, colour=None, progress=None) -> list[Rule]:
    """Return the rules that do what the request says, one for each layer. settings: of the solve. colour [3]: to be had at the marks."""
    layers = choose_layers(generator, layer)
    looked_at = max([LOOK, *(generator.architecture.resolution_of(name) for name in layers)])
    wanted = draw_wanted(generator, request, settings.truncation, size_of(generator, looked_at), colour)
    source = torch.Generator().manual_seed(0)
    weights = {name: generator.weights(name).detach() for name in layers}
    spread = {name: float(weight.std()) for name, weight in weights.items()}
    directions, values = {}, {}
    for name, weight in weights.items():
        outputs, inputs, *kernel = weight.shape
        r = min(rank or RANK, inputs)
        directions[name] = (torch.randn(r, inputs, generator=source) / inputs ** 0.5).to(weight).requires_grad_()
        values[name] = torch.zeros(r, outputs, *kernel, device=weight.device, requires_grad=True)

    def change():
        return {f"synthesis.{name}.weight": weights[name] + spread[name] * torch.einsum("roxy,ri->oixy", values[name], directions[name]) for name in layers}

    steps, rate = STEPS if settings.polish is None else settings.polish, RATE * min(1.0, RANK / max(map(len, directions.values())))
    descend_on_pictures(generator, [*directions.values(), *values.values()], change, wanted, Pace(steps, rate, BATCH, DEAR * settings.restraint), progress)
    return [Rule(name, directions[name].detach(), values[name].detach() * spread[name] * settings.gain) for name in layers]
