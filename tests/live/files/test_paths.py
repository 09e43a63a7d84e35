"""Paths as people type, copy and drag them."""
import unicodedata
from pathlib import Path

import pytest

from engine.errors import UserError
from live.files.paths import expand, expand_argument, find_path, prepare_file


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    home = tmp_path / "home of vj"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("USERPROFILE", raising=False)
    monkeypatch.setenv("NETS", str(home / "nets"))
    return home


@pytest.mark.parametrize("typed, meant", [
    ("~/a.pkl", "{h}/a.pkl"), ("~", "{h}"), ("$HOME/a.pkl", "{h}/a.pkl"), ("${NETS}/a.pkl", "{h}/nets/a.pkl"), ("%USERPROFILE%/a.pkl", "{h}/a.pkl"),
    ("%NETS%/a", "{h}/nets/a"), ("%NOSUCH%/a", "%NOSUCH%/a"), ("$NOSUCH/a", "$NOSUCH/a"), ("'~/a.pkl'", "{h}/a.pkl"), ('"/x/a b.pkl"', "/x/a b.pkl"), ("“/x/a.pkl”", "/x/a.pkl"),
    ("  /x/a.pkl \t", "/x/a.pkl"), ("file:///x/a%20b.pkl", "/x/a b.pkl"), ("file://localhost/x/a", "/x/a"), ("FILE:///x/a", "/x/a"), ("a~b", "a~b"), ("nets/mine.pkl", "nets/mine.pkl"),
    ("100%", "100%"), ("it's", "it's"), ("", ""),
])
def test_what_is_typed_is_taken_as_meant(home, typed, meant):
    assert expand(typed) == meant.format(h=home)


@pytest.mark.parametrize("typed, message", [
    ("https://example.org/a.pkl", "web address.*download"), ("file://elsewhere/x", "another machine"), ("C:\nets\a.pkl", "backslash.*single quotes"),
    ("~nobody-of-this-name/a.pkl", "home folder is not known"),
])
def test_what_is_no_path_here_is_told_in_one_line(typed, message):
    with pytest.raises(UserError, match=message) as error:
        expand(typed)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("argument, meant", [
    ("~/a.pkl", "{h}/a.pkl"), ("video=~/clip.mp4", "video={h}/clip.mp4"), ("--report=~/r.json", "--report={h}/r.json"), ("null,files=~/f,recorder=~/b.mp4", "null,files={h}/f,recorder={h}/b.mp4"),
    ("files=file:///x/f", "files=/x/f"), ("'~/a.pkl'", "{h}/a.pkl"), ("$HOME/a", "{h}/a"), ("awake", "awake"), ("a~b/c", "a~b/c"), ("nano|kontrol$", "nano|kontrol$"), ("--size", "--size"), ("-1", "-1"),
    ("eyes=0.5", "eyes=0.5"), ("my look, ~ish", "my look, ~ish"), ("/walk/*", "/walk/*"), ("", ""),
])
def test_arguments_that_a_shell_left_alone(home, argument, meant):
    assert expand_argument(argument) == meant.format(h=home)


def test_what_is_there_is_found_however_it_is_spelled(tmp_path, home):
    names = {form: unicodedata.normalize(form, "Größe é") for form in ("NFC", "NFD")}
    for form, other in (("NFC", "NFD"), ("NFD", "NFC")):
        folder = tmp_path / form / names[form]
        folder.mkdir(parents=True)
        (folder / f"{names[form]}.pkl").touch()
        found = find_path(f"{names[other]}/{names[other]}.pkl", tmp_path / form)
        assert found.exists() and found.name == f"{names[form]}.pkl"
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "a.pkl").touch()
    assert find_path(r"nets\a.pkl", tmp_path).exists()
    (tmp_path / " ~ ").touch()
    assert find_path(" ~ ", tmp_path) == tmp_path / " ~ "                  # what exists as typed is meant
    assert find_path("none/x.pkl", tmp_path) == tmp_path / "none/x.pkl" and find_path("~/x", tmp_path) == home / "x"


def test_a_file_to_be_written_is_prepared_or_told(tmp_path):
    assert prepare_file(tmp_path / "new/deep/r.json").parent.is_dir() and not list((tmp_path / "new/deep").iterdir())
    (tmp_path / "file").touch()
    for path, message in ((tmp_path, "is a folder"), (tmp_path / "file/r.json", "can't be written"), (f"{tmp_path}/sub/", "is a folder"), (Path("/proc/none/r.json"), "can't be written")):
        with pytest.raises(UserError, match=f"--report .*{message}"):
            prepare_file(path, "--report")
