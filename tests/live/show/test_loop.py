"""The show with a fixed clock: what hands do, what the eyes get, and what happens when something breaks."""
import logging
import math
from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import UserError
from live.mapping.mapping import Mapping
from live.show.clock import FixedClock, limit_ticks
from live.show.commands import COMMANDS, Command, is_trigger
from live.show.events import Call, Change, ControlEvent
from live.show.inbox import drain
from live.show.loop import AT_ONCE, Show


class Eyes:
    """An output that keeps every frame."""
    name, dropped = "eyes", 0

    def __init__(self):
        self.frames = []

    def put(self, frame):
        self.frames.append(frame.pixels.copy())


@pytest.fixture
def show(instrument):
    return Show(instrument, Mapping(), instrument.scene(), outputs=[Eyes()], strict=True)


def frames(show, count=1):
    start = len(show.outputs[0].frames)
    show.play(limit_ticks(FixedClock(25).ticks(), frames=count))
    return show.outputs[0].frames[start:]


def hear(show, address, *values):
    value = values[0] if len(values) == 1 else values
    show.inbox.put(ControlEvent(f"osc {address}", value))


def test_an_event_is_in_the_very_next_frame(show):
    before, = frames(show)
    hear(show, "/truncation", 0.0)
    after, = frames(show)
    assert show.scene["/truncation"] == 0.0 and (before != after).any()


def test_of_a_fader_the_newest_counts(show):
    for value in (0.1, 0.9, 0.4):
        hear(show, "/truncation", value)
    frames(show)
    assert show.scene["/truncation"] == 0.4


def test_a_list_of_events_is_heard_in_one_frame(show):
    show.inbox.put([ControlEvent("osc /truncation", 0.3), ControlEvent("osc /walk/seed", 12)])
    frames(show)
    assert (show.scene["/truncation"], show.scene["/walk/seed"]) == (0.3, 12)


def test_freeze_blackout_panic(show):
    hear(show, "/freeze")
    still = frames(show, 3)
    assert (still[0] == still[2]).all() and show.scene["/output/freeze"] == 1
    hear(show, "/freeze", 1.0)
    hear(show, "/blackout", 1.0)
    assert not frames(show)[0].any() and show.scene["/output/freeze"] == 0
    hear(show, "/blackout", 0.0)                                     # a button's release does nothing
    assert not frames(show)[0].any()
    hear(show, "/panic")
    assert frames(show)[0].any() and show.scene == show.first


def test_random_seed_and_go(show):
    hear(show, "/seed/random")
    frames(show)
    assert show.scene["/walk/seed"] != show.first["/walk/seed"]
    hear(show, "/seed/go", 42.0, 0.5)
    frames(show, 30)
    assert show.motion.place == ((42, 1.0),)


def test_a_random_seed_moves_a_loop_that_has_stops(show):
    show.scene = show.scene.set_values({"/walk/kind": "loop", "/walk/stops": (3, 4, 5)})
    before = frames(show)[0]
    hear(show, "/seed/random")
    assert (frames(show)[0] != before).any() and len(set(show.scene["/walk/stops"])) == 3


def test_going_to_a_seed_takes_its_own_seconds_and_leaves_the_glide_as_it_is(show):
    hear(show, "/walk/glide", 3.0)
    frames(show)
    hear(show, "/seed/go", 42.0, 0.2)
    frames(show, 2)
    assert len(show.motion.place) > 1 and show.scene["/walk/glide"] == 3.0         # on its way
    frames(show, 30)
    assert show.motion.place == ((42, 1.0),) and show.motion.glide is None
    hear(show, "/walk/seed", 7)
    frames(show, 30)
    assert len(show.motion.place) > 1                                              # the next one takes the performer's


def test_quit_ends_the_show(show):
    hear(show, "/quit")
    assert len(frames(show, 100)) == 1


@pytest.mark.parametrize("address, value", [("/truncation", math.nan), ("/truncation", "loud"), ("/walk/kind", "march"),
                                            ("/seed/go", "x"), ("/nowhere", 1.0)])
def test_a_bad_message_is_left_out_and_the_rest_is_heard(show, address, value, caplog):
    hear(show, address, value)
    hear(show, "/walk/seed", 77)
    assert len(frames(show, 2)) == 2
    assert show.scene["/walk/seed"] == 77 and show.scene["/truncation"] == show.first["/truncation"]
    assert all(address in record.getMessage() for record in caplog.records)


def test_a_sender_that_gets_everything_wrong_is_rarely_mentioned(instrument, monkeypatch, caplog):
    seconds = [0.0]
    monkeypatch.setattr("live.show.loop.now", lambda: seconds[0])
    show = Show(instrument, Mapping(), instrument.scene(), outputs=[Eyes()], strict=True)
    with caplog.at_level(logging.WARNING):
        for turn in range(300):
            seconds[0] = turn / 100
            hear(show, "/walk/kind", f"kind {turn}")
            frames(show)
    lines = [r.getMessage() for r in caplog.records]
    assert AT_ONCE < len(lines) <= AT_ONCE + 3 and "more like it" in lines[-1]
    assert "got 'kind 0'" in lines[0] and "got 'kind 9'" in lines[9]         # the first few are said one by one


