"""Blackout wins over everything: in every order of keys and messages, whatever is held, fails or plays."""
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from engine.dimming import Dimmer
from engine.errors import UserError
from live.mapping.mapping import Mapping
from live.outputs.settings import Framings, make_output_parameters
from live.outputs.spec import OutputSpec
from live.show.data import item_from_plain, item_to_plain
from live.show.events import Call, ControlEvent, Fade
from live.takes.take import TakeReader
from tests.live.memory_rig import FPS, Rig

HANDS = {                                               # what a hand does -> what it stands for
    "b": ("key b", 1.0, "/output/blackout"), "space": ("key space", 1.0, "/output/freeze"),
    "/blackout": ("osc /blackout", 1.0, "/output/blackout"), "/freeze": ("osc /freeze", 1.0, "/output/freeze"),
}


def light(picture: bytes) -> float:
    return np.frombuffer(picture, np.uint8).mean()


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    rig.show.mapping = Mapping.load()
    yield rig
    rig.close()


def press(rig, *hands):
    for hand in hands:
        control, value, _ = HANDS[hand]
        rig.show.inbox.put(ControlEvent(control, value, True))


@pytest.mark.parametrize("order", [o for n in (1, 2, 3, 4) for o in itertools.product(("b", "space"), repeat=n)]
                         + [("/freeze", "/blackout"), ("/blackout", "/freeze", "/blackout"), ("b", "/freeze", "b")])
@pytest.mark.parametrize("together", [False, True])
def test_the_screen_is_black_exactly_while_blackout_is_on(rig, order, together):
    """Frozen, the picture of the moment of the freeze comes back, bit for bit, also where it was never seen."""
    twin = Rig()                                        # the same hands without blackouts
    twin.show.mapping = Mapping.load()
    rig.play(3), twin.play(3)
    for hands in [order] if together else [(hand,) for hand in order]:
        press(rig, *hands)
        press(twin, *(hand for hand in hands if HANDS[hand][2] == "/output/freeze"))
        for _ in range(2):
            seen, wanted = rig.play(), twin.play()
            assert seen == (bytes(len(wanted)) if rig.show.scene["/output/blackout"] else wanted)
    blackouts = sum(HANDS[hand][2] == "/output/blackout" for hand in order)
    assert rig.show.scene["/output/blackout"] == blackouts % 2


def falls(rig, frames):
    """The share of its light that each of so many frames has."""
    whole = light(rig.play())
    return lambda: [light(rig.play()) / whole for _ in range(frames)]


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("begin", [
    lambda rig: rig.send("/blackout", 0.5),
    lambda rig: (rig.send("/output/fade", 0.5), rig.send("/output/blackout", 1.0)),
    lambda rig: (rig.send("/output/fade", 0.5), rig.send("/blackout")),
    lambda rig: (rig.send("/output/fade", 9.0), rig.send("/blackout", 0.5))])
def test_a_fade_to_black_and_back_takes_its_seconds(rig, frozen, begin):
    rig.send("/walk/kind", "hold")
    rig.send("/output/freeze", float(frozen))
    watch = falls(rig, 20)
    begin(rig)
    down = watch()
    assert all(a > b or a == 0.0 for a, b in zip(down, down[1:]))
    for n, share in enumerate(down, 1):
        assert share == pytest.approx(max(0.0, 1 - n / (0.5 * FPS)), abs=0.02)
    rig.send("/blackout", 0.25)
    assert [s for s in watch() if s < 0.99] == pytest.approx([n / (0.25 * FPS) for n in range(1, 8)], abs=0.02)


def test_a_cut_in_the_middle_of_a_fade_is_a_cut(rig):
    rig.play()
    rig.send("/blackout", 60.0)
    assert light(rig.play(3)) > 0
    rig.send("/blackout"), rig.play()                   # back, and at once black
    rig.send("/blackout")
    assert light(rig.play()) == 0
    rig.send("/panic")
    assert light(rig.play()) > 0 and rig.show.scene["/output/blackout"] == 0


