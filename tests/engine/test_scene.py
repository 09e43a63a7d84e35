import math

import pytest

from engine.bending import Bend
from engine.errors import UserError
from engine.parameter import Parameter
from engine.scene import Scene
from live.show.events import Change


@pytest.fixture
def scene():
    return Scene({"/a": Parameter(1.0, 0.0, 2.0), "/walk/speed": Parameter(0.5), "/walk/kind": Parameter("x", choices=("x", "y"))})


def test_defaults_until_set(scene):
    assert scene["/a"] == 1.0
    assert scene.set([Change("/a", 0.25)])["/a"] == 0.25


def test_set_leaves_the_old_scene_alone_and_clamps(scene):
    changed = scene.set([Change("/a", 9.0), Change("/walk/kind", "y")])
    assert (scene["/a"], changed["/a"], changed["/walk/kind"]) == (1.0, 2.0, "y")
    with pytest.raises(TypeError):
        changed.values["/a"] = 0.0


def test_nothing_to_set_is_the_same_scene(scene):
    assert scene.set([]) is scene


def test_an_unknown_address_names_the_near_ones(scene):
    with pytest.raises(UserError, match="/walk/speed"):
        scene["/walk/sped"]
    with pytest.raises(UserError, match="no parameter '/nowhere'"):
        scene.set([Change("/nowhere", 1.0)])


@pytest.mark.parametrize("value", [math.nan, math.inf, "loud"])
def test_a_bad_value_names_its_address(scene, value):
    with pytest.raises(UserError, match="^/a: "):
        scene.set_values({"/a": value})


def test_bends_bring_their_parameters_and_take_them_away(scene):
    eyes = Bend("eyes", "b8.conv0", None, "solarize", {"threshold": 1.5})
    with_eyes = scene.with_bends([eyes])
    assert with_eyes["/bends/eyes/threshold"] == 1.5
    assert with_eyes["/bends/eyes/mix"] == 1.0
    turned = with_eyes.set([Change("/bends/eyes/mix", 0.5), Change("/a", 0.0)])
    nose = Bend("nose", "b4.conv1", None, "solarize")
    reordered = turned.with_bends([nose, eyes])
    assert reordered["/bends/eyes/mix"] == 0.5                       # a bend that stays keeps its values
    gone = reordered.with_bends([])
    assert "/bends/eyes/mix" not in gone.parameters and "/bends/eyes/mix" not in gone.values
    assert gone["/a"] == 0.0
