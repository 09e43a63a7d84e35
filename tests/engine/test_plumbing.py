"""What is asked of torch.cuda, in which order, by a stand-in for it: no GPU is needed."""
import contextlib
import types

import pytest
import torch

from engine.fast import plumbing


class Pools:
    """Keeps count as CUDA's allocator does: a pool whose last graph has gone can't be captured into any more."""

    def __init__(self):
        self.used, self.dead, self.capturing, self.breaks_at_end = {}, set(), None, False
        self.streams, self.done, self.current = [], [], beside

    def stand_in(self):
        pools = self

        class Graph:
            def __init__(self):
                self.pool = None

            def capture_begin(self, pool, capture_error_mode):
                assert pools.capturing is None and capture_error_mode == "thread_local"
                if pool in pools.dead:
                    raise RuntimeError("it->second->use_count > 0 INTERNAL ASSERT FAILED")
                pools.capturing, self.pool = self, pool
                pools.used[pool] = pools.used.get(pool, 0) + 1

            def capture_end(self):
                assert pools.capturing is self
                pools.capturing = None
                if pools.breaks_at_end:
                    raise RuntimeError("operation failed due to a previous error during capture")

            def replay(self):
                pass

            def __del__(self):
                if self.pool is not None:
                    pools.used[self.pool] -= 1
                    if not pools.used[self.pool]:
                        pools.dead.add(self.pool)

        class Stream:
            waited: list = []

            def __init__(self, device=None, priority=0):
                self.device, self.priority = device, priority

            def wait_stream(self, other):
                self.waited.append((self, other))

            def synchronize(self):
                pass

        def entered(stream):
            pools.streams.append(stream)
            return contextlib.nullcontext()

        return types.SimpleNamespace(empty_cache=lambda: pools.done.append("empty"), synchronize=lambda _: pools.done.append("wait"), CUDAGraph=Graph, Stream=Stream, graph_pool_handle=lambda: "pool", device=lambda _: contextlib.nullcontext(),
                                     stream=entered, current_stream=lambda *_: pools.current, waited=Stream.waited)


beside = types.SimpleNamespace(wait_stream=lambda other: beside.waited.append(other), waited=[])


@pytest.fixture
def pools(monkeypatch):
    pools = Pools()
    monkeypatch.setattr(torch, "cuda", pools.stand_in())
    monkeypatch.setattr(torch, "zeros", lambda *shape, **_: None)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", torch.backends.cudnn.allow_tf32)
    beside.waited.clear()
    return pools


def test_programs_may_all_be_forgotten_and_captured_again(pools):
    machine = plumbing.Cuda("cuda")
    for _ in range(3):
        replay = machine.capture(lambda: None, lambda: None)
        replay()
        del replay                                      # as Programs.forget() does, with the last one
    assert not pools.dead and pools.used == {"pool": 1}


def test_what_fails_in_a_capture_is_what_is_told(pools):
    machine = plumbing.Cuda("cuda")
    pools.breaks_at_end = True

    def fails():
        raise ValueError("a bend's own error")

    with pytest.raises(ValueError, match="a bend's own error"):
        machine.capture(fails, lambda: None)
    assert pools.capturing is None
    with pytest.raises(RuntimeError, match="previous error during capture"):        # nothing failed in it, and it failed all the same
        machine.capture(lambda: None, lambda: None)
    pools.breaks_at_end = False
    machine.capture(lambda: None, lambda: None)()


def test_a_frame_that_fails_is_waited_for_before_its_inputs_are_written_again(pools):
    machine = plumbing.Cuda("cuda")
    with pytest.raises(ValueError):
        machine.run(lambda: (_ for _ in ()).throw(ValueError()))
    assert beside.waited == [machine.frames]


def test_a_frame_is_one_stream_from_end_to_end(pools):
    """What a frame's inputs and its network are given is in one order: nothing has to wait for another stream."""
    machine = plumbing.Cuda("cuda")
    assert machine.frames.priority < machine.aside.priority
    with machine.playing():
        assert pools.streams[-1] is machine.frames
        pools.current = machine.frames
        machine.run(lambda: pools.done.append("frame"))
    assert pools.done == ["frame"] and beside.waited == [] and pools.stand_in().Stream.waited == []


def test_once_warmed_up_nothing_is_tried_out(pools):
    machine, warmed = plumbing.Cuda("cuda"), []
    machine.capture(lambda: None, lambda: warmed.append(1))
    assert torch.backends.cudnn.benchmark and len(warmed) == plumbing.WARM_RUNS
    machine.settle()
    assert not torch.backends.cudnn.benchmark and pools.done == ["wait", "empty"]
    machine.capture(lambda: None, lambda: warmed.append(1))
    assert len(warmed) == plumbing.WARM_RUNS + 1
