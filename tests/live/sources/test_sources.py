"""Sources: pictures of every kind, small and upright, and what is said of those that can't be had."""
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from engine.errors import UserError
from live import sources
from live.sources import camera
from live.sources.frames import convert_image, convert_video_frame, fit_size

SIZES = [(16, 16), (333 // 3, 77), (2, 2), (640, 360)]


def write_video(path, pictures, fps=25, codec="ffv1", pixels="bgr0", times=None):
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = pixels, Fraction(1, 1000)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = round(1000 * (times[i] if times else i / fps)), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def numbered(count, size=(24, 32)):
    pictures = np.zeros((count, *size, 3), np.uint8)
    pictures[:, :, :, 0] = np.arange(count)[:, None, None] * 9
    pictures[:, : size[0] // 2, :, 2] = 200
    return list(pictures)


def some(source, count):
    made = source.pictures()
    found = [seen for seen, _ in zip(made, range(count))]
    made.close()
    return found


def test_a_video_goes_round_at_its_own_times(tmp_path):
    path = write_video(tmp_path / "a.mkv", numbered(5), times=[0.0, 0.1, 0.15, 0.4, 0.5])
    seen = some(sources.make(f"video={path}", 256), 7)
    assert [s.number for s in seen] == [0, 1, 2, 3, 4, 0, 1]
    assert [s.due for s in seen[:5]] == pytest.approx([0.0, 0.1, 0.15, 0.4, 0.5], abs=0.002)
    assert seen[5].due > seen[4].due and seen[6].due - seen[5].due == pytest.approx(0.1, abs=0.002)
    assert all((s.pixels == picture).all() for s, picture in zip(seen, numbered(5)))


@pytest.mark.parametrize("codec, pixels, suffix", [("libx264", "yuv420p", ".mp4"), ("libx264", "yuv444p", ".mov"), ("ffv1", "gray", ".mkv"),
                                                   ("ffv1", "gray16le", ".mkv"), ("ffv1", "bgra", ".mkv"), ("mjpeg", "yuvj422p", ".avi"),
                                                   ("ffv1", "yuv420p10le", ".mkv")])
@pytest.mark.parametrize("fps", [1, 24000 / 1001, 120])
def test_videos_of_every_kind(tmp_path, codec, pixels, suffix, fps):
    path = write_video(tmp_path / f"a{suffix}", numbered(4), fps, codec, pixels)
    seen = some(sources.make(f"video={path}", 16), 5)
    assert all(s.pixels.shape == (12, 16, 3) and s.pixels.dtype == np.uint8 for s in seen)
    assert [s.number for s in seen] == [0, 1, 2, 3, 0] and seen[1].due == pytest.approx(1 / fps, rel=0.1)
    assert seen[0].pixels[:5].mean() > seen[0].pixels[7:].mean()                # what is bright above stays above


def test_a_frame_found_by_its_number_is_the_one_that_was_shown(tmp_path):
    path = write_video(tmp_path / "a.mp4", [np.random.default_rng(i).integers(0, 255, (90, 120, 3), dtype=np.uint8) for i in range(9)], 25, "libx264", "yuv420p")
    shown = {s.number: s.pixels for s in some(sources.make(f"video={path}", 50), 9)}
    again = sources.make(f"video={path}", 50)
    for number in (0, 1, 1, 5, 8, 2, 0, 7):
        assert (again.at(number) == shown[number]).all()
    for number in (9, 10**9):
        with pytest.raises(KeyError):
            again.at(number)
    assert (again.at(3) == shown[3]).all()


def test_8k_1x1_and_black(tmp_path):
    large = np.zeros((4320, 7680, 3), np.uint8)
    large[:2160] = 255
    frame = convert_video_frame(av.VideoFrame.from_ndarray(large, format="rgb24"), 256)
    assert frame.shape == (144, 256, 3) and frame[:70].min() == 255 and frame[74:].max() == 0
    assert convert_video_frame(av.VideoFrame.from_ndarray(large[:1, :1], format="rgb24"), 256).tolist() == [[[255, 255, 255]]]
    path = write_video(tmp_path / "a.mkv", [np.zeros((2, 2, 3), np.uint8)])
    assert not some(sources.make(f"video={path}", 256), 2)[1].pixels.any()


def test_it_is_scaled_by_area():
    chess = np.indices((64, 64)).sum(0) % 2 * 255
    small = convert_video_frame(av.VideoFrame.from_ndarray(np.repeat(chess[..., None], 3, 2).astype(np.uint8), format="rgb24"), 16)
    assert np.abs(small.astype(int) - 127).max() <= 2


def test_red_stays_red():
    """BGR against RGB (SPEC.md E.D 8)."""
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    for pixels in ("rgb24", "bgr24", "bgra", "yuv444p", "gbrp"):
        seen = convert_video_frame(av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format=pixels), 8)
        assert seen[..., 0].min() > 245 and seen[..., 1:].max() < 10, pixels


def test_a_truncated_video_plays_as_far_as_it_goes(tmp_path):
    path = write_video(tmp_path / "a.mkv", [np.random.default_rng(i).integers(0, 255, (90, 120, 3), dtype=np.uint8) for i in range(20)])
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    seen = some(sources.make(f"video={path}", 50), 30)
    assert len(seen) == 30 and 0 < max(s.number for s in seen) < 19


@pytest.mark.parametrize("content", [b"", b"no video", b"\x1a\x45\xdf\xa3" + bytes(100)])
def test_what_is_no_video(tmp_path, content):
    (tmp_path / "a.mkv").write_bytes(content)
    from live.sources.frames import list_errors

    with pytest.raises(list_errors()):
        some(sources.make(f"video={tmp_path / 'a.mkv'}", 50), 1)


@pytest.mark.parametrize("text, says", [("video=nowhere.mp4", "no such file"), ("video", "no such file"), ("images=nowhere", "no such folder"),
                                        ("webcam", "camera, images, ndi, pattern, screen, spout, syphon, video"), ("pattern=round", "still")])
def test_what_the_flag_may_say(text, says):
    with pytest.raises(UserError, match=says):
        sources.make(text, 256)


# -- stills


def half(mode):
    """Bright on the left, dark on the right, 8 x 4."""
    levels = np.tile(np.array([200] * 4 + [20] * 4, np.uint8), (4, 1))
    if mode == "I;16":
        return Image.fromarray(levels.astype(np.uint16) * 257)
    if mode == "I":
        return Image.fromarray(levels.astype(np.int32) * 257)
    if mode == "F":
        return Image.fromarray(levels.astype(np.float32) / 255)
    return Image.fromarray(levels).convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "HSV"])
