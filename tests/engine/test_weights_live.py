"""Edits and other checkpoints in the weights that play: exact, additive, gone without a trace at 0."""
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import checkpoints, rewriting
from engine.bending import Bend
from engine.checkpoints import native
from engine.errors import UserError
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.graphs import Programs
from engine.fast.plumbing import Twin
from engine.instrument import Instrument
from engine.motion import Motion
from engine.weights_check import LARGEST_WEIGHT, check_checkpoint, check_edit
from engine.weights_live import LiveWeights
from live.show.parameters import add_parameters
from tests.conftest import tiny
from tests.engine.rewriting.test_edit import edit_of
from tests.engine.test_checkpoints import WRITERS

LAYERS = {"hats": "b16.conv1", "mouth": "b16.conv1", "eyes": "b32.conv0", "crown": "b4.conv1"}


def edits_of(generator):
    return [edit_of(generator, layer, rank=1 + n % 2, seed=n, name=name) for n, (name, layer) in enumerate(LAYERS.items())]


def other():
    """Another network of the same shape; its 8 px block is the same."""
    generator = tiny()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        for name, tensor in generator.state_dict().items():
            if ".b8." not in name:
                tensor.add_(torch.randn(tensor.shape) * 0.3)
    return generator


def ready():
    generator = tiny()
    for parameter in generator.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)       # as checkpoints are loaded
    return Instrument(generator, edits=edits_of(generator), checkpoints={"winter": other()})


def scene_of(instrument, **strengths):
    return instrument.scene().set_values({f"/edits/{name}/strength": value for name, value in strengths.items()})


def picture(instrument, scene):
    return instrument.render(scene, Motion().advance(scene, 0.0)).pixels.copy()


def bits(generator):
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in generator.state_dict().items()}


def versions(generator):
    return {name: (tensor.data_ptr(), tensor._version) for name, tensor in generator.state_dict().items()}


def test_every_edit_has_a_fader_and_every_checkpoint_five():
    parameters = ready().scene().parameters
    strength = parameters["/edits/hats/strength"]
    assert (strength.default, strength.low, strength.high) == (0.0, -1.0, 2.0)
    shares = {a.rsplit("/", 1)[1]: (p.default, p.low, p.high) for a, p in parameters.items() if a.startswith("/weights/winter/")}
    assert {shares.pop("split"), shares.pop("width")} == {(-1, -1, 18), (0, 0, 4)}
    assert shares == {"amount": (0, 0, 1), "mapping": (1, 0, 1), "coarse": (1, 0, 1), "middle": (1, 0, 1), "fine": (1, 0, 1)}


def test_the_fast_path_with_edits_agrees_with_an_edited_generator():
    instrument = ready()
    strengths = dict(hats=1.0, mouth=-0.7, eyes=2.0, crown=0.3)
    scene = scene_of(instrument, **strengths)
    picture(instrument, scene)
    edited = rewriting.apply(tiny(), [(edit, strengths[edit.name]) for edit in edits_of(tiny())])
    for name, tensor in edited.state_dict().items():
        np.testing.assert_allclose(instrument.generator.state_dict()[name], tensor, atol=1e-6)
    ws = instrument.latents.ws(scene, Motion().advance(scene, 0.0))
    with torch.no_grad():
        assert (instrument.drawing.synthesis(ws) - edited.synthesize(ws)).abs().max() < 2e-5


def test_the_captured_path_follows_a_whole_checkpoint_and_captures_once():
    generator, machine = ready().generator, Twin()
    weights = LiveWeights(generator, (), {"winter": other()})
    program = GraphRenderer(generator, machine=machine, programs=Programs(machine, start=lambda job: job()))
    scene = Instrument(tiny()).scene().with_parameters(weights.parameters)
    z = torch.randn(1, 16, generator=torch.Generator().manual_seed(0))
    for amount, there in ((0.0, tiny()), (1.0, other()), (0.5, None), (0.0, tiny())):
        weights.write(scene.set_values({"/weights/winter/amount": amount}))
        frame = program.frame(generator.map(z)).int().clone()
        wanted = (there or generator).synthesize((there or generator).map(z))[0]
        wanted = (wanted * 127.5 + 128).clamp(0, 255).to(torch.uint8).permute(1, 2, 0)
        assert (frame - wanted.int()).abs().max() <= 1
    assert machine.captures == 1


