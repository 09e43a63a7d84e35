"""Passes over maps, in C and by torch: each against the same arithmetic written out in float64; and how the C comes to be there."""
import math
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.nn import functional as F

from engine.compiled import build, functions
from engine.compiled.functions import Passes
from engine.errors import UserError
from engine.fast import Synthesis, passes
from engine.fast.kernels import channels_last, polyphase
from engine.fast.passes import Colours, Ending
from engine.generator import SLOPE
from tests.engine.test_generator import A64, KINDS, network, ws_of
from tests.engine.ways import THERE, WAYS, take_way

needs_compiler = pytest.mark.skipif(not THERE, reason="no compiled passes on this machine")
DTYPES = (torch.float32, torch.bfloat16)
SHAPES = [(4, 6, 8), (8, 5, 12), (16, 3, 4), (48, 2, 20), (32, 1, 4), (64, 9, 36), (272, 2, 4)]     # channels, height, width
ODD = [(3, 4, 4), (5, 3, 3), (20, 4, 6), (1, 1, 1)]                                 # which are left to torch
NOISES = ("none", "map", "each")
SETTINGS = [(None, False), (0.7, False), (None, True), (0.5, True)]                 # clamp, scale and bias


@pytest.fixture(autouse=True)
def same_numbers():
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        yield


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    return take_way(request.param, monkeypatch, passes)


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def maps(channels, height, width, dtype):
    return channels_last(torch.randn(1, channels, height, width).to(dtype))


def make_ending(kind, shape, dtype, clamp=None, scaled=False):
    channels, height, width = shape
    noise = {"none": None, "map": (torch.randn(height, width).to(dtype), 0.3), "each": (maps(*shape, dtype), -0.6)}[kind]
    scale, bias = (torch.rand(channels) + 0.5, torch.randn(channels)) if scaled else (None, None)
    return Ending(noise, clamp, scale, bias)


def finished(y, ending):
    """Maps in float64 with their ending, step by step."""
    if ending.scale is not None:
        y = y * ending.scale.double().view(1, -1, 1, 1) + ending.bias.double().view(1, -1, 1, 1)
    if ending.noise is not None:
        y = y + ending.noise[0].double() * ending.noise[1]
    y = torch.where(y > 0, y, y * SLOPE)
    return y if ending.clamp is None else y.clamp(-ending.clamp, ending.clamp)


def filtered(y, ending):
    """The FIR over y [1, C, 2h + 1, 2w + 1] in float64, tap by tap, and the ending."""
    height, width = y.shape[2] - 1, y.shape[3] - 1
    around = F.pad(y, (1, 1, 1, 1))
    taps = (0.25, 0.75, 0.75, 0.25)
    out = sum(a * b * around[:, :, i:i + height, j:j + width] for i, a in enumerate(taps) for j, b in enumerate(taps))
    return finished(out, ending)


def close(found, expected, steps=1.0):
    """Whether numbers are those of float64 as nearly as their format can say it, after so many roundings."""
    assert found.shape == expected.shape
    size = 2 ** -8 if found.dtype == torch.bfloat16 else 2e-6
    torch.testing.assert_close(found.double(), expected, rtol=size * steps, atol=size * steps)
    return True


