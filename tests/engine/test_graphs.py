"""The graph path with the plumbing's CPU twin: same pictures, nothing captured twice, programs swapped in when ready."""
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.bending import Bend
from engine.bends import TRANSFORMS
from engine.caching import make_once
from engine.errors import UserError
from engine.fast import levels, to_bytes
from engine.fast.graph_renderer import GraphRenderer
from engine.fast.graphs import Programs
from engine.fast.plumbing import HELD, Live, Outputs, Twin
from engine.fast.precision import is_half_safe
from engine.motion import Motion
from engine.quality import enlarge
from tests.engine.test_fast import A64, BENDS, KINDS
from tests.engine.test_generator import network, ws_of

ASKED = {
    "plain": {}, "no noise": {"noise": "none"}, "noise turned up": {"noise_strength": 3.0}, "noise at 0": {"noise_strength": 0.0},
    "random noise": {"noise": "random", "noise_seed": 5}, "bends": {"bends": BENDS},
}


class Later:
    """Captures wait until the test says so."""

    def __init__(self):
        self.jobs = []

    def __call__(self, job):
        self.jobs.append(job)

    def all(self):
        while self.jobs:
            self.jobs.pop(0)()


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def captured(generator, **options):
    machine = Twin()
    later = Later()
    return GraphRenderer(generator, machine=machine, programs=Programs(machine, start=later), **options), later


def expected(generator, ws, light=levels(), **asked):
    picture = generator.synthesize(ws, **asked)
    out = torch.zeros(*picture.shape[2:], 3, dtype=torch.uint8)
    to_bytes(picture * light[0] + light[1], out)
    return out


def agree(pixels, wanted):
    assert (pixels.int() - wanted.int()).abs().max() <= 1 and (pixels == wanted).float().mean() > 0.999


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("kind", ["skip", "clamped", "non-square", "without noise"])
def test_captured_or_not_it_agrees_with_the_generator(kind, asked):
    generator = network(KINDS[kind])
    program, later = captured(generator)
    for seed in (1, 2, 3):
        ws = ws_of(generator, 1, seed)
        agree(program.frame(ws, **ASKED[asked]), expected(generator, ws, **ASKED[asked]))
        later.all()
    assert program.machine.captures == 1 and program.machine.replays == 2 and program.programs.uncaptured == 1


def test_turning_any_knob_captures_nothing_and_allocates_no_input(generator=None):
    generator = network(A64)
    program, later = captured(generator)
    ws = ws_of(generator)
    bend = Bend("a", "b16.conv0", (0, 3, 5), "scale", {"factor": 1.0}, 1.0)
    for turn in range(1, 8):
        turned = bend.with_values({"factor": 1 + turn / 10}, 1 - turn / 20)
        light = levels(turn / 10)
        pixels = program.frame(ws, bends=[turned], noise_strength=turn / 2, levels=light)
        agree(pixels, expected(generator, ws, light, bends=[turned], noise_strength=turn / 2))
        later.all()
    assert program.machine.captures == 1


def test_splices_are_inputs():
    generator = network(A64)
    program, later = captured(generator)
    ws = ws_of(generator)
    for seed in (5, 6, 7):
        splice = generator.features(ws_of(generator, 1, seed), ["b16.conv1"])
        agree(program.frame(ws, splice=splice), expected(generator, ws, splice=splice))
        later.all()
    assert program.machine.captures == 1
    agree(program.frame(ws), expected(generator, ws))


def test_a_camera_that_begins_to_play_costs_no_program():
    """What was captured without a splice is still there when it is gone again."""
    generator = network(A64)
    program, later = captured(generator)
    ws = ws_of(generator)
    program.frame(ws)
    later.all()
    program.frame(ws, splice=generator.features(ws_of(generator, 1, 5), ["b16.conv1"]))
    later.all()
    replays = program.machine.replays
    agree(program.frame(ws), expected(generator, ws))
    assert program.machine.captures == 2 and program.machine.replays == replays + 1


