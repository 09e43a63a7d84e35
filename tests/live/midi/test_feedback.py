"""Feedback: what controllers show follows the scene, and nothing a device does can hold up the show."""
import random
import threading

import pytest

from engine.parameter import Parameter
from engine.scene import Scene
from live.mapping import commands as midi_commands  # noqa: F401  (its commands)
from live.mapping.binding import Binding
from live.mapping.mapping import Mapping
from live.mapping.takeover import HOOK
from live.midi import devices
from live.midi.devices import Led
from live.midi.feedback import MOST, TOUCHED, Feedback, make_messages
from live.show.clock import now, sleep
from live.show.events import Change, ControlEvent

PARAMETERS = {"/truncation": Parameter(0.5), "/output/freeze": Parameter(0.0, step=1), "/walk/kind": Parameter("loop", choices=("loop", "hold")),
              "/noise": Parameter(0.0), "/walk/z": Parameter((), -8.0, 8.0, size=8)}
NANO = "nanoKONTROL2:out"


class Port(list):
    """What was sent. fails: raises as a port that has gone does; gate: blocks until it is set."""
    fails, closed, gate = False, False, None

    def send(self, message):
        if self.gate:
            self.gate.wait(120)
        if self.fails:
            raise OSError("no such port")
        self.append(tuple(message))

    def close(self):
        self.closed = True


class Stage:
    """A show's scene and mapping, and a device that shows them. look() is one look, after a while in which no hand moved."""
    recall = tempo = None

    def __init__(self, *bindings, device=NANO, profile=None):
        self.scene, self.mapping, self.moment = Scene(PARAMETERS), Mapping([list(bindings)]), 0.0
        self.port = Port()
        self.feedback = Feedback(self, device, self.port, profile, now=lambda: self.moment)
        self.device = device

    def set(self, address, value):
        self.scene = self.scene.set([Change(address, value)])

    def hand(self, control, value):
        found = self.mapping.translate([ControlEvent(f"{control} @ {self.device}", value, control.startswith("note"), self.moment)], self.scene)
        self.scene = self.scene.set([item for item in found if isinstance(item, Change)])
        return found

    def look(self, seconds=1.0):
        self.port.clear()
        self.moment += seconds
        self.feedback.look()
        return list(self.port)


def bound(control="cc 1/0", to="/truncation", **more):
    return Binding(control=control, to=to, device="nano", **more)


@pytest.mark.parametrize("led, position, switch, sent", [
    (Led("cc 2/5"), 1.0, False, [(0xB1, 5, 127)]),
    (Led("cc 2/5", 1, 11), 0.5, False, [(0xB1, 5, 6)]),
    (Led("cc 2/5", 1, 11), 0.4, True, [(0xB1, 5, 1)]),
    (Led("note 16/36", 12, 60), 1.0, True, [(0x9F, 36, 60)]),
    (Led("bend 1"), 0.5, False, [(0xE0, 0, 64)]),
    (Led("bend 1"), 1.0, False, [(0xE0, 127, 127)]),
    (Led("cc14 1/3"), 1.0, False, [(0xB0, 3, 127), (0xB0, 35, 127)]),
    (Led("nrpn 1/300"), 1.0, False, [(0xB0, 99, 2), (0xB0, 98, 44), (0xB0, 6, 127), (0xB0, 38, 127)]),
])
def test_what_is_sent(led, position, switch, sent):
    assert [tuple(message) for message in make_messages(led, position, switch)] == sent


def test_the_whole_of_it_at_first_then_only_what_changes():
    stage = Stage(bound(), bound("note 1/36", "/output/freeze", mode="toggle"))
    assert stage.look() == [(0xB0, 0, 64), (0x90, 36, 0)]
    assert stage.look() == []
    stage.set("/truncation", 1.0)
    stage.set("/output/freeze", 1.0)
    assert stage.look() == [(0xB0, 0, 127), (0x90, 36, 127)]
    stage.set("/truncation", 0.9999)                        # the same seven bits
    assert stage.look() == []


