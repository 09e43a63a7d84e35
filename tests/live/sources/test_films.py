"""Films and pictures as cameras, phones, editors and browsers write them: seen as a player would show them."""
import functools
import gc
import http.server
import itertools
import pathlib
import struct
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from engine.errors import UserError
from live import sources
from live.sources.feed import Feed
from live.sources.frames import convert_video_frame, list_errors
from live.sources.light import HLG, PQ
from live.sources.stream import hide_password
from live.sources.video import Video

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(height=48, width=64):
    """Red above left, green above right, blue below left, white below right."""
    picture = np.zeros((height, width, 3), np.uint8)
    for (y, x), colour in zip(itertools.product((0, 1), (0, 1)), (RED, GREEN, BLUE, WHITE)):
        picture[y * height // 2:(y + 1) * height // 2, x * width // 2:(x + 1) * width // 2] = colour
    return picture


def corners(pixels):
    """The colours of a picture's four corners, by their names."""
    names = {RED: "r", GREEN: "g", BLUE: "b", WHITE: "w"}
    found = ""
    for y, x in itertools.product((0.25, 0.75), (0.25, 0.75)):
        pixel = pixels[int(y * pixels.shape[0]), int(x * pixels.shape[1])].astype(int)
        found += names[min(names, key=lambda c: abs(np.array(c) - pixel).sum())]
    return found


def write(path, pictures, codec="mpeg4", pixels="yuv420p", fps=25, times=None, aspect=None, tags=None, options=None, gop=None):
    """A film; times in seconds, one a picture."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=fps, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        context = stream.codec_context
        context.time_base = Fraction(1, fps) if times is None else Fraction(1, 1000)
        if gop:
            context.gop_size = gop
        if aspect:
            context.sample_aspect_ratio = aspect
        for name, value in (tags or {}).items():
            setattr(context, name, value)
        for n, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24" if picture.shape[2] == 3 else "rgba").reformat(
                format=pixels, **({"dst_colorspace": tags["matrix"]} if tags and "matrix" in tags else {}))
            frame.time_base = context.time_base
            frame.pts = n if times is None else round(times[n] * 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def seen(text, count, longest=64):
    made = sources.make(text, longest).pictures()
    found = list(itertools.islice(made, count))
    made.close()
    return found


# -- shape, turn, fields


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.mpg"])
@pytest.mark.parametrize("aspect, shape", [(Fraction(4, 3), (36, 64)), (Fraction(1, 2), (64, 43)), (None, (48, 64))])
def test_pixels_that_are_not_square(tmp_path, name, aspect, shape):
    codec = "mpeg2video" if name in ("a.mpg", "a.ts") else "mpeg4"
    if codec == "mpeg2video" and aspect == Fraction(1, 2):
        pytest.skip("MPEG-2 has no such shape")
    path = write(tmp_path / name, [quarters()] * 12, codec, aspect=aspect)
    first = seen(f"video={path}", 1)[0].pixels
    assert first.shape[:2] == pytest.approx(shape, abs=1) and corners(first) == "rgbw"


def test_a_shape_that_changes_on_the_way(tmp_path):
    for name, aspect in (("a.ts", Fraction(4, 3)), ("b.ts", Fraction(1, 1))):
        write(tmp_path / name, [quarters()] * 5, "mpeg2video", aspect=aspect)
    (tmp_path / "c.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    shapes = [s.pixels.shape[:2] for s in seen(f"video={tmp_path / 'c.ts'}", 10)]
    assert shapes[0] == (36, 64) and shapes[-1] == (48, 64)


MATRICES = {                        # a, b, c, d of a display matrix -> corners of "rgbw" as they are then seen
    (1, 0, 0, 1): "rgbw", (0, 1, -1, 0): "brwg", (-1, 0, 0, -1): "wbgr", (0, -1, 1, 0): "gwrb",
    (-1, 0, 0, 1): "grwb", (1, 0, 0, -1): "bwrg", (0, 1, 1, 0): "rbgw", (0, -1, -1, 0): "wgbr",
}


@pytest.mark.parametrize("matrix", MATRICES)
def test_a_phones_turns_and_mirrors(tmp_path, matrix):
    path = write(tmp_path / "a.mp4", [quarters()] * 2)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (number << 16 for number in matrix)
    assert struct.unpack(">9i", data[at:at + 36]) == (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    data[at:at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    first = seen(f"video={path}", 1)[0].pixels
    assert corners(first) == MATRICES[matrix]
    assert first.shape[:2] == ((64, 48) if matrix[0] == 0 else (48, 64))


def test_of_two_fields_one_is_seen():
    """Two moments woven into one frame would be a comb; half the light of each is no picture either."""
    woven = np.zeros((48, 64, 3), np.uint8)
    woven[::2, :32], woven[1::2, 32:] = 255, 255
    frame = av.VideoFrame.from_ndarray(woven, format="rgb24")
    pixels = convert_video_frame(frame, 64, woven=True)                  # av frames can't be told so
    assert pixels.shape == (48, 64, 3) and pixels[:, :31].min() == 255 and pixels[:, 33:].max() == 0


@pytest.mark.skipif(not pathlib.Path("/proc/self/task").exists(), reason="where threads are counted")
def test_a_film_that_goes_round_leaves_no_threads_lying(tmp_path):
    film, number = tmp_path / "film.mp4", 12
    with av.open(str(film), "w") as file:
        stream = file.add_stream("mpeg4", rate=4)
        stream.width = stream.height = 64
        for n in range(number):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 * n, np.uint8), format="rgb24")))
        file.mux(stream.encode())
    playing = Video(str(film), 32).pictures()
    gc.disable()                                                    # a show seldom looks for what nothing refers to
    try:
        threads = []
        for _ in range(5):
            for _ in range(number):
                next(playing)
            threads.append(len(list(pathlib.Path("/proc/self/task").iterdir())))
    finally:
        gc.enable()
    assert threads[-1] < threads[0] + number                        # each picture began two, once


# -- light


@pytest.mark.parametrize("matrix, number, height", [("ITU601", 5, 48), ("ITU709", 1, 48), ("ITU709", 2, 720), ("ITU601", 2, 480)])
def test_colours_of_every_standard(matrix, number, height):
    """number 2: the file does not say."""
    frame = av.VideoFrame.from_ndarray(np.full((height, 64, 3), (192, 32, 64), np.uint8), format="rgb24").reformat(
        format="yuv444p", dst_colorspace=matrix)
    frame.colorspace = number
    assert np.abs(convert_video_frame(frame, 64).astype(int) - (192, 32, 64)).max() <= 4


@pytest.mark.parametrize("transfer, grey, white", [(PQ, 0.58, 0.5807), (HLG, 0.75, 0.75)])
def test_high_dynamic_range_is_brought_down(transfer, grey, white):
    def shown(level):
        frame = av.VideoFrame.from_ndarray(np.full((8, 8, 3), round(level * 65535), np.uint16), format="rgb48le")
        frame.color_trc, frame.color_primaries = transfer, 9
        return convert_video_frame(frame, 8)[0, 0].astype(int)

    levels = [shown(level) for level in np.linspace(0, 1, 9)]
    assert all(level.max() - level.min() <= 2 for level in levels)                      # greys stay grey
    assert all(b.mean() >= a.mean() for a, b in zip(levels, levels[1:]))
    assert levels[0].max() == 0 and levels[-1].min() >= 250
    assert 225 <= shown(white).mean() <= 250                                            # what is white on paper


@pytest.mark.parametrize("name, codec, pixels", [("a.webm", "libvpx-vp9", "yuva420p"), ("a.webm", "libvpx", "yuva420p"), ("a.mov", "prores_ks", "yuva444p10le"),
                                                 ("a.mov", "png", "rgba"), ("a.mov", "qtrle", "argb"), ("a.mkv", "ffv1", "yuva420p")])
def test_what_is_transparent_is_black(tmp_path, name, codec, pixels):
    picture = np.dstack([quarters(), np.full((48, 64), 255, np.uint8)])
    picture[:, 32:, 3] = 0
    path = write(tmp_path / name, [picture] * 3, codec, pixels, options={"auto-alt-ref": "0"} if "vpx" in codec else None)
    if name == "a.webm":
        with av.open(str(path)) as file:
            if file.streams.video[0].metadata.get("alpha_mode") != "1":
                pytest.skip("this ffmpeg does not write that alpha")
    first = seen(f"video={path}", 1)[0].pixels
    assert first[:, 34:].max() <= 8 and first[:24, :30, 0].min() >= 220


# -- times


@pytest.mark.parametrize("times, wanted", [
    ([0.0, 0.04, 0.5, 0.54], [0.0, 0.04, 0.5, 0.54]), ([5.0, 5.04, 5.08], [0.0, 0.04, 0.08]), ([0.0, 0.04, 7200.0, 7200.04], [0.0, 0.04, 0.08, 0.12]),
    ([0.0, 6.0, 6.04], [0.0, 6.0, 6.04])])
def test_times_that_vary_begin_late_or_leap(tmp_path, times, wanted):
    path = write(tmp_path / "a.mkv", [quarters()] * len(times), times=times)
    found = seen(f"video={path}", len(times) + 1)
    assert [s.due for s in found[:-1]] == pytest.approx(wanted, abs=0.003)
    assert [s.lasts for s in found[:-2]] == pytest.approx(np.diff(wanted), abs=0.003)     # a long one is not a lost one
    assert found[-1].number == 0 and found[-1].due > wanted[-1]


def test_joined_recordings_whose_times_begin_anew(tmp_path):
    path = write(tmp_path / "a.ts", [quarters()] * 10, "mpeg2video")
    path.write_bytes(path.read_bytes() * 3)
    found = seen(f"video={path}", 25)
    assert np.diff([s.due for s in found]) == pytest.approx(np.full(24, 0.04), abs=0.005)


def test_a_film_without_a_key_frame_at_its_beginning(tmp_path):
    path = write(tmp_path / "a.ts", [quarters() // (1 + n % 3) for n in range(40)], "mpeg2video", gop=12)
    data = path.read_bytes()
    path.write_bytes(data[188 * (len(data) // 188 // 3):])
    assert len(seen(f"video={path}", 5)) == 5


def test_a_file_that_grows(tmp_path):
    whole = write(tmp_path / "whole.mkv", [quarters()] * 30, gop=1).read_bytes()
    path = tmp_path / "a.mkv"
    path.write_bytes(whole[:len(whole) // 2])
    made = sources.make(f"video={path}", 64).pictures()
    numbers = [next(made).number for _ in range(5)]
    path.write_bytes(whole)
    numbers += [next(made).number for _ in range(60)]
    assert numbers[:2] == [0, 1] and max(numbers) == 29
    (tmp_path / "b.mp4").write_bytes(write(tmp_path / "c.mp4", [quarters()] * 9).read_bytes()[:700])
    with pytest.raises(UserError, match="not finished yet"):
        seen(f"video={tmp_path / 'b.mp4'}", 1)


# -- which stream, and what is no film


def test_a_cover_is_not_the_film_and_a_song_is_none(tmp_path):
    Image.fromarray(np.full((90, 90, 3), 255, np.uint8)).save(tmp_path / "cover.jpg")
    for name, film in (("film.mp4", True), ("song.mp4", False)):
        with av.open(str(tmp_path / name), "w") as file, av.open(str(tmp_path / "cover.jpg")) as cover:
            art = file.add_stream_from_template(cover.streams.video[0])
            art.disposition = art.disposition.__class__.attached_pic
            other = file.add_stream("mpeg4", rate=25) if film else file.add_stream("aac", rate=44100, layout="mono")
            if film:
                other.width, other.height, other.pix_fmt = 64, 48, "yuv420p"
            packet = next(cover.demux())
            packet.stream = art
            file.mux(packet)
            for _ in range(3):
                frame = (av.VideoFrame.from_ndarray(quarters(), format="rgb24").reformat(format="yuv420p") if film
                         else av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono"))
                if not film:
                    frame.sample_rate = 44100
                file.mux(other.encode(frame))
            file.mux(other.encode())
    assert corners(seen(f"video={tmp_path / 'film.mp4'}", 1)[0].pixels) == "rgbw"
    with pytest.raises(UserError, match="only a cover picture"):
        seen(f"video={tmp_path / 'song.mp4'}", 1)


def test_a_picture_under_a_films_name_stays(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    found = seen(f"video={tmp_path / 'a.mp4'}", 3)
    assert len(found) == 1 and found[0].lasts is None and corners(found[0].pixels) == "rgbw"
    assert (sources.make(f"video={tmp_path / 'a.mp4'}", 64).at(0) == found[0].pixels).all()


@pytest.mark.parametrize("kind, name", [("video", "a.gif"), ("images", "a.gif"), ("images", "a.webp"), ("video", "a.webp"), ("images", "a.png")])
def test_pictures_that_move(tmp_path, kind, name):
    frames = [Image.new("RGB", (32, 24), colour) for colour in (RED, GREEN, BLUE)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=[60, 300, 100], loop=0, **({"lossless": True} if "webp" in name else {}))
    source = sources.make(f"{kind}={tmp_path / name}", 64)
    found = list(itertools.islice(source.pictures(), 7))
    assert [tuple(s.pixels[9, 9]) for s in found[:4]] == [RED, GREEN, BLUE, RED]
    assert [s.due for s in found] == pytest.approx([0, 0.06, 0.36, 0.46, 0.52, 0.82, 0.92])
    assert all((source.at(s.number) == s.pixels).all() for s in found)


def test_a_folder_with_a_picture_that_moves_shows_each_for_its_time(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    frames[0].save(tmp_path / "1.gif", save_all=True, append_images=frames[1:], duration=[500, 500], loop=0)
    for name in ("2.png", "10.png"):
        Image.new("RGB", (8, 8), BLUE).save(tmp_path / name)
    source = sources.make(f"images={tmp_path}", 64)
    found = list(itertools.islice(source.pictures(), 11))
    assert [s.due for s in found] == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 8, 12]
    assert [path.name for path in source.files] == ["1.gif", "2.png", "10.png"]
    assert all((source.at(s.number) == s.pixels).all() for s in found)
    with pytest.raises(KeyError):
        source.at(3 * 2)


def test_a_folder_of_odd_names(tmp_path, caplog):
    names = ["10.png", "2.png", "with space.png", "ünïcode ☃.JPG", "a\nb.png"]
    for name in names:
        Image.new("RGB", (8, 8), RED).save(tmp_path / name)
    for name in ("._2.png", "Thumbs.db", "IMG_1.HEIC"):
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "sub.png").mkdir()
    source = sources.make(f"images={tmp_path}", 64)
    assert [path.name for path in source.files] == ["2.png", "10.png", "a\nb.png", "with space.png", "ünïcode ☃.JPG"]
    assert ".heic is not supported" in caplog.text


@pytest.mark.parametrize("text, says", [
    ("video=-", "standard input can't be"), ("video={}", "a folder of pictures is --source images="), ("video=/dev/null", "that is a device"),
    ("images={}/x.heic", "heic is not supported; convert"), ("clip.mp4", "a film is video=clip.mp4"), ("http://x/y.mp4", "a film is video=http://x/y.mp4"),
    ("video=foo://x", "an address that begins with http://")])
def test_what_can_not_be_is_said_in_a_line(tmp_path, text, says):
    (tmp_path / "x.heic").write_bytes(b"ftypheic")
    with pytest.raises(UserError, match=says) as error:
        sources.make(text.format(tmp_path), 64)
    assert "\n" not in str(error.value)


# -- in the network


@pytest.fixture
def served(tmp_path):
    """A folder in the network: its address."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["video", "camera"])
@pytest.mark.parametrize("name, codec", [("a.ts", "mpeg2video"), ("a.mp4", "mpeg4")])
def test_a_film_in_the_network_goes_round_at_its_own_times(tmp_path, served, kind, name, codec):
    write(tmp_path / name, [quarters()] * 5, codec)
    found = seen(f"{kind}={served}/{name}", 12)
    assert np.diff([s.due for s in found]) == pytest.approx(np.full(11, 0.04), abs=0.003)
    assert corners(found[0].pixels) == "rgbw"


def test_a_camera_in_the_network_is_found_again(tmp_path):
    data = write(tmp_path / "a.ts", [quarters()] * 25, "mpeg2video").read_bytes()
    calls, ended = [], threading.Event()

    class Camera(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            calls.append(self.path)
            if len(calls) == 2:
                return self.send_error(503)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)                                  # and hangs up
            if len(calls) == 3:
                ended.set()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    feed = Feed(f"video=http://me:secret@127.0.0.1:{server.server_port}/", 64).start()
    try:
        assert ended.wait(120)
        while feed.arrived < 26:
            assert feed._thread.is_alive()
            threading.Event().wait(0.01)
        assert feed.reconnects >= 1 and corners(feed.newest.pixels) == "rgbw"
        assert "secret" not in feed.text and feed.source.exact is False
    finally:
        feed.close()
        server.shutdown()
        server.server_close()


def test_nobody_there_is_said_without_the_password():
    with pytest.raises(list_errors()) as error:
        seen("video=http://me:secret@127.0.0.1:9/x", 1)
    assert "secret" not in str(error.value) and "me:***@" in str(error.value)
    assert hide_password("video=rtsp://a:b@c/d") == "video=rtsp://a:***@c/d" and hide_password("video=a.mp4") == "video=a.mp4"
