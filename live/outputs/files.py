"""Frames as PNG files in a folder: frame_000000.png, frame_000001.png, ... numbered from the first that is written; one
number is left out for each frame that was dropped."""
from pathlib import Path

from engine.errors import UserError
from engine.files import whole
from live.outputs import output

LIBRARIES = ("PIL",)


@output
class Files:
    """target: the folder, made if need be. drawing: what pictures go through first, or None.

    wait: hold up whoever renders instead of dropping frames (offline only).
    """
    fresh = True                    # its target must be new: a show that is started again writes NAME-002
    backlog = 8

    def __init__(self, target="frames", wait=False, drawing=None):
        self.folder, self.wait, self.drawing, self._first = Path(target), wait, drawing, None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"output files={target}: the folder cannot be made: {error.strerror}") from None
        if any(self.folder.glob("frame_*.png")):
            raise UserError(f"output files={target}: there are frames in it already; expected an empty or new folder")

    def send(self, frame):
        from PIL import Image

        self._first = frame.number if self._first is None else self._first
        with whole(self.folder / f"frame_{frame.number - self._first:06d}.png") as temporary:
            Image.fromarray(self.drawing(frame.pixels) if self.drawing else frame.pixels).save(temporary, "PNG", compress_level=1)

    def close(self):
        pass