@pytest.mark.parametrize("more, value, sent", [({"inverse": True}, 1.0, 0), ({"range": [0.0, 0.5]}, 0.25, 64), ({"range": [0.0, 0.5]}, 1.0, 127),
                                               ({"curve": "square"}, 0.25, 64), ({"curve": "smooth"}, 0.5, 64)])
def test_where_a_ring_stands_is_where_its_control_would_be(more, value, sent):
    stage = Stage(bound(**more))
    stage.look()
    stage.set("/truncation", value)
    stage.look()
    stage.mapping.rebind()
    assert stage.look() == [(0xB0, 0, sent)]


def test_a_control_under_a_hand_is_not_fought():
    stage = Stage(bound())
    stage.look()
    stage.hand("cc 1/0", 64 / 127)
    for value in (70, 80, 90):
        assert stage.hand("cc 1/0", value / 127) and stage.look(0.01) == []
    stage.set("/truncation", 0.0)                           # something else moves it meanwhile
    assert stage.look(TOUCHED / 2) == []
    assert stage.look(TOUCHED) == [(0xB0, 0, 0)]


def test_a_control_that_is_where_it_belongs_is_sent_nothing():
    stage = Stage(bound())
    stage.look()
    stage.hand("cc 1/0", 64 / 127)
    stage.hand("cc 1/0", 90 / 127)
    assert stage.look() == [] and stage.look() == []


def test_a_motor_fader_that_says_back_where_it_was_sent_changes_nothing():
    stage = Stage(bound())
    stage.look()
    stage.set("/truncation", 0.7003)
    (_, _, value), = stage.look()
    assert stage.hand("cc 1/0", value / 127) == [] and stage.scene["/truncation"] == 0.7003
    assert stage.hand("cc 1/0", (value + 1) / 127) != []    # the hand goes on from there


def test_a_motor_fader_that_answers_late_does_not_fight_a_morph():
    stage = Stage(bound())
    stage.look()
    on_the_way, sent = [], []
    for n in range(40):
        if n < 30:
            stage.set("/truncation", 0.5 + n / 80)
        on_the_way.append([value for _, _, value in stage.look(1 / 30)])
        sent += on_the_way[-1]
        for value in on_the_way.pop(0) if n >= 3 else ():       # a tenth of a second later it says back where it was sent
            assert stage.hand("cc 1/0", value / 127) == []
    assert stage.scene["/truncation"] == 0.5 + 29 / 80 and sent[-1] == round(127 * (0.5 + 29 / 80))
    assert len(sent) > 20                                       # nor does it hold itself up, as a hand would


def test_where_a_fader_was_sent_in_another_bank_it_has_hold_of_nothing():
    stage = Stage(bound(bank=1), bound(to="/noise", bank=2))
    stage.look()
    stage.set("/truncation", 0.8)
    (_, _, sent), = stage.look()
    stage.mapping.rebind(2)
    assert stage.hand("cc 1/0", sent / 127) == [] and stage.hand("cc 1/0", (sent + 1) / 127) == []
    assert stage.scene["/noise"] == 0.0


@pytest.mark.parametrize("seed", range(300))
def test_with_lights_too_nothing_jumps_further_than_the_hook_or_the_hand(seed):
    """Hands, recalls, banks and looks in any order, on a fader without a motor."""
    chance = random.Random(seed)
    stage, at = Stage(bound(bank=1, inverse=chance.random() < 0.5), bound(to="/noise", bank=2)), chance.randrange(128)
    for _ in range(60):
        what = chance.choices(("hand", "recall", "bank", "look"), (11, 4, 1, 4))[0]
        if what == "hand":
            before, now_at = stage.scene, min(max(at + chance.randrange(-6, 7), 0), 127)
            stage.moment += chance.choice((0.01, 0.05, 0.2))
            for change in stage.hand("cc 1/0", now_at / 127):
                assert abs(change.value - before[change.address]) <= max(HOOK, abs(now_at - at) / 127) + 0.5 / 127 + 1e-9
            at = now_at
        elif what == "recall":
            stage.set(chance.choice(("/truncation", "/noise")), chance.random())
        elif what == "bank":
            stage.mapping.rebind(chance.choice((1, 2)))
        else:
            stage.look(chance.choice((0.03, 0.3, 0.6)))


