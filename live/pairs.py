"""14-bit controls: two control changes, n the coarse part and n + 32 the fine part, become one event "cc14 channel/n".

Which controls are pairs only a mapping knows: CC 48 may as well be a knob of its own. Source: MIDI 1.0 Detailed
Specification, "Control Change". A coarse part waits for its fine part, from a controller that has sent one before, to
the end of the next frame, so that no value is heard that the fader never had.
"""
from live.binding import AT_DEVICE


class Pairs:
    """Assembles the pairs named by `controls` ("cc14 1/16", ...)."""

    def __init__(self, controls):
        self.parts = {}                               # "cc 1/16" -> ("cc14 1/16", is the coarse part)
        for control in controls:
            channel, number = control.removeprefix("cc14 ").split("/")
            self.parts[f"cc {channel}/{number}"] = control, True
            self.parts[f"cc {channel}/{int(number) + 32}"] = control, False
        self.coarse, self.fine = {}, {}               # (control, device) -> 0..127
        self.waiting, self.overdue = {}, {}           # (control, device) -> coarse event of this frame, of the last one

    def joined(self, events) -> list:
        """The events of a frame, with pairs joined; the parts themselves stay in, for bindings to either."""
        if not self.parts:
            return events
        self.waiting, self.overdue = {}, self.waiting
        found = []
        for event in events:
            found.append(event)
            control, at, device = event.control.partition(AT_DEVICE)
            if control in self.parts:
                found += self._part(event, *self.parts[control], at + device)
        return found + [self._event(event, key) for key, event in self.overdue.items()]     # their fine part is as it was

    def _part(self, event, control, is_coarse, device):
        key, part = (control, device), round(event.value * 127)
        self.overdue.pop(key, None)
        if is_coarse:
            self.coarse[key] = part
            if key in self.fine:
                self.waiting[key] = event
                return []
            return [event._replace(control=control + device)]    # 7 bits so far: its ends are the ends
        self.fine[key] = part
        self.waiting.pop(key, None)
        return [self._event(event, key)] if key in self.coarse else []

    def _event(self, event, key):
        value = (self.coarse[key] << 7 | self.fine[key]) / 16383
        return event._replace(control="".join(key), value=value)