def test_stills_of_every_mode(mode):
    seen = convert_image(half(mode), 8)
    assert seen.shape == (4, 8, 3) and seen.dtype == np.uint8
    assert seen[:, :4].mean() > seen[:, 4:].mean() + 100
    if mode in ("I;16", "I", "F", "L", "RGB"):
        assert set(seen[..., 0].ravel()) == {200, 20}


def test_floats_that_are_not_finite():
    assert convert_image(Image.fromarray(np.array([[np.nan, np.inf, -np.inf, 2.0]], np.float32)), 8)[0, :, 0].tolist() == [0, 0, 0, 255]


@pytest.mark.parametrize("codec, layout, suffix", [("png", "rgba", "mov"), ("ffv1", "bgra", "mkv"), ("qtrle", "argb", "mov")])
def test_what_is_transparent_in_a_video_is_black(tmp_path, codec, layout, suffix):
    alpha = layout.index("a")
    pixels = np.full((32, 48, 4), 255, np.uint8)
    pixels[:, :16, alpha], pixels[:, 16:32, alpha] = 0, 128
    with av.open(str(tmp_path / f"a.{suffix}"), "w") as file:
        stream = file.add_stream(codec, 25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, layout
        file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, layout)))
        file.mux(stream.encode())
    shown = sources.make(f"video={tmp_path / f'a.{suffix}'}", 256).at(0)
    assert (shown[:, :16] == 0).all() and (shown[:, 16:32] == 128).all() and (shown[:, 32:] == 255).all()


def test_what_is_transparent_is_black():
    picture = half("RGBA")
    picture.putalpha(0)
    assert not convert_image(picture, 8).any()


@pytest.mark.parametrize("orientation, bright", [(1, np.s_[:, :4]), (3, np.s_[:, 4:]), (6, np.s_[:4]), (8, np.s_[4:]), (2, np.s_[:, 4:]), (5, np.s_[:4])])
def test_exif_turns(tmp_path, orientation, bright):
    picture, exif = half("RGB"), Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    seen = some(sources.make(f"images={tmp_path}", 8), 1)[0].pixels
    assert (seen[bright] == 200).all() and (seen == 200).sum() == seen.size / 2


