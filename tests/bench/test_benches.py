"""The benches that play a show, small: that they run, count and say what they promise; not how fast."""
import pytest

from engine.checkpoints import native
from tests.bench import cache, frames, latency, memory, naive, precision, show, switch, threads
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


@pytest.mark.parametrize("bench, of", [(frames, "encoder 32"), (naive, "ratio"), (latency, "sizes"), (cache, "changes"), (precision, "harm")])
def test_the_others_and_their_plots(network, tmp_path, bench, of):
    figures = bench.bench({"instrument": network, "size": 32, "seconds": 0.4, "threads": 1, "plot": str(tmp_path / "a.png")})
    assert figures[of] and (tmp_path / "a.png").stat().st_size > 1000


def test_memory(network):
    figures = memory.bench({"instrument": network, "size": 32, "seconds": 2.0, "threads": 1})
    clock = figures["clock"]
    assert set(clock) == {"walk", "recall", "morph", "recording", "walk again"} and clock["recording"]["written"] > 0
    assert all(row["late_a_minute"] >= 0 and row["frames"] > 0 for row in clock.values())
