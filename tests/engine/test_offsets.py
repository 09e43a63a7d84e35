"""Single styles and a walk of the constant, on faders: what is added to the network, and that it comes off again to the bit."""
import pytest
import torch

from engine import channels
from engine.channels import Channel, Channels
from engine.errors import UserError
from engine.instrument import Instrument
from engine.motion import Motion
from engine.offsets_live import CONST, LiveOffsets
from tests.conftest import tiny

HAT, SKY = Channel("hat", "b16.conv1", 3, 0.5), Channel("sky", "b32.torgb", 1, 0.2, "sky", 0.7)
AMOUNT = "/channels/hat/amount"


@pytest.fixture
def instrument():
    made = Instrument(tiny())
    made.offsets = LiveOffsets(made.generator, Channels((HAT, SKY)))
    return made


def draw(instrument, **values):
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/walk/seed": 4} | values)
    return instrument.render(scene, Motion().advance(scene, 0.0), None).pixels.copy()


def test_a_channel_is_a_change_of_one_style(instrument):
    rest = draw(instrument)
    moved = draw(instrument, **{AMOUNT: 2.0})
    other = Instrument(tiny())
    other.generator.state_dict()[HAT.tensor][3] += 2.0 * HAT.std
    assert (moved == draw(other)).all() and (moved != rest).any()
    assert (draw(instrument) == rest).all()
    assert all(torch.equal(tensor, tiny().state_dict()[name]) for name, tensor in instrument.generator.state_dict().items())


def test_the_picture_is_that_of_styles_edited_by_hand(instrument):
    plain = tiny()
    z = torch.randn(1, plain.z_dim, generator=torch.Generator().manual_seed(1))
    ws = plain.map(z, 0.8)
    affine = plain.layer(HAT.layer).affine
    by_hand = lambda module, args, styles: styles + torch.nn.functional.one_hot(torch.tensor(3), styles.shape[-1]) * (1.5 * HAT.std)
    hook = affine.register_forward_hook(by_hand)
    wanted = plain.synthesize(ws)
    hook.remove()
    draw(instrument, **{AMOUNT: 1.5})
    assert torch.allclose(instrument.generator.synthesize(ws), wanted, atol=1e-5)


def test_several_go_together_and_with_an_edit(instrument):
    both = draw(instrument, **{AMOUNT: 1.0, "/channels/sky/amount": -2.0})
    draw(instrument, **{AMOUNT: 1.0})
    again = draw(instrument, **{AMOUNT: 1.0, "/channels/sky/amount": -2.0})
    assert (both == again).all()


def test_the_constant_goes_round_with_the_walk_and_comes_back(instrument):
    rest = draw(instrument)
    size = instrument.offsets.const.norm()
    seen = []
    for angle in (0.0, 0.25, 0.5):
        seen.append(draw(instrument, **{"/const/radius": 0.5, "/const/angle": angle}))
        moved = instrument.generator.state_dict()[CONST] - instrument.offsets.const
        assert torch.isclose(moved.norm(), 0.5 * size, rtol=1e-4)
    assert (seen[0] != seen[1]).any() and (seen[1] != seen[2]).any()
    scene = instrument.scene().set_values({"/walk/kind": "wander", "/walk/speed": 1.0, "/const/radius": 0.5})
    motion = Motion().advance(scene, 0.2)
    ways = [instrument.offsets.find_added(scene, motion), instrument.offsets.find_added(scene, motion.advance(scene, 0.2))]
    assert ways[0][0][0] is ways[1][0][0] and ways[0][0][1] != ways[1][0][1]               # the same circle, further on
    assert (draw(instrument) == rest).all() and torch.equal(instrument.generator.state_dict()[CONST], tiny().state_dict()[CONST])


def test_a_frozen_scene_of_channels_is_drawn_once(instrument):
    draw(instrument, **{AMOUNT: 1.0})
    count = instrument.drawings
    draw(instrument, **{AMOUNT: 1.0})
    assert instrument.drawings == count


def test_their_file(tmp_path):
    path = channels.save(tmp_path / "channels.yaml", Channels((HAT, SKY), "abc"))
    assert channels.load(path, tiny()) == Channels((HAT, SKY), "abc")


@pytest.mark.parametrize("entry, told", [({"layer": "b99.conv1"}, "is no layer"), ({"channel": 99}, "no style 99"), ({"channel": -1}, "whole number"), ({"std": "much"}, "number from 0"),
                                         ({"name": "a b"}, "name"), ({"more": 1}, "expected a channel")])
def test_a_file_that_does_not_fit_is_refused_in_one_line(tmp_path, entry, told):
    import yaml

    data = {"format": "latent-jockey channels", "schema": 1, "channels": [{"name": "hat", "layer": "b16.conv1", "channel": 3, "std": 0.5} | entry]}
    (tmp_path / "channels.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(UserError, match=told):
        channels.load(tmp_path / "channels.yaml", tiny())


def test_styles_that_keep_to_a_part_are_found():
    from engine.bending.parts import Heat, Part, Parts
    from engine.channels.find import find, find_mask, list_biases, measure_stds
    from engine.clustering.correlation import sample_ws

    generator = tiny()
    heat = Heat(tuple([1.0] + [0.0] * (generator.channels("b16.conv1") - 1)), 0.0)
    parts = Parts({"blob": Part(((0.0, 0.0),), 0.5, {"b16.conv1": heat}, {}, "b16.conv1")})
    found = find(generator, parts, each=2, samples=2)
    assert 1 <= len(found.entries) <= 2 and found == find(generator, parts, each=2, samples=2)
    ws = torch.cat(list(sample_ws(generator, 2, 0, 0.7)))
    mask, stds = find_mask(generator, ws, parts.parts["blob"]), measure_stds(generator, list_biases(generator))
    for one in found.entries:                                                      # tried by hand
        assert one.std == pytest.approx(float(stds[one.layer][one.channel]), rel=1e-5) and 0.5 <= one.share <= 1
        other = tiny()
        other.state_dict()[one.tensor][one.channel] += 2 * one.std
        change = (other.synthesize(ws).clamp(-1, 1) - generator.synthesize(ws).clamp(-1, 1)).square()
        assert float((change * mask).sum() / change.sum()) == pytest.approx(one.share, abs=0.01)
    assert not any(bias.requires_grad for bias in list_biases(generator).values())
    with pytest.raises(UserError, match="no parts"):
        find(generator, Parts())
