"""A binding: which control does what. Knows the words of a mapping file, not where it lies nor what hands are doing.

A control is named as its source names it: "cc 1/16", "cc14 1/16", "nrpn 1/300", "note 1/36", "bend 1", "pressure 1",
"program 1", "key space", "osc /fader/3".
"""
import re
import unicodedata
from math import isfinite
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from engine.errors import UserError
from live.files.config import Model
from live.mapping import curves
from live.mapping.words import WORDS, load_words, spell_words
from live.midi.relative import Encoding

AT_DEVICE = " @ "                   # "cc 1/16 @ nanoKONTROL2": what an event says after its control

KEY_NAMES = {"enter": "return", "esc": "escape", "del": "delete", "ins": "insert", "pgup": "page up", "pgdn": "page down", "pageup": "page up",
             "pagedown": "page down", "spacebar": "space", "control": "ctrl", "strg": "ctrl", "cmd": "meta", "option": "alt"}
HELD = ("ctrl", "alt", "shift", "meta")
SHOWN = ("cc", "cc14", "nrpn", "bend", "note", "osc")                  # kinds that can be told where they stand
Part = Annotated[float, Field(ge=0.0, le=1.0)]
BANKS = 16


def normalize_key(text: str) -> str:
    """Return a key's name as the window writes it: in small letters, an accented letter as one character, modifiers in a fixed order."""
    text = unicodedata.normalize("NFC", text).lower()
    *held, name = text[:-1].split("+") if text.endswith("+") and len(text) > 1 else text.split("+")
    name = "+" if text.endswith("+") else KEY_NAMES.get(name, name)
    known = {KEY_NAMES.get(prefix, prefix) for prefix in held if prefix}
    return "+".join([*(prefix for prefix in HELD if prefix in known), name])