@pytest.mark.parametrize("where", ["b16.conv1.weight", "b16.conv1.bias", "b64.conv0.weight", "b16.conv0.affine.weight",
                                   "b32.conv1.noise_const", "b64.torgb.weight", "b16.torgb.affine.bias", "b4.const"])
def test_weights_written_in_place_need_no_capture(where):
    generator = network(A64)
    program, later = captured(generator)
    ws = ws_of(generator)
    program.frame(ws)
    later.all()
    tensors = dict(generator.synthesis.named_parameters()) | dict(generator.synthesis.named_buffers())
    tensors[where].add_(torch.randn_like(tensors[where]))
    agree(program.frame(ws), expected(generator, ws))
    assert program.machine.captures == 1 and program.machine.replays == 1


def test_weights_that_moved_are_captured_again():
    generator = network(A64)
    program, later = captured(generator)
    ws = ws_of(generator)
    program.frame(ws)
    conv = generator.layer("b16.conv1")
    conv.weight.data = conv.weight.data.clone() * 2 + 1
    agree(program.frame(ws), expected(generator, ws))
    later.all()                                                     # the first capture is of no use any more
    assert list(program.programs.ready) and program.machine.captures == 2
    agree(program.frame(ws), expected(generator, ws))


def test_a_new_topology_plays_at_once_and_is_swapped_in_later():
    generator = network(A64)
    program, later = captured(generator)
    ws = ws_of(generator)
    for _ in range(3):
        program.frame(ws)
    assert program.programs.uncaptured == 3 and len(later.jobs) == 1
    later.all()
    program.frame(ws)
    agree(program.frame(ws, bends=BENDS), expected(generator, ws, bends=BENDS))
    agree(program.frame(ws), expected(generator, ws))
    assert program.programs.uncaptured == 4 and program.machine.replays == 2
    later.all()
    agree(program.frame(ws, bends=BENDS), expected(generator, ws, bends=BENDS))
    assert program.machine.captures == 2


def test_a_capture_in_its_own_thread():
    generator = network(A64)
    machine, threads = Twin(), []

    def start(job):
        import threading

        threads.append(threading.Thread(target=job))
        threads[-1].start()

    program = GraphRenderer(generator, machine=machine, programs=Programs(machine, start=start))
    ws = ws_of(generator)
    for _ in range(4):
        agree(program.frame(ws), expected(generator, ws))
    threads[0].join()
    agree(program.frame(ws), expected(generator, ws))
    assert len(threads) == 1 and machine.replays >= 1


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_is_played_the_same(name):
    generator = network(A64)
    program, later = captured(generator)
    ws = ws_of(generator)
    for mix in (1.0, 0.5):
        bend = Bend("a", "b16.conv1", (1, 2, 7), name, {}, mix)
        agree(program.frame(ws, bends=[bend]), expected(generator, ws, bends=[bend]))
        later.all()


def test_frames_are_valid_for_three_frames_and_may_be_handed_out_one_behind():
    generator = network(A64)
    shown, behind = captured(generator)[0], captured(generator, ahead=1)[0]
    pictures = [expected(generator, ws_of(generator, 1, seed)) for seed in range(1, 6)]
    kept = [shown.frame(ws_of(generator, 1, seed)) for seed in range(1, 5)]
    for pixels, wanted in zip(kept, pictures):
        agree(pixels, wanted)
    late = [behind.frame(ws_of(generator, 1, seed)).clone() for seed in range(1, 6)]
    for pixels, wanted in zip(late[1:], pictures):
        agree(pixels, wanted)


def test_live_values_keep_their_place():
    live = Live(Twin(), room=3)
    first, second = live.add("a"), live.add("b")
    for turn in range(5):
        live.send({"a": turn} if turn else {"a": 0, "b": 7}, turn)
        assert (first.item(), second.item()) == (turn, 7)
    assert live.add("a").data_ptr() == first.data_ptr()
    live.add("c")
    with pytest.raises(RuntimeError, match="more than 3"):
        live.add("d")


