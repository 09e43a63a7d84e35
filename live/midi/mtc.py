"""MIDI Time Code and MIDI Show Control, from bytes to what they say. Pure: no ports and no clock.

Sources: MMA/AMEI RP-004 "MIDI Time Code" and RP-002 "MIDI Show Control" as the Complete MIDI 1.0 Detailed Specification describes them.
"""
from dataclasses import dataclass, field

QUARTER, SYSEX, REAL_TIME = 0xF1, 0xF0, 0x7F
RATES = (24.0, 25.0, 30000 / 1001, 30.0)                # by the two bits of the hours; the third drops frames
DROPS = 2
PIECES = 8                          # quarter frames of a whole time; they take two frames
GO, STOP, RESUME, TIMED_GO = 1, 2, 3, 4
COMMANDS = {GO: "/msc/go", STOP: "/msc/stop", RESUME: "/msc/resume", TIMED_GO: "/msc/go"}


def to_seconds(hours: int, minutes: int, seconds: int, frames: float, kind: int) -> float | None:
    """Return a time as seconds of the day; None: there is no such. kind: of RATES; of 29.97 drop-frame the numbers that it leaves out do not exist."""
    nominal = 30 if kind >= DROPS else round(RATES[kind])
    if hours > 23 or minutes > 59 or seconds > 59 or not 0 <= frames < nominal:
        return None
    count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    if kind == DROPS:
        if frames < 2 and seconds == 0 and minutes % 10:
            return None
        whole = hours * 60 + minutes
        count -= 2 * (whole - whole // 10)
    return count / RATES[kind]


@dataclass
class TimecodeReader:
    """Reads the bytes of one port. read(data) -> (seconds of the day, whether it runs), None: nothing new yet."""
    _pieces: dict = field(default_factory=dict)
    _last: int = -1
    _way: int = 0                       # 1: they come in rising order, -1: the tape goes backwards
    _run: int = 0                       # pieces in a row that came in that order

    def read(self, data) -> tuple[float, bool] | None:
        """Take one message."""
        if len(data) == 2 and data[0] == QUARTER:
            return self._read_quarter(data[1] >> 4 & 7, data[1] & 15)
        if len(data) == 10 and data[0] == SYSEX and data[1] == REAL_TIME and list(data[3:5]) == [1, 1]:
            self._run = 0
            seconds = to_seconds(data[5] & 31, data[6], data[7], data[8], data[5] >> 5 & 3)
            return None if seconds is None else (seconds, False)
        return None

    def _read_quarter(self, piece, value):
        way = 1 if piece == (self._last + 1) % PIECES else -1 if piece == (self._last - 1) % PIECES else 0
        self._run = self._run + 1 if way and way == self._way else 2 if way else 1
        self._way, self._last, self._pieces[piece] = way, piece, value
        if self._run < PIECES or piece != (PIECES - 1 if way > 0 else 0):
            return None
        p = self._pieces
        frames, minutes, hours = p[0] | (p[1] & 1) << 4, p[4] | (p[5] & 3) << 4, p[6] | (p[7] & 1) << 4
        kind = p[7] >> 1 & 3
        seconds = to_seconds(hours, minutes, p[2] | (p[3] & 3) << 4, frames, kind)
        if seconds is None:
            return None
        late = (PIECES - 1) / 4 / RATES[kind]                # the time is that of the first piece; the last one comes so much later
        return (seconds + late, True) if way > 0 else (max(0.0, seconds - late), False)


def read_show_control(data) -> tuple[str, tuple] | None:
    """Return (command, its arguments) of a MIDI Show Control message: go, stop and resume; None for any other."""
    if len(data) < 7 or data[0] != SYSEX or data[1] != REAL_TIME or data[3] != 2 or data[-1] != 0xF7:
        return None
    what, rest = data[5], bytes(data[6:-1])
    if what not in COMMANDS:
        return None
    cue = rest[5:] if what == TIMED_GO else rest             # its time comes first: when to be there
    number = cue.split(b"\0")[0].decode("ascii", "replace").strip()
    return COMMANDS[what], (number,) if number and what in (GO, TIMED_GO) else ()
