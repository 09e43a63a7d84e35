"""A part is a place: bends act where it is seen, softly, on every path of the network, and elsewhere nothing changes."""
import dataclasses
from pathlib import Path

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from engine import checkpoints, clusters, world
from engine.bending import Bend, Places, bend, bend_from_dict, new_bend, spread
from engine.bending import parts as part_files
from engine.bending.layer import bend_both
from engine.bending.place import EVERYWHERE, Mask
from engine.bends import TRANSFORMS
from engine.checkpoints.native import generator_hash
from engine.clustering.parts import from_clusters
from engine.errors import UserError
from engine.fast import Synthesis
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.graphs import Programs
from engine.fast.plumbing import Twin
from engine.finding import find
from engine.instrument import Instrument
from engine.motion import Motion
from engine.region import change_region
from engine.sampling import _turn, act_at, affine
from engine.world import MASKS
from live.show.data import bend_from_plain, bend_to_plain
from live.show.events import Change

FOLDER = Path(__file__).parents[2] / "presets" / "masks"
SIZE = 64
PARTS = ("eyes", "mouth", "nose", "crown", "head", "halo", "collar")


@pytest.fixture(scope="module")
def masks():
    generator = checkpoints.load(FOLDER / "generator.safetensors").eval().requires_grad_(False)
    return generator, part_files.load(FOLDER / "parts.yaml", generator)


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def z_of(count, seed=41):
    return torch.randn(count, 64, generator=torch.Generator().manual_seed(seed))


def made(masks, place, transform, settings=None, layer=None, mix=1.0):
    """The bend a hand adds, with other settings."""
    generator, parts = masks
    data = {"name": "b", "transform": transform, "where": place, "mix": mix} | ({"layer": layer, "channels": "all"} if layer else {})
    found = new_bend(data, generator, None, Places(parts, {"drawn": Mask.from_picture(torch.eye(8).numpy())}))
    return found.with_values(settings or {}, mix)


def picture(masks, ws, *bends):
    generator, parts = masks
    return generator.synthesize(ws, size=SIZE, bends=[one.with_fade(b.fade) for b in bends for one in spread(b, Places(parts))])


def test_the_parts_belong_to_the_shipped_network(masks):
    generator, parts = masks
    assert parts.generator == generator_hash(generator) and set(PARTS) <= set(parts.parts)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_found_where_the_world_draws_it(masks, part):
    generator, parts = masks
    z = z_of(12)
    x = generator.activations(generator.map(z), ["b64.conv1"])["b64.conv1"]
    found = find(parts[part].heats["b64.conv1"].on(x), parts[part].starts, parts[part].apart, True).centre[:, 0]
    names = {"eyes": ("left_eye", "right_eye", "iris", "pupil"), "mouth": ("lips", "mouth", "teeth"), "crown": ("crown", "jewel"), "halo": ("halo", "rays"),
             "head": ("head", "face_paint", "nose", "lips", "mouth", "teeth", "lids", "left_eye", "right_eye", "iris", "pupil", "brows")}
    drawn = MASKS.mark_parts(z, 64)
    mask = sum(drawn[name] for name in names.get(part, (part,)))
    at = (torch.arange(64) - 31.5) / 32
    middle = torch.stack([(mask * at).sum((1, 2)), (mask * at[:, None]).sum((1, 2))], 1) / mask.sum((1, 2))[:, None]
    assert (found - middle).norm(dim=1).mean() < (0.1 if part == "collar" else 0.05)     # half widths; 0.05 is 1.6 px of 64


@pytest.mark.parametrize("folder", sorted(path.parent for path in FOLDER.parent.glob("*/parts.yaml") if path.parent != FOLDER), ids=lambda path: path.name)
def test_the_parts_of_other_instruments_are_found_where_their_worlds_draw_them(folder):
    generator, drawn = checkpoints.load(folder / "generator.safetensors"), world.find(folder.name)
    parts, z = part_files.load(folder / "parts.yaml", generator), z_of(12)
    assert set(drawn.places) == set(parts.parts)
    x, seen = generator.activations(generator.map(z), ["b64.conv1"])["b64.conv1"], drawn.mark_parts(z, 64)
    for name, of in drawn.places.items():
        heat, mask = parts[name].heats["b64.conv1"].on(x)[:, 0], sum(seen[part] for part in of)
        inside, outside = (heat * mask).sum((1, 2)) / mask.sum((1, 2)), (heat * (1 - mask)).sum((1, 2)) / (1 - mask).sum((1, 2))
        assert inside.mean() > 0.15 and inside.mean() > 4 * outside.mean(), name         # of 1, where the part is to be seen


