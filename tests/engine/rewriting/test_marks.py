"""Marks as people type them, and the sheet that shows what an edit does."""
import numpy as np
import pytest
import torch

from engine import png, rewriting
from engine.errors import UserError
from engine.rewriting import Request
from engine.rewriting.marks import parse, polygon, world_region
from engine.rewriting.memory import map_z
from engine.rewriting.request import Mark, Picture, rows
from engine.rewriting.sheet import STRENGTHS, measure_firing, sheet
from engine.rewriting.wanted import draw_wanted
from engine.world import find, list_names, parts
from tests.conftest import tiny
from tests.engine.rewriting.test_solving import QUICK, REQUEST


@pytest.fixture
def world():
    return tiny(z_dim=64)


def test_a_box_and_the_same_as_a_polygon(generator):
    box, = parse("3:4,6,12,20", generator, 1.0)
    corners, = parse("3:4,6,12,6,12,20,4,20", generator, 1.0)
    assert box.mask.shape == (32, 32) and box.mask[6:20, 4:12].all() and box.mask.sum() == 14 * 8 and torch.equal(box.mask, corners.mask)
    assert box.picture.seeded and box.picture.number == 3


def test_one_place_in_many_pictures_is_one_mask(generator):
    marks = parse("1-1024:4,6,12,20", generator, 1.0)
    assert [mark.picture.number for mark in marks] == list(range(1, 1025)) and {id(mark.mask) for mark in marks} == {id(marks[0].mask)}
    things = parse("1-2:4,6,12,20", generator, 1.0) + parse("3:1,1,20,20", generator, 1.0)
    first, _, third = parse("5-7:16,16", generator, 1.0, things)
    assert first.mask.sum() == 14 * 8 and third.mask.sum() == 19 * 19                       # each the object of its own


def test_a_triangle_has_half_the_area():
    assert abs(polygon([0, 0, 100, 0, 0, 100], 120, 120).sum() - 5000) < 60


def test_a_point_takes_the_object_there_and_stays_in_the_picture(generator):
    thing = parse("3:4,6,12,20", generator, 1.0)
    moved, = parse("5:20,16", generator, 1.0, thing)
    assert moved.mask.sum() == 14 * 8 and moved.mask[9:23, 16:24].sum() > 90
    edge, = parse("5:31,31", generator, 1.0, thing)
    assert 0 < edge.mask.sum() < 14 * 8


def test_each_piece_of_a_mask_is_a_place_of_its_own(generator, tmp_path):
    painted = np.zeros((32, 32), np.uint8)
    for top, left in ((2, 3), (2, 20), (22, 11)):
        painted[top:top + 6, left:left + 6] = 255
    (tmp_path / "three.png").write_bytes(png.write(painted))
    thing = parse("5:10,10,15,15", generator, 1.0)
    paste, = parse(f"7:{tmp_path}/three.png:each", generator, 1.0)
    assert paste.each and not thing[0].each and thing[0].split() == thing
    pieces = paste.split()
    assert len(pieces) == 3 and all(not piece.each for piece in pieces) and torch.equal(sum(piece.mask for piece in pieces), paste.mask)
    wanted = draw_wanted(generator, Request(thing, (paste,)), 1.0, 32)
    copied = wanted_thing(generator, thing[0])
    for top, left in ((2, 3), (2, 20), (22, 11)):
        assert torch.allclose(wanted.wanted[0, :, top + 1:top + 6, left + 1:left + 6], copied, atol=1e-6)
        assert wanted.marked[0, 0, top + 1:top + 6, left + 1:left + 6].min() == 1
    assert wanted.marked.sum() == 75 and torch.equal(wanted.wanted[..., 12:20, :], wanted.before[..., 12:20, :])


def wanted_thing(generator, thing):
    """Return what a mark shows, [3, 5, 5]."""
    with torch.no_grad():
        return generator.synthesize(map_z(generator, thing.picture.z(generator.z_dim)[None], 1.0))[0, :, 10:15, 10:15]


def test_a_mask_in_too_many_pieces_is_refused(generator):
    board = (torch.arange(32)[:, None] % 2 * (torch.arange(32) % 2)).float()
    with pytest.raises(UserError, match="more than 40 pieces"):
        Mark(Picture(1), board, each=True).split()


