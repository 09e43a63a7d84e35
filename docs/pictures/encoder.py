"""Makes the picture of docs/encoder.md. Run from the repository's root: python -m docs.pictures.encoder

encoder.jpg: source left, result right, three times a row. The sources are drawn by the world and nobody trained on them.
Rows: the mean look; the looks of other pictures; moved, lit otherwise and compressed; as a careless camera may show them;
a photograph (Grace Hopper, U.S. Navy, public domain; one of Matplotlib's samples) with the looks of the second row.
"""
import numpy as np
import torch
from matplotlib import cbook
from PIL import Image

from engine import checkpoints, encoder
from engine.encoder import augment
from engine.encoder.measure import draw_changed
from engine.generator import quantize
from engine.world import MASKS
from live.files import sheets

FACES = ((0, 0, 512, 512), (75, 0, 435, 360), (110, 40, 390, 320))         # what is seen of the photograph
FOLDER, SIZE, DRAWN, PAIRS, SEED, PSI = "presets/masks", 192, 256, 3, 4_000_001, 0.8


@torch.no_grad()
def main():
    generator = checkpoints.load(f"{FOLDER}/generator.safetensors")
    eye = encoder.load(f"{FOLDER}/encoder.safetensors", generator)
    source = torch.Generator().manual_seed(SEED)
    z = torch.randn(4, PAIRS, generator.z_dim, generator=source)
    middle = generator.w_avg.expand(PAIRS, generator.num_ws, -1).contiguous()
    others = middle.clone()
    others[:, 4:] = generator.map(torch.randn(PAIRS, generator.z_dim, generator=source), psi=PSI)[:, 4:]     # from 16 px on
    careless = augment.camera(augment.place(MASKS.draw(z[3], DRAWN), 1.3, source), 1.5, source, clean=0.0, share=0.7)
    rows = [(MASKS.draw(z[0], DRAWN), middle), (MASKS.draw(z[1], DRAWN), others),
            (draw_changed(z[2], DRAWN, ("shift", "brightness", "jpeg"), source).seen, middle), (careless, others), (photographs(), others)]
    cells = []
    for pictures, ws in rows:
        made = generator.synthesize(ws, size=DRAWN, splice={eye.layer: eye(pictures)})
        cells += [cell for pair in zip(pictures, made) for cell in pair]
    small = [torch.nn.functional.interpolate(cell[None], SIZE, mode="area") for cell in cells]
    sheets.save_sheet("docs/pictures/encoder.jpg", sheets.draw_sheet([quantize(cell).numpy() for cell in small], 2 * PAIRS))


def photographs():
    """[PAIRS, 3, DRAWN, DRAWN] in -1..1: three windows of the photograph."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        windows = [Image.open(file).convert("RGB").crop(face).resize((DRAWN, DRAWN)) for face in FACES]
    return torch.from_numpy(np.stack([np.asarray(window) for window in windows]) / 127.5 - 1).float().permute(0, 3, 1, 2)


if __name__ == "__main__":
    main()
