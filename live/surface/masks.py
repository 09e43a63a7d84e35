"""Masks that pages paint: looked at before a job is made of them, so that one of the wrong size is told at once."""
import base64
import struct

PREFIX = "data:image/png;base64,"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEAST, MOST = 16, 4096              # px of a side
PLACES = ("object", "paste", "key")
NAMES = {"object": "what is copied", "paste": "where it goes", "key": "where the rule applies"}
MARKS = 64


def find_mistake(request) -> str:
    """Return what is wrong with the masks of a request, in a sentence; "" if nothing is. Pictures are square, so masks are."""
    if not isinstance(request, dict):
        return "expected a request: what is copied, where it goes, where the rule applies"
    for place in PLACES:
        marks = request.get(place, [])
        if not isinstance(marks, list) or len(marks) > MARKS:
            return f"{NAMES[place]}: expected a list of at most {MARKS} masks"
        for mark in marks:
            size = read_size(mark.get("mask")) if isinstance(mark, dict) else None
            if size is None:
                return f"{NAMES[place]}: expected a mask as a PNG data URL"
            width, height = size
            if width != height or not LEAST <= width <= MOST:
                return f"{NAMES[place]}: the mask is {width} x {height} px; expected a square of {LEAST} to {MOST} px, over the whole picture"
    return ""


def read_size(url) -> tuple[int, int] | None:
    """Return (width, height) of a PNG data URL by its header; None: it is none."""
    if not isinstance(url, str) or not url.startswith(PREFIX):
        return None
    try:
        head = base64.b64decode(url[len(PREFIX):len(PREFIX) + 32], validate=True)
    except ValueError:
        return None
    if len(head) < 24 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
        return None
    return struct.unpack(">II", head[16:24])
