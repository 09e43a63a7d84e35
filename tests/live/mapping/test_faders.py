"""The quick way for OSC faders says what the mapping says without it, or nothing."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.mapping.binding import Binding
from live.mapping.faders import Faders
from live.mapping.mapping import Mapping
from live.show.events import Change, ControlEvent, make_fader_events
from tests.conftest import tiny

CONTROLS = ("osc /truncation", "osc /n/truncation", "osc /walk/kind", "osc /n/walk/seed", "osc /walk/z", "osc /fader", "osc /freeze",
            "osc /n/nowhere", "osc /walk/*", "cc 1/16", "key space")
VALUES = st.one_of(st.floats(-2, 2), st.integers(-3, 3), st.just(float("inf")))
EVENTS = st.lists(st.builds(ControlEvent, st.sampled_from(CONTROLS), VALUES, st.booleans(), st.just(1.0)), max_size=6)


@pytest.fixture(scope="module")
def scene():
    from engine.instrument import Instrument

    return Instrument(tiny()).scene()


def mapping():
    return Mapping([[Binding(control="osc /fader", to="/truncation"), Binding(control="osc /truncation", to="/noise/strength")]])


class Never:
    def translate(self, *_):
        return None


def last_of(found):
    """What the changes come to, and the calls."""
    return {c.address: c.value for c in found if isinstance(c, Change)}, [c for c in found if not isinstance(c, Change)]


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=6))
def test_it_says_the_same(scene, frames):
    quick, slow = mapping(), mapping()
    slow._faders = Never()
    for events in frames:
        assert last_of(quick.translate(events, scene)) == last_of(slow.translate(events, scene))


def test_hundreds_at_once_and_again_when_the_parameters_have_changed(scene):
    found = Faders()
    controls = ("osc /truncation", "osc /n/style/fine/mix")
    events = make_fader_events(controls, (0.25, 0.5), 1.0) + make_fader_events(controls, (0.5, 1.0), 2.0)
    assert events[0] == ControlEvent("osc /truncation", 0.25, False, 1.0)
    assert found.translate(events, scene.parameters, set(controls)) == [Change("/truncation", 0.5), Change("/style/fine/mix", 1.0)]
    assert found.translate(events, scene.parameters, set()) is None                     # bound to something since
    fewer = {a: p for a, p in scene.parameters.items() if a != "/truncation"}
    assert found.translate(events, fewer, set(controls)) is None