def test_two_eyes_are_two_places_and_one_together(masks):
    generator, parts = masks
    x = generator.activations(generator.map(z_of(4)), ["b32.conv1"])["b32.conv1"]
    eyes = parts["eyes"]
    two = find(eyes.heats["b32.conv1"].on(x), eyes.starts, eyes.apart, False)
    one = find(eyes.heats["b32.conv1"].on(x), eyes.starts, eyes.apart, True)
    assert two.centre.shape == (4, 2, 2) and one.centre.shape == (4, 1, 2)
    assert ((two.centre[:, 0, 0] - two.centre[:, 1, 0]).abs() - 0.39).abs().max() < 0.08
    assert (two.centre.mean(1) - one.centre[:, 0]).abs().max() < 0.06
    assert (one.size > two.size[:, :1]).all()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("transform", ("scale", "translate", "rotate"))
def test_a_bend_changes_its_part_and_little_else(masks, part, transform):
    generator, _ = masks
    ws = generator.map(z_of(3))
    b = made(masks, f"part:{part}", transform)
    change = (picture(masks, ws, b) - picture(masks, ws)).abs().mean(1) * 127.5
    x = generator.activations(ws, ["b64.conv1"])["b64.conv1"]
    region = b.regions(x)[0]
    inside = region.amount(SIZE, SIZE)[:, 0]
    assert (change * (inside > 0.5)).sum() / (inside > 0.5).sum() >= 8
    outside = region.distance(*region.find_offsets(SIZE, SIZE)).amin(1) > 1.6 * 2.4
    if transform != "translate" and outside.any():               # what is carried away acts further out
        assert change[outside].mean() < 0.25 * change[inside > 0.5].mean()


@pytest.mark.parametrize("name", [name for name, t in TRANSFORMS.items() if not t.wants])
def test_every_transform_shows_at_once_at_a_part(masks, name):
    generator, _ = masks
    ws = generator.map(z_of(2))
    for part in ("eyes", "crown"):
        b = made(masks, f"part:{part}", name)
        change = (picture(masks, ws, b) - picture(masks, ws)).abs().mean(1) * 127.5
        x = generator.activations(ws, ["b64.conv1"])["b64.conv1"]
        inside = made(masks, f"part:{part}", "scale").regions(x)[0].amount(SIZE, SIZE)[:, 0] > 0.5
        assert change[inside].mean() >= 8, part


@pytest.mark.parametrize("place, transform", [("part:eyes", "scale"), ("part:crown", "invert"), ("part:mouth,crown", "move_to"), ("part:mouth,eyes", "swap"),
                                              ("part:eyes", "repeat"), ("part:eyes", "ablate"), ("box", "swirl"), ("mask:drawn", "flip_h"),
                                              ("part:nose", "pin"), ("part:head", "kaleidoscope")])
@pytest.mark.parametrize("mix", (1.0, 0.4))
def test_all_paths_draw_the_same(masks, place, transform, mix):
    generator, parts = masks
    ws = generator.map(z_of(1))
    bends = [one.with_fade(b.fade) for b in [made(masks, place, transform, mix=mix)] for one in spread(b, Places(parts))]
    wanted = generator.synthesize(ws, size=SIZE, bends=bends)
    assert (wanted - generator.synthesize(ws, size=SIZE)).abs().max() > 0.05
    assert (Synthesis(generator)(ws, size=SIZE, bends=bends) - wanted).abs().max() < 2e-3
    machine, jobs = Twin(), []
    program = GraphRenderer(generator, SIZE, machine=machine, programs=Programs(machine, start=jobs.append))
    shown = program.frame(ws, bends=bends).int()
    for job in jobs:
        job()
    captured = program.frame(ws, bends=bends).int()
    levels = (wanted[0] * 127.5 + 128).clamp(0, 255).permute(1, 2, 0).int()
    assert (shown - levels).abs().float().mean() < 0.1 and (captured - levels).abs().float().mean() < 0.1 and machine.captures == 1


