"""Threads and devices: what a process may use, and what a start must not cost."""
import os
import pathlib
import subprocess
import sys

import pytest
import torch

from engine import device
from engine.errors import UserError

ROOT = pathlib.Path(__file__).parents[2]
START = """
import os, sys
import run_live
from live.instrument.open import open_instrument
policy = os.environ["OMP_WAIT_POLICY"], os.environ.get("GOMP_SPINCOUNT")
opened = open_instrument(sys.argv[1], 32)
opened.instrument.warm_up(opened.scene)
print(*policy, "torch._dynamo" in sys.modules, "sympy" in sys.modules)
"""


@pytest.mark.parametrize("text, most", [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 64), ("", 64), ("what", 64)])
def test_no_more_threads_than_the_container_may_run(tmp_path, monkeypatch, text, most):
    monkeypatch.setattr(device, "FROM_START", 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    (tmp_path / "cpu.max").write_text(text)
    assert device.cores(tmp_path / "cpu.max") == most
    assert device.cores(tmp_path / "missing") == 64
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 9}, raising=False)
    assert device.cores(tmp_path / "cpu.max") == min(most, 3)


def test_threads_asked_for_are_used():
    device.use_threads(2)
    try:
        assert torch.get_num_threads() == 2
        device.use_threads()
        assert torch.get_num_threads() == device.cores()
    finally:
        torch.set_num_threads(1)


def test_a_device_that_is_not_there():
    with pytest.raises(UserError, match="toaster"):
        device.choose("toaster")


def start(path, **environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run([sys.executable, "-c", START, str(path)], cwd=ROOT, env=clean | {"OMP_NUM_THREADS": "1"} | environment,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_start_imports_no_compiler_and_lets_waiting_threads_sleep_soon():
    assert start("presets/masks") == ["passive", "1000", "False", "False"]
    assert start("presets/masks", OMP_WAIT_POLICY="active")[:2] == ["active", "None"]


class Apples:
    """A tensor on a device without float64."""

    device = torch.device("mps")

    def cpu(self):
        return torch.ones(2)

    def double(self):
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64.")


def test_where_there_is_no_float64_it_is_computed_by_the_processor():
    assert device.to_double(Apples()).dtype == torch.float64
    assert device.to_double(torch.ones(2)).dtype == torch.float64


def test_nothing_in_the_engine_asks_a_device_for_float64_by_itself():
    """On Apple's it would crash: to_double() knows."""
    import ast
    import pathlib

    for path in sorted((pathlib.Path(__file__).parents[2] / "engine").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "double":
                asked = ast.unparse(node.func.value)
                assert path.name == "device.py" or asked.endswith(".cpu()") or asked.startswith("rows[0]") or path.parent.name == "checkpoints", f"{path}:{node.lineno}"
            if isinstance(node, ast.Call) and any(k.arg == "device" for k in node.keywords):
                assert not any(k.arg == "dtype" and ast.unparse(k.value) == "torch.float64" for k in node.keywords), f"{path}:{node.lineno}"


def test_a_render_has_cudnn_repeat_itself(monkeypatch):
    """Flags that a processor ignores, so that they can be looked at here."""
    import run_live

    for flag, before in (("deterministic", False), ("benchmark", True)):
        monkeypatch.setattr(torch.backends.cudnn, flag, before)
    assert run_live.main(["render", "no-such-take"]) == 2
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (True, False)


def test_apples_gpu_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.choose() == torch.device("cpu")


def test_pairs_for_an_encoder_elsewhere_are_the_same_pictures(generator):
    from engine.encoder import Encoder
    from engine.encoder.pairs import Elsewhere, Own, elsewhere, loss_size

    plan = Encoder.fresh(generator, "b16.conv1", size=(32, 32)).plan
    own = Own(generator, plan, loss_size(generator, plan, None))
    assert elsewhere(own, "cpu") is own
    there = Elsewhere(own, generator)
    assert all(torch.equal(getattr(there.batch(2, 1), name), getattr(own.batch(2, 1), name)) for name in ("seen", "target", "features", "whole", "ws", "own"))
    moved = elsewhere(own, "meta")
    assert moved.generator.device.type == "meta" and generator.device.type == "cpu" and moved.plan is plan and moved.size == own.size
    assert moved.batch(2, 1).seen.device.type == "meta"
