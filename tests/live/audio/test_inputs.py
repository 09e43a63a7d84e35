"""What --audio and /audio/input may name."""
import threading

import pytest

from engine.errors import UserError
from live.audio.device import list_inputs
from live.audio.inputs import check, is_file
from live.show.clock import now
from tests.live.audio.rig import Hall


def test_a_file_as_people_write_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "song.wav").write_bytes(b"")
    for name in ("~/song.wav", str(tmp_path / "song.wav"), f"file://{tmp_path}/song.wav", f"'{tmp_path}/song.wav'", "Scarlett 2i2", "3", "system", "none", "", None):
        check(name)
    with pytest.raises(UserError, match="there is no such file"):
        check("~/other.flac")


@pytest.mark.parametrize("name", ["1" * 5000, "a\0b", "/" * 9000, ".", "~"])
def test_what_no_file_can_be_called(name):
    assert not is_file(name)
    check(name)


def until(condition):
    end = now() + 120
    while not condition():
        assert now() < end
        threading.Event().wait(0.005)


def test_a_page_is_told_of_inputs_when_it_asks(tmp_path):
    hall, asked = Hall(tmp_path), threading.Event()
    there = [(0, "Scarlett 2i2"), (4, "Monitor of Speakers")]
    hall.listening.inputs.ask = lambda: (there, None) if asked.wait(120) else None
    assert hall.listening.describe()["inputs"] == []
    for _ in range(3):                                   # one look is enough
        hall.rig.send("/audio/inputs")
        hall.play()
    assert hall.listening.describe()["looking"]
    asked.set()
    until(lambda: not hall.listening.describe()["looking"])
    told = hall.listening.describe()
    assert told["inputs"] == [{"name": "Scarlett 2i2", "system": False}, {"name": "Monitor of Speakers", "system": True}]
    assert told["inputs_problem"] == ""
    hall.rig.close()


@pytest.mark.parametrize("before, name, after", [("midi", "Scarlett", "audio"), ("internal", "Scarlett", "internal"), ("link", "Scarlett", "link"), ("midi", "none", "midi")])
def test_the_beat_of_an_input_is_followed_unless_another_was_chosen(tmp_path, before, name, after):
    hall = Hall(tmp_path)
    hall.listening.ear.choose = lambda name: None
    hall.rig.send("/tempo/source", before)
    hall.play()
    hall.rig.send("/audio/input", name)
    hall.play()
    assert hall["/tempo/source"] == after
    hall.rig.close()


def test_inputs_are_listed_by_another_process():
    found, problem = list_inputs()
    assert bool(found) != bool(problem) and "\n" not in (problem or "")
