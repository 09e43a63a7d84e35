"""Bends on a network: channels, order, mix, the published YAML, plain data, and bends that go wrong in a show."""
import logging
import math
from dataclasses import replace

import pytest
import torch

from engine.bending import Bend, BendFailed, bend, bend_from_dict, read_network_bending
from engine.bending.published import Quirks
from engine.bending.selection import resolve
from engine.bends import TRANSFORMS, Transform
from engine.clusters import Clusters
from engine.errors import UserError
from engine.motion import Motion
from engine.sampling import blur_maps
from live.show.events import Change
from tests.conftest import tiny

MAPS = torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
CLUSTERS = Clusters({"b16.conv1": {"eyes": (1, 4), "mouth": (0, 2, 3), "empty": ()}})


def use(transform="scalar_multiply", channels=(1, 4), layer="b16.conv1", name="one", mix=1.0, **settings):
    return Bend(name, layer, channels, transform, settings, mix)


def picture(generator, *bends, seed=0, **options):
    with torch.no_grad():
        ws = generator.map(torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(seed)))
        return generator.synthesize(ws, bends=bends, **options)


# --- one layer -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("t", TRANSFORMS.values(), ids=lambda t: t.name)
@pytest.mark.parametrize("layout", (torch.contiguous_format, torch.channels_last), ids=("nchw", "nhwc"))
def test_other_channels_stay_and_the_input_too(t, layout):
    x = MAPS.contiguous(memory_format=layout)
    before = x.clone()
    b = use(t.name, **{name: p.plain(0.7) for name, p in t.settings.items()})
    y = bend(x, [b])
    others = [0, 2, 3, 5, 6, 7]
    assert torch.equal(x, before) and torch.equal(y[:, others], x[:, others])
    assert torch.equal(bend(x, [replace(b, mix=0.0)]), x) and bend(x, [replace(b, mix=0.0)]) is x
    with torch.no_grad():
        owned = bend(x.clone(memory_format=torch.preserve_format), [b], owned=True)
    assert torch.allclose(owned, y, atol=1e-6)


def test_an_owned_tensor_is_written_to_only_without_gradients():
    x = MAPS.clone()
    with torch.no_grad():
        assert bend(x, [use(factor=2.0)], owned=True) is x
    x = MAPS.clone().requires_grad_()
    y = bend(x * 1, [use(factor=2.0), use("rotate", angle=10.0, mix=0.5)], owned=True)
    y.sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


def test_mix_is_dry_to_wet():
    wet = bend(MAPS, [use(factor=3.0)])
    half = bend(MAPS, [use(factor=3.0, mix=0.5)])
    assert torch.allclose(half, (MAPS + wet) / 2, atol=1e-6)
    assert torch.equal(bend(MAPS, [use(factor=3.0, mix=1.0)]), wet)
    assert torch.allclose(bend(MAPS, [use(factor=torch.tensor(3.0), mix=torch.tensor(0.5))]), half, atol=1e-6)


def test_bends_of_a_layer_act_in_order_and_overlap():
    double, invert = use(factor=2.0), use("invert", channels=(4, 5))
    one, other = bend(MAPS, [double, invert]), bend(MAPS, [invert, double])
    assert torch.equal(one[:, 4], 1 - 2 * MAPS[:, 4]) and torch.equal(other[:, 4], 2 * (1 - MAPS[:, 4]))
    assert torch.equal(one[:, 5], other[:, 5]) and torch.equal(one[:, 1], other[:, 1])


def test_all_channels_and_none():
    assert torch.equal(bend(MAPS, [use("flip_h", channels=None)]), MAPS.flip(-1))
    assert bend(MAPS, [use("flip_h", channels=())]) is MAPS
    assert bend(MAPS, []) is MAPS


def test_a_whole_layer_bend_leaves_what_it_was_given_alone():
    """graft hands out a tensor that the show keeps: a later bend must not write into it."""
    from engine.bending import BendState

    kept = torch.ones(1, 8, 8, 8)
    with torch.no_grad():
        bend(MAPS.clone(), [replace(use("graft", channels=None), memory=BendState(other=kept)), use(factor=5.0)], owned=True)
    assert (kept == 1).all()


