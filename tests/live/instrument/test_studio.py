"""What the studio draws and solves, on a tiny network."""
import base64
import io

import numpy as np
import pytest
from PIL import Image

from engine import png
from engine.checkpoints import native
from engine.errors import UserError
from engine.rewriting import load
from live.instrument.studio import Workshop
from tests.conftest import tiny


@pytest.fixture
def workshop(tmp_path):
    native.save(tmp_path / "tiny.safetensors", tiny(), "float32")
    return Workshop(tmp_path / "tiny.safetensors")


def request():
    mask = np.zeros((64, 64), np.uint8)
    mask[8:40, 8:40] = 255
    mark = {"seed": 3, "mask": "data:image/png;base64," + base64.b64encode(png.write(mask)).decode()}
    return {"format": "latent-jockey request", "schema": 1, "settings": {"layer": "b16.conv1", "rank": 1, "samples": 20},
            "object": [mark], "paste": [mark | {"seed": 5}], "key": [mark | {"seed": 5}]}


def size(answer):
    return Image.open(io.BytesIO(base64.b64decode(answer["jpeg"]))).size


def test_an_edit_is_solved_and_drawn_on_what_it_was_pasted_onto(workshop, tmp_path):
    job = {"kind": "solve", "name": "hats", "layer": "b16.conv1", "request": request()}
    stages = []
    assert workshop.do(job, lambda stage, at: stages.append(at)) == {"edit": "hats"}
    edit = load(tmp_path / "tiny/edits/hats.safetensors")
    assert edit.layer == "b16.conv1" and edit.recipe["request"]["paste"][0]["seed"] == 5 and all(0 <= at <= 1 for at in stages)
    width, height = size(workshop.do({"kind": "edit", "name": "hats"}))
    assert width == 4 * height
    with pytest.raises(UserError, match="already"):
        workshop.do(job)


@pytest.mark.parametrize("job", [{"kind": "edit", "name": "nobody"}, {"kind": "edit", "name": "../x"}, {"kind": "seed", "seed": -1}, {"kind": "seed", "seed": "x"},
                                 {"kind": "bread"}, {"kind": "solve", "name": "a/b"}, {"kind": "find", "layer": "b7"}, {"kind": "cluster", "layer": "b8.conv1", "name": "x"}])
def test_what_can_not_be_is_told_in_a_line(workshop, job):
    with pytest.raises(UserError):
        workshop.do(job)


def test_a_seed_to_paint_on_is_as_large_as_the_network_can(workshop):
    assert size(workshop.do({"kind": "seed", "seed": 3})) == (32, 32) == size(workshop.do({"kind": "seed", "seed": 3, "side": 384}))
