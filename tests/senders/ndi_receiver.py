"""Another program that receives NDI: counts pictures until its standard input ends.

    python tests/senders/ndi_receiver.py "Latent Jockey"

Writes "receives" once the first picture is there, and at the end a line of JSON: how many pictures came, how many of them were
black, and for how long none came at most, in seconds. A sender that goes and comes back under its name is received again.
"""
import json
import sys
import threading
import time

import numpy as np

BLACK = 12                          # levels below which a whole picture counts as black
POLL = 0.004                        # seconds between looks at the newest picture
FOUND = 60.0                        # seconds for finding the sender


def find(name, over):
    """Return (finder, the sender's whole name); None where there is none."""
    from cyndilib import Finder

    finder, end = Finder(), time.monotonic() + FOUND
    finder.open()
    while time.monotonic() < end and not over.is_set():
        if found := [one for one in finder.get_source_names() if name in one]:
            return finder, found[0]
        time.sleep(0.1)
    finder.close()
    return None


def receive(name, over):
    """Count until it is over; returns the figures."""
    from cyndilib import Receiver, RecvBandwidth, RecvColorFormat
    from cyndilib.video_frame import VideoFrameSync

    if (found := find(name, over)) is None:
        return {"pictures": 0, "black": 0, "longest_gap": None}
    finder, whole = found
    receiver, frame = Receiver(color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest), VideoFrameSync()
    receiver.frame_sync.set_video_frame(frame)
    receiver.set_source(finder.get_source(whole))
    pictures, black, gap, before, sent = 0, 0, 0.0, None, None
    while not over.is_set():
        receiver.frame_sync.capture_video()
        if min(frame.get_resolution()) <= 0 or frame.get_timestamp_posix() == sent:
            time.sleep(POLL)
            continue
        sent, pixels = frame.get_timestamp_posix(), np.array(frame.get_array(), np.uint8)
        moment, pictures = time.monotonic(), pictures + 1
        black += int(pixels.reshape(-1, 4)[:, :3].max() < BLACK)
        gap, before = max(gap, moment - before if before is not None else 0.0), moment
        if pictures == 1:
            sys.stdout.write("receives\n")
            sys.stdout.flush()
    receiver.disconnect()
    finder.close()
    return {"pictures": pictures, "black": black, "longest_gap": round(gap, 2)}


if __name__ == "__main__":
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    sys.stdout.write(json.dumps(receive(sys.argv[1], ended)) + "\n")
