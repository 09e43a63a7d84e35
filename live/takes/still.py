"""Stills: a picture of the show as a PNG that says how it was made, so that it can be drawn again at any size; its preset beside it.

The first text in the file is a take's first line: instrument, scene and motion; where a source had a part in the picture, what
that showed. A thread writes: the show never waits for a disk. Knows no tensors.
"""
import base64
import io
import json
import logging
from pathlib import Path

import numpy as np

from engine.errors import UserError
from engine.files import whole
from engine.json_text import parse_json
from engine.scene import Scene
from live.files.config import write_yaml
from live.files.writer import Writer
from live.presets.preset import make_preset, to_file
from live.show.data import motion_from_plain, scene_from_plain
from live.show.parameters import add_parameters
from live.takes.take import DAMAGED, Origin, make_header, read_origin

LIBRARIES = ("PIL",)
log = logging.getLogger(__name__)

KEY, FORMAT, SCHEMA = "Latent Jockey", "latent-jockey still", 1
WAITING = 8                         # stills that may wait for the disk; each holds its picture
SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Stills:
    """Writes the stills of a show to a folder. keep(...) never waits."""

    def __init__(self, folder):
        self.folder, self.waiting = Path(folder), 0
        self._writer: Writer | None = None

    def keep(self, pixels: np.ndarray, scene: Scene, motion, origin: Origin, name: str = "", source=None):
        """Have a picture, uint8 [H, W, 3], written with its scene. UserError: too many wait already."""
        if self.waiting >= WAITING:
            raise UserError(f"/still: {WAITING} stills wait for the disk already")
        self._writer = self._writer or Writer("stills")
        self.waiting += 1
        header = make_header(scene, motion, origin) | {"format": FORMAT, "schema": SCHEMA}
        pixels, source = pixels.copy(), None if source is None else source.copy()
        preset = make_preset(scene, motion, instrument=origin.instrument, generator=origin.generator)
        self._writer.put(lambda: self._write(pixels, header, preset, name or origin.instrument or "still", bool(name), source))

    def close(self):
        """End of the show: what waits is written."""
        if self._writer is not None:
            self._writer.close()

    def _write(self, pixels, header, preset, name, exactly, source):
        """Write a still and its preset under a name that is free."""
        path = self._find_free(name, exactly)
        if source is not None:
            header = header | {"picture": base64.b64encode(_encode_png(source, {})).decode()}
        with whole(path, make_folder=True) as temporary:
            temporary.write_bytes(_encode_png(pixels, {KEY: json.dumps(header, separators=(",", ":"), default=float)}))
        write_yaml(path.with_suffix(".yaml"), to_file(preset))
        self.waiting -= 1
        log.info("still: %s", path)

    def _find_free(self, name, exactly) -> Path:
        taken = {path.stem for path in self.folder.glob("*.*")} if self.folder.exists() else set()
        if exactly and name not in taken:
            return self.folder / f"{name}.png"
        return self.folder / next(f"{stem}.png" for n in range(2 if exactly else 1, 100000) if (stem := f"{name}-{n:03d}") not in taken)


def _encode_png(pixels, texts: dict) -> bytes:
    """Return a picture as a PNG with texts in it."""
    from PIL import Image, PngImagePlugin

    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_itxt(key, text, zip=True)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", pnginfo=info, compress_level=4)
    return data.getvalue()


def is_still(path) -> bool:
    """Return whether a file is a PNG picture."""
    try:
        with open(path, "rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


def read_still_header(path) -> dict:
    """Return the header of a still: how it was made. UserError: there is none, or it is damaged."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            header = parse_json(picture.info.get(KEY, "null"))
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: can't be read: {error}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UserError(f"{path}: a picture that does not say how it was made; expected one that /still wrote")
    if header.get("schema") != SCHEMA:
        raise UserError(f"{path}: schema version {header.get('schema')!r}; this version reads {SCHEMA}: update Latent Jockey")
    return header


class StillReader:
    """A still. scene, motion: what it was made of; origin: what on; picture: what the source showed, uint8 [H, W, 3], or None.

    base: any scene of the instrument it shall be drawn on. generator: that one's hash; make_bend(data) -> Bend: its check of bends.
    """

    def __init__(self, path, base: Scene, generator: str = "", make_bend=None):
        header = read_still_header(path)
        try:
            self.origin = read_origin(header)
            self.scene, self.motion = scene_from_plain(header["scene"], add_parameters(base), make_bend), motion_from_plain(header["motion"])
            self.picture = _picture(header.get("picture"))
        except DAMAGED as error:
            raise UserError(f"{path}: what it says of how it was made is damaged: {error}") from None
        gone = sorted(address for address in self.scene.values if address not in self.scene.parameters and not address.startswith("/outputs/"))
        if gone:
            raise UserError(f"{path}: this instrument has no {', '.join(gone[:4])}{' ...' if gone[4:] else ''}")
        if generator and self.origin.generator and self.origin.generator != generator:
            log.warning("%s: made on other weights (%s, %s): the same scene, another picture",
                        path, self.origin.instrument or "unnamed", self.origin.generator[:8])

    def draw(self, instrument) -> np.ndarray:
        """Return the picture again, uint8 [H, W, 3], of the instrument's size: at the size it was made at the same one, else all of it is drawn."""
        scene = self.scene
        if instrument.size != self.origin.size and "/quality/size" in scene.values:
            scene = scene.set_values({"/quality/size": scene.parameters["/quality/size"].high})
        if scene["/output/freeze"]:                      # it was held: what is held was drawn before
            scene = scene.set_values({"/output/freeze": 0.0})
        return instrument.render(scene, self.motion, self.picture).pixels.copy()


def _picture(text) -> np.ndarray | None:
    from PIL import Image

    if text is None:
        return None
    try:
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))
    except (OSError, Image.DecompressionBombError) as error:
        raise UserError(f"picture: {error}") from None


def write_picture(pixels: np.ndarray, path, size: tuple[int, int]):
    """Write a picture as PNG, scaled to (height, width). UserError: why it can't be written."""
    from PIL import Image

    image = Image.fromarray(pixels)
    if size != pixels.shape[:2]:
        image = image.resize(size[::-1], Image.Resampling.LANCZOS)
    with whole(path) as temporary:
        image.save(temporary, "PNG")