@pytest.mark.parametrize("channels", [(0,), (3, 0, 2), (1, 4), (4, 3, 2, 1, 0)])
def test_maps_written_as_a_whole_are_those_written_channel_by_channel(monkeypatch, channels):
    """On a GPU, half precision: every number is written, those of other channels as they were."""
    maps = torch.randn(2, 5, 6, 7).half().contiguous(memory_format=torch.channels_last)
    bends = [Bend("a", "b4.conv1", channels, "invert", mix=0.5), Bend("b", "b4.conv1", channels, "flip_h")]
    with torch.no_grad():
        wanted = bend(maps, bends)
        monkeypatch.setattr("engine.bending.layer._is_written_whole", lambda x, channels: True)
        assert torch.equal(bend(maps, bends), wanted) and not torch.equal(wanted, maps)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("radius", [0.01, 0.1, 0.5])
def test_maps_in_half_precision_are_blurred_as_they_lie(radius, kind):
    """Against the Gaussian's definition in float64, pixel by pixel; half precision's own rounding is allowed, and no drift."""
    maps = torch.randn(2, 3, 12, 20, dtype=torch.float64).mul(40).to(kind)
    rows, columns = ([[math.exp(-((i - j) / (radius * 20)) ** 2 / 2) for j in range(n)] for i in range(n)] for n in (12, 20))
    rows, columns = (torch.tensor(one, dtype=torch.float64) for one in (rows, columns))
    wanted = (rows / rows.sum(1, keepdim=True)) @ maps.double() @ (columns / columns.sum(1, keepdim=True)).T
    for given in (maps, maps.contiguous(memory_format=torch.channels_last)):
        found = blur_maps(given, radius)
        assert found.dtype == kind and found.is_contiguous(memory_format=torch.channels_last)
        assert torch.allclose(found.double(), wanted, atol=40 * 4 * torch.finfo(kind).eps)


def test_half_precision_maps():
    x = MAPS.half()
    y = bend(x, [use("rotate", angle=30.0, mix=0.5), use("dilate", radius=2), use("blur", radius=0.1)])
    assert y.dtype == torch.float16 and y.isfinite().all()


def test_an_error_names_the_bend():
    with pytest.raises(BendFailed, match="'one'.*TypeError"):
        bend(MAPS, [use(wrong=1.0)])


# --- in the network --------------------------------------------------------------------------------------------------

def test_every_layer_bends_the_first_too(generator):
    plain = picture(generator)
    for layer in generator.layers:
        assert not torch.equal(picture(generator, use(layer=layer, channels=None, factor=-1.0)), plain), layer
        assert torch.equal(picture(generator, use(layer=layer, channels=None, factor=1.0)), plain), layer


def test_a_bend_acts_on_the_activations(generator):
    ws = generator.map(torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0)))
    seen = {}
    TRANSFORMS["spy"] = Transform("spy", lambda x: seen.setdefault("x", x), {}, "")
    try:
        with torch.no_grad():
            expected = generator.activations(ws, ["b16.conv0"])["b16.conv0"]
            generator.synthesize(ws, bends=[use("spy", channels=None, layer="b16.conv0")])
    finally:
        del TRANSFORMS["spy"]
    assert torch.equal(seen["x"], expected)


def test_odd_layers_reach_the_picture_through_the_next_only(generator):
    """b16.conv1 feeds toRGB at 16 px, b16.conv0 does not: silencing conv1 wholly leaves toRGB's bias there."""
    with torch.no_grad():
        generator.synthesis.b16.torgb.bias.fill_(3.0)
        silent = picture(generator, use("ablate", channels=None, layer="b16.conv1"), size=16)
        below = picture(generator, size=8)
        from engine.generator import upsample
        assert torch.allclose(silent, upsample(below) + 3.0, atol=1e-5)
        assert not torch.allclose(picture(generator, use("ablate", channels=None, layer="b16.conv0"), size=16), silent, atol=1e-3)


def test_order_matters_within_a_layer_and_not_across(generator):
    a, b = use(factor=3.0, layer="b8.conv0"), use("translate", name="two", layer="b32.conv0", channels=None, right=0.2, down=0.1)
    c = use("invert", name="three", layer="b8.conv0")
    assert torch.equal(picture(generator, a, b), picture(generator, b, a))
    assert not torch.equal(picture(generator, a, c), picture(generator, c, a))


# --- channels in words -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, expected", [
    ("all", None), ("eyes", (1, 4)), ("cluster:eyes", (1, 4)), ("cluster:1", (0, 2, 3)), ("empty", ()),
    ("0,4,6-7", (0, 4, 6, 7)), (" 3 ", (3,)), ([5, 1], (1, 5)), ([], ()), ("random:0", ()), ("random:1", tuple(range(8))),
])
def test_selections(generator, text, expected):
    assert resolve(text, generator, "b16.conv1", CLUSTERS) == expected