@pytest.mark.parametrize("clamp, scaled", SETTINGS)
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("shape", SHAPES + ODD, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_finish(way, dtype, shape, noise, clamp, scaled):
    y, ending = maps(*shape, dtype), make_ending(noise, shape, dtype, clamp, scaled)
    expected = finished(y.double(), ending)
    found = passes.finish(y, ending)
    assert found is y and close(found, expected, 1 if way == "compiled" and dtype == torch.bfloat16 and shape[0] % 16 == 0 else 4)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("clamp", [None, 0.6])
@pytest.mark.parametrize("shape", [(16, 4, 4), (32, 2, 6), (48, 1, 3), (64, 5, 37), (272, 3, 9), (5, 3, 4)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_blur(way, threads, dtype, shape, clamp, noise):
    channels, h, w = shape
    y = maps(channels, 2 * h + 1, 2 * w + 1, dtype)
    ending = make_ending(noise, (channels, 2 * h, 2 * w), dtype, clamp, scaled=True)
    expected = filtered(y.double(), ending)
    assert close(passes.finish_blurred(y, ending), expected, 4)
    parts = [channels_last(y[:, :, p::2, q::2]) for p in range(2) for q in range(2)]
    assert close(passes.finish_parts(parts, ending), expected, 4)
    wider = channels_last(torch.randn(1, channels, 2 * h + 2, 2 * w + 3).to(dtype))         # y need not lie by itself
    wider[:, :, :-1, :-2] = y
    assert close(passes.finish_blurred(wider[:, :, :-1, :-2], ending), expected, 4)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("shape", [(4, 4, 4), (8, 3, 6), (4, 1, 2), (16, 2, 4), (4, 3, 5), (3, 2, 4)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_weave(way, threads, dtype, shape, noise):
    channels, h, w = shape
    parts, ending = maps(4 * channels, h, w, dtype), make_ending(noise, (channels, 2 * h, 2 * w), dtype, 0.9)
    y = torch.empty(1, channels, 2 * h, 2 * w, dtype=torch.float64)
    for p in range(2):
        for q in range(2):
            y[:, :, p::2, q::2] = parts[:, (2 * p + q) * channels:(2 * p + q + 1) * channels].double()
    assert close(passes.finish_woven(parts, ending), finished(y, ending), 2)


@pytest.mark.parametrize("shape", [(16, 4, 4), (32, 1, 5), (48, 7, 2), (6, 3, 3)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_taps_are_a_transposed_convolution(way, threads, dtype, shape):
    channels, h, w = shape
    x, weight = torch.randint(-3, 4, (1, 8, h, w)).double(), torch.randint(-2, 3, (8, channels, 3, 3)).double()      # exact in every format
    products = torch.einsum("xhw,xcij->hwijc", x[0], weight).to(dtype).contiguous()
    expected = F.conv_transpose2d(x, weight, stride=2)
    assert (passes.collect_taps(products).double() - expected).abs().max() < (1 if dtype == torch.bfloat16 else 1e-9)


@needs_compiler
@pytest.mark.parametrize("size", [(1, 4), (2, 4), (3, 8), (7, 12), (64, 64)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_convolution_of_four_channels(threads, dtype, size):
    x, weight, bias = maps(4, *size, dtype), torch.randn(4, 4, 3, 3).to(dtype), torch.randn(4).to(dtype)
    expected = F.conv2d(x.double(), weight.double(), bias.double(), padding=1)
    assert close(passes.convolve_few(x, weight, bias), expected, 4 if dtype == torch.float32 else 1)


@pytest.mark.parametrize("size", [(4, 4, 8, 5), (8, 8, 8, 8), (4, 8, 8, 8), (8, 4, 8, 8)], ids=str)
def test_other_convolutions_are_left_to_libraries(size):
    inputs, outputs, height, width = size
    assert passes.convolve_few(maps(inputs, height, width, torch.float32), torch.randn(outputs, inputs, 3, 3), torch.zeros(outputs)) is None


def drawn(x, colours, ending=None):
    """The picture in float64: sums over channels, limits, the picture below at twice its size."""
    if ending is not None:
        x = finished(x, ending)
    y = torch.einsum("nchw,kc->nkhw", x, colours.weight.double()) + colours.bias.double().view(1, 3, 1, 1)
    if colours.limits is not None:
        y = y.clamp(*colours.limits)
    if colours.below is not None:
        below = F.pad(colours.below.double(), (1, 1, 1, 1)) * colours.factor
        height, width = x.shape[2:]
        for row in range(height):
            for column in range(width):
                a, b = row // 2 + 1, column // 2 + 1
                up, aside = (1 if row % 2 else -1), (1 if column % 2 else -1)
                y[..., row, column] += (0.75 * (0.75 * below[..., a, b] + 0.25 * below[..., a, b + aside])
                                        + 0.25 * (0.75 * below[..., a + up, b] + 0.25 * below[..., a + up, b + aside]))
    return y


@pytest.mark.parametrize("ended", [None, "map", "each"])
@pytest.mark.parametrize("shape", [(4, 6, 8), (8, 4, 12), (16, 2, 4), (48, 4, 20), (32, 6, 4), (6, 4, 6), (3, 2, 2)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_draw(way, threads, dtype, shape, ended):
    channels, height, width = shape
    x, ending = maps(*shape, dtype), None if ended is None else make_ending(ended, shape, dtype, scaled=channels >= 16)
    below = maps(3, height // 2, width // 2, torch.float32)
    for colours in (Colours(torch.randn(3, channels), torch.randn(3)), Colours(torch.randn(3, channels), torch.randn(3), (-1.5, 0.5), below, 0.7)):
        expected, given = drawn(x.double(), colours, ending), x.clone()
        picture, finite = passes.draw(given, colours, ending)
        exact = dtype == torch.float32 or way == "compiled" and functions.fits(x)                  # sums in C are never rounded to halves
        assert finite and picture.dtype == torch.float32 and (picture - expected).abs().max() < (2e-5 if exact else 0.2)
        if ending is not None:
            assert close(given, finished(x.double(), ending), 4)


@pytest.mark.parametrize("channels", [4, 8, 32, 5])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_bytes_are_the_picture_rounded_and_nothing_around_them_is_touched(way, threads, dtype, channels):
    x, below = maps(channels, 8, 12, dtype), maps(3, 4, 6, torch.float32) * 90
    colours = Colours(torch.randn(3, channels) * 60, torch.full((3,), 128.0), None, below, 1.0)
    picture = passes.draw(x.clone(), colours)[0]
    around = torch.full((12, 12, 3), 77, dtype=torch.uint8)
    out, finite = passes.draw(x.clone(), colours, out=around[2:10])
    assert finite and (around[:2] == 77).all() and (around[10:] == 77).all()
    assert (out == picture.clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0)).all() and out.min() == 0 and out.max() == 255


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["maps", "below"])
@pytest.mark.parametrize("channels", [4, 8, 32])
def test_what_is_not_finite_is_said_and_drawn_black_or_white(way, threads, channels, where, wrong):
    x, below = maps(channels, 8, 8, torch.float32), maps(3, 4, 4, torch.float32)
    (x if where == "maps" else below)[0, 1, 2, 2] = wrong
    out = torch.zeros(8, 8, 3, dtype=torch.uint8)
    colours = Colours(torch.ones(3, channels), torch.full((3,), 100.0), None, below)
    _, finite = passes.draw(x, colours, out=out)
    at = (2, 2) if where == "maps" else (4, 4)
    assert not finite and out[at][1] == (255 if wrong == math.inf else 0) and (out[0, 0] > 50).all()


@needs_compiler
def test_maps_that_are_not_to_be_kept_are_not_written_to():
    x, ending = maps(32, 8, 8, torch.bfloat16), make_ending("map", (32, 8, 8), torch.bfloat16)
    before, colours = x.clone(), Colours(torch.randn(3, 32), torch.randn(3))
    lost = passes.draw(x, colours, ending, keep=False)[0]
    assert (x == before).all()
    assert (passes.draw(x, colours, ending)[0] == lost).all() and (x != before).any()


@needs_compiler
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].kind == "skip"])
def test_whole_pictures_are_those_of_torchs_operations(monkeypatch, kind, half):
    generator = network(KINDS[kind])
    ws = ws_of(generator, 1, 3)
    ours = Synthesis(generator, half=half)(ws)
    monkeypatch.setattr(passes, "find_passes", lambda: None)
    theirs = Synthesis(generator, half=half)(ws)
    assert (ours - theirs).abs().max() < (0.05 if half else 2e-5)


@needs_compiler
def test_the_number_of_threads_changes_no_bit(monkeypatch):
    generator, out, pictures = network(A64), torch.zeros(64, 64, 3, dtype=torch.uint8), []
    ws, before = ws_of(generator, 1, 3), torch.get_num_threads()
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        shape, dtype = (32, 20, 24), torch.float32
        torch.manual_seed(1)
        y = passes.finish_blurred(maps(32, 21, 25, dtype), make_ending("map", (32, 20, 24), dtype, scaled=True))
        pictures.append((y, *passes.draw(maps(*shape, dtype), Colours(torch.randn(3, 32), torch.randn(3), None, maps(3, 10, 12, dtype)))))
        Synthesis(generator).draw(out, ws)
    torch.set_num_threads(before)
    assert all((first == other).all() for more in pictures[1:] for first, other in zip(pictures[0][:2], more[:2]))


@needs_compiler
@pytest.mark.skipif(build.platform.machine() != "x86_64", reason="kinds of processors of one maker's")
@pytest.mark.parametrize("kind", ["x86-64", "x86-64-v3", "x86-64-v4"])
def test_other_kinds_of_processors(tmp_path, monkeypatch, kind):
    """What is compiled for less than this processor agrees as well: vectors are taken apart there."""
    if kind == "x86-64-v4" and "avx512vl" not in build._processor():
        pytest.skip("more than this processor can do")
    monkeypatch.setattr(build, "FLAGS", tuple(f"-march={kind}" if flag == "-march=native" else flag for flag in build.FLAGS))
    library = build.open_library(tmp_path)
    monkeypatch.setattr(passes, "find_passes", lambda: Passes(library))
    for dtype in DTYPES:
        y = maps(32, 9, 13, dtype)
        ending = make_ending("map", (32, 8, 12), dtype, 0.9, scaled=True)
        assert close(passes.finish_blurred(y, ending), filtered(y.double(), ending), 4)
        for channels in (4, 8, 16):
            x, colours = maps(channels, 4, 8, dtype), Colours(torch.randn(3, channels), torch.randn(3), None, maps(3, 2, 4, torch.float32))
            assert (passes.draw(x, colours)[0] - drawn(x.double(), colours)).abs().max() < 1e-4
        x, weight = maps(4, 6, 8, dtype), torch.randn(4, 4, 3, 3).to(dtype)
        expected = F.conv2d(x.double(), weight.double(), padding=1)
        assert close(passes.convolve_few(x, weight, torch.zeros(4)), expected, 4)
    with_nan = maps(16, 2, 4, torch.bfloat16)
    with_nan[0, 3, 1, 1] = math.nan
    assert passes.finish(with_nan, Ending()).isnan().sum() == 1


def test_the_folded_kernel_is_what_weave_expects(way):
    """An up-convolution to four channels as one polyphase convolution and a weave, against the transposed one under the FIR."""
    x, weight = torch.randn(1, 8, 4, 6).double(), torch.randn(4, 8, 3, 3).double()
    parts = F.conv2d(x, polyphase(weight), padding=1)
    expected = filtered(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), Ending())
    assert (passes.finish_woven(channels_last(parts.float()), Ending()).double() - expected).abs().max() < 1e-5


# How the C comes to be there.

def test_it_is_compiled_once_and_found_again(tmp_path, monkeypatch):
    if not THERE:
        pytest.skip("no compiled passes on this machine")
    file = build.compile_library(tmp_path)
    made = file.stat().st_mtime_ns
    monkeypatch.setattr(build, "COMPILERS", ())
    monkeypatch.delenv("CC", raising=False)
    assert build.compile_library(tmp_path) == file and file.stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    monkeypatch.setattr(build, "_processor", lambda: "another one")
    with pytest.raises(UserError, match="build-essential"):
        build.compile_library(tmp_path)


COUNTING = """#!/bin/sh
echo compiling >> "$0.log"
exec cc "$@"
"""


@needs_compiler
def test_who_needs_what_is_being_compiled_waits_for_it(tmp_path, monkeypatch):
    compiler = tmp_path / "counting"
    compiler.write_text(COUNTING)
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with ThreadPoolExecutor(3) as pool:
        files = list(pool.map(lambda n: build.compile_library(tmp_path / "cache"), range(3)))
    assert len(set(files)) == 1 and files[0].exists() and (tmp_path / "counting.log").read_text() == "compiling\n"


@needs_compiler
def test_the_compiler_begins_before_torch_is_there(tmp_path):
    ahead = "import sys; from engine.compiled.build import compile_ahead; compile_ahead(); print('torch' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", ahead], capture_output=True, text=True, check=True, env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)})
    folder = tmp_path / "latent-jockey" / "compiled"
    assert made.stdout == "False\n" and list(folder.iterdir()) == [build.compile_library(folder)]


@pytest.mark.parametrize("settings", [{"CC": "false"}, {build.SWITCH: "0"}, {"CC": "no-such-compiler-anywhere"}])
def test_what_keeps_the_compiler_from_beginning_early_is_said_later(tmp_path, monkeypatch, caplog, settings):
    for name, text in (settings | {"XDG_CACHE_HOME": str(tmp_path)}).items():
        monkeypatch.setenv(name, text)
    with caplog.at_level("WARNING"):
        build.compile_ahead()
    assert not caplog.records and not list(tmp_path.rglob("*.so"))


@pytest.mark.parametrize("wrong, said", [("no-such-compiler-anywhere", "no-such-compiler"), ("false", "false failed"), (f"{sys.executable} -c 1/0", "failed")])
def test_a_compiler_that_fails(tmp_path, monkeypatch, wrong, said):
    monkeypatch.setenv("CC", wrong)
    with pytest.raises(UserError, match=said):
        build.compile_library(tmp_path)
    assert not list(tmp_path.iterdir())


@needs_compiler
@pytest.mark.parametrize("kind", ["native", "x86-64-v3"])
def test_the_compiler_has_nothing_to_remark(tmp_path, monkeypatch, kind):
    if kind != "native" and build.platform.machine() != "x86_64":
        pytest.skip("a kind of processors of one maker's")
    flags = [f"-march={kind}" if flag == "-march=native" else flag for flag in build.FLAGS]
    monkeypatch.setattr(build, "FLAGS", (*flags, "-Wall", "-Wextra", "-Werror"))
    assert build.compile_library(tmp_path).exists()


@needs_compiler
@pytest.mark.slow
def test_nothing_is_read_or_written_beyond_an_end(tmp_path):
    """The tests above and those of the echo again, with passes that look after every access (GCC's address sanitiser)."""
    sanitiser = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    if not os.path.isabs(sanitiser):
        pytest.skip("no address sanitiser")
    (tmp_path / "looked_after.py").write_text("from engine.compiled import build\nbuild.FLAGS += ('-fsanitize=address', '-g')\n", encoding="utf-8")
    root = build.Path(__file__).parents[2]
    made = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "looked_after", "--reruns", "0", "tests/engine/test_passes.py",
                           "tests/engine/test_echo.py", "tests/engine/test_weighing.py", "-k",
                           "finish or blur or weave or taps or four or draw or bytes or kept or written or weights"],
                          capture_output=True, text=True, check=False, cwd=root,
                          env=os.environ | {"LD_PRELOAD": sanitiser, "ASAN_OPTIONS": "detect_leaks=0", "XDG_CACHE_HOME": str(tmp_path),
                                            "PYTHONPATH": os.pathsep.join((str(root), str(tmp_path)))})
    assert made.returncode == 0 and " passed" in made.stdout, made.stdout[-3000:] + made.stderr[-3000:]
    assert list((tmp_path / "latent-jockey" / "compiled").iterdir())


