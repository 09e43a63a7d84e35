"""Files that must not load: each is refused in one line that says what it is and what to do."""
import os
import random
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine import checkpoints
from engine.checkpoints import native
from engine.errors import UserError
from tests.engine.checkpoint_files import network, refused, rosinality_state, tensorflow_variables, write_nvlabs, write_rosinality, write_tensorflow

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol")
WHOLE = {"rosinality.pt": write_rosinality, "legacy.pt": lambda path, g: write_rosinality(path, g, legacy=True),
         "ada.pkl": write_nvlabs, "tensorflow.pkl": write_tensorflow, "ours.safetensors": native.save}


@pytest.mark.parametrize("content, words", [
    (b"", ["empty"]),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", ["git-lfs", "git lfs pull"]),
    (b"<!DOCTYPE html><html>quota exceeded</html>", ["web page"]),
    (b"\n  <html>", ["web page"]),
    (b"model_checkpoint_path: \"model.ckpt-1\"", ["TensorFlow checkpoint"]),
    (b"\x89HDF\r\n\x1a\n", ["Keras"]),
    (b"\x89PNG\r\n\x1a\n", ["picture"]),
    (b"hello, world", ["hello", ".safetensors"]),
    (b"\xfd7zXZ\0 and then nothing", ["compressed file is truncated"]),
    (b"\x1f\x8b\x08 and then nothing", ["compressed file is truncated"]),
    (b"PK\x03\x04 and then nothing", ["truncated"]),
    (b"\x80", ["truncated"]),
    (b"\x80\x04N.", ["no generator", "NoneType"]),
    (struct.pack("<Q", 12) + b'{"a":"nope"}', ["safetensors"]),
], ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else "")
def test_files_that_are_something_else(tmp_path, content, words):
    path = tmp_path / "network.pkl"
    path.write_bytes(content)
    refused(path, *[word.replace("no generator", "without a generator") for word in words])


def test_paths_that_are_no_files(tmp_path):
    refused(tmp_path / "nowhere.pt", "no such file")
    refused(tmp_path, "a folder")
    (tmp_path / "model.ckpt-100.index").write_bytes(b"x")
    refused(tmp_path, "TensorFlow checkpoint folder")
    refused(tmp_path / "model.ckpt-100.index", "one part of a TensorFlow checkpoint")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        refused(tmp_path / "pipe", "not a file")


def test_other_archives(tmp_path):
    for name, inside, word in (("a.zip", "network.pkl", "unpack it"), ("b.pt", "model/code/x.py", "unpack it")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(inside, b"x")
        refused(tmp_path / name, word)
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "c.pt"))
    refused(tmp_path / "c.pt", "TorchScript")


def saved(path, content):
    torch.save(content, path)
    return path


def test_other_torch_files(tmp_path):
    path, state = tmp_path / "x.pt", rosinality_state(network())
    refused(saved(path, [1, 2]), "list", "g_ema")
    refused(saved(path, {"model": {"a": torch.zeros(1)}}), "found model")
    refused(saved(path, {"g_ema": {"module.input.input": torch.zeros(1, 8, 4, 4)}}), "g_ema.input.input", "synthesis.b4.const")
    refused(saved(path, {"g_ema": {}}), "found g_ema")
    wavelet = OrderedDict((name, tensor.repeat(1, 4, 1, 1, 1) if "rgb" in name and name.endswith("conv.weight") else tensor)
                          for name, tensor in state.items())
    refused(saved(path, {"g_ema": wavelet | {"to_rgb1.iwt.ll": torch.zeros(2, 2)}}), "SWAGAN")
    refused(saved(path, {"g_ema": state | {"convs.0.spare": torch.zeros(1)}}), "convs.0.spare", "another network")
    refused(saved(path, {"g_ema": state | {"convs.0.conv.blur.kernel": torch.ones(3, 3)}}), "resampling kernel")
    refused(saved(path, {"g_ema": state | {"style.1.weight": "text"}}), "mapping.fc0.weight is missing")
    refused(saved(path, {"g_ema": state | {"style.1.weight": torch.zeros(8, 8, dtype=torch.int64)}}), "floating-point")
    refused(saved(path, {"g_ema": state | {"convs.9.conv.weight": torch.zeros(1, 4, 4, 3, 3)}}), "4, 8, 16")
    for name in ("conv1.conv.weight", "style.2.weight", "convs.1.activate.bias", "to_rgbs.0.conv.weight", "convs.2.noise.weight"):
        refused(saved(path, {"g_ema": OrderedDict((key, value) for key, value in state.items() if key != name)}))
    for name in ("convs.1.conv.weight", "style.2.bias", "noises.noise_1", "to_rgb1.bias", "input.input"):
        refused(saved(path, {"g_ema": state | {name: torch.zeros(2, 3)}}))
    refused(saved(path, {"g_ema": state | {"input.input": torch.zeros(1, 0, 4, 4)}}))
    refused(saved(path, {"g_ema": state | {"style.1.weight": torch.zeros(1).expand(1 << 20, 1 << 20)}}), "beyond")


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_collapsed_networks(tmp_path, name, number):
    broken = network()
    broken.weights("b8.conv0")[1, 2, 0, 1] = number
    refused(WHOLE[name](tmp_path / name, broken), "synthesis.b8.conv0.weight", "NaN", "earlier checkpoint")


