"""Pictures of any kind -> small RGB ones, by area. Shared by the sources; knows PyAV's frames and Pillow's images."""
import struct

import numpy as np

from engine.errors import UserError

LIBRARIES = ("PIL", "av")
TURNS = {90: 1, 180: 2, 270: 3}     # degrees counter-clockwise -> quarter turns
WRONG = (OSError, RuntimeError, ValueError, ArithmeticError, LookupError, MemoryError, UserError,
         TypeError, AttributeError, AssertionError, EOFError, SyntaxError, struct.error)     # these by libraries, of damaged files


def broken() -> tuple:
    """What a device, a file or a codec may raise."""
    import av

    return (*WRONG, av.error.FFmpegError)


def fitting(width: int, height: int, longest: int) -> tuple[int, int]:
    """(width, height) with the same proportions, no side longer than `longest`; never larger than it was."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def from_video(frame, longest: int) -> np.ndarray:
    """An av.VideoFrame -> uint8 [H, W, 3] RGB, upright, what is transparent on black, sides at most `longest`."""
    width, height = fitting(frame.width, frame.height, longest)
    clear = any(component.is_alpha for component in frame.format.components)
    small = frame.reformat(width, height, "rgba" if clear else "rgb24", interpolation="AREA")
    pixels = small.to_ndarray(channel_last=True)
    if clear:
        pixels = ((pixels[..., :3].astype(np.uint16) * pixels[..., 3:] + 127) // 255).astype(np.uint8)
    turns = TURNS.get(round(getattr(frame, "rotation", 0) / 90) * 90 % 360, 0)
    return np.ascontiguousarray(np.rot90(pixels, turns))


def from_image(image, longest: int) -> np.ndarray:
    """A Pillow image of any mode -> uint8 [H, W, 3] RGB: upright as EXIF says, what is transparent on black."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        image = _of_many_levels(image)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    image = image.convert("RGB")
    image = image.resize(fitting(image.width, image.height, longest), Image.Resampling.BOX)
    return np.array(image)


def _of_many_levels(image):
    """16-bit and floating point greys in 8 bit: whole numbers are of 0..65535, others of 0..1."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    levels = values * 255 if image.mode.startswith("F") else values / 257
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