def test_a_mistake_made_again_is_told_again_but_not_at_once(instrument, monkeypatch, caplog):
    seconds = [0.0]
    monkeypatch.setattr("live.show.loop.now", lambda: seconds[0])
    show = Show(instrument, Mapping(), instrument.scene(), outputs=[Eyes()], strict=True)
    with caplog.at_level(logging.WARNING):
        for seconds[0], told in ((0.0, 1), (0.5, 1), (3.0, 2), (4.0, 2), (60.0, 3)):
            show.inbox.put(ControlEvent("osc /walk/kind", "sideways", True, seconds[0]))
            frames(show)
            assert len(caplog.records) == told


def test_a_bug_that_words_itself_anew_each_time_is_logged_once(show, caplog):
    show.strict = False
    def broken(*_):
        raise RuntimeError(f"broken at {show.motion.frame}")
    show.instrument.render = broken
    with caplog.at_level(logging.ERROR):
        frames(show, 5)
    assert len(caplog.records) == 1


def test_an_error_in_a_frame_keeps_the_last_picture_and_is_logged_once(show, caplog):
    show.strict = False
    good, = frames(show)
    render = show.instrument.render
    show.instrument.render = lambda *_: (_ for _ in ()).throw(RuntimeError("broken"))
    with caplog.at_level(logging.ERROR):
        assert frames(show, 5) == []
    assert [r.getMessage() for r in caplog.records] == ["RuntimeError: broken"]
    assert show.meter.report()["failed"] == 5
    show.instrument.render = render
    assert len(frames(show, 2)) == 2


def test_in_strict_mode_a_bug_stops(show):
    show.instrument.render = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        frames(show)


def test_what_was_applied_is_recorded_and_replaying_it_gives_the_same_frames(instrument, show):
    kept = []
    show.record = lambda tick, applied: kept.append((tick, list(applied)))
    pictures = []
    for turn in range(12):
        if turn % 3 == 0:
            hear(show, "/truncation", turn / 12)
            hear(show, "/seed/random")
        show.frame(next(limit_ticks(FixedClock(25).ticks())) if turn == 0 else kept[-1][0].__class__(turn, turn / 25, 0.04))
        pictures.append(show.outputs[0].frames[-1])
    again = Show(instrument, Mapping(), instrument.scene(), outputs=[Eyes()], strict=True)
    for tick, applied in kept:
        again.frame(tick, replayed=applied)
    assert all((a == b).all() for a, b in zip(pictures, again.outputs[0].frames, strict=True))
    assert again.scene == show.scene and again.motion == show.motion


def test_the_newest_picture_of_a_source_goes_to_the_instrument(show):
    seen = []
    show.source = SimpleNamespace(picture=lambda scene: "picture", note_frame=lambda: seen.append("out"))
    show.instrument.render = lambda scene, motion, source: seen.append(source) or type("F", (), {"pixels": np.zeros(1), "number": 0})
    frames(show)
    assert seen == ["picture", "out"]


@pytest.mark.parametrize("arguments, fired", [((), True), ((1,), True), ((0.5,), True), ((0,), False), ((0.0,), False),
                                              ((False,), False), (("name",), True), ((0, 2.0), True)])
def test_trigger_rule(arguments, fired):
    assert is_trigger(arguments) is fired


def test_every_command_is_documented_and_called_by_its_address():
    for address, command in COMMANDS.items():
        assert address.startswith("/") and command.about


def test_unknown_calls_are_user_errors(show):
    from live.show.commands import call

    with pytest.raises(UserError, match="/freeze"):
        call(show, Call("/nowhere"))


def test_drain_keeps_order(show):
    for item in (1, [2, 3], 4):
        show.inbox.put(item)
    assert drain(show.inbox) == [1, 2, 3, 4] and drain(show.inbox) == []


def test_changes_may_come_from_commands(show):
    assert call_result(show, "/freeze") == [Change("/output/freeze", 1.0)]


def call_result(show, address):
    from live.show.commands import call

    return call(show, Call(address))


def test_a_flood_of_commands_does_not_stop_the_picture_and_keeps_its_order(show, monkeypatch):
    from live.show import loop

    drawn, done, clock = [], [], iter(np.arange(0.0, 1e5, 0.3))
    meant = iter([[*(Call("/test/note", (n,)) for n in range(1000)), Change("/truncation", 0.3)]])
    show.mapping = SimpleNamespace(translate=lambda events, scene: next(meant, []), stats=None)
    show.instrument.render = lambda scene, motion, source: drawn.append(len(done)) or type("F", (), {"pixels": np.zeros(1), "number": 0})
    monkeypatch.setattr(loop, "now", lambda: next(clock))                  # every look at the clock finds it later
    monkeypatch.setitem(COMMANDS, "/test/note", Command("/test/note", lambda show, n: done.append(n), ("n",), "Note.", 1))
    show.play(limit_ticks(FixedClock(25).ticks(), frames=80))
    kept = len(done) - drawn[0]
    assert done == list(range(len(done))) and kept == loop.WAITING and max(np.diff(drawn)) <= 2 * loop.CALLS
    assert show.scene["/truncation"] == 0.3


def test_a_few_commands_and_what_follows_them_act_in_their_frame(show):
    meant = iter([[Call("/freeze"), Change("/truncation", 0.3)]])
    show.mapping = SimpleNamespace(translate=lambda events, scene: next(meant, []), stats=None)
    frames(show, count=1)
    assert show.scene["/output/freeze"] == 1.0 and show.scene["/truncation"] == 0.3
