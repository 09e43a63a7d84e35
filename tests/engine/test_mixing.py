"""Networks mixed: split, soups, kinship; and the command that writes what comes of it."""
import copy

import pytest
import torch

from engine import checkpoints, mixing
from engine.checkpoints import native
from engine.errors import UserError
from engine.likeness import Likeness
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


def test_a_greedy_soup_keeps_what_makes_it_better():
    """Members lie around a network that is wanted: two on either side, one far away, which a plain soup would be spoilt by."""
    wanted, source = tuned(1), torch.Generator().manual_seed(9)
    noise = {name: torch.randn(tensor.shape, generator=source) for name, tensor in wanted.state_dict().items()}
    members = [copy.deepcopy(wanted) for _ in range(4)]
    for member, much in zip(members, (2.0, 0.1, -0.08, -0.12)):
        for name, tensor in member.state_dict().items():
            tensor.add_(noise[name], alpha=much)
    distance = lambda network: sum(float((tensor.double() - wanted.state_dict()[name]).square().sum()) for name, tensor in network.state_dict().items())
    told = []
    made, chosen = mixing.choose_soup(members, lambda network: -distance(network), lambda *figures: told.append(figures))
    assert chosen == [2, 1] and [figures[0] for figures in told] == [2, 1, 3, 0] and [figures[3] for figures in told] == [True, True, False, False]
    assert distance(made) < min(distance(member) for member in members) and distance(made) < distance(mixing.average(members))
    assert torch.equal(made.state_dict()["w_avg"] if "w_avg" in noise else made.w_avg, mixing.average([members[2], members[1]]).w_avg)


def test_the_command_makes_a_greedy_soup(tmp_path, monkeypatch, capsys):
    """Pictures of one network: that one is best by itself, and a stranger is left out."""
    from live.files.sheets import save_sheet
    from live.files.stills import read_still

    monkeypatch.chdir(tmp_path)
    for name, network in (("a", stranger()), ("b", tiny())):
        native.save(tmp_path / f"{name}.safetensors", network, "float32")
    (tmp_path / "photos").mkdir()
    for seed in range(12):
        picture = tiny().synthesize(tiny().map(torch.randn(1, 16, generator=torch.Generator().manual_seed(seed))))
        save_sheet(tmp_path / "photos" / f"{seed}.png", ((picture[0].permute(1, 2, 0).detach().clamp(-1, 1) + 1) * 127.5).byte().numpy())
    assert read_still(tmp_path / "photos" / "0.png").shape == (32, 32, 3)
    assert not main(["blend", "a.safetensors", "b.safetensors", "-o", "soup.safetensors", "--soup", "--greedy", "photos"])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("b.safetensors: ") and said[0].endswith(": in") and said[1].startswith("a.safetensors: ") and said[1].endswith(": left out")
    assert checkpoints.generator_hash(checkpoints.load("soup.safetensors")) == native.generator_hash(tiny())
    for wrong, told in ((["--split", "16", "--greedy", "photos"], "expected --soup"), (["--soup", "--greedy", "nowhere"], "no such folder"),
                        (["--soup", "--greedy", "masks"], "a z of 64 numbers, this one of 16")):
        assert main(["blend", "a.safetensors", "b.safetensors", "-o", "x.safetensors", *wrong]) == 2
        assert told in capsys.readouterr().err


def test_likeness_tells_palette_blur_and_collapse_apart():
    source = torch.Generator().manual_seed(3)
    draw = lambda count: torch.rand(count, 3, 4, 4, generator=source).repeat_interleave(8, 2).repeat_interleave(8, 3) * 2 - 1
    wanted, again = draw(48), draw(48)
    found = Likeness(wanted)
    same = found.measure(again)
    assert found.measure(wanted) == 0.0 and same < 0.1
    assert found.measure(again * torch.tensor([1.0, 1.0, 0.4])[:, None, None]) > 1.5 * same                # another palette
    assert found.measure(torch.nn.functional.avg_pool2d(again, 5, 1, 2)) > 1.5 * same
    assert found.measure(again[:1].expand(48, -1, -1, -1)) > 1.5 * same                                     # one picture for all
