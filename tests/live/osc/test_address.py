"""Wildcards as tables: what a pattern means among these addresses."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameter import Parameter
from engine.scene import Scene
from live.osc.address import find_matches, find_spelled, is_pattern, read_value

ADDRESSES = ("/truncation", "/truncation/cutoff", "/tempo", "/walk/speed", "/walk/seed", "/walk/x", "/walk/y",
             "/bends/eyes/mix", "/bends/hats/mix", "/bends/eyes/factor", "/bends/a-b/mix")


@pytest.mark.parametrize("pattern, found", [
    ("/truncation", "/truncation"),
    ("/TRUNCATION", "/truncation"),
    ("/nothing", ""),
    ("/trunc", ""),
    ("/walk/?", "/walk/x /walk/y"),
    ("/walk/??", ""),
    ("/walk/s*", "/walk/speed /walk/seed"),
    ("/walk/*e*d", "/walk/speed /walk/seed"),
    ("/*", "/truncation /tempo"),
    ("/t*o*", "/truncation /tempo"),
    ("/*/*", "/truncation/cutoff /walk/speed /walk/seed /walk/x /walk/y"),
    ("/bends/*/mix", "/bends/eyes/mix /bends/hats/mix /bends/a-b/mix"),
    ("/bends/{eyes,hats}/mix", "/bends/eyes/mix /bends/hats/mix"),
    ("/bends/{ey,hat}{es,s}/mix", "/bends/eyes/mix /bends/hats/mix"),
    ("/bends/*s/{mix,factor}", "/bends/eyes/mix /bends/hats/mix /bends/eyes/factor"),
    ("/walk/[xy]", "/walk/x /walk/y"),
    ("/walk/[a-x]", "/walk/x"),
    ("/walk/[!x]", "/walk/y"),
    ("/walk/[z-a]", ""),
    ("/bends/a[-]b/mix", "/bends/a-b/mix"),
    ("/bends/[!a-d]*/mix", "/bends/eyes/mix /bends/hats/mix"),
    ("//mix", "/bends/eyes/mix /bends/hats/mix /bends/a-b/mix"),
    ("/bends//m*", "/bends/eyes/mix /bends/hats/mix /bends/a-b/mix"),
    ("//eyes//", "/bends/eyes/mix /bends/eyes/factor"),
    ("//", " ".join(ADDRESSES)),
    ("/WALK/S*", "/walk/speed /walk/seed"),
    ("/walk/[", ""),
    ("/walk/{x", ""),
    ("/walk/x}", ""),
    ("/walk/]", ""),
    ("/walk/.", ""),
    ("/walk/(x|y)", ""),
])
def test_pattern(pattern, found):
    assert find_matches(pattern, ADDRESSES) == found.split()


@pytest.mark.parametrize("address, wild", [("/a/b", False), ("/a*", True), ("/a?", True), ("/[a]", True), ("/{a}", True), ("//a", True)])
def test_is_pattern(address, wild):
    assert is_pattern(address) is wild


@pytest.mark.parametrize("pattern", ["/" + "*a" * 100, "/" + "a*" * 120, "/" + "{a,b}" * 40, "/" + "{" * 200, "/" + "[" * 200, "//a" * 80])
def test_no_pattern_takes_long(pattern):
    """Each of these takes an ordinary matcher longer than the universe has lasted."""
    assert find_matches(pattern, ("/" + "a" * 250, "/" + "a/" * 8 + "b")) in ([], ["/" + "a" * 250])


@given(st.text("/ab*?[]{},!-", max_size=30))
def test_any_pattern_gives_addresses(text):
    assert set(find_matches("/" + text, ADDRESSES)) <= set(ADDRESSES)


def test_what_was_found_belongs_to_one_collection():
    assert find_matches("/walk/*", ("/walk/a",)) == ["/walk/a"]
    assert find_matches("/walk/*", ("/walk/b",)) == ["/walk/b"]
    assert find_matches("/walk/*", ADDRESSES).pop() == "/walk/y"
    assert find_matches("/walk/*", ADDRESSES)[-1] == "/walk/y", "a caller may do as it likes with the list"


def test_normalized_twins():
    scene = Scene({"/tempo": Parameter(120.0, 20.0, 300.0), "/walk/z": Parameter((), size=4)})
    assert find_spelled("/n/t*", scene.parameters) == ["/n/tempo"]
    assert read_value(scene, "/tempo") == 120.0
    assert read_value(scene, "/n/tempo") == pytest.approx(100 / 280)
    assert read_value(scene, "/walk/z") == ()
    assert read_value(scene, "/n/walk/z") is None
    assert read_value(scene, "/n") is None
    assert read_value(scene, "/freeze") is None
