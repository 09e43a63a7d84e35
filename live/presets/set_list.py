"""setlist.yaml: the order of presets, their banks, and the show: looks that follow one another by themselves. Knows the file's form only."""
import re
from typing import Literal

from pydantic import Field, model_validator

from live.files.config import Model
from live.presets.preset import MorphFile

ACTIONS = ("stay", "next", "previous", "first", "last", "again", "any", "other")
CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?")
DAY = 86400.0                       # seconds
SCHEMA = 2                          # with a show; a list without one is written as 1, which older versions read


class Step(Model):
    """A look of the show. instrument: whose, where it is another than the set list's; it is opened ahead of time.

    hold: for how long, from the end of its morph. then: one of ACTIONS, or a preset of the show; chance: {action: weight} instead.
    morph: how it is gone to, instead of the preset's own way. lanes: what plays with it. at: the timecode it comes at, seconds of the day or
    "HH:MM:SS"; while timecode is followed that decides, and not its hold.
    """
    preset: str
    instrument: str = ""
    hold: float = Field(16.0, ge=0.0)
    unit: Literal["seconds", "beats", "bars"] = "seconds"
    then: str = "next"
    chance: dict[str, float] = {}
    morph: MorphFile | None = None
    lanes: list[str] = []
    at: float | str | None = None

    @property
    def cue(self) -> float | None:
        """The seconds of the day that it comes at, None: at no time."""
        if not isinstance(self.at, str):
            return self.at
        hours, minutes, seconds = (float(part) for part in self.at.split(":"))
        return (hours * 60 + minutes) * 60 + seconds

    @model_validator(mode="after")
    def _check(self):
        for action, weight in self.chance.items():
            if not weight >= 0.0:
                raise ValueError(f"chance > {action}: expected a number of at least 0, got {weight:g}")
        if isinstance(self.at, str) and not CLOCK.fullmatch(self.at) or isinstance(self.at, float) and not 0 <= self.at < DAY:
            raise ValueError(f"at: expected HH:MM:SS or seconds of the day, got {self.at!r}")
        if self.chance and not sum(self.chance.values()) > 0.0:
            raise ValueError("chance: expected at least one number above 0")
        return self

    def rename(self, old: str, new: str) -> "Step":
        """Return the step with a preset under another name."""
        name = lambda found: new if found == old else found
        chance = {action if action in ACTIONS else name(action): weight for action, weight in self.chance.items()}
        return self.model_copy(update={"preset": name(self.preset), "then": self.then if self.then in ACTIONS else name(self.then), "chance": chance})


class SetListFile(Model):
    """setlist.yaml. presets: the order to play them in; those it does not name come after, by name. show: looks that follow one another."""
    schema_version: int = Field(1, alias="schema", ge=1, le=SCHEMA)
    presets: list[str] = []
    banks: dict[str, list[str]] = {}
    show: list[Step] = []

    @model_validator(mode="after")
    def _check(self):
        if self.show and self.schema_version < 2:
            raise ValueError("show: expected schema: 2 with it")
        names = {step.preset for step in self.show}
        for number, step in enumerate(self.show, 1):
            for action in (step.then, *step.chance):
                if action not in ACTIONS and action not in names:
                    raise ValueError(f"show > {number}: then: expected {', '.join(ACTIONS)} or a preset of the show, got {action!r}")
        return self


def to_file(presets, banks, show) -> dict:
    """Return a set list as the keys of its file."""
    data: dict = {"schema": SCHEMA if show else 1, "presets": list(presets)} | ({"banks": banks} if banks else {})
    return data | ({"show": [step.model_dump(exclude_defaults=True, exclude_none=True) for step in show]} if show else {})