def test_a_folder_of_stills_in_the_order_of_names(tmp_path):
    for i, name in enumerate(("b.jpg", "a.png", "c.webp")):
        Image.new("RGB", (20 + i, 10), (80 * i, 0, 0)).save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
    (tmp_path / "notes.txt").write_text("no picture")
    seen = some(sources.make(f"images={tmp_path}", 256), 4)
    assert [s.number for s in seen] == [0, 1, 2, 0] and seen[0].pixels[0, 0, 0] == 80
    assert [s.due for s in seen] == [0.0, 4.0, 8.0, 12.0]
    assert (sources.make(f"images={tmp_path}", 256).at(1) == seen[1].pixels).all()


def test_a_damaged_still_is_left_out(tmp_path, caplog):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    seen = some(sources.make(f"images={tmp_path}", 256), 3)
    assert {s.number for s in seen} == {0} and caplog.text.count("left out") == 1 and seen[-1].lasts is None


def test_no_still_at_all(tmp_path):
    with pytest.raises(UserError, match="no pictures"):
        sources.make(f"images={tmp_path}", 256)
    (tmp_path / "b.png").write_bytes(b"rubbish")
    with pytest.raises(UserError, match="none of its 1"):
        some(sources.make(f"images={tmp_path}", 256), 1)


def test_a_damaged_still_is_told_of_once_however_often_it_is_opened_again(tmp_path, caplog):
    (tmp_path / "b.png").write_bytes(b"rubbish")
    stills = sources.make(f"images={tmp_path}", 256)
    for _ in range(3):
        with pytest.raises(UserError, match="none of its 1"):
            some(stills, 1)
    assert caplog.text.count("left out") == 1


@pytest.mark.parametrize("width, height, longest, fits", [(7680, 4320, 256, (256, 144)), (1, 1, 256, (1, 1)), (4000, 1, 256, (256, 1)), (3, 9, 4, (1, 4))])
def test_fitting(width, height, longest, fits):
    assert fit_size(width, height, longest) == fits


def test_the_pattern(tmp_path):
    moving = sources.make("pattern", 64)
    seen = some(moving, 3)
    assert (seen[0].pixels != seen[2].pixels).any() and (moving.at(2) == seen[2].pixels).all()
    assert len(some(sources.make("pattern=still", 64), 3)) == 1


# -- cameras: their way through PyAV on a device that is not one


def test_pictures_of_a_device_come_as_they_are(tmp_path):
    with av.open("testsrc2=size=320x200:rate=30", format="lavfi") as file:
        stream = camera.read_stream(file, 64)
        seen = [next(stream) for _ in range(3)]
    assert [s.number for s in seen] == [0, 1, 2] and seen[0].pixels.shape == (40, 64, 3)
    assert seen[0].due is None and seen[0].lasts == pytest.approx(1 / 30)


def test_a_device_without_pictures(tmp_path):
    with av.open("sine", format="lavfi") as file, pytest.raises(UserError, match="sends no pictures"):
        next(camera.read_stream(file, 64))


def test_cameras_by_index_and_by_name(tmp_path):
    for number, name, index in ((0, "Integrated Webcam", 0), (1, "Integrated Webcam", 1), (2, "HD Pro C920", 0), (10, "Capture", 0)):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(f"{index}\n")
    assert camera._find_linux_device("2", tmp_path) == "/dev/video2"
    assert camera._find_linux_device("c920", tmp_path) == "/dev/video2"
    assert camera._find_linux_device("webcam", tmp_path) == "/dev/video0"
    for missing in ("7", "1", "gopro"):
        with pytest.raises(UserError, match=r"there are: 0 \(Integrated Webcam\), 2 \(HD Pro C920\), 10 \(Capture\)"):
            camera._find_linux_device(missing, tmp_path)
    with pytest.raises(UserError, match="no camera on this machine"):
        camera._find_linux_device("0", tmp_path / "none")
    with pytest.raises(UserError, match="no such device"):
        camera._find_linux_device("/dev/video99")


@pytest.mark.parametrize("platform, target, wanted", [("darwin", "0", "0:none"), ("darwin", "FaceTime", "FaceTime:none"), ("win32", "Cam", "video=Cam")])
def test_what_other_systems_call_a_camera(monkeypatch, platform, target, wanted):
    monkeypatch.setattr(camera.sys, "platform", platform)
    assert camera.find_address(target) == wanted
    monkeypatch.setattr(camera.sys, "platform", "plan9")
    with pytest.raises(UserError, match="plan9"):
        some(sources.make("camera", 64), 1)
