"""How controls have moved: a hand moves one on, noise twitches in its place. Numbers only; the same for MIDI, OSC and what comes later.

What is heard while nobody waits for a control tells what talks by itself: a worn potentiometer, a sensor, a clock.
"""
from collections import deque

FAR = 5 / 127                       # share of a control's range: one that moved this far was moved by hand; worn potentiometers jitter by less
PAUSE = 1.0                         # seconds of silence after which a control is judged anew: a stream does not pause
STREAMING = 0.5                     # seconds before the wait in which a control that talks by itself has spoken
LATELY = 10.0                       # the same for what speaks only now and then: a ping
WINDOW = 12                         # messages that are looked at
ARGUMENTS = 8                       # numbers of one message that are looked at
REMEMBERED = 4096                   # controls


class Way:
    """Where one number of one control has been. began: in which order it was first heard. noise: (low, high) of what it says by itself."""
    __slots__ = ("recent", "low", "high", "heard", "began", "noise", "count")

    def __init__(self, began):
        self.recent: deque = deque(maxlen=WINDOW)
        self.low: float | None = None
        self.high: float | None = None
        self.heard, self.began, self.noise, self.count = None, began, None, 0

    def add(self, value, at):
        self.recent.append(value)
        self.low = value if self.low is None else min(self.low, value)
        self.high = value if self.high is None else max(self.high, value)
        self.heard, self.count = at, self.count + 1

    @property
    def scale(self) -> float:
        """How much of its own range 1 is, as far as that shows: what never says more than 1 goes to 1."""
        return max(1.0, abs(self.low or 0.0), abs(self.high or 0.0))

    @property
    def restless(self) -> bool:
        """Whether it travels by itself: a sensor, a counter. No hand can be told from that."""
        return self.noise is not None and self.noise[1] - self.noise[0] >= FAR * self.scale

    def measure_travel(self) -> float:
        """Return how far a hand has moved it, in shares of its range; 0.0 for what twitches in its place or moves by itself."""
        values = list(self.recent)
        far = max(values) - min(values)
        if self.noise is not None:
            far = 0.0 if self.restless else max(self.noise[0] - min(values), max(values) - self.noise[1], 0.0)
        ways = [b - a for a, b in zip(values, values[1:]) if b != a]
        turns = sum((a > 0) != (b > 0) for a, b in zip(ways, ways[1:]))
        return far / self.scale if 2 * turns <= len(ways) and far >= FAR * self.scale else 0.0


class Ways:
    """The ways of all controls that were heard lately, by (control, number of the argument)."""

    def __init__(self):
        self._ways, self._order, self.moment = {}, 0, 0.0

    def note(self, control, argument, value, at) -> Way:
        """Note where a control is; returns its way."""
        self.moment = max(self.moment, at)
        self._order += 1
        key = control, argument
        way = self._ways.get(key)
        if way is None or at - way.heard > PAUSE:
            if len(self._ways) >= REMEMBERED:
                self._ways.clear()
            way = self._ways[key] = Way(self._order)
        way.add(value, at)
        return way

    def list_speaking(self) -> set:
        """Return the controls that have sent a message without a number in the last LATELY seconds."""
        return {control for (control, argument), way in self._ways.items() if argument == 0 and self.moment - way.heard <= LATELY}

    def find(self, control, argument):
        """Return the way of one number of a control, None if none came lately."""
        return self._ways.get((control, argument))

    def talks_by_itself(self, control) -> bool:
        """Return whether a control sends by itself all that came from it, without a hand."""
        ways = [way for way in (self._ways.get((control, n)) for n in range(1, ARGUMENTS + 1)) if way is not None]
        return bool(ways) and all(way.restless or way.noise is not None and way.noise[0] <= way.recent[-1] <= way.noise[1] for way in ways)

    def has_moved_since(self, control, order) -> bool:
        """Return whether a control was silent before that moment and is not now, or has travelled."""
        ways = [way for way in (self._ways.get((control, n)) for n in range(1, ARGUMENTS + 1)) if way is not None]
        return any(way.began > order or way.measure_travel() > 0.0 for way in ways)

    def measure_rivals(self, way, others=lambda control: True) -> float:
        """Return how far the one of the other controls that has come farthest has travelled, of those for which others(control)."""
        return max((other.measure_travel() for (control, _), other in self._ways.items()
                    if other is not way and self.moment - other.heard <= STREAMING and others(control)), default=0.0)

    def count_on(self) -> int:
        """Return the next number of a count that every event raises."""
        self._order += 1
        return self._order

    def wait(self):
        """Begin to wait for a control: whatever sends now is taken to send by itself."""
        talking = {key: way for key, way in self._ways.items() if self.moment - way.heard <= STREAMING}
        self._ways = {}
        for key, way in talking.items():
            if way.count > 1:
                kept = self._ways[key] = Way(way.began)
                kept.add(way.recent[-1], way.heard)
                kept.noise = way.noise if way.noise is not None and way.restless else (way.low, way.high)

    def settle(self):
        """Look at all controls afresh from where they are, as one was learned."""
        for key, way in list(self._ways.items()):
            kept = self._ways[key] = Way(way.began)
            kept.add(way.recent[-1], way.heard)
            kept.noise = way.noise


def guess_range(low: float, high: float) -> tuple[float, float] | None:
    """Return the range that a control which went from low to high seems to have; None for 0 to 1."""
    most = max(abs(low), abs(high))
    top = next((end for end in (1.0, *ENDS) if most <= 1.001 * end), most)
    if low < 0.0:
        return -top, top
    return None if top == 1.0 else (0.0, top)


ENDS = (127.0, 255.0, 360.0, 1000.0, 1023.0, 4095.0, 16383.0, 65535.0)         # above 1, controls end at one of these
