"""Another network during the show: opened beside it, crossed over to in pixels, whatever its shape; with its own presets and directions."""
import numpy as np
import pytest

from engine.checkpoints import native
from live.instrument.carrying import carry_scene
from live.instrument.open import Opened, open_instrument
from live.instrument.switch import Switch
from live.outputs.dissolve import blend_pictures, fit_picture, lay_bright
from live.show.governor import Governor
from live.show.threads import LEAST
from tests.conftest import tiny
from tests.engine.shapes import SHAPES, shaped
from tests.live.instrument.test_finds import Playing, save

AMOUNT = "/directions/a/amount"


class Screen(list):
    def put(self, frame):
        self.append(frame.pixels.copy())


@pytest.fixture
def one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = native.save(tmp_path / "net.safetensors", tiny(), "float32")
    native.save(tmp_path / "other.safetensors", tiny(mapping_layers=3), "float32")
    playing = Playing(network)
    playing.switch = Switch(playing.show, playing.opened, 30.0, False, "fp32", size=32, device="cpu", threads=1)
    playing.show.join(switch=playing.switch, governor=Governor(playing.show, 30.0, [32]))
    playing.screen = Screen()
    playing.show.outputs.append(playing.screen)
    yield playing
    playing.show.close()


def go(one, where, *more, seconds=0.2):
    """Open another instrument and wait until it has come."""
    one.send("/instrument/seconds", seconds)
    one.send("/instrument/open", (str(where), *more) if more else str(where))
    one.play()
    one.switch.loading.join(180)


def test_it_plays_on_and_then_crosses_over(one, tmp_path):
    one.send("/walk/kind", "hold")
    one.send("/walk/seed", 5)
    one.play(2)
    first = one.screen[-1]
    go(one, tmp_path / "other.safetensors")
    one.play(3)
    between = one.screen[-1]
    one.play(8)
    last = one.screen[-1]
    other = open_instrument(tmp_path / "other.safetensors", device="cpu", threads=1)
    assert one.show.instrument is one.switch.opened.instrument and one.switch.crossing is None
    assert one.show.scene["/walk/seed"] == 5 and one.show.scene["/walk/kind"] == "hold"
    assert np.array_equal(last, other.instrument.render(one.show.scene, one.show.motion, None).pixels)
    assert 0 < np.abs(between.astype(int) - first).mean() and 0 < np.abs(between.astype(int) - last).mean()


def test_the_first_frame_of_a_crossing_makes_no_scene_over_and_over(one, tmp_path, monkeypatch):
    """It once made what an instrument begins with for each of its 315 parameters, and was late for it."""
    made, begin = [], Opened.begin
    monkeypatch.setattr(Opened, "begin", lambda opened: made.append(opened) or begin(opened))
    go(one, tmp_path / "other.safetensors")
    one.play(3)
    assert one.switch.crossing is not None and len(made) <= 4


@pytest.mark.parametrize("name", SHAPES)
def test_whatever_its_shape(one, tmp_path, name):
    native.save(tmp_path / "shape.safetensors", shaped(name), "float32")
    one.play()
    go(one, tmp_path / "shape.safetensors", seconds=0.1)
    one.play(6)
    assert one.switch.opened.folder.generator.name == "shape.safetensors" and {picture.shape for picture in one.screen} == {(32, 32, 3)}
    go(one, tmp_path / "net.safetensors", seconds=0.0)
    one.play(2)
    assert one.show.instrument is one.opened.instrument                        # it was kept open


def test_its_own_presets_directions_and_what_cannot_come_along(one, tmp_path, caplog):
    save(tmp_path / "other", tiny(mapping_layers=3))
    other = Playing(tmp_path / "other.safetensors")
    other.send(AMOUNT, 1.5)
    other.play()
    other.send("/preset/store", "moved")
    other.play()
    other.show.close()
    one.play()
    go(one, tmp_path / "other.safetensors", "moved")
    one.play(2)
    assert one.show.scene[AMOUNT] == 1.5 and one.show.recall.library.list_names() == ["moved"] and one.show.recall.current == "moved"
    assert one.finds is not one.show.finds and one.show.finds.describe()["directions"] == ["a", "b", "c"]
    one.send("/panic")
    one.play()
    assert one.show.scene[AMOUNT] == 0.0
    go(one, tmp_path / "net.safetensors")
    one.play(2)
    assert AMOUNT not in one.show.scene.parameters


