"""The governor against simulated machines: it holds the rate, comes back, and comes to rest."""
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.instrument import Instrument
from live.mapping.mapping import Mapping
from live.show.clock import FixedClock, bounded
from live.show.events import Change, ControlEvent, Tick
from live.show.governor import ON_TIME, WINDOW, Governor
from live.show.loop import Show
from live.show.meter import Ring
from live.show.told import Told
from tests.conftest import tiny

FPS = 30
PERIOD = 1000 / FPS
SIZES = (256, 512, 1024)


class Machine:
    """Stands for the show: frames cost what cost(size, frame) says, in milliseconds."""

    def __init__(self, cost, sizes=SIZES, auto=1.0, fps=FPS):
        self.cost, self.scene = cost, {"/quality/size": float(max(sizes)), "/quality/auto": auto}
        self.meter, self.instrument = SimpleNamespace(frame_ms=Ring()), SimpleNamespace(drawings=0)
        self.governor, self.frame, self.fps = Governor(self, fps, sizes), 0, fps
        self.log = []                                   # (frame, size) of each change
        self.told = Told()
        self.late = 0

    def run(self, seconds, drawn=True):
        for _ in range(int(seconds * self.fps)):
            for change in self.governor.play(Tick(self.frame, self.frame / self.fps, 1 / self.fps)):
                assert change.address == "/quality/size"
                self.scene["/quality/size"] = change.value
                self.log.append((self.frame, change.value))
            ms = self.cost(self.size, self.frame) if drawn else 0.05
            self.late += ms > 1000 / self.fps
            self.meter.frame_ms.add(ms)
            self.instrument.drawings += drawn
            self.frame += 1
        return self

    @property
    def size(self):
        return max(size for size in self.governor.sizes if size <= self.scene["/quality/size"])


def steady(**costs):
    return lambda size, frame: costs[f"s{size}"]


def test_a_machine_that_is_fast_enough_is_left_alone():
    assert Machine(steady(s1024=30.0)).run(60).log == []


def test_too_slow_means_smaller_within_half_a_second():
    machine = Machine(steady(s1024=50.0, s512=20.0)).run(0.5)
    assert machine.size == 512 and machine.late <= 6
    assert machine.run(600).size == 512 and machine.late <= 6 + 2 * 6


def test_two_steps_down_and_no_further():
    machine = Machine(steady(s1024=500.0, s512=120.0, s256=40.0)).run(60)
    assert [size for _, size in machine.log] == [512, 256]


def test_a_single_hiccup_changes_nothing():
    assert Machine(lambda size, frame: 300.0 if frame % 60 == 59 else 20.0).run(120).log == []


def test_it_comes_back_when_the_load_goes_away():
    machine = Machine(lambda size, frame: size / 1024 * 28.0 * (3.0 if 300 <= frame < 900 else 1.0)).run(30)
    assert machine.size < 1024
    machine.run(90)
    assert machine.size == 1024
    count = len(machine.log)
    assert machine.run(1200).size == 1024 and len(machine.log) == count


def test_it_comes_back_soon_when_a_load_goes_that_was_on_both_sizes():
    machine = Machine(lambda size, frame: {1024: 17.0, 512: 11.0, 256: 8.0}[size] * (2.5 if 300 <= frame < 600 else 1.0)).run(20)
    assert machine.size < 1024
    assert machine.run(10).size == 1024


def test_it_comes_back_even_when_it_learnt_wrong():
    """The larger size was tried while the machine was busy, the smaller one measured after: it looks too dear."""
    machine = Machine(lambda size, frame: {1024: 25.0, 512: 9.0, 256: 4.0}[size] * (9.0 if frame < 4 else 1.0)).run(400)
    assert machine.size == 1024


def test_pictures_shown_again_say_nothing():
    machine = Machine(steady(s1024=50.0, s512=20.0)).run(10)
    log = list(machine.log)
    assert machine.run(300, drawn=False).log == log


def test_locked_it_stays_where_it_is():
    machine = Machine(steady(s1024=50.0), auto=0.0).run(60)
    assert machine.log == []
    machine.scene["/quality/auto"] = 1.0
    machine.cost = steady(s1024=50.0, s512=10.0)
    assert machine.run(1).size == 512


def test_a_hand_may_turn_the_knob_as_well():
    machine = Machine(steady(s1024=10.0, s512=4.0, s256=1.0)).run(5)
    machine.scene["/quality/size"] = 300.0                          # between two sizes: drawn at 256
    machine.run(0.5)
    assert machine.governor.at == 256
    assert machine.run(600).size == 1024


