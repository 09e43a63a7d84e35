"""Bends come, go and change places while the show plays: no frame is lost, nothing is thrown."""
import logging

import numpy as np
import pytest

import live.show.bend_commands  # noqa: F401  (registers the commands)
from engine.bending.parts import Heat, Part, Parts
from engine.bending.place import Mask, Places
from engine.clusters import Clusters
from live.show.events import Call, Change, Tick
from live.show.loop import Show


class Hands:
    """A mapping that hears what it is told."""

    def __init__(self):
        self.next = []

    def translate(self, events, scene):
        found, self.next = self.next, []
        return found


class Screen:
    def __init__(self):
        self.frames = []

    def put(self, frame):
        self.frames.append(frame.pixels.copy())


class Stage:
    """A show of the tiny network that stands still, strict: whatever is thrown is seen."""

    def __init__(self, instrument):
        instrument.clusters = Clusters({"b16.conv1": {"eyes": (1, 4)}})
        scene = instrument.scene().set([Change("/walk/kind", "hold"), Change("/walk/speed", 0.0)])
        self.hands, self.screen = Hands(), Screen()
        self.show = Show(instrument, self.hands, scene, outputs=[self.screen], strict=True)

    def tell(self, *items):
        """Play one frame with these; its pixels."""
        self.hands.next = list(items)
        n = len(self.screen.frames)
        self.show.frame(Tick(n, n / 20, 1 / 20))
        assert len(self.screen.frames) == n + 1
        return self.screen.frames[-1]

    def names(self):
        return [bend.name for bend in self.show.scene.bends]


@pytest.fixture
def stage(instrument):
    return Stage(instrument)


def add(name="one", layer="b16.conv1", channels="eyes", transform="scalar_multiply", *mix):
    return Call("/bends/add", (name, layer, channels, transform, *mix))


def test_add_turn_and_remove(stage):
    plain = stage.tell()
    assert not (stage.tell(add()) == plain).all()                # it shows at once
    assert (stage.tell(Change("/bends/one/factor", 1.0)) == plain).all()
    assert not (stage.tell(Change("/bends/one/factor", -4.0)) == plain).all()
    assert (stage.tell(Call("/bends/remove", ("one",))) == plain).all()
    assert "/bends/one/factor" not in stage.show.scene.parameters


def test_add_and_turn_in_one_frame(stage):
    plain = stage.tell()
    bent = stage.tell(add("two", "b8.conv0", "all", "flip_h", 0.0), Change("/bends/two/mix", 1.0))
    assert not (bent == plain).all() and (bent == stage.tell()).all()


def test_a_single_channel_may_come_as_a_number(stage):
    stage.tell(add(channels=3.0), add("two", channels=2))
    assert [bend.channels for bend in stage.show.scene.bends] == [(3,), (2,)]


def test_move_changes_the_order_and_the_picture(stage):
    stage.tell(add(), add("two", "b16.conv1", "eyes", "invert"), Change("/bends/one/factor", 3.0))
    before = stage.tell()
    assert stage.names() == ["one", "two"]
    after = stage.tell(Call("/bends/move", ("two", 0)))
    assert stage.names() == ["two", "one"] and not (before == after).all()
    assert stage.show.scene["/bends/one/factor"] == 3.0
    stage.tell(Call("/bends/move", ("two", 99)))
    assert stage.names() == ["one", "two"]
    stage.tell(Call("/bends/clear"))
    assert stage.names() == []


def test_neutral_and_return_take_their_time(stage):
    plain = stage.tell()
    bent = stage.tell(add(channels="all"), Change("/bends/one/factor", -2.0))
    stage.tell(Call("/bends/neutral", (0.2,)))
    assert [stage.tell().tobytes() == plain.tobytes() for _ in range(3)] == [False, False, True]
    assert stage.show.scene["/bends/one/mix"] == 1.0
    assert not (stage.tell(Call("/bends/return", (0.1,))) == bent).all()
    assert (stage.tell() == bent).all()
    assert (stage.tell(Call("/bends/neutral")) == plain).all()


