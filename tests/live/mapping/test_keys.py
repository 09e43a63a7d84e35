"""The key that tells the keys."""
import logging
from types import SimpleNamespace

import pytest

from live.mapping import commands
from live.mapping.binding import Binding
from live.mapping.mapping import Mapping
from live.show.events import Call, ControlEvent


@pytest.mark.parametrize("key", ["h", "f1", "shift+/"])
def test_a_key_asks_for_them(instrument, key):
    assert Mapping.load().translate([ControlEvent(f"key {key}", 1.0, True)], instrument.scene()) == [Call("/keys")]


def test_every_key_is_told_once_with_what_it_does_now(caplog):
    mapping = Mapping.load()
    mapping.layers.append([Binding(control="key b", to="/panic")])
    with caplog.at_level(logging.INFO):
        commands.keys(SimpleNamespace(mapping=mapping))
    lines = [record.getMessage() for record in caplog.records]
    bound = {b.control.removeprefix("key ") for layer in mapping.layers for b in layer if b.control.startswith("key ")}
    told = {part.split(" /", 1)[1]: part.split(" /", 1)[0] for line in lines for part in line.removeprefix("keys: ").split("; ")}
    names = [name for keys in told.values() for name in keys.split(", ")]
    assert len(lines) <= 5 and bound == set(names) and len(names) == len(set(names))
    assert told["quit (twice)"] == "escape, q" and told["truncation +0.05"] == "up"
    assert set(told["panic"].split(", ")) == {"b", "backspace"} and "blackout" not in told
