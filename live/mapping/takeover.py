"""Soft takeover: when does a fader begin to move its parameter? Positions and values only; no events, no scenes.

A preset moves parameters away from the faders that set them. Under pick-up a fader then does nothing until it meets
the value it is to move: it has crossed it, or stands within HOOK of it. So nothing ever jumps further than the hook,
or than the hand itself has just moved. A fader that is thrown from its end is first heard on its way: it has hold of a
value at that end all the same.
"""
from dataclasses import dataclass

HOOK = 3 / 128                      # share of the parameter's range, three steps of a 7-bit fader: a fader this near has reached the value
END = 12 / 128                      # so near its end a fader that is thrown from there is heard first


@dataclass
class SoftTakeover:
    """How far one control has taken over one parameter. held: the value it last set; position: where it last was, both None at first."""
    held: float | str | tuple | None = None
    position: float | None = None
    _first: float | None = None         # where it was heard first, until it is heard again

    def takes(self, position: float, parameter, current, low: float = 0.0, high: float = 1.0) -> bool:
        """Return whether a control moved to this normalized position has hold of the parameter, now at plain value `current`.

        low, high: the part of the range it can reach; a value outside it is met at the nearer end.
        """
        first, before, self.position = self._first, self.position, position
        self._first = position if before is None else None
        if self.held is not None and self.held == current:
            return True                               # nobody else has moved it since
        self.held = None
        here = min(max(parameter.normalized(current), low), high)
        if first is not None and here in (low, high) and abs(first - here) <= END:
            before = 2 * first - position             # thrown from the end: its first step was as long as its second
        crossed = before is not None and (before - here) * (position - here) <= 0
        return crossed or abs(position - here) <= HOOK or parameter.clamp(parameter.plain(position)) == current

    def scale(self, position: float, parameter, current, low: float = 0.0, high: float = 1.0):
        """Return where a control moved to this normalized position puts the parameter: as far towards the end of the range as it
        has gone of its own way there, so that both arrive together. None: it does not move it, nobody knows from where.
        """
        before = self.position
        if self.takes(position, parameter, current, low, high):
            return position
        if before is None or before == position:
            return None
        end = high if position > before else low
        here = min(max(parameter.normalized(current), low), high)
        return here + (end - here) * min((position - before) / (end - before), 1.0) if end != before else end

    def hold(self, value):
        """Note that the control has set the parameter to this plain value."""
        self.held = value

    def forget(self):
        """Have the control pick the value up again: it may have moved unseen."""
        self.held = self.position = self._first = None