def test_the_captured_path_agrees_too_and_captures_once():
    generator = tiny()
    weights, machine = LiveWeights(generator, edits_of(generator)), Twin()
    program = GraphRenderer(generator, machine=machine, programs=Programs(machine, start=lambda job: job()))
    scene = Instrument(generator).scene().with_parameters(weights.parameters)
    ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)))
    for strengths in (dict(hats=1.0), dict(hats=1.0, eyes=-1.0), dict(crown=2.0), {}):
        now = scene.set_values({f"/edits/{name}/strength": value for name, value in strengths.items()})
        weights.write(now)
        edited = rewriting.apply(tiny(), [(edit, strengths.get(edit.name, 0.0)) for edit in edits_of(tiny())])
        wanted = (edited.synthesize(ws)[0] * 127.5 + 128).clamp(0, 255).to(torch.uint8).permute(1, 2, 0)
        assert (program.frame(ws).int() - wanted.int()).abs().max() <= 1
    assert machine.captures == 1


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(list(LAYERS)), st.floats(-1, 2, width=32)), max_size=12), st.floats(0, 1))
def test_back_at_zero_is_the_base_bit_for_bit(turns, amount):
    instrument = ready()
    base, first = bits(tiny()), picture(instrument, instrument.scene())
    scene = instrument.scene()
    for name, strength in turns:
        scene = scene.set_values({f"/edits/{name}/strength": strength, "/weights/winter/amount": amount})
        instrument.weights.write(scene)
    instrument.weights.write(instrument.scene())
    assert bits(instrument.generator) == base
    assert np.array_equal(picture(instrument, instrument.scene()), first)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.dictionaries(st.sampled_from(list(LAYERS)), st.floats(-1, 2, width=32)), max_size=5))
def test_the_way_there_leaves_no_trace(before):
    walked, straight = ready(), ready()
    for strengths in before:
        walked.weights.write(scene_of(walked, **strengths))
    wanted = scene_of(walked, hats=0.25, mouth=1.5, crown=-1.0)
    for instrument in (walked, straight):
        instrument.weights.write(wanted)
    assert bits(walked.generator) == bits(straight.generator)


def test_as_good_as_zero_is_zero():
    instrument = ready()
    instrument.weights.write(scene_of(instrument, hats=4e-4, eyes=-4e-4))
    assert bits(instrument.generator) == bits(tiny())


def test_only_what_changed_is_written():
    instrument = ready()
    scene = scene_of(instrument, hats=0.5)
    before = versions(instrument.generator)
    assert instrument.weights.write(scene) == {"middle"}
    after = versions(instrument.generator)
    assert {name for name in after if after[name] != before[name]} == {"synthesis.b16.conv1.weight"}
    instrument.weights.write(scene.set_values({"/truncation": 0.3}))
    instrument.weights.write(scene.set_values({"/weights/winter/coarse": 0.3}))                 # of nothing
    assert versions(instrument.generator) == after
    assert instrument.weights.write(scene.set_values({"/edits/crown/strength": 1.0})) == {"coarse"}
    assert {pointer for pointer, _ in versions(instrument.generator).values()} == {pointer for pointer, _ in before.values()}


def test_a_whole_checkpoint_at_full_amount_is_that_checkpoint_bit_for_bit():
    instrument, winter = ready(), Instrument(other())
    scene = instrument.scene().set_values({"/weights/winter/amount": 1.0})
    drawn = picture(instrument, scene)
    assert bits(instrument.generator) == bits(winter.generator)
    assert np.array_equal(drawn, picture(winter, winter.scene()))
    assert not np.array_equal(drawn, picture(instrument, instrument.scene()))


@pytest.mark.parametrize("group, blocks", [("mapping", ["mapping"]), ("coarse", ["b4", "b8"]), ("middle", ["b16", "b32"]), ("fine", [])])
def test_a_checkpoint_is_mixed_group_by_group(group, blocks):
    instrument = ready()
    values = {f"/weights/winter/{name}": float(name == group) for name in ("mapping", "coarse", "middle", "fine")}
    instrument.weights.write(instrument.scene().set_values(values | {"/weights/winter/amount": 0.25}))
    base, winter = tiny().state_dict(), other().state_dict()
    for name, tensor in instrument.generator.state_dict().items():
        share = 0.25 if any(block in name.split(".") for block in blocks) else 0.0
        wanted = base[name].double() + share * (winter[name].double() - base[name].double())
        np.testing.assert_allclose(tensor, wanted, atol=1e-6)


