"""Kept latents: files of ours and of other tools, and how they play."""
import numpy as np
import pytest
import torch

from engine import kept
from engine.directions.statistics import map_z, sample_w
from engine.errors import UserError
from engine.instrument import Instrument
from engine.kept import Kept
from engine.kept.made import keep_playing
from engine.motion import Motion
from tests.conftest import tiny
from tests.engine.shapes import SHAPES, shaped

N, W = 8, 16


def plus(count=1, seed=0):
    """Latents of a w for each layer, float32 [count, 8, 16]."""
    return np.random.RandomState(seed).randn(count, N, W).astype(np.float32) * 3


def read(path, **more):
    return kept.read_foreign(path, tiny(), **more)


def test_files_of_ours(tmp_path):
    made = Kept(torch.from_numpy(plus(3)), {"steps": 5}, "abc", {"b8.conv0": torch.randn(3, 8, 8)}, torch.zeros(4, 6, 3, dtype=torch.uint8))
    again = kept.load(kept.save(tmp_path / "latents" / "a.safetensors", made), tiny())
    assert torch.equal(again.ws, made.ws) and again.recipe == {"steps": 5} and again.space == "w+" and again.picture.shape == (4, 6, 3)
    assert torch.equal(again.noise["b8.conv0"], made.noise["b8.conv0"])
    with pytest.raises(UserError, match="latents of 16 numbers; this network's w has 24"):
        kept.load(tmp_path / "latents" / "a.safetensors", tiny(w_dim=24))


@pytest.mark.parametrize("name", ["projected_w.npz", "w_final.npy", "projected_w.pt", "0.pt"])
def test_one_projected_picture(tmp_path, name):
    array, path = plus(), tmp_path / name
    if name.endswith("npz"):
        np.savez(path, w=array)
    elif name.endswith("npy"):
        np.save(path, array)
    else:
        torch.save(torch.from_numpy(array[0] if name == "projected_w.pt" else array), path)
    (found,) = read(path).values()
    assert found.ws.shape == (1, N, W) and torch.equal(found.ws[0], torch.from_numpy(array[0]))


def test_equal_rows_are_kept_as_one_w(tmp_path):
    np.savez(tmp_path / "projected_w.npz", w=np.repeat(plus()[:, :1], N, 1))
    (found,) = read(tmp_path / "projected_w.npz").values()
    assert found.space == "w" and found.ws.shape == (1, 1, W)


def test_sequences_and_their_order(tmp_path):
    np.save(tmp_path / "walk.npy", plus(5))
    assert read(tmp_path / "walk.npy")["walk"].ws.shape == (5, N, W)
    (tmp_path / "walk.txt").write_text("4,0,0\nsomething else\n")
    assert torch.equal(read(tmp_path / "walk.npy")["walk"].ws, torch.from_numpy(plus(5)[[4, 0, 0]]))
    np.savez(tmp_path / "first.npz", arr_0=plus(2))
    assert read(tmp_path / "first.npz")["first"].ws.shape == (2, N, W)
    torch.save(torch.from_numpy(plus(3)), tmp_path / "latents.pt")
    assert read(tmp_path / "latents.pt")["latents"].ws.shape == (3, N, W)


def maps(more=0):
    """Noise maps as a projector writes them, one for each layer of the tiny network, and of so many octaves more."""
    sizes = [4, 8, 8, 16, 16, 32, 32] + [64, 64] * more
    return [torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(size)) for size in sizes]


