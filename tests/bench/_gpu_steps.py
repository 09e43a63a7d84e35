"""What `bench gpu` tries, one function a step: a Plan and seconds -> figures. torch, numpy and engine/ only; see gpu.py.

Each step makes what it needs and lets go of it, since any of them may be the first of its process.
"""
import copy
import gc
import platform
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from engine.bending import Bend
from engine.bends import TRANSFORMS
from engine.encoder import Encoder
from engine.fast import unfused
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.graphs import Programs
from engine.fast.kernels import channels_last, polyphase
from engine.fast.operations import operations_for
from engine.fast.plumbing import Twin
from engine.generator import fir
from engine.instrument import Instrument
from tests.bench import _common
from tests.bench.frames import bends_for, edits_for
from tests.bench.naive import Naive

TINY = _common.smaller(_common.BUILT_IN_SHAPE, 64)
WALK = 16                           # ws that frames are drawn of, in turns


class Plan:
    """What to measure on. device: a name, None = the GPU if there is one. tiny: sizes at which nothing is learned but that steps run."""

    def __init__(self, device=None, tiny=False):
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.cuda = self.device.type == "cuda"
        self.tiny = tiny or not self.cuda

    def network(self, shape="config-f"):
        """Random weights of a shape in _common.SHAPES; a small one where this is tiny."""
        return _common.random_network(TINY if self.tiny else _common.SHAPES[shape]).to(self.device)

    def synchronize(self):
        if self.cuda:
            torch.cuda.synchronize()

    def milliseconds(self, job, least=5, seconds=0.3) -> float:
        """The median time of job() on the device."""
        job()
        self.synchronize()
        taken, end = [], time.perf_counter() + (0.0 if self.tiny else seconds)
        while len(taken) < (1 if self.tiny else least) or time.perf_counter() < end:
            start = time.perf_counter()
            job()
            self.synchronize()
            taken.append((time.perf_counter() - start) * 1000)
        return round(statistics.median(taken), 4)


def walk(network):
    """WALK ws [1, num_ws, W]."""
    z = torch.randn(WALK, network.z_dim, generator=torch.Generator().manual_seed(0)).to(network.device)
    return list(network.map(z, psi=0.8).split(1))


def frames(plan, renderer, ws, seconds, **asked) -> dict:
    """Figures of frames drawn by a renderer whose captures are done."""
    for n in range(4):
        renderer.frame(ws[n % WALK], **asked)
    renderer.programs.wait()
    replayed, taken, end = renderer.programs.replayed, [], time.perf_counter() + seconds
    while len(taken) < 8 or time.perf_counter() < end:
        start = time.perf_counter()
        renderer.frame(ws[len(taken) % WALK], **asked)
        taken.append((time.perf_counter() - start) * 1000)
    return _common.summary(taken) | {"replayed": renderer.programs.replayed - replayed}


def apart(a, b) -> float:
    """The largest difference of two pictures in levels."""
    return float((a.int() - b.int()).abs().max())


# The steps.

def versions(plan, seconds):
    """What this machine is."""
    found = {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda, "system": platform.platform(), "tiny": plan.tiny}
    try:
        import triton

        found["triton"] = triton.__version__
    except ImportError:
        found["triton"] = None
    if plan.cuda:
        about = torch.cuda.get_device_properties(plan.device)
        found |= {"card": about.name, "capability": f"{about.major}.{about.minor}", "processors": about.multi_processor_count,
                  "memory_gb": round(about.total_memory / 2 ** 30, 1), "cudnn": torch.backends.cudnn.version()}
    return found | {"kernels": operations_for(plan.device).__name__.rpartition(".")[2]}


