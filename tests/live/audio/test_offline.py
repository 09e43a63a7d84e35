"""Sound without a clock: a take that hears a file, and a song that becomes a clip. The same bits, whatever the machine's speed."""
import dataclasses
import hashlib
import types

import av
import numpy as np
import pytest

from engine.errors import UserError
from live.audio.offline import Whole, analyse_file
from live.show.sound_parameters import TURNED
from live.takes.clip import play_song
from live.takes.listened import listen
from live.takes.performance import play_ticks as moments_of
from live.takes.render import render
from live.takes.sound import Sound
from live.takes.take import TakeReader
from live.weights.folder import read_folder
from tests.conftest import tiny
from tests.engine.hearing.songs import FOUR, f_measure, pads, played
from tests.live.audio.rig import Hall, write_wav


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("song")
    song = played(FOUR, 120.0, 10.0, seed=1)
    write_wav(folder / "song.wav", song.samples)
    hall = Hall(folder)
    for name, psi in (("one", 0.2), ("two", 1.4)):
        hall.rig.send("/truncation", psi)
        hall.play()
        hall.rig.send("/preset/store", name)
        hall.play()
    hall.rig.send("/modulators/add", "m", "/truncation", "hit", 1.0)
    hall.play(30)
    hall.show.recording.record_to(folder / "a.take")
    for n in range(90):
        hall.play(low=0.5, hits=[("kick", 1.0)] if n == 45 else [])
    hall.rig.close()
    return types.SimpleNamespace(path=folder, song=song, rig=hall.rig)


def reader(folder):
    return TakeReader(folder.path / "a.take", folder.rig.base, folder.rig.hash)


def flashes(take):
    """Seconds at which what is drawn has just been hit."""
    found, before = [], 0.0
    for moment in moments_of(take):
        level = next(state[2] for state in moment.motion.modulators if state[0] == "m")
        if level == 1.0 and before < 1.0:
            found.append(moment.time)
        before = level
    return found


def test_a_take_hears_another_sound(folder):
    assert len(flashes(reader(folder))) == 1
    truth = [t for t in folder.song.hits["kick"] if t < 2.9]
    live, ahead = (flashes(listen(reader(folder), folder.path / "song.wav", way)) for way in ("live", "ahead"))
    assert f_measure(live, truth, 0.0, 0.06) >= 0.85 and f_measure(ahead, truth, 0.02, 0.04) >= 0.85
    late = flashes(listen(reader(folder), folder.path / "song.wav", "live", 1.0))
    assert f_measure(late, [t + 1.0 for t in truth if t < 1.9], 0.0, 0.06) >= 0.8       # of three the first may come before the gain has settled


@pytest.mark.parametrize("way", ["live", "ahead"])
def test_the_same_file_makes_the_same_picture(folder, way):
    rows = [[(str(m.scene.values), m.motion) for m in moments_of(listen(reader(folder), folder.path / "song.wav", way))] for _ in range(2)]
    assert rows[0] == rows[1] and len({row[0] for row in rows[0]}) > 60


def frames_of(path):
    with av.open(str(path)) as file:
        return [hashlib.sha256(frame.to_ndarray(format="rgb24").tobytes()).hexdigest() for frame in file.decode(video=0)]


def test_renders_are_identical_and_hear(folder, tmp_path):
    sound = folder.path / "song.wav"
    made = [frames_of(render(listen(reader(folder), sound, "live"), folder.rig.instrument, tmp_path / f"{n}.mkv", lossless=True, audio=Sound(sound)))
            for n in range(2)]
    plain = frames_of(render(reader(folder), folder.rig.instrument, tmp_path / "plain.mkv", lossless=True))
    assert made[0] == made[1] != plain and len(plain) == len(made[0])


def test_listening_needs_a_sound(folder, tmp_path):
    with pytest.raises(UserError, match="--listen needs --audio"):
        listen(reader(folder), None, "live")
    (tmp_path / "no.wav").write_text("words")
    with pytest.raises(UserError, match="no.wav"):
        listen(reader(folder), tmp_path / "no.wav", "live")


@pytest.fixture(scope="module")
def opened(folder):
    """What live.instrument.open gives, of the tiny network."""
    rig = folder.rig
    return types.SimpleNamespace(instrument=rig.instrument, scene=rig.instrument.scene(), generator=rig.hash, name="tiny", folder=types.SimpleNamespace(macros=()),
                                 offer=read_folder(folder.path, tiny(), [rig.hash]), open_library=lambda: rig.show.recall.library)


def test_a_song_becomes_a_take(folder, opened, tmp_path):
    loud, soft = played(FOUR, 120.0, 16.0, seed=1), pads(16.0, loud=0.1)
    song = write_wav(tmp_path / "song.wav", np.concatenate((loud.samples, soft)))
    heard = analyse_file(song, "ahead")
    path = play_song(opened, heard, tmp_path / "clip.take", ["one", "two"], fps=25.0)
    take = TakeReader(path, folder.rig.base, folder.rig.hash)
    rows = list(moments_of(take))
    assert len(rows) == 800 and rows[-1].time == pytest.approx(31.96)
    psi = {round(m.scene["/truncation"], 2): m.time for m in reversed(rows)}
    assert psi[0.2] == 0.0 and abs(psi[1.4] - 16.0) < 2.2                 # the section's preset
    assert {m.name for m in rows[-1].scene.modulators} == {"clip-beat", "clip-low", "clip-hit"}
    assert abs(rows[375].scene["/tempo"] - 120.0) < 0.5
    beats = [(m.time, m.motion.beat) for m in rows if 4 < m.time < 14]
    off = [(beat - (time - 0.5) * 2 + 0.5) % 1 - 0.5 for time, beat in beats]
    assert np.abs(off).max() < 0.1
    assert set(TURNED) <= set(rows[-1].scene.parameters)
    again = play_song(opened, heard, tmp_path / "again.take", ["one", "two"], fps=25.0)
    assert again.read_bytes() == path.read_bytes()


def test_presets_of_a_clip_that_are_not_there(folder, opened, tmp_path):
    with pytest.raises(UserError, match="no preset 'three'; there are: one, two"):
        play_song(opened, analyse_file(folder.path / "song.wav"), tmp_path / "clip.take", ["three"])


def test_what_is_heard_has_plain_values(folder):
    heard = analyse_file(folder.path / "song.wav", "ahead")
    assert all(isinstance(h.time, float) and (h.beat is None or np.isfinite(dataclasses.astuple(h.beat)).all()) for h in heard)


def test_a_song_that_is_heard_from_its_file_refuses_another_input():
    with pytest.raises(UserError, match="/audio/input card: a song is heard from its file"):
        Whole([]).choose("card")