@pytest.mark.parametrize("name", WHOLE)
def test_truncated_files(tmp_path, name):
    path = WHOLE[name](tmp_path / name, network())
    whole = path.read_bytes()
    for part in (0.01, 0.1, 0.3, 0.5, 0.8, 0.99):
        path.write_bytes(whole[:int(len(whole) * part)])
        refused(path)


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_files_load_or_are_refused(tmp_path, name):
    path = WHOLE[name](tmp_path / name, network())
    whole, chance = path.read_bytes(), random.Random(1)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 5))):
            damaged[chance.randrange(min(len(whole), chance.choice((200, 1 << 30))))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            checkpoints.load(path)
        except UserError as error:
            assert "\n" not in str(error)


def test_other_nvidia_networks(tmp_path):
    path, original = tmp_path / "x.pkl", network()
    refused(write_nvlabs(path, original, extra={"synthesis.input.freqs": torch.zeros(4, 2)}), "StyleGAN3")
    refused(write_nvlabs(path, original, keys=("D",)), "without a generator", "D")
    refused(write_nvlabs(path, original, extra={"synthesis.b16.conv1.resample_filter": torch.ones(2, 2)}), "resampling kernel")
    refused(write_nvlabs(path, original, extra={"synthesis.b16.spare.weight": torch.ones(2, 2)}), "spare")
    grey = {"synthesis.b16.torgb.weight": torch.ones(1, 4, 1, 1)}
    refused(write_nvlabs(path, original, extra=grey), "pictures of 1, 3 channels")


def test_other_tensorflow_networks(tmp_path):
    path, original = tmp_path / "x.pkl", network()
    for version in (2, 3, 6, None, []):
        refused(write_tensorflow(path, original, version), "version", "StyleGAN1")
    old = {name: value for name, value in tensorflow_variables(original).items() if "mod_" not in name}
    refused(write_tensorflow(path, original, variables=old), "configurations a to d")
    odd = tensorflow_variables(original) | {"synthesis/8x8/Spare/weight": np.zeros((2, 2), np.float32)}
    refused(write_tensorflow(path, original, variables=odd), "Spare")


def test_other_safetensors(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"lora": torch.zeros(2)}, path)
    refused(path, "without a generator of StyleGAN2", "lora")
    save_file({"weight": torch.zeros(2)}, path, {"format": "latent-jockey edit", "schema": "1"})
    refused(path, "latent-jockey edit", "not a generator")
    tensors = {name: tensor.contiguous() for name, tensor in network().state_dict().items()}
    for header, word in (({"schema": "99"}, "schema version 99"), ({"schema": "1", "architecture": "{"}, "damaged"),
                         ({"schema": "1"}, "damaged"), ({"schema": "1", "architecture": "[]"}, "damaged"),
                         ({"schema": "1", "architecture": '{"resolution": 48, "channels": {}, "const_size": [4, 4]}'}, "resolution 48"),
                         ({"schema": "1", "architecture": '{"channels": {}, "const_size": [4, 4], "spare": 1}'}, "spare")):
        save_file(tensors, path, {"format": native.FORMAT} | header)
        refused(path, word)
