"""What each output shows: the programme or another picture, and that nothing is made for nobody."""
import numpy as np
import pytest

from engine.errors import UserError
from engine.instrument import Instrument
from live.mapping.mapping import Mapping
from live.outputs import service
from live.outputs.pictures import list_pictures
from live.outputs.spec import OutputSpec
from live.show.clock import FixedClock
from live.show.events import ControlEvent
from live.show.loop import Show
from live.show.parameters import add_parameters
from tests.conftest import tiny


class Screen:
    def __init__(self, name):
        self.name, self.frames, self.sent, self.dropped = name, [], 0, 0

    def put(self, frame):
        self.frames.append(frame.pixels.copy())

    def close(self):
        pass


class Camera:
    def __init__(self):
        self.pixels = np.full((20, 10, 3), 200, np.uint8)

    def picture(self, scene):
        return self.pixels

    def note_frame(self):
        pass


@pytest.fixture
def opened(monkeypatch):
    """opened(**pictures) -> (show, {output: its screen}, play): outputs that begin with these pictures."""
    import contextlib

    stack = contextlib.ExitStack()

    def make(instrument=None, **pictures):
        instrument = instrument or Instrument(tiny())
        show = Show(instrument, Mapping(), add_parameters(instrument.scene()), strict=True)
        screens = {}
        monkeypatch.setattr(service, "open_output", lambda spec, **more: screens.setdefault(spec.name, Screen(spec.name)))
        service.open_outputs(show, [OutputSpec(name, "null", picture=picture) for name, picture in pictures.items()], stack)
        ticks = FixedClock(30).ticks()

        def play(*hands, frames=1):
            for address, value in hands:
                show.inbox.put(ControlEvent(f"osc {address}", value))
            for _, tick in zip(range(frames), ticks):
                show.frame(tick)
            return {name: screen.frames[-1] for name, screen in screens.items()}

        return show, screens, play

    yield make
    stack.close()


def test_each_output_shows_its_own_picture(opened):
    show, _, play = opened(wall="programme", floor="layer b16.conv1", desk="source", mirror="same as floor")
    show.source = Camera()
    first = play(frames=2)
    assert (first["wall"] != first["floor"]).any() and (first["floor"] == first["mirror"]).all()
    assert (first["floor"] == show.instrument.look_inside("layer b16.conv1")).all()
    assert first["desk"].shape == (32, 32, 3) and (first["desk"][:, 8:24] == 200).all() and not first["desk"][:, :8].any()


def test_it_is_turned_while_it_plays_and_then_nothing_is_kept(opened):
    show, _, play = opened(wall="programme", floor="programme")
    show.instrument.look_inside = lambda name: pytest.fail("nobody looks")
    assert all((a == b).all() for a, b in [play().values()])
    assert not show.instrument.drawing.synthesis.seen
    del show.instrument.look_inside
    shown = play(("/outputs/floor/picture", "layer b8.conv1 tiles"), ("/walk/seed", 9.0), frames=2)
    assert (shown["wall"] != shown["floor"]).any() and list(show.instrument.drawing.synthesis.seen) == ["b8.conv1"]
    shown = play(("/outputs/floor/picture", "programme"), ("/walk/seed", 10.0))
    assert (shown["wall"] == shown["floor"]).all() and not show.instrument.drawing.synthesis.seen


def test_it_moves_with_the_picture(opened):
    show, screens, play = opened(floor="layer b8.conv1")
    play(("/walk/kind", "wander"), ("/walk/speed", 2.0), frames=6)
    frames = screens["floor"].frames
    assert all((a != b).any() for a, b in zip(frames[1:], frames[2:]))


def test_the_programme_is_the_same_whatever_else_is_shown(opened):
    _, plain, play = opened(wall="programme")
    _, beside, both = opened(wall="programme", floor="layer b32.conv1 tiles", desk="cue", view="source")
    hands = [(("/walk/kind", "wander"), ("/walk/speed", 3.0)), (("/truncation", 0.3),), (("/bends/add", "a"),), ()]
    for moved in hands:
        play(*moved, frames=2)
        both(*moved, frames=2)
    assert all((a == b).all() for a, b in zip(plain["wall"].frames, beside["wall"].frames))


def test_outputs_that_follow_each_other_and_pictures_that_are_not_there(opened):
    _, _, play = opened(a="same as b", b="same as a", c="source", d="cue")
    shown = play()
    assert (shown["a"] == shown["b"]).all() and shown["a"].any()            # the programme
    assert not shown["c"].any() and not shown["d"].any()


def test_black_is_black_everywhere_at_once(opened):
    _, _, play = opened(wall="programme", floor="layer b8.conv1")
    assert play()["floor"].any()
    half = play(("/output/blackout", 0.5))["floor"].astype(int).mean()
    assert not any(pixels.any() for pixels in play(("/output/blackout", 1.0)).values())
    assert 0 < half < play(("/output/blackout", 0.0), frames=2)["floor"].mean()


def test_a_picture_that_fails_is_black_and_the_programme_goes_on(opened, caplog):
    show, _, play = opened(wall="programme", floor="layer b8.conv1")

    def broken(name):
        raise RuntimeError("no memory")

    show.instrument.look_inside = broken
    shown = play()
    assert shown["wall"].any() and not shown["floor"].any() and "no memory" in caplog.text


def test_no_preset_holds_it_and_a_wrong_one_is_said(opened):
    show, _, play = opened(floor="layer b8.conv1")
    assert show.scene["/outputs/floor/picture"] == "layer b8.conv1"
    with pytest.raises(UserError, match="output floor: picture: no 'layer b9.conv1'; there are layer b4.conv1"):
        opened(floor="layer b9.conv1")
    assert list_pictures(["layer b4.conv1"], [OutputSpec("wall", "null")]) == ("programme", "source", "cue", "layer b4.conv1", "same as wall")


def test_what_flashes_inside_is_limited_as_well(opened):
    show, screens, play = opened(floor="source")
    show.source = camera = Camera()
    for n in range(60):
        camera.pixels = np.full((32, 32, 3), 255 * (n // 2 % 2), np.uint8)                      # 7.5 flashes a second
        play()
    means = np.array([frame.mean() for frame in screens["floor"].frames])
    turns = sum(abs(b - a) > 100 for a, b in zip(means, means[1:]))
    assert turns <= 14                                                      # of 30: three flashes a second, up and down
