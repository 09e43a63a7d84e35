"""Pictures of any kind -> small RGB ones, by area. Shared by the sources; knows PyAV's frames and Pillow's images."""
import struct
import threading

import numpy as np

from engine.errors import UserError
from live.sources.light import is_high, map_tones

LIBRARIES = ("PIL", "av")
TALLEST_SD = 576                    # lines up to which a film that does not say so has the colours of television before HD
UNSPECIFIED, ITU709 = 2, "ITU709"
SQUEEZE = (1 / 16, 16.0)            # shapes of pixels that are believed
WRONG = (OSError, RuntimeError, ValueError, ArithmeticError, LookupError, MemoryError, UserError,
         TypeError, AttributeError, AssertionError, EOFError, SyntaxError, struct.error)     # these by libraries, of damaged files

_kept = threading.local()            # a scaler for each thread that decodes


def list_errors() -> tuple:
    """Return the exceptions that a device, a file or a codec may raise."""
    import av

    return (*WRONG, av.error.FFmpegError)


def fit_size(width: float, height: float, longest: int) -> tuple[int, int]:
    """Return (width, height) with the same proportions, no side longer than `longest`; never larger than it was."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def convert_video_frame(frame, longest: int, aspect: float = 1.0, woven: bool | None = None) -> np.ndarray:
    """Return an av.VideoFrame as uint8 [H, W, 3] RGB, upright, as a player shows it: what is transparent on black, of an interlaced
    one the first field, high dynamic range brought down. Sides at most `longest`. aspect: a pixel's width by its height.

    woven: whether two fields are in it; None: as it says itself.
    """
    aspect = aspect if SQUEEZE[0] <= aspect <= SQUEEZE[1] else 1.0
    width, height = fit_size(frame.width * max(aspect, 1.0), frame.height / min(aspect, 1.0), longest)
    clear = any(component.is_alpha for component in frame.format.components)
    high = is_high(frame) and not clear
    fields = (frame.interlaced_frame if woven is None else woven) and frame.height > 1
    colours = {"src_colorspace": ITU709} if frame.colorspace == UNSPECIFIED and frame.height > TALLEST_SD else {}
    small = _find_scaler().reformat(frame, width, frame.height if fields else height, "rgba" if clear else "rgb48le" if high else "rgb24",
                                    interpolation="AREA", **colours)
    pixels = small.to_ndarray(channel_last=True)
    if high:
        pixels = map_tones(pixels, frame)
    if fields:
        pixels = _resize(pixels[::2], width, height)
    if clear:
        pixels = ((pixels[..., :3].astype(np.uint16) * pixels[..., 3:] + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(_turn_upright(pixels, frame))


def _find_scaler():
    """Return this thread's scaler. A frame's own would begin threads with each frame, which stay until Python looks for what nothing refers to."""
    from av.video.reformatter import VideoReformatter

    if not hasattr(_kept, "scaler"):
        _kept.scaler = VideoReformatter()
    return _kept.scaler


def convert_pixels(pixels: np.ndarray, longest: int, order: str = "rgb") -> np.ndarray:
    """Return uint8 [H, W, 3] RGB, sides at most `longest`, a copy. pixels: uint8 [H, W, 3 or 4] with channels in this order; those beside red, green and
    blue are left out.

    What is beside red, green and blue is left out.
    """
    width, height = fit_size(pixels.shape[1], pixels.shape[0], longest)
    channels = [order.index(channel) for channel in "rgb"]
    return _resize(np.ascontiguousarray(pixels[:, :, channels]), width, height)


def _resize(pixels, width, height) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))


def _turn_upright(pixels, frame) -> np.ndarray:
    """Return pixels turned and mirrored by quarters, as the file's display matrix says: x' = a x + c y, y' = b x + d y."""
    matrix = next((bytes(data) for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), None)
    if matrix is None or len(matrix) < 36:
        return pixels
    a, b, _, c, d, *_ = struct.unpack("9i", matrix[:36])
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, across, down = pixels.swapaxes(0, 1), c, b
    else:
        across, down = a, d
    return pixels[::-1 if down < 0 else 1, ::-1 if across < 0 else 1]


def convert_image(image, longest: int) -> np.ndarray:
    """Return a Pillow image of any mode as uint8 [H, W, 3] RGB: upright as EXIF says, transparent parts on black."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        image = _reduce_levels(image)
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    image = image.convert("RGB")
    image = image.resize(fit_size(image.width, image.height, longest), Image.Resampling.BOX)
    return np.array(image)


def _reduce_levels(image):
    """Return 16-bit and floating point greys in 8 bit: whole numbers are of 0..65535, others of 0..1."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    levels = values * 255 if image.mode.startswith("F") else values / 257
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