def test_a_latent_for_each_picture_of_a_projector(tmp_path):
    entry = lambda latent: {"img": torch.zeros(3, 4, 4), "latent": latent, "noise": maps()}
    torch.save({"a/one.png": entry(torch.from_numpy(plus()[0])), "two.jpg": entry(torch.from_numpy(plus(seed=1)[0, 0] * 2))}, tmp_path / "p.pt")
    found = read(tmp_path / "p.pt")
    assert set(found) == {"one", "two"} and found["one"].space == "w+" and found["two"].space == "w"
    assert list(found["one"].noise) == tiny().layers and torch.equal(found["two"].noise["b16.conv0"][0], maps()[3][0, 0])
    torch.save({"noises": maps(more=1), "latent": torch.from_numpy(plus(2)), "x": entry(torch.zeros(W))}, tmp_path / "bend.pt")
    bend = read(tmp_path / "bend.pt")["bend"]
    assert torch.equal(bend.ws, torch.from_numpy(plus(2)[:1])) and torch.equal(bend.noise["b32.conv1"][0], maps()[-1][0, 0])


@pytest.mark.parametrize("noise, told", [(maps()[:5], "5 noise maps; this network has 7"), (maps()[:6] + [torch.zeros(1, 1, 16, 16)], "noise maps of 16 x 16 px for b32.conv1"),
                                         (maps()[:6] + [torch.full((1, 1, 32, 32), float("nan"))], "NaN or infinity"), ([1] * 7, "expected an array of numbers")])
def test_noise_maps_that_do_not_belong_here_are_refused(tmp_path, noise, told):
    torch.save({"a.png": {"img": torch.zeros(3, 4, 4), "latent": torch.from_numpy(plus()[0]), "noise": noise}}, tmp_path / "p.pt")
    with pytest.raises(UserError, match=told):
        read(tmp_path / "p.pt")


def test_vectors_that_do_not_say_what_they_are(tmp_path):
    z = torch.from_numpy(np.random.RandomState(3).randn(1, W)).float()
    z = z / z.square().mean().sqrt()
    torch.save(z, tmp_path / "vector.pt")
    mapped = map_z(tiny(), z)
    assert torch.allclose(read(tmp_path / "vector.pt")["vector"].ws[0], mapped)
    assert torch.allclose(read(tmp_path / "vector.pt", space="w")["vector"].ws[0], z)
    torch.save(z * 3, tmp_path / "far.pt")
    assert torch.allclose(read(tmp_path / "far.pt")["far"].ws[0], z * 3)


def test_what_projectors_found_is_w_even_if_it_looks_like_z(tmp_path):
    z = torch.from_numpy(np.random.RandomState(3).randn(W)).float()
    z = z / z.square().mean().sqrt()
    torch.save({"a.png": {"latent": z, "img": torch.zeros(3, 4, 4)}}, tmp_path / "p.pt")
    np.savez(tmp_path / "q.npz", w=z.view(1, 1, W).numpy())
    assert torch.equal(read(tmp_path / "p.pt")["a"].ws[0, 0], z) and torch.equal(read(tmp_path / "q.npz")["q"].ws[0, 0], z)


def test_lists_parameters_and_pictures_of_like_names(tmp_path):
    frames = [torch.from_numpy(one * 2)[None] for one in plus(3)[:, 0]]
    torch.save(frames, tmp_path / "keys.pt")
    assert torch.equal(read(tmp_path / "keys.pt")["keys"].ws, torch.stack(frames))
    torch.save([torch.from_numpy(one) for one in plus(2)], tmp_path / "each.pth")
    assert read(tmp_path / "each.pth")["each"].ws.shape == (2, N, W)
    torch.save(torch.nn.Parameter(torch.from_numpy(plus())), tmp_path / "0.pt")
    assert torch.equal(read(tmp_path / "0.pt")["0"].ws, torch.from_numpy(plus()))
    torch.save({name: {"latent": torch.from_numpy(plus(seed=n)[0]), "img": torch.zeros(3, 4, 4)} for n, name in enumerate(("a b.png", "x/a-b.jpg"))}, tmp_path / "p.pt")
    found = read(tmp_path / "p.pt")
    assert list(found) == ["a-b", "a-b-2"] and torch.equal(found["a-b-2"].ws, torch.from_numpy(plus(seed=1)))
    kept.save(tmp_path / "mine.safetensors", Kept(torch.from_numpy(plus())))
    assert torch.equal(read(tmp_path / "mine.safetensors")["mine"].ws, torch.from_numpy(plus()))


