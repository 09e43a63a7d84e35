"""Shared memory for other programs: every byte of it as docs/outputs.md says, read by programs that know nothing else."""
import mmap
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import UserError
from live.outputs import frame_reader
from live.outputs.frame_reader import FrameReader
from live.outputs.memory import Memory
from live.outputs.spec import OutputSpec

COPIED = """
import sys
from frame_reader import FrameReader

frame = FrameReader(sys.argv[1]).read(timeout=120.0)
print(frame.number, frame.time > 1e9, frame.pixels.shape, frame.pixels.dtype, frame.pixels[1, 2].tolist(), flush=True)
"""


@pytest.fixture
def name():
    return f"lj-test-{os.getpid()}"


@pytest.fixture
def memory(name):
    output = Memory(name)
    yield output
    output.close()


def picture(value, height=4, width=6):
    return SimpleNamespace(pixels=np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3) + np.uint8(value))


def test_a_reader_finds_the_newest_picture_once(memory, name):
    reader = FrameReader(name)
    assert reader.read() is None
    for value in (1, 2, 3):
        memory.send(picture(value))
    read = reader.read()
    assert read.number == 3 and (read.pixels == picture(3).pixels).all() and reader.read() is None
    memory.send(picture(9))
    assert (reader.read(timeout=60.0).pixels == picture(9).pixels).all() and (read.pixels == picture(3).pixels).all()
    reader.close()


def test_a_copied_reader_needs_nothing_of_ours_and_takes_nothing_away(memory, name, tmp_path):
    shutil.copy(frame_reader.__file__, tmp_path)
    memory.send(picture(5))
    for _ in range(2):                                   # the first reader's end must not take the memory along
        read = subprocess.run([sys.executable, "-I", "-c", "import sys; sys.path.insert(0, '.')\n" + COPIED, name], cwd=tmp_path, capture_output=True, text=True, timeout=180)
        assert read.stdout.split() == ["1", "True", "(4,", "6,", "3)", "uint8", "[29,", "30,", "31]"] and not read.stderr
    memory.send(picture(6))
    assert FrameReader(name).read().number == 2


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="where shared memory is a file")
def test_every_byte_is_where_the_docs_say(memory, name):
    for value in range(6):
        memory.send(picture(value))
    with open(f"/dev/shm/{name}", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as bytes_:
        assert bytes_[:4] == b"LJFR" and struct.unpack_from("<4Q", bytes_, 8) == (1, 4, 6, 4)
        published, ended, writer = (struct.unpack_from("<Q", bytes_, at)[0] for at in (64, 640, 648))
        assert (published, ended, writer) == (6, 0, os.getpid())
        assert struct.unpack_from("<d", bytes_, 704 + 8 * (6 % 4))[0] > 1e9
        at = 4096 + (6 % 4) * 4 * 6 * 3
        assert bytes_[at:at + 72] == picture(5).pixels.tobytes()


def test_readers_follow_another_size_and_a_new_show(memory, name):
    reader = FrameReader(name)
    memory.send(picture(1))
    assert reader.read().pixels.shape == (4, 6, 3)
    memory.close()
    assert reader.read() is None
    again = Memory(name)
    again.send(picture(2, 8, 2))
    assert reader.read(timeout=60.0).pixels.shape == (8, 2, 3)
    again.close()
    reader.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there memory goes with its process")
@pytest.mark.parametrize("height, numbers", [(4, [3, 4]), (8, [3, 1])])
def test_what_a_killed_process_left_is_taken_over(name, height, numbers):
    left = Memory(name)
    for value in (1, 2, 3):
        left.send(picture(value))
    left._numbers[frame_reader.WRITER] = 2 ** 22 + 12345             # no process has this number
    reader, after = FrameReader(name), Memory(name)
    seen = [reader.read().number]
    after.send(picture(7, height))
    seen.append(reader.read(timeout=60.0).number)
    assert seen == numbers
    left._release()
    after.close()
    reader.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there memory goes with its process")
def test_two_shows_do_not_write_over_each_other(memory, name):
    memory.send(picture(1))
    memory._numbers[frame_reader.WRITER] = os.getppid()
    with pytest.raises(UserError, match=f"memory={name}: another program writes under that name; choose one: memory=NAME"):
        Memory(name).send(picture(2))
    assert FrameReader(name).read().number == 1


@pytest.mark.parametrize("target", ["a b", "a/b", "x" * 30, "../etc", "ä", "-x", "\n"])
def test_names_that_no_memory_can_have(target):
    with pytest.raises(UserError, match="output m: memory=.*: expected up to 29 letters"):
        Memory.check(OutputSpec("m", "memory", target))
