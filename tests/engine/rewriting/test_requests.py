"""Requests: the z numbering, masks out of PNG of every kind, published files and our own, and what is refused."""
import base64
import io
import json
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from engine import png
from engine.errors import UserError
from engine.rewriting import Mark, Picture, Request, read_mask, read_request, write_request
from engine.rewriting.request import row, rows


def url(pixels, mode):
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def painted(mode="RGBA", size=(40, 40)):
    """White paint on nothing, as the published demo saves it: a box of 12 x 8."""
    pixels = np.zeros((*size, {"RGBA": 4, "LA": 2, "L": 1, "RGB": 3}[mode]), np.uint8)
    pixels[10:18, 6:18] = 255
    return url(pixels.squeeze(), mode)


BOX = painted()


def written(tmp_path, content):
    path = tmp_path / "edit.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


# --- z ---------------------------------------------------------------------------------------------------------------

def test_z_of_picture_0_is_the_published_one():
    assert np.allclose(row(0, 512)[:3], [1.62434536, -0.61175641, -0.52817175])


@pytest.mark.parametrize("number", [0, 1, 7, 5000])
def test_row_n_is_the_same_whatever_the_count(number):
    whole = np.concatenate(list(rows(number + 4, 16)))
    assert np.array_equal(row(number, 16), whole[number])
    assert np.array_equal(whole, np.random.RandomState(1).standard_normal((number + 4) * 16).reshape(-1, 16).astype(np.float32))


def test_a_seed_is_the_seed_of_walks():
    from engine.latents import z_of

    assert np.allclose(Picture(5, seeded=True).z(32), z_of(5, 32), atol=1e-6)


def test_a_factor_of_the_world_is_set_and_the_others_stay():
    from engine.world import MASKS

    plain, changed = (MASKS.uniform(torch.from_numpy(Picture(3, True, factors).z(64))[None])[0] for factors in ((), (("smile", 0.9),)))
    smile = MASKS.names.index("smile")
    assert abs(changed[smile] - 0.9) < 0.03
    others = torch.arange(len(MASKS.names)) != smile
    assert (changed - plain)[others].abs().max() < 0.04
    with pytest.raises(UserError, match="this network is another one"):
        Picture(3, True, (("smile", 0.9),)).z(512)


def test_factors_are_those_of_the_world_that_is_named():
    from engine.world import find

    bloom = find("bloom")
    u = bloom.uniform(torch.from_numpy(Picture(3, True, (("spin", 0.9),), "bloom").z(64))[None])[0]
    assert abs(u[bloom.names.index("spin")] - 0.9) < 0.03
    for world, says in (("masks", "the world masks has"), ("nowhere", "world 'nowhere': there is none")):
        with pytest.raises(UserError, match=says):
            Picture(3, True, (("spin", 0.9),), world).z(64)


# --- PNG -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1"])
def test_png_of_every_kind_as_pillow_reads_it(mode):
    pixels = np.random.RandomState(2).randint(0, 256, (13, 11, 3)).astype(np.uint8)
    pixels[3:6] = pixels[3]                                                # rows alike make an encoder use its filters
    picture = Image.fromarray(pixels).convert(mode)
    file = io.BytesIO()
    picture.save(file, "PNG")
    assert np.array_equal(png.read(file.getvalue()), np.asarray(picture.convert("RGBA")))


def test_a_png_whose_rows_are_all_differences_as_browsers_write_it():
    pixels = np.random.RandomState(4).randint(0, 256, (7, 300, 4)).astype(np.uint8)
    rows = pixels.copy()
    rows[:, 1:] -= pixels[:, :-1]                                          # filter 1: to the pixel on the left
    packed = np.concatenate([np.ones((7, 1), np.uint8), rows.reshape(7, -1)], 1)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    data = png.SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 300, 7, 8, 6, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(packed.tobytes()))
    assert np.array_equal(png.read(data), pixels)


