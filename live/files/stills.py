"""Reading a picture's file, whatever it is: upright, RGB, over black."""
import warnings
from pathlib import Path

import numpy as np

from engine.errors import UserError

LIBRARIES = ("PIL",)
MOST_PIXELS = 1 << 28                # of a picture that is still opened


def read_still(path) -> np.ndarray:
    """Return a picture as uint8 [H, W, 3]; of one that moves, the first. UserError: why it can't be read."""
    from PIL import Image, ImageOps

    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")                         # of large pictures, which are counted here
            with Image.open(path) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise UserError(f"{path}: {image.width} x {image.height} pixels are more than are read")
                upright = ImageOps.exif_transpose(image).convert("RGBA")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, MemoryError) as error:
        raise UserError(f"{path}: not a picture that can be read ({error})") from None
    black = Image.new("RGBA", upright.size, (0, 0, 0, 255))
    return np.asarray(Image.alpha_composite(black, upright).convert("RGB"))