def test_what_is_wrong_is_one_line_and_the_show_goes_on(one, tmp_path, caplog):
    (tmp_path / "bad.pkl").write_bytes(b"nothing")
    one.play()
    go(one, tmp_path / "bad.pkl")
    one.play()
    go(one, "nowhere")
    one.play()
    assert "is not opened" in caplog.text and "there is no such instrument" in caplog.text and one.show.instrument is one.opened.instrument


def test_bends_that_do_not_fit_are_left_out(one, tmp_path):
    small = native.save(tmp_path / "small.safetensors", tiny(resolution=16, channels={4: 8, 8: 8, 16: 8}), "float32")
    bends = [one.opened.instrument.bend({"name": name, "layer": layer, "transform": "invert"}) for name, layer in (("a", "b8.conv0"), ("b", "b32.conv1"))]
    opened = open_instrument(small, device="cpu", threads=1)
    scene, lost = carry_scene(one.show.scene.with_bends(bends), opened, opened.begin())
    assert [bend.name for bend in scene.bends] == ["a"] and lost == ["bend b"]


@pytest.mark.parametrize("matte", ["fade", "luma", "map"])
def test_two_under_a_fader(one, tmp_path, matte):
    one.send("/walk/kind", "hold")
    one.play(2)
    first = one.screen[-1]
    go(one, tmp_path / "other.safetensors", seconds=0.0)
    one.play(3)
    last = one.screen[-1]
    one.send("/instrument/matte", matte)
    one.send("/instrument/mix", 1.0)
    one.play(2)
    assert np.array_equal(one.screen[-1], first)
    one.send("/instrument/mix", 0.4)
    one.play(2)
    assert not np.array_equal(one.screen[-1], first) and not np.array_equal(one.screen[-1], last)
    one.send("/instrument/mix", 0.0)
    one.play(2)
    assert np.array_equal(one.screen[-1], last) and one.show.instrument is one.switch.opened.instrument
    one.send("/instrument/mix", 0.5)
    one.play(2)
    go(one, tmp_path / "net.safetensors", seconds=0.1)
    one.play(8)
    assert one.switch.crossing is None and one.switch.opened is one.opened


def test_the_map_of_a_layer_says_where_the_one_before_lies(one, tmp_path):
    """Where the key is white it is that one, where it is black the other, at every size of layer; and nobody is watched for it afterwards."""
    one.send("/walk/kind", "hold")
    one.play(2)
    before = one.screen[-1]
    go(one, tmp_path / "other.safetensors", seconds=0.0)
    one.play(3)
    last = one.screen[-1]
    one.send("/instrument/matte", "map")
    one.send("/instrument/mix", 0.5)
    shown = []
    for size in ("8", "256"):
        one.send("/instrument/layer", size)
        one.play(2)
        shown.append(one.screen[-1])
        layer = {"8": "b8.conv1", "256": "b32.conv1"}[size]                 # the largest there is
        instrument = open_instrument(tmp_path / "net.safetensors", device="cpu", threads=1).instrument
        instrument.watch([f"layer {layer} key"])
        instrument.render(one.switch.held.scene, one.switch.held.motion, None)
        key = instrument.look_inside(f"layer {layer} key")[:, :, 0]
        assert np.array_equal(shown[-1][key > 165], before[key > 165]) and np.array_equal(shown[-1][key < 90], last[key < 90]), size
    assert not np.array_equal(*shown)
    one.send("/instrument/mix", 0.0)
    one.play(2)
    assert one.opened.instrument.drawing.layers == () and np.array_equal(one.screen[-1], last)


