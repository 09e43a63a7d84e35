"""Pictures side by side in one file, for looking at: sheets of samples, before and after. Knows arrays and Pillow."""
from pathlib import Path

import numpy as np

from engine.errors import UserError
from engine.files import whole

LIBRARIES = ("PIL",)


def draw_sheet(pictures, columns: int) -> np.ndarray:
    """pictures: uint8 [N, H, W, 3] -> one uint8 [rows * H, columns * W, 3], row by row; what is missing is black."""
    pictures = np.asarray(pictures)
    count, height, width, _ = pictures.shape
    rows = -(-count // columns)
    whole = np.zeros((rows * height, columns * width, 3), np.uint8)
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        whole[row * height:(row + 1) * height, column * width:(column + 1) * width] = picture
    return whole


def save(path, pixels):
    """Write uint8 [H, W, 3] as PNG or JPEG, by the file's name; to a temporary name first."""
    from PIL import Image

    path = Path(path)
    if not path.name:
        raise UserError(f"{path}: can't be written: expected the name of a picture file")
    with whole(path, make_folder=True) as temporary:
        Image.fromarray(pixels).save(temporary, "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG")