def kernels(plan, seconds):
    """Triton's kernels against torch's own operations on the same tensors: largest differences, and milliseconds of both."""
    fused, device = operations_for(plan.device), plan.device
    size, channels = (16, 4) if plan.tiny else (1024, 32)
    rows = {}
    for kind in (torch.float32, torch.float16) if plan.cuda else (torch.float32,):
        y = channels_last(torch.randn(1, channels, size + 1, size + 1, device=device).to(kind))
        x = channels_last(torch.randn(1, channels, size, size, device=device).to(kind))
        bias, noise, strength = torch.randn(channels, device=device), torch.randn(size, size, device=device), torch.tensor(0.3, device=device)
        weight = channels_last(torch.randn(16 * channels, 16 * channels, 3, 3, device=device))
        energy, styles = weight.square().sum((2, 3)), torch.randn(16 * channels, device=device)
        rgb, picture = torch.randn(3, channels, device=device), channels_last(torch.randn(1, 3, size // 2, size // 2, device=device))
        for name, job in {"bias_noise_act": lambda m: m.bias_noise_act(x.clone(), None, bias, noise, strength, 2.0),
                          "fir_act": lambda m: m.fir_act(y, bias, noise, strength, 2.0),
                          "modulate": lambda m: m.modulate(weight, energy, styles, 1.4, kind),
                          "modulate_up": lambda m: m.modulate(weight, energy, styles, 1.4, kind, True),
                          "add_rgb": lambda m: m.add_rgb(x, rgb, bias[:3], None, picture)}.items():
            rows[f"{name} {str(kind)[6:]}"] = {
                "apart": float((job(fused).float() - job(unfused).float()).abs().max()),
                "fused_ms": plan.milliseconds(lambda: job(fused)), "unfused_ms": plan.milliseconds(lambda: job(unfused))}
    return {"rows": rows}


def replay(plan, seconds):
    """A captured program draws what its body draws, and frames are drawn by it."""
    network = plan.network("built-in")
    ws, found = walk(network), {}
    for half in (False, True) if plan.cuda else (False,):
        renderer, eager = GraphRenderer(network, half=half), GraphRenderer(network, half=half)
        eager.programs.failed = _Everything()
        worst, drawn = 0.0, 0
        for n in range(WALK):
            worst, drawn = max(worst, apart(renderer.frame(ws[n]), eager.frame(ws[n]))), drawn + 1
            renderer.programs.wait()
        found["fp16" if half else "fp32"] = {"apart": worst, "replayed": renderer.programs.replayed, "captured": renderer.programs.captured}
        if renderer.programs.replayed < drawn - 1:
            raise AssertionError(f"only {renderer.programs.replayed} of {drawn} frames were replayed")
    return found


class _Everything:
    """A set that has everything in it: of topologies that are not to be captured."""

    def __contains__(self, _):
        return True

    def add(self, _):
        pass

    def clear(self):
        pass


def pool(plan, seconds):
    """All programs forgotten and captured again; and whether that needs the graph that keeps the pool, as was read in torch's source."""
    network = plan.network("built-in")
    renderer, ws = GraphRenderer(network), walk(network)
    for _ in range(3):
        renderer.frame(ws[0])
        renderer.programs.wait()
        renderer.programs.forget()
    renderer.frame(ws[0])
    renderer.programs.wait()
    found = {"captured": renderer.programs.captured, "failed": len(renderer.programs.failed)}
    return found | ({"without_keeper": _without_keeper()} if plan.cuda else {})


def _without_keeper():
    """What a second capture into a pool says whose only graph is gone."""
    handle, stream = torch.cuda.graph_pool_handle(), torch.cuda.Stream()
    try:
        for _ in range(2):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.stream(stream):
                graph.capture_begin(pool=handle, capture_error_mode="thread_local")
                kept = torch.zeros(1, device="cuda")
                graph.capture_end()
            del graph, kept
            gc.collect()
    except RuntimeError as error:
        return str(error).splitlines()[0][:300]
    return "works"


def transforms(plan, seconds):
    """Each transform captured while any wait for the device is an error, replayed, and drawn by the processor: levels apart."""
    network, shape = plan.network("built-in"), (TINY if plan.tiny else _common.BUILT_IN_SHAPE)
    size = min(256, shape.resolution)
    layer, ws = f"b{min(64, size)}.conv1", walk(network)[0]
    here = GraphRenderer(network, size)
    there = GraphRenderer(copy.deepcopy(network).to("cpu"), size, machine=Twin()) if plan.cuda else None
    rows, end = {}, time.perf_counter() + seconds
    for name, transform in TRANSFORMS.items():
        if not plan.tiny and time.perf_counter() > end:
            break
        bends = [Bend("a", layer, (0, 2, 3), name, {}, 0.7)]
        try:
            if plan.cuda and not transform.wants:
                torch.cuda.set_sync_debug_mode("error")
                program = here.machine.capture
                here.machine.capture = lambda body, warm: program(body, lambda: (torch.cuda.set_sync_debug_mode("default"), warm(), torch.cuda.set_sync_debug_mode("error")))
            here.frame(ws, bends=bends)
            here.programs.wait()
            drawn = here.frame(ws, bends=bends).clone()
            rows[name] = {"apart": apart(drawn, there.frame(ws.cpu(), bends=bends)) if there else 0.0}
        except Exception as error:
            rows[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
        finally:
            if plan.cuda:
                torch.cuda.set_sync_debug_mode("default")
                vars(here.machine).pop("capture", None)
    return {"rows": rows, "replayed": here.programs.replayed, "failed": len(here.programs.failed), "tried": len(rows), "of": len(TRANSFORMS)}


def published(plan, seconds):
    """Frames a second of the stock generator, as it is usually published, and of ours, in turns: 1024 px, config-f."""
    network = plan.network()
    naive, ws = Naive(network), walk(network)
    half = GraphRenderer(network, half=plan.cuda, ahead=0)
    half.frame(ws[0])
    half.programs.wait()
    turn = iter(range(10 ** 9))
    usual = {"cudnn": torch.backends.cudnn.allow_tf32, "benchmark": torch.backends.cudnn.benchmark}

    def stock(tf32, kind):
        def draw():
            torch.backends.cudnn.allow_tf32 = tf32
            try:
                with torch.no_grad(), torch.autocast(plan.device.type, kind, enabled=kind is not None):
                    picture = naive.synthesize(ws[next(turn) % WALK])
                return (picture.float().permute(0, 2, 3, 1) * 127.5 + 128).clamp(0, 255).to(torch.uint8)[0].cpu() is None or None
            finally:
                torch.backends.cudnn.allow_tf32 = usual["cudnn"]
        return draw

    parts = {"published": stock(True, None), "published fp16": stock(True, torch.float16)} if plan.cuda else {"published": stock(True, None)}
    taken = _common.in_turns(parts | {"ours": lambda: half.frame(ws[next(turn) % WALK]) is None or None}, seconds)
    rows = {name: _common.summary(values) for name, values in taken.items()}
    return {"rows": rows, "times_published": round(rows["published"]["p50_ms"] / rows["ours"]["p50_ms"], 2), "replayed": half.programs.replayed}


def profile(plan, seconds):
    """Where a frame's time goes: kernels by name, of frames in fp32 and fp16, captured; and frames with other settings of cuDNN."""
    network = plan.network()
    ws, found, counted = walk(network), {}, 1 if plan.tiny else 10
    kinds = [torch.profiler.ProfilerActivity.CUDA if plan.cuda else torch.profiler.ProfilerActivity.CPU]
    for half in (True, False) if plan.cuda else (False,):
        renderer = GraphRenderer(network, half=half)
        figures = frames(plan, renderer, ws, seconds / 8)
        with torch.profiler.profile(activities=kinds) as profiler:
            for n in range(counted):
                renderer.frame(ws[n])
        total = {}
        for event in profiler.key_averages():
            spent = getattr(event, "self_device_time_total", 0) if plan.cuda else event.self_cpu_time_total
            if spent > 0:
                total[event.key[:120]] = (round(spent / 1000 / counted, 4), event.count // counted)
        largest = sorted(total.items(), key=lambda item: -item[1][0])[:25]
        found["fp16" if half else "fp32"] = figures | {"kernels_ms_and_times": dict(largest), "sum_ms": round(sum(t for t, _ in total.values()), 3)}
    for name, settings in {"benchmark off": {"benchmark": False}, "deterministic": {"deterministic": True}, "without tf32": {"allow_tf32": False}}.items():
        renderer = GraphRenderer(network, half=plan.cuda)
        before = {key: getattr(torch.backends.cudnn, key) for key in settings}
        try:
            for key, value in settings.items():
                setattr(torch.backends.cudnn, key, value)
            found[name] = frames(plan, renderer, ws, seconds / 8)
        finally:
            for key, value in before.items():
                setattr(torch.backends.cudnn, key, value)
    return found


def rates(plan, seconds):
    """Frames a second in host memory: handed out at once or one behind; 0, 4, 16 bends; beside captures; beside uploads."""
    network = plan.network()
    ws, size = walk(network), network.resolution
    four = bends_for(network, size)
    many = tuple(Bend(f"{b.name}{n}", b.layer, b.channels, b.transform, b.settings) for n in range(4) for b in four)
    renderers = {ahead: GraphRenderer(network, half=plan.cuda, ahead=ahead) for ahead in (0, 1)}
    rows = {f"{len(bends)} bends, ahead {ahead}": frames(plan, renderer, ws, seconds / 10, bends=bends)
            for ahead, renderer in renderers.items() for bends in ((), four, many)}
    with _beside(lambda n: renderers[0].machine.capture(lambda: renderers[0].scratch.zero_(), lambda: None)):
        rows["beside captures"] = frames(plan, renderers[1], ws, seconds / 10, bends=four)
    block = torch.zeros(1000 if plan.tiny else 25_000_000)
    with _beside(lambda n: block.to(plan.device)):
        rows["beside uploads of 100 MB"] = frames(plan, renderers[1], ws, seconds / 10, bends=four)
    return {"rows": rows}


class _beside:
    """Runs job(n) again and again in a thread."""

    def __init__(self, job):
        self.job, self.over = job, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        n = 0
        while not self.over.wait(0.01):
            self.job(n)
            n += 1

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def thread(plan, seconds):
    """The first frame drawn without a graph in a thread that has drawn nothing: cuDNN's choices are each thread's own."""
    network = plan.network()
    renderer, ws, taken = GraphRenderer(network, half=plan.cuda), walk(network), {}
    renderer.programs.failed = _Everything()

    def draw(name):
        start = time.perf_counter()
        renderer.frame(ws[0])
        taken[name] = round((time.perf_counter() - start) * 1000, 2)

    draw("first")
    draw("second")
    for benchmark in (True, False):
        torch.backends.cudnn.benchmark = benchmark
        other = threading.Thread(target=draw, args=(f"another thread, benchmark {'on' if benchmark else 'off'}",))
        other.start()
        other.join()
    torch.backends.cudnn.benchmark = plan.cuda
    return {"ms": taken}


def convolutions(plan, seconds):
    """The convolutions cuDNN may be bad at, in both layouts, and what takes their place: milliseconds."""
    device, kind = plan.device, torch.float16 if plan.cuda else torch.float32
    size, channels = (16, 4) if plan.tiny else (1024, 32)
    picture = torch.randn(1, 3, size // 2, size // 2, device=device)
    y = torch.randn(1, channels, size + 1, size + 1, device=device).to(kind)
    x, weight = torch.randn(1, 2 * channels, size // 2, size // 2, device=device).to(kind), torch.randn(channels, 2 * channels, 3, 3, device=device)
    low, bias = fir(4, device, torch.float32), torch.zeros(channels, device=device)
    fused, folded = operations_for(device), channels_last(polyphase(weight).to(kind))
    jobs = {}
    for layout, name in ((torch.contiguous_format, "NCHW"), (torch.channels_last, "NHWC")):
        p, q, x_there, w = (t.contiguous(memory_format=layout) for t in (picture, y, x, weight.transpose(0, 1).to(kind)))
        jobs |= {f"picture at twice its size, groups = 3, {name}": lambda p=p: F.conv_transpose2d(p, low.expand(3, 1, 4, 4), stride=2, padding=1, groups=3),
                 f"FIR of each channel, {name}": lambda q=q: F.conv2d(q, low.to(kind).expand(channels, 1, 4, 4), padding=1, groups=channels),
                 f"transposed convolution, {name}": lambda x_there=x_there, w=w: F.conv_transpose2d(x_there, w, stride=2)}
    jobs |= {"FIR and activation, as played": lambda: fused.fir_act(channels_last(y), bias),
             "polyphase: FIR inside the convolution": lambda: F.conv2d(channels_last(x), folded, padding=1)}
    found = {}
    for name, job in jobs.items():
        try:
            found[name] = plan.milliseconds(job)
        except RuntimeError as error:
            found[name] = str(error).splitlines()[0][:200]
    return {"ms": found}


def show(plan, seconds):
    """An instrument played: four bends, two edits turned in every frame; then a camera on and off 20 times, 40 new chains of bends, weights faded 30 times."""
    network = plan.network()
    folder = _common.ROOT / "none"
    other = _common.random_network(network.architecture).to(plan.device)
    encoder = Encoder.fresh(network, "b16.conv1").to(plan.device).eval().requires_grad_(False)
    instrument = Instrument(network, edits=edits_for(network, folder), checkpoints={"other": other}, encoder=encoder)
    instrument.ahead = 1
    player = _Player(instrument, bends_for(network, network.resolution))
    player.play(4 if plan.tiny else 120)
    player.wait()
    steady = player.play(4, seconds / 3)
    events = {"camera": (20, lambda n: player.turn(camera=n % 2 == 0)),
              "chains": (40, lambda n: player.turn(chain=n)), "weights": (30, lambda n: player.turn(amount=(n % 10) / 10))}
    rows, median = {"steady": _common.summary(steady)}, statistics.median(steady)
    for name, (times, act) in events.items():
        taken = []
        for n in range(2 if plan.tiny else times):
            act(n)
            taken += player.play(2 if plan.tiny else 12)
        rows[name] = _common.summary(taken) | {"largest_over_median": round(max(taken) / median, 2)}
    player.turn(camera=False, chain=0, amount=0.0)
    player.play(4)
    player.wait()
    before = player.replayed()
    rows["at the end"] = _common.summary(player.play(8)) | {"replayed": player.replayed() - before}
    return {"rows": rows, "p99_over_median": round(rows["steady"]["p99_ms"] / median, 2), "graphs_at_the_end": rows["at the end"]["replayed"] >= 8 or not plan.cuda}


class _Player:
    """Plays an instrument frame by frame, its two edits turned in every one."""

    def __init__(self, instrument, bends):
        import numpy

        self.instrument, self.bends, self.n = instrument, bends, 0
        self.pictures = numpy.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), dtype=numpy.uint8)
        self.camera, self.values = False, {}
        self.walker = _common.Walker(instrument.scene(bends))

    def turn(self, camera=None, chain=None, amount=None):
        scene = self.walker.scene
        if chain is not None:
            names = sorted(TRANSFORMS)
            scene = scene.with_bends(tuple(Bend(b.name, b.layer, b.channels, names[(chain * 4 + n) % len(names)], {}) for n, b in enumerate(self.bends)) if chain else self.bends)
        if amount is not None:
            scene = scene.set_values({"/weights/other/amount": amount})
        if camera is not None:
            self.camera = camera
            scene = scene.set_values({"/source/mix": 0.7 if camera else 0.0})
        self.walker.scene = scene

    def play(self, least, seconds=0.0) -> list[float]:
        taken, end = [], time.perf_counter() + seconds
        edits = [f"/edits/{edit.name}/strength" for edit in self.instrument.weights.edits]
        while len(taken) < least or time.perf_counter() < end:
            self.n += 1
            self.walker.scene = self.walker.scene.set_values(dict.fromkeys(edits, (self.n % 20) / 20))
            start = time.perf_counter()
            self.instrument.render(*self.walker(), self.pictures[self.n % 4] if self.camera else None)
            taken.append((time.perf_counter() - start) * 1000)
        return taken

    def _programs(self) -> list[Programs]:
        return [renderer.programs for renderer in self.instrument.drawing.captured.values()]

    def wait(self):
        for programs in self._programs():
            programs.wait()

    def replayed(self):
        return sum(programs.replayed for programs in self._programs())


@dataclass(frozen=True)
class Step:
    run: Callable
    seconds: float                  # it may take, as far as that is its own to decide


STEPS = {"versions": Step(versions, 10), "kernels": Step(kernels, 30), "replay": Step(replay, 20), "pool": Step(pool, 10), "published": Step(published, 40),
         "rates": Step(rates, 90), "show": Step(show, 60), "profile": Step(profile, 80), "convolutions": Step(convolutions, 30), "thread": Step(thread, 20),
         "transforms": Step(transforms, 60)}
