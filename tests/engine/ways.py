"""The two ways that pictures are computed between convolutions: by passes compiled from C, and by torch's operations."""
import pytest

from engine.compiled.functions import find_passes

WAYS = ("compiled", "torch")
THERE = find_passes() is not None           # on this machine


def take_way(way, monkeypatch, module, asks="find_passes") -> str:
    """Have a module, which asks find_passes(), go one of WAYS in this test; return it. Skipped where there are no compiled passes."""
    if way == "torch":
        monkeypatch.setattr(module, asks, lambda: None)
    elif not THERE:
        pytest.skip("no compiled passes on this machine")
    return way
