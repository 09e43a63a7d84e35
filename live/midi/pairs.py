"""14-bit controls: two control changes, n the coarse part and n + 32 the fine part, become one event "cc14 channel/n".
A parameter number (NRPN: 99 and 98, then its value in 6 and 38) becomes "nrpn channel/number".

Which controls are pairs only a mapping knows: CC 48 may as well be a knob of its own. Source: MIDI 1.0 Detailed
Specification, "Control Change" and "Registered and Non-Registered Parameter Numbers". From a controller that has sent a fine part
before, a coarse part waits for its fine part to the end of the next frame, so that no value is heard that the fader never had.
"""
from live.mapping.binding import AT_DEVICE

NUMBER = {99: 0, 98: 1}             # control change -> which half of the parameter number it is
NO_NUMBER = {101, 100}              # what follows is of a registered parameter, and none of ours
VALUE = {6: True, 38: False}        # control change -> is it the coarse part


class Pairs:
    """Assembles what `controls` name: "cc14 1/16", "nrpn 1/300", ..."""

    def __init__(self, controls):
        self.parts = {}                               # "cc 1/16" -> ("cc14 1/16", is the coarse part)
        self.numbered = {c for c in controls if c.startswith("nrpn ")}
        self.channels = {c.removeprefix("nrpn ").split("/")[0] for c in self.numbered}
        self.chosen = {}                              # (channel, device) -> [half, half] of the number chosen last
        for control in controls - self.numbered:
            channel, number = control.removeprefix("cc14 ").split("/")
            self.parts[f"cc {channel}/{number}"] = control, True
            self.parts[f"cc {channel}/{int(number) + 32}"] = control, False
        self.coarse, self.fine = {}, {}               # (control, device) -> 0..127
        self.waiting, self.overdue = {}, {}           # (control, device) -> coarse event of this frame, of the last one

    def join(self, events) -> list:
        """Return the events of a frame with pairs joined. The parts stay in as well, for bindings to either."""
        if not self.parts and not self.channels:
            return events
        self.waiting, self.overdue = {}, self.waiting
        found = []
        for event in events:
            found.append(event)
            control, at, device = event.control.partition(AT_DEVICE)
            if control in self.parts:
                found += self._join_part(event, *self.parts[control], at + device)
            elif self.channels and control.startswith("cc "):
                channel, _, number = control.removeprefix("cc ").partition("/")
                found += self._join_number(event, channel, number, at + device)
        return found + [self._make_event(event, key) for key, event in self.overdue.items()]     # their fine part is as it was

    def is_part(self, control: str, whole) -> bool:
        """Return whether a control is only a part of one of these ("cc14 1/16", "nrpn 1/300")."""
        pair, _ = self.parts.get(control, (None, True))
        channel, _, number = control.removeprefix("cc ").partition("/")
        of_number = channel in self.channels and number.isdigit() and int(number) in (*NUMBER, *NO_NUMBER, *VALUE)
        return pair in whole or of_number and any(c.startswith(f"nrpn {channel}/") for c in whole)

    def _join_number(self, event, channel, number, device):
        number, key = int(number), (channel, device)
        if channel not in self.channels:
            return []
        if number in NUMBER:
            self.chosen.setdefault(key, [127, 127])[NUMBER[number]] = round(event.value * 127)
        elif number in NO_NUMBER:
            self.chosen.pop(key, None)
        elif number in VALUE and key in self.chosen:
            coarse, fine = self.chosen[key]
            control = f"nrpn {channel}/{coarse << 7 | fine}"
            return self._join_part(event, control, VALUE[number], device) if control in self.numbered else []
        return []

    def _join_part(self, event, control, is_coarse, device):
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
        return [self._make_event(event, key)] if key in self.coarse else []

    def _make_event(self, event, key):
        value = (self.coarse[key] << 7 | self.fine[key]) / 16383
        return event._replace(control="".join(key), value=value)