def test_a_hand_that_goes_back_to_where_the_fader_was_sent_is_heard():
    stage = Stage(bound(takeover="jump"))
    stage.set("/truncation", 0.0)
    stage.look()
    assert stage.hand("cc 1/0", 1.0) == [Change("/truncation", 1.0)]
    assert stage.hand("cc 1/0", 0.0) == [Change("/truncation", 0.0)]


def test_a_bank_shows_its_own_and_what_it_does_not_bind_goes_dark():
    stage = Stage(bound(bank=1), bound("cc 1/1", "/noise", bank=1), bound("cc 1/0", "/noise", bank=2), bound("note 1/9", "/bank", arguments=[2]))
    assert stage.look() == [(0xB0, 0, 64), (0xB0, 1, 0), (0x90, 9, 0)]
    stage.mapping.rebind(2)
    assert stage.look() == [(0xB0, 0, 0), (0x90, 9, 127), (0xB0, 1, 0)]


def test_who_is_answered_and_who_is_not():
    assert Stage(Binding(control="cc 1/0", to="/truncation")).look() == []                       # bound for any device
    assert Stage(Binding(control="cc 1/0", to="/truncation", feedback=True)).look() != []
    assert Stage(bound(feedback=False)).look() == []
    assert Stage(bound(), device="Piano").look() == []
    assert Stage(bound(to="/walk/z"), bound("cc 1/1", "/gone"), bound("pressure 1"), bound("program 1/1", "/freeze")).look() == []


def test_commands_with_a_state_light_up():
    stage = Stage(bound("note 1/1", "/freeze"))
    stage.look()
    stage.set("/output/freeze", 1.0)
    assert stage.look() == [(0x90, 1, 127)]


def test_a_profile_says_how():
    stage = Stage(Binding(control="cc 1/16", to="/truncation", relative="sign"), device="X-TOUCH MINI", profile=devices.list_profiles()["x_touch_mini_mc"])
    found = stage.look()
    while more := stage.look():
        found += more
    assert (0xB0, 48, 6) in found and (0x90, 89, 0) in found and len(found) == 26                # the rest is dark


def test_no_more_than_a_device_can_take():
    stage = Stage(*(bound(f"cc {channel}/{n}") for channel in (1, 2) for n in range(100)))
    looks = [len(stage.look()) for _ in range(20)]
    assert max(looks) <= MOST + 1 and sum(looks) == 200


def until(condition, deadline=90.0):
    end = now() + deadline
    while not condition():
        assert now() < end
        sleep(0.01)


def test_a_device_that_goes_while_it_is_written_to(caplog):
    stage = Stage(bound())
    stage.feedback.now = now
    stage.port.fails = True
    stage.feedback.start()
    until(lambda: stage.port.closed)
    assert "can't be sent to any more: no such port" in caplog.text
    assert stage.hand("cc 1/0", 0.52)                       # its hands play on


def test_a_device_that_blocks_holds_up_nobody():
    stage = Stage(bound())
    stage.feedback.now, stage.port.gate = now, threading.Event()
    other = Feedback(stage, NANO + " #2", Port())
    stage.feedback.start(), other.start()
    until(lambda: len(other.port) == 1)
    stage.feedback.close(), other.close()                   # neither waits
    until(lambda: other.port.closed)
    assert not stage.port.closed
    stage.port.gate.set()
    until(lambda: stage.port.closed)


def test_messages_of_the_profile_go_first_and_what_was_shown_is_forgotten_at_the_end():
    stage = Stage(Binding(control="bend 9", to="/truncation"), device="X-TOUCH MINI", profile=devices.list_profiles()["x_touch_mini_mc"])
    stage.feedback.now = now
    stage.mapping.shown["bend 9 @ X-TOUCH MINI"] = 0.5, 0.0
    stage.feedback.start()
    until(lambda: len(stage.port) > 1)
    assert stage.port[0] == (0xB0, 127, 1)
    stage.feedback.close()
    until(lambda: stage.port.closed and not stage.mapping.shown)
