"""What is heard as parameters and events: levels, hits, beats, in bindings, modulators, presets and takes."""
import hashlib
import math

import pytest

from engine.errors import UserError
from engine.modulation import modulate
from live.mapping.binding import make_binding
from live.show.events import ControlEvent
from live.show.parameters import MASTERS, is_below
from live.show.sound_parameters import KINDS, TURNED
from live.takes.take import TakeReader
from tests.live.audio.rig import START, Hall
from tests.live.memory_rig import FPS, scenes_of


@pytest.fixture
def hall(tmp_path):
    found = Hall(tmp_path)
    yield found
    found.rig.close()


def test_levels_are_told_and_fall(hall):
    hall.play(low=0.5, mid=0.25, high=1.0, level=0.75)
    assert [hall[f"/audio/{name}"] for name in ("low", "mid", "high", "level", "signal", "loudness")] == [0.5, 0.25, 1.0, 0.75, 1.0, -20.0]
    hall.play()
    assert 0.5 < hall["/audio/high"] < 0.6 and hall["/audio/high"] == pytest.approx(math.exp(-1 / FPS / 0.06), abs=0.01)
    assert len(hall["/audio/spectrum"]) == 32 and hall["/audio/chroma"][11] == 1.0


def test_the_loudest_of_a_frame_counts(hall):
    for low in (0.1, 1.0, 0.2):
        hall.hear(low=low)
    hall.play()
    assert hall["/audio/low"] == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_hit_is_one_and_falls(hall, kind):
    hall.play()
    hall.hear(hits=[(kind, 0.7)])
    hall.rig.play()
    assert hall[f"/audio/{kind}"] == 1.0
    hall.play(3)
    assert hall[f"/audio/{kind}"] == pytest.approx(math.exp(-0.1 / 0.15), abs=0.01)
    hall.play(40)
    assert hall[f"/audio/{kind}"] == 0.0


def test_a_hit_between_two_frames_is_not_missed(hall):
    hall.hear(hits=[("kick", 1.0)])
    hall.moment += 0.02
    hall.rig.play()
    assert hall["/audio/kick"] == pytest.approx(math.exp(-0.02 / 0.15), abs=0.01)


def test_what_is_heard_later_waits(hall):
    hall.play(level=0.5)
    hall.moment += 1.0
    hall.hear(level=1.0)                             # a file that plays is known before it is heard
    hall.moment -= 1.0
    hall.play()
    assert hall["/audio/level"] < 0.5
    hall.play(31)
    assert hall["/audio/level"] > 0.5


def test_silence_after_the_input_has_gone_and_then_hands_may_say_it(hall):
    hall.play(5, low=0.5, hits=[("kick", 1.0)], beat=hall.beat(120.0))
    hall.listening.ear.state = "lost"
    hall.play()
    assert all(hall[a] == p.default for a, p in TURNED.items() if a != "/audio/tempo") and hall["/audio/tempo"] == 120.0
    hall.rig.send("/audio/low", 0.75)                # another program that listens itself
    hall.play(5)
    assert hall["/audio/low"] == 0.75


def test_hands_do_not_overrule_what_is_heard(hall):
    hall.play(low=0.5)
    hall.rig.send("/audio/low", 0.1)
    hall.play(2, low=0.5)
    assert hall["/audio/low"] == 0.5


def test_values_are_round_and_told_only_when_changed(hall):
    told = []
    hall.show.record = lambda tick, applied: told.append([item for item in applied if item.address.startswith("/audio")])
    hall.play(30, low=1 / 3, level=0.123456)
    assert all(item.value * 128 == round(item.value * 128) for row in told for item in row if item.address in ("/audio/low", "/audio/level"))
    assert len(told[0]) > 4 and not told[-1]


# -- events