def test_the_place_follows_the_part_without_jitter(masks):
    """From frame to frame of a walk the pivot goes no faster than the part may; a part that stands still has one that does."""
    generator, parts = masks
    a, b = generator.map(z_of(2, 5)).split(1)
    ws = torch.cat([torch.lerp(a, b, t / 60) for t in range(31)])
    x = torch.cat([generator.activations(some, ["b32.conv1"])["b32.conv1"] for some in ws.split(8)])
    for part in PARTS:
        found = find(parts[part].heats["b32.conv1"].on(x), parts[part].starts, parts[part].apart, False).centre
        step = found.diff(dim=0).norm(dim=2) * SIZE / 2
        assert step.max() < 4 * step.mean() + 0.3 and step.diff(dim=0).abs().max() < 0.5, part
    noise = torch.randn(8, *x.shape[1:], generator=torch.Generator().manual_seed(1)) * 0.1 * x[:1].std()
    for part in PARTS:
        still = find(parts[part].heats["b32.conv1"].on(x[:1] + noise), parts[part].starts, parts[part].apart, False).centre
        assert still.diff(dim=0).norm(dim=2).max() * SIZE / 2 < 0.5, part


def test_a_smaller_map_is_read_where_the_larger_one_was():
    heat = torch.exp(-torch.linspace(-3, 3, 64)[None, :].square() - torch.linspace(-3, 3, 64)[:, None].square())[None, None]
    x = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(4))
    for numbers in ((0.7, 0.0, 0.0, 0.7, 0.0, 0.0), (0.8, -0.6, 0.6, 0.8, 0.0, 0.0)):
        first, alone = (find(heat, ((0.0, 0.0),), 0.3, True) for _ in range(2))
        first.move(64, 64, _turn, numbers, False, False)
        for one, other in zip(first.move(16, 16, _turn, numbers, False, False), alone.move(16, 16, _turn, numbers, False, False)):
            assert (one - other).abs().max() < 0.1 and other.shape == (1, 16, 16)
        assert first.move(64, 64, _turn, numbers, False, False)[0].shape == (1, 64, 64)
    assert change_region(first, strength=0.5).moved == {}                            # a region that is changed is another one
    with act_at(first):
        assert affine(x, numbers[:4]).shape == x.shape


def test_a_place_keeps_nothing_from_frame_to_frame(masks):
    """All that one frame asks for is given back, so that the next one gets the same memory again; and the map itself is never copied."""
    one = spread(made(masks, "part:eyes", "scale"), Places(masks[1]))[0]
    x = masks[0].activations(masks[0].map(z_of(1)), [one.layer])[one.layer].contiguous(memory_format=torch.channels_last)
    before, drawn = x.clone(), torch.randn(1, 3, 32, 32)

    def play(frames):
        for _ in range(frames):
            bend_both(x.copy_(before), drawn, (one,), owned=True)

    with torch.no_grad():
        play(3)
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        play(5)
    asked = [event.self_cpu_memory_usage for event in seen.events()]
    map_bytes = x.numel() * 4
    assert sum(asked) == 0 and 0 < max(asked) < map_bytes / 8
    assert sum(size for size in asked if size > 0) / 5 < 2 * map_bytes


@pytest.mark.parametrize("name", [name for name, t in TRANSFORMS.items() if t.moves])
@pytest.mark.parametrize("channels", ("all", (0, 3, 5, 9)))
def test_maps_that_are_the_bends_to_lose_are_written_over_and_come_out_the_same(masks, name, channels):
    generator, _ = masks
    at = "part:mouth,eyes" if "target" in TRANSFORMS[name].wants else "part:eyes"
    one = spread(made(masks, at, name, layer="b64.conv1"), Places(masks[1]))[0]
    one = one if channels == "all" else dataclasses.replace(one, channels=channels)
    maps = generator.activations(generator.map(z_of(2)), [one.layer])[one.layer].contiguous(memory_format=torch.channels_last)
    kept = maps.clone()
    expected = bend(maps, [one])
    assert torch.equal(maps, kept) and torch.equal(bend(kept.clone(memory_format=torch.preserve_format), [one], owned=True), expected)


