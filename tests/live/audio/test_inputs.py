"""What --audio and /audio/input may name."""
import pytest

from engine.errors import UserError
from live.audio.inputs import check, is_file


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