def test_seeds_numbers_and_factors(world):
    assert [mark.picture.number for mark in parse("1-3,9:nose", world, 1.0)] == [1, 2, 3, 9]
    assert not parse("#819:1,1,9,9", world, 1.0)[0].picture.seeded
    assert parse("3@smile=0.9,nod=0.2:lips", world, 1.0)[0].picture.factors == (("smile", 0.9), ("nod", 0.2))


def test_parts_are_where_the_world_has_them(world):
    z = torch.from_numpy(parse("7:nose", world, 1.0)[0].picture.z(64))[None]
    truth = parts(z, 256)
    assert torch.allclose(parse("7:iris+pupil", world, 1.0)[0].mask, (truth["iris"] + truth["pupil"])[0])
    beside = world_region("head~nose", z)
    assert 0 < beside.sum() < (truth["head"] > 0.95).sum() and not (beside * (truth["nose"] > 0.5)).any()


@pytest.mark.parametrize("name", list_names())
def test_every_world_has_parts_and_factors_of_its_own(world, name):
    drawn = find(name)
    factor, part = drawn.names[0], drawn.parts[0]
    mark, = parse(f"7@{factor}=0.9:{part}", world, 1.0, world=drawn)
    z = torch.from_numpy(mark.picture.z(64))[None]
    assert torch.allclose(mark.mask, drawn.mark_parts(z, 256)[part][0]) and abs(drawn.uniform(z)[0, 0] - 0.9) < 0.05
    with pytest.raises(UserError, match=f"the world {name} has {part}"):
        parse("7:beak", world, 1.0, world=drawn)


def test_a_painted_file(generator, tmp_path):
    (tmp_path / "m.png").write_bytes(png.write(np.eye(16, dtype=np.uint8) * 255))
    assert parse(f"3:{tmp_path / 'm.png'}", generator, 1.0)[0].mask.sum() == 16


@pytest.mark.parametrize("text, says", [
    ("3", "expected SEED:REGION"), ("x:1,2,3,4", "seed 'x'"), ("3-1:1,2,9,9", "lower one first"), ("1-9000:1,2,9,9", "expected 1 to 1024"),
    ("3:1,2,3,4,5", "5 numbers"), ("3:1,2", "nothing is copied"), ("3:9,9,9,9", "mask is empty"), ("3:900,900,999,999", "mask is empty"),
    ("3:beak", "no part 'beak'"), ("3:nose", "another one"), ("3:none.png", "can't be read"), ("3@smile:1,1,9,9", "expected NAME=NUMBER"),
    ("#999999:1,1,9,9", "image number"), ("##3:1,1,9,9", "seed '#3'"), ("²:1,1,9,9", "seed '²'"), ("9" * 5000 + ":1,1,9,9", "seed '9"),
    ("3:nose~head~iris", "expected one ~"),
])
def test_marks_that_cannot_be_read(generator, text, says):
    with pytest.raises(UserError, match=says):
        parse(text, generator, 1.0)


def test_factors_that_are_not(world):
    for text, says in (("3@beak=0.5:nose", "factor 'beak'"), ("3@smile=2:nose", "between 0 and 1")):
        with pytest.raises(UserError, match=says):
            parse(text, world, 1.0)


def test_a_rule_fires_at_its_context_and_the_picture_changes_there_most():
    """On pictures never seen, over a network whose 'part' is one planted channel's blob."""
    generator = tiny()
    edit = rewriting.solve(generator, REQUEST, "b16.conv1", 1, **QUICK)
    ws = map_z(generator, next(rows(40, 16))[30:], 1.0)
    found = measure_firing(generator, edit, ws)
    plain, after = generator.synthesize(ws), rewriting.apply(generator, [(edit, 1.0)]).synthesize(ws)
    change = torch.nn.functional.avg_pool2d((after - plain).abs().mean(1), 2)
    loud = found > torch.quantile(found, 0.9)
    quiet = found < torch.quantile(found, 0.5)
    assert change[loud].mean() > 2 * change[quiet].mean()


def test_the_sheet_has_a_row_each(generator):
    edit = rewriting.solve(generator, Request(contexts=REQUEST.contexts), "b16.conv1", 1, "zero", **QUICK)
    picture = sheet(generator, edit, [1, 2, 3])
    assert picture.dtype == np.uint8 and picture.shape == ((2 + len(STRENGTHS)) * 40, 3 * 40, 3)
    assert not np.array_equal(picture[:40], picture[40:80])
