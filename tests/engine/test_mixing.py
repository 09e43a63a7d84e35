"""Networks mixed: split, soups, kinship; and the command that writes what comes of it."""
import copy

import pytest
import torch

from engine import checkpoints, mixing
from engine.checkpoints import native
from engine.errors import UserError
from live.instrument.open import read_edited_from
from run_live import main
from tests.conftest import tiny


def tuned(seed=1, much=0.05):
    """A network that was trained on from tiny(), as if."""
    made = copy.deepcopy(tiny())
    source = torch.Generator().manual_seed(seed)
    for name, tensor in made.state_dict().items():
        if tensor.is_floating_point():
            tensor.add_(torch.randn(tensor.shape, generator=source) * much)
    return made


def stranger():
    made = tiny()
    for tensor in made.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(5)))
    return made


def test_a_split_takes_each_side_whole():
    a, b = tiny(), tuned()
    made = mixing.blend(a, b, 16).state_dict()
    for name, tensor in made.items():
        later = not name.startswith("mapping.") and int(name.split(".")[1][1:]) >= 16
        assert torch.equal(tensor, (b if later else a).state_dict()[name]), name
    soft = mixing.blend(a, b, 16, width=1.0).state_dict()["synthesis.b8.conv1.weight"]
    share = 1 / (1 + torch.tensor(1.0).exp())                                      # one place before the split
    assert torch.allclose(soft, torch.lerp(a.state_dict()["synthesis.b8.conv1.weight"], b.state_dict()["synthesis.b8.conv1.weight"], share), atol=1e-6)


def test_a_soup_is_the_mean():
    parts = [tuned(seed) for seed in (1, 2, 3)]
    made = mixing.average(parts).state_dict()
    for name in made:
        assert torch.allclose(made[name], sum(part.state_dict()[name] for part in parts) / 3, atol=1e-6)


def test_relatives_are_told_from_strangers():
    assert mixing.are_relatives(tiny(), tuned()) and not mixing.are_relatives(tiny(), stranger())


@pytest.mark.parametrize("act, told", [(lambda: mixing.blend(tiny(), tiny(w_dim=24), 16), "different shapes"), (lambda: mixing.blend(tiny(), tuned(), 12), "split 12: expected one of 4, 8"),
                                       (lambda: mixing.average([tiny()]), "two or more")])
def test_what_cannot_be_mixed(act, told):
    with pytest.raises(UserError, match=told):
        act()


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, network in (("a", tiny()), ("b", tuned()), ("c", stranger())):
        native.save(tmp_path / f"{name}.safetensors", network, "float32")
    assert not main(["blend", "a.safetensors", "b.safetensors", "-o", "ab.safetensors", "--split", "16"])
    made = checkpoints.load("ab.safetensors").state_dict()
    assert torch.equal(made["synthesis.b16.conv0.weight"], tuned().state_dict()["synthesis.b16.conv0.weight"])
    assert set(read_edited_from(tmp_path / "ab.safetensors")) == {native.generator_hash(tiny()), native.generator_hash(tuned())}
    assert "mud" not in capsys.readouterr().err
    assert not main(["blend", "a.safetensors", "b.safetensors", "c.safetensors", "-o", "soup.safetensors", "--soup"])
    assert "c.safetensors: a stranger" in capsys.readouterr().err
    for wrong in (["--split", "16", "--soup"], [], ["--split", "13"]):
        assert main(["blend", "a.safetensors", "b.safetensors", "-o", "x.safetensors", *wrong]) == 2
