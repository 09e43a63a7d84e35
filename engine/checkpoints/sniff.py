"""What kind of file a path leads to, told from its first bytes; unwraps .xz and .gz. Must not know what is inside.

Whatever no reader takes is refused here with the reason and the remedy.
"""
import contextlib
import gzip
import lzma
import re
import stat
import tempfile
import zlib
from pathlib import Path

from engine.checkpoints.unpickler import MAX_BYTES
from engine.errors import UserError
from engine.web_address import local_path

LEGACY = b"\x8a\x0a" + 0x1950A86A20F9469CFC6C.to_bytes(10, "little")    # torch.save's magic number, as pickled
WRAPPERS = ((b"\xfd7zXZ\0", lzma), (b"\x1f\x8b", gzip))
REFUSED = (
    (rb"version https://git-lfs", "a git-lfs pointer, not the file itself; run `git lfs pull` where it came from"),
    (rb"(\xef\xbb\xbf)?\s*<", "a web page, not a checkpoint: the download link led to a page; fetch the file itself"),
    (rb"model_checkpoint_path", "part of a TensorFlow checkpoint folder; a network pickle (.pkl) is needed"),
    (rb"\x89HDF", "an HDF5 (Keras) file; a StyleGAN2 .pt, .pkl or .safetensors is needed"),
    (rb"Rar!|7z\xbc\xaf", "an archive; unpack it and give the checkpoint inside"),
    (rb"\x89PNG|\xff\xd8\xff", "a picture, not a checkpoint"),
)
MOST_TIMES = 16                  # smaller than unpacked: weights hardly shrink at all
SMALL = 16 << 20
OLD_PICKLE = re.compile(rb"\([dl]p\d|[}\]]q|\(?c[A-Za-z_][\w.]*\n[A-Za-z_]\w*\n")        # protocols 0 and 1 have no mark of their own
TF_PART = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")
KNOWN = "a rosinality .pt, a StyleGAN2 .pkl (NVIDIA PyTorch or TensorFlow) or our own .safetensors"


@contextlib.contextmanager
def open_unwrapped(path):
    """Yield (path of the unwrapped file, "torch" | "pickle" | "safetensors"), for as long as the context lasts."""
    path = local_path(path)
    if path.is_dir():
        raise UserError(_folder(path))
    head = _head(path)
    for magic, wrapper in WRAPPERS:
        if head.startswith(magic):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                inner = _unwrap(path, wrapper, Path(folder) / "checkpoint")
                yield inner, kind(_head(inner), inner)
            return
    yield path, kind(head, path)


def kind(head: bytes, path) -> str:
    """Return which reader takes a file that begins with `head`; UserError if none does."""
    if not head:
        raise UserError("the file is empty; fetch it again")
    if TF_PART.search(path.name):
        raise UserError("one part of a TensorFlow checkpoint; a network pickle (.pkl) is needed")
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < MAX_BYTES:
        return "safetensors"
    for pattern, reason in REFUSED:
        if re.match(pattern, head):
            raise UserError(reason)
    if head.startswith(b"PK\x03\x04") or head[2:14] == LEGACY:
        return "torch"
    if head[0] == 0x80 or OLD_PICKLE.match(head):
        return "pickle"
    raise UserError(f"not a checkpoint: it begins with {head[:8]!r}; expected {KNOWN}")


def _head(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UserError("not a file: a device or pipe can't be read as a checkpoint")
        if status.st_size > MAX_BYTES:
            raise UserError(f"more than {MAX_BYTES >> 30} GiB: no StyleGAN2 checkpoint is that large")
        with open(path, "rb") as file:
            return file.read(64)
    except FileNotFoundError:
        raise UserError("there is no such file") from None
    except OSError as error:
        raise UserError(f"can't be read: {error.strerror}") from None


def _folder(path: Path) -> str:
    if any(TF_PART.search(entry.name) or entry.name in ("checkpoint", "saved_model.pb") for entry in path.iterdir()):
        return "a TensorFlow checkpoint folder; a network pickle (.pkl) is needed"
    return f"a folder, not a checkpoint; expected {KNOWN}"


def _unwrap(path: Path, wrapper, target: Path) -> Path:
    """Decompress to `target`, within the limit."""
    size, most = 0, min(MAX_BYTES, MOST_TIMES * path.stat().st_size + SMALL)
    try:
        with wrapper.open(path) as source, open(target, "wb") as out:
            while chunk := source.read(1 << 22):
                size += len(chunk)
                if size > most:
                    raise UserError(f"refused: it unpacks to more than {most >> 20} MiB, which no checkpoint of {path.stat().st_size} bytes does")
                out.write(chunk)
    except (lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise UserError(f"the compressed file is truncated or damaged ({error}); fetch it again") from None
    return target
