"""The striking one."""
from math import exp

from engine.modulators import detect_hit, listener


@listener(source="/audio/kick")
def hit(at, level, heard, dt, how):
    """Fires with each hit of its source, kicks where none is named, and falls in about the release time."""
    _, now, at = detect_hit(at, heard, how.floor)
    if now:
        return at, 1.0
    return at, level * exp(-dt / how.release) if how.release > 0.0 else 0.0