def test_what_is_bright_is_laid_over_first():
    under, over = np.full((1, 3, 3), 10, np.uint8), np.array([[[0] * 3, [128] * 3, [255] * 3]], np.uint8)
    assert np.array_equal(lay_bright(under, over, 0.0), under) or (lay_bright(under, over, 0.0)[0, :2] == 10).all()
    assert np.array_equal(lay_bright(under, over, 1.0), over)
    half = lay_bright(under, over, 0.4)
    assert (half[0, 0] == 10).all() and (half[0, 2] == 255).all()


def test_pictures_are_fitted_and_blended():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    assert (fit_picture(wide, (20, 20)) == 200).all() and fit_picture(wide, (20, 20)).shape == (20, 20, 3)
    assert fit_picture(wide, (10, 30)) is wide
    assert (blend_pictures(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 200, np.uint8), 0.25) == 50).all()


def test_where_a_frame_has_no_time_for_both_each_is_drawn_in_every_second(one, tmp_path):
    one.send("/walk/kind", "wander")
    one.play(2)
    one.switch.loader.costs = {one.opened.folder.generator: 0.02, tmp_path / "other.safetensors": 0.03}
    one.switch.loader.open_one = lambda folder: (open_instrument(folder.whole, device="cpu", threads=1), 0.03)
    said = []
    one.show.notices.tell = lambda text, kind="": said.append(text)
    go(one, tmp_path / "other.safetensors", seconds=1.0)
    one.play(2)
    both = one.opened.instrument, one.switch.opened.instrument
    before = [instrument.drawings for instrument in both]
    one.play(10)
    assert [instrument.drawings - drawn for instrument, drawn in zip(both, before)] == [5, 5]
    assert any("takes 30 ms a frame and what plays 20 ms, of 33 ms" in text for text in said)
    assert len({picture.tobytes() for picture in one.screen[-10:]}) == 10              # it goes on in every frame


def test_what_opens_a_network_gives_way_to_the_show(one, tmp_path):
    import os
    import sys

    if sys.platform != "linux":
        pytest.skip("a thread's own niceness is Linux's")
    seen, mine = [], os.getpriority(os.PRIO_PROCESS, 0)
    opened = one.switch.loader.open_one
    one.switch.loader.open_one = lambda folder: (seen.append(os.getpriority(os.PRIO_PROCESS, 0)), opened(folder))[1]
    one.play()
    go(one, tmp_path / "other.safetensors")
    assert seen == [max(mine, LEAST)] and os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_the_one_before_is_grafted_into_the_one_that_plays(one, tmp_path, caplog):
    from engine.grafting import Grafting
    from live.instrument.graft import Graft
    from tests.engine.test_mixing import stranger, tuned

    native.save(tmp_path / "kin.safetensors", tuned(), "float32")
    one.show.join(graft=Graft(one.show, Grafting))
    said = []
    one.show.notices.tell = lambda text, kind="": said.append(text)
    one.send("/graft/layer", "8")
    one.send("/graft/mix", 0.8)
    one.play(3)
    assert [text for text in said if "no instrument before" in text] == ["there is no instrument before to graft: open another one"]
    one.send("/graft/mix", 0.0)
    one.send("/walk/kind", "hold")
    go(one, tmp_path / "kin.safetensors", seconds=0.0)
    one.play(3)
    plain = one.screen[-1]
    one.send("/graft/mix", 1.0)
    one.play(2)
    assert not np.array_equal(one.screen[-1], plain)
    one.send("/graft/mix", 0.0)
    one.play(2)
    assert np.array_equal(one.screen[-1], plain)
    native.save(tmp_path / "far.safetensors", stranger(), "float32")
    native.save(tmp_path / "small.safetensors", tiny(resolution=16, channels={4: 8, 8: 6, 16: 8}), "float32")
    one.send("/graft/mix", 1.0)
    go(one, tmp_path / "far.safetensors", seconds=0.0)
    one.play(2)
    one.show.find_player("graft").thread.join(60)
    one.play(2)
    assert any("is a stranger" in text for text in said) and one.show.find_player("graft").playing.ready
    go(one, tmp_path / "small.safetensors", seconds=0.0)
    one.play(3)
    assert any("is not grafted: b8.conv1: 8 maps of 8 x 8 there, 6 maps of 8 x 8 here; they fit at 4, 16 px" in text for text in said)
