"""What hands do to scaled faders, encoders, parameter numbers and banks: positions in, heard out."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.parameter import Parameter
from engine.scene import Scene
from live.mapping import curves
from live.mapping.binding import Binding
from live.mapping.learned import escape_device
from live.mapping.mapping import Mapping
from live.mapping.takeover import HOOK
from live.midi import relative
from live.show.events import Change, ControlEvent

PARAMETERS = {"/truncation": Parameter(0.5), "/hue": Parameter(0.0, 0.0, 360.0, curve="circular"), "/count": Parameter(6, 2, 64, step=1),
              "/walk/kind": Parameter("loop", choices=("loop", "hold", "drift")), "/noise": Parameter(0.2), "/on": Parameter(0.0, step=1)}


class Hand:
    """One mapping, one scene; values() sends a control's values 0..127 one by one, a frame each, and says what was heard."""

    def __init__(self, *bindings):
        self.mapping, self.scene, self.moment = Mapping([list(bindings)]), Scene(PARAMETERS), 0.0

    def hear(self, *events):
        found = self.mapping.translate(list(events), self.scene)
        self.scene = self.scene.set([item for item in found if isinstance(item, Change)])
        return [item.value for item in found]

    def cc(self, value, control="cc 1/16", gap=1.0):
        self.moment += gap
        return ControlEvent(control, value / 127, False, self.moment)

    def values(self, *values, control="cc 1/16", gap=1.0):
        return [self.hear(self.cc(value, control, gap)) for value in values]

    def put(self, address, value):
        self.scene = self.scene.set([Change(address, value)])


def one(control="cc 1/16", to="/truncation", **more):
    return Hand(Binding(control=control, to=to, **more))


# -- scaled takeover: the value is at 0.5, which is 63.5 of 127

@pytest.mark.parametrize("positions, heard", [
    ((0,), [[]]),                                              # nobody knows from where
    ((0, 127), [[], [1.0]]),                                   # both at the top
    ((96, 127), [[], [1.0]]),                                  # the last quarter of the way takes it there
    ((96, 0), [[], [0.0]]),
    ((95.25, 111.125), [[], [0.75]]),                          # half of its own way left, half of the value's
    ((95.25, 79.375), [[], [5 / 12]]),                         # down by a sixth of its way
    ((64, 70), [[64 / 127], [pytest.approx(70 / 127)]]),       # they have met: plain
])
def test_scaled(positions, heard):
    assert one(takeover="scale").values(*positions) == [[pytest.approx(v) for v in values] for values in heard]


def test_scaled_reaches_both_ends_of_its_range():
    hand = one(takeover="scale", range=[0.25, 0.75])
    hand.values(100, 110, 127)
    assert hand.scene["/truncation"] == pytest.approx(0.75)
    hand.put("/truncation", 0.5)
    hand.values(100, 60, 0)
    assert hand.scene["/truncation"] == pytest.approx(0.25)


# -- curves

@pytest.mark.parametrize("curve", curves.CURVES)
@pytest.mark.parametrize("inverse", [False, True])
def test_each_curve_has_an_inverse_and_reaches_both_ends(curve, inverse):
    places = [curves.place(n / 50, (0.2, 0.8), curve, inverse) for n in range(51)]
    assert sorted(places, reverse=inverse) == places and sorted([places[0], places[-1]]) == pytest.approx([0.2, 0.8])
    for n, place in enumerate(places):
        assert curves.position(place, (0.2, 0.8), curve, inverse) == pytest.approx(n / 50, abs=1e-6)
    assert curves.position(0.0, (0.2, 0.8), curve, inverse) == pytest.approx(float(inverse))


def test_a_binding_has_its_curve():
    assert one(takeover="jump", curve="square").values(64)[0] == [pytest.approx((64 / 127) ** 2)]


# -- encoders

@pytest.mark.parametrize("encoding, value, clicks", [
    ("twos", 1, 1), ("twos", 64, 64), ("twos", 127, -1), ("twos", 65, -63), ("twos", 0, 0),
    ("sign", 1, 1), ("sign", 64, 64), ("sign", 65, -1), ("sign", 127, -63), ("sign", 0, 0),
    ("offset", 65, 1), ("offset", 127, 63), ("offset", 63, -1), ("offset", 1, -63), ("offset", 64, 0),
])
def test_what_encoders_say(encoding, value, clicks):
    assert relative.count_clicks(encoding, value / 127) == clicks