def test_png_there_and_back():
    grey = np.random.RandomState(3).randint(0, 256, (9, 17)).astype(np.uint8)
    assert np.array_equal(png.read(png.write(grey))[:, :, 0], grey)


@pytest.mark.parametrize("damage, says", [
    (lambda data: data[:60], "damaged"), (lambda data: b"GIF89a" + data, "not a PNG"), (lambda data: data[:40] + b"x" + data[41:], "damaged"),
])
def test_damaged_png_is_refused(damage, says):
    with pytest.raises(UserError, match=says):
        png.read(damage(png.write(np.zeros((8, 8), np.uint8) + 3)))


# --- masks -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "RGB"])
def test_a_mask_is_where_it_is_painted_in_any_mode(mode, tmp_path):
    mask = read_request(written(tmp_path, {"paste": [0, painted(mode)]})).pastes[0].resize(20, 20)
    assert mask[6:8, 4:8].min() == 1.0 and mask[:4].max() == 0.0 and mask[:, 10:].max() == 0.0


def test_an_alpha_only_mask_counts(tmp_path):
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[4:8, 4:8, 3] = 255
    request = read_request(written(tmp_path, {"paste": [0, url(pixels, "RGBA")]}))
    assert request.pastes[0].mask.sum() == 16
    Image.fromarray(pixels, "RGBA").save(tmp_path / "mask.png")
    assert torch.equal(read_mask(tmp_path / "mask.png"), request.pastes[0].mask)


@pytest.mark.parametrize("size", [(8, 8), (5, 9), (32, 16), (100, 64)])
def test_masks_are_resized_as_pillow_does(size):
    mask = np.random.RandomState(4).randint(0, 256, (64, 48)).astype(np.uint8)
    wanted = np.asarray(Image.fromarray(mask).resize(size[::-1], Image.BILINEAR))
    got = Mark(Picture(0), torch.from_numpy(mask.astype(np.float32) / 255)).resize(*size) * 255
    assert np.abs(got.numpy() - wanted).max() <= 1.0


# --- files -----------------------------------------------------------------------------------------------------------

def test_a_published_file_is_read(tmp_path):
    request = read_request(written(tmp_path, {"query": [208, BOX], "object": [8, BOX], "paste": [960, BOX], "key": [[819, BOX], [21, BOX]]}))
    assert [mark.picture.number for mark in request.objects + request.pastes + request.contexts] == [8, 960, 819, 21]
    assert request.query.picture == Picture(208) and request.keys() == request.contexts and request.keys(1) == request.contexts[1:]


@pytest.mark.parametrize("content", [{}, {"key": []}, {"query": [3, BOX]}, {"object": [3, BOX]}])
def test_all_entries_are_optional_and_what_is_missing_is_said_when_it_is_needed(tmp_path, content):
    request = read_request(written(tmp_path, content))
    with pytest.raises(UserError, match="no paste|no object"):
        request.pairs()
    with pytest.raises(UserError, match="neither key nor paste"):
        request.keys()


def test_without_key_the_paste_is_the_context(tmp_path):
    request = read_request(written(tmp_path, {"paste": [960, BOX], "object": [8, BOX]}))
    assert request.keys() == request.pastes
    with pytest.raises(UserError, match="single key 1: there are 1"):
        request.keys(1)


def test_repeated_pictures_are_contexts_of_their_own(tmp_path):
    assert len(read_request(written(tmp_path, {"key": [[3, BOX], [3, BOX]]})).keys()) == 2


