from fractions import Fraction

import pytest

from engine.architecture import Architecture
from engine.errors import UserError
from engine.frame import FrameShape, parse_ratio, ratio_text


@pytest.mark.parametrize("text, ratio", [("16:9", Fraction(16, 9)), ("1920x1080", Fraction(16, 9)), (" 9 : 16 ", Fraction(9, 16)),
                                         ("2.39:1", Fraction(239, 100)), ("9/16", Fraction(9, 16)), ("16:1", Fraction(16))])
def test_a_shape_is_read_as_people_write_it(text, ratio):
    assert parse_ratio(text) == ratio
    assert parse_ratio(ratio_text(ratio)) == ratio


@pytest.mark.parametrize("text", ["", "wide", "16", "16:0", "0:9", "-16:9", "16:9:1", "17:1", "1:99", "inf:1", "nan:1", "1e3:1", "٣:٤ x"])
def test_what_is_no_shape_is_said_with_an_example(text):
    with pytest.raises(UserError, match="16:9|at most"):
        parse_ratio(text)


@pytest.mark.parametrize("own", [(4, 4), (4, 6), (6, 4), (5, 3), (1, 4)])
@pytest.mark.parametrize("text", ["16:9", "21:9", "9:16", "1:1", "4:1", "1:4", "4:3", "1.85:1", "13:7"])
def test_every_shape_of_every_network_is_a_little_cut_off_a_symmetric_continuation(own, text):
    a, ratio = Architecture(resolution=256, const_size=own), parse_ratio(text)
    shape = FrameShape(a, ratio)
    more = [cells - side for cells, side in zip(shape.cells, own)]
    assert 0 in more and all(n >= 0 and n % 2 == 0 for n in more)
    for r in a.resolutions:
        shown, drawn, middle = shape.pixels(r), shape.find_drawn(r), a.pixels(r)
        assert all(s <= d for s, d in zip(shown, drawn)) and (r == 4 or all((d - s) % 2 == 0 for s, d in zip(shown, drawn)))
        assert all(s >= m - 1 for s, m in zip(shown, middle)) or r < 32     # nothing of the network's own picture is lost
    height, width = shape.pixels(256)
    assert abs(width - height * ratio) <= max(1, ratio)
    assert all(d - s < 2 * 256 / 4 for s, d in zip(shape.pixels(256), shape.find_drawn(256)))       # no whole pair of cells for nothing
