"""Masks that can't be are told in a sentence before a job is made of them."""
import base64

import numpy as np
import pytest

from engine import png
from live.surface.masks import find_mistake, read_size


def url(width, height):
    return "data:image/png;base64," + base64.b64encode(png.write(np.zeros((height, width), np.uint8))).decode()


def request(**marks):
    return {"format": "latent-jockey request", "schema": 1} | {place: [{"seed": 1, "mask": mask}] for place, mask in marks.items()}


@pytest.mark.parametrize("side", [16, 64, 512, 4096])
def test_a_square_mask_is_right(side):
    assert read_size(url(side, side)) == (side, side)
    assert find_mistake(request(object=url(side, side), paste=url(64, 64), key=url(512, 512))) == ""


@pytest.mark.parametrize(("marks", "said"), [
    ({"object": url(300, 200)}, "what is copied: the mask is 300 x 200 px; expected a square of 16 to 4096 px, over the whole picture"),
    ({"paste": url(8, 8)}, "where it goes: the mask is 8 x 8 px; expected a square of 16 to 4096 px, over the whole picture"),
    ({"key": url(5000, 5000)}, "where the rule applies: the mask is 5000 x 5000 px; expected a square of 16 to 4096 px, over the whole picture"),
    ({"object": "data:image/png;base64,AAAA"}, "what is copied: expected a mask as a PNG data URL"),
    ({"object": "data:image/png;base64,%%%%"}, "what is copied: expected a mask as a PNG data URL"),
    ({"object": "data:image/jpeg;base64,AAAA"}, "what is copied: expected a mask as a PNG data URL"),
    ({"object": None}, "what is copied: expected a mask as a PNG data URL"),
    ({"paste": 7}, "where it goes: expected a mask as a PNG data URL")])
def test_others_are_wrong(marks, said):
    assert find_mistake(request(**marks)) == said


@pytest.mark.parametrize("found", [None, [], "x", 5])
def test_what_is_no_request(found):
    assert find_mistake(found).startswith("expected a request")


def test_a_list_that_is_none_and_one_too_long():
    assert find_mistake({"object": {}}).startswith("what is copied: expected a list")
    assert find_mistake({"key": [{"mask": url(16, 16)}] * 65}).startswith("where the rule applies: expected a list of at most 64")