@pytest.mark.parametrize("content, says", [
    ("[]", "expected a JSON object"), ("{", "not JSON"), ({"mask": 3}, "unknown entry 'mask'"),
    ({"3": {"value": "10.0", "intervention": "data:", "revert": "data:"}}, "posneg"),
    ({"object": [3]}, r"object: expected \[image number, mask\]"), ({"object": ["3", BOX]}, "object: image number '3'"),
    ({"object": [True, BOX]}, "image number True"), ({"object": [-1, BOX]}, "image number -1"), ({"paste": [10 ** 9, BOX]}, "paste: image number"),
    ({"key": {"3": BOX}}, "key: expected a list"), ({"key": {}}, "key: expected a list"), ({"object": [3, "data:image/png;base64,é"]}, "not base64"),
    ({"key": [[3, BOX], [3, "?"]]}, "key 1: mask: expected a data URL"),
    ({"object": [3, "data:image/png;base64,%%%"]}, "object: mask: not base64"),
    ({"object": [3, "data:image/png;base64,QUJD"]}, "object: not a PNG"),
    ({"object": [3, "data:image/jpeg;base64,QUJD"]}, "expected a data URL"), ({"object": [3, None]}, "expected a data URL"),
    ({"object": [3, url(np.zeros((9, 9), np.uint8), "L")]}, "object: picture 3: its mask is empty"),
    ({"format": "something"}, "format 'something'"), ({"format": "latent-jockey request", "schema": 2}, "schema version 2"),
    ({"format": "latent-jockey request", "schema": 1, "query": []}, "query: expected {image or seed"),
    ({"format": "latent-jockey request", "schema": 1, "model": "church"}, "unknown entry 'model'"),
    ({"format": "latent-jockey request", "schema": 1, "settings": []}, "settings: expected an object"),
    ({"format": "latent-jockey request", "schema": 1, "fill": 1}, "fill: expected true or false"),
    ({"format": "latent-jockey request", "schema": 1, "key": [{"seed": 1, "image": 2, "mask": BOX}]}, "key 0: expected {image or seed"),
    ({"format": "latent-jockey request", "schema": 1, "key": [{"seed": 1, "factors": [], "mask": BOX}]}, "factors: expected"),
    ({"format": "latent-jockey request", "schema": 1, "key": [{"seed": 1, "world": 3, "mask": BOX}]}, "key 0: world: expected a name"),
    ({"format": "latent-jockey request", "schema": 1, "object": [{"drawing": "hat.png"}]}, "object 0: drawing: expected a data URL"),
])
def test_malformed_requests_say_what_is_wrong(tmp_path, content, says):
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=says) as caught:
        read_request(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_missing_file_a_folder_and_rubbish_are_refused(tmp_path):
    (tmp_path / "rubbish.json").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "rubbish.json"):
        with pytest.raises(UserError):
            read_request(path)
    with pytest.raises(UserError, match="can't be read"):
        read_mask(tmp_path / "none.png")


def test_our_own_file_there_and_back(tmp_path):
    mask = torch.zeros(20, 30)
    mask[3:9, 4:7] = 1.0
    request = Request((Mark(Picture(3, True, (("spin", 0.9),), "bloom"), mask),), (Mark(Picture(5, True), mask), Mark(Picture(9), mask)),
                      (Mark(Picture(9), mask),), Mark(Picture(819), mask), fill=True, settings={"layer": "b16.conv1", "rank": 2})
    again = read_request(write_request(tmp_path / "own.json", request))
    assert again.fill and again.settings == request.settings and again.query.picture == Picture(819)
    for name in ("objects", "pastes", "contexts"):
        for one, other in zip(getattr(request, name), getattr(again, name), strict=True):
            assert one.picture == other.picture and torch.equal(one.mask, other.mask)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "edit.json").write_text(json.dumps({"object": [3, BOX]}), encoding="utf-8-sig")
    assert read_request(tmp_path / "edit.json").objects[0].picture == Picture(3)


def test_objects_and_pastes_must_match():
    mark = Mark(Picture(1), torch.ones(4, 4))
    with pytest.raises(UserError, match="2 objects for 3 pastes"):
        Request((mark,) * 2, (mark,) * 3)
    assert Request((mark,), (mark,) * 3).pairs() == ((mark, mark),) * 3
