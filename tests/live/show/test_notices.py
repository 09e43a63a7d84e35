"""What the performer is told: each thing once, the newest of a kind, never more than a few lines a second."""
import logging

import pytest

import live.instrument.open  # noqa: F401  (the commands there are)
from live.mapping.binding import Binding
from live.mapping.mapping import Mapping
from live.presets.library import Library
from live.presets.recall import Recall
from live.show.clock import FixedClock, limit_ticks
from live.show.events import Call, ControlEvent
from live.show.loop import Show
from live.show.notices import BURST, RATE, WAITING, Notices
from live.show.parameters import add_parameters


class Clock:
    moment = 10.0

    def __call__(self):
        return self.moment


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "live.show.notices")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "live.show.notices"]


def test_a_few_lines_at_once_and_then_a_few_a_second(lines):
    clock = Clock()
    told = Notices(clock)
    for n in range(500):
        told.tell(f"line {n}")
        clock.moment += 0.01
    for _ in range(600):
        clock.moment += 0.01
        told.play(None)
    assert len(lines()) <= BURST + RATE * 5 + WAITING and lines()[-1] == "line 499"


def test_of_a_kind_that_waits_the_newest_is_said(lines):
    clock = Clock()
    told = Notices(clock)
    for n in range(BURST):
        told.tell(f"other {n}")
    for n in range(50):
        told.tell(f"preset {n}", "preset")
    clock.moment += 1.0
    told.play(None)
    assert lines()[BURST:] == ["preset 49"]


def test_the_newest_lines_of_the_whole_log_are_kept_and_harmless_in_number(caplog):
    caplog.set_level(logging.INFO)
    clock = Clock()
    told = Notices(clock)
    stop = told.listen()
    for n in range(1000):
        logging.getLogger("live.midi.ports").info("MIDI: %s is here", n)
    logging.getLogger("live.takes").warning("first line\nsecond")
    clock.moment += 2.0
    report = told.report()
    assert report[0] == {"ago": 2.0, "level": "WARNING", "text": "first line"} and len(report) < 40
    stop()
    logging.getLogger("live.takes").warning("after it")
    assert told.report() == report


@pytest.fixture
def show(instrument, tmp_path):
    scene = add_parameters(instrument.scene())
    show = Show(instrument, Mapping(), scene, strict=True)
    show.clock = clock = Clock()
    show.notices = Notices(clock)
    show.mapping.tell = show.notices.tell
    show.join(recall=Recall(show, Library(tmp_path, scene)), notices=show.notices)
    yield show
    show.close()


def act(show, *calls):
    """Do these one after the other, a second apart."""
    for address, *arguments in calls:
        show.apply([Call(address, tuple(arguments))])
        show.clock.moment += 1.0


def test_what_happens_to_presets_is_told(show, lines):
    act(show, ("/preset/store", "night"), ("/preset/store", "night"), ("/preset/cue", "night"), ("/preset/recall", "night"), ("/preset/recall", "night", 4.0),
        ("/preset/rename", "night", "day"), ("/preset/delete", "day"), ("/undo",), ("/redo",))
    assert lines() == ["preset night stored", "preset night overwritten; /undo brings the old one back", "preset night is cued; /preset/go goes there",
                       "preset night", "preset night over 4 s", "preset night renamed to day", "preset day deleted; /undo brings it back",
                       "undone: preset day deleted", "done again: preset day deleted"]


def test_undo_with_nothing_left_is_told_and_a_knob_is_named(show, lines):
    act(show, ("/undo",))
    show.inbox.put(ControlEvent("osc /truncation", 0.25, False, 0.0))
    show.play(limit_ticks(FixedClock(25).ticks(), frames=2))
    act(show, ("/undo",))
    assert lines() == ["nothing to undo", "undone: /truncation"]


@pytest.mark.parametrize("inverse, at, way", [(False, 0.1, "up"), (False, 0.9, "down"), (True, 0.1, "up"), (True, 0.9, "down")])
def test_a_fader_that_waits_is_told_once_with_its_direction(show, lines, inverse, at, way):
    show.mapping.layers.append([Binding(control="cc 1/16", to="/truncation", inverse=inverse)])
    show.mapping.rebind()
    for step in range(3):
        show.inbox.put(ControlEvent("cc 1/16", at + step * 0.001, False, float(step)))
        show.play(limit_ticks(FixedClock(25).ticks(), frames=1))
    assert [line for line in lines() if "waits" in line] == [f"cc 1/16 waits to pick up /truncation: move it {way}, to {show.scene['/truncation']:.3g}"]