@pytest.mark.parametrize("values, encoding", [
    ((1, 1, 1), "twos"), ((127, 127), "twos"), ((1, 2, 2, 127), "twos"), ((65, 65), "offset"), ((63, 63, 65), "offset"), ((1, 1, 65), "sign"),
    ((10, 11, 12), None), ((0, 0), None), ((64, 64), None), ((30, 30, 31), None), ((5,), None), ((), None),
])
def test_the_encoding_is_guessed(values, encoding):
    assert relative.guess_encoding(values) == encoding


@pytest.mark.parametrize("clicks, seconds, acceleration, found", [
    (1, 0.01, 0.0, 1.0), (1, 1.0, 5.0, 1.0), (1, 1 / 40, 1.0, 2.0), (-1, 1 / 40, 1.0, -2.0), (2, 1 / 20, 1.0, 4.0), (1, 0.0, 10.0, relative.MOST),
])
def test_turned_fast_it_goes_further(clicks, seconds, acceleration, found):
    assert relative.accelerate(clicks, seconds, acceleration) == pytest.approx(found)


@pytest.mark.parametrize("more, values, end", [
    ({}, [1] * 10, 0.5 + 10 / 128),
    ({}, [127, 126], 0.5 - 3 / 128),
    ({"click": 0.1}, [1, 1, 1, 1, 1, 1, 1], 1.0),
    ({"click": 0.1, "inverse": True}, [1], 0.4),
    ({"click": 0.1, "range": [0.4, 0.6]}, [1] * 9, 0.6),
    ({"click": 0.1, "range": [0.6, 0.9]}, [127], 0.5),           # outside its range it does not go further out
    ({"click": 0.1, "range": [0.6, 0.9]}, [1] * 4, 0.62),
])
def test_an_encoder_goes_on_from_the_value_there_is(more, values, end):
    hand = one(relative="twos", **more)
    hand.values(*values)
    assert hand.scene["/truncation"] == pytest.approx(end)


def test_it_needs_no_takeover_and_every_click_of_a_frame_counts():
    hand = one(relative="twos", click=0.1)
    hand.values(1)
    hand.put("/truncation", 0.1)
    hand.hear(*(hand.cc(1) for _ in range(3)))
    assert hand.scene["/truncation"] == pytest.approx(0.4)


def test_small_clicks_add_up_to_whole_steps():
    hand = one(to="/count", relative="twos")
    assert hand.values(1, 1, 1, 1) == [[], [7.0], [], [8.0]]
    kinds = one(to="/walk/kind", relative="twos", click=0.12)
    assert [v for values in kinds.values(*[1] * 9) for v in values] == ["hold", "drift"]


def test_an_angle_goes_round():
    hand = one(to="/hue", relative="twos", click=0.25)
    assert [round(v) % 360 for values in hand.values(1, 1, 1, 1, 127) for v in values] == [90, 180, 270, 0, 270]


# -- NRPN

def nrpn(hand, number, value, fine=True, control="1"):
    pairs = [(99, number >> 7), (98, number & 127), (6, value >> 7)] + ([(38, value & 127)] if fine else [])
    return [hand.cc(part, f"cc {control}/{n}") for n, part in pairs]


def test_parameter_numbers_with_14_bits():
    hand = one("nrpn 1/300", takeover="jump")
    for value in (0, 5000, 5001, 16383):
        hand.hear(*nrpn(hand, 300, value))
        assert hand.scene["/truncation"] == pytest.approx(value / 16383)


def test_with_the_number_said_once_and_with_7_bits():
    hand = one("nrpn 1/300", takeover="jump")
    hand.hear(*nrpn(hand, 300, 0x40 << 7, fine=False))
    assert hand.scene["/truncation"] == pytest.approx(64 / 127)
    assert hand.hear(hand.cc(127, "cc 1/6")) == [1.0]


def test_other_numbers_channels_and_registered_ones_are_not_it():
    hand = one("nrpn 1/300", takeover="jump")
    for events in (nrpn(hand, 301, 9000), nrpn(hand, 300, 9000, control="2"), [hand.cc(1, "cc 1/6")],
                   [hand.cc(0, "cc 1/101"), hand.cc(0, "cc 1/100"), hand.cc(5, "cc 1/6")]):
        assert hand.hear(*events) == []


def test_its_parts_are_no_controls_of_their_own():
    lower = [Binding(control="cc 1/6", to="/noise", takeover="jump")]
    mapping = Mapping([lower, [Binding(control="nrpn 1/300", to="/truncation", takeover="jump")]])
    assert mapping.translate([ControlEvent("cc 1/6", 0.3)], Scene(PARAMETERS)) == []
    assert Mapping([lower]).translate([ControlEvent("cc 1/6", 0.3)], Scene(PARAMETERS)) == [Change("/noise", 0.3)]


