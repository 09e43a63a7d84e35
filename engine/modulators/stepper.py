"""The one that goes on with the hits."""
from engine.modulators import chance, detect_hit, listener


@listener(source="/audio/kick")
def stepper(at, level, heard, dt, how):
    """Goes to the next of its places with each hit of its source, kicks where none is named; without places, somewhere nobody chose."""
    count, now, at = detect_hit(at, heard, how.floor)
    if not now:
        return at, level
    return at, how.places[(count - 1) % len(how.places)] if how.places else 0.5 + 0.5 * chance(how.seed, count)