def test_the_first_array_whatever_its_name(tmp_path):
    np.savez(tmp_path / "walk.npz", fps=np.zeros((2, 2)), latents=plus(3), more=plus(2))
    assert torch.equal(read(tmp_path / "walk.npz")["walk"].ws, torch.from_numpy(plus(3)))


def test_a_whole_tuned_network_is_a_network_and_holds_no_latents(tmp_path):
    """What PTI saves: torch.save of a module as NVIDIA pickles them; its table of contents points at storages beside it."""
    from engine import checkpoints
    from tests.engine.checkpoint_files import modules, nvlabs_state, persistent

    def rebuild(meta):
        raise AssertionError("the stock reader was called")

    generator = tiny()
    easy = type("EasyDict", (dict,), {})
    with modules(torch_utils__persistence={"_reconstruct_persistent_obj": rebuild}, dnnlib__util={"EasyDict": easy}):
        from tests.engine.checkpoint_files import Persistent
        Persistent.rebuild, Persistent.easy = staticmethod(rebuild), easy
        torch.save(persistent(nvlabs_state(generator), generator.architecture), tmp_path / "model_a.pt")
    assert all(torch.equal(tensor, generator.state_dict()[name]) for name, tensor in checkpoints.load(tmp_path / "model_a.pt").state_dict().items())
    with pytest.raises(UserError, match="a whole module or something else that holds no latents"):
        read(tmp_path / "model_a.pt")


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.pt", "old.pt", "x.txt", "x.safetensors"])
def test_files_cut_short_and_damaged_are_refused_in_one_line(tmp_path, name):
    path = tmp_path / name
    make = {"npz": lambda: np.savez(path, w=plus()), "npy": lambda: np.save(path, plus()), "txt": lambda: path.write_text("1,2,3"),
            "safetensors": lambda: kept.save(path, Kept(torch.from_numpy(plus()))),
            "pt": lambda: torch.save(torch.from_numpy(plus()), path, _use_new_zipfile_serialization=name != "old.pt")}
    make[path.suffix[1:]]()
    whole = path.read_bytes()
    for length in (0, 1, 7, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        try:
            read(path)
        except UserError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)
        else:
            assert name == "x.txt"
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:])
        try:
            for one in read(path).values():
                assert one.ws.isfinite().all()
        except UserError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("text", ["1, 2,30", "1\n2\n30\n"])
def test_lists_of_seeds(tmp_path, text):
    (tmp_path / "liked.txt").write_text(text)
    found = read(tmp_path / "liked.txt")["liked"]
    instrument = Instrument(tiny())
    assert torch.allclose(found.ws[:, 0], torch.stack([instrument.latents.w(seed) for seed in (1, 2, 30)]), atol=1e-6)


def test_those_of_a_larger_network_are_cut_and_it_is_said(tmp_path, caplog):
    np.save(tmp_path / "x.npy", np.random.RandomState(0).randn(1, 10, W).astype(np.float64))
    assert read(tmp_path / "x.npy")["x"].ws.shape == (1, N, W) and "latents for 10 ws, of a larger network: the first 8 of them play" in caplog.text


@pytest.mark.parametrize("make, told", [
    (lambda p: np.save(p / "x.npy", np.zeros((1, 6, W))), "latents for 6 ws; this network has 8"),
    (lambda p: np.save(p / "x.npy", np.zeros((1, N, 20))), "expected latents of 16 numbers"),
    (lambda p: np.save(p / "x.npy", np.full((1, N, W), np.nan)), "NaN or infinity"),
    (lambda p: np.save(p / "x.npy", np.array([{"face": [1]}], dtype=object)), "pickled objects, which are not read"),
    (lambda p: torch.save(torch.nn.Linear(2, 2), p / "x.npy"), "holds no latents|no latents in it"),
    (lambda p: (p / "x.npy").write_bytes(b"<html>"), "not a|truncated or damaged"),
    (lambda p: np.savez(p / "x.npy.npz", a=np.zeros(3)) or (p / "x.npy.npz").rename(p / "x.npy"), "no latents in it that we know; it holds a")])
