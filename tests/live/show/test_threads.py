"""Threads that end by a bug: told of once, begun again, and what they do goes on."""
import logging
import socket
import threading

import pytest

from engine.errors import UserError
from live import controls
from live.osc.write import make_message
from live.show.threads import LONGEST, end_thread, keep_running, make_thread
from tests.live.memory_rig import Rig
from tests.ports import find_free_port


def test_it_is_begun_again_ever_later_and_told_of_each_time(caplog):
    waits, runs = [], []

    def work():
        runs.append(1)
        if len(runs) < 10:
            raise ZeroDivisionError("a bug\nof two lines")
        return "done"

    assert keep_running("lights", work, lambda: False, waits.append) == "done"
    assert waits == [0.5, 1, 2, 4, 8, 16, LONGEST, LONGEST, LONGEST]
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(lines) == 9 and set(lines) == {"lights ended by a bug (ZeroDivisionError: a bug of two lines); it is begun again"}


def test_what_is_told_to_stop_is_not_begun_again():
    with pytest.raises(UserError):
        keep_running("port", lambda: (_ for _ in ()).throw(UserError("taken")), lambda: False, pytest.fail)
    assert keep_running("port", lambda: 1 / 0, lambda: True, pytest.fail) is None


def test_a_receiver_that_ends_hears_again_at_its_port(monkeypatch):
    """A real socket: the datagram that ends it is lost, and those after it are heard."""
    from live.osc import receiver

    monkeypatch.setattr("live.show.threads.FIRST", 0.01)
    heard, there, ended = [], threading.Event(), threading.Event()
    usual = receiver.Receiver.receive

    def receive(self, datagram, sender):
        if b"/bug" in datagram:
            ended.set()
            raise IndexError("a bug")
        return usual(self, datagram, sender)

    monkeypatch.setattr(receiver.Receiver, "receive", receive)
    ports = []
    end = controls.start("osc", lambda event: (heard.append(event.control), there.set()), stats=controls.make_stats("osc"), host="127.0.0.1", port=find_free_port(), opened=ports.append)
    try:
        wait(lambda: ports)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(make_message("/bug", 1.0), ("127.0.0.1", ports[0]))
            assert ended.wait(60)
            wait(lambda: len(ports) == 2)
            assert ports[1] == ports[0]
            udp.sendto(make_message("/after", 1.0), ("127.0.0.1", ports[0]))
            assert there.wait(60)
    finally:
        end()
    assert heard == ["osc /after"]


def test_a_preset_table_whose_thread_had_a_bug_is_kept_up_to_date(tmp_path, monkeypatch):
    from live.presets import library

    monkeypatch.setattr("live.show.threads.FIRST", 0.01)
    rig = Rig(tmp_path)
    usual, failed = library.Library.refresh, threading.Event()

    def look(self):
        if threading.current_thread().name == "presets read" and not failed.is_set():
            failed.set()
            raise KeyError("a bug")
        return usual(self)

    monkeypatch.setattr(library.Library, "refresh", look)
    rig.send("/preset/store", "one")
    rig.play(4)
    assert failed.wait(60)
    wait(lambda: "one" in rig.show.recall.library.list_names())
    rig.close()


def wait(whether, seconds=60.0):
    """Wait until it is so."""
    moment = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if whether():
            return
        moment.wait(0.01)
    raise AssertionError("it did not become so")


def test_a_thread_of_one_job_tells_a_bug_in_one_line(caplog):
    def work():
        raise ValueError("a\nb")
    thread = make_thread("one job", work)
    thread.start()
    assert end_thread(thread, 90.0) and [r.getMessage() for r in caplog.records] == ["one job ended by a bug (ValueError: a b)"]


def test_a_thread_that_hangs_is_named_and_left_behind(caplog):
    release = threading.Event()
    thread = make_thread("a driver", lambda: release.wait(60))
    assert end_thread(None) and end_thread(thread)       # nothing to wait for
    thread.start()
    assert not end_thread(thread, 0.01) and "a driver does not end" in caplog.text
    release.set()
    assert end_thread(thread, 90.0)
