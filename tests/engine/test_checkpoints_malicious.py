"""Malicious checkpoints: whatever a pickle contains, nothing in it runs, and reading it can't exhaust the machine."""
import io
import os
import pickle
import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch

from engine import checkpoints
from engine.checkpoints import unpickler
from engine.errors import UserError
from tests.engine.checkpoint_files import modules, network, refused, rosinality_state, write_nvlabs

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol")


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def payloads(mark):
    """What has been tried on readers of pickles; each would create the file `mark`."""
    command = f"touch {mark}"
    nested = io.BytesIO()
    torch.save({"g_ema": Call(os.system, command)}, nested)
    return {
        "os.system": Call(os.system, command),
        "eval": Call(eval, f"open({str(mark)!r}, 'w')"),
        "exec": Call(exec, f"open({str(mark)!r}, 'w')"),
        "getattr chain": Call(getattr, Call(__import__, "os"), "system"),
        "open": Call(open, str(mark), "w"),
        "nested torch file": Call(torch.storage._load_from_bytes, nested.getvalue()),
        "nested pickle": Call(torch.storage._load_from_bytes, pickle.dumps(Call(os.system, command))),
        "nested loads": Call(pickle.loads, pickle.dumps(Call(os.system, command))),
        "object array": np.array([Call(os.system, command)], dtype=object),
        "record array": np.zeros(2, dtype=[("a", "f4"), ("b", "O")]),
        "torch internals": Call(torch.load, str(mark)),
        "dtype": Call(np.dtype, "O"),
        "codec": Call(__import__("_codecs").encode, "x", "rot13"),
        "tensor out of bounds": Call(torch._utils._rebuild_tensor_v2, torch.zeros(2).__reduce_ex__(2)[1][0], 0, (1 << 40,), (1,), False, OrderedDict()),
        "tensor without storage": Call(torch._utils._rebuild_tensor_v2, "x", 0, (1,), (1,), False, OrderedDict()),
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", payloads("x"))
def test_nothing_in_a_pickle_runs(tmp_path, name, protocol):
    mark = tmp_path / "mark"
    for i, content in enumerate((payloads(mark)[name], {"G_ema": payloads(mark)[name]}, (0, 1, [payloads(mark)[name]]))):
        path = tmp_path / f"{i}.pkl"
        path.write_bytes(pickle.dumps(content, protocol))
        refused(path)
    assert not mark.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_nothing_in_a_torch_file_runs(tmp_path, legacy):
    mark = tmp_path / "mark"
    for name, payload in payloads(mark).items():
        path = tmp_path / "x.pt"
        torch.save({"g_ema": rosinality_state(network()), "args": payload}, path, _use_new_zipfile_serialization=not legacy)
        try:
            checkpoints.load(path)
        except UserError as error:
            assert "\n" not in str(error)
        assert not mark.exists(), name
    path = tmp_path / "y.pt"
    torch.save({"g_ema": Call(os.system, f"touch {mark}")}, path)
    refused(path, "refused", "system", "plain tensors", "torch.save")


def test_a_refusal_says_what_was_asked_for(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(Call(os.system, "true")))
    refused(path, "refused", "system", "plain tensors")


def contents_of(thing, depth=2):
    """Names of the attributes of a module, of what is in it and in that."""
    own = vars(thing) if hasattr(thing, "__dict__") else {}
    return {name: contents_of(value, depth - 1) if depth else None for name, value in own.items()}


@pytest.mark.parametrize("name", ["torch_utils.persistence", "dnnlib.tflib.network", "collections", "numpy"])
def test_a_pickle_cant_alter_what_reads_it(tmp_path, name):
    """BUILD on the stand-ins themselves, with a plain and with a slot state."""
    member = {"torch_utils.persistence": "_reconstruct_persistent_obj", "dnnlib.tflib.network": "Network", "collections": "OrderedDict",
              "numpy": "dtype"}
    before = contents_of(unpickler)
    for state in (b"}(X\x0c\x00\x00\x00__setstate__c__builtin__\nset\nu", b"N}(X\x0c\x00\x00\x00__setstate__c__builtin__\nset\nu\x86"):
        path = tmp_path / "x.pkl"
        path.write_bytes(b"\x80\x02c" + name.encode() + b"\n" + member[name].encode() + b"\n" + state + b"b.")
        refused(path)
    assert contents_of(unpickler) == before
    checkpoints.load(write_nvlabs(tmp_path / "y.pkl", network()))


@pytest.mark.parametrize("content, word", [
    (b"\x80\x04Nr\xff\xff\xff\x7f.", "without a generator"),            # a memo of 2^31 entries
    (b"\x80\x02N" + b"\x85" * 40_000 + b"}q\x00(h\x00Nu.", "without a generator"),
    (b"\x80\x02)" + b"\x85" * 300_000 + b".", "without a generator"),   # hashing it would overflow the stack
    (b"\x80\x02" + b"]" * 3_000_000 + b".", "far more parts"),
    (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x00x.", "damaged"),     # bytes of 2^56
    (b"\x80\x02P1\n.", "damaged"),                                      # persistent id
    (b"\x80\x02\x82\x01.", "damaged"),                                  # extension registry
], ids=["memo", "dict", "tuples", "lists", "bytes", "persistent", "extension"])
def test_pickles_that_would_exhaust_the_machine(tmp_path, content, word):
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    refused(path, word)


def test_modules_within_modules_are_limited(tmp_path):
    def rebuild(meta):
        raise AssertionError

    class Nested:
        def __init__(self, inside, count=1):
            self.inside, self.count = inside, count

        def __reduce__(self):
            children = OrderedDict((str(i), self.inside) for i in range(self.count)) if self.inside else {}
            return rebuild, ({"type": "class", "class_name": "Generator", "state": {"_modules": children}},)

    deep, wide = None, None
    for _ in range(30):
        deep, wide = Nested(deep), Nested(wide, 10)                     # 10 ^ 30 modules in a few kB
    with modules(torch_utils__persistence={"_reconstruct_persistent_obj": rebuild}):
        contents = [pickle.dumps({"G_ema": nested}) for nested in (deep, wide)]
    for content in contents:
        path = tmp_path / "x.pkl"
        path.write_bytes(content)
        refused(path, "nested beyond")


def test_the_modules_named_in_pickles_are_never_imported(tmp_path):
    (tmp_path / "dnnlib").mkdir()
    (tmp_path / "dnnlib" / "__init__.py").write_text("raise SystemExit('imported')")
    path = write_nvlabs(tmp_path / "x.pkl", network())
    sys.path.insert(0, str(tmp_path))
    try:
        checkpoints.load(path)
    finally:
        sys.path.remove(str(tmp_path))
    assert "dnnlib" not in sys.modules