def test_what_is_refused(tmp_path, make, told):
    make(tmp_path)
    with pytest.raises(UserError, match=told):
        read(tmp_path / "x.npy")


def playing(instrument, keys, **values):
    scene = instrument.scene().set_values({"/walk/kind": "kept", "/truncation": 0.5, **{f"/{k.replace('__', '/')}": v for k, v in values.items()}})
    return scene, Motion(kept=keys).advance(scene, 0.0)


@pytest.fixture
def instrument():
    made = Instrument(tiny())
    made.latents.kept = made.latents.prepare_kept({"b": Kept(torch.from_numpy(plus(2, seed=1))), "a": Kept(torch.from_numpy(plus(3)[:, :1]))})
    return made


def test_they_play_to_the_bit_and_no_truncation_moves_them(instrument):
    for psi in (0.0, 0.7, 1.3):
        ws = instrument.latents.ws(*playing(instrument, (("b", 1),), truncation=psi))
        assert torch.equal(ws[0], torch.from_numpy(plus(2, seed=1)[1]))
    scene, motion = playing(instrument, (("b", 1),))
    from engine.generator import quantize

    with torch.no_grad():
        wanted = quantize(instrument.generator.synthesize(torch.from_numpy(plus(2, seed=1)[1:]))).numpy()
    assert np.abs(instrument.render(scene, motion).pixels.astype(int) - wanted).max() <= 1


def noisy(layers=("b8.conv0", "b32.conv1")):
    """A kept latent with noise maps of its own on some layers."""
    generator, drawn = tiny(), torch.Generator().manual_seed(4)
    noise = {layer: torch.randn(2, *generator.layer(layer).size, generator=drawn) for layer in layers}
    return Kept(torch.from_numpy(plus(2, seed=1)), noise=noise)


@pytest.mark.parametrize("frame", [None, 2.0])
def test_their_noise_maps_play_and_go_again(frame):
    from fractions import Fraction

    instrument = Instrument(tiny(), frame=frame and Fraction(2))
    own = {name: tensor.clone() for name, tensor in instrument.generator.state_dict().items()}
    before = instrument.render(scene := instrument.scene().set_values({"/walk/kind": "hold"}), Motion().advance(scene, 0.0)).pixels.copy()
    instrument.latents.kept = instrument.latents.prepare_kept({"b": noisy(), "plain": Kept(torch.from_numpy(plus(2, seed=1)))})
    drawn = {name: instrument.render(*playing(instrument, ((name, 1),))).pixels.copy() for name in ("plain", "b")}
    for layer, maps in noisy().noise.items():
        assert torch.equal(instrument.generator.layer(layer).noise_const, maps[1])
    assert (drawn["plain"] != drawn["b"]).any()
    assert torch.equal(keep_playing(instrument, *playing(instrument, (("b", 1),))).noise["b8.conv0"], noisy().noise["b8.conv0"][1:])
    assert np.array_equal(instrument.render(*playing(instrument, (("plain", 1),))).pixels, drawn["plain"])
    assert np.array_equal(instrument.render(scene, Motion().advance(scene, 0.0)).pixels, before)
    assert all(torch.equal(tensor, own[name]) for name, tensor in instrument.generator.state_dict().items())


