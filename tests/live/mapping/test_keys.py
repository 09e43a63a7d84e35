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
    assert Mapping.load().heard([ControlEvent(f"key {key}", 1.0, True)], instrument.scene()) == [Call("/keys")]


def test_every_key_is_told_once_with_what_it_does_now(caplog):
    mapping = Mapping.load()
    mapping.layers.append([Binding(control="key b", to="/panic")])
    with caplog.at_level(logging.INFO):
        commands.keys(SimpleNamespace(mapping=mapping))
    lines = [record.getMessage() for record in caplog.records]
    bound = {b.control.removeprefix("key ") for layer in mapping.layers for b in layer if b.control.startswith("key ")}
    told = [name for line in lines for name in line[4:].split("/")[0].replace(",", " ").split()]
    assert bound - {"shift+/"} <= set(told)
    assert any("/quit (twice)" in line and "escape, q" in line for line in lines)
    assert any(line.startswith("key up") and line.endswith("/truncation +0.05") for line in lines)
    assert any("backspace" in line and "/panic" in line and " b" in line for line in lines) and not any("/blackout" in line for line in lines)