def test_several_checkpoints_and_an_edit_add_up():
    generator, autumn = tiny(), other()
    autumn.weights("b16.conv1").mul_(-1)
    edit = edit_of(generator)
    instrument = Instrument(generator, edits=[edit], checkpoints={"winter": other(), "autumn": autumn})
    instrument.weights.write(instrument.scene().set_values({
        "/weights/winter/amount": 0.5, "/weights/autumn/amount": 0.25, "/edits/hats/strength": -0.5}))
    base = tiny().weights("b16.conv1").double()
    wanted = base + 0.5 * (other().weights("b16.conv1") - base) + 0.25 * (autumn.weights("b16.conv1") - base) + edit.delta(-0.5)
    np.testing.assert_allclose(instrument.generator.weights("b16.conv1"), wanted, atol=1e-6)


def test_what_was_remembered_of_other_weights_is_forgotten():
    """Seeds' w after the mapping network changed; a graft of another seed after any weight did."""
    bend = Bend("graft", "b16.conv1", None, "graft", {"seed": 9}, 0.5)
    played, fresh = ready(), ready()
    look = lambda instrument: scene_of(instrument, crown=1.5).with_bends([bend]).set_values({"/weights/winter/amount": 0.4})
    picture(played, played.scene((bend,)))
    assert np.array_equal(picture(played, look(played)), picture(fresh, look(fresh)))


@pytest.mark.parametrize("form", ["rosinality", "ada", "tensorflow 4", "native"])
def test_the_same_edit_gives_the_same_picture_whatever_format_the_weights_came_in(tmp_path, form):
    original = tiny(resolution=32, channels={4: 8, 8: 8, 16: 8, 32: 4})
    loaded = checkpoints.load(WRITERS[form](tmp_path / "network", original))
    edits = [edit_of(original, "b16.conv0", name="up"), edit_of(original, name="plain", seed=1)]
    pictures = []
    for generator in (original, loaded):
        instrument = Instrument(generator, edits=edits)
        scene = instrument.scene().set_values({"/edits/up/strength": 1.0, "/edits/plain/strength": 0.5})
        instrument.render(scene, Motion().advance(scene, 0.0))
        ws = generator.map(torch.randn(1, 16, generator=torch.Generator().manual_seed(1)))
        pictures.append(instrument.drawing.synthesis(ws))
    assert (pictures[0] - pictures[1]).abs().max() < 2e-5


def test_an_edit_can_join_while_it_plays():
    instrument = ready()
    generator, scene = instrument.generator, scene_of(instrument, hats=1.0)
    picture(instrument, scene)
    playing = versions(generator)
    late = edit_of(tiny(), "b8.conv1", seed=8, name="late")
    instrument.use_weights(instrument.prepare_weights([*instrument.weights.edits, late], instrument.weights.checkpoints))
    instrument.weights.write(scene)
    assert versions(generator) == playing
    grown = scene.with_parameters(instrument.weights.parameters).set_values({"/edits/late/strength": 1.0})
    assert instrument.weights.write(grown) == {"coarse"}
    instrument.weights.write(instrument.scene())
    assert bits(generator) == bits(tiny())


def test_an_edit_that_leaves_while_it_plays_leaves_nothing():
    instrument = ready()
    instrument.weights.write(scene_of(instrument, hats=1.0, eyes=1.0))
    kept = [edit for edit in instrument.weights.edits if edit.name == "eyes"]
    instrument.use_weights(instrument.prepare_weights(kept, {}))
    instrument.weights.write(instrument.scene())
    assert bits(instrument.generator) == bits(tiny())


def test_edits_are_checked_against_the_weights(generator):
    own = native.generator_hash(generator)
    good = edit_of(generator)
    with pytest.raises(UserError, match="solved for other weights"):
        check_edit(good, generator, [own])
    check_edit(rewriting.Edit("a", good.layer, good.directions, good.values, {}, own), generator, [own])
    check_edit(rewriting.Edit("a", good.layer, good.directions, good.values), generator, [own])
    with pytest.raises(UserError, match="at strength 2 a weight becomes"):
        check_edit(rewriting.Edit("a", good.layer, good.directions, good.values * 2 * LARGEST_WEIGHT / good.delta(2).abs().max()), generator)
    with pytest.raises(UserError, match="a weight becomes (nan|inf)"):
        check_edit(rewriting.Edit("a", good.layer, good.directions * 1e30, good.values * 1e30), generator)
    with pytest.raises(UserError, match="no layer"):
        check_edit(edit_of(tiny(resolution=64, channels={4: 8, 8: 8, 16: 8, 32: 4, 64: 4}), "b64.conv1"), generator)