def test_outputs_go_round():
    outputs = Outputs(Twin(), torch.zeros(2, 2, 3, dtype=torch.uint8))
    seen = [outputs.fetch(torch.full((2, 2, 3), turn, dtype=torch.uint8), turn) for turn in range(HELD + 1)]
    assert seen[0].data_ptr() == seen[HELD].data_ptr() and [int(s[0, 0, 0]) for s in seen] == [HELD, *range(1, HELD + 1)]


@pytest.mark.parametrize("half", [False, True])
def test_a_smaller_drawing_is_enlarged_before_it_is_fetched(half):
    generator = network(A64)
    small, later = captured(generator, size=32, half=half)
    large, _ = captured(generator, size=32, half=half, shown=(64, 64))
    for seed in (1, 2):
        drawn, wanted = small.frame(ws_of(generator, 1, seed)), torch.zeros(64, 64, 3, dtype=torch.uint8)
        enlarge(drawn, wanted)
        assert torch.equal(large.frame(ws_of(generator, 1, seed)), wanted)


@pytest.mark.parametrize("ahead", [0, 1])
@pytest.mark.parametrize("size, echo", [(16, 0.0), (32, 0.0), (32, 0.4)])
def test_frames_are_shown_where_they_arrived_and_stay_valid_until_three_frames_later(monkeypatch, ahead, size, echo):
    from engine.fast.plumbing import Twin
    from tests.conftest import tiny

    made: list = []
    monkeypatch.setattr(Twin, "host", lambda self, *shape, dtype: made.append(torch.zeros(*shape, dtype=dtype)) or made[-1])
    instrument = by_programs(monkeypatch, tiny())
    instrument.ahead = ahead
    scene, motion, shown = instrument.scene().set_values({"/walk/speed": 1.0, "/quality/size": size, "/echo/amount": echo}), Motion(), []
    for _ in range(12):
        motion = motion.advance(scene, 0.1)
        frame = instrument.render(scene, motion)
        shown.append((frame.pixels, frame.pixels.copy()))
        assert all((pixels == copy).all() for pixels, copy in shown[-4:])
    buffers = [buffer.numpy() for buffer in made if buffer.dtype == torch.uint8]
    assert echo or all(any(np.shares_memory(pixels, buffer) for buffer in buffers) for pixels, _ in shown)
    assert len({copy.tobytes() for _, copy in shown}) >= 11


def test_programs_are_forgotten_oldest_first():
    programs = Programs(Twin(), most=2, start=lambda job: job())
    for name in "abc":
        programs.run(name, lambda: None, lambda: None)
    assert list(programs.ready) == ["b", "c"]


def test_only_what_is_not_in_use_is_forgotten():
    programs, drawn = Programs(Twin(), most=2, start=lambda job: job()), []
    for name in "abaca":
        programs.run(name, lambda: drawn.append(1), lambda: None)
    assert set(programs.ready) == {"a", "c"} and programs.uncaptured == 3


def test_one_capture_at_a_time():
    """A fader that turns what decides about kernels: only topologies that are there when there is time are captured."""
    later, machine = Later(), Twin()
    programs = Programs(machine, start=later)
    for seed in range(5):
        programs.run(seed, lambda: None, lambda: None)
    assert len(later.jobs) == 1
    later.all()
    programs.run(4, lambda: None, lambda: None)
    later.all()
    assert list(programs.ready) == [0, 4] and machine.captures == 2


def test_a_capture_that_fails_leaves_the_picture_and_is_not_tried_again(caplog):
    machine, later, drawn = Twin(), Later(), []

    def out_of_memory():
        raise RuntimeError("out of memory")

    programs = Programs(machine, start=later)
    for _ in range(3):
        programs.run("a", lambda: drawn.append("a"), out_of_memory)
        later.all()
    programs.run("b", lambda: None, lambda: None)
    later.all()
    assert drawn == ["a"] * 3 and list(programs.ready) == ["b"]
    assert [record.getMessage() for record in caplog.records] == ["a set of bends is drawn without a graph: RuntimeError: out of memory"]