def test_a_processor_that_nobody_has_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "_processor", lambda: "aarch64 Features: fp asimd")
    with pytest.raises(UserError, match="not measured"):
        build.open_library(tmp_path)


@needs_compiler
def test_a_damaged_library_is_compiled_again(tmp_path):
    file = build.compile_library(tmp_path)
    file.write_bytes(b"not a library")
    assert build.open_library(tmp_path).finish_single and file.stat().st_size > 1000


@needs_compiler
def test_what_others_could_have_put_there_is_not_run(tmp_path, monkeypatch):
    file = build.compile_library(tmp_path)
    for path in (tmp_path, file):
        mode = path.stat().st_mode
        path.chmod(mode | 0o002)
        with pytest.raises(UserError, match="others can write"):
            build.open_library(tmp_path)
        path.chmod(mode)
    if file.stat().st_uid:                                                              # what is root's is nobody else's
        monkeypatch.setattr(build.os, "getuid", lambda: file.stat().st_uid + 1)
        with pytest.raises(UserError, match="others can write"):
            build.open_library(tmp_path)
        monkeypatch.undo()
    assert build.open_library(tmp_path).finish_single


@needs_compiler
def test_a_folder_that_takes_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(UserError, match="can't be written"):
        build.open_library(tmp_path / "file" / "folder")


