"""A generator among whatever else a file holds: every way of saving one that tools have, each the same network."""
import argparse
import collections
import datetime
import decimal
import enum
import functools
import pathlib
import pickle
import uuid
import zipfile
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine import checkpoints
from tests.engine.checkpoint_files import (
    TINY,
    Persistent,
    basicsr_state,
    genforce_state,
    mmgeneration_state,
    modules,
    network,
    nvlabs_state,
    persistent,
    refused,
    rosinality_state,
    tensorflow_variables,
    write_nvlabs,
    write_tensorflow,
)

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol", "ignore:Couldn.t retrieve source")
ORIGINAL = network()
WANTED = checkpoints.generator_hash(ORIGINAL)
NAMES = {"nvidia": nvlabs_state(ORIGINAL), "rosinality": rosinality_state(ORIGINAL), "BasicSR": basicsr_state(ORIGINAL),
         "BasicSR, plain": basicsr_state(ORIGINAL, fused=False), "mmgeneration": mmgeneration_state(ORIGINAL), "GenForce": genforce_state(ORIGINAL)}
DECOY = {names: OrderedDict((name, tensor + 1) if "kernel" not in name and "filter" not in name else (name, tensor) for name, tensor in state.items())
         for names, state in NAMES.items()}
Colour = enum.Enum("Colour", "RED GREEN")


def prefixed(prefix, state):
    return OrderedDict((prefix + name, tensor) for name, tensor in state.items())


LAID = {
    "bare": lambda s, d: s,
    "g_ema": lambda s, d: {"g_ema": s, "g": d},
    "G_ema": lambda s, d: {"G": d, "D": {"x.weight": torch.ones(2)}, "G_ema": s},
    "ema": lambda s, d: {"model": d, "ema": s},
    "params_ema": lambda s, d: {"params": d, "params_ema": s},
    "state_dict": lambda s, d: {"state_dict": s, "epoch": 3},
    "model_state_dict": lambda s, d: {"model_state_dict": s, "optimizer_state_dict": {"state": {0: {"exp_avg": torch.ones(3)}}}},
    "generator": lambda s, d: {"generator": s, "discriminator": {"x": torch.ones(1)}},
    "netG": lambda s, d: {"netG": s, "netD": {}},
    "deep": lambda s, d: {"checkpoint": {"models": {"G": d, "G_ema": s}}},
    "a list": lambda s, d: [{"G_ema": s}, {"D": {}}],
    **{f"{prefix}*": lambda s, d, prefix=prefix: prefixed(prefix, s)
       for prefix in ("module.", "generator.", "G_ema.", "g_ema.", "ema.", "netG.", "decoder.", "_orig_mod.", "module.G_ema.module.", "model.generator.")},
    "lightning": lambda s, d: {"state_dict": prefixed("G.", d) | prefixed("G_ema.", s) | {"D.b4.weight": torch.ones(2)}, "epoch": 1,
                               "pytorch-lightning_version": "2.0", "hyper_parameters": argparse.Namespace(lr=0.1), "loops": {}, "callbacks": {}},
    "pSp": lambda s, d: {"state_dict": prefixed("decoder.", s) | {"encoder.input_layer.0.weight": torch.ones(2)},
                         "latent_avg": torch.zeros(8).repeat(6, 1), "opts": {"stylegan_size": 16}},
}


