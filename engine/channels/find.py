"""Finding the single styles that change one part of the picture and little else. Source: SPEC2.md D.4.

All styles are looked at in a few backward passes: the gradient of a picture weighted by random signs, squared, is on average the energy of what
a style changes there. The best are then tried. Letters: S samples, I styles of an affine, H, W' pixels.
"""
from collections.abc import Callable

import torch
from torch.nn import functional as F

from engine.channels.data import RGB, Channel, Channels
from engine.checkpoints.native import generator_hash
from engine.clustering.correlation import sample_ws
from engine.directions.statistics import sample_w
from engine.errors import UserError

COARSEST, FINEST = 8, 64             # px of the layers that are looked at, and of the pictures
PSI, SPREAD = 0.7, 2000              # truncation of the samples; seeds that standard deviations are measured over
PROBES = 12                          # random signs of a sample and part
TRIED = 10                           # of the best styles of a part that are tried
STEP = 2.0                           # standard deviations that they are tried at
LEAST = 0.5                          # share of what changes that has to lie in the part
FAINT = 0.05                         # of the strongest style of a part: weaker ones are left out
REACH = 3                            # px around a part's heat that count as it: what is drawn there throws a rim


def find(generator, parts, each: int = 3, samples: int = 4, seed: int = 0, progress: Callable[[dict], None] | None = None) -> Channels:
    """Return up to `each` styles for every part (engine.bending.parts.Parts), those that keep to it most. UserError: there are no parts."""
    if not parts.parts:
        raise UserError("no parts: `run_live.py parts` finds them")
    tell = progress or (lambda event: None)
    ws = torch.cat(list(sample_ws(generator, samples, seed, PSI)))
    biases = list_biases(generator)
    stds = measure_stds(generator, biases)
    masks = {name: find_mask(generator, ws, part) for name, part in parts.parts.items()}
    inside, total = _estimate(generator, ws, biases, masks, seed, tell)
    found: list[Channel] = []
    for n, name in enumerate(masks):
        scaled = {layer: (inside[name][layer] * stds[layer] ** 2, total[layer] * stds[layer] ** 2) for layer in biases}
        tried = [_try(generator, ws, biases, masks[name], name, layer, channel, stds[layer][channel]) for layer, channel in _list_best(scaled)]
        kept = sorted((one for one in tried if one.share >= LEAST), key=lambda one: -one.share)[:each]
        found += [Channel(f"{name}-{k}", one.layer, one.channel, one.std, name, round(one.share, 3)) for k, one in enumerate(kept, 1)]
        tell({"stage": "trying", "done": n + 1, "of": len(masks)})
    return Channels(tuple(found), generator_hash(generator))


def list_biases(generator) -> dict[str, torch.nn.Parameter]:
    """Return {layer, such as "b32.conv1" or "b32.torgb": the bias [I] of its affine}, of the layers that are looked at."""
    a, found = generator.architecture, dict[str, torch.nn.Parameter]()
    for r in (r for r in a.resolutions if COARSEST <= r <= FINEST):
        block = generator.block(r)
        found |= {f"b{r}.{part}": getattr(block, part).affine.bias for part in ("conv0", "conv1", RGB) if hasattr(block, part)}
    return found


@torch.no_grad()
def measure_stds(generator, biases) -> dict[str, torch.Tensor]:
    """Return {layer: the standard deviation [I] of each of its styles over seeds}."""
    _, w = sample_w(generator, SPREAD)
    return {layer: generator.get_submodule(f"synthesis.{layer}.affine")(w).std(0) for layer in biases}


@torch.no_grad()
def find_mask(generator, ws, part):
    """Return where a part is in pictures of ws, [S, 1, H, W'] of 0 and 1."""
    layer = max(part.heats, key=generator.architecture.resolution_of)
    heat = part.heats[layer].on(generator.activations(ws, [layer])[layer])
    height, width = generator.architecture.pixels(_size(generator))
    heat = F.interpolate(heat, size=(height, width), mode="bilinear", align_corners=False)
    above = (heat > 0.4 * heat.amax((2, 3), keepdim=True)).float()
    return F.max_pool2d(above, 2 * REACH + 1, 1, REACH)


def _size(generator) -> int:
    return max(r for r in generator.architecture.resolutions if r <= FINEST)


def _estimate(generator, ws, biases, masks, seed, tell):
    """Return ({part: {layer: energy [I] of what a style changes in it}}, {layer: energy in all of the picture})."""
    source, size = torch.Generator().manual_seed(seed), _size(generator)
    inside = {name: {layer: torch.zeros_like(bias) for layer, bias in biases.items()} for name in masks}
    total = {layer: torch.zeros_like(bias) for layer, bias in biases.items()}
    parameters = list(biases.values())
    for at in range(len(ws)):
        with torch.enable_grad():
            for bias in parameters:
                bias.requires_grad_(True)
            picture = generator.synthesize(ws[at:at + 1], size=size)
            for n in range(PROBES):
                signs = torch.randint(0, 2, picture.shape, generator=source).to(picture) * 2 - 1
                for into, mask in [(total, None), *((inside[name], mask[at:at + 1]) for name, mask in masks.items())]:
                    gradients = torch.autograd.grad((picture * signs if mask is None else picture * signs * mask).sum(), parameters, retain_graph=True)
                    for layer, gradient in zip(biases, gradients):
                        into[layer] += gradient.square()
            for bias in parameters:
                bias.requires_grad_(False)
        tell({"stage": "looking", "done": at + 1, "of": len(ws)})
    return inside, total


def _list_best(scaled) -> list[tuple[str, int]]:
    """Return (layer, style) of those whose change keeps to a part most, of all that change something there."""
    strongest = max(here.max().item() for here, _ in scaled.values())
    every = [(here[c].item() / max(whole[c].item(), 1e-12), layer, c) for layer, (here, whole) in scaled.items() for c in range(len(here))
             if here[c].item() >= FAINT * strongest]
    return [(layer, c) for _, layer, c in sorted(every, reverse=True)[:TRIED]]


@torch.no_grad()
def _try(generator, ws, biases, mask, part, layer, channel, std) -> Channel:
    """Return a style with the share of its change that lies in the part, over all samples."""
    size, bias = _size(generator), biases[layer]
    before, kept = generator.synthesize(ws, size=size).clamp(-1, 1), bias[channel].clone()
    bias[channel] += STEP * std
    change = (generator.synthesize(ws, size=size).clamp(-1, 1) - before).square()
    bias[channel] = kept
    return Channel("tried", layer, channel, float(std), part, float((change * mask).sum() / change.sum().clamp(min=1e-12)))
