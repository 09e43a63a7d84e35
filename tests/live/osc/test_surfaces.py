"""Feedback for OSC surfaces: controls are told where they stand at their own addresses, in their own range, pads together."""
import socket

import pytest

from engine.motion import Motion
from engine.parameter import Parameter
from engine.scene import Scene
from live.mapping.binding import Binding
from live.mapping.mapping import Mapping
from live.osc.echo import Echo
from live.osc.subscriber import Subscriber
from live.osc.surfaces import Surfaces
from live.show.events import ControlEvent
from live.show.parameters import add_parameters
from tests.live.osc.test_echo import Ear

SCENE = add_parameters(Scene({"/truncation": Parameter(0.25), "/noise": Parameter(0.5, 0.0, 8.0), "/output/freeze": Parameter(0.0, step=1), "/output/blackout": Parameter(0.0)}))


def bound(control, to, **more):
    return Binding(**{"control": f"osc {control}", "to": to, "takeover": "jump", "feedback": True} | more)


class Stage:
    """A show as far as an echo looks at it, a time to turn, and one listener."""
    memory = None

    def __init__(self, *bindings, **listener):
        self.scene, self.motion, self.time, self.mapping = SCENE, Motion(), 100.0, Mapping([list(bindings)])
        self.echo = Echo(lambda: (self.scene, self.motion), now=lambda: self.time, started=False, surfaces=Surfaces(self, lambda: self.time))
        self.ear = Ear()
        self.echo.join("ear", Subscriber("ear", self.ear.send, lambda: None, **listener))

    def hand(self, address, value):
        self.scene = self.scene.set(self.mapping.translate([ControlEvent(f"osc {address}", value, False, self.time)], self.scene))

    def told(self, seconds=0.5, **changes):
        """What is told of controls in so many seconds."""
        self.scene = self.scene.set_values({"/" + name: value for name, value in changes.items()})
        for _ in range(round(seconds * 60)):
            self.time += 1 / 60
            self.echo.turn()
        return {address: value for address, value in self.ear.told().items() if address not in SCENE.parameters}


def test_everything_once_then_what_changes():
    stage = Stage(bound("/1/fader1", "/truncation"), bound("/1/fader2", "/noise", feedback=False))
    assert stage.told() == {"/1/fader1": 0.25}
    assert stage.told(truncation=0.75, noise=3.0) == {"/1/fader1": 0.75}
    assert stage.told() == {}


@pytest.mark.parametrize("more, told", [({"from": [0, 127]}, 31.75), ({"from": [-1, 1]}, -0.5), ({"from": [1, 0]}, 0.75), ({"inverse": True}, 0.75),
                                        ({"range": [0.0, 0.5]}, 0.5), ({"curve": "square"}, 0.5), ({"argument": 3}, (0.0, 0.0, 0.25))])
def test_in_the_controls_own_numbers(more, told):
    assert Stage(bound("/a", "/truncation", **more)).told() == {"/a": pytest.approx(told)}


def test_the_arguments_of_a_pad_are_told_together_and_what_is_not_bound_as_it_was_sent():
    stage = Stage(bound("/xy", "/truncation", argument=2), bound("/xy", "/noise", argument=3, **{"from": [0, 80]}))
    assert stage.told()["/xy"] == pytest.approx((0.0, 0.25, 5.0))
    stage.hand("/xy", ("deck a", 0.5, 40.0))
    assert stage.told(noise=8.0) == {"/xy": ("deck a", 0.5, 80.0)}


def test_a_control_that_a_hand_is_on_is_left_alone_and_told_in_its_own_capitals():
    stage = Stage(bound("/1/Fader1", "/truncation"))
    stage.told()
    for n in range(10):
        stage.hand("/1/FADER1", 0.3 + n / 100)
        assert stage.told(0.1) == {}
    assert stage.told() == {"/1/FADER1": pytest.approx(0.39)}


def test_buttons_and_commands_that_have_a_state():
    stage = Stage(bound("/freeze", "/output/freeze", mode="toggle", **{"from": [0, 127]}), bound("/black", "/blackout"))
    assert stage.told() == {"/freeze": 0.0, "/black": 0.0} or stage.told() == {"/black": 0.0}
    assert stage.told(**{"output/freeze": 1.0, "output/blackout": 1.0})["/black"] == 1.0


def test_another_bank_is_told_anew():
    stage = Stage(bound("/a", "/truncation", bank=1), bound("/a", "/noise", bank=2))
    assert stage.told() == {"/a": 0.25}
    stage.mapping.rebind(2)
    assert stage.told() == {"/a": 0.0625}


@pytest.mark.parametrize("listener, heard", [({"prefix": "/n"}, True), ({"prefix": "/1"}, True), ({"prefix": "/2"}, False), ({"form": "text"}, False), ({"form": "all"}, True)])
def test_who_is_told(listener, heard):
    assert ("/1/a" in Stage(bound("/1/a", "/truncation"), **listener).told()) == heard


def test_where_nobody_listens_the_port_it_came_from_is_told_and_only_of_controls():
    stage = Stage(bound("/1/a", "/truncation"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as surface:
        surface.bind(("127.0.0.1", 0))
        surface.settimeout(60.0)
        stage.echo.leave(lambda key, subscriber: True)
        stage.hand("/1/a", 0.5)
        stage.echo.note_said(surface.getsockname(), [("/1/a", 0.5)])
        stage.told(1.0)
        stage.told(1.0, truncation=1.0)
        heard = surface.recv(2000)
        assert heard.startswith(b"/1/a\0") and b"truncation" not in heard
    stage.echo.leave(lambda key, subscriber: True)