def test_seconds_of_one_fade_stay_with_it(rig):
    rig.send("/blackout", 0.1)
    rig.play(6)
    assert light(rig.play()) == 0 and rig.show.scene["/output/fade"] == 0
    rig.send("/output/blackout", 0.0)
    assert light(rig.play()) > 0
    assert rig.show.motion.fade_seconds is None


@pytest.mark.parametrize("seconds, message", [("soon", "/blackout: expected a number"), (float("nan"), "finite"), ([1], "number")])
def test_seconds_that_are_none_are_said(rig, seconds, message):
    from live.show.commands import call

    with pytest.raises(UserError, match=message):
        call(rig.show, Call("/blackout", (seconds,)))


def test_a_morph_goes_on_under_a_blackout(rig):
    for name, value in (("a", 0.0), ("b", 1.0)):
        rig.send("/truncation", value)
        rig.play()
        rig.send("/preset/store", name)
        rig.play()
    rig.send("/preset/recall", "a", 1.0)
    rig.play(3)
    rig.send("/blackout", 0.2)
    rig.play(40)
    assert rig.show.scene["/truncation"] == 0.0 and rig.show.scene["/output/blackout"] == 1.0


@pytest.mark.parametrize("where", ["instrument", "player", "mapping"])
def test_a_failing_frame_goes_black_all_the_same_and_comes_back(tmp_path, where):
    rig = Rig(tmp_path, strict=False)
    whole = rig.play(2)
    kept = rig.show.motion.advance

    def broken(*_, **__):
        raise RuntimeError("broken")
    if where == "instrument":
        rig.instrument._draw = broken
    elif where == "player":
        rig.show.players.append(SimpleNamespace(play=broken, after_hands=broken))
    else:
        rig.show.record = broken
    assert kept
    rig.send("/walk/seed", 9), rig.send("/blackout", 0.1)
    for _ in range(5):
        seen = rig.play()
    assert not any(seen)
    rig.send("/blackout")
    back = rig.play(2)
    assert any(back) and (where != "instrument" or back == whole)


@pytest.mark.parametrize("own", [False, True])
def test_no_take_lifts_a_blackout(tmp_path, own):
    """own: the take has a blackout itself, which is played."""
    rig = Rig(tmp_path)
    rig.show.recording.record_to(tmp_path / "a.take")
    for frame in range(9):
        if own and frame in (3, 6):
            rig.send("/blackout")
        rig.play()
    rig.show.recording.stop_take()
    rig.show.recording.writer.close()
    rig.send("/take/loop", "a")
    seen = "".join("#" if light(rig.play()) > 0 else "." for _ in range(9))
    assert "#...#" in seen if own else "." not in seen
    for dark in (True, False) if own else ():                       # the hands' begins when the take's has just ended
        while (light(rig.play()) == 0) != dark:
            pass
    rig.send("/blackout")
    assert not any(light(rig.play()) for _ in range(30))            # over the take's beginning, three times
    rig.send("/blackout")
    assert any(light(rig.play()) for _ in range(9))
    rig.close()


@pytest.mark.parametrize("send", [("key b", 1.0), ("osc /blackout", 1.0), ("osc /output/blackout", 1.0)])
def test_hands_black_out_a_replay_and_end_it(tmp_path, send):
    rig = Rig(tmp_path)
    rig.show.recording.record_to(tmp_path / "a.take")
    for _ in range(30):
        rig.play()
    rig.close()
    replay = Rig()
    replay.show.mapping = Mapping.load()
    reader, seen = TakeReader(tmp_path / "a.take", replay.base, replay.hash), []
    for n, _ in enumerate(reader.replay(replay.show)):
        seen.append(replay.screen[-1])
        replay.send("/truncation", 0.0)                             # the hands play nothing else
        if n == 5:
            replay.show.inbox.put(ControlEvent(send[0], send[1], True))
        if n == 10:
            replay.show.inbox.put(ControlEvent(send[0], 0.0 if send[0] == "osc /output/blackout" else 1.0, True))
        if n == 20:
            replay.send("/quit")
    assert len(seen) == 22
    for n, picture in enumerate(seen):
        assert picture == (bytes(len(picture)) if 6 <= n <= 10 else rig.screen[n])


