"""A fine-tune as an edit: exact at full rank, near it at a low one; the command that writes it."""
import copy
import json

import pytest
import torch

from engine import checkpoints, rewriting
from engine.checkpoints import native
from engine.errors import UserError
from engine.rewriting.difference import find_difference, measure_cost
from run_live import main
from tests.conftest import tiny


def tuned(rank=2, much=0.3, rest=0.0):
    """tiny(), its convolutions changed by so many directions, and the rest of them a little by chance."""
    made, source = copy.deepcopy(tiny()), torch.Generator().manual_seed(3)
    for layer in made.layers:
        weight = made.weights(layer)
        outputs, inputs, *window = weight.shape
        change = torch.einsum("roxy,ri->oixy", torch.randn(rank, outputs, *window, generator=source), torch.randn(rank, inputs, generator=source))
        weight.add_(change * (much / rank) + torch.randn(weight.shape, generator=source) * rest)
    return made


def test_at_full_rank_it_is_the_fine_tune():
    base, other = tiny(), tuned(rest=0.1)
    edited = rewriting.apply(base, [(find_difference(base, other, "all", energy=1.0), 1.0)])
    for layer in base.layers:
        assert torch.allclose(edited.weights(layer), other.weights(layer), atol=1e-4)
    halfway = rewriting.apply(base, [(find_difference(base, other, "all", rank=99), 0.5)])
    assert torch.allclose(halfway.weights("b16.conv1"), torch.lerp(base.weights("b16.conv1"), other.weights("b16.conv1"), 0.5), atol=1e-4)


def test_few_directions_keep_most_of_it():
    base, other = tiny(), tuned(rank=2, rest=0.01)
    edit = find_difference(base, other, "few")
    assert all(len(rule.directions) <= 2 for rule in edit.rules) and [rule.layer for rule in edit.rules] == list(base.layers)
    cost = measure_cost(base, other, edit)
    assert cost.kept - cost.before >= 0.8 * (min(cost.whole, 40.0) - cost.before) and cost.whole > 60


def test_layers_that_did_not_change_are_left_out_and_none_at_all_is_refused():
    base, other = tiny(), copy.deepcopy(tiny())
    with pytest.raises(UserError, match="same convolutions"):
        find_difference(base, other, "none")
    other.weights("b16.conv0").add_(0.2)
    assert [rule.layer for rule in find_difference(base, other, "one").rules] == ["b16.conv0"]
    with pytest.raises(UserError, match="different shapes"):
        find_difference(base, tiny(w_dim=24), "other")


def test_the_command_writes_an_edit_that_fits(tmp_path, capsys):
    paths = [native.save(tmp_path / f"{name}.safetensors", network, "float32") for name, network in (("base", tiny()), ("tuned", tuned()))]
    assert main(["difference", *map(str, paths), "-o", str(tmp_path / "edits/mood.safetensors")]) == 0
    said = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert said["dB"]["edit"] > said["dB"]["base"] + 6
    edit = rewriting.load(tmp_path / "edits/mood.safetensors")
    assert edit.name == "mood" and edit.generator == checkpoints.generator_hash(tiny()) and edit.check_fit(tiny())
    assert main(["difference", str(paths[0]), str(paths[0]), "-o", str(tmp_path / "x.safetensors")]) == 2
    assert main(["difference", *map(str, paths), "-o", str(tmp_path / "x.safetensors"), "--rank", "0"]) == 2
