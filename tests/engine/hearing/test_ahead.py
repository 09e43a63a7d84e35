"""A whole song, heard by one who knows its end, against its truth."""
import functools

import numpy as np
import pytest

from engine.hearing.ahead import find_sections, look_ahead
from tests.engine.hearing.songs import FOUR, RATE, f_measure, matched, pads, played
from tests.engine.hearing.test_analyser import beats, events, hear, listened


@functools.cache
def known(style):
    song, heard = listened(style)
    return song, look_ahead(heard)


@pytest.mark.parametrize("style", ["four on the floor, 128", "rock, 100", "breakbeat, 174", "swing, 120", "bass in eighths, 124", "tempo ramp, 100-130", "very quiet, 110"])
def test_beats_and_hits_are_where_they_are(style):
    song, heard = known(style)
    assert f_measure(beats(heard), song.beats, 0.05, 0.05) >= 0.95
    for kind, least in (("kick", 0.9), ("snare", 0.9), ("onset", 0.95)):
        truth = song.onsets if kind == "onset" else song.hits[kind]
        found = events(heard, kind)
        assert f_measure(found, truth, 0.025, 0.025) >= least
        assert abs(np.median(matched(found, truth, 0.03, 0.03))) < 0.008


@pytest.mark.parametrize("style", ["silence", "white noise", "50 Hz hum", "rubato strings"])
def test_where_nothing_is_hit_nothing_is_found(style):
    _, heard = known(style)
    assert len(events(heard, "onset")) < 18 and not [h for h in heard if h.beat and style == "silence"]


def test_sections_begin_where_the_music_changes():
    loud = played(FOUR, 120.0, 16.0, seed=1)
    soft = pads(16.0, loud=0.1)
    heard = look_ahead(hear(np.concatenate((loud.samples, soft, loud.samples))[:46 * RATE]))
    found = events(heard, "section")
    assert found[0] < 0.1 and all(any(abs(t - there) < 2.1 for t in found) for there in (16.0, 32.0)) and len(found) <= 5


def test_short_sound_has_no_sections():
    _, heard = listened("rock, 100")
    assert look_ahead([]) == [] and len(look_ahead(heard[:40])) == 40 and find_sections(heard[:40], np.arange(0, 40, 20)) == set()
