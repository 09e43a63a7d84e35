"""Makes the pictures of docs/encoder.md. Run from the repository's root: python -m docs.pictures.encoder

encoder.jpg: pictures nobody trained on, and what the shipped encoder makes of them with the mean look, with another
picture's, and where the camera moves, darkens and compresses them. Pillow and the engine only.
"""
import torch

from engine import checkpoints, encoder
from engine.encoder.measure import shown
from engine.instrument import quantize
from engine.world.draw import draw
from live import sheets

FOLDER, SIZE, SHOWN, SEED = "presets/masks", 192, 6, 4_000_000


@torch.no_grad()
def main():
    generator = checkpoints.load(f"{FOLDER}/generator.safetensors")
    eye = encoder.load(f"{FOLDER}/encoder.safetensors", generator)
    source = torch.Generator().manual_seed(SEED)
    z, other = torch.randn(2, SHOWN, generator.z_dim, generator=source)
    middle = generator.w_avg.expand(SHOWN, generator.num_ws, -1).contiguous()
    spoilt = shown(z, SIZE, ("shift", "brightness", "jpeg"), source).seen
    rows = [draw(z, SIZE), through(generator, eye, draw(z, SIZE), middle), through(generator, eye, draw(z, SIZE), generator.map(other, psi=0.8)),
            spoilt, through(generator, eye, spoilt, middle)]
    pictures = [quantize(picture[None]).numpy() for row in rows for picture in row]
    sheets.save("docs/pictures/encoder.jpg", sheets.sheet(pictures, SHOWN))


def through(generator, eye, pictures, ws):
    """The pictures [N, 3, S, S] as the network plays them with the looks ws."""
    made = generator.synthesize(ws, size=256, splice={eye.layer: eye(pictures)})
    return torch.nn.functional.interpolate(made, SIZE, mode="area")


if __name__ == "__main__":
    main()
