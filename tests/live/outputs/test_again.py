"""Outputs that broke in an unattended show are opened again: a recording on a disk that was full goes on in another file."""
import types

import av
import numpy as np

from live.outputs import service
from live.outputs.again import WAITS, Reopening
from live.outputs.spec import OutputSpec
from tests.live.outputs.test_window import eventually


def test_a_recording_goes_on_once_the_disk_has_room(tmp_path, monkeypatch):
    free, clock, told = [0], [0.0], []
    monkeypatch.setattr("live.outputs.recorder.shutil.disk_usage", lambda path: types.SimpleNamespace(free=free[0]))
    spec = OutputSpec("recorder", "recorder", str(tmp_path / "night.mkv"))
    show = types.SimpleNamespace(outputs=[service.open_output(spec)])
    show.outputs[0].name = "recorder"
    again = Reopening(show, [spec], service.open_output, lambda spec, output: told.append(spec.name), now=lambda: clock[0])
    picture = types.SimpleNamespace(pixels=np.full((32, 32, 3), 200, np.uint8))

    def play():
        for output in show.outputs:
            output.put(picture)
        again.play(None)
        return show.outputs[0]

    first = show.outputs[0]
    eventually(lambda: bool(play().broken), True)
    play()
    assert show.outputs[0] is first                       # not at once
    clock[0] += WAITS[0]
    eventually(lambda: play() is not first, True)
    second = show.outputs[0]
    eventually(lambda: bool(play().broken), True)         # the disk is as full as it was
    free[0] = 1 << 40
    clock[0] += WAITS[0]
    play()
    assert show.outputs[0] is second                      # it waits longer than before
    clock[0] += WAITS[0]
    eventually(lambda: play() is not second, True)
    eventually(lambda: (play().sent or 0) > 3, True)
    assert set(told) == {"recorder"} and show.outputs[0].name == "recorder" and not show.outputs[0].broken
    first.close(), second.close(), again.close()
    with av.open(str(tmp_path / "night.mkv")) as video:
        assert sum(1 for _ in video.decode(video=0)) > 2
