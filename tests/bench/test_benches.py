"""The benches that play a show, small: that they run, count and say what they promise; not how fast."""
import pytest

from engine.checkpoints import native
from tests.bench import _turns, cache, device, frames, latency, memory, naive, precision, show, switch, threads
from tests.conftest import tiny


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return str(native.save(tmp_path_factory.mktemp("network") / "tiny.safetensors", tiny()))


def test_a_whole_show(network, tmp_path):
    figures = show.bench({"instrument": network, "seconds": 1.5, "plot": str(tmp_path / "show.png")})
    assert figures["arrived"] == 1.0 and figures["sent"] >= 300 and figures["failed"] == 0
    assert figures["frames"] and figures["size"] == 32 and set(figures["drawn_at"]) <= {"32"}
    assert figures["rss_mb"]["most"] >= figures["rss_mb"]["end"] > 20 and figures["cpu_ms"] > 0
    assert (tmp_path / "show.png").stat().st_size > 1000


def test_switching(network, monkeypatch):
    monkeypatch.setattr(switch, "EVERY", 2)
    monkeypatch.setattr(switch, "SETTLED", 2)
    figures = switch.bench({"instrument": network, "size": 32, "seconds": 2.0, "threads": 1})
    assert figures["steady"]["switches"] == 0 and figures["switching"]["switches"] > 2
    assert isinstance(figures["switching"]["blocks"], int) and figures["captured"] == 0
    assert figures["switching"]["at_switches"]["frames"] == figures["switching"]["switches"]


def test_what_is_switched_is_there(network, tmp_path):
    import itertools

    from live.show.clock import FixedClock
    from live.show.events import ControlEvent

    playing = switch._show(switch._staged(network, tmp_path), {"threads": 1, "size": 32})
    seen = set()
    for tick, (address, value) in zip(FixedClock(30).ticks(), itertools.islice(switch._switches(), 9)):
        playing.inbox.put(ControlEvent(f"osc {address}", value))
        playing.frame(tick)
        seen |= {("bends", len(playing.scene.bends)), *((a, v) for a, v in playing.scene.values.items() if a.startswith("/edits/"))}
    playing.close()
    assert {("bends", 0), ("bends", 2), ("/edits/edit0/strength", 1.0), ("/edits/edit1/strength", 1.0), ("/edits/edit3/strength", 0.5)} <= seen


def test_threads(network, monkeypatch):
    monkeypatch.setattr(threads, "PARTS", {"one thread": threads.PARTS["one thread"]})
    figures = threads.bench({"instrument": network, "size": 32, "seconds": 0.2})
    assert set(figures["alone"]) == set(threads.PARTS) == set(figures["beside a neighbour"])
    assert all(row["cpu_ms"] > 0 for row in figures["alone"].values())


@pytest.mark.parametrize("bench, of", [(frames, "encoder 32"), (naive, "ratio"), (latency, "sizes"), (cache, "changes"), (precision, "harm"), (device, "advice")])
def test_the_others_and_their_plots(network, tmp_path, bench, of):
    figures = bench.bench({"instrument": network, "size": 32, "seconds": 0.4, "threads": 1, "plot": str(tmp_path / "a.png")})
    assert figures[of] and (tmp_path / "a.png").stat().st_size > 1000


def test_memory(network):
    figures = memory.bench({"instrument": network, "size": 32, "seconds": 2.0, "threads": 1})
    clock = figures["clock"]
    assert set(clock) == {"walk", "recall", "morph", "recording", "walk again"} and clock["recording"]["written"] > 0
    assert all(row["late_a_minute"] >= 0 and row["frames"] > 0 for row in clock.values())


def test_the_device_whose_pictures_are_wrong_is_not_advised(network, monkeypatch):
    rows = {"cpu": {"right": True, "p50_ms": 30.0}, "cpu auto": {"right": True, "p50_ms": 20.0}, "mps": {"right": False, "p50_ms": 3.0}}
    assert device.advice(rows) == "--device cpu" and device.advice(rows | {"mps": {"right": True, "p50_ms": 3.0}}) == "--device mps --precision fp32"
    monkeypatch.setattr(device, "devices", lambda: {"cpu": "fp32", "meta": "fp32"})
    figures = device.bench({"instrument": network, "size": 32, "seconds": 0.2})
    assert figures["advice"] == "--device cpu --precision fp32" and not figures["meta"]["right"] and figures["meta"]["failed"]


def test_two_checkouts_are_compared_by_turns(monkeypatch):
    turns = []

    def measure(checkout, name, more):
        turns.append(checkout)
        return {"fps": {"plain": 10.0 if checkout == "a" else 11.0}, "names": ["x"], "runs": [2.0, 0.0], "new" if checkout == "b" else "old": 1}
    monkeypatch.setattr(_turns, "measure", measure)
    found = _turns.compare("a", "b", ["frames"], 3, ())
    assert turns == ["a", "b", "b", "a", "a", "b"]
    assert found == {"frames": {"fps plain": {"ratio": 1.1, "low": 1.1, "high": 1.1, "first": 10.0, "second": 11.0},
                                "runs 0": {"ratio": 1.0, "low": 1.0, "high": 1.0, "first": 2.0, "second": 2.0}}}
