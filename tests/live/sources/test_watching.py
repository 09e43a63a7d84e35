"""A source in a show: it may stall, fail, come back or send anything; the loop plays on, and a take finds its pictures again."""
import hashlib
import queue
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import live.show.modulator_commands  # noqa: F401  (its commands)
from engine.encoder import Encoder
from engine.encoder_live import LiveEncoder
from engine.errors import UserError
from engine.instrument import Instrument
from live.presets.autosave import load_autosave
from live.show.events import Tick
from live.sources import Seen, make
from live.sources import flags as seeing
from live.sources.feed import Arrival, Feed
from live.sources.recorder import SourceRecorder
from live.sources.watching import Replayed, Watching
from live.takes.render import render
from live.takes.take import Origin, TakeReader
from tests.conftest import tiny
from tests.live.memory_rig import Rig
from tests.live.sources.test_sources import write_video

LAYER = "b16.conv1"
SOON = 90.0                         # seconds a thread may take before a test fails


class Fake:
    """A source that does what the test puts into its queue: yields a Seen, raises an error, ends on None."""
    exact = False

    def __init__(self):
        self.jobs, self.opened, self.closed = queue.Queue(), threading.Semaphore(0), False

    def pictures(self):
        self.opened.release()
        while (job := self.jobs.get()) is not None:
            if isinstance(job, BaseException):
                raise job
            yield job

    def at(self, number):
        raise KeyError(number)

    def close(self):
        self.closed = True


class Time:
    now = 0.0

    def __call__(self):
        return self.now


