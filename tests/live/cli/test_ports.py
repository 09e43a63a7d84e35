"""What can be plugged in, as `run_live.py ports` lists it."""
from types import SimpleNamespace

import pytest

from live.audio import device as sound
from live.cli import ports
from live.controls import midi
from live.outputs import window
from live.sources import camera


@pytest.mark.parametrize("displays, cameras, lines", [
    (([(0, "1920 x 1080"), (1, "1280 x 720")], None), ([("0", "HD Pro"), ("2", "HDMI grabber")], None),
     ["  0: 1920 x 1080", "  1: 1280 x 720", "  0: HD Pro", "  2: HDMI grabber"]),
    (([], "no window: there is no display"), ([], None), ["  (none: no window: there is no display)", "  (none)"])])
def test_midi_displays_and_cameras(monkeypatch, capsys, displays, cameras, lines):
    monkeypatch.setattr(midi, "list_ports", lambda api: {"inputs": ["nano"], "outputs": []})
    monkeypatch.setattr(window, "list_displays", lambda: displays)
    monkeypatch.setattr(camera, "list_cameras", lambda: cameras)
    monkeypatch.setattr(sound, "list_inputs", lambda: ([(3, "Scarlett 2i2")], None))
    ports.run(SimpleNamespace(midi_api=None))
    told = capsys.readouterr().out.splitlines()
    titles = [line for line in told if not line.startswith(" ")]
    assert titles == ["MIDI inputs:", "MIDI outputs:", "sound inputs (--audio N or --audio NAME):", "displays (--display N):",
                       "cameras (--source camera=N or camera=NAME):"]
    assert [line for line in told if line.startswith(" ")] == ["  nano", "  (none)", "  3: Scarlett 2i2", *lines]


def test_cameras_are_called_as_the_flag_takes_them(tmp_path, monkeypatch):
    for device, name, index in (("video0", "HD Pro Webcam", "0"), ("video1", "HD Pro Webcam", "1"), ("video10", "HDMI grabber", "0"), ("video2", "Laptop", "0")):
        (tmp_path / device).mkdir()
        (tmp_path / device / "name").write_text(name + "\n")
        (tmp_path / device / "index").write_text(index + "\n")
    monkeypatch.setattr(camera, "V4L", tmp_path)
    monkeypatch.setattr(camera.sys, "platform", "linux")
    assert camera.list_cameras() == ([("0", "HD Pro Webcam"), ("2", "Laptop"), ("10", "HDMI grabber")], None)
    for target, _ in camera.list_cameras()[0]:
        assert camera.find_address(target) == f"/dev/video{target}"
    assert camera.find_address("grabber") == "/dev/video10"


def test_displays_without_any(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    found, problem = window.list_displays()
    assert found == [] and "no display" in problem or "not available" in problem
