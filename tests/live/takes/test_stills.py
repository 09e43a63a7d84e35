"""Stills: what is up, as a file that can be drawn again."""
import io
import json

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from engine.errors import UserError
from engine.instrument import Instrument
from live.presets.preset import read_file
from live.takes.still import KEY, StillReader, is_still, read_still_header
from tests.conftest import tiny
from tests.live.memory_rig import Rig


def kept(rig, *name):
    """The picture that is up when /still is pressed, and where it was written."""
    shown = rig.screen[-1]
    rig.send("/still", *name)
    rig.play()
    rig.show.recording.stills._writer.flush()
    path = max(rig.show.recording.takes.glob("*.png"), key=lambda path: path.stat().st_mtime_ns)
    return shown, path


def again(path, rig, size=None):
    instrument = Instrument(tiny(), size)
    return StillReader(path, instrument.scene(), rig.hash).draw(instrument)


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    rig.send("/walk/kind", "wander")
    rig.send("/walk/speed", 3.0)
    rig.play(7)
    yield rig
    rig.close()


def test_what_is_up_is_kept_and_drawn_again_to_the_bit(rig):
    shown, path = kept(rig)
    assert path.name == "tiny-001.png" and is_still(path)
    assert pixels(path).tobytes() == shown and again(path, rig).tobytes() == shown
    assert rig.play(3) != shown


@pytest.mark.parametrize("hands", [
    [("/bends/add", "ripple")], [("/noise/mode", "random")], [("/modulators/add", "a", "/truncation", "sine", 0.9)], [("/output/blackout", 0.4)],
    [("/freeze",)], [("/quality/size", 16.0)], [("/truncation", 0.2), ("/style/fine/mix", 1.0)], [("/walk/z", (0.5, -1.0)), ("/walk/kind", "vector")]], ids=str)
def test_whatever_is_played(rig, hands):
    rig.show.strict = False
    for hand in hands:
        rig.send(*hand)
    rig.play(4)
    shown, path = kept(rig)
    assert again(path, rig).tobytes() == shown == pixels(path).tobytes()


def test_at_another_size_it_is_the_same_picture(rig):
    shown, path = kept(rig)
    small, large = again(path, rig, 16), again(path, rig, 32)
    assert small.shape == (16, 16, 3) and large.tobytes() == shown


def test_its_preset_lies_beside_it_and_leads_there(rig):
    rig.send("/truncation", 0.3)
    rig.play(2)
    shown, path = kept(rig, "dream")
    assert path.name == "dream.png"
    preset, notes = read_file(path.with_suffix(".yaml"), rig.base, rig.hash, rig.bend)
    assert not notes and preset.values["/truncation"] == 0.3
    assert preset.motion.walk == read_still_header(path)["motion"]["walk"]


def test_names_that_are_taken_are_never_written_over(rig):
    first = pixels(kept(rig, "a")[1])
    rig.play(5)
    assert kept(rig, "a")[1].name == "a-002.png" and kept(rig)[1].name == "tiny-001.png" and kept(rig)[1].name == "tiny-002.png"
    assert (pixels(rig.show.recording.takes / "a.png") == first).all()


def test_names_stay_in_the_folder_and_a_flood_waits(rig, caplog):
    rig.show.strict = False
    rig.send("/still", "../outside")
    rig.play()
    assert not (rig.show.recording.takes.parent / "outside.png").exists() and caplog.text
    rig.show.recording.stills.waiting = 8
    rig.send("/still")
    rig.play()
    assert "wait for the disk" in caplog.text


def test_a_source_has_its_part(rig, tmp_path):
    source = np.random.RandomState(1).randint(0, 256, (12, 20, 3), np.uint8)
    rig.show.instrument.source = source
    rig.show.scene = rig.show.scene.set_values({"/source/mix": 0.5})
    rig.play()
    rig.show.instrument.source = source
    _, path = kept(rig)
    assert (StillReader(path, rig.base, rig.hash).picture is not None)


def _forged(header=None, data=None):
    info = PngImagePlugin.PngInfo()
    if header is not None:
        info.add_itxt(KEY, header if isinstance(header, str) else json.dumps(header))
    out = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(out, "PNG", pnginfo=info)
    return out.getvalue() if data is None else data


WHOLE = {"format": "latent-jockey still", "schema": 1, "instrument": "", "generator": "", "size": 32, "fps": 30.0, "source": "", "scene": {"values": {}}, "motion": {}}


@pytest.mark.parametrize("data", [
    _forged(), _forged("{"), _forged("[1]"), _forged({"format": "latent-jockey take"}), _forged(WHOLE | {"schema": 2}), _forged(WHOLE | {"scene": 5}),
    _forged(WHOLE | {"scene": {"values": {"/truncation": "deep"}}}), _forged(WHOLE | {"motion": {"walk": "far"}}), _forged(WHOLE | {"scene": {"values": {"/nowhere": 1.0}}}),
    _forged(WHOLE | {"picture": "AAAA"}), _forged(WHOLE | {"size": "large"}), _forged({k: v for k, v in WHOLE.items() if k != "motion"}),
    b"\x89PNG\r\n\x1a\n", b"", _forged(WHOLE)[:40], _forged("[" * 100000)])
def test_what_is_no_still_is_said_in_one_line(tmp_path, data):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(UserError, match="a.png"):
        StillReader(path, Instrument(tiny()).scene())


def test_a_wide_show_keeps_its_shape(tmp_path):
    from fractions import Fraction

    from live.takes.take import Origin

    rig = Rig(tmp_path)
    rig.show.instrument = instrument = Instrument(tiny(), frame=Fraction(16, 9))
    rig.show.recording.origin = Origin("tiny", rig.hash, 32, 30.0, frame="16:9")
    rig.send("/frame/scroll", 0.4)
    rig.play(6)
    shown, path = kept(rig)
    assert pixels(path).shape == (32, 56, 3) and read_still_header(path)["frame"] == "16:9"
    wide = Instrument(tiny(), frame=Fraction(16, 9))
    assert StillReader(path, wide.scene(), rig.hash).draw(wide).tobytes() == shown
    assert instrument.shape is not None
    rig.close()
