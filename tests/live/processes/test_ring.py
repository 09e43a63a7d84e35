"""Shared frames: nothing torn, nothing held up, nothing left behind. SURFACE.md O.1 and O.7 (4)."""
import multiprocessing
import os
import random
import signal

import numpy as np
import pytest

from live.processes import ring
from live.processes.frames import Frames

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def shared():
    memory = ring.create_segment(8, 8)
    yield memory
    memory.close()
    memory.unlink()


def pair(memory, reader=0):
    """A writer and a reader of a segment in this process."""
    receiving, sending = SPAWN.Pipe(duplex=False)
    return ring.Writer(memory.name, {reader: sending}), ring.Reader(memory.name, reader, receiving)


def picture(number, size=8):
    return np.full((size, size, 3), number % 251, np.uint8)


def test_the_newest_picture_is_taken_with_its_time(shared):
    writer, reader = pair(shared)
    for number in range(1, 4):
        writer.put(picture(number), number / 10)
    taken = reader.take()
    assert (taken.number, taken.time) == (3, 0.3) and (taken.pixels == 3).all()
    assert reader.take() is None


def test_a_new_reader_sees_what_is_up_without_a_message(shared):
    writer, _ = pair(shared)
    writer.put(picture(7), 0.0)
    receiving, _sending = SPAWN.Pipe(duplex=False)
    assert (ring.Reader(shared.name, 3, receiving).take().pixels == 7).all()


def test_a_reader_that_stands_still_costs_eight_messages_and_catches_up(shared):
    writer, reader = pair(shared)
    for number in range(1, 1501):
        writer.put(picture(number), 0.0)
    assert int(writer.segment.numbers[ring.SENT]) == ring.WAITING
    assert reader.take().number == 1500
    writer.put(picture(1501), 0.0)
    assert reader.take().number == 1501


def test_messages_that_a_dead_reader_took_with_it_are_forgiven(shared):
    writer, reader = pair(shared)
    for number in range(20):
        writer.put(picture(number), 0.0)
    receiving = reader.pipe
    while receiving.poll(0):                             # read, and died before counting them
        os.read(receiving.fileno(), 16) if os.name == "posix" else receiving.recv_bytes()
    writer.segment.mark_taken(0)
    writer.put(picture(21), 0.0)
    again = ring.Reader(shared.name, 0, receiving)
    again.take()
    writer.put(picture(22), 0.0)
    assert again.take(timeout=60).number == 22


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a pipe hands out whole messages")
def test_a_reader_that_died_in_the_middle_of_a_message_is_forgiven():
    frames = Frames(1)
    frames.resize(8, 8)
    receiving, sending = frames.pipes[0]
    try:
        writer = ring.Writer(frames.name, {0: sending})
        for number in range(3):
            writer.put(picture(number), 0.0)
        os.read(receiving.fileno(), 4)                   # the message's length, and then it was killed
        frames.drain(0)
        reader = ring.Reader(frames.name, 0, receiving)
        reader.take()
        writer.put(picture(9), 0.9)
        taken = reader.take(timeout=60)
        assert (taken.number, taken.time) == (4, 0.9)
        reader.close()
        writer.close()
    finally:
        frames.close()


def test_a_pipe_without_an_end_is_left_out(shared):
    writer, reader = pair(shared)
    reader.pipe.close()
    for number in range(3):
        writer.put(picture(number), 0.0)
    assert not writer.pipes and writer.segment.published == 3


def test_what_is_no_segment_of_ours_is_refused(shared):
    shared.buf[:4] = b"????"
    with pytest.raises(OSError, match="no frames of this version"):
        ring.Segment(shared.name)


def write_many(name, sending, count, size):
    """A writer that is faster than any show, now and then in bursts: pictures that are their numbers."""
    writer, chance = ring.Writer(name, {0: sending}), random.Random(7)
    pixels = np.empty((size, size, 3), np.uint8)
    for number in range(1, count + 1):
        pixels[:] = number % 251
        writer.put(pixels, float(number))
        for _ in range(chance.choice((0, 0, 500, 2000))):
            pass


def test_no_picture_is_torn_and_numbers_rise():
    """A fast writer against a reader that dawdles at random, until it has seen enough of it, however seldom it gets its turn."""
    size, enough = 64, 1000
    memory = ring.create_segment(size, size)
    receiving, sending = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=write_many, args=(memory.name, sending, 10 ** 9, size))
    reader = ring.Reader(memory.name, 0, receiving)
    chance = random.Random(5)
    process.start()
    try:
        newest = taken_in_all = 0
        while taken_in_all < enough:
            taken = reader.take(timeout=30)
            if taken is None:
                assert process.is_alive(), "the writer stopped"
                continue
            assert taken.number > newest
            assert (taken.pixels == taken.number % 251).all(), "torn"
            newest, taken_in_all = taken.number, taken_in_all + 1
            for _ in range(chance.choice((0, 0, 0, 500, 5000))):
                pass
        assert newest > enough                             # it was the faster one
    finally:
        process.kill()
        process.join()
        reader.close()
        memory.close()
        memory.unlink()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals")
def test_a_killed_writer_leaves_the_picture_and_a_new_one_goes_on():
    size = 64
    memory = ring.create_segment(size, size)
    receiving, sending = SPAWN.Pipe(duplex=False)
    reader = ring.Reader(memory.name, 0, receiving)
    try:
        for _ in range(2):
            process = SPAWN.Process(target=write_many, args=(memory.name, sending, 10 ** 9, size))
            process.start()
            first = None
            while first is None:
                first = reader.take(timeout=30)
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            while (taken := reader.take(timeout=0.0)) is not None:
                first = taken
            assert (first.pixels == first.pixels[0, 0, 0]).all()
        assert ring.Segment(memory.name).published >= first.number
    finally:
        reader.close()
        memory.close()
        memory.unlink()


def test_several_pictures_in_one_segment_each_for_its_readers():
    memory = ring.create_segment(3 * 4, 5)
    pipes = [multiprocessing.Pipe(duplex=False) for _ in range(3)]
    readers = [ring.Reader(memory.name, n, pipes[n][0]) for n in range(3)]
    writer = ring.Writer(memory.name, {n: pipe[1] for n, pipe in enumerate(pipes)})
    try:
        pictures = [np.full((4, 5, 3), value, np.uint8) for value in (10, 20, 30)]
        writer.put(pictures[0], 0.0, tuple(pictures[1:]), {1: 2, 2: 1})
        assert [reader.take().pixels[0, 0, 0] for reader in readers] == [10, 30, 20]
        writer.put(pictures[0], 0.0, (pictures[1],), {2: 1})                # another one, with less beside it
        assert [reader.take().pixels.mean() for reader in readers] == [10, 10, 20]
        writer.put(pictures[2], 0.0)
        assert all(reader.take().pixels.shape == (4, 5, 3) for reader in readers)
    finally:
        for part in (*readers, writer):
            (part.segment if hasattr(part, "pipe") else part).close()
        memory.close()
        memory.unlink()