def test_checkpoints_are_checked_against_the_weights(generator):
    check_checkpoint(other(), generator)
    with pytest.raises(UserError, match=r"another architecture: synthesis.b4.const is \[9, 4, 4\], here \[8, 4, 4\]"):
        check_checkpoint(tiny(channels={4: 9, 8: 8, 16: 8, 32: 4}), generator)
    with pytest.raises(UserError, match="b64"):
        check_checkpoint(tiny(resolution=64, channels={4: 8, 8: 8, 16: 8, 32: 4, 64: 4}), generator)
    collapsed = tiny()
    collapsed.synthesis.b16.torgb.bias.fill_(float("inf"))
    with pytest.raises(UserError, match="not finite"):
        check_checkpoint(collapsed, generator)


def test_the_largest_edit_let_through_gives_a_finite_picture(generator):
    edit = edit_of(generator)
    large = rewriting.Edit("large", edit.layer, edit.directions, edit.values * (0.99 * LARGEST_WEIGHT / edit.delta(2.0).abs().max()))
    check_edit(large, generator)
    instrument = Instrument(generator, edits=[large])
    for strength in (-1.0, 2.0):
        scene = instrument.scene().set_values({"/edits/large/strength": strength})
        instrument.render(scene, Motion().advance(scene, 0.0))
        assert instrument.drawing.synthesis(instrument.latents.ws(scene, Motion().advance(scene, 0.0))).isfinite().all()


def live(amount=0.0, **options):
    generator, whole = tiny(), other()
    instrument = Instrument(generator, edits=edits_of(generator), checkpoints={"other": whole}, **options)
    instrument.use_precision("auto", lambda job: 1.0)
    return instrument, whole


def distances(instrument, whole, amount):
    """How far each tensor's share of the other checkpoint is from the amount."""
    base, state = tiny().state_dict(), whole.state_dict()
    found = {}
    for name, now in instrument.generator.state_dict().items():
        way = state[name] - base[name]
        if way.abs().max() > 0.1:
            found[name] = abs(float(((now - base[name]) * way).sum() / way.square().sum()) - amount)
    return found


def test_a_fade_is_spread_over_frames_and_no_layer_is_far_behind():
    instrument, whole = live()
    total = sum(t.numel() for t in instrument.generator.state_dict().values())
    scene, motion, most = instrument.scene(), Motion(), 0
    for n in range(1, 41):
        amount = n / 40 * 0.8
        versions = {name: t._version for name, t in instrument.generator.state_dict().items()}
        motion = motion.advance(scene, 1 / 30)
        instrument.render(scene.set_values({"/weights/other/amount": amount}), motion)
        written = sum(t.numel() for name, t in instrument.generator.state_dict().items() if t._version != versions[name])
        most = max(most, written)
        assert max(distances(instrument, whole, amount).values()) < 0.101
    assert most < 0.6 * total                                       # in a network as small as this, a unit is a large share


def test_once_the_fader_rests_all_of_it_is_there_and_is_drawn():
    instrument, whole = live()
    scene, motion = instrument.scene().set_values({"/weights/other/amount": 0.05}), Motion().advance(instrument.scene(), 0.0)
    exact = Instrument(tiny(), checkpoints={"other": whole})
    for _ in range(20):
        instrument.render(scene, motion)
    assert not instrument.weights.behind
    drawings = instrument.drawings
    frame = instrument.render(scene, motion)
    assert instrument.drawings == drawings and (frame.pixels == exact.render(exact.scene().set_values({"/weights/other/amount": 0.05}), motion).pixels).all()
    for name, tensor in exact.generator.state_dict().items():
        assert torch.equal(tensor, instrument.generator.state_dict()[name]), name


def test_a_cut_to_a_checkpoint_and_an_edit_in_a_fade_are_there_at_once():
    instrument, whole = live()
    scene, motion = instrument.scene(), Motion().advance(instrument.scene(), 0.0)
    instrument.render(scene.set_values({"/weights/other/amount": 0.6}), motion)
    assert max(distances(instrument, whole, 0.6).values()) < 1e-5 and not instrument.weights.behind
    exact = Instrument(tiny(), edits=edits_of(tiny()), checkpoints={"other": whole})
    turned = {"/weights/other/amount": 0.61, "/edits/hats/strength": 0.7, "/edits/mouth/strength": 0.4}
    instrument.render(scene.set_values(turned), motion)
    exact.render(exact.scene().set_values(turned), motion)
    assert torch.equal(instrument.generator.weights("b16.conv1"), exact.generator.weights("b16.conv1"))
    assert instrument.weights.behind