# -- banks

def banked():
    return Hand(Binding(control="cc 1/16", to="/truncation", bank=1), Binding(control="cc 1/16", to="/noise", bank=2),
                Binding(control="note 1/36", to="/on", mode="momentary", bank=1), Binding(control="cc 1/17", to="/noise", takeover="jump"))


def test_each_bank_has_its_bindings_and_those_without_one_are_in_all():
    hand = banked()
    hand.values(64)
    hand.mapping.rebind(2)
    assert hand.values(24) == [[pytest.approx(24 / 127)]] and hand.scene["/truncation"] == pytest.approx(64 / 127)
    assert hand.values(90, control="cc 1/17") == [[pytest.approx(90 / 127)]]


def test_a_change_of_bank_arms_the_takeover_anew():
    hand = banked()
    assert hand.values(64, 127) == [[64 / 127], [1.0]]
    hand.put("/truncation", 0.3)
    hand.mapping.rebind(2)
    assert hand.values(100) == [[]]                             # far from /noise
    hand.mapping.rebind(1)
    assert hand.values(90, 60) == [[], []] and hand.values(30) == [[pytest.approx(30 / 127)]]


def test_a_control_of_another_bank_is_not_the_general_mappings():
    mapping = Mapping([[Binding(control="cc 1/16", to="/hue", takeover="jump")], [Binding(control="cc 1/16", to="/noise", bank=2)]])
    assert mapping.translate([ControlEvent("cc 1/16", 0.5)], Scene(PARAMETERS)) == []


def test_what_is_held_down_through_a_change_of_bank_is_let_go():
    hand = banked()
    assert hand.hear(ControlEvent("note 1/36", 1.0, True)) == [1.0]
    hand.mapping.rebind(2)
    assert hand.hear(ControlEvent("note 1/36", 0.0, True)) == [0.0]
    assert hand.hear(ControlEvent("note 1/36", 1.0, True)) == []


# -- the promise

STEPS = st.one_of(st.tuples(st.sampled_from(["fader", "other", "wide"]), st.integers(0, 127)),
                  st.tuples(st.sampled_from(["elsewhere", "recall"]), st.floats(0, 1)),
                  st.tuples(st.just("bank"), st.integers(1, 3)), st.tuples(st.just("unplugged"), st.just(0)),
                  st.tuples(st.just("learn"), st.integers(0, 127)), st.tuples(st.just("undo"), st.just(0)))


@settings(deadline=None, max_examples=200)
@given(st.lists(STEPS, max_size=40), st.sampled_from(list(curves.CURVES)), st.booleans())
def test_a_picked_up_control_never_jumps_further_than_its_hook(steps, curve, inverse):
    """Nor than the hand itself has just moved it, whatever order moves, recalls, banks, cables and learning come in."""
    controls = {"fader": "cc 1/16 @ Nano", "other": "cc 1/17 @ Nano", "wide": "cc 1/18 @ Nano"}
    hand = Hand(Binding(control="cc 1/16", to="/truncation", bank=1), Binding(control="cc 1/16", to="/noise", bank=2),
                Binding(control="cc 1/17", to="/truncation", curve=curve, inverse=inverse), Binding(control="cc 1/17", to="/noise", bank=3),
                Binding(control="cc 1/18", to="/noise", range=[0.0, 1.0]))
    places = {}                                                 # where each control puts its target, by binding
    for kind, value in steps:
        if kind in ("elsewhere", "recall"):
            for address in ("/truncation", "/noise")[kind == "elsewhere":]:
                hand.put(address, value)
        elif kind == "bank":
            hand.mapping.rebind(value)
        elif kind == "unplugged":
            hand.hear(ControlEvent("device Nano", 0.0, True)), hand.hear(ControlEvent("device Nano", 1.0, True))
            places.clear()
        elif kind == "learn":
            hand.mapping.learn.keep(Binding(control="cc 1/16", to="/noise", device=escape_device("Nano"), bank=1))
            hand.mapping.rebind()
        elif kind == "undo":
            hand.mapping.learn.undo()
            hand.mapping.rebind()
        else:
            before = {address: hand.scene[address] for address in ("/truncation", "/noise")}
            hand.hear(ControlEvent(controls[kind], value / 127))
            for h in hand.mapping._find_bound(controls[kind]):
                moved = abs(hand.scene[h.binding.to] - before[h.binding.to])
                last = places.get(controls[kind])
                travelled = 0.0 if last is None else abs(h.binding.put(value / 127) - h.binding.put(last))
                assert moved <= max(HOOK, travelled) + 1e-9
            places[controls[kind]] = value / 127
