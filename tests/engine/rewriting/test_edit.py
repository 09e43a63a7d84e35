"""Edits as data and as files: what they add to a weight, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from engine import rewriting
from engine.errors import UserError
from engine.rewriting.edit import FORMAT, total
from tests.conftest import tiny


def edit_of(generator, layer="b16.conv1", rank=2, seed=0, name="hats", size=0.3):
    outputs, inputs, *kernel = generator.weights(layer).shape
    random = torch.Generator().manual_seed(seed)
    directions = torch.linalg.qr(torch.randn(inputs, rank, generator=random)).Q.T
    return rewriting.Edit(name, layer, directions, torch.randn(rank, outputs, *kernel, generator=random) * size, {"seed": seed}, "abc")


def by_hand(weight, edits):
    """The sum, in float64 and one number at a time."""
    result = weight.double().numpy().copy()
    for edit, strength in edits:
        directions, values = edit.directions.double().numpy(), edit.values.double().numpy()
        for r in range(len(directions)):
            for i in range(result.shape[1]):
                result[:, i] += strength * values[r] * directions[r, i]
    return result


def test_a_file_gives_back_the_same_edit_bit_for_bit(tmp_path, generator):
    edit = edit_of(generator)
    found = rewriting.load(rewriting.save(tmp_path / "edits" / "hats.safetensors", edit))
    assert (found.name, found.layer, found.recipe, found.generator) == ("hats", "b16.conv1", {"seed": 0}, "abc")
    assert torch.equal(found.directions, edit.directions) and torch.equal(found.values, edit.values)
    assert [path.name for path in (tmp_path / "edits").iterdir()] == ["hats.safetensors"]


def test_whoever_may_read_the_other_files_may_read_an_edit(tmp_path, generator):
    (tmp_path / "plain").write_text("")
    path = rewriting.save(tmp_path / "hats.safetensors", edit_of(generator))
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_file_names_the_edit(tmp_path, generator):
    rewriting.save(tmp_path / "crowns.safetensors", edit_of(generator))
    assert rewriting.load(tmp_path / "crowns.safetensors").name == "crowns"


@pytest.mark.parametrize("layer", ["b4.conv1", "b16.conv0", "b32.conv1"])
def test_apply_adds_the_sum_and_touches_nothing_else(layer):
    generator, before = tiny(), tiny()
    edits = [(edit_of(generator, layer), 0.7), (edit_of(generator, layer, seed=1), -1.0), (edit_of(generator, "b8.conv1", seed=2), 2.0)]
    edited = rewriting.apply(generator, edits)
    for name, tensor in generator.state_dict().items():
        assert torch.equal(tensor, before.state_dict()[name])
        touched = name in (f"synthesis.{layer}.weight", "synthesis.b8.conv1.weight")
        assert torch.equal(tensor, edited.state_dict()[name]) != touched
    np.testing.assert_allclose(edited.weights(layer).numpy(), by_hand(generator.weights(layer), edits[:2]), atol=2e-6)
    np.testing.assert_allclose(edited.weights("b8.conv1").numpy(), by_hand(generator.weights("b8.conv1"), edits[2:]), atol=2e-6)


def test_the_change_has_no_more_than_its_rank_and_lies_in_its_directions(generator):
    edit = edit_of(generator, rank=3)
    delta = edit.delta(0.5).permute(0, 2, 3, 1).flatten(0, 2).double()                  # [O * 9, I]
    assert torch.linalg.matrix_rank(delta, rtol=1e-5) == 3
    outside = delta - delta @ edit.directions.double().T @ edit.directions.double()
    assert outside.abs().max() < 1e-6 * delta.abs().max()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-1, 2, width=32), max_size=4))
def test_strength_zero_is_the_base_itself(strengths):
    generator = tiny()
    base = generator.weights("b16.conv1")
    edits = [(edit_of(generator, seed=n), 0.0 * s) for n, s in enumerate(strengths)]
    assert total(base, edits) is base
    applied = rewriting.apply(generator, edits).weights("b16.conv1")
    assert torch.equal(applied.view(torch.int32), base.view(torch.int32))


def test_edits_of_two_layers_commute(generator):
    a, b = (edit_of(generator), 1.0), (edit_of(generator, "b32.conv0", seed=5), 1.5)
    one, other = rewriting.apply(generator, [a, b]).state_dict(), rewriting.apply(generator, [b, a]).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


REFUSED = {
    "axes": (dict(directions=torch.zeros(8)), "2 axes"),
    "counts": (dict(directions=torch.zeros(3, 8)), "3 directions but 2 values"),
    "none": (dict(directions=torch.zeros(0, 8), values=torch.zeros(0, 8, 3, 3)), "1 or more"),
    "NaN": (dict(values=torch.full((2, 8, 3, 3), float("nan"))), "NaN"),
    "infinity": (dict(directions=torch.full((2, 8), float("inf"))), "infinity"),
    "whole numbers": (dict(directions=torch.zeros(2, 8, dtype=torch.int64)), "real numbers"),
    "name": (dict(name="no/slash"), "name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_edit_is_refused(case):
    changed, expected = REFUSED[case]
    parts = dict(name="hats", layer="b16.conv1", directions=torch.zeros(2, 8), values=torch.zeros(2, 8, 3, 3)) | changed
    with pytest.raises(UserError, match=expected):
        rewriting.Edit(**parts)


def test_an_edit_of_another_network_is_refused(generator):
    with pytest.raises(UserError, match=r"no layer 'b64.conv1'"):
        rewriting.apply(generator, [(rewriting.Edit("a", "b64.conv1", torch.zeros(1, 8), torch.zeros(1, 8, 3, 3)), 1.0)])
    with pytest.raises(UserError, match=r"shape \[8, 9, 3, 3\], but b16.conv1 has \[8, 8, 3, 3\]"):
        rewriting.apply(generator, [(rewriting.Edit("a", "b16.conv1", torch.zeros(1, 9), torch.zeros(1, 8, 3, 3)), 1.0)])


HEADER = {"format": FORMAT, "schema": "1", "layer": "b16.conv1"}
PARTS = {"directions": torch.zeros(1, 8), "values": torch.zeros(1, 8, 3, 3)}
FILES = {
    "another format": (PARTS, HEADER | {"format": "latent-jockey generator"}, "not an edit"),
    "no metadata": (PARTS, None, "not an edit"),
    "a later schema": (PARTS, HEADER | {"schema": "3"}, "schema version '3'"),
    "no layer": (PARTS, {k: v for k, v in HEADER.items() if k != "layer"}, "which layer"),
    "no values": ({"directions": PARTS["directions"]}, HEADER, "no values"),
    "a recipe that isn't JSON": (PARTS, HEADER | {"recipe": "{"}, "recipe"),
    "a recipe of lists in lists": (PARTS, HEADER | {"recipe": "[" * 100_000}, "recipe"),
    "a recipe that is a list": (PARTS, HEADER | {"recipe": "[1]"}, "recipe"),
    "NaN": (PARTS | {"values": torch.full((1, 8, 3, 3), float("nan"))}, HEADER, "NaN"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_edit_is_refused_in_one_line(tmp_path, case):
    tensors, header, expected = FILES[case]
    path = tmp_path / "bad.safetensors"
    save_file(tensors, path, header)
    with pytest.raises(UserError, match=expected) as refusal:
        rewriting.load(path)
    assert str(refusal.value).startswith(f"{path}: ") and "\n" not in str(refusal.value)


@pytest.mark.parametrize("kept", [0, 7, 40, -10])
def test_a_file_cut_off_is_refused(tmp_path, generator, kept):
    path = rewriting.save(tmp_path / "hats.safetensors", edit_of(generator))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match="not a whole safetensors file"):
        rewriting.load(path)


def test_no_file_and_no_place_to_write(tmp_path, generator):
    with pytest.raises(UserError, match="no such file"):
        rewriting.load(tmp_path / "none.safetensors")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be written"):
        rewriting.save(tmp_path / "file" / "hats.safetensors", edit_of(generator))


def test_a_recipe_that_is_not_plain_is_refused_and_leaves_no_file(tmp_path, generator):
    edit = edit_of(generator)
    edit.recipe["what"] = object()
    with pytest.raises(UserError, match="can't be written"):
        rewriting.save(tmp_path / "hats.safetensors", edit)
    assert list(tmp_path.iterdir()) == []
