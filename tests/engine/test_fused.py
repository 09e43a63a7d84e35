"""What follows a convolution in one pass: torch's own way against float64, the kernel against torch's own way."""
import itertools
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from engine.fast import fused

ROOT = pathlib.Path(__file__).parents[2]
CASES = list(itertools.product((False, True), (False, True), (None, 0.7), (torch.channels_last, torch.contiguous_format)))


def case(scaled, noisy, layout, kind=torch.float32, device="cpu"):
    random = torch.Generator().manual_seed(3)
    draw = lambda *shape: torch.randn(*shape, generator=random).to(device)
    y = draw(1, 5, 9, 31).to(kind).contiguous(memory_format=layout)
    return y, draw(5).exp() if scaled else None, draw(5), draw(9, 31) if noisy else None, torch.tensor(0.3, device=device) if noisy else None


def expected(y, scale, bias, noise, strength, bound):
    y = y.double().cpu().numpy()
    y = y * (scale.double().cpu().numpy()[None, :, None, None] if scale is not None else 1) + bias.double().cpu().numpy()[None, :, None, None]
    y = y + noise.double().cpu().numpy() * float(strength) if noise is not None else y
    y = np.where(y < 0, 0.2 * y, y)
    return y if bound is None else np.clip(y, -bound, bound)


def check(function, kinds=((torch.float32, 1e-6), (torch.float16, 2e-2)), device="cpu"):
    for (scaled, noisy, bound, layout), (kind, close) in itertools.product(CASES, kinds):
        given = case(scaled, noisy, layout, kind, device)
        wanted = expected(*given, bound)
        found = function(*given, bound)
        assert found.data_ptr() == given[0].data_ptr() and found.dtype == kind
        assert np.abs(found.double().cpu().numpy() - wanted).max() < close


def test_torchs_own_way():
    check(fused.unfused, kinds=((torch.float32, 1e-6),))


def test_without_a_gpu_it_is_torchs_own_way():
    assert fused.bias_noise_act_for("cpu") is fused.unfused


@pytest.mark.parametrize("error", [RuntimeError("Failed to find C compiler. Please specify via CC environment variable."), FileNotFoundError("gcc"),
                                   subprocess.CalledProcessError(1, "gcc"), RuntimeError("")])
def test_a_kernel_that_cannot_be_built_is_told_of_and_played_without(monkeypatch, caplog, error):
    """A fresh Ubuntu has neither a compiler nor Python.h."""
    def launched(*_):
        raise error

    monkeypatch.setattr(fused, "triton", object())
    monkeypatch.setattr(fused, "bias_noise_act", launched)
    monkeypatch.setattr(torch, "zeros", lambda *shape, device=None, zeros=torch.zeros: zeros(*shape))
    fused._is_built.cache_clear()
    assert fused.bias_noise_act_for("cuda") is fused.unfused and fused.bias_noise_act_for("cuda") is fused.unfused
    assert len(caplog.records) == 1 and "sudo apt install build-essential python3-dev" in caplog.text
    fused._is_built.cache_clear()


def test_the_kernel_in_tritons_interpreter():
    """In a process of its own, for Triton looks at the environment when it is imported."""
    pytest.importorskip("triton")
    done = subprocess.run([sys.executable, "-c", "from tests.engine import test_fused as t; t.check(t.fused.bias_noise_act); print('same')"],
                          cwd=ROOT, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "same", done.stderr


@pytest.mark.skipif(not torch.cuda.is_available() or fused.triton is None, reason="needs a CUDA GPU and Triton")
def test_the_kernel_on_a_gpu():
    assert fused.bias_noise_act_for("cuda") is fused.bias_noise_act
    check(fused.bias_noise_act, device="cuda")
