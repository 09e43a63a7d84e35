"""Addresses where a path belongs: each is answered with which file to download, or with the copy that is there."""
import hashlib
import pathlib

import pytest

from engine import checkpoints
from engine.errors import UserError
from engine.web_address import local_path


@pytest.mark.parametrize("address, name", [
    ("https://example.invalid/a/afhqcat.pkl", "afhqcat.pkl"), ("http://example.invalid/x.pt?download=1", "x.pt"), ("HTTPS://EXAMPLE.INVALID/X.PKL", "X.PKL"),
    ("https://example.invalid/a%20b.pkl", "a b.pkl"), ("https://example.invalid/", "network.pkl"), ("https:/example.invalid/x.pkl", "x.pkl"),
    ("s3://bucket/x.pkl", "x.pkl"), ("gs://bucket/x.pkl", "x.pkl"), ("www.example.invalid/x.pkl", "x.pkl"),
    ("https://drive.google.com/uc?id=1", "uc"),
])
def test_a_web_address_says_what_to_download(address, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for read in (local_path, checkpoints.load, lambda text: checkpoints.load(pathlib.Path(text))):
        with pytest.raises(UserError) as caught:
            read(address)
        line = str(caught.value)
        assert "download" in line and name in line and "\n" not in line


def test_copies_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNNLIB_CACHE_DIR", str(tmp_path))
    address = "https://example.invalid/x.pkl"
    cached = tmp_path / f"{hashlib.md5(address.encode(), usedforsecurity=False).hexdigest()}_x.pkl"
    cached.write_bytes(b"x")
    with pytest.raises(UserError, match=cached.name):
        local_path(address)
    (tmp_path / "x.pkl").write_bytes(b"x")
    with pytest.raises(UserError, match="there is a copy of it at x.pkl"):
        local_path(address)


@pytest.mark.parametrize("text", ["network.pkl", "C:/nets/x.pkl", "C:\\nets\\x.pkl", "./a:b/x.pkl", "/data/x.pkl", "~nobody-of-that-name/x.pkl", "presets/masks"])
def test_paths_stay_paths(text):
    assert local_path(text) == pathlib.Path(text)


def test_file_addresses_are_paths(tmp_path):
    (tmp_path / "a b.pkl").write_bytes(b"")
    assert local_path((tmp_path / "a b.pkl").as_uri()) == tmp_path / "a b.pkl"