def test_captures_share_one_thread():
    import threading

    done, where, first, second = threading.Event(), [], Twin(), Twin()

    def warm():
        where.append(threading.current_thread())

    def last_warm():
        warm()
        done.set()

    Programs(first).run("a", lambda: None, warm)
    Programs(second).run("b", lambda: None, last_warm)
    assert done.wait(120) and where[0] is where[1] is not threading.current_thread()


def test_many_kinds_of_bends_one_after_the_other_need_no_more_room():
    generator = network(A64)
    program, later = captured(generator)
    for name in TRANSFORMS:
        program.frame(ws_of(generator), bends=[Bend("a", "b16.conv1", (1, 2), name)])
    assert len(program.live.names) < 10


def test_a_bend_beyond_half_precision_is_not_the_end_of_the_picture():
    generator = network(A64)
    program = captured(generator, half=True)[0]
    bends = [Bend(name, "b64.conv0", None, "scalar_multiply", {"factor": factor}) for name, factor in zip("abcdef", [10.0] * 5 + [0.0])]
    without = network(A64)
    silent = [Bend("a", "b64.conv0", None, "ablate")]
    agree_half(program.frame(ws_of(generator), bends=bends), expected(without, ws_of(generator), bends=silent))


def agree_half(pixels, wanted):
    assert (pixels.int() - wanted.int()).abs().max() <= 8


def test_half_precision_is_measured():
    generator = network(A64)
    assert is_half_safe(generator)
    generator.layer("b64.conv1").bias.fill_(1e6)
    assert not is_half_safe(generator)


