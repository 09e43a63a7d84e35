"""What all senders have in common: rate, size, framing, repeats, failures."""
import threading

import numpy as np
import pytest

from engine.errors import UserError
from live.outputs import sender as sending
from live.outputs.canvas import Canvas
from live.outputs.framing import Framing
from live.outputs.mailbox import Newest
from live.outputs.sender import Rate, Sender, Sent, find_sent_size
from live.outputs.spec import OutputSpec

DEADLINE = 120.0


class Target:
    """Keeps what it is sent; breaks, or holds still, as it is told."""

    def __init__(self, error=None, gate=None):
        self.seen, self.closed, self.error, self.gate, self.news = [], 0, error, gate, threading.Condition()

    def send(self, frame):
        if self.gate:
            assert self.gate.wait(DEADLINE)
        if self.error:
            raise self.error
        with self.news:
            self.seen.append((frame.number, frame.pixels.copy()))
            self.news.notify_all()

    def close(self):
        self.closed += 1

    def wait(self, condition):
        with self.news:
            assert self.news.wait_for(condition, DEADLINE)


def frame(value, height=8, width=8):
    return Sent(np.full((height, width, 3), value, np.uint8), 0)


@pytest.fixture
def start():
    started = []

    def make(target, **settings):
        started.append(Sender(OutputSpec("out", "ndi", **settings), target))
        return started[-1]

    yield make
    for each in started:
        each.close()


@pytest.mark.parametrize("show, wanted, sent", [(30, 30, 30), (30, None, 30), (60, 30, 30), (30, 25, 25), (60, 25, 25), (30, 60, 30), (30, 1, 1), (29.97, 29.97, 29.97)])
@pytest.mark.parametrize("jitter", [0.0, 0.2])
def test_the_rate_is_true_whatever_the_show_draws(show, wanted, sent, jitter):
    rate, shaken = Rate(wanted), np.random.default_rng(1).uniform(-jitter, jitter, 100 * 60) / show
    chosen = sum(rate.is_due(number / show + shaken[number]) for number in range(round(100 * show)))
    assert abs(chosen / 100 - sent) <= 0.02 * sent + 0.01


def test_after_a_pause_there_is_no_burst():
    rate = Rate(10)
    assert rate.is_due(0.0) and rate.is_due(100.0)
    assert sum(rate.is_due(100.0 + number / 1000) for number in range(1, 1000)) <= 10


@pytest.mark.parametrize("wanted, picture, sent", [(None, (64, 36), (64, 36)), ((10, 20), (64, 36), (10, 20)), (320, (1024, 512), (320, 160)), (320, (512, 1024), (160, 320)), (1, (9, 3000), (1, 1))])
def test_sizes(wanted, picture, sent):
    assert find_sent_size(wanted, picture) == sent


def test_the_newest_picture_wins_and_none_is_torn():
    box, torn, seen = Newest(), [], []

    def look():
        while not seen or seen[-1] < 2999:
            pixels = box.take(DEADLINE)
            values = {int(value) for value in np.unique(pixels.view(np.uint32))}
            torn.extend(values if len(values) > 1 else [])
            seen.append(int(pixels.view(np.uint32).flat[0]))

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(3000):
        box.put(np.full((16, 16), number, np.uint32).view(np.uint8).reshape(16, 16, 4))
    reader.join(DEADLINE)
    assert not torn and seen == sorted(set(seen)) and len(seen) + box.dropped == 3000


def test_a_sender_frames_as_a_window_does_and_keeps_its_size(start):
    target = Target()
    sender = start(target, size=(16, 8), framing=Framing(fill="stretch"))
    sender.put(frame(100))
    target.wait(lambda: target.seen)
    assert target.seen[0][1].shape == (8, 16, 3) and (target.seen[0][1] == 100).all()
    sender.framing = Framing(fill="fit")                 # nothing new comes, and the settings show all the same
    target.wait(lambda: (target.seen[-1][1][:, 0] == 0).all())
    assert (target.seen[-1][1][:, 8] == 100).all()


def test_without_a_size_it_keeps_that_of_the_first_picture(start):
    target = Target()
    sender = start(target)
    sender.put(frame(10))
    target.wait(lambda: target.seen)
    sender.put(frame(20, 4, 4))                          # the governor draws smaller pictures
    target.wait(lambda: (target.seen[-1][1] == 20).all())
    assert {pixels.shape for _, pixels in target.seen} == {(8, 8, 3)}


def test_freeze_blackout_and_test_cards(start):
    target = Target()
    sender = start(target, size=(64, 64))
    sender.put(frame(50))
    target.wait(lambda: target.seen)
    sender.framing = Framing(freeze=1.0)
    target.wait(lambda: len(target.seen) > 1)
    sender.put(frame(80))
    target.wait(lambda: len(target.seen) > 2)
    assert (target.seen[-1][1] == 50).all()
    sender.framing = Framing(test="white")
    target.wait(lambda: (target.seen[-1][1] == 255).all())
    sender.framing = Framing(blackout=1.0)
    target.wait(lambda: (target.seen[-1][1] == 0).all())
    sender.framing = Framing()
    target.wait(lambda: (target.seen[-1][1] == 80).all())


def test_the_last_picture_is_sent_again_while_none_comes(start):
    target = Target()
    sender = start(target)
    sender.put(frame(7))
    target.wait(lambda: len(target.seen) >= 3)
    assert [number for number, _ in target.seen] == list(range(len(target.seen)))


def test_a_target_that_stands_still_holds_up_nobody_and_is_found_out(start, monkeypatch):
    monkeypatch.setattr(sending, "STUCK", 0.0)
    target = Target(gate=threading.Event())
    sender = start(target)
    for number in range(100):
        sender.put(frame(number))
    while not sender.is_stuck:
        pass
    target.gate.set()
    target.wait(lambda: target.seen)
    assert (target.seen[-1][1] == 99).all() or sender.dropped >= 98


@pytest.mark.parametrize("error, words", [(OSError("cable"), "output out: cable; the show"), (UserError("output ndi: no\nroom"), "output ndi: no room; the show")])
def test_what_breaks_says_so_in_one_line_and_is_closed(start, caplog, error, words):
    target = Target(error)
    sender = start(target)
    sender.put(frame(1))
    sender._thread.join(DEADLINE)
    assert sender.broken and sender.error is error and target.closed == 1
    assert [record.getMessage() for record in caplog.records] == [words + " goes on without it"]
    sender.put(frame(2))


def test_corners_that_enclose_nothing_are_said_once(caplog):
    canvas = Canvas("wall")
    for value in (1, 2, 3):
        shown = canvas.draw(np.full((8, 8, 3), value, np.uint8), Framing(pin=(0.0,) * 8), (8, 8))
        assert (shown == value).all()
    assert len(caplog.records) == 1
