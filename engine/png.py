"""PNG pictures as arrays, with nothing but zlib: masks come as PNG, in files and inside JSON. Knows no layers.

Reads every colour type and bit depth, not interlaced; writes grey, RGB and RGBA of 8 bits. Source: W3C, Portable Network Graphics.
"""
import struct
import zlib

import numpy as np

from engine.errors import UserError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}              # colour type -> numbers a pixel: grey, RGB, palette, grey + alpha, RGBA
WRITTEN = {1: 0, 3: 2, 4: 6}                           # numbers a pixel -> colour type
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
LARGEST = 8192                                         # px a side: what a mask could be drawn on, and no bomb


def read(data: bytes) -> np.ndarray:
    """Return the picture as uint8 [H, W, 4]: red, green, blue, alpha. UserError: not a PNG, damaged, interlaced, too large."""
    if not data.startswith(SIGNATURE):
        raise UserError(f"not a PNG picture: it begins with {data[:8]!r}")
    try:
        chunks = dict(_chunks(data))
        width, height, depth, kind, compression, filtering, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
        _check(width, height, depth, kind, interlaced)
        rows = _rows(chunks[b"IDAT"], width, height, depth, CHANNELS[kind])
        return _colours(rows, kind, depth, chunks)
    except (KeyError, IndexError, ValueError, struct.error, zlib.error) as error:
        raise UserError(f"a damaged PNG picture: {type(error).__name__} {error}") from None


def write(pixels: np.ndarray) -> bytes:
    """Return uint8 [H, W] as a grey PNG, [H, W, 3] as RGB, [H, W, 4] as RGBA."""
    height, width, *channels = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.astype(np.uint8).reshape(height, -1)], 1)             # filter 0 each
    header = struct.pack(">IIBBBBB", width, height, 8, WRITTEN[channels[0] if channels else 1], 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + _chunk(b"IEND", b"")


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _chunks(data):
    """Yield (name, content) of each chunk; all IDAT as one, last."""
    at, pixels = len(SIGNATURE), []
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        content = data[at + 8:at + 8 + size]
        if len(content) < size:
            raise ValueError("it ends too early")
        if zlib.crc32(name + content) != struct.unpack_from(">I", data, at + 8 + size)[0]:
            raise ValueError(f"checksum of {name!r}")
        if name == b"IDAT":
            pixels.append(content)
        else:
            yield name, content
        at += 12 + size
    yield b"IDAT", b"".join(pixels)


def _check(width, height, depth, kind, interlaced):
    if not (1 <= width <= LARGEST and 1 <= height <= LARGEST):
        raise UserError(f"a PNG picture of {width} x {height} px: expected 1 to {LARGEST} a side")
    if depth not in DEPTHS.get(kind, ()):
        raise ValueError(f"colour type {kind} with {depth} bits")
    if interlaced:
        raise UserError("an interlaced PNG picture: save it without interlacing")


def _rows(packed, width, height, depth, channels):
    """Return the samples [H, W, channels], of `depth` bits each, of the filtered bytes."""
    stride = (width * channels * depth + 7) // 8
    wanted = height * (stride + 1)
    unpacked = zlib.decompressobj().decompress(packed, wanted)
    if len(unpacked) < wanted:
        raise ValueError("pixels missing")
    data = np.frombuffer(unpacked, np.uint8).reshape(height, stride + 1)
    lines = _unfilter(data[:, 0], data[:, 1:], max(1, channels * depth // 8))
    if depth == 16:
        numbers = lines.reshape(height, -1, 2)[:, :, 0]                                             # the upper 8 bits
    elif depth == 8:
        numbers = lines
    else:
        numbers = np.unpackbits(lines, axis=1).reshape(height, -1, depth)
        numbers = (numbers * (1 << np.arange(depth - 1, -1, -1))).sum(2).astype(np.uint8)
    return numbers[:, :width * channels].reshape(height, width, channels)


def _unfilter(filters, lines, step):
    """Undo each row's filter: 0 none, 1 left, 2 up, 3 their mean, 4 Paeth's choice. step: bytes a pixel."""
    lines = lines.astype(np.int32)
    above = np.zeros(lines.shape[1], np.int32)
    for kind, line in zip(filters, lines):
        if kind > 4:
            raise ValueError(f"row filter {kind}")
        if kind == 1:                                  # what browsers write: all at once, sums run along the row
            line[:] = line.reshape(-1, step).cumsum(0).ravel()
        elif kind == 2:
            line += above
        elif kind:
            _along(kind, line, above, step)
        line &= 255
        above = line
    return lines.astype(np.uint8)


def _along(kind, line, above, step):
    """Undo a filter that depends on the pixel to the left, pixel by pixel, all bytes of a pixel at once."""
    left = corner = np.zeros(step, np.int32)
    for at in range(0, len(line), step):
        up, here = above[at:at + step], line[at:at + step]
        here += (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
        here &= 255
        left, corner = here, up


def _paeth(left, up, corner):
    guess = left + up - corner
    a, b, c = np.abs(guess - left), np.abs(guess - up), np.abs(guess - corner)
    return np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))


def _colours(numbers, kind, depth, chunks):
    """Return samples of any colour type as uint8 [H, W, 4]."""
    if kind == 3:
        palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
        alpha = np.full(len(palette), 255, np.uint8)
        known = np.frombuffer(chunks.get(b"tRNS", b""), np.uint8)[:len(alpha)]
        alpha[:len(known)] = known
        return np.concatenate([palette, alpha[:, None]], 1)[numbers[:, :, 0]]
    if depth < 8:
        numbers = (numbers.astype(np.int32) * (255 // ((1 << depth) - 1))).astype(np.uint8)
    opaque = np.full((*numbers.shape[:2], 1), 255, np.uint8)
    colours = numbers[:, :, :1].repeat(3, 2) if kind in (0, 4) else numbers[:, :, :3]
    return np.concatenate([colours, numbers[:, :, -1:] if kind in (4, 6) else opaque], 2)
