"""The presets that come with the instruments: all are in the set list, each draws a picture of its own, and those that hear move with the sound."""
import pathlib
from types import SimpleNamespace

import numpy as np
import pytest

from engine.motion import Motion
from live.files.config import read_yaml
from live.instrument import open as opening
from live.presets.preset import apply_preset
from live.presets.set_list import SetListFile
from live.surface.thumbnails import Thumbnails

HITS = ("/audio/kick", "/audio/snare", "/audio/hat")
BANDS = ("/audio/low", "/audio/mid", "/audio/high", "/audio/level")
PLAYED = sorted(path.parent for path in pathlib.Path("presets").glob("*/instrument.yaml"))
LEAST = {"masks": (40, 8)}          # presets there are at least, and such that play with the sound; of the others:
LEAST_OF_OTHERS = (8, 2)


@pytest.fixture(scope="module", params=PLAYED, ids=lambda path: path.name)
def opened(request):
    return opening.open_instrument(request.param, 64)


def count_least(opened):
    return LEAST.get(opened.folder.folder.name, LEAST_OF_OTHERS)


@pytest.fixture(scope="module")
def presets(opened):
    library = opened.open_library()
    return {name: library.read(name) for name in library.list_names()}


def find_sources(preset):
    """Return the parameters of the sound that a preset follows."""
    return {modulator.source for modulator in preset.modulators if (modulator.source or "").startswith("/audio/")}


def play(opened, preset, loud):
    """Return the picture two seconds on, in silence or with a hit and full bands from the second before last on."""
    scene, motion = apply_preset(preset, opened.scene, Motion())
    for step in range(21):
        sound = {address: float(loud and step >= 10) for address in BANDS} | {address: float(loud and step >= 20) for address in HITS}
        scene = scene.set_values(sound)
        motion = motion.advance(scene, 0.1 if step else 0.0)
    return opened.instrument.render(scene, motion).pixels.astype(int).copy()


def test_the_set_list_and_the_banks_name_every_preset(opened, presets):
    listed = read_yaml(opened.folder.folder / "setlist.yaml", SetListFile)
    files = {path.stem for path in opened.folder.scenes.glob("*.yaml")}
    assert len(files) >= count_least(opened)[0] and set(listed.presets) == files == set(presets) and len(listed.presets) == len(files)
    assert all(set(names) <= files for names in listed.banks.values())


def test_every_preset_comes_with_the_picture_that_the_page_shows(opened, presets):
    kept = Thumbnails(SimpleNamespace(recall=SimpleNamespace(library=opened.open_library(), has_library=True)), None)
    missing = [name for name in presets if not kept.is_there(name, kept.hash_preset(name))]
    assert not missing, f"python docs/pictures/presets.py draws them: {missing}"
    assert len(list((opened.folder.scenes / ".thumbs").iterdir())) == len(presets)


def test_every_preset_is_a_picture_of_its_own(opened, presets):
    pictures = {name: play(opened, preset, False) for name, preset in presets.items()}
    for name, picture in pictures.items():
        assert 15 < picture.mean() < 200 and picture.std() > 20, name              # neither black, white nor mud
    names = list(pictures)
    alike = [(a, b) for i, a in enumerate(names) for b in names[:i] if np.abs(pictures[a] - pictures[b]).mean() < 2]
    assert not alike


def test_those_that_hear_move_with_the_sound(opened, presets):
    hearing = {name: preset for name, preset in presets.items() if find_sources(preset)}
    assert len(hearing) >= count_least(opened)[1]
    for name, preset in hearing.items():
        assert np.abs(play(opened, preset, True) - play(opened, preset, False)).mean() > 4, name