def test_sizes_of_other_networks():
    assert Machine(steady(s128=90.0), sizes=(4, 8, 16, 32, 64, 128)).run(60).log == []
    assert Machine(steady(s512=90.0, s256=10.0), sizes=(4, 128, 256, 512)).run(3).size == 256


def test_report():
    report = Machine(steady(s1024=50.0, s512=20.0)).run(20).governor.report()
    assert report["size"] == 512 and report["auto"] and report["changes"] == 1
    assert report["newest"][0][1] == 512 and report["newest"][0][2] == 50.0 and report["frames"]["512"] > 500


@settings(max_examples=20, deadline=None)
@given(costs=st.tuples(*[st.floats(2.0, 120.0)] * 3), spread=st.floats(0.0, 0.1), seed=st.integers(0, 999))
def test_it_comes_to_rest_on_any_steady_machine(costs, spread, seed):
    """Frame times that vary by up to 10 % about a cost that grows with the size: after the first ten seconds there is a
    handful of tries at most, ever further apart, and at rest frames are in time wherever they can be."""
    costs = dict(zip(SIZES, sorted(costs)))
    draw = Random(seed).uniform
    machine = Machine(lambda size, frame: costs[size] * draw(1 - spread, 1 + spread)).run(10)
    settled = len(machine.log)
    machine.run(590)
    tries = machine.log[settled:]
    assert len(tries) <= 8
    ups = [frame for (_, before), (frame, size) in zip(machine.log, machine.log[1:]) if size > before]
    assert len(ups) < 2 or ups[-1] - ups[-2] > 20 * FPS             # apart, and ever further
    if costs[256] * (1 + spread) < ON_TIME * PERIOD:
        machine.late = 0
        assert costs[machine.size] * (1 - spread) <= ON_TIME * PERIOD
    for size in SIZES:                                              # no smaller than it has to be
        if size > machine.size:
            assert costs[size] * (1 + spread) > 0.5 * ON_TIME * PERIOD


@settings(max_examples=10, deadline=None)
@given(base=st.floats(5.0, 60.0), every=st.integers(5, 400), spike=st.floats(20.0, 300.0), length=st.integers(1, 60))
def test_it_does_not_chase_a_load_that_comes_and_goes(base, every, spike, length):
    machine = Machine(lambda size, frame: size / 1024 * base + (spike * size / 1024 if frame % (every + length) < length else 0.0)).run(900)
    assert len(machine.log) <= 30
    last = [frame for frame, _ in machine.log if frame > 450 * FPS]
    assert len(last) <= 8


def test_in_a_show_its_changes_are_applied_recorded_and_replayed(monkeypatch):
    monkeypatch.setattr("live.show.governor.SMALLEST", 16)
    instrument = Instrument(tiny())
    show = Show(instrument, Mapping(), instrument.scene(), strict=True)
    show.meter.now = iter(range(10 ** 6)).__next__                  # every frame takes a second and more
    show.players.append(Governor(show, FPS, instrument.sizes))
    show.inbox.put(ControlEvent("osc /walk/kind", "wander"))
    kept, pictures = [], []
    show.record = lambda tick, applied: kept.append((tick, list(applied)))
    show.outputs.append(SimpleNamespace(put=lambda frame: pictures.append(frame.pixels.copy()), name="eyes", dropped=0))
    show.play(bounded(FixedClock(FPS).ticks(), frames=30))
    sizes = [c.value for _, applied in kept for c in applied if isinstance(c, Change) and c.address == "/quality/size"]
    assert sizes == [16.0]
    assert all(picture.shape == (32, 32, 3) for picture in pictures)
    again, shown = Show(Instrument(tiny()), Mapping(), instrument.scene(), strict=True), []
    again.outputs.append(SimpleNamespace(put=lambda frame: shown.append(frame.pixels.copy()), name="eyes", dropped=0))
    for tick, applied in kept:
        again.frame(tick, replayed=applied)
    assert all((a == b).all() for a, b in zip(pictures, shown, strict=True))


@pytest.mark.parametrize("late, size", [(2, 1024), (3, 512)])
def test_it_takes_more_than_one_late_frame_in_twenty(late, size):
    machine = Machine(lambda s, frame: 40.0 if 20 <= frame < 20 + late and s == 1024 else 25.0 if s == 1024 else 30.0)
    assert machine.run(WINDOW / FPS).size == size