def test_at_a_place_no_map_is_copied_that_may_be_written_over(masks):
    generator, _ = masks
    one = spread(made(masks, "part:eyes", "scale", {"factor": 1.5}, layer="b64.conv1"), Places(masks[1]))[0]
    maps = generator.activations(generator.map(z_of(1)), [one.layer])[one.layer].contiguous(memory_format=torch.channels_last)
    for owned in (True, False):
        x = maps.clone()
        bend(x, [one], owned=owned)                                 # the tables that are made once
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
            bend(x, [one], owned=owned)
        largest = max(event.cpu_memory_usage for event in seen.events())
        assert (largest < maps.nbytes / 2) == owned, (owned, largest, maps.nbytes)


def test_what_is_repeated_stays_as_it_is_or_grows_in_the_middle(masks):
    generator, _ = masks
    ws = generator.map(z_of(1))
    layer = made(masks, "part:eyes", "repeat").layer
    x = generator.activations(ws, [layer])[layer]
    still, grown, number, given = (made(masks, "part:eyes", "repeat", settings) for settings in (
        {"size": 0.0, "middle": 1.0}, {"size": 0.0, "middle": 1.5}, {"middle": 1.0}, {"middle": torch.tensor(1.0)}))
    places = still.regions(x)
    assert still.run(x, places) is x
    right, down = (int((at + 1) * x.shape[3] / 2) for at in places[0].centre[0, 0])
    change = (grown.run(x, places) - x).abs().mean(1)[0]
    assert change.mean() > 0.005 and change[down, right] < change.max() / 4       # an eye grows about its own middle
    assert (number.run(x, places) - given.run(x, places)).abs().mean() < 1e-3     # as it is drawn on a processor and by a program of a GPU


def test_the_fader_turns_the_setting(masks):
    generator, parts = masks
    ws = generator.map(z_of(1))
    turned = made(masks, "part:head", "rotate", {"angle": 40.0}, mix=0.5)
    half = made(masks, "part:head", "rotate", {"angle": 20.0})
    blended = made(masks, "part:head", "rotate", {"angle": 40.0}, mix=0.5).with_fade("picture")
    assert torch.equal(picture(masks, ws, turned), picture(masks, ws, half))
    assert (generator.synthesize(ws, size=SIZE, bends=[blended]) - picture(masks, ws, half)).abs().mean() > 0.01
    grown = made(masks, EVERYWHERE, "scale", {"factor": 2.0}, layer="b16.conv1", mix=0.5)
    assert torch.equal(picture(masks, ws, grown), picture(masks, ws, made(masks, EVERYWHERE, "scale", {"factor": 1.5}, layer="b16.conv1")))


@pytest.mark.parametrize("name", [name for name, t in TRANSFORMS.items() if t.neutral])
def test_neutral_settings_are_neutral_and_the_shown_are_not(name):
    t = TRANSFORMS[name]
    assert t.neutral.keys() | t.shown.keys() <= t.settings.keys()
    for setting, value in {**t.neutral, **t.shown}.items():
        assert t.settings[setting].clamp(value) == value
    faded = t.fade_settings({}, 0.0)
    assert all(faded[setting] == value for setting, value in t.neutral.items())
    defaults = {setting: p.default for setting, p in t.settings.items()}
    assert any((defaults | t.shown)[setting] != value for setting, value in t.neutral.items())
    assert t.fade_settings({}, 1.0).items() >= {setting: defaults[setting] for setting in t.neutral}.items()


