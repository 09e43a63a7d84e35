"""What lies between convolutions on a GPU: torch's own operations against float64, Triton's kernels against torch's own.

The kernels run in Triton's interpreter, in a process of its own, for Triton looks at the environment when it is imported;
and they are compiled for cards that nobody here has.
"""
import itertools
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.fast import operations, unfused
from engine.generator import fir, upsample

ROOT = pathlib.Path(__file__).parents[2]
CASES = list(itertools.product((False, True), (False, True), (None, 0.7), (torch.channels_last, torch.contiguous_format)))
KINDS = ((torch.float32, 1e-5), (torch.float16, 2e-2))
LAST = torch.channels_last


def randoms(device="cpu"):
    random = torch.Generator().manual_seed(3)
    return lambda *shape: torch.randn(*shape, generator=random).to(device)


def case(scaled, noisy, layout, kind=torch.float32, device="cpu"):
    draw = randoms(device)
    y = draw(1, 5, 9, 31).to(kind).contiguous(memory_format=layout)
    return y, draw(5).exp() if scaled else None, draw(5), draw(9, 31) if noisy else None, torch.tensor(0.3, device=device) if noisy else None


def expected(y, scale, bias, noise, strength, bound):
    y = y.double().cpu().numpy()
    y = y * (scale.double().cpu().numpy()[None, :, None, None] if scale is not None else 1) + bias.double().cpu().numpy()[None, :, None, None]
    y = y + noise.double().cpu().numpy() * float(strength) if noise is not None else y
    y = np.where(y < 0, 0.2 * y, y)
    return y if bound is None else np.clip(y, -bound, bound)


def check_act(module, device="cpu", kinds=KINDS):
    for (scaled, noisy, bound, layout), (kind, close) in itertools.product(CASES, kinds):
        given = case(scaled, noisy, layout, kind, device)
        wanted = expected(*given, bound)
        found = module.bias_noise_act(*given, bound)
        assert found.data_ptr() == given[0].data_ptr() and found.dtype == kind
        assert np.abs(found.double().cpu().numpy() - wanted).max() < close


def check_fir(module, device="cpu", kinds=KINDS):
    for (kind, close), (height, width), channels, (noisy, bound), layout in itertools.product(
            kinds, ((4, 4), (8, 6), (2, 16)), (4, 5, 32), ((False, None), (True, 1.5)), (LAST, torch.contiguous_format)):
        draw = randoms(device)
        y = draw(1, channels, height + 1, width + 1).to(kind).contiguous(memory_format=layout)
        bias, noise, strength = draw(channels), draw(height, width) if noisy else None, torch.tensor(0.3, device=device) if noisy else None
        under = F.conv2d(y.double().cpu(), fir(4).double().expand(channels, 1, 4, 4), padding=1, groups=channels)
        wanted = expected(under, None, bias, noise, strength, bound)
        found = module.fir_act(y, bias, noise, strength, bound)
        assert found.dtype == kind and found.shape == (1, channels, height, width)
        assert np.abs(found.double().cpu().numpy() - wanted).max() < close


def check_modulate(module, device="cpu", kinds=((torch.float32, 1e-5), (torch.float16, 2e-3))):
    for (kind, close), (outputs, inputs), up, layout in itertools.product(
            kinds, ((8, 8), (33, 65), (16, 24), (4, 130)), (False, True), (LAST, torch.contiguous_format)):
        draw = randoms(device)
        weight, styles = draw(outputs, inputs, 3, 3).contiguous(memory_format=layout), draw(inputs) + 1
        energy = weight.square().sum((2, 3))
        wide = weight.double() * styles.double().view(1, -1, 1, 1)
        wanted = wide * torch.rsqrt(wide.square().sum((1, 2, 3), keepdim=True) + 1e-8) * 1.5
        found = module.modulate(weight, energy, styles, 1.5, kind, up)
        assert found.dtype == kind and found.shape == ((inputs, outputs, 3, 3) if up else weight.shape)
        assert ((found.transpose(0, 1) if up else found).double() - wanted).abs().max() < close


def check_rgb(module, device="cpu", kinds=KINDS):
    for (kind, close), (height, width), channels, bound, has_picture, layout in itertools.product(
            kinds, ((8, 8), (4, 12)), (4, 24, 130), (None, 0.8), (False, True), (LAST, torch.contiguous_format)):
        draw = randoms(device)
        x, weight, bias = draw(1, channels, height, width).to(kind).contiguous(memory_format=layout), draw(3, channels) / channels ** 0.5, draw(3)
        picture = draw(1, 3, height // 2, width // 2).contiguous(memory_format=layout) if has_picture else None
        wanted = F.conv2d(x.double(), weight[:, :, None, None].double()) + bias.double().view(1, 3, 1, 1)
        wanted = wanted if bound is None else wanted.clamp(-bound, bound)
        wanted = wanted + upsample(picture.double()) if has_picture else wanted
        assert (module.add_rgb(x, weight, bias, bound, picture) - wanted).abs().max() < close
        out, factor, offset = torch.zeros(height, width, 3, dtype=torch.uint8, device=device), torch.tensor(90.0, device=device), torch.tensor(90.5, device=device)
        x[0, :, 1, 2] = torch.nan
        module.finish_rgb(x, weight, bias, (factor, offset), out, bound, picture)
        levels = (wanted * 90 + 90.5).clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0).int()
        levels[1, 2] = 0                                            # what is no number is black
        assert (out.int() - levels).abs().max() <= (1 if kind == torch.float32 else 3)


