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
