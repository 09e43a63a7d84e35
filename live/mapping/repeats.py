"""Senders that say everything again at every frame: what they only repeat is not a hand's touch. Values and times only.

TouchDesigner's OSC Out CHOP does so with "Send Events Every Cook", and other programs against lost packets. A value
said anew after a while is a touch, and so are the first few repeats: somebody may have sent them one by one.
"""
OSC = "osc "
FEW = 3                             # times that the same value in a row is heard
SOON = 0.25                         # seconds between repeats of a stream
PAUSE = 1.0                         # seconds of silence after which the same value is a touch again
REMEMBERED = 8192                   # controls


class Repeats:
    """What each OSC control said last, when, and how often in a row."""

    def __init__(self):
        self._said = {}

    def filter(self, events, counts) -> list:
        """Return the events that are no mere repeats. counts(control): whether its repeats mean something, as presses do."""
        said, repeated = self._said, None
        for place, (control, value, momentary, at) in enumerate(events):
            known = said.get(control)
            if known is None or known[0] != value:
                if control.startswith(OSC) and not momentary and type(value) is not str:
                    if len(said) >= REMEMBERED:
                        said.clear()
                    said[control] = value, at, 1
                elif known is not None:
                    del said[control]
                continue
            _, before, times = known
            if at - before > (SOON if times < FEW else PAUSE):
                times = 0
            said[control] = value, at, times + 1
            if times >= FEW and not momentary and not counts(control):
                repeated = repeated or set()
                repeated.add(place)
        return events if repeated is None else [event for place, event in enumerate(events) if place not in repeated]
