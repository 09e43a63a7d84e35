"""A folder of stills, or a single picture, in the order of their names; those that move do."""
import re
from pathlib import Path

from engine.errors import UserError
from live.sources import Seen, log, source
from live.sources.frames import convert_image

LIBRARIES = ("PIL",)
DWELL = 4.0                         # seconds that each picture is up
KINDS = (".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".gif", ".tga", ".ppm", ".pgm", ".jp2")
UNREAD = (".heic", ".heif", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".psd", ".svg", ".eps")   # pictures too, which nothing here reads
LARGEST = 1 << 28                   # pixels of a picture that is still opened
SHOWN = 0.1                         # seconds of a moving picture's frame that says less than QUICKEST, as browsers do
QUICKEST = 0.011
MOVIES = (".mjpeg", ".mjpg")        # films that begin as a JPEG does


def list_stills(folder: Path) -> list[Path]:
    """Return the pictures of a folder by name. UserError: there are none."""
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder")
    found = sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS and not file.name.startswith("."))
    if not found:
        raise UserError(f"{folder}: there are no pictures in it; allowed: {', '.join(KINDS)}")
    return found


@source
class Images:
    """target: the folder, or one file. Frame m of picture n of the sorted names has number n + m * how many there are."""
    exact, listed, file = True, ("images=FOLDER|FILE",), True

    def __init__(self, target, longest):
        self.path, self.longest, self._last = Path(target), longest, None
        self._told: set[Path] = set()
        if "://" in target:
            raise UserError(f"source images={target}: expected a folder or a file; an address is --source video={target}")
        if not target or not self.path.exists():
            raise UserError(f"source images={target}: there is no such folder or picture")
        if self.path.is_file() and self.path.suffix.lower() in UNREAD:
            raise UserError(f"source images={target}: {self.path.suffix} is not supported; convert it to JPEG or PNG")
        self.files = [self.path] if self.path.is_file() else self._list_files()

    def _list_files(self) -> list[Path]:
        there = [p for p in self.path.iterdir() if p.is_file() and not p.name.startswith(".")]
        files = sorted((p for p in there if p.suffix.lower() in KINDS), key=_sort_key)
        unread = sorted({p.suffix.lower() for p in there if p.suffix.lower() in UNREAD})
        if not files:
            others = f" ({', '.join(unread)} is not supported; convert to JPEG or PNG)" if unread else ""
            raise UserError(f"source images={self.path}: there are no pictures in it{others}; allowed: {', '.join(KINDS)}")
        if unread:
            log.warning("source images=%s: %s is not supported and left out; convert to JPEG or PNG", self.path, ", ".join(unread))
        return files

    def pictures(self):
        due, bad = 0.0, set[Path]()
        while len(bad) < len(self.files):
            for number, path in enumerate(self.files):
                if path in bad:
                    continue
                only = len(self.files) - len(bad) == 1
                try:
                    for seen in self._show_file(number, path, due, only):
                        due = (seen.due or 0.0) + (seen.lasts or 0.0)
                        yield seen
                except UserError as error:
                    bad.add(path)
                    if path not in self._told:                      # once, however often it is opened again
                        self._told.add(path)
                        log.warning("%s; left out", error)
                    continue
                if only:
                    return                                          # it stays; an 8K one read again and again would cost the show time
        raise UserError(f"source images={self.path}: none of its {len(self.files)} pictures can be read")

    def _show_file(self, number, path, begin, only):
        """Yield one file's pictures: a still for its time (for good if it is the only file), a moving one round and round for as long."""
        due = begin
        while only or due < begin + DWELL:
            for frame, (pixels, lasts) in enumerate(self._read(path)):
                if lasts is None:
                    yield Seen(pixels, number, due, None if only else DWELL)
                    return
                yield Seen(pixels, number + frame * len(self.files), due, lasts)
                due += lasts
                if not only and due >= begin + DWELL:
                    return

    def at(self, number):
        if self._last is None or self._last[0] != number:
            if number < 0:
                raise KeyError(number)
            frame, file = divmod(number, len(self.files))
            pixels = next((pixels for n, (pixels, _) in enumerate(self._read(self.files[file], frame)) if n == frame), None)
            if pixels is None:
                raise KeyError(number)
            self._last = number, pixels
        return self._last[1]

    def _read(self, path, first=0):
        """Yield (pixels, seconds) of a file's frames; the seconds of one that does not move are None. Those before `first` are not decoded."""
        from PIL import Image

        try:
            with Image.open(path) as image:
                if image.width * image.height > LARGEST:
                    raise UserError(f"source images: {path}: {image.width} x {image.height} is more than can be opened")
                moves = getattr(image, "is_animated", False) and image.format in ("GIF", "WEBP", "PNG", "AVIF")
                for frame in range(getattr(image, "n_frames", 1) if moves else 1):
                    if moves:
                        image.seek(frame)
                    pixels = convert_image(image, self.longest) if frame >= first else None
                    seconds = (image.info.get("duration") or 0) / 1000              # known once it is decoded
                    yield pixels, None if not moves else seconds if seconds >= QUICKEST else SHOWN
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            film = " (a film is --source video=FILE)" if self.path == path else ""
            raise UserError(f"source images: {path}: can't be read: {error}{film}") from None

    def close(self):
        pass


def _sort_key(path: Path):
    """Return a key that sorts names as people count: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", path.name)], path.name


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture, whatever its name."""
    from PIL import Image

    if path.suffix.lower() in MOVIES:
        return False
    try:
        with Image.open(path) as image:
            return image.format not in ("MPO", "MPEG", "GRIB", "HDF5", "BUFR")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