DRAW = ("import torch; from engine.compiled import functions; from engine.fast import Synthesis; from tests.engine.test_generator import A64, network, ws_of; "
        "g = network(A64); torch.set_grad_enabled(False); p = Synthesis(g)(ws_of(g, 1, 3)); "
        "print(functions.find_passes() is not None, float((p - g.synthesize(ws_of(g, 1, 3))).abs().max()) < 2e-5)")


def run_python(folder, **environment):
    made = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, text=True, check=False, cwd=build.Path(__file__).parents[2],
                          env=os.environ | {"XDG_CACHE_HOME": str(folder), "OMP_NUM_THREADS": "2"} | environment)
    assert made.returncode == 0, made.stderr
    return made.stdout.split()


def test_without_a_compiler_a_show_plays_all_the_same(tmp_path):
    assert run_python(tmp_path, PATH="", CC="") == ["False", "True"]
    assert run_python(tmp_path, LATENT_JOCKEY_COMPILED="0") == ["False", "True"]


@needs_compiler
@pytest.mark.skipif(shutil.which("cc") is None, reason="no cc")
def test_two_processes_that_compile_at_once(tmp_path):
    command = [sys.executable, "-c", DRAW]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=build.Path(__file__).parents[2], env=environment)
               for _ in range(2)]
    assert [process.communicate()[0].split() for process in running] == [["True", "True"]] * 2
    assert len(list((tmp_path / "latent-jockey" / "compiled").iterdir())) == 1
