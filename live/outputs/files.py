"""Frames as PNG files in a folder: frame_000000.png, frame_000001.png, ... numbered as they were rendered."""
import os
from pathlib import Path

from engine.errors import UserError
from live.outputs import output

LIBRARIES = ("PIL",)


@output
class Files:
    """target: the folder, made if need be. wait: hold up whoever renders instead of dropping frames (offline only)."""
    backlog = 8

    def __init__(self, target="frames", wait=False):
        self.folder, self.wait = Path(target), wait
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"output files={target}: the folder cannot be made: {error.strerror}") from None
        if any(self.folder.glob("frame_*.png")):
            raise UserError(f"output files={target}: there are frames in it already; expected an empty or new folder")

    def send(self, frame):
        from PIL import Image

        path = self.folder / f"frame_{frame.number:06d}.png"
        temporary = path.with_suffix(".part")
        try:
            Image.fromarray(frame.pixels).save(temporary, "PNG", compress_level=1)
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def close(self):
        pass
