"""How local a layer is: each patch of its keys rendered alone, and the pieces laid side by side again.

Where the pieces still show the same things in the same places, a key says what is to be there, and a rule can be rewritten
by its keys; what is lost at the seams, a patch had from its neighbours. Source: the feature independency view of SPEC.md C.8.
Arrays only: writing pictures is the caller's. Letters: N pictures, P patches, I channels, h, w' size of the keys.
"""
import numpy as np
import torch
from torch.nn import functional as F

from engine.clustering.sheet import picture_cells, tile_rows, to_cells
from engine.errors import UserError
from engine.generator import upsample

LARGEST = 512                       # px of a cell on the sheet


@torch.no_grad()
def sheet(generator, layer: str, ws, patches=(2,), size: int | None = None) -> np.ndarray:
    """Return uint8 [H, W, 3]: the pictures of ws as they are, and a row for each patch size, a piece at a time."""
    size = size or min(generator.resolution, LARGEST)
    rows = [to_cells(torch.cat([independent(generator, layer, w[None], patch, size) for w in ws])) for patch in patches]
    return tile_rows([picture_cells(generator, ws, (), size), *rows])


@torch.no_grad()
def independent(generator, layer: str, ws, patch: int, size: int | None = None) -> torch.Tensor:
    """Return the picture [1, 3, H, W'] of ws [1, num_ws, W], as from Generator.synthesize, where each patch is drawn without the others.

    patch: key cells along a side; a map's whole side where that is shorter. All patches run as one batch from the layer on:
    with zeros around them, the noise of their places, and their piece of the running picture. UserError: patch or size.
    """
    size = _size(generator, layer, size)
    keys, shortcut, picture = _before(generator, layer, ws)
    grid = _grid(keys.shape[2:], patch)
    count = grid[0] * grid[1]
    pieces = (None if x is None else cut(x, grid) for x in (keys, shortcut, picture))
    made = join(_render(generator, layer, ws.expand(count, -1, -1), pieces, grid, size), grid)
    wanted = generator.architecture.pixels(size)
    return made if tuple(made.shape[2:]) == wanted else F.adaptive_avg_pool2d(made, wanted)


def cut(x, grid) -> torch.Tensor:
    """Return x [1, C, H, W'] cut into patches [P, C, H / rows, W' / columns], row by row."""
    rows, columns = grid
    channels, height, width = x.shape[1:]
    x = x.reshape(channels, rows, height // rows, columns, width // columns)
    return x.permute(1, 3, 0, 2, 4).reshape(rows * columns, channels, height // rows, width // columns)


def join(x, grid) -> torch.Tensor:
    """Return the map that `cut` took apart."""
    rows, columns = grid
    channels, height, width = x.shape[1:]
    x = x.reshape(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return x.reshape(1, channels, rows * height, columns * width)


def _size(generator, layer, size):
    """Return the size to stop at, which is not before the layer."""
    generator.layer(layer)
    sizes = [r for r in generator.architecture.resolutions if r >= generator.architecture.resolution_of(layer)]
    if size is not None and size not in sizes:
        raise UserError(f"size {size}: expected one of {', '.join(map(str, sizes))}, with {layer}")
    return size or sizes[-1]


def _grid(size, patch):
    """Return (rows, columns) of patches."""
    if patch < 1 or any(side % min(patch, side) for side in size):
        fits = [n for n in range(1, max(size) + 1) if not any(side % min(n, side) for side in size)]
        raise UserError(f"patch {patch}: the layer's keys are {size[0]} x {size[1]}, expected one of {', '.join(map(str, fits))}")
    return tuple(side // min(patch, side) for side in size)


def _before(generator, layer, ws):
    """Return the layer's inputs: its keys [1, I, h, w'] before the style; of that size too, a shortcut past it and the running picture."""
    kind, r = generator.architecture.kind, generator.architecture.resolution_of(layer)
    second = layer.endswith("conv1") and r > 4
    first = f"b{r}.conv0" if second else layer
    given = generator.inputs(ws, [first, layer])
    shortcut = generator.block(r).skip(given[first]) if kind == "resnet" and second else None
    picture = generator.skips(ws, size=r // 2)[r // 2] if kind == "skip" and r > 4 else None
    return given[layer], shortcut, upsample(picture) if second and picture is not None else picture


def _render(generator, layer, ws, pieces, grid, size):
    """Return the patches [P, 3, H, W'] through the layer and all after it; ws [P, num_ws, W]."""
    x, shortcut, picture = pieces
    a = generator.architecture
    start = generator.layers.index(layer)
    for i, name in enumerate(generator.layers[start:], start):
        conv, r = generator.layer(name), a.resolution_of(name)
        block = generator.block(r)
        if conv.up:
            shortcut = block.skip(x) if a.kind == "resnet" else None
            picture = None if picture is None else upsample(picture)
        noise = cut(conv.noise_const[None, None], grid) * conv.noise_strength if conv.noise else None
        x = conv.finish(conv.convolve(x, *conv.modulation(ws[:, i])), noise)
        if conv.up:
            continue
        x = x if shortcut is None else x + shortcut
        if hasattr(block, "torgb"):
            rgb = block.torgb(x, ws[:, i + 1])
            picture = rgb if picture is None else picture + rgb
        if a.kind == "skip" and r == size:
            break
    return picture