def test_as_published_stays_as_it_was(masks):
    """Bends written before places were known have none, fade as they did, and give the same bits."""
    generator, parts = masks
    old = {"name": "e", "layer": "b32.conv1", "channels": "eyes", "transform": "rotate", "settings": {"angle": 20.0}, "mix": 0.5}
    known = clusters.load(FOLDER / "clusters.yaml", generator)
    b = bend_from_dict(old, generator, known, Places(parts))
    assert (b.where, b.fade, b.regions(torch.zeros(1, 128, 32, 32))) == (EVERYWHERE, "picture", [])
    assert "where" not in b.to_dict() and "fade" not in b.to_dict()
    plain = {key: value for key, value in bend_to_plain(b).items() if key not in ("where", "fade")}      # as an old take has it
    assert bend_from_plain(plain) == b
    x = generator.activations(generator.map(z_of(1)), ["b32.conv1"])["b32.conv1"]
    dry = x[:, list(b.channels)]
    wet = torch.lerp(dry, TRANSFORMS["rotate"].function(dry, 20.0), 0.5)
    assert torch.equal(bend(x, [b])[:, list(b.channels)], wet)


def test_a_bend_with_a_place_as_data_and_back(masks):
    generator, parts = masks
    for b in (made(masks, "part:mouth,crown", "move_to"), made(masks, "box", "swirl", {"box_x": 0.3}), made(masks, "part:eyes", "ablate")):
        again = bend_from_dict(b.to_dict(), generator, None, Places(parts))
        assert again == b and bend_from_plain(bend_to_plain(b)) == b
        assert again.parameters() == b.parameters() and set(b.parameters()) == {f"/bends/b/{name}" for name in b.settings_names()}


def test_a_named_cluster_acts_at_its_place_and_everywhere_if_told(masks):
    generator, parts = masks
    known = clusters.load(FOLDER / "clusters.yaml", generator)
    data = {"name": "b", "layer": "b32.conv1", "channels": "eyes", "transform": "scale"}
    b = new_bend(data, generator, known, Places(parts))
    assert (b.where, b.channels, b.fade) == ("part:eyes", None, "setting")
    plain = new_bend(data | {"where": "everywhere"}, generator, known, Places(parts))
    assert plain.where == EVERYWHERE and plain.channels == known.channels("b32.conv1", "eyes")
    assert new_bend(data | {"channels": "cluster:eyes"}, generator, known, Places(parts)).where == EVERYWHERE
    assert new_bend(data, generator, known).where == EVERYWHERE
    spans = new_bend({"name": "b", "where": "part:eyes", "transform": "scalar_multiply"}, generator, known, Places(parts))
    assert spans.layer.count("+") >= 3 and {one.layer for one in spread(spans, Places(parts))} == set(spans.layer.split("+"))


@pytest.mark.parametrize("changes, says", [
    ({"where": "part:ears,nowhere"}, "no part 'nowhere'; there are eyes"), ({"where": "part:"}, "expected everywhere, part:NAME"),
    ({"where": "mask:gone"}, "no mask 'gone'"), ({"where": "over there"}, "expected everywhere, part:NAME"), ({"where": 5}, "expected everywhere"),
    ({"where": "part:eyes", "layer": "b256.conv1"}, "no place in layer b256.conv1; it has one in b16.conv0"), ({"layer": "b32.conv1+b32.conv1"}, "different"),
    ({"layer": "b32.conv1+b9.conv1"}, "no layer 'b9.conv1'"), ({"channels": "part"}, "where part:NAME"), ({"layer": "b16.conv1+b32.conv1", "channels": "0,1"}, "all or part"),
    ({"settings": {"reach": 2.0}}, "no setting"), ({"where": "box", "settings": {"box_x": "left"}}, "box_x"), ({"fade": "slow"}, "setting, picture"),
], ids=str)
def test_what_is_no_place_is_told(masks, changes, says):
    generator, parts = masks
    data = {"name": "b", "layer": "b32.conv1", "channels": "all", "transform": "scale"} | changes
    with pytest.raises(UserError, match="(?s)" + says.replace("+", r"\+")):
        bend_from_dict(data, generator, None, Places(parts, {"drawn": Mask.from_picture(torch.eye(8).numpy())}))


def test_no_parts_no_places(masks):
    with pytest.raises(UserError, match="run_live.py parts"):
        bend_from_dict({"name": "b", "layer": "b32.conv1", "transform": "scale", "where": "part:eyes"}, masks[0])
    with pytest.raises(UserError, match="run_live.py parts"):
        new_bend({"name": "b", "transform": "scale", "where": "part:eyes"}, masks[0])