def test_only_skip_networks():
    with pytest.raises(UserError, match="resnet"):
        GraphRenderer(network(KINDS["resnet"]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("half, most", [(False, 1), (True, 8)])
def test_on_a_gpu(half, most):
    generator = network(A64).cuda()
    program = GraphRenderer(generator, half=half, programs=None)
    for seed in range(1, 12):
        ws = ws_of(generator, 1, seed).cuda()
        pixels = program.frame(ws, bends=BENDS)
        wanted = expected(generator, ws, bends=BENDS)
        assert (pixels.int() - wanted.cpu().int()).abs().max() <= most


def test_a_frame_behind_nothing_is_left_unshown(monkeypatch):
    from engine.instrument import Instrument
    from tests.bench._common import Walker
    from tests.conftest import tiny

    monkeypatch.setattr("engine.drawing.Drawing.graphs", True)
    at_once, behind = Instrument(tiny()), Instrument(tiny())
    behind.ahead = 1
    walker = Walker(at_once.scene())
    moments = [walker() for _ in range(4)]
    pictures = [at_once.render(*moment).pixels.copy() for moment in moments]
    shown = [behind.render(*moment).pixels.copy() for moment in moments + [moments[-1]] * 3]
    for pixels, wanted in zip(shown[1:], pictures + [pictures[-1]] * 2):
        assert (pixels == wanted).all()
    assert behind.drawings == 5                                     # once more for the last one, then it is shown again


@pytest.mark.parametrize("away", [{"/quality/size": 16.0}, {"/output/blackout": 1.0}])
def test_a_frame_behind_shows_nothing_from_before_a_pause(monkeypatch, away):
    from engine.instrument import Instrument
    from tests.bench._common import Walker
    from tests.conftest import tiny

    monkeypatch.setattr("engine.drawing.Drawing.graphs", True)
    behind = Instrument(tiny())
    behind.ahead = 1
    walker = Walker(behind.scene())
    old = [behind.render(*walker()).pixels.copy() for _ in range(3)][-1]
    scene, motion = walker()
    behind.render(scene, motion)
    for _ in range(5):
        motion = motion.advance(scene, 1.0)
        behind.render(scene.set_values(away), motion)
    back = behind.render(scene, motion).pixels.copy()
    assert (back == Instrument(tiny()).render(scene, motion).pixels).all() and not (back == old).all()


def test_what_a_program_reads_stays_while_it_is_in_use():
    made = []

    @make_once(2)
    def table(number):
        tensor = torch.full((1,), number)
        made.append(weakref.ref(tensor))
        return tensor

    programs = Programs(Twin(), start=lambda job: job())
    programs.run("a", lambda: None, lambda: table(0))
    for number in range(1, 6):
        table(number)
    assert made[0]() is not None and made[1]() is None
    programs.forget()
    assert made[0]() is None


class Recorded(Twin):
    """A twin whose programs, once captured, do nothing: what is left is what each frame does around its program."""

    def capture(self, body, warm):
        warm()
        self.captures += 1
        return lambda: None


def test_changing_any_live_value_allocates_nothing_and_never_recaptures():
    from torch.utils._python_dispatch import TorchDispatchMode

    class Allocations(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.found = []

        def __torch_dispatch__(self, function, types, arguments=(), named=None):
            owned = {t.untyped_storage().data_ptr() for t in arguments if isinstance(t, torch.Tensor)}
            out = function(*arguments, **named or {})
            if isinstance(out, torch.Tensor) and out.untyped_storage().data_ptr() not in owned:
                self.found.append(str(function))
            return out

    generator = network(A64)
    machine, later = Recorded(), Later()
    program = GraphRenderer(generator, machine=machine, programs=Programs(machine, start=later))
    walked = [ws_of(generator, 1, seed) for seed in range(6)]
    splices = [generator.features(ws, ["b16.conv1"]) for ws in walked]
    program.frame(walked[0], bends=BENDS, splice=splices[0])
    later.all()
    program.frame(walked[0], bends=BENDS, splice=splices[0])
    with Allocations() as allocations:
        for n in range(1, 6):
            turned = [b.with_values({k: v + n / 10 for k, v in b.settings.items() if type(v) is float}, 1 - n / 10) for b in BENDS]
            program.frame(walked[n], bends=turned, splice=splices[n], noise_strength=n / 3, levels=levels(n / 10))
        assert allocations.found == []
        torch.zeros(3)
        assert len(allocations.found) == 1                          # it would have been noticed
    assert machine.captures == 1 and program.programs.uncaptured == 1 and not later.jobs


def test_an_instrument_plays_by_programs_where_it_can(monkeypatch):
    from engine.instrument import Instrument
    from tests.bench._common import Walker
    from tests.conftest import tiny

    usual = Instrument(tiny())
    monkeypatch.setattr("engine.drawing.Drawing.graphs", True)
    by_programs = Instrument(tiny())
    bends = (Bend("a", "b16.conv0", (0, 3), "scale", {"factor": 1.5}), Bend("b", "b16.conv1", None, "feedback"))
    walkers = [Walker(usual.scene(bends), **{"/output/blackout": 0.2}) for _ in range(2)]
    for turn in range(6):
        monkeypatch.setattr("engine.drawing.Drawing.graphs", False)
        wanted = usual.render(*walkers[0]()).pixels
        monkeypatch.setattr("engine.drawing.Drawing.graphs", True)
        agree(torch.from_numpy(by_programs.render(*walkers[1]()).pixels), torch.from_numpy(wanted))


def by_programs(monkeypatch, generator, **options):
    from engine.instrument import Instrument

    monkeypatch.setattr("engine.drawing.Drawing.graphs", True)
    return Instrument(generator, **options)


def test_before_a_show_what_had_to_wait_for_another_capture_is_captured_as_well(monkeypatch):
    """Captures that end between the last frame and the look for captures under way."""
    from engine.drawing import Drawing
    from engine.fast import graphs
    from tests.conftest import tiny

    jobs = []
    monkeypatch.setattr(graphs.Worker, "__call__", lambda self, job: jobs.append(job))

    def wait(self, seconds, waits=Drawing.wait):
        while jobs:
            jobs.pop()()
        return waits(self, seconds)

    monkeypatch.setattr(Drawing, "wait", wait)
    instrument = by_programs(monkeypatch, tiny())
    scene = instrument.scene((Bend("b", "b16.conv0", (1, 2), "graft"),))
    instrument.warm_up(scene)
    programs = instrument.drawing.captured[32].programs
    assert programs.captured == 2                                   # the other seed's activations, and frames
    before = programs.replayed
    instrument.render(scene, Motion().advance(scene, 0.0))
    assert programs.replayed > before and not jobs


def test_before_a_show_every_size_is_captured_in_the_thread_that_plays(monkeypatch):
    import threading

    from engine.encoder import Encoder
    from tests.conftest import tiny

    generator = tiny()
    encoder = Encoder.fresh(generator, "b16.conv1", size=(32, 32)).eval().requires_grad_(False)
    instrument = by_programs(monkeypatch, generator, encoder=encoder)
    settled = []
    monkeypatch.setattr(instrument.drawing.machine, "settle", lambda: settled.append([p.programs.captured for p in instrument.drawing.captured.values()]))
    drawn_in = set()
    monkeypatch.setattr(GraphRenderer, "frame", lambda self, *a, frame=GraphRenderer.frame, **b: drawn_in.add(threading.get_ident()) or frame(self, *a, **b))
    bends = (Bend("a", "b16.conv1", None, "feedback"), Bend("b", "b16.conv0", (1, 2), "graft"))
    scene = instrument.scene(bends)
    instrument.warm_up(scene, sizes=[16, 32])
    assert sorted(instrument.drawing.captured) == [16, 32] and drawn_in == {threading.get_ident()}
    assert len({id(program.machine) for program in instrument.drawing.captured.values()}) == 1
    assert settled == [[2, 3]]                                      # frames, the other seed's activations, and the encoder's part at the full size, all of it captured by then
    uncaptured = [program.programs.uncaptured for program in instrument.drawing.captured.values()]
    motion = Motion().advance(scene, 0.0)
    for size in (32, 16, 32):
        for n in range(3):
            motion = motion.advance(scene, 1 / 30)
            instrument.render(scene.set_values({"/quality/size": size}), motion)
    assert [program.programs.uncaptured for program in instrument.drawing.captured.values()] == uncaptured
    assert all(program.programs.replayed >= 2 for program in instrument.drawing.captured.values())


def test_bends_with_a_memory_are_captured_and_remember_the_same(monkeypatch):
    from engine.instrument import Instrument
    from tests.conftest import tiny

    bends = (Bend("a", "b16.conv1", None, "feedback", {"amount": 0.7, "zoom": 1.1}), Bend("b", "b16.conv0", (1, 2), "graft", {"seed": 3.0}))
    usual, captured = Instrument(tiny()), Instrument(tiny())
    scene, motions = usual.scene(bends), [Motion()]
    for _ in range(8):
        motions.append(motions[-1].advance(scene, 0.2))
    turned = [scene.set_values({"/bends/b/seed": 3.0 + n // 3}) for n in range(8)]
    monkeypatch.setattr("engine.drawing.Drawing.graphs", False)
    wanted = [usual.render(s, m).pixels.copy() for s, m in zip(turned, motions[1:])]
    monkeypatch.setattr("engine.drawing.Drawing.graphs", True)
    for n, (s, m) in enumerate(zip(turned, motions[1:])):
        agree(torch.from_numpy(captured.render(s, m).pixels), torch.from_numpy(wanted[n]))
        captured.drawing.captured[32].programs.wait()
    programs = captured.drawing.captured[32].programs
    assert programs.captured == 2 and programs.replayed >= 6        # frames, and activations; another seed is another content of a buffer, not another program


def test_a_bend_that_gives_no_numbers_is_left_out_on_a_gpu_as_on_a_processor(monkeypatch, caplog):
    from tests.conftest import tiny

    instrument = by_programs(monkeypatch, tiny())
    monkeypatch.setitem(TRANSFORMS, "invert", replace(TRANSFORMS["invert"], function=lambda x, **_: x * torch.nan))
    scene = instrument.scene((Bend("a", "b16.conv1", (1, 2), "invert"),))
    motion = Motion().advance(scene, 0.0)
    drawn = instrument.render(scene, motion).pixels.copy()
    assert "bypassed" in caplog.text and "'a'" in caplog.text
    instrument = by_programs(monkeypatch, tiny())
    scene = instrument.scene()
    assert (drawn == instrument.render(scene, Motion().advance(scene, 0.0)).pixels).all() and drawn.any()


def test_the_thread_that_captures_ends_with_the_process():
    from engine.fast.graphs import Worker

    worker, done = Worker(), []
    worker(lambda: done.append(1))
    worker.close()
    assert not worker.thread.is_alive() and done in ([1], [])


def test_presets_are_captured_before_the_show(monkeypatch):
    """REVIEW B8: a program for each set of bends that is likely to come, so that no first frame of a look waits for one."""
    from tests.conftest import tiny

    instrument = by_programs(monkeypatch, tiny())
    scene = instrument.scene()
    likely = [scene.with_bends((Bend("a", "b16.conv1", None, name),)) for name in ("flip_h", "feedback", "wave")]
    instrument.warm_up(scene, more=iter([*likely, likely[0]]))
    programs = instrument.drawing.captured[32].programs
    assert programs.captured == 4
    before, motion = programs.uncaptured, Motion()
    for look in (*likely, scene):
        for _ in range(2):
            motion = motion.advance(look, 1 / 30)
            instrument.render(look, motion)
    assert programs.captured == 4 and programs.uncaptured - before <= 1         # feedback's first frame has none before it


@pytest.mark.parametrize("half", [False, True])
def test_another_seeds_activations_are_drawn_by_a_program(half):
    generator = network(A64)
    renderer = GraphRenderer(generator, half=half, programs=Programs(Twin(), start=lambda job: job()))
    for seed in (1, 2, 3):
        ws = ws_of(generator, 1, seed)
        for layer in ("b8.conv0", "b64.conv1"):
            found, expected = renderer.activations(ws, layer), generator.activations(ws, [layer])[layer]
            assert found.dtype == torch.float32 and (found - expected).abs().max() < (0.05 if half else 2e-5) * expected.abs().max()
    assert renderer.programs.captured == 2 and renderer.programs.uncaptured == 2 and renderer.programs.replayed == 4
    before = renderer.activations(ws, "b8.conv0")
    with torch.no_grad():
        generator.layer("b8.conv0").weight.mul_(torch.linspace(0.5, 1.5, generator.layer("b8.conv0").weight.shape[1])[None, :, None, None])
    after = renderer.activations(ws, "b8.conv0")
    assert (after - before).abs().max() > 1e-3 and (after - generator.activations(ws, ["b8.conv0"])["b8.conv0"]).abs().max() < 0.05 * after.abs().max()
    assert renderer.programs.captured == 2


@pytest.mark.parametrize("graphs", [False, True])
def test_turning_a_grafts_seed_costs_a_fast_pass_and_grafts_what_the_network_has(monkeypatch, graphs):
    from engine.instrument import Instrument
    from tests.conftest import tiny

    generator = tiny()
    instrument = by_programs(monkeypatch, generator) if graphs else Instrument(generator)
    slow, activations = [], generator.activations
    monkeypatch.setattr(generator, "activations", lambda *given, **more: slow.append(1) or activations(*given, **more))
    scene = instrument.scene((Bend("a", "b16.conv0", (0, 2), "graft"),))
    instrument.warm_up(scene)
    slow.clear()
    frames, motion = {}, Motion().advance(scene, 0.0)
    for seed in (3.0, 8.0, 3.0):
        turned = scene.set_values({"/bends/a/seed": seed})
        frames.setdefault(seed, []).append(instrument.render(turned, motion).pixels.copy())
    assert not slow and (frames[3.0][0] == frames[3.0][1]).all() and (frames[3.0][0] != frames[8.0][0]).any()
    monkeypatch.setattr(instrument.bends, "activate", lambda ws, layer: activations(ws, [layer])[layer])
    instrument.bends.forget_borrowed()
    plain = instrument.render(scene.set_values({"/bends/a/seed": 8.0}), motion).pixels
    assert np.abs(plain.astype(int) - frames[8.0][0]).max() <= 1


def test_small_layers_are_rounded_where_half_precision_is_asked_for():
    exact, half = Twin(), Twin()
    GraphRenderer(network(A64), machine=exact)
    GraphRenderer(network(A64), half=True, machine=half)
    assert half.rounded and not exact.rounded