def same(path):
    generator = checkpoints.load(path)
    assert checkpoints.generator_hash(generator) == WANTED
    return generator


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("laid", LAID)
def test_every_layout_of_tensors(tmp_path, laid, names):
    content = LAID[laid](NAMES[names], DECOY[names])
    torch.save(content, tmp_path / "a.pt")
    same(tmp_path / "a.pt")
    torch.save(content, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    same(tmp_path / "b.pth")
    if all(isinstance(value, torch.Tensor) for value in (content.values() if isinstance(content, dict) else [0])):
        save_file({name: tensor.contiguous().clone() for name, tensor in content.items()}, tmp_path / "c.safetensors")
        same(tmp_path / "c.safetensors")


@pytest.mark.parametrize("synthesis, mapping", [("synthesis", "mapping"), ("G_synthesis", "G_mapping"), ("synthesis_ema", "mapping_ema")])
def test_the_two_parts_for_themselves(tmp_path, synthesis, mapping):
    parts = {there: {name[len(ours):]: tensor for name, tensor in NAMES["nvidia"].items() if name.startswith(ours)}
             for there, ours in ((synthesis, "synthesis."), (mapping, "mapping."))}
    torch.save(parts, tmp_path / "a.pt")
    same(tmp_path / "a.pt")
    torch.save(parts[synthesis], tmp_path / "half.pt")
    refused(tmp_path / "half.pt", "mapping.fc0.weight is missing")


BESIDE = {
    "numpy number": np.float64(0.3), "numpy array": np.arange(4), "numpy words": np.array(["a", "b"]), "objects": np.array([None, {}], dtype=object),
    "numpy dtype": np.dtype("float32"), "numpy generator": np.random.RandomState(1), "numpy bool": np.bool_(True), "complex": 1j,
    "partial": functools.partial(dict, a=1), "ordered": OrderedDict(a=1), "default": collections.defaultdict(list, a=[1]),
    "counter": collections.Counter("aab"), "deque": collections.deque([1, 2], 5), "namespace": argparse.Namespace(size=16),
    "path": pathlib.PurePosixPath("/data/x.zip"), "windows path": pathlib.PureWindowsPath("C:/x"), "date": datetime.datetime(2024, 1, 2),
    "seconds": datetime.timedelta(3), "decimal": decimal.Decimal("1.5"), "uuid": uuid.UUID(int=3), "enum": Colour.RED, "slice": slice(1, 2),
    "range": range(3), "set": {1, 2}, "frozen": frozenset([("a", 1)]), "tuple keys": {("a", 1): 2, (("b",),): 3}, "bytes": bytearray(b"abc"),
    "big": 1 << 200, "dtype": torch.float16, "device": torch.device("cpu"), "size": torch.Size([1, 2]), "random state": torch.get_rng_state(),
    "parameter": torch.nn.Parameter(torch.ones(3)), "whole numbers": torch.arange(3), "sparse": torch.eye(3).to_sparse(),
    "complex tensor": torch.ones(2, dtype=torch.complex64), "bfloat16": torch.ones(2, dtype=torch.bfloat16), "module": torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU()),
    "optimiser": torch.optim.Adam([torch.nn.Parameter(torch.ones(3))]).state_dict(), "function": torch.nn.functional.relu, "class": torch.nn.Linear,
}


@pytest.mark.parametrize("what", BESIDE)
def test_whatever_lies_beside_the_weights(tmp_path, what):
    content = {"opt": BESIDE[what], "g_ema": NAMES["rosinality"], "more": [BESIDE[what], {"x": BESIDE[what]}]}
    for name, options in (("zip.pt", {}), ("legacy.pt", {"_use_new_zipfile_serialization": False})):
        torch.save(content, tmp_path / name, **options)
        same(tmp_path / name)
    for protocol in (2, 4):
        (tmp_path / "x.pkl").write_bytes(snapshot({"extra": BESIDE[what]}, protocol))
        same(tmp_path / "x.pkl")


def snapshot(extra=(), protocol=4, attributes=None, module="torch_utils.persistence", key="G_ema"):
    """NVIDIA's pickle with other things in it. attributes: of the generator. module: where persistence is imported from."""
    def rebuild(meta):
        raise AssertionError("the stock reader was called")

    easy = type("EasyDict", (dict,), {})
    with modules(**{module.replace(".", "__"): {"_reconstruct_persistent_obj": rebuild}, "dnnlib__util": {"EasyDict": easy}}):
        Persistent.rebuild, Persistent.easy = staticmethod(rebuild), easy
        root = persistent(NAMES["nvidia"], TINY)
        root.content |= attributes or {}
        return pickle.dumps({"D": None, key: root, **dict(extra)}, protocol)