def picture(value, size=(20, 30)):
    pixels = np.full((*size, 3), value, np.uint8)
    pixels[: size[0] // 2, :, 1] = 255 - value
    return pixels


def until(true):
    """Wait for a thread to bring it about."""
    passed = threading.Event()
    for _ in range(int(SOON / 0.005)):
        if true():
            return
        passed.wait(0.005)
    raise AssertionError("it did not come about")


@pytest.fixture
def feed(monkeypatch):
    monkeypatch.setattr("live.sources.feed.BACK_OFF", (0.001, 0.002))
    fake, time = Fake(), Time()
    feed = Feed("fake", 64, now=time, made=fake).start()
    yield SimpleNamespace(feed=feed, fake=fake, time=time, put=fake.jobs.put)
    fake.jobs.put(None)
    feed._stop.set()
    fake.jobs.put(None)
    feed.close()


def test_states(feed):
    assert feed.feed.state == "waiting"
    feed.put(Seen(picture(1), 0, None, 0.1))
    until(lambda: feed.feed.state == "live")
    feed.time.now += 1.0
    assert feed.feed.state == "live"
    feed.time.now += 0.2
    assert feed.feed.state == "stalled"
    feed.put(Seen(picture(2), 1, None, 0.1))
    until(lambda: feed.feed.state == "live")
    assert feed.feed.newest.number == 1


@pytest.mark.parametrize("error", [OSError("unplugged"), UserError("source fake: gone"), ValueError("rubbish"), TypeError("a bug"), None])
def test_a_lost_source_is_opened_again_and_told_of_once(feed, error, caplog):
    feed.put(Seen(picture(1), 0, None, 0.1))
    until(lambda: feed.feed.newest)
    for _ in range(4):
        feed.put(error)
    for _ in range(5):
        assert feed.fake.opened.acquire(timeout=SOON)
    assert feed.feed.state == "lost" and feed.feed.newest is not None
    assert len([r for r in caplog.records if "trying again" in r.message]) == 1
    feed.put(Seen(picture(2), 1, None, 0.1))
    until(lambda: feed.feed.state == "live")
    assert feed.feed.reconnects == 1 and feed.feed.arrived == 2


def test_equal_pictures_are_one_arrival(feed):
    for i in range(5):
        feed.put(Seen(picture(7), i, None, 0.1))
    until(lambda: feed.feed.arrived == 5)
    assert feed.feed.repeated == 4 and feed.feed.newest.number == 0


def test_a_picture_that_stays_for_good_never_stalls():
    time = Time()
    feed = Feed("pattern=still", 64, now=time)
    feed.run()
    time.now = 1e6
    assert feed.state == "live" and feed.arrived == 1


def test_a_single_still_is_read_once_and_stays(tmp_path):
    from PIL import Image

    Image.new("RGB", (9, 9), "red").save(tmp_path / "a.png")
    time = Time()
    feed = Feed(f"images={tmp_path}", 64, now=time)
    feed.run()                                                      # ends by itself
    time.now = 1e6
    assert feed.state == "live" and feed.arrived == 1


def test_pictures_are_shown_when_they_are_due_and_late_ones_not_in_a_burst():
    time, waits = Time(), []
    feed = Feed("fake", 64, now=time, made=Fake())

    def wait(seconds):
        waits.append(round(seconds, 3))
        time.now += seconds
    feed._stop = SimpleNamespace(wait=wait, is_set=lambda: False)
    for due in (0.0, 0.5, 1.0):
        assert feed._wait_for(due)
    time.now += 10.0
    assert feed._wait_for(1.5) and feed._wait_for(2.0)
    assert waits == [0.5, 0.5, 0.5]


def test_a_preview_is_for_the_performers_screen(tmp_path):
    from PIL import Image

    feed = Feed("pattern=still", 64, now=Time(), preview=tmp_path / "eye.png")
    feed.run()
    assert (np.asarray(Image.open(tmp_path / "eye.png")) == feed.newest.pixels).all()
    broken = Feed("fake", 64, now=Time(), made=SimpleNamespace(pictures=lambda: iter([Seen(picture(1))])), preview=tmp_path)
    broken.run()
    assert broken.state == "live" and broken.preview is None         # a preview that can't be written loses no picture
    nameless = Feed("pattern=still", 64, now=Time(), preview=".")
    nameless.run()
    assert nameless.state == "live" and nameless.preview is None


# -- in a show


class Still:
    """A feed without a thread: the test says what is there."""
    text, reason, arrived, repeated, reconnects, state = "fake", "", 0, 0, 0, "waiting"
    newest, source = None, SimpleNamespace(exact=False)

    def show(self, number, pixels, at=0.0):
        self.newest, self.state = Arrival(pixels, number, at), "live"
        self.arrived += 1

    def close(self):
        pass


def seeing_rig(folder=None, feed=None, rig=None, **options):
    rig = rig or Rig(folder)
    rig.instrument.live_encoder = LiveEncoder(Encoder.fresh(rig.generator, LAYER, seed=1))
    rig.feed = feed or Still()
    rig.watching = Watching(rig.show, rig.feed, lambda: rig.instrument.live_encoder.encoded, **options)
    rig.watching.join()
    rig.send("/source/mix", 1.0)
    return rig


def test_the_walk_until_a_picture_comes_then_a_fade(tmp_path):
    rig = seeing_rig()
    rig.play(3)
    assert rig.show.scene["/source/signal"] == 0.0 and rig.instrument.live_encoder.encoded == 0
    rig.feed.show(5, picture(90))
    rig.play(70)
    assert rig.show.scene["/source/picture"] == 5 and rig.show.motion.signal == 1.0
    assert rig.watching.used == 1
    rig.feed.state = "lost"
    rig.play(30)
    assert 0.3 < rig.show.motion.signal < 0.7
    rig.play(40)
    assert rig.show.motion.signal == 0.0


def test_whatever_the_source_does_every_frame_is_played(tmp_path):
    rig = seeing_rig()
    rig.send("/source/rate", 60.0)
    states = ["waiting", "live", "stalled", "lost", "live", "stalled"]
    pictures = [picture(0), picture(255, (1, 1)), np.zeros((144, 256, 3), np.uint8), picture(3, (1, 500)), picture(9, (500, 1))]
    for turn in range(40):
        rig.feed.show(turn, pictures[turn % len(pictures)])
        rig.feed.state = states[turn // 3 % len(states)]
        rig.play()
    assert len(rig.screen) == 40 and rig.show.meter.report()["failed"] == 0


def test_a_source_that_hangs_never_holds_up_the_loop(feed):
    rig = seeing_rig(feed=feed.feed)
    rig.play(5)                                                     # the fake is stuck in its queue all the while
    feed.put(Seen(picture(4), 0, None, 0.1))
    until(lambda: feed.feed.newest)
    rig.play(5)
    feed.time.now += 5
    rig.play(5)
    assert len(rig.screen) == 15 and rig.show.scene["/source/signal"] == 0.0


def test_hands_cannot_turn_what_the_show_turns():
    rig = seeing_rig()
    rig.feed.show(3, picture(1))
    rig.send("/source/picture", 77)
    rig.send("/source/signal", 0.0)
    rig.play()
    assert (rig.show.scene["/source/picture"], rig.show.scene["/source/signal"]) == (3, 1.0)


def test_a_static_source_gives_identical_frames():
    rig = seeing_rig()
    rig.send("/walk/kind", "hold")
    rig.send("/source/fade", 0.0)
    rig.feed.show(0, picture(50))
    rig.play(3)
    drawn = rig.instrument.drawings
    shown = [rig.play() for _ in range(10)]
    assert len(set(shown)) == 1 and rig.instrument.drawings == drawn
    rig.feed.show(1, picture(51))
    rig.play(4)
    assert rig.instrument.drawings > drawn


def test_presets_keep_the_sources_settings_and_not_its_state(tmp_path):
    rig = seeing_rig(tmp_path)
    rig.feed.show(4, picture(1))
    rig.send("/source/zoom", 2.0)
    rig.play(2)
    rig.send("/preset/store", "eye")
    rig.play()
    values = rig.show.recall.library.read("eye").values
    assert values["/source/zoom"] == 2.0 and values["/source/mix"] == 1.0
    assert not {"/source/picture", "/source/signal"} & set(values)
    source = rig.show.motion.source
    rig.send("/preset/recall", "eye")
    rig.play()
    assert rig.show.motion.source > source and rig.show.scene["/source/picture"] == 4
    rig.close()


def test_in_a_resumed_show_the_source_fades_in_anew(tmp_path):
    rig, saved = seeing_rig(), tmp_path / "last.json"
    rig.show.recording.start_autosave(saved)
    rig.feed.show(4, picture(1))
    rig.play(80)
    rig.close()
    rig = Rig()
    rig.show.scene, rig.show.motion = load_autosave(saved, rig.base, rig.hash)
    rig = seeing_rig(rig=rig)
    rig.play(3)
    rig.feed.show(0, picture(1))
    rig.play(2)
    assert 0 < rig.show.motion.signal < 0.1


def test_the_report(tmp_path):
    time = Time()
    rig = seeing_rig(now=time)
    for turn in range(10):
        rig.feed.show(turn, picture(turn), at=time.now)
        time.now += 0.04
        rig.play()
    report = rig.watching.report()
    assert (report["arrived"], report["used"], report["dropped"], report["state"]) == (10, 5, 5, "live")
    assert report["to_frame_ms"] == {"p50": 40.0, "p99": 40.0, "max": 40.0}


# -- takes


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    rng = np.random.default_rng(1)
    small = rng.integers(0, 255, (12, 6, 8, 3), dtype=np.uint8)
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", [np.kron(p, np.ones((8, 8, 1), np.uint8)) for p in small], 25, "libx264", "yuv420p")


def played(rig, clip, path, before=0, frames=40):
    """Play to the clip, ragged as a thread would bring it; the take begins after `before` frames. Returns the frames."""
    source = make(f"video={clip}", 256)
    rig.show.recording.origin = Origin("tiny", rig.hash, 32, 30.0, f"video={clip}", seeing.fingerprint(clip))
    time = 0.0
    for turn in range(before + frames):
        if turn == before:
            rig.show.recording.record_to(path)
        if turn % 5 != 3 and turn > 2:
            number = (turn * 7 // 5) % 12
            rig.feed.show(number, source.at(number))
        if turn == before + 20:
            rig.feed.state = "lost"
        if turn == before + 8:
            rig.send("/source/freeze", 1.0)
        if turn == before + 12:
            rig.send("/source/freeze", 0.0)
            rig.send("/source/smoothing", 0.3)
        time += (0.03, 0.05, 0.02)[turn % 3]
        rig.show.frame(Tick(turn, time, (0.03, 0.05, 0.02)[turn % 3]))
    rig.close()
    return list(rig.screen)[before:]


def replayed(path, source=None):
    rig = Rig()
    rig.instrument.live_encoder = LiveEncoder(Encoder.fresh(rig.generator, LAYER, seed=1))
    take = TakeReader(path, rig.base, rig.hash)
    take.source = source or seeing.reopen(take, rig.instrument)
    for _ in take.replay(rig.show):
        pass
    return list(rig.screen)


@pytest.mark.parametrize("before", [0, 1, 17])
def test_a_take_played_to_a_video_is_the_same_again_to_the_bit(tmp_path, clip, before):
    shown = played(seeing_rig(), clip, tmp_path / "a.take", before)
    again = replayed(tmp_path / "a.take")
    digests = lambda frames: [hashlib.sha256(f).hexdigest() for f in frames]
    assert digests(again) == digests(shown) and len(set(digests(shown))) > 20


def test_a_take_begun_while_a_lost_source_fades_out(tmp_path, clip):
    rig, source = seeing_rig(), make(f"video={clip}", 256)
    rig.show.recording.origin = Origin("tiny", rig.hash, 32, 30.0, f"video={clip}", seeing.fingerprint(clip))
    rig.feed.show(4, source.at(4))
    rig.play(80)
    rig.feed.state = "lost"
    rig.play(10)
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(30)
    rig.close()
    assert 0 < rig.show.motion.signal < 1
    assert replayed(tmp_path / "a.take") == list(rig.screen)[90:]


def test_a_take_whose_mix_is_turned_by_a_modulator_alone(tmp_path, clip):
    rig, source = seeing_rig(), make(f"video={clip}", 256)
    rig.show.recording.origin = Origin("tiny", rig.hash, 32, 30.0, f"video={clip}", seeing.fingerprint(clip))
    rig.send("/source/mix", 0.0)
    rig.send("/modulators/add", "eye", "/source/mix", "sine", 0.5)
    rig.show.recording.record_to(tmp_path / "a.take")
    for turn in range(40):
        rig.feed.show(turn % 12, source.at(turn % 12))
        rig.play()
    rig.close()
    assert rig.instrument.live_encoder.encoded > 2
    assert replayed(tmp_path / "a.take") == list(rig.screen)


def test_there_is_no_signal_without_a_picture():
    """The first picture may come at any moment of a frame, also after the show has asked for it."""
    rig = seeing_rig()

    class Racing(Still):
        @property
        def newest(self):
            found, self.state = self.found, "live"
            self.found = Arrival(picture(9), 3, 0.0)
            return found
    racing = Racing()
    racing.found, racing.state = None, "waiting"
    rig.watching.feed = racing
    for _ in range(3):
        rig.play()
        assert rig.watching.arrival or rig.show.scene["/source/signal"] == 0.0
    assert rig.show.scene["/source/signal"] == 1.0


@pytest.mark.parametrize("name", ["frames", "out.mkv"])
def test_and_rendered_too_with_an_interruption(tmp_path, clip, name, monkeypatch):
    monkeypatch.setattr("live.takes.job.PART", 5)
    shown = played(seeing_rig(), clip, tmp_path / "a.take")

    def stop(done, total):
        if done > 17:
            raise KeyboardInterrupt

    def again(progress=None):
        instrument = Instrument(tiny(), encoder=Encoder.fresh(tiny(), LAYER, seed=1))
        take = TakeReader(tmp_path / "a.take", instrument.scene())
        take.source = seeing.reopen(take, instrument)
        render(take, instrument, tmp_path / name, lossless=True, progress=progress)
    with pytest.raises(KeyboardInterrupt):
        again(stop)
    again()
    if name == "frames":
        from PIL import Image

        found = [np.asarray(Image.open(p)).tobytes() for p in sorted((tmp_path / name).glob("frame_*.png"))]
    else:
        from tests.live.takes.test_render import decoded

        found, _ = decoded(tmp_path / name)
    assert found == shown


def test_a_recorded_camera_is_played_again_to_the_bit(tmp_path):
    kept = SourceRecorder(tmp_path / "eye.mkv")
    rig = seeing_rig(recorder=kept)
    rng = np.random.default_rng(3)
    rig.show.recording.origin = Origin("tiny", rig.hash, 32, 30.0, *seeing.make_reference(SimpleNamespace(record_source=tmp_path / "eye.mkv", source="camera"), rig.instrument))
    rig.show.recording.record_to(tmp_path / "a.take")
    for turn in range(30):
        if turn % 3:
            rig.feed.show(999 - turn, rng.integers(0, 255, (31, 45, 3), dtype=np.uint8))
        rig.play()
    rig.close()
    rig.watching.close()
    assert kept.failed is None and replayed(tmp_path / "a.take") == list(rig.screen)


def test_a_recording_makes_its_folder_or_says_that_it_cannot(tmp_path):
    kept = SourceRecorder(tmp_path / "new" / "eye.mkv")
    kept.keep(picture(3))
    kept.close()
    assert kept.failed is None and (tmp_path / "new" / "eye.mkv").stat().st_size
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="--record-source .*eye.mkv: can't be written"):
        SourceRecorder(tmp_path / "file" / "eye.mkv")


def test_a_take_whose_pictures_are_gone_says_so_and_plays(tmp_path, clip, caplog):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    played(seeing_rig(), copy, tmp_path / "a.take")
    copy.unlink()
    assert len(replayed(tmp_path / "a.take")) == 40
    assert "plays without its source" in caplog.text
    copy.write_bytes(clip.read_bytes() + b" ")
    replayed(tmp_path / "a.take")
    assert "not the file it was played to" in caplog.text


def test_a_take_played_with_another_encoder_says_so(tmp_path, clip, caplog):
    rig = seeing_rig()
    rig.show.recording.origin = Origin("tiny", rig.hash, 32, 30.0, *seeing.make_reference(SimpleNamespace(record_source=None, source=f"video={clip}"), rig.instrument))
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(3)
    rig.close()
    replayed(tmp_path / "a.take")
    assert "another encoder" not in caplog.text
    rig = Rig()
    rig.instrument.live_encoder = LiveEncoder(Encoder.fresh(rig.generator, LAYER, seed=2))
    seeing.reopen(TakeReader(tmp_path / "a.take", rig.base, rig.hash), rig.instrument)
    assert "played with another encoder" in caplog.text


def test_a_take_of_a_camera_says_that_its_pictures_are_not_there(tmp_path, clip, caplog):
    rig = seeing_rig()
    played(rig, clip, tmp_path / "a.take")
    text = (tmp_path / "a.take").read_text().replace(f"video={clip}", "camera=0")
    (tmp_path / "a.take").write_text(text)
    assert len(replayed(tmp_path / "a.take")) == 40
    assert "were not recorded" in caplog.text


def test_a_picture_that_is_not_in_the_file_leaves_the_one_before(clip, caplog):
    source, scene = Replayed(make(f"video={clip}", 64)), seeing_rig().show.scene
    at = lambda number: source.picture(scene.set_values({"/source/mix": 1.0, "/source/signal": 1.0, "/source/picture": number}))
    first = at(3)
    assert at(500) is first and at(600) is first and caplog.text.count("not there") == 1


def test_what_can_be_wrong_with_the_flags(tmp_path):
    rig = Rig()
    options = SimpleNamespace(source="pattern", record_source=None, take=None)
    with pytest.raises(UserError, match="train-encoder"):
        seeing.open_watching(options, rig.show)
    with pytest.raises(UserError, match="--source"):
        seeing.open_watching(SimpleNamespace(source=None, record_source="a.mkv", take=None), rig.show)
    with pytest.raises(UserError, match=".mkv"):
        SourceRecorder(tmp_path / "a.mp4")
    (tmp_path / "a.mkv").touch()
    with pytest.raises(UserError, match="already"):
        SourceRecorder(tmp_path / "a.mkv")