def test_the_knobs_of_a_place(masks):
    """Reach and softness decide how much is touched, the pivot what things turn about, together whether two turn as one."""
    generator, _ = masks
    ws = generator.map(z_of(1))
    plain = picture(masks, ws)

    def touched(**knobs):
        return ((picture(masks, ws, made(masks, "part:eyes", "rotate", {"angle": 60.0, **knobs})) - plain).abs().amax(1) > 0.05).float().mean()

    assert touched(reach=1.2) < touched() < touched(reach=4.0)
    assert touched(soft=0.05) > touched(soft=0.9)
    assert touched(blobs="together") > touched()
    assert abs(touched(pivot_x=1.0) - touched()) > 1e-4


def test_an_instrument_plays_places(masks):
    generator, parts = masks
    known = clusters.load(FOLDER / "clusters.yaml", generator)
    instrument = Instrument(generator, 64, known, places=Places(parts))
    b = instrument.new_bend({"name": "big", "where": "part:eyes", "transform": "grow", "layer": "b32.conv1", "channels": "all"})
    scene = instrument.scene([b])
    motion = Motion().advance(scene, 0.0)

    def pixels(*changes):
        return instrument.render(scene.set([Change(*change) for change in changes]), motion).pixels.copy()

    plain = Instrument(generator, 64).render(instrument.scene(), motion).pixels
    assert (pixels(("/bends/big/mix", 0.0)) == plain).all()
    assert (pixels(("/bends/big/amount", 0.0)) == plain).all()
    assert not (pixels() == plain).all()
    assert (pixels(("/bends/big/mix", 0.5), ("/bends/big/amount", 1.0)) == pixels(("/bends/big/amount", 0.5))).all()
    assert not (pixels(("/bends/big/mix", 0.5), ("/bends/big/fade", "picture")) == pixels(("/bends/big/mix", 0.5))).all()


def test_parts_are_found_by_clusters(masks):
    """Without the world: the named clusters of any network say where."""
    generator, parts = masks
    found = from_clusters(generator, clusters.load(FOLDER / "clusters.yaml", generator), samples=24)
    assert set(found.parts) >= {"eyes", "crown", "halo", "collar"} and len(found["eyes"].starts) == 2
    for name in ("eyes", "crown", "collar"):
        there, here = (torch.tensor(p[name].starts).mean(0) for p in (found, parts))
        assert (there - here).norm() < 0.15, name


def test_parts_as_a_file(masks, tmp_path):
    generator, parts = masks
    again = part_files.load(parts.save(tmp_path / "parts.yaml"), generator)
    assert again.parts.keys() == parts.parts.keys() and again["eyes"].channels == parts["eyes"].channels


@pytest.mark.parametrize("text, says", [
    ("[]", "expected a file of"), ("format: latent-jockey parts\nschema: 2\n", "schema 1"), ("format: latent-jockey parts\nschema: 1\nparts: 3\n", "mapping of parts"),
    ("format: latent-jockey parts\nschema: 1\nparts: {eyes: {starts: [[0, 0]]}}\n", "part 'eyes': expected starts"),
    ("format: latent-jockey parts\nschema: 1\nparts: {eyes: {starts: [[0, 0]], apart: 1, bend: b4.conv1, heats: {b4.conv1: [1, 2]}}}\n", "1 weights; the layer has"),
    ("format: latent-jockey parts\nschema: 1\nparts: {eyes: {starts: [], apart: 1, bend: b4.conv1, heats: {b4.conv1: [1, 2]}}}\n", "1 to 8 starts"),
    ("format: latent-jockey parts\nschema: 1\nparts: {eyes: {starts: [[0, 0]], apart: nan-ish, bend: x, heats: {}}}\n", "part 'eyes'"),
], ids=str)
def test_a_spoilt_file_is_one_line(generator, tmp_path, text, says):
    path = tmp_path / "parts.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=f"^{path}: .*{says}"):
        part_files.load(path, generator)


def test_a_bend_moves_nothing_at_a_dry_mix(masks):
    generator, _ = masks
    x = generator.activations(generator.map(z_of(1)), ["b32.conv1"])["b32.conv1"]
    dry = Bend("b", "b32.conv1", None, "rotate", {"angle": 90.0}, 0.0)
    assert bend(x, [dry]) is x
