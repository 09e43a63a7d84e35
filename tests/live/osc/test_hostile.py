"""Whatever a sender brings to whatever address: a mistake at most, never a bug, and never a long line."""
import itertools
import logging
import math

import pytest

import live.instrument.open  # noqa: F401  (the commands there are)
from live.mapping import files as mapping_file
from live.mapping.mapping import Mapping
from live.osc.receiver import make_event
from live.presets.library import Library
from live.presets.recall import Recall
from live.show.clock import FixedClock, limit_ticks
from live.show.commands import COMMANDS
from live.show.loop import Show
from live.show.parameters import add_parameters
from live.takes.looper import Looper
from live.takes.recording import Recording

TICKS = FixedClock(25)
ODD = (1e308, -1e308, 1e-320, 2 ** 62, -1, "", "x" * 4000, "../../evil", "/etc/passwd", "C:\\evil", "~/evil", "nan", "-inf", "9" * 4000, "\x1b[2J", "a\nb", "\u202e", "\x00",
       "CON", "%s%n{0}", True)
ENDING = {"/quit"}


@pytest.fixture
def show(instrument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mapping_file, "FOLDER", tmp_path / "scenes")      # where /mapping/save writes
    scene = add_parameters(instrument.scene())
    show = Show(instrument, Mapping(), scene)
    (tmp_path / "scenes").mkdir()
    show.join(recall=Recall(show, Library(tmp_path / "scenes", scene)), recording=Recording(show, takes=tmp_path / "takes"), looper=Looper(show))
    yield show
    show.close()


@pytest.mark.parametrize("arguments", [*((value,) for value in ODD), *itertools.permutations((1e308, "../../evil", "x" * 4000), 2), tuple([0.5] * 4096), ("a", -1, "\x1b[2J", 1e308, "")])
def test_no_command_has_a_bug_for_it_and_nothing_is_written_elsewhere(show, tmp_path, caplog, arguments):
    before = set(tmp_path.parent.rglob("*"))
    for address in sorted(COMMANDS.keys() - ENDING):
        show.inbox.put(make_event(address, arguments, 0.0))
    show.play(limit_ticks(FixedClock(25).ticks(), frames=12))
    assert not [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    new = set(tmp_path.parent.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "scenes") or path.is_relative_to(tmp_path / "takes") for path in new), new


@pytest.mark.parametrize("value", ODD)
def test_no_parameter_has_a_bug_for_it_and_all_stay_finite(show, caplog, value):
    for address in show.scene.parameters:
        for scale in ("", "/n"):
            show.inbox.put(make_event(scale + address, (value,), 0.0))
    show.play(limit_ticks(FixedClock(25).ticks(), frames=2))
    assert not [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert all(math.isfinite(v) for v in show.scene.values.values() if isinstance(v, float))