@pytest.mark.parametrize("frozen", [False, True])
def test_a_take_of_a_fade_shows_it_again(tmp_path, frozen):
    rig = Rig(tmp_path)
    rig.show.recording.record_to(tmp_path / "a.take")
    for frame in range(30):
        if frame == 3 and frozen:
            rig.send("/freeze")
        if frame in (5, 20):
            rig.send("/blackout", 0.3)
        rig.play()
    rig.close()
    replay = Rig()
    reader = TakeReader(tmp_path / "a.take", replay.base, replay.hash)
    assert [replay.screen[-1] for _ in reader.replay(replay.show)] == list(rig.screen)


def test_a_fade_in_a_take_round_trips():
    fade = Fade(1.0, 4.0)
    assert item_from_plain(item_to_plain(fade), None) == fade


@pytest.mark.parametrize("dark", [0.0, 0.001, 0.25, 0.5, 0.9, 0.999, 1.0])
def test_dimming_is_what_multiplying_each_pixel_gives(dark):
    pixels = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    wanted = pixels.astype(float) * (1 - dark)
    assert np.abs(Dimmer(pixels.shape).dim(pixels, dark).astype(float) - wanted).max() <= 1.5


def test_a_dimmed_picture_stays_valid_until_three_later():
    dimmer, shown = Dimmer((4, 4, 3)), []
    for value in range(0, 250, 10):
        picture = dimmer.dim(np.full((4, 4, 3), value, np.uint8), 0.5, which=value // 30)
        shown.append((picture, picture.copy()))
        assert all((now == then).all() for now, then in shown[-4:])


def test_an_output_that_holds_its_picture_goes_black_as_well(rig):
    told = []
    spec = OutputSpec("wall", "null")
    rig.show.scene = rig.show.scene.with_parameters(make_output_parameters([spec]))
    rig.show.join(framings=Framings(rig.show, {"wall": told.append}, [spec]))
    rig.send("/outputs/wall/freeze", 1.0)
    rig.play()
    assert told[-1].freeze == 1 and told[-1].blackout == 0
    rig.send("/blackout", 0.2)
    rig.play(12)
    assert told[-1].blackout == 1 and 0 < told[-3].blackout < told[-2].blackout < 1
    rig.send("/outputs/wall/freeze", 0.0)
    rig.play(2)
    assert told[-1].blackout == 0                                   # the picture that comes is black already


def test_one_output_goes_black_as_slowly_as_all_of_them_do(rig):
    told, others = [], []
    specs = [OutputSpec("wall", "null"), OutputSpec("desk", "null")]
    rig.show.scene = rig.show.scene.with_parameters(make_output_parameters(specs))
    rig.show.join(framings=Framings(rig.show, {"wall": told.append, "desk": others.append}, specs))
    rig.send("/output/fade", 0.2)
    rig.play()
    rig.send("/outputs/wall/blackout", 1.0)
    rig.play(12)
    way = [framing.blackout for framing in told]
    assert way == sorted(way) and way[-1] == 1.0 and len(set(way)) > 3
    steps = np.diff(way[:-1])
    assert np.allclose(steps, steps[0]) and not any(framing.blackout for framing in others)
    rig.send("/outputs/wall/blackout", 0.0)
    rig.send("/output/fade", 0.0)                                   # a cut, from wherever it is
    rig.play(2)
    assert told[-1].blackout == 0.0
    settled = len(told)
    rig.play(3)
    assert len(told) == settled
