import threading

import numpy as np
import pytest

from engine.errors import UserError
from engine.instrument import Frame
from live import outputs
from live.outputs import OUTPUTS, Running
from live.outputs.mailbox import Backlog, Mailbox

DEADLINE = 120.0                    # seconds after which a test gives up waiting


def frame(number, size=8):
    return Frame(np.full((size, size, 3), number % 256, np.uint8), number)


class Recorded:
    """Writes down what it was sent; holds still while `gate` is closed."""

    def __init__(self, gate=None, breaks_at=None, breaks_on_closing=False):
        self.seen, self.closed, self.entered = [], 0, threading.Event()
        self.gate, self.breaks_at, self.breaks_on_closing = gate, breaks_at, breaks_on_closing

    def send(self, frame):
        self.entered.set()
        if self.gate:
            assert self.gate.wait(DEADLINE)
        if frame.number == self.breaks_at:
            raise OSError(28, "No space left on device")
        self.seen.append(frame.number)

    def close(self):
        self.closed += 1
        if self.breaks_on_closing:
            raise OSError(28, "No space left on device")


class Every(Recorded):
    backlog = 4


class Patient(Every):
    wait = True


def test_a_mailbox_keeps_the_newest():
    box = Mailbox()
    for i in range(5):
        box.put(i)
    assert (box.take(), box.take(timeout=0), box.dropped) == (4, None, 4)


def test_a_backlog_keeps_the_order_and_drops_what_does_not_fit():
    box = Backlog(3)
    for i in range(5):
        box.put(frame(i))
    assert [box.take(0).number for _ in range(3)] == [0, 1, 2] and box.take(0) is None and box.dropped == 2


def test_a_backlog_keeps_pixels_that_the_ring_writes_over():
    box, one = Backlog(3), frame(7)
    box.put(one)
    one.pixels[:] = 0
    assert (box.take(0).pixels == 7).all()


def test_a_slow_output_drops_instead_of_waiting():
    gate = threading.Event()
    target = Recorded(gate)
    running = Running("slow", target)
    running.put(frame(0))
    assert target.entered.wait(DEADLINE)
    for i in range(1, 100):
        running.put(frame(i))
    gate.set()
    running.close()
    assert target.seen == [0, 99] and running.dropped == 98 and running.sent == 2 and target.closed == 1


def test_an_output_that_wants_every_frame_says_how_many_it_lost():
    gate = threading.Event()
    target = Every(gate)
    running = Running("recorder", target)
    running.put(frame(0))
    assert target.entered.wait(DEADLINE)
    for i in range(1, 10):
        running.put(frame(i))
    gate.set()
    running.close()
    assert target.seen == [0, 1, 2, 3, 4] and running.dropped == 5


def test_an_offline_output_loses_nothing():
    target = Patient()
    running = Running("render", target)
    for i in range(200):
        running.put(frame(i))
    running.close()
    assert target.seen == list(range(200)) and running.dropped == 0


@pytest.mark.parametrize("kind", [Recorded, Every, Patient])
def test_a_broken_output_says_so_once_and_the_show_goes_on(kind, caplog):
    target = kind(breaks_at=2, breaks_on_closing=True)
    running = Running("recorder", target)
    for i in range(3):
        running.put(frame(i))
        running.thread.join(0.01 if kind is Recorded else 0)
    for i in range(2, 300):                           # the loop does not notice
        running.put(frame(2))
    running.thread.join(DEADLINE)
    running.put(frame(3))
    running.close()
    running.close()
    assert not running.thread.is_alive() and target.closed == 1 and running.dropped > 0
    assert [r.getMessage().partition(" after")[0] for r in caplog.records] == ["output recorder stopped"]
    assert "No space left on device; the show goes on without it" in caplog.text


def test_null_takes_everything():
    out = outputs.start_output("null")
    for i in range(3):
        out.put(frame(i))
    out.close()
    assert (out.sent, out.dropped, out.name, out.last.number) == (3, 0, "null", 2)


def test_files_are_the_frames(tmp_path):
    from PIL import Image

    out = outputs.start_output("files", target=tmp_path / "new" / "frames", wait=True)
    for i in range(12):
        out.put(frame(i))
    out.close()
    paths = sorted((tmp_path / "new" / "frames").iterdir())
    assert [p.name for p in paths] == [f"frame_{i:06d}.png" for i in range(12)]
    assert (np.asarray(Image.open(paths[7])) == 7).all() and out.dropped == 0


def test_files_never_mixes_two_shows(tmp_path):
    (tmp_path / "frame_000000.png").touch()
    with pytest.raises(UserError, match="there are frames in it already; expected an empty or new folder"):
        outputs.start_output("files", target=tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="the folder cannot be made: "):
        outputs.start_output("files", target=tmp_path / "file" / "frames")


@pytest.mark.parametrize("name, options, message", [
    ("windw", {}, f"no output 'windw'; there are: {', '.join(sorted(OUTPUTS))}"),
    ("null", {"target": "x"}, "output null takes no target; allowed: nothing"),
    ("files", {"folder": "x"}, "output files takes no folder; allowed: target, wait, drawing"),
])
def test_mistakes_in_asking_for_an_output(name, options, message):
    with pytest.raises(UserError) as error:
        outputs.start_output(name, **options)
    assert str(error.value) == message


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_keeps_the_promises(name):
    kind = OUTPUTS[name]
    assert kind.__doc__ and callable(kind.close) and (hasattr(kind, "send") or hasattr(kind, "run") or hasattr(kind, "put"))


def test_files_are_numbered_from_the_first_that_is_written(tmp_path):
    files = OUTPUTS["files"](tmp_path / "deep" / "frames")
    for number in (2, 3, 5):
        files.send(frame(number))
    assert sorted(p.name for p in (tmp_path / "deep" / "frames").iterdir()) == ["frame_000000.png", "frame_000001.png", "frame_000003.png"]


@pytest.mark.parametrize("kind", ["null", "files", "recorder"])
def test_an_output_of_the_show_itself_takes_the_name_it_has_there(kind, tmp_path, monkeypatch):
    """The report's `dropped` calls it as outputs.yaml does."""
    from live.outputs.service import open_output
    from live.outputs.spec import OutputSpec

    monkeypatch.chdir(tmp_path)
    running = open_output(OutputSpec("mine", kind))
    running.name = "mine"
    assert running.name == "mine"
    running.close()


def test_a_mask_that_is_no_picture_is_one_line_at_the_start_and_no_darkness_later(tmp_path, caplog):
    from live.outputs.canvas import Canvas
    from live.outputs.framing import Framing
    from live.outputs.service import check_outputs
    from live.outputs.spec import OutputSpec

    bad = tmp_path / "edge.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    for path in (bad, tmp_path / "none.png", tmp_path):
        with pytest.raises(UserError, match="^mask .*: can't be read as a picture") as error:
            check_outputs([OutputSpec("wall", "window", mask=str(path))])
        assert "\n" not in str(error.value)
    picture = np.full((8, 8, 3), 200, np.uint8)
    canvas = Canvas("wall", str(bad))
    assert (canvas.draw(picture, Framing(), (16, 16)) == 200).all() and (canvas.draw(picture, Framing(), (12, 12)) == 200).all()
    assert caplog.text.count("shown without it") == 1
