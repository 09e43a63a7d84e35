"""What pages are told of hands elsewhere, in whichever order the threads come to it."""
import pytest

from live.osc.receiver import Receiver
from live.osc.stats import KEPT, Stats
from live.surface.hub import Hands
from tests.live.memory_rig import Rig
from tests.senders.touchdesigner import message

KNOB = "osc /my/knob"


class Desk:
    """A show whose OSC arrives when a test says so: receive() is the receiver's thread, play() the loop's."""

    def __init__(self, folder):
        self.rig = Rig(folder)
        self.stats = self.rig.show.mapping.stats = Stats()
        self.receiver = Receiver(None, self.rig.show.inbox.put, None, None, self.stats)
        self.hands, self.play, self.send = Hands(self.rig.show), self.rig.play, self.rig.send

    def receive(self, address, value):
        self.receiver.receive(message(address, value), ("127.0.0.1", 5000))


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "scenes").mkdir()
    found = Desk(tmp_path)
    yield found
    found.rig.close()


def test_an_unknown_control_is_told_again_once_the_loop_has_found_out(desk):
    desk.receive("/my/knob", 0.25)
    assert desk.hands.take_moved() == {KNOB: [0.25, True]}        # read before the loop has looked at it
    desk.play()
    assert desk.hands.take_moved() == {KNOB: [0.25, False]}
    assert desk.hands.take_moved() == {}


def test_a_control_that_was_bound_is_unknown_no_longer(desk):
    desk.receive("/my/knob", 0.25)
    desk.play()
    assert desk.hands.take_moved()[KNOB] == [0.25, False]
    desk.send("/osc/learn", "/truncation", "/my/knob")
    desk.play()
    assert desk.hands.take_moved() == {KNOB: [0.25, True]}
    desk.receive("/My/Knob", 0.5)                                 # capital letters make no difference to a binding
    desk.play()
    assert desk.hands.take_moved() == {"osc /My/Knob": [0.5, True]}


def test_addresses_that_mean_something_are_never_told_as_unknown(desk):
    for address in ("/truncation", "/n/truncation", "/TRUNCATION", "/panic"):
        desk.receive(address, 0.5)
    desk.play()
    assert all(bound for _, bound in desk.hands.take_moved().values())


def test_what_is_unknown_stays_so_while_it_keeps_coming_and_the_newest_are_kept(desk):
    for number in range(KEPT + 3):
        desk.receive(f"/my/{number}", 0.5)
    desk.receive("/my/5", 0.75)
    desk.play()
    newest = [number for number in range(3, KEPT + 3) if number != 5] + [5]
    assert list(desk.stats.unknown_values) == [f"/my/{number}" for number in newest]
    assert desk.stats.unknown_values["/my/5"] == 0.75