def test_hits_play_bindings(tmp_path):
    hall = Hall(tmp_path, {"control": "audio kick", "to": "/seed/random"}, {"control": "audio snare", "to": "/macro/2", "mode": "velocity"},
                {"control": "audio hat", "to": "/macro/3", "mode": "momentary"}, {"control": "audio onset", "to": "/macro/4", "mode": "toggle"})
    seed = hall["/walk/seed"]
    hall.play(hits=[("kick", 1.0)])
    assert hall["/walk/seed"] != seed
    seed = hall["/walk/seed"]
    hall.play(hits=[("snare", 0.5), ("hat", 1.0), ("onset", 1.0)])
    assert hall["/walk/seed"] == seed and hall["/macro/2"] == pytest.approx(0.5) and hall["/macro/3"] == 1.0 and hall["/macro/4"] == 1.0
    hall.play(5)
    assert hall["/macro/3"] == 0.0 and hall["/macro/4"] == 1.0            # let go of after a tenth of a second
    hall.play(hits=[("onset", 1.0)])
    assert hall["/macro/4"] == 0.0
    hall.rig.close()


def test_a_hit_that_is_heard_late_is_seen_all_the_same(tmp_path):
    hall = Hall(tmp_path, {"control": "audio kick", "to": "/macro/3", "mode": "momentary"})
    hall.play(3)
    hall.hear(hits=[("kick", 1.0)])
    hall.moment += 0.3                                   # a frame that took long
    hall.play()
    assert hall["/macro/3"] == 1.0
    hall.play(5)
    assert hall["/macro/3"] == 0.0
    hall.rig.close()


