"""A hand that is heard beside noise: what travelled is learned, not what twitched, over MIDI and OSC alike."""
import math
import random

import pytest

from live.mapping.binding import Binding
from live.mapping.travel import guess_range
from live.show.events import ControlEvent
from tests.live.mapping.test_learn import Stage

AT = " @ Box"


class Room:
    """Senders that play at the same time: each a function of the time that gives events, or None. Learns after two seconds."""

    def __init__(self, *noise, target="/truncation"):
        self.stage, self.noise, self.time = Stage(), noise, 0.0
        self.pass_by(2.0)
        self.stage.send("/midi/learn", target)

    def pass_by(self, seconds, hand=lambda t: []):
        begun = self.time
        while self.time < begun + seconds:
            events = [e for sender in (*self.noise, lambda t: hand(t - begun)) for e in sender(self.time)]
            self.stage.hear(*(e._replace(at=self.time) for e in events))
            self.time += 1 / 60

    def learned(self):
        return [(b.control, b.argument) for b in self.stage.mapping.learn.layer]


def event(control, *values, momentary=False):
    at = "" if control.startswith("osc ") else AT
    return ControlEvent(control + at, values[0] if len(values) == 1 else values, momentary)


def every(step, make):
    """A sender that speaks every so many frames; make(how often before, a chance of its own)."""
    chance, count = random.Random(str(step)), [0, 0]

    def sender(t):
        count[0] += 1
        if count[0] % step:
            return []
        count[1] += 1
        found = make(count[1], chance)
        return found if isinstance(found, list) else [found]
    return sender


NOISE = {
    "a worn potentiometer": every(5, lambda n, c: event("cc 1/11", (63 + n % 2) / 127)),
    "a worse one": every(2, lambda n, c: event("cc 1/12", (63 + c.randrange(-2, 3)) / 127)),
    "a worn 14-bit fader": every(3, lambda n, c: [event("cc 1/3", 64 / 127), event("cc 1/35", c.randrange(128) / 127)]),
    "a pitch wheel that does not rest": every(4, lambda n, c: event("bend 2", 0.5 + c.uniform(-0.01, 0.01))),
    "an accelerometer": every(1, lambda n, c: event("osc /accxyz", 0.3 * math.sin(n / 9), c.gauss(0, 0.2), 1.0 + c.gauss(0, 0.05))),
    "a clock that counts": every(2, lambda n, c: event("osc /clock", n)),
    "a time": every(1, lambda n, c: event("osc /time", n / 60)),
    "a ping": every(60, lambda n, c: event("osc /ping", momentary=True)),
    "a heart that beats": every(10, lambda n, c: event("osc /alive", n % 2)),
    "a level": every(2, lambda n, c: event("osc /audio/level", c.random())),
    "a slow count": every(70, lambda n, c: event("osc /seconds", n)),
}


def slide(control, low=0.2, high=0.7, seconds=0.8, argument=None, rest=0.5):
    """A hand that moves a control on in so many seconds."""
    def hand(t):
        if not 0.2 <= t <= 0.2 + seconds:
            return []
        at = low + (high - low) * (t - 0.2) / seconds
        value = round(at * 127) / 127 if control.startswith("cc") else at
        return [event(control, *((value,) if argument is None else (value, rest) if argument == 1 else (rest, value)))]
    return hand


def touched(hand, touch):
    """The same with a touch of the control around it."""
    def both(t):
        down, up = [event(touch, 1.0, momentary=touch.startswith("note"))], [event(touch, 0.0, momentary=touch.startswith("note"))]
        return [*(down if 0.1 <= t < 0.1 + 1 / 60 else []), *hand(t), *(up if 1.2 <= t < 1.2 + 1 / 60 else [])]
    return both


HANDS = {
    "a knob": (slide("cc 1/20"), ("cc 1/20", None)),
    "a Mackie fader": (touched(slide("bend 1"), "note 1/104"), ("bend 1", None)),
    "a TouchOSC fader": (touched(slide("osc /1/Fader1"), "osc /1/Fader1/z"), ("osc /1/Fader1", None)),
    "a pad, across": (touched(slide("osc /1/xy", argument=1), "osc /1/xy/z"), ("osc /1/xy", 1)),
    "a pad, upwards": (slide("osc /1/xy", argument=2), ("osc /1/xy", 2)),
    "a key": (lambda t: [event("note 1/60", 0.8, momentary=True)] if 0.2 < t < 0.22 else
              [event("pressure 1", 0.3 + t / 4)] if 0.22 <= t < 0.6 else [event("note 1/60", 0.0, momentary=True)] if 0.6 <= t < 0.62 else [], ("note 1/60", None)),
    "a fader of 0..127": (slide("osc /pd/slider", 10.0, 101.0), ("osc /pd/slider", None)),
}


@pytest.mark.parametrize("noise", [*NOISE, "all of it", "none"])
@pytest.mark.parametrize("hand", HANDS)
def test_the_hand_is_learned_and_not_the_noise(hand, noise):
    senders = [] if noise == "none" else NOISE.values() if noise == "all of it" else [NOISE[noise]]
    room = Room(*senders)
    room.pass_by(1.5)                                              # the noise alone teaches nothing
    assert room.learned() == []
    room.pass_by(1.5, HANDS[hand][0])
    assert room.learned() == [HANDS[hand][1]]


def test_a_worn_potentiometer_that_is_turned_is_learned():
    room = Room(NOISE["a worn potentiometer"])
    room.pass_by(1.0)
    room.pass_by(1.5, slide("cc 1/11", 0.5, 0.9))
    assert room.learned() == [("cc 1/11", None)]


def test_of_two_knobs_at_once_the_one_that_goes_further():
    room = Room()
    far, brushed = slide("cc 1/20", 0.1, 0.9), slide("cc 1/21", 0.5, 0.56)
    room.pass_by(1.5, lambda t: [*brushed(t), *far(t)])
    assert room.learned() == [("cc 1/20", None)]


def test_noise_that_is_bound_plays_on_while_another_control_is_waited_for():
    room = Room()
    stage = room.stage
    stage.send("/midi/cancel")
    stage.mapping.layers.append([Binding(control="osc /audio/level", to="/noise", takeover="jump")])
    stage.mapping.rebind()
    room.noise = [NOISE["a level"]]
    room.pass_by(1.0)
    stage.send("/midi/learn", "/truncation")
    before = stage.scene["/noise"]
    room.pass_by(0.5)
    assert stage.scene["/noise"] != before and stage.mapping.learn.wanted


@pytest.mark.parametrize("low, high, range_", [(0.1, 0.9, None), (0.0, 1.0, None), (0.0, 63.0, (0.0, 127.0)), (20.0, 127.0, (0.0, 127.0)),
                                               (-0.4, 0.7, (-1.0, 1.0)), (0.0, 200.0, (0.0, 255.0)), (-64.0, 63.0, (-127.0, 127.0)), (1.0, 90000.0, (0.0, 90000.0))])
def test_a_controls_own_range_as_it_was_seen(low, high, range_):
    assert guess_range(low, high) == range_


def test_a_range_that_shows_only_later_is_taken_all_the_same():
    room = Room()
    room.pass_by(1.0, slide("osc /pan", 0.2, 0.6))
    assert room.stage.mapping.learn.layer[0].own_range is None
    room.pass_by(1.0, slide("osc /pan", 0.6, -0.9))
    assert room.stage.mapping.learn.layer[0].own_range == (-1.0, 1.0)
    room.pass_by(1.0, slide("osc /pan", -0.9, 1.0))
    assert room.stage.scene["/truncation"] == pytest.approx(1.0, abs=0.02)