@pytest.mark.parametrize("text, message", [
    ("ears", "no cluster 'ears' in layer b16.conv1; there are eyes, mouth, empty"), ("cluster:7", "no cluster '7'"),
    ("8", "channel 8 of b16.conv1: it has 8, 0 to 7"), ("1,1", "channel 1 of b16.conv1 is there twice"), ("3-1000000", "more than any layer"),
    ([True], "whole number"), ([1.5], "whole number"), ([-1], "it has 8"), ("", "expected all, a cluster"), (None, "expected all"),
    ("random:2", "random share 2: expected 0 to 1"), ("random:x", "random:x: expected random:SHARE"), ("random:nan", "share nan"),
    ("random:0.5:-1", "random seed -1"), ("random:0.5:1.5", "expected random:SHARE"),
])
def test_selections_refused(generator, text, message):
    with pytest.raises(UserError, match=message):
        resolve(text, generator, "b16.conv1", CLUSTERS)


def test_a_random_share(generator):
    few, more = resolve("random:0.25:3", generator, "b16.conv1"), resolve("random:0.8:3", generator, "b16.conv1")
    assert len(few) == 2 and len(more) == 6 == len(set(more)) and set(few) < set(more)       # int(C * share); it only grows
    assert few == resolve("random:0.25:3", generator, "b16.conv1")
    assert any(resolve(f"random:0.25:{s}", generator, "b16.conv1") != few for s in range(9))
    with pytest.raises(UserError, match="no clusters are loaded"):
        resolve("eyes", generator, "b16.conv1")


# --- plain data ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("channels", ("all", "eyes", "cluster:1", "random:0.5:7", "0,4,6-7", [3, 1], []), ids=str)
def test_plain_data_and_back(generator, channels):
    data = dict(name="e-1", layer="b16.conv1", channels=channels, transform="rotate", settings={"angle": 20, "opencv_geometry": True}, mix=0.5)
    b = bend_from_dict(data, generator, CLUSTERS)
    again = bend_from_dict(b.to_dict(), generator, CLUSTERS)
    assert again.channels == b.channels and again.settings == b.settings == {"angle": 20.0, "opencv_geometry": True}
    assert again.to_dict() == b.to_dict()


def test_a_look_outlives_its_clusters(generator, caplog):
    b = bend_from_dict(dict(name="e", layer="b16.conv1", channels="eyes", transform="ablate"), generator, CLUSTERS)
    assert b.to_dict()["indices"] == "1,4"
    with caplog.at_level(logging.WARNING):
        assert bend_from_dict(b.to_dict(), generator, None).channels == (1, 4)
    assert "indices kept beside it" in caplog.text


@pytest.mark.parametrize("changes, message", [
    (dict(name="a b"), "name 'a b'"), (dict(name=None), "name: expected text"), (dict(layer="b64.conv1"), "no layer 'b64.conv1'; this network has"),
    (dict(transform="bleach"), "no transform 'bleach'; there are ablate"), (dict(settings={"angel": 1}), "rotate has no setting 'angel'; it has angle"),
    (dict(settings={"angle": float("nan")}), "rotate angle: expected a finite number"), (dict(settings={"angle": "much"}), "expected a number"),
    (dict(settings=[1]), "settings: expected a mapping"), (dict(mix="x"), "expected a number"), (dict(colour=1), "no entry 'colour'"),
    (dict(channels="ears"), "no cluster 'ears'"), (dict(settings={"opencv_geometry": 1}), "expected true or false"),
    (dict(transform="erode", settings={"radius": -1}), "radius -1"), (dict(transform="erode", settings={"radius": 1e9}), "expected 0 to 16"),
])
def test_plain_data_refused(generator, changes, message):
    data = dict(name="e", layer="b16.conv1", channels="eyes", transform="rotate", settings={}, mix=1.0) | changes
    with pytest.raises(UserError, match=message) as caught:
        bend_from_dict(data, generator, CLUSTERS)
    assert "\n" not in str(caught.value)


def test_a_published_number_beyond_the_fader_keeps_its_value(generator):
    b = bend_from_dict(dict(name="e", layer="b16.conv1", transform="scalar_multiply", settings={"factor": 25}), generator)
    p = b.parameters()["/bends/e/factor"]
    assert p.default == 25.0 == p.clamp(25.0) and p.low == -10.0