def test_hits_wait_for_the_beat_where_quantise_says_so(tmp_path):
    hall = Hall(tmp_path, {"control": "audio kick", "to": "/preset/next"})
    hall.rig.send("/preset/store", "one")
    hall.play()
    hall.rig.send("/truncation", 0.1)
    hall.play()
    hall.rig.send("/preset/store", "two")
    hall.rig.send("/quantise", "bar")
    hall.rig.send("/preset/recall", "one")
    hall.play(FPS * 2 + 2)
    assert hall["/truncation"] == pytest.approx(0.8)
    hall.play(hits=[("kick", 1.0)])
    before = hall.show.motion.beat
    assert hall["/truncation"] == pytest.approx(0.8)
    frames = 0
    while hall["/truncation"] > 0.5 and frames < 200:
        hall.play()
        frames += 1
    assert frames < 200 and int(hall.show.motion.beat // 4) == int(before // 4) + 1
    hall.rig.close()


@pytest.mark.parametrize("text", ["audio kick", "audio snare", "audio hat", "audio onset", "audio beat", "audio bar", "audio section"])
def test_words_of_sound_in_mapping_files(text):
    assert make_binding(control=text, to="/panic").button


@pytest.mark.parametrize("text", ["audio", "audio bass", "audio kick 2", "audio Kick"])
def test_other_words_are_refused(text):
    with pytest.raises(UserError, match="audio kick, snare, hat, onset, beat, bar or section|no control"):
        make_binding(control=text, to="/panic")


def test_what_is_heard_is_never_learned(hall):
    hall.rig.send("/midi/learn", "/truncation")
    hall.play(10, hits=[("kick", 1.0)])
    assert hall.show.mapping.learn.wanted
    for value in (10, 12, 13, 15):
        hall.show.inbox.put(ControlEvent("cc 1/16", value / 127, at=hall.moment))
        hall.play(hits=[("kick", 1.0)])
    assert [b.control for b in hall.show.mapping.learn.layer] == ["cc 1/16"]


# -- beats


def test_beats_and_bars_are_events_with_the_beat(tmp_path):
    hall = Hall(tmp_path, {"control": "audio beat", "to": "/macro/1", "mode": "step", "step": 0.125},
                {"control": "audio bar", "to": "/macro/2", "mode": "step", "step": 0.125})
    hall.show.scene = hall.show.scene.set_values({"/tempo/ahead": 0.0})
    hall.play(int(FPS * 4.1), beat=hall.beat(120.0))
    assert hall["/macro/1"] == 1.0 and hall["/macro/2"] == 0.25           # 8 beats, two bars, after the one it began on
    assert hall["/audio/tempo"] == 120.0 and hall["/audio/confidence"] == 1.0
    assert hall["/audio/beat"] == pytest.approx(((hall.moment - START) * 2) % 1, abs=0.01)
    assert hall["/audio/bar"] == pytest.approx(((hall.moment - START) / 2) % 1, abs=0.01)
    hall.rig.close()


@pytest.mark.parametrize("ahead, early", [(0.0, 0.0), (100.0, 0.1), (250.0, 0.25)])
def test_beats_come_ahead_of_time(hall, ahead, early):
    hall.show.scene = hall.show.scene.set_values({"/tempo/ahead": ahead})
    moments, before = [], 0
    for _ in range(int(FPS * 6)):
        hall.play(beat=hall.beat(100.0))
        if hall.listening.counts["beat"] > before:
            before = hall.listening.counts["beat"]
            moments.append(hall.moment - START + early)
    assert len(moments) >= 8
    for moment in moments:
        assert 0.0 <= moment - round(moment / 0.6) * 0.6 + 1e-9 <= 1 / FPS + 1e-6


def test_auto_looks_ahead_as_far_as_a_frame_takes(hall):
    assert hall["/tempo/ahead"] == -1.0
    for n in range(200):
        hall.show.meter.frame_ms.add(20.0)
    hall.play(2, beat=hall.beat(120.0))
    assert hall.tempo.measure_delay() == pytest.approx(0.02 + 0.5 / FPS, abs=1e-6)
    hall.rig.send("/tempo/ahead", 30.0)
    hall.play()
    assert hall["/tempo/ahead"] == 30.0
    hall.rig.send("/tempo/ahead", "auto")
    hall.play()
    assert hall["/tempo/ahead"] == -1.0


def test_what_is_bound_to_beats_is_seen_on_them(hall, monkeypatch):
    """Frames take 12 ms, hits are answered a frame later; beats are out within half a frame of when they are, however long frames take."""
    takes, out, render = 0.012, [], hall.show.instrument.render

    def slow(*arguments):
        hall.moment += takes
        return render(*arguments)

    monkeypatch.setattr(hall.show.instrument, "render", slow)
    counts = dict(hall.listening.counts)
    for n in range(int(FPS * 14)):
        begun = hall.moment
        hits = [("kick", 1.0)] if n % 15 == 0 else []
        hall.play(beat=hall.beat(110.0), hits=hits)
        out += [(kind, hall.moment - START) for kind in ("beat", "kick") if hall.listening.counts[kind] > counts[kind]]
        counts = dict(hall.listening.counts)
        hall.moment = begun + 1 / FPS
    period, late = 60 / 110, [at for kind, at in out if kind == "beat" and at > 5]
    off = [at - round(at / period) * period for at in late]
    assert len(off) > 14 and max(map(abs, off)) <= 0.5 / FPS + 0.002 and abs(sum(off) / len(off)) < 0.005
    assert hall.listening.report()["hit_to_frame_ms"]["p50"] == pytest.approx(takes * 1000, abs=0.1)


def follows(hall, source="audio", tempo=100.0, seconds=4, confidence=1.0, ahead=0.0):
    hall.show.scene = hall.show.scene.set_values({"/tempo/source": source, "/tempo/ahead": ahead})
    hall.play(int(FPS * seconds), beat=hall.beat(tempo, confidence=confidence))


def test_the_tempo_follows_what_is_heard(hall):
    follows(hall)
    beats = (hall.moment - START) * 100 / 60
    assert hall["/tempo"] == 100.0 and hall.tempo.following
    assert abs((hall.show.motion.beat - beats + 0.5) % 1 - 0.5) < 0.01


@pytest.mark.parametrize("source, confidence", [("midi", 1.0), ("internal", 1.0), ("link", 1.0), ("audio", 0.2)])
def test_the_tempo_stays_where_it_is_not_to_follow(hall, source, confidence):
    follows(hall, source, confidence=confidence)
    assert hall["/tempo"] == 120.0 and not hall.tempo.following


def test_the_tempo_stays_when_nothing_is_heard_any_more(hall):
    follows(hall)
    hall.play(FPS * 4, beat=hall.beat(140.0, confidence=0.0))
    assert hall["/tempo"] == 100.0 and not hall.tempo.following and hall["/tempo/nudge"] == 0.0


def test_sound_never_overrules_a_clock(hall):
    at = hall.moment
    for n in range(24 * 14):
        hall.tempo.receive_clock("clock", at + n * 60 / 133 / 24, 0, "Box")
    follows(hall, "audio", seconds=5)
    assert hall["/tempo"] == pytest.approx(133.0, abs=0.3)


def test_double_and_half(hall):
    follows(hall)
    hall.rig.send("/tempo/double")
    hall.play(beat=hall.beat(100.0))
    assert hall["/audio/low-tempo"] == 160.0
    follows(hall, tempo=200.0)
    assert hall["/tempo"] == 200.0
    hall.rig.send("/tempo/half")
    hall.play(beat=hall.beat(200.0))
    assert hall["/audio/low-tempo"] == 80.0


def test_double_and_half_without_any_sound(hall):
    hall.rig.send("/tempo/half")
    before = hall.show.motion.beat
    hall.play()
    assert hall["/tempo"] == 60.0 and hall["/audio/low-tempo"] == 80.0 and abs(hall.show.motion.beat - before) < 1
    hall.rig.send("/tempo/half")
    hall.rig.send("/tempo/half")
    hall.play(2)
    assert hall["/tempo"] == 30.0                    # 15 is none


def test_taps_say_which_multiple_is_meant(hall):
    follows(hall, tempo=87.0)
    for _ in range(5):
        hall.show.apply(hall.tempo.tap(hall.moment))
        hall.play(beat=hall.beat(87.0))
        hall.moment += 60 / 174 - 1 / FPS
    assert hall["/audio/low-tempo"] == pytest.approx(174 / 2 ** 0.5, abs=2) and hall["/tempo"] == 87.0


def test_link_is_followed_to_its_bar(hall):
    hall.show.scene = hall.show.scene.set_values({"/tempo/source": "link", "/tempo/ahead": 0.0})
    for n in range(40):
        hall.show.inbox.put(ControlEvent("osc /link/beat", (96.0, 2.0 + n * 0.1 * 96 / 60), at=hall.moment))
        hall.play(3)
    assert hall["/tempo"] == 96.0
    there = 2.0 + (hall.moment - START) * 96 / 60
    assert abs((hall.show.motion.beat - there + 2) % 4 - 2) < 0.1


@pytest.mark.parametrize("arguments", [("fast", 1.0), (5.0, 1.0), (math.nan, 1.0), (120.0, math.inf)])
def test_what_link_can_not_have_said(hall, arguments):
    with pytest.raises(UserError, match="/link/beat"):
        from live.show.tempo_commands import link
        link(hall.show, *arguments, at=1.0)


# -- modulators, presets, takes


@pytest.mark.parametrize("shape", ["envelope", "follow", "hit", "stepper", "clock"])
def test_modulators_follow_sound(hall, shape):
    source = ("/audio/low",) if shape == "envelope" else ()
    hall.rig.send("/modulators/add", "m", "/truncation", shape, 0.5, *source)
    drawn = set()
    for n in range(60):
        hits = [("kick", 1.0)] if n % 15 == 0 else []
        hall.play(low=0.9 if n % 20 < 5 else 0.1, hits=hits)
        drawn.add(round(modulate(hall.show.scene, hall.show.motion)["/truncation"], 3))
    assert len(drawn) >= (4 if shape == "stepper" else 10) and hall["/truncation"] == 0.8


def test_a_stepper_goes_through_its_places(hall):
    hall.rig.send("/modulators/add", "m", "/truncation", "stepper", 1.0, "/audio/snare")
    hall.play(2)
    hall.show.scene = hall.show.scene.set_values({"/modulators/m/places": (0.0, 0.5, 1.0), "/truncation": -1.0})
    hall.play(30)
    found = []
    for n in range(7):
        hall.play(hits=[("snare", 1.0)])
        hall.play(20)
        found.append(round(modulate(hall.show.scene, hall.show.motion)["/truncation"], 2))
    assert found == [-1.0, 0.5, 2.0, -1.0, 0.5, 2.0, -1.0]


def test_one_band_of_the_spectrum_is_followed(hall):
    hall.rig.send("/modulators/add", "m", "/truncation", "envelope", 1.0, "/audio/spectrum/3")
    hall.play(40, low=0.1)
    assert modulate(hall.show.scene, hall.show.motion)["/truncation"] == pytest.approx(0.8 + 0.25 * 3, abs=0.02)


@pytest.mark.parametrize("source, words", [("/audio/spectrum", "/audio/spectrum/0"), ("/audio/spectrum/32", "no parameter"), ("/audio/bass", "no parameter")])
def test_sources_that_can_not_be_followed(hall, source, words):
    from live.show.modulator_commands import add
    with pytest.raises(UserError, match=words):
        add(hall.show, "m", "/truncation", "envelope", 0.5, source)


def test_nothing_is_put_on_what_is_heard(hall):
    from live.show.modulator_commands import add
    with pytest.raises(UserError, match="not for modulators"):
        add(hall.show, "m", "/audio/low", "sine")


def test_presets_hold_modulators_and_not_what_is_heard(hall, tmp_path):
    hall.rig.send("/modulators/add", "m", "/truncation", "follow", 0.5)
    hall.play(3, low=0.5)
    hall.rig.send("/preset/store", "sound")
    hall.play(3, low=1.0)
    hall.rig.send("/modulators/clear")
    hall.play(2, low=1.0)
    hall.rig.send("/preset/recall", "sound")
    hall.play(2, low=1.0)
    assert hall.show.scene.modulators[0].source == "/audio/low" and hall["/audio/low"] == 1.0
    assert all(is_below(a, MASTERS) for a in TURNED)
    hall.rig.close()                                 # now it is on the disk
    text = (tmp_path / "scenes" / "sound.yaml").read_text()
    assert "/audio/low" in text and "  /audio/" not in text              # as the source of a modulator, and nowhere else


def test_a_take_plays_again_without_the_sound(hall, tmp_path):
    hall.rig.send("/modulators/add", "m", "/truncation", "hit", 0.5)
    hall.play(3)
    hall.show.recording.record_to(tmp_path / "a.take")
    shown = len(hall.rig.screen)
    for n in range(45):
        hall.play(low=(n % 7) / 7, hits=[("kick", 1.0)] if n % 10 == 0 else [], beat=hall.beat(130.0))
    first = list(hall.rig.screen[shown:])
    hall.show.recording.stop_take()
    hall.rig.close()
    again = scenes_of(TakeReader(tmp_path / "a.take", hall.rig.base, hall.rig.hash), hall.show)
    assert [digest for *_, digest in again] == [hashlib.sha256(picture).hexdigest() for picture in first]
    assert len({digest for *_, digest in again}) > 10


def test_what_is_bound_is_found_in_the_report(hall):
    hall.play(5, hits=[("kick", 1.0)])
    hall.play()
    report = hall.listening.report()
    assert report["heard"]["kick"] == 5 and report["hit_to_frame_ms"]["p50"] >= 0.0
    assert hall.show.meter.report()["control_to_frame_ms"]["by_source"]["audio"]["p50"] >= 0.0
