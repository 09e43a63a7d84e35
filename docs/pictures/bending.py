"""Draw the pictures of docs/bending.md with the built-in instrument and its clusters.

    python docs/pictures/bending.py [CLUSTERS.yaml]
"""
import pathlib
import sys

import torch
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine import checkpoints, clusters
from engine.bending import Bend
from engine.clustering.sheet import picture_cells, tile_rows

SEEDS, SIZE, PSI = (3, 8, 21), 256, 0.8


def bend(layer, channels, transform, mix=1.0, **settings):
    return {"name": f"{layer}-{transform}", "layer": layer, "channels": channels, "transform": transform, "settings": settings, "mix": mix}


def sheets(eyes, head):
    """{file name: rows of bends}; eyes, head: layers with a cluster of that name."""
    chain = [bend(head, "head", "dilate", radius=3), bend("b32.conv0", "halo", "kaleidoscope", segments=5, angle=40), bend(eyes, "eyes", "scale", factor=1.6)]
    return {
        "bending-eyes": [[], [bend(eyes, "eyes", "ablate")], [bend(eyes, "eyes", "scalar_multiply", factor=0.5)], [bend(eyes, "eyes", "dilate", radius=2)]],
        "bending-layers": [[], [bend("b8.conv1", "random:0.5:2", "scalar_multiply", factor=-1)], [bend("b32.conv1", "random:0.5:2", "rotate", angle=25)],
                           [bend("b128.conv1", "random:0.5:2", "scalar_multiply", factor=5)]],
        "bending-chain": [[], chain[:1], chain[:2], chain],
    }


def with_cluster(found, name):
    """The layer, of 16 px and more, with the largest cluster of that name."""
    layers = [layer for layer in found if name in found[layer]]
    return max(layers, key=lambda layer: len(found[layer][name]))


def main(path):
    generator = checkpoints.load(ROOT / "presets" / "masks" / "generator.safetensors")
    found = clusters.load(path, generator)
    z = torch.stack([torch.randn(generator.z_dim, generator=torch.Generator().manual_seed(seed)) for seed in SEEDS])
    with torch.no_grad():
        ws = generator.map(z, PSI)
        for name, rows in sheets(with_cluster(found, "eyes"), with_cluster(found, "head")).items():
            bends = [[Bend.from_dict(data, generator, found) for data in row] for row in rows]
            columns = [picture_cells(generator, ws, row, SIZE) for row in bends]
            Image.fromarray(tile_rows([[column[n] for column in columns] for n in range(len(SEEDS))])).save(
                ROOT / "docs" / "pictures" / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main(*sys.argv[1:] or [ROOT / "presets" / "masks" / "clusters.yaml"])
