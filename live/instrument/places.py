"""The places an instrument's bends may act at: its parts.yaml, and the masks that a person drew into masks/."""
import logging
from pathlib import Path

from engine.errors import UserError

log = logging.getLogger(__name__)
LIBRARIES = ("PIL",)
PARTS = "parts.yaml"
MASKS = "masks"
LARGEST = 256                       # px of a mask's longer side: nothing acts finer


def places_of(folder, generator):
    """Return the places of an instrument's folder."""
    from engine.bending import Places

    return Places(parts_of(folder, generator), masks_of(folder))


def parts_of(folder, generator):
    """Return the parts in an instrument's folder; None if it has none, or, with a line in the log, if they do not fit."""
    from engine.bending import parts
    from engine.checkpoints.native import generator_hash

    path = Path(folder) / PARTS
    if not path.exists():
        return None
    try:
        found = parts.load(path, generator)
    except UserError as error:
        log.warning("%s; playing without parts", error)
        return None
    if found.generator and found.generator != generator_hash(generator):
        log.warning("%s: found for other weights: parts may lie elsewhere; `run_live.py parts` finds them anew", path)
    return found


def masks_of(folder) -> dict:
    """Return {name: Mask} of the PNG files in an instrument's folder masks/; one that can't be read is left out, with a line in the log."""
    paths = sorted((Path(folder) / MASKS).glob("*.png"))
    if not paths:                   # most instruments have none, and what reads them takes a while to import
        return {}
    import numpy as np
    from PIL import Image

    from engine.bending.place import Mask

    masks = {}
    for path in paths:
        try:
            with Image.open(path) as picture:
                grey = picture.convert("L")
                grey.thumbnail((LARGEST, LARGEST))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            log.warning("%s: not a picture that can be read (%s); it is left out", path, error)
            continue
        masks[path.stem] = Mask.from_picture(np.asarray(grey, dtype=np.float32) / 255)
    return masks