# --- the published YAML ----------------------------------------------------------------------------------------------

def write(tmp_path, text):
    path = tmp_path / "bends.yaml"
    path.write_text(text, encoding="utf-8")
    return path


ITEM = "transforms:\n- {layer: %s, transform: %s, params: %s, features: %s, feature-param: %s}\n"


def test_the_published_example(tmp_path):
    generator = tiny(resolution=64, channels={4: 8, 8: 8, 16: 8, 32: 8, 64: 10})
    clusters = Clusters({"b32.conv0": {"0": (0,), "1": (1,), "eyes": (2, 5)}})
    path = write(tmp_path, """
all-transforms: [whatever]
transforms:
- {layer: 5, transform: scalar-multiply, params: [0.5], features: cluster, feature-param: 2}
- {layer: 7, transform: rotate, params: [15.0], features: random, feature-param: 0.3}
- {layer: 8, transform: flip-h, params: [], features: all, feature-param: }
- {layer: 1, transform: binary-tresh, params: [1], features: all, feature-param: null}
""")
    bends = read_network_bending(path, generator, clusters)
    assert [(b.layer, b.transform, b.settings, b.mix) for b in bends] == [
        ("b32.conv0", "scalar_multiply", {"factor": 0.5}, 1.0), ("b64.conv0", "rotate", {"angle": 15.0}, 1.0),
        ("b64.conv1", "flip_h", {}, 1.0), ("b8.conv0", "binary_threshold", {"threshold": 1.0}, 1.0)]
    assert bends[0].channels == (2, 5) and len(bends[1].channels) == 3 and bends[2].channels is None
    assert len({b.name for b in bends}) == 4
    assert bends == read_network_bending(path, generator, clusters)                          # nothing is drawn anew
    assert read_network_bending(path, generator, clusters, Quirks(seed=1))[1].channels != bends[1].channels
    assert [bend_from_dict(b.to_dict(), generator, clusters) for b in bends] == bends
    assert picture(generator, *bends).isfinite().all()


def test_layers_by_number(generator, tmp_path):
    path = write(tmp_path, "transforms:\n" + "".join(ITEM.split("\n")[1] % (n, "ablate", "[]", "all", "") + "\n" for n in range(7)))
    assert [b.layer for b in read_network_bending(path, generator)] == generator.layers
    inert = read_network_bending(path, generator, None, Quirks(layer0_inert=True))
    assert [b.layer for b in inert] == generator.layers[1:]


@pytest.mark.parametrize("fields, message", [
    (("-1", "ablate", "[]", "all", ""), "layer -1: this network has 0 to 6"), (("17", "ablate", "[]", "all", ""), "layer 17"),
    (("'5'", "ablate", "[]", "all", ""), "layer '5': expected a whole number"), (("1.5", "ablate", "[]", "all", ""), "whole number"),
    (("1", "bleach", "[]", "all", ""), "transform 'bleach': expected one of ablate"), (("1", "[1]", "[]", "all", ""), "transform \\[1\\]"),
    (("1", "rotate", "[1, 2]", "all", ""), "rotate takes 1"), (("1", "ablate", "[1]", "all", ""), "ablate takes 0 .none."),
    (("1", "rotate", "[.nan]", "all", ""), "finite number"), (("1", "rotate", "[x]", "all", ""), "expected numbers, found 'x'"),
    (("1", "rotate", "{a: 1}", "all", ""), "expected a list of 1"), (("1", "erode", "[1.5]", "all", ""), "whole radius"),
    (("1", "erode", "[-1]", "all", ""), "radius -1"), (("1", "ablate", "[]", "some", ""), "features 'some': expected all, random, cluster"),
    (("1", "ablate", "[]", "random", ""), "feature-param None: expected a share"), (("1", "ablate", "[]", "random", "1.5"), "share 0 to 1"),
    (("1", "ablate", "[]", "random", ".nan"), "expected a share"), (("1", "ablate", "[]", "cluster", "0"), "no clusters are loaded"),
])
def test_items_refused(generator, tmp_path, caplog, fields, message):
    path = write(tmp_path, ITEM % fields)
    with pytest.raises(UserError, match=message) as caught:
        read_network_bending(path, generator)
    assert "\n" not in str(caught.value) and "item 1" in str(caught.value) and str(path) in str(caught.value)
    with caplog.at_level(logging.WARNING):
        assert read_network_bending(path, generator, None, Quirks(lenient=True)) == []       # as the published tool: it goes on
    assert "item 1 left out" in caplog.text