@pytest.mark.parametrize("module", ["torch_utils.persistence", "src.torch_utils.persistence", "stylegan2.torch_utils.persistence", "persistence"])
@pytest.mark.parametrize("key", ["G_ema", "G", "generator"])
def test_networks_of_other_places(tmp_path, module, key):
    (tmp_path / "x.pkl").write_bytes(snapshot(module=module, key=key, attributes={"device": torch.device("cpu"), "kwargs": functools.partial(dict, a=1)}))
    same(tmp_path / "x.pkl")


def test_discriminators_of_classes_we_have_not(tmp_path):
    critic = type("Critic", (torch.nn.Module,), {})
    options = type("Options", (dict,), {"__getattr__": dict.__getitem__})
    with modules(vision_module__cvmodel={"Critic": critic}, easydict={"Options": options}):
        made = critic()
        made.main, made.settings = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.LeakyReLU(0.2)), options(a=1)
        data = snapshot({"D": made, "opts": options(lr=0.1)})
        torch.save({"D": made, "g_ema": NAMES["rosinality"]}, tmp_path / "x.pt")
    (tmp_path / "x.pkl").write_bytes(data)
    same(tmp_path / "x.pkl")
    same(tmp_path / "x.pt")


@pytest.mark.parametrize("names", NAMES)
def test_modules_saved_whole(tmp_path, names):
    def tree(state, path=""):
        here = [name[len(path):] for name in state if name.startswith(path)]
        made = layer()
        for name in (name for name in here if "." not in name):
            made.register_buffer(name, state[path + name])
        for name in dict.fromkeys(name.split(".")[0] for name in here if "." in name):
            made.add_module(name, tree(state, f"{path}{name}."))
        return made

    layer = type("Layer", (torch.nn.Module,), {})
    with modules(model__parts={"Layer": layer}):
        made = tree(NAMES[names])
        for name, content in (("a.pt", made), ("b.pt", {"g_ema": made}), ("c.pt", torch.nn.DataParallel(made))):
            torch.save(content, tmp_path / name)
        torch.save(made, tmp_path / "d.pt", _use_new_zipfile_serialization=False)
        (tmp_path / "e.pkl").write_bytes(pickle.dumps({"G_ema": made}, 4))
        (tmp_path / "f.pkl").write_bytes(pickle.dumps(made, 2))
    for name in ("a.pt", "b.pt", "c.pt", "d.pt", "e.pkl", "f.pkl"):
        same(tmp_path / name)


def test_arrays_in_a_pickle(tmp_path):
    for protocol in range(6):
        (tmp_path / "x.pkl").write_bytes(pickle.dumps({name: tensor.numpy() for name, tensor in NAMES["nvidia"].items()}, protocol))
        same(tmp_path / "x.pkl")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions(tmp_path, dtype):
    torch.save({"g_ema": {name: tensor.to(dtype) for name, tensor in NAMES["rosinality"].items()}}, tmp_path / "a.pt")
    found = checkpoints.load(tmp_path / "a.pt").state_dict()
    assert all(torch.equal(found[name], tensor.to(dtype).float()) for name, tensor in ORIGINAL.state_dict().items() if name != "mapping.w_avg")


