"""Pictures of another shape as a user asks for them: --frame in shows, takes, replays and renders."""
import json

import numpy as np
import pytest
from PIL import Image

from live.takes.take import read_header, read_origin
from tests.program import run_program
from tests.test_cli import QUIET, network  # noqa: F401  (a fixture)

ALONE = ("--osc-port", "0", "--midi-ports", "none", "--surface-port", "0", "--threads", 1)


def pictures(folder):
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("frame_*.png"))]


def test_a_wide_show_its_take_a_replay_and_a_render_give_the_same_pictures(network, tmp_path):  # noqa: F811
    shown = run_program("--instrument", network, "--frame", "16:9", "--output", "files=shown", *ALONE, "--frames", 6, "--take", "a.take", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "at 56 x 32 px" in shown.stderr and read_origin(read_header(tmp_path / "a.take")).frame == "16:9"
    again = run_program("--instrument", network, "--replay", "a.take", "--output", "files=again", *ALONE, cwd=tmp_path)
    drawn = run_program("render", "a.take", "-o", "drawn", "--instrument", network, "--threads", 1, cwd=tmp_path)
    assert (again.returncode, drawn.returncode) == (0, 0), again.stderr + drawn.stderr
    for folder in ("shown", "again", "drawn"):
        found = pictures(tmp_path / folder)
        assert len(found) and found[0].shape == (32, 56, 3), folder
    rendered = {picture.tobytes() for picture in pictures(tmp_path / "drawn")}
    for folder in ("shown", "again"):                                       # which may have dropped some
        assert {picture.tobytes() for picture in pictures(tmp_path / folder)} <= rendered


def test_a_take_of_before_shapes_is_drawn_square(network, tmp_path):  # noqa: F811
    done = run_program("--instrument", network, *QUIET, "--frames", 4, "--take", "a.take", "--threads", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, *rest = (tmp_path / "a.take").read_text().splitlines(keepends=True)
    header = json.loads(first)
    older = {key: value for key, value in header.items() if key != "frame"}
    older["defaults"] = {a: v for a, v in header["defaults"].items() if not a.startswith("/frame/")}
    (tmp_path / "old.take").write_text(json.dumps(older) + "\n" + "".join(rest))
    for name in ("a", "old"):
        rendered = run_program("render", f"{name}.take", "-o", name, "--instrument", network, "--threads", 1, cwd=tmp_path)
        assert rendered.returncode == 0 and "WARNING" not in rendered.stderr, rendered.stderr
        assert pictures(tmp_path / name)[0].shape == (32, 32, 3)
    assert [p.tobytes() for p in pictures(tmp_path / "a")] == [p.tobytes() for p in pictures(tmp_path / "old")]


@pytest.mark.parametrize("arguments", [("--frame", "wide"), ("--frame", "17:1")])
def test_a_shape_that_is_none_is_said_before_anything_opens(network, arguments):  # noqa: F811
    done = run_program("--instrument", network, *QUIET, *arguments)
    assert done.returncode == 2 and "--frame" in done.stderr and "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
