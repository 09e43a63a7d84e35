"""Small files made to hang, blow up or mislead what reads weights: one line each, at a cost that is counted; damage is told."""
import gzip
import io
import json
import lzma
import random
import struct
import tracemalloc
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from engine import checkpoints, encoder, rewriting
from engine.checkpoints import native
from engine.encoder.plan import make_plan
from engine.errors import UserError
from engine.rewriting import edit as edits
from tests.engine.checkpoint_files import network, nvlabs_state, refused, write_nvlabs, write_rosinality, write_tensorflow

NETWORK = network()
MANY = 399_000


def text(words):
    return b"X" + struct.pack("<I", len(words)) + words.encode()


def zipped(pickled, entries=(), compression=zipfile.ZIP_STORED):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", compression) as archive:
        for name, data in (("a/data.pkl", pickled), ("a/version", b"3\n"), *entries):
            archive.writestr(name, data)
    return raw.getvalue()


STORAGE = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x04tQ"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
DOUBLED = b"]q\x00K\x01aK\x01a0" + b"".join(b"]q" + bytes([k]) + (b"h" + bytes([k - 1]) + b"a") * 2 + b"0" for k in range(1, 40)) + b"h\x27"
ENDLESS = {                                                         # values of 2^40 and more parts when written out
    "class name": b"c torch_utils.persistence\n_reconstruct_persistent_obj\n".replace(b"c ", b"c") + b"}(" + text("type") + text("class") + text("state") + b"}"
                  + text("class_name") + DOUBLED + b"u\x85R",
    "codec": b"c_codecs\nencode\n" + text("a") + DOUBLED + b"\x86R", "dtype": b"cnumpy\ndtype\n" + DOUBLED + b"\x85R", "key": b"}" + DOUBLED + b"Ns",
    "size": REBUILD + b"(N" + DOUBLED + DOUBLED + DOUBLED + b"tR", "table": b"ccollections\nOrderedDict\n" + DOUBLED + b"\x85R",
    "settings": b"cdnnlib.tflib.network\nNetwork\n)\x81}(" + text("version") + b"K\x05" + text("static_kwargs") + b"}" + text("nonlinearity") + DOUBLED + b"sub",
    "version": b"cdnnlib.tflib.network\nNetwork\n)\x81}(" + text("version") + DOUBLED + text("variables") + b"]ub",
}
BOMBS = {
    "records.pkl": b"\x80\x04]cfoo\nBar\nq\x00(" + b"h\x00)R" * (MANY // 3) + b"e.",
    "names.pkl": b"\x80\x04](" + b"cfoo\nBar\n" * MANY + b"e.",
    "copies.pkl": b"\x80\x04cbuiltins\nset\nq\x00]q\x01(" + b"N" * 100_000 + b"e0" + b"h\x00h\x01\x85R0" * 60_000 + b"N.",
    "texts.pkl": b"\x80\x04c_codecs\nencode\nq\x00X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x010" + (b"h\x00h\x01" + text("latin1") + b"\x86R0") * 9_000 + b"N.",
    "number.pkl": b"\x80\x04}\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b"Ns.",
    "frame.pkl": b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "bytes.pkl": b"\x80\x05\x96" + b"\xff" * 7 + b"\x0fN.", "line.pkl": b"\x80\x02c" + b"a" * (1 << 20),
    "dag.pkl": b"\x80\x04}q\x00" + b"".join(b"}(" + text("a") + b"h" + bytes([i]) + text("b") + b"h" + bytes([i]) + b"uq" + bytes([i + 1]) for i in range(100)) + b".",
    "tensors.pt": zipped(b"\x80\x02]" + REBUILD + b"q\x00" + STORAGE + b"q\x01(" + b"h\x00(h\x01K\x00K\x02\x85K\x01\x85\x89NtR" * 24_000 + b"e.", [("a/data/0", b"\0" * 16)]),
    "deflated.pt": zipped(b"\x80\x02}" + text("g_ema") + STORAGE + b"s.", [("a/data/0", b"\0" * (1 << 26))], zipfile.ZIP_DEFLATED),
    "deflated pickle.pt": zipped(b"\x80\x02" + b"N0" * (1 << 24) + b"N.", (), zipfile.ZIP_DEFLATED),
    "gzip.pkl": gzip.compress(b"\x80\x04" + b"\0" * (1 << 26)), "xz.pkl": lzma.compress(b"\x80\x04" + b"\0" * (1 << 26)),
    "header.safetensors": struct.pack("<Q", 1 << 24) + b"{" + b" " * (1 << 24),
    "deep header.safetensors": struct.pack("<Q", 1 << 18) + (b'{"__metadata__":' + b"[" * (1 << 18))[:1 << 18],
    **{f"endless {name}.pkl": b"\x80\x04}" + text("G_ema") + value + b"s." for name, value in ENDLESS.items()},
    **{f"endless {name} by itself.pkl": b"\x80\x04" + value + b"." for name, value in ENDLESS.items()},
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_within_a_budget(tmp_path, name):
    (tmp_path / name).write_bytes(BOMBS[name])
    tracemalloc.start()
    try:
        refused(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


def test_tensors_larger_than_their_file(tmp_path):
    state = {name: tensor[:1, :1, :1, :1].expand(tensor.shape) if tensor.ndim == 4 else tensor
             for name, tensor in nvlabs_state(network()).items()}
    state |= {"synthesis.b4.const": torch.zeros(1).expand(6, 2048, 2048)}
    torch.save(state, tmp_path / "x.pt")
    refused(tmp_path / "x.pt")


def kinds(folder):
    """{file: what reads it} of everything that holds weights."""
    edit = rewriting.Edit("x", "b8.conv1", torch.ones(1, 5), torch.ones(1, 5, 3, 3))
    edits.save(folder / "edit.safetensors", edit)
    encoder.save(folder / "encoder.safetensors", encoder.Encoder(make_plan(NETWORK, "b8.conv1", width=8)))
    save_file({name: tensor.contiguous().clone() for name, tensor in nvlabs_state(NETWORK).items()}, folder / "plain.safetensors")
    networks = [write_rosinality(folder / "zip.pt", NETWORK, training=True), write_rosinality(folder / "legacy.pt", NETWORK, legacy=True),
                write_nvlabs(folder / "ada.pkl", NETWORK), write_nvlabs(folder / "ada 2.pkl", NETWORK, protocol=2), write_tensorflow(folder / "tf.pkl", NETWORK),
                native.save(folder / "ours.safetensors", NETWORK), folder / "plain.safetensors"]
    return dict.fromkeys(networks, checkpoints.load) | {folder / "edit.safetensors": edits.load,
                                                            folder / "encoder.safetensors": lambda path: encoder.load(path, NETWORK)}


def mutated(whole, chance):
    """The bytes with something wrong: flipped, cut, repeated, left out, or with a number that lies."""
    raw, hot = bytearray(whole), min(len(whole), chance.choice((64, 600, 5000, 1 << 30)))
    at, how = chance.randrange(hot), chance.randrange(6)
    if how == 0:
        return raw[:at]
    if how == 1:
        del raw[at:at + chance.randrange(1, 40)]
    elif how == 2:
        raw[at:at] = whole[at // 2:at // 2 + chance.randrange(200)]
    elif how == 3:
        raw[at:at + 8] = chance.choice((b"\xff" * 8, b"\0" * 8, struct.pack("<Q", 1 << 62), struct.pack("<Q", 1 << 31)))
    else:
        for _ in range(chance.choice((1, 2, 8))):
            raw[chance.randrange(hot)] = chance.randrange(256)
    return raw


def test_mutated_files_load_or_are_refused_in_one_line(tmp_path):
    chance = random.Random(7)
    for path, load in kinds(tmp_path).items():
        load(path)
        other = tmp_path / f"mutated{path.suffix}"
        for _ in range(40):
            other.write_bytes(mutated(path.read_bytes(), chance))
            try:
                load(other)
            except UserError as error:
                assert "\n" not in str(error) and len(str(error)) < 600


@pytest.mark.parametrize("name", ["zip.pt", "ours.safetensors", "edit.safetensors", "encoder.safetensors"])
def test_damaged_numbers_are_told(tmp_path, name):
    path, load = next((path, load) for path, load in kinds(tmp_path).items() if path.name == name)
    whole, chance, taken = path.read_bytes(), random.Random(3), 0
    start = len(whole) // 2 if name == "zip.pt" else 8 + struct.unpack("<Q", whole[:8])[0]
    for _ in range(30):
        raw, at = bytearray(whole), chance.randrange(start, len(whole) - (2500 if name == "zip.pt" else 4))
        raw[at] ^= 1 << chance.randrange(8)
        path.write_bytes(raw)
        try:
            load(path)
            taken += 1
        except UserError as error:
            assert "again" in str(error) and "\n" not in str(error)
    assert taken <= (20 if name == "zip.pt" else 0)                 # a training file has numbers that no network needs, and gaps


def test_files_of_ours_without_a_digest_are_held_to_their_hash(tmp_path):
    tensors = {name: tensor.contiguous() for name, tensor in NETWORK.state_dict().items()}
    native.save(tmp_path / "x.safetensors", NETWORK, "float32")
    raw = (tmp_path / "x.safetensors").read_bytes()
    header = json.loads(raw[8:8 + struct.unpack("<Q", raw[:8])[0]])["__metadata__"]
    del header["digest"]
    save_file(tensors, tmp_path / "x.safetensors", header)
    checkpoints.load(tmp_path / "x.safetensors")
    save_file(tensors | {"synthesis.b4.const": tensors["synthesis.b4.const"] + 1}, tmp_path / "x.safetensors", header)
    refused(tmp_path / "x.safetensors", "damaged", "again")


WRONG = {"generator": {"z_dim": [1.5, "8", [], None, True, 0, -1, 1 << 62], "w_dim": [None, 1 << 62], "mapping_layers": ["3", 1000, 0], "const_size": [[4], 4, [4, 0], [8192, 8192], "44"],
                       "channels": [[1, 2], {"4": "x"}, {"4": 1 << 40}, {"x": 1}, 3], "conv_clamp": [[], "1", -1, True], "kind": [[], 3, "x"],
                       "conditioning": [[], "x"], "noise": [None, 3], "resolution": ["16", 17, 1 << 40, []], "embed_dim": ["x"]},
         "encoder": {"layer": [{}, 3, None, "b99.conv9"], "channels": ["x", 0, 1 << 62, None], "features": [[8], 8, ["a", "b"], [0, 8], [1 << 60, 8]],
                     "size": [None, [64, 1.5], [1 << 40, 64]], "preset": [[], "x", 3], "generator": [3, []], "width": [0, "x", 1 << 40]}}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_kinds_in_metadata(tmp_path, kind):
    native.save(tmp_path / "generator.safetensors", NETWORK)
    encoder.save(tmp_path / "encoder.safetensors", encoder.Encoder(make_plan(NETWORK, "b8.conv1", width=8)))
    path, entry = tmp_path / f"{kind}.safetensors", {"generator": "architecture", "encoder": "plan"}[kind]
    load = checkpoints.load if kind == "generator" else lambda path: encoder.load(path, NETWORK)
    raw = path.read_bytes()
    length, = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    right = json.loads(header["__metadata__"][entry])
    values = [json.dumps(right | {name: value}) for name, wrong in WRONG[kind].items() for value in wrong]
    for value in (*values, "[" * 100_000, "[]", "null", "{}", "", "{" * 50, json.dumps(right | {"spare": 1})):
        header["__metadata__"][entry] = value
        there = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(there)) + there + raw[8 + length:])
        with pytest.raises(UserError) as caught:
            load(path)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
