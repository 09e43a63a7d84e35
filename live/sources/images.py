"""A folder of stills, or a single one, in the order of their names."""
from pathlib import Path

from engine.errors import UserError
from live.sources import Seen, log, source
from live.sources.frames import from_image

LIBRARIES = ("PIL",)
DWELL = 4.0                         # seconds that each picture is up
KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
LARGEST = 1 << 28                   # pixels of a picture that is still opened


@source
class Images:
    """target: the folder, or one file. Picture n of the sorted names has number n."""
    exact = True

    def __init__(self, target, longest):
        self.path, self.longest, self._last, self._told = Path(target), longest, None, set()
        if not target or not self.path.exists():
            raise UserError(f"source images={target}: there is no such folder or picture")
        self.files = [self.path] if self.path.is_file() else sorted(p for p in self.path.iterdir() if p.suffix.lower() in KINDS)
        if not self.files:
            raise UserError(f"source images={target}: there are no pictures in it; allowed: {', '.join(KINDS)}")

    def pictures(self):
        due = 0.0
        bad: set[Path] = set()
        while len(bad) < len(self.files):
            for number, path in enumerate(self.files):
                if path in bad:
                    continue
                try:
                    pixels = self._read(path)
                except UserError as error:
                    bad.add(path)
                    if path not in self._told:                      # once, however often it is opened again
                        self._told.add(path)
                        log.warning("%s; left out", error)
                    continue
                only = len(self.files) - len(bad) == 1
                yield Seen(pixels, number, due, None if only else DWELL)
                if only:
                    return                                          # it stays; an 8K one read again and again would cost the show time
                due += DWELL
        raise UserError(f"source images={self.path}: none of its {len(self.files)} pictures can be read")

    def at(self, number):
        if self._last is None or self._last[0] != number:
            if not 0 <= number < len(self.files):
                raise KeyError(number)
            self._last = number, self._read(self.files[number])
        return self._last[1]

    def _read(self, path):
        from PIL import Image

        try:
            with Image.open(path) as image:
                if image.width * image.height > LARGEST:
                    raise UserError(f"source images: {path}: {image.width} x {image.height} is more than can be opened")
                return from_image(image, self.longest)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise UserError(f"source images: {path}: can't be read: {error}") from None

    def close(self):
        pass