def check_nan_stays(module, device="cpu"):
    y = torch.full((1, 4, 3, 3), torch.nan, device=device).contiguous(memory_format=LAST)
    assert module.fir_act(y, torch.zeros(4, device=device), bound=2.0).isnan().any()
    assert module.bias_noise_act(y, None, torch.zeros(4, device=device), bound=2.0).isnan().all()


CHECKS = (check_act, check_fir, check_modulate, check_rgb, check_nan_stays)


@pytest.mark.parametrize("check", CHECKS)
def test_torchs_own_way(check):
    check(unfused) if check is check_nan_stays else check(unfused, kinds=((torch.float32, 1e-5),))


def test_the_kernels_in_tritons_interpreter():
    pytest.importorskip("triton")
    code = "from engine.fast import fused; from tests.engine import test_fused as t; [check(fused) for check in t.CHECKS]; print('same')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True, timeout=300)
    if "interpreter.py" in done.stderr and "only 0-dimensional arrays can be converted" in done.stderr:
        pytest.skip("the interpreter of this Triton is older than this NumPy")          # Triton 3.6, which comes with torch 2.11, and NumPy 2.4
    assert done.stdout.strip() == "same", done.stderr


def test_without_a_gpu_it_is_torchs_own_way():
    assert operations.operations_for("cpu") is unfused


@pytest.fixture
def no_gpu_needed(monkeypatch):
    monkeypatch.setattr(torch, "zeros", lambda *shape, device=None, zeros=torch.zeros: zeros(*shape))
    operations.operations_for.cache_clear()
    yield
    operations.operations_for.cache_clear()


@pytest.mark.parametrize("error", [RuntimeError("Failed to find C compiler. Please specify via CC environment variable."), FileNotFoundError("gcc"),
                                   subprocess.CalledProcessError(1, "gcc"), RuntimeError("")])
def test_a_kernel_that_cannot_be_built_is_told_of_and_played_without(monkeypatch, caplog, no_gpu_needed, error):
    """A fresh Ubuntu has neither a compiler nor Python.h."""
    pytest.importorskip("triton")
    from engine.fast import fused

    def launched(*_):
        raise error

    monkeypatch.setattr(fused, "bias_noise_act", launched)
    assert operations.operations_for("cuda") is unfused and operations.operations_for("cuda") is unfused
    assert len(caplog.records) == 1 and "sudo apt install build-essential python3-dev" in caplog.text


def test_without_triton_the_line_says_what_to_install(monkeypatch, caplog, no_gpu_needed):
    monkeypatch.setitem(sys.modules, "triton", None)
    monkeypatch.delitem(sys.modules, "engine.fast.fused", raising=False)
    import engine.fast

    monkeypatch.delattr(engine.fast, "fused", raising=False)
    assert operations.operations_for("cuda") is unfused
    assert len(caplog.records) == 1 and "triton-windows" in caplog.text


MAPS, NUMBERS = "*fp16", "*fp32"
COMPILED = {                         # kernel: [(arguments' types, constants)]; of every argument left out, the constant
    "_bias_noise_act": [({"y": MAPS, "bias": NUMBERS, "noise": NUMBERS, "strength": NUMBERS, "bound": "fp32", "numbers": "i32", "channels": "i32"}, {"scale": None})],
    "_fir_act": [({"y": MAPS, "out": MAPS, "bias": NUMBERS, "noise": NUMBERS, "strength": NUMBERS, "bound": "fp32", "height": "i32", "width": "i32", "channels": "i32"}, {})],
    "_modulate": [({"weight": NUMBERS, "energy": NUMBERS, "styles": NUMBERS, "out": MAPS, "gain": "fp32", "outputs": "i32", "inputs": "i32"}, {"UP": up}) for up in (False, True)],
    "_to_rgb": [({"x": MAPS, "weight": NUMBERS, "bias": NUMBERS, "small": NUMBERS, "out": "*u8", "factor": NUMBERS, "offset": NUMBERS, "height": "i32", "width": "i32", "channels": "i32"},
                 {"bound": None, "WIDTH": 32}),
                ({"x": NUMBERS, "weight": NUMBERS, "bias": NUMBERS, "small": NUMBERS, "out": NUMBERS, "height": "i32", "width": "i32", "channels": "i32"},
                 {"bound": None, "factor": None, "offset": None, "WIDTH": 64})],
}


@pytest.mark.parametrize("capability", [80, 89, 90, 120])
def test_the_kernels_compile_for_cards_nobody_here_has(capability, tmp_path, monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from engine.fast import fused

    for name, cases in COMPILED.items():
        kernel = getattr(fused, name)
        for types, constants in cases:
            names = kernel.arg_names
            signature = {n: types.get(n, "constexpr") for n in names}
            aligned = {(names.index(n),): [["tt.divisibility", 16]] for n, kind in types.items() if kind.startswith("*")}
            made = compile(ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=aligned), target=GPUTarget("cuda", capability, 32))
            assert len(made.asm["cubin"]) > 500 and f"sm_{capability}" in made.asm["ptx"]
            assert made.metadata.shared < 48 * 1024


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_the_kernels_on_a_gpu():
    pytest.importorskip("triton")
    from engine.fast import fused

    assert operations.operations_for("cuda") is fused
    for check in CHECKS:
        check(fused, device="cuda")