def test_zips_that_other_programs_packed(tmp_path):
    torch.save({"g_ema": NAMES["rosinality"]}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as whole:
        for i, (folder, compression) in enumerate((("x/y", zipfile.ZIP_STORED), ("archive", zipfile.ZIP_DEFLATED), ("", zipfile.ZIP_STORED))):
            with zipfile.ZipFile(tmp_path / f"{i}.pt", "w", compression) as other:
                for name in whole.namelist():
                    other.writestr(f"{folder}/{name.partition('/')[2]}".lstrip("/"), whole.read(name))
            same(tmp_path / f"{i}.pt")


@pytest.mark.parametrize("count, picked", [(1, [0, 0, 0]), (2, [0, 0, 0]), (4, [0, 1, 2])])
def test_other_numbers_of_colours(tmp_path, count, picked):
    for names in ("nvidia", "rosinality"):
        state = dict(NAMES[names])
        for name in state:
            if ("torgb" in name or "to_rgb" in name) and name.endswith((".weight", "b.bias", "1.bias", "0.bias")) and "affine" not in name and "modulation" not in name:
                axis = 1 if names == "rosinality" else 0
                state[name] = torch.randn_like(state[name]).repeat_interleave(2, axis).narrow(axis, 0, count)
        torch.save({"g_ema": state}, tmp_path / "a.pt")
        found = checkpoints.load(tmp_path / "a.pt")
        wanted = state["to_rgb1.conv.weight"][0] if names == "rosinality" else state["synthesis.b4.torgb.weight"]
        assert torch.equal(found.block(4).torgb.weight, wanted[picked])
        assert f"{count} channels" in checkpoints.inspect(tmp_path / "a.pt").notes[0]


@pytest.mark.parametrize("const", [(5, 3), (4, 7), (8, 4), (2, 2)])
def test_networks_that_are_not_square(tmp_path, const):
    original = network(replace(TINY, const_size=const))
    variables = {}
    for name, value in tensorflow_variables(original).items():
        for r in (4, 8, 16):
            name = name.replace(f"/{r}x{r}/", f"/{r * const[0] // 4}X{r * const[1] // 4}/")
        variables[name.replace("X", "x")] = value
    write_tensorflow(tmp_path / "tf.pkl", original, variables=variables, min_h=const[0], min_w=const[1], res_log2=2)
    write_nvlabs(tmp_path / "ada.pkl", original)
    torch.save({"g_ema": rosinality_state(original)}, tmp_path / "ros.pt")
    torch.save({"params_ema": basicsr_state(original)}, tmp_path / "basic.pth")
    torch.save({"state_dict": prefixed("generator_ema.", mmgeneration_state(original)), "meta": {}}, tmp_path / "mmgen.pth")
    torch.save({"generator_smooth": genforce_state(original)}, tmp_path / "genforce.pth")
    for name in ("tf.pkl", "ada.pkl", "ros.pt", "basic.pth", "mmgen.pth", "genforce.pth"):
        assert checkpoints.generator_hash(checkpoints.load(tmp_path / name)) == checkpoints.generator_hash(original)


@pytest.mark.parametrize("rows", [1, 6, 3])
def test_averages_per_layer(tmp_path, rows):
    centre = torch.randn(8)
    for i, each in enumerate((centre.repeat(rows, 1), torch.randn(rows, 8))):
        torch.save({"G_ema": NAMES["nvidia"] | {"mapping.w_avg": each}}, tmp_path / "a.pt")
        torch.save({"g_ema": NAMES["rosinality"], "latent_avg": each}, tmp_path / "b.pt")
        torch.save({"generator_smooth": NAMES["GenForce"] | {"truncation.w_avg": each}}, tmp_path / "c.pt")
        for name in ("a.pt", "b.pt", "c.pt"):
            assert torch.allclose(same(tmp_path / name).w_avg, each.mean(0), atol=1e-6)
            assert any("truncation centres" in note for note in checkpoints.inspect(tmp_path / name).notes) == (i == 1 and rows > 1)


def test_labels_beside_z_as_genforce_has_them(tmp_path):
    original = network(replace(TINY, c_dim=3, conditioning="concat", embed_dim=8))
    torch.save({"generator_smooth": genforce_state(original) | {"mapping.label_weight": original.state_dict()["mapping.label"]}}, tmp_path / "a.pth")
    assert checkpoints.generator_hash(checkpoints.load(tmp_path / "a.pth")) == checkpoints.generator_hash(original)


def test_what_a_refusal_advises_is_read(tmp_path):
    with modules(os_={"x": lambda: None}):
        data = snapshot().replace(b"collections", b"subprocess.")                # of the same length
    (tmp_path / "x.pkl").write_bytes(data)
    line = refused(tmp_path / "x.pkl", "torch.save({'g_ema': generator.state_dict()}, \"network.pt\")")
    assert "subprocess" in line
    torch.save({"g_ema": NAMES["nvidia"]}, tmp_path / "network.pt")
    same(tmp_path / "network.pt")