@pytest.mark.parametrize("text, message", [
    ("", "expected a mapping with a list"), ("[1]", "list `transforms`"), ("transforms: 5", "expected a list"), ("a: b: c", "not valid YAML"),
    ("transforms: !!python/object/apply:os.system ['true']", "not valid YAML"), ("transforms: [1]", "item 1: expected a mapping"),
    ("transforms: [{layer: 1, transform: ablate, features: all}]", "params is missing"), ("[" * 50000, "nested deeper|nest"),
    ("transforms: [" + "1," * 1001 + "]", "at most 1000"), ("x: 1\nx: 2\ntransforms: []", "given twice"), ("\x00", "not valid YAML"),
    ("#" * (5 * 2 ** 20), "larger than 4 MB"),
])
def test_files_refused(generator, tmp_path, text, message):
    with pytest.raises(UserError, match=message) as caught:
        read_network_bending(write(tmp_path, text), generator)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_files_that_are_not_there(generator, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_network_bending(tmp_path / "none.yaml", generator)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(UserError, match="expected UTF-8 text"):
        read_network_bending(tmp_path / "b.yaml", generator)


def test_a_laughing_file_is_not_laughed_out_loud(generator, tmp_path):
    """Aliases that would be 10^9 items if they were ever written out."""
    text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"{n}: &{n} [{','.join(['*' + o] * 10)}]\n" for o, n in zip("abcdefgh", "bcdefghi"))
    with pytest.raises(UserError, match="more than 200000 entries"):
        read_network_bending(write(tmp_path, text + "transforms: *i\n"), generator)


def test_empty_files_and_params(generator, tmp_path, caplog):
    assert read_network_bending(write(tmp_path, "transforms: []"), generator) == []
    assert read_network_bending(write(tmp_path, "transforms:"), generator) == []
    with caplog.at_level(logging.WARNING):
        (b,) = read_network_bending(write(tmp_path, ITEM % (1, "binary-thresh", "[]", "all", "")), generator)
    assert b.settings == {} and "its defaults are used" in caplog.text


def test_the_opencv_flag_reaches_the_affine_ones_only(generator, tmp_path):
    path = write(tmp_path, ITEM % (3, "rotate", "[90]", "all", "") + (ITEM % (3, "flip-v", "", "all", "")).split("\n", 1)[1])
    rotate, flip = read_network_bending(path, generator, None, Quirks(opencv_geometry=True))
    assert rotate.settings == {"angle": 90.0, "opencv_geometry": True} and flip.settings == {}
    assert not torch.equal(picture(generator, rotate), picture(generator, *read_network_bending(path, generator)[:1]))


# --- in a show -------------------------------------------------------------------------------------------------------

def standing(instrument, *bends, **values):
    scene = instrument.scene(bends).set([Change("/walk/kind", "hold"), Change("/walk/speed", 0.0)])
    return scene.set([Change(a, v) for a, v in values.get("values", {}).items()])


def pixels(instrument, scene, motion=None):
    return instrument.render(scene, (motion or Motion()).advance(scene, 0.0)).pixels.copy()


def test_mix_mute_solo_and_amount(instrument):
    plain = pixels(instrument, standing(instrument))
    a, b = use(name="a", factor=-2.0), use("flip_h", channels=None, name="b", layer="b8.conv1")
    both = standing(instrument, a, b)
    only_a, only_b = pixels(instrument, standing(instrument, a)), pixels(instrument, standing(instrument, b))
    together = pixels(instrument, both)
    assert len({x.tobytes() for x in (plain, only_a, only_b, together)}) == 4
    for changes, expected in [
        ({"/bends/a/mix": 0.0, "/bends/b/mix": 0.0}, plain), ({"/bends/a/mute": 1}, only_b), ({"/bends/a/solo": 1}, only_a),
        ({"/bends/a/solo": 1, "/bends/b/solo": 1}, together), ({"/bends/a/solo": 1, "/bends/a/mute": 1}, plain),
        ({"/bends/amount": 0.0}, plain), ({"/bends/a/factor": 1.0, "/bends/b/mute": 1.0}, plain),
    ]:
        assert (pixels(instrument, both.set([Change(a, v) for a, v in changes.items()])) == expected).all(), changes