def test_asked_for_float32_a_fade_is_exact_in_every_frame():
    instrument, whole = live()
    instrument.use_precision("fp32", lambda job: 1.0)
    for n in range(1, 5):
        instrument.render(instrument.scene().set_values({"/weights/other/amount": n / 50}), Motion().advance(instrument.scene(), 0.0))
        assert max(distances(instrument, whole, n / 50).values()) < 1e-5


def layers_of(generator, other_network, scene_values):
    """{tensor: its share of the other network} after writing, where the two differ; measured, not asked."""
    weights = LiveWeights(generator, (), {"winter": other_network})
    base = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    instrument = Instrument(generator, checkpoints={"winter": other_network})
    weights.write(instrument.scene().set_values(scene_values))
    theirs, found = other_network.state_dict(), {}
    for name, tensor in generator.state_dict().items():
        way = (theirs[name] - base[name]).double().flatten()
        if way.norm() > 1e-6:
            found[name] = ((tensor - base[name]).double().flatten() @ way / (way @ way)).item()
    return found


@pytest.mark.parametrize("split, width", [(0.0, 0.0), (3.0, 0.0), (4.0, 1.0), (-1.0, 2.0)])
def test_a_split_is_the_published_curve(split, width):
    import math

    found = layers_of(tiny(), other(), {"/weights/winter/amount": 1.0, "/weights/winter/split": split, "/weights/winter/width": width})
    assert any(name.startswith("mapping.fc") for name in found) and len(found) > 10
    for name, share in found.items():
        if split < 0:
            wanted = 1.0
        elif name.startswith("mapping."):
            wanted = 0.0
        else:
            block, part = name.split(".")[1:3]
            x = 2 * int(math.log2(int(block[1:])) - 2) + (part in ("conv1", "torgb")) - split
            wanted = (1.0 if x >= 0 else 0.0) if width == 0 else 1 / (1 + math.exp(-x / width))
        assert share == pytest.approx(wanted, abs=1e-3), name


def test_no_split_without_an_amount():
    generator = tiny()
    before = bits(generator)
    weights = LiveWeights(generator, (), {"winter": other()})
    weights.write(Instrument(tiny(), checkpoints={"winter": other()}).scene().set_values({"/weights/winter/split": 2.0, "/weights/winter/width": 1.0}))
    assert bits(generator) == before


@pytest.mark.parametrize("budget", [0.5, 2.0])
def test_a_budget_is_what_a_frame_may_write_and_the_rest_follows(budget):
    """A cut to another checkpoint with an edit; every frame writes as much as there is time for, one unit at least, until all is there."""
    instrument, whole = live()
    scene, motion = add_parameters(instrument.scene()), Motion().advance(instrument.scene(), 0.0)
    turned = {"/weights/other/amount": 0.6, "/edits/hats/strength": 0.7, "/weights/budget": budget}
    exact = Instrument(tiny(), edits=edits_of(tiny()), checkpoints={"other": whole})
    exact.render(exact.scene().set_values({address: turned[address] for address in list(turned)[:2]}), motion)
    room, frames = instrument.weights.pace * budget, 0
    named = lambda name: "mapping" if name.startswith("mapping.") else name if name.endswith("noise_const") else ".".join(name.split(".")[:3])
    while instrument.weights.behind or not frames:
        versions = {name: t._version for name, t in instrument.generator.state_dict().items()}
        instrument.render(scene.set_values(turned), motion)
        written = {name: t.numel() for name, t in instrument.generator.state_dict().items() if t._version != versions[name]}
        assert sum(written.values()) <= room or len({named(name) for name in written}) == 1
        frames += 1
        assert frames < 100
    assert frames >= sum(t.numel() for t in instrument.generator.state_dict().values()) / room / 2 and frames > 2
    for name, tensor in exact.generator.state_dict().items():
        assert torch.equal(tensor, instrument.generator.state_dict()[name]), name
    assert abs(instrument.weights.count_frames(1.0) / instrument.weights.count_frames(2.0) - 2) < 1e-9
