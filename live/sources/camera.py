"""A camera, by index or by a part of its name: v4l2 on Linux, AVFoundation on macOS, DirectShow on Windows."""
import sys
from pathlib import Path

from engine.errors import UserError
from live.sources import Seen, source
from live.sources.frames import convert_video_frame
from live.sources.stream import Stream, is_address

LIBRARIES = ("av",)
PATIENCE = (5.0, 2.0)               # seconds for opening, and for one picture
FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
NOMINAL = 30.0
V4L = Path("/sys/class/video4linux")


@source
class Camera:
    """target: 0, 1, ... in the order the system has them, a device, or a part of a name.

    Its pictures are gone once they were seen: a take that was played to a camera needs them recorded.
    """
    exact, listed, default = False, ("camera", "camera=NAME"), "0"

    def __init__(self, target, longest):
        self.target, self.longest = target, longest
        self._stream = Stream(target, longest) if is_address(target) else None

    def pictures(self):
        import av

        if self._stream:
            yield from self._stream.pictures()
            return
        if sys.platform not in FORMATS:
            raise UserError(f"source camera: no cameras on {sys.platform}")
        kind = FORMATS[sys.platform]
        with av.open(find_address(self.target), format=kind, timeout=PATIENCE, options=choose_options(kind)) as file:
            yield from read_stream(file, self.longest)

    def at(self, number):
        raise KeyError(number)

    def close(self):
        pass


def read_stream(file, longest):
    """Yield every picture of an open av container as it comes, numbered on."""
    if not file.streams.video:
        raise UserError(f"source camera: {file.name} sends no pictures")
    stream = file.streams.video[0]
    stream.codec_context.thread_count = 1
    lasts = 1.0 / float(stream.average_rate or NOMINAL)
    for number, frame in enumerate(file.decode(stream)):
        yield Seen(convert_video_frame(frame, longest), number, None, lasts)


def choose_options(kind) -> dict:
    """Return the options to ask the driver for. It may choose others."""
    return {"framerate": "30"} if kind == "avfoundation" else {}


def find_address(target: str) -> str:
    """Return what ffmpeg calls a camera. UserError: there is none of that name, and which there are."""
    if sys.platform == "linux":
        return _find_linux_device(target)
    if sys.platform == "darwin":
        return f"{target}:none"                                     # a name, or an index; no sound
    if target.isdigit():
        names = _list_windows_devices()
        if int(target) >= len(names):
            raise UserError(f"source camera={target}: there {_count(names)}")
        target = names[int(target)]
    return f"video={target}"


def list_cameras() -> tuple[list[tuple], str | None]:
    """Return ([(what --source camera= takes, name)], why none can be listed or None)."""
    if sys.platform == "linux":
        return [(path.name.removeprefix("video"), _read_text(path / "name")) for path in _list_devices(V4L)], None
    if sys.platform == "win32":
        return list(enumerate(_list_windows_devices())), None
    return [], "`ffmpeg -f avfoundation -list_devices true -i \"\"` lists them here"


def _find_linux_device(target, folder=None) -> str:
    """Return the device file of a camera. One that is plugged in again may have another one, so names are looked up at each opening."""
    folder = folder or V4L
    if target.startswith("/"):
        if not Path(target).exists():
            raise UserError(f"source camera={target}: there is no such device")
        return target
    named = {path.name: _read_text(path / "name") for path in _list_devices(folder)}
    if target.isdigit() and f"video{target}" in named:
        return f"/dev/video{target}"
    found = [] if target.isdigit() else [device for device, name in named.items() if target.lower() in name.lower()]
    if not found:
        listed = [f"{device.removeprefix('video')} ({name})" for device, name in named.items()]
        raise UserError(f"source camera={target}: there {_count(listed)}")
    return f"/dev/{found[0]}"


def _list_devices(folder):
    """Return the devices that give pictures; a camera has further ones for its metadata."""
    every = sorted(folder.glob("video*"), key=lambda path: int(path.name.removeprefix("video")))
    return [path for path in every if _read_text(path / "index") in ("", "0")]


def _read_text(path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""


def _list_windows_devices() -> list[str]:
    import av

    return [device.description or device.name for device in av.enumerate_input_devices("dshow")
            if "video" in getattr(device, "media_types", ["video"])]


def _count(names) -> str:
    return f"are: {', '.join(names)}" if names else "is no camera on this machine"