def test_amount_glides_in_motion(instrument):
    scene = standing(instrument, use(), values={"/bends/glide": 1.0})
    motion = Motion().advance(scene, 0.0)
    assert motion.bends == 1.0
    away = scene.set([Change("/bends/amount", 0.0)])
    heard = []
    for _ in range(10):
        motion = motion.advance(away, 0.125)
        heard.append(motion.bends)
    assert heard[:4] == pytest.approx([0.875, 0.75, 0.625, 0.5]) and heard[7:] == [0.0, 0.0, 0.0]
    assert motion.advance(scene.set([Change("/bends/glide", 0.0)]), 0.01).bends == 1.0


def test_values_stay_with_the_bend_they_belong_to(instrument):
    scene = standing(instrument, use(name="a"), values={"/bends/a/factor": 3.0, "/bends/a/mix": 0.5})
    assert scene.with_bends([use("invert", name="b"), use(name="a")])["/bends/a/factor"] == 3.0
    other = scene.with_bends([use("scale", name="a")])                  # another transform's factor is another knob
    assert other["/bends/a/factor"] == 1.0 and other["/bends/a/mix"] == 0.5
    assert "/bends/a/factor" not in scene.with_bends([]).parameters


def broken(name, function):
    return Transform(name, function, {}, "Broken.")


@pytest.mark.parametrize("function", [
    lambda x: x * float("nan"), lambda x: x * 3e38, lambda x: x / torch.zeros(3), lambda x: {}["no"], lambda x: [][0],
], ids=("nan", "overflow", "shape", "key", "index"))
def test_a_bend_that_goes_wrong_is_bypassed(instrument, caplog, monkeypatch, function):
    monkeypatch.setitem(TRANSFORMS, "broken", broken("broken", function))
    good = use("flip_h", channels=None, name="good", layer="b8.conv1")
    expected = pixels(instrument, standing(instrument, good))
    scene = standing(instrument, good, use("broken", channels=None, name="bad"))
    with caplog.at_level(logging.WARNING):
        for frame in range(3):
            assert (pixels(instrument, scene, Motion(frame=frame)) == expected).all()
            instrument._shown = None
    assert caplog.text.count("bypassed") == 1 and "'bad'" in caplog.text
    dry = scene.set([Change("/bends/bad/mix", 0.0)])
    pixels(instrument, dry)
    monkeypatch.setitem(TRANSFORMS, "broken", broken("broken", lambda x: -x))
    assert not (pixels(instrument, scene) == expected).all()            # it has been dry: it may try again


def test_feedback_depends_on_the_frames_before_and_on_nothing_else(instrument):
    trail = use("feedback", channels=None, name="trail", amount=0.7, zoom=1.1, angle=5.0)
    scenes = [standing(instrument, trail, values={"/walk/seed": seed}) for seed in (1, 2, 2, 2)]

    def play():
        instrument.bends.forget()
        instrument._shown = None
        return [pixels(instrument, scene, Motion(frame=frame)) for frame, scene in enumerate(scenes)]

    first, second = play(), play()
    assert all((a == b).all() for a, b in zip(first, second))           # a take plays the same again
    assert not (first[1] == first[2]).all()                             # same scene and place, yet it moves on
    dry = scenes[-1].set([Change("/bends/trail/mix", 0.0)])
    plain = pixels(instrument, standing(instrument, values={"/walk/seed": 2}))
    assert (pixels(instrument, dry) == plain).all()
    assert (pixels(instrument, scenes[-1]) == plain).all()              # no ghost from before it was dry


def test_graft_takes_another_seed_s_activations(instrument):
    graft = use("graft", channels=None, layer="b32.conv1", name="g", seed=9)
    one = pixels(instrument, standing(instrument, graft))
    assert not (one == pixels(instrument, standing(instrument))).all()
    assert not (one == pixels(instrument, standing(instrument, graft, values={"/bends/g/seed": 10}))).all()
    assert (one == pixels(instrument, standing(instrument, graft))).all()


def test_ten_thousand_changes_leave_nothing_behind(instrument):
    """What is kept for bends is bounded by the bends there are."""
    scene = standing(instrument, use(name="a"), use("noise", name="n"), use("shuffle", name="s"))
    for n in range(10000):
        scene = scene.set([Change("/bends/a/factor", n % 7), Change("/bends/n/seed", n % 50)])
        if n % 500 == 0:
            pixels(instrument, scene)
    assert len(scene.values) <= 6 and len(instrument.bends._memories) <= 3
    for n in range(50):
        scene = scene.with_bends([use("feedback", name=f"f{n}")])
        pixels(instrument, scene)
    assert [name for name, _ in instrument.bends._memories] == ["f49"]