def test_noise_maps_on_the_way_stay_as_strong_and_outlive_new_weights(instrument):
    from dataclasses import replace

    from engine.walks import Kept as Point
    from engine.walks import arc, fade

    instrument.latents.kept = instrument.latents.prepare_kept({"b": noisy()})
    scene, motion = playing(instrument, (("b", 0),))
    own = instrument.generator.layer("b32.conv1").noise_const.clone()
    for place in (fade(((5, 1.0),), ((Point(("b", 0)), 1.0),), 0.25), arc(((5, 1.0),), ((Point(("b", 0)), 1.0),), 0.25)):
        instrument.render(scene, replace(motion, place=place))
        wanted = (0.75 * own + 0.25 * noisy().noise["b32.conv1"][0]) / (0.75 ** 2 + 0.25 ** 2) ** 0.5
        assert torch.allclose(instrument.generator.layer("b32.conv1").noise_const, wanted, atol=1e-6)
    instrument.use_weights(instrument.prepare_weights((), {}))              # another folder was read meanwhile
    scene = scene.set_values({"/walk/kind": "hold"})
    instrument.render(scene, Motion().advance(scene, 0.0))
    assert torch.equal(instrument.generator.layer("b32.conv1").noise_const, own)


def test_between_a_seed_and_a_kept_one_only_the_seed_is_truncated(instrument):
    scene, motion = playing(instrument, (("a", 2),))
    from dataclasses import replace

    from engine.walks import Kept as Point
    from engine.walks import arc, fade

    g, w = instrument.generator, instrument.latents.w(5)
    seed, there = g.w_avg + 0.5 * (w - g.w_avg), torch.from_numpy(plus(3)[2, 0])
    half = instrument.latents.ws(scene, replace(motion, place=fade(((5, 1.0),), ((Point(("a", 2)), 1.0),), 0.25)))
    assert torch.allclose(half[0], (0.75 * seed + 0.25 * there).expand(N, W), atol=1e-6)
    ends = [instrument.latents.ws(scene, replace(motion, place=arc(((5, 1.0),), ((Point(("b", 0)), 1.0),), t)))[0] for t in (1e-7, 1 - 1e-7)]
    assert torch.allclose(ends[0], seed.expand(N, W), atol=1e-3) and torch.allclose(ends[1], torch.from_numpy(plus(2, seed=1)[0]), atol=1e-3)


def test_a_walk_passes_through_all_in_order(instrument):
    scene, motion = playing(instrument, (), walk__speed=1.0)
    for wanted in (plus(3)[0, 0], plus(3)[1, 0]):
        assert torch.allclose(instrument.latents.ws(scene, motion)[0], torch.from_numpy(wanted).expand(N, W), atol=1e-5)
        for _ in range(4):
            motion = motion.advance(scene, 0.25)
    scene, motion = playing(instrument, (("b", -1),), walk__speed=1.0)
    for _ in range(4):
        motion = motion.advance(scene, 0.25)
    assert torch.allclose(instrument.latents.ws(scene, motion)[0], torch.from_numpy(plus(2, seed=1)[1]), atol=1e-5)


def test_one_that_is_gone_is_said_once_and_the_centre_plays(instrument, caplog):
    for _ in range(3):
        ws = instrument.latents.ws(*playing(instrument, (("gone", 0),)))
    assert torch.equal(ws[0], instrument.generator.w_avg.expand(N, W)) and caplog.text.count("no kept latent 'gone'") == 1


@pytest.mark.parametrize("name", SHAPES)
def test_any_network_keeps_and_plays(name, tmp_path):
    generator = shaped(name)
    instrument = Instrument(generator, generator.architecture.resolutions[1])
    scene = instrument.scene().set_values({"/walk/kind": "hold", "/style/middle/mix": 0.5})
    motion = Motion().advance(scene, 0.0)
    picture = instrument.render(scene, motion).pixels.copy()
    made = keep_playing(instrument, scene, motion, picture)
    instrument.latents.kept = instrument.latents.prepare_kept({"k": kept.load(kept.save(tmp_path / "k.safetensors", made), generator)})
    scene, motion = playing(instrument, (("k", 0),))
    assert np.array_equal(instrument.render(scene, motion).pixels, picture) and made.picture is not None
    assert sample_w(generator, 1)[1].shape[1] == made.ws.shape[2]