class Binding(Model):
    """One control -> one parameter or command.

    range: where in the parameter's normalized range the control's ends sit; inverse turns it round; curve spreads it.
    takeover: pickup waits until the control meets the parameter's value; scale moves it at once, as far as there is room
    on its side; jump puts it where the control is.
    relative: an encoder without ends that says how far it was turned, in this encoding; click: how far one click goes, in
    shares of the range; acceleration: how much further when it is turned fast.
    bank: acts in this bank only. feedback: whether the control shows the value; None = if it is bound on one device.
    mode: what pressing does. trigger: the parameter goes to `value` (or the range's high end), a command is called;
    toggle: there and back; momentary: there while held; velocity: as far as it was hit; step: on by `step`.
    confirm: a second press is needed within so many seconds.
    argument: which argument of an OSC message counts, from 1; None = the last. own_range ("from" in files): the numbers that the
    control itself sends at its ends, turned round where the first is above the second; None = 0 to 1, of MIDI 0 to 127 or 16383.
    """
    control: str
    to: str
    arguments: list[float | str] = []
    device: str | None = None
    range: tuple[Part, Part] = Field((0.0, 1.0), strict=False)
    inverse: bool = False
    curve: curves.CurveName = "linear"
    takeover: Literal["pickup", "scale", "jump"] = "pickup"
    relative: Encoding | None = None
    click: float = Field(1 / 128, gt=0.0, le=1.0)
    acceleration: float = Field(0.0, ge=0.0, le=10.0)
    mode: Literal["trigger", "toggle", "momentary", "velocity", "step"] | None = None
    value: float | str | None = None
    step: float | None = None
    confirm: float = Field(0.0, ge=0.0, le=60.0)
    bank: int | None = Field(None, ge=1, le=BANKS)
    feedback: bool | None = None
    argument: int | None = Field(None, ge=1, le=512)
    own_range: tuple[float, float] | None = Field(None, strict=False, alias="from")

    @field_validator("control")
    @classmethod
    def _control(cls, text):
        text = re.sub(r"(?i)^key +", "key ", text.strip())
        kind, _, rest = text.partition(" ")
        word = WORDS.get(kind) or load_words().get(kind)
        if word is None:
            raise ValueError(f"no control {text!r}; there are: {spell_words()}")
        if not re.fullmatch(word.pattern, rest):
            raise ValueError(f"expected {word.shown}, got {text!r}")
        return f"key {normalize_key(rest)}" if kind == "key" else text

    @field_validator("to")
    @classmethod
    def _to(cls, address):
        if not re.fullmatch(r"/[^\s#*,?\[\]{}]+", address):
            raise ValueError(f"expected an address such as /truncation or /preset/next, got {address!r}")
        return address

    @field_validator("device")
    @classmethod
    def _pattern(cls, text):
        return check_pattern(text)

    @field_validator("own_range")
    @classmethod
    def _apart(cls, ends):
        if ends is not None and not (isfinite(ends[0]) and isfinite(ends[1]) and ends[0] != ends[1]):
            raise ValueError(f"expected the numbers that the control sends at its two ends, such as [0, 127] or [-1, 1], got {list(ends)}")
        return ends

    @field_validator("arguments", "value", "step")
    @classmethod
    def _finite(cls, given):
        for value in given if isinstance(given, list) else [given]:
            if isinstance(value, float) and not isfinite(value):
                raise ValueError(f"expected a finite number, got {value}")
        return given

    @model_validator(mode="after")
    def _agrees(self):
        mode = self.mode or ("step" if self.step is not None else None)
        if mode == "step" and not self.step:
            raise ValueError("mode step needs step: how far a press goes, in the parameter's units")
        if self.step is not None and mode != "step":
            raise ValueError(f"step and mode {mode} exclude each other")
        if self.value is not None and mode not in (None, "trigger", "toggle", "momentary"):
            raise ValueError(f"value and mode {mode} exclude each other; modes with a value: trigger, toggle, momentary")
        if self.relative and (self.kind != "cc" or mode):
            raise ValueError(f"relative is for a control change that turns a parameter, got {self.control}{f', mode {mode}' if mode else ''}")
        if self.argument is not None and self.kind != "osc":
            raise ValueError(f"argument is for OSC messages, which have several; {self.control} says one number")
        if self.own_range is not None and (self.relative or WORDS[self.kind].end is None):
            raise ValueError(f"from is for controls that have two ends; {self.control} has none")
        if self.feedback and self.kind not in SHOWN:
            raise ValueError(f"feedback is for controls that can show something: {', '.join(SHOWN)}; {self.control} can't")
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range expected [low, high] with low below high, got {list(self.range)}; inverse: true turns it round")
        return self

    @property
    def button(self) -> bool:
        """Whether it is pressed rather than turned."""
        return bool(self.mode or self.step or self.value is not None) or WORDS[self.kind].button

    @property
    def pressing(self) -> str:
        """The mode of a button, said or implied."""
        return self.mode or ("step" if self.step is not None else "trigger")

    @property
    def kind(self) -> str:
        return self.control.split(" ", 1)[0]

    @property
    def _end(self) -> float:
        """The number that the control itself sends at its upper end."""
        return WORDS[self.kind].end or 1.0

    def position_of(self, said: float) -> float:
        """Return where the control is in its own range, 0..1, from the value of an event."""
        if self.own_range is None:
            return said
        low, high = self.own_range
        return min(max((said * self._end - low) / (high - low), 0.0), 1.0)

    def value_at(self, position: float) -> float:
        """Return the value of an event that puts the control at this place of its own range: the inverse of position_of()."""
        if self.own_range is None:
            return position
        low, high = self.own_range
        return (low + position * (high - low)) / self._end

    def pick(self, value):
        """Return the one argument of an OSC message that counts, other values as they are; () where the message has too few arguments."""
        if self.argument is None:
            return value
        given = value if isinstance(value, tuple) else (value,)
        return given[self.argument - 1] if len(given) >= self.argument else ()

    def put(self, position: float) -> float:
        """Return where in the parameter's normalized range the control puts it."""
        return curves.place(position, self.range, self.curve, self.inverse)

    def find_position(self, place: float) -> float:
        """Return the position of the control at which it would put the parameter there."""
        return curves.position(place, self.range, self.curve, self.inverse)

    @property
    def shows(self) -> bool:
        """Whether its control is sent what it stands for."""
        return bool(self.device) if self.feedback is None else self.feedback

    def hears(self, device: str | None) -> bool:
        """Return whether it listens to this device; events without one are heard by bindings without one."""
        return self.device is None or device is not None and re.search(self.device, device, re.IGNORECASE) is not None


def make_binding(**given) -> Binding:
    """Return a binding made from the words of a command. UserError: there can be no such binding."""
    try:
        return Binding(**given)
    except ValidationError as error:
        raise UserError(f"learn: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def check_pattern(text):
    """Return a device's pattern. UserError: it is no regular expression."""
    try:
        re.compile(text or "")
    except re.error as error:
        raise ValueError(f"expected a part of the port's name, or a regular expression; {text!r}: {error}") from None
    return text
