"""Pictures side by side in one file, for looking at: sheets of samples, before and after. Knows arrays and Pillow."""
from pathlib import Path

import numpy as np

from engine.errors import UserError
from engine.files import whole

LIBRARIES = ("PIL",)
GAP = 6                             # px about words


def draw_sheet(pictures, columns: int) -> np.ndarray:
    """Return one uint8 [rows * H, columns * W, 3] of pictures uint8 [N, H, W, 3], row by row; missing ones are black."""
    pictures = np.asarray(pictures)
    count, height, width, _ = pictures.shape
    rows = -(-count // columns)
    whole = np.zeros((rows * height, columns * width, 3), np.uint8)
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        whole[row * height:(row + 1) * height, column * width:(column + 1) * width] = picture
    return whole


def draw_captions(pixels, columns=(), rows=()) -> np.ndarray:
    """Return a sheet, uint8 [H, W, 3], with names above its columns and beside its rows."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = pixels.shape[:2]
    size = max(10, min(22, width // max(1, 14 * len(columns) or 14)))
    font = ImageFont.load_default(size)
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    beside = max((int(ruler.textlength(str(row), font=font)) for row in rows), default=-2 * GAP) + 2 * GAP
    above = size + 2 * GAP if columns else 0
    sheet = Image.new("RGB", (beside + width, above + height))
    sheet.paste(Image.fromarray(pixels), (beside, above))
    draw = ImageDraw.Draw(sheet)
    for n, name in enumerate(columns):
        draw.text((beside + width * (n + 0.5) / len(columns), above / 2), str(name), fill="white", font=font, anchor="mm")
    for n, name in enumerate(rows):
        draw.text((GAP, above + height * (n + 0.5) / len(rows)), str(name), fill="white", font=font, anchor="lm")
    return np.asarray(sheet)


def draw_ruler(pixels, scale: float, step: int) -> np.ndarray:
    """Return a picture, uint8 [H, W, 3], with a grid and numbers at every `step` px of the full picture, which is `scale` times as large."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(pixels).convert("RGB")
    draw = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(max(8, image.width // 32))
    for at in range(step, max(round(side * scale) for side in image.size), step):
        here = at / scale
        if here < image.width:
            draw.line((here, 0, here, image.height), fill=(255, 255, 255, 70))
            draw.text((here, 1), str(at), fill="white", font=font, anchor="ma", stroke_width=1, stroke_fill="black")
        if here < image.height:
            draw.line((0, here, image.width, here), fill=(255, 255, 255, 70))
            draw.text((2, here), str(at), fill="white", font=font, anchor="lm", stroke_width=1, stroke_fill="black")
    return np.asarray(image)


def save_sheet(path, pixels):
    """Write uint8 [H, W, 3] as PNG or JPEG, by the file's name; to a temporary name first."""
    from PIL import Image

    path = Path(path)
    if not path.name:
        raise UserError(f"{path}: can't be written: expected the name of a picture file")
    with whole(path, make_folder=True) as temporary:
        Image.fromarray(pixels).save(temporary, "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG")
