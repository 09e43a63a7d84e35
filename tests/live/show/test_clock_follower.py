"""A MIDI clock that stalls, over stall lengths, tempi, jitter and moments: right again within two bars, and it leaps by no more than it must."""
import random

import pytest

from live.show.clock_follower import TICKS, Follower


def ticks(bpm, stall, at_beat, jitter, made_up, beats=12):
    """(time, beats gone in truth) of ticks. made_up: those of the stall come all at once at its end; else it is a pause."""
    chance, step, found = random.Random(f"{bpm} {stall} {at_beat}"), 60.0 / bpm / TICKS, []
    stalls_at = 10.0 + at_beat * 60.0 / bpm
    for n in range(int((at_beat + stall * bpm / 60.0 + beats) * TICKS)):
        at = 10.0 + n * step + chance.gauss(0, jitter)
        if made_up and stalls_at <= at < stalls_at + stall:
            at = stalls_at + stall + n % 7 * 1e-4
        elif not made_up and at >= stalls_at:
            at += stall
        found.append(at)
    return sorted(found), stalls_at + stall


@pytest.mark.parametrize("bpm", [61.0, 128.0, 174.3, 250.0])
@pytest.mark.parametrize("stall", [0.05, 0.25, 0.5, 1.1, 2.0])
@pytest.mark.parametrize("made_up", [True, False], ids=["made up", "paused"])
def test_a_stall_is_made_good_within_two_bars(bpm, stall, made_up):
    near, beats = (0.01, 0.1) if bpm < 200 else (0.03, 0.25)         # there the jitter is a quarter of the way between ticks
    for at_beat in (0.1, 0.9, 2.2, 7.4):
        for jitter in (0.0, 0.0026):
            follower = Follower()
            follower.take_message("start", 9.999)
            times, over = ticks(bpm, stall, at_beat, jitter, made_up)
            for at in times:
                follower.take_message("clock", at)
                found = follower.predict(at)
                assert found is None or found[0] == pytest.approx(bpm, rel=0.05), (at_beat, jitter, at - over)
                if at > over + 8 * 60 / bpm:
                    assert found[0] == pytest.approx(bpm, rel=near), (at_beat, jitter)
                    if made_up:
                        beat = follower.origin + found[1] / TICKS
                        assert abs(beat - (at - 10.0) * bpm / 60.0) < beats, (at_beat, jitter)


def test_it_is_ill_in_a_stall_and_well_before_and_after():
    times, over = ticks(128.0, 0.5, 4.0, 0.001, True)
    follower, seen = Follower(), {"before": set(), "then": set(), "after": set()}
    for at in times:
        follower.take_message("clock", at)
        when = "before" if 11.5 < at < over - 0.6 else "then" if over <= at < over + 0.1 else "after" if at > over + 1.5 else None
        if when:
            seen[when].add(follower.is_ill)
    assert seen == {"before": {False}, "then": {True}, "after": {False}}