@pytest.mark.parametrize("call, message", [
    (Call("/bends/add"), "expected NAME LAYER CHANNELS TRANSFORM"), (Call("/bends/add", ("x",)), "expected NAME"),
    (add("one", "b999.conv1"), "no layer"), (add("a/b"), "name 'a/b'"), (add(transform="bleach"), "no transform"), (add(channels="ears"), "no cluster"),
    (add(channels="99"), "channel 99"), (add("x", "b16.conv1", "all", "invert", "wet"), "mix: expected a number"),
    (add("x", "b16.conv1", "all", "invert", float("nan")), "finite"), (add("x", 5), "layer: expected text"),
    (add("x", "b16.conv1", None), "expected all"), (Call("/bends/remove", ("two",)), "no bend 'two'; there are: here"),
    (Call("/bends/remove"), "no bend None"), (Call("/bends/move", ("here", "up")), "position: expected a number"), (Call("/bends/move", ("here",)), "position"),
    (add("here"), "there is a bend 'here' already"), (Call("/bends/neutral", ("soon",)), "seconds: expected a number"),
], ids=str)
def test_what_cannot_be_done_is_said_and_the_show_goes_on(stage, caplog, call, message):
    before = stage.tell(add("here"))
    with caplog.at_level(logging.WARNING):
        after = stage.tell(call)
    assert message in caplog.text and (before == after).all() and stage.names() == ["here"]


@pytest.mark.parametrize("value", (float("nan"), float("inf"), "loud", None, 1e12), ids=str)
def test_bad_live_values(stage, caplog, value):
    stage.tell(add())
    with caplog.at_level(logging.WARNING):
        stage.tell(Change("/bends/one/factor", value), Change("/bends/one/mix", 0.5))
    assert stage.show.scene["/bends/one/mix"] == 0.5
    assert stage.show.scene["/bends/one/factor"] == (10.0 if value == 1e12 else 2.5)


def test_a_hundred_bends_are_refused_politely(stage, caplog, monkeypatch):
    monkeypatch.setattr("live.show.loop.SPENT", 60.0)               # as on a machine that has time for all of them
    with caplog.at_level(logging.WARNING):
        stage.tell(*(add(f"b{n}", "b4.conv1", "0", "scale", 0.0) for n in range(100)))
        for _ in range(3):                                      # a frame runs so many commands at most
            stage.tell()
    assert len(stage.names()) == 64 and "64 bends already" in caplog.text


@pytest.fixture
def placed(stage):
    """The stage's instrument with a part at the right half of its maps, and a mask."""
    heats = {layer: Heat((0.1,) * 8, 0.5) for layer in ("b8.conv1", "b16.conv1")}
    part = Part(((0.5, 0.0),), 0.5, heats, {"b8.conv1": (0, 1), "b16.conv1": (1, 4)}, "b16.conv1")
    places = Places(Parts({"eyes": part, "crown": part}), {"left": Mask.from_picture(np.eye(8))})
    stage.show.instrument.places = stage.show.instrument.bends.places = places
    return stage


@pytest.mark.parametrize("arguments, where, layer", [
    (("big", "part:eyes", "scale"), "part:eyes", "b16.conv1"), (("big", "part:eyes", "scale", 0.5), "part:eyes", "b16.conv1"),
    (("big", "part:eyes", "scalar_multiply"), "part:eyes", "b8.conv1+b16.conv1"), (("big", "part:eyes,crown", "move_to"), "part:eyes,crown", "b16.conv1"),
    (("big", "b16.conv1", "eyes", "scale"), "part:eyes", "b16.conv1"), (("big", "b16.conv1", "eyes", "scale", 1.0, "everywhere"), "everywhere", "b16.conv1"),
    (("big", "b8.conv1", "all", "flip_h", 1.0, "mask:left"), "mask:left", "b8.conv1"), (("big", "b8.conv1", "all", "flip_h"), "everywhere", "b8.conv1"),
], ids=str)
def test_a_bend_is_added_at_a_place(placed, arguments, where, layer):
    plain = placed.tell()
    shown = placed.tell(Call("/bends/add", arguments))
    (bend,) = placed.show.scene.bends
    assert (bend.where, bend.layer) == (where, layer) and not (shown == plain).all()
    assert ("/bends/big/reach" in placed.show.scene.parameters) == where.startswith("part:")
    assert (placed.tell(Change("/bends/big/mix", 0.0)) == plain).all()


@pytest.mark.parametrize("arguments, message", [
    (("big", "part:eyes"), "expected NAME part:eyes TRANSFORM"), (("big", "part:nose", "scale"), "no part 'nose'; there are eyes, crown"),
    (("big", "part:eyes", "bleach"), "no transform"), (("big", "mask:right", "scale"), "no mask 'right'; there are left"),
    (("big", "part:eyes", "scale", "wet"), "mix: expected a number"), (("big", "b32.conv1", "all", "scale", 1.0, "part:eyes"), "no place in layer b32.conv1"),
], ids=str)
def test_a_place_that_is_none_is_told(placed, caplog, arguments, message):
    with caplog.at_level(logging.WARNING):
        placed.tell(Call("/bends/add", arguments))
    assert message in caplog.text and placed.names() == []
