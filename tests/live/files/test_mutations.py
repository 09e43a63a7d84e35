"""Every kind of text file a person or a crash can spoil: read or refused in one line, whatever is in it."""
import json
import random

import pytest

from engine import clusters
from engine.errors import UserError
from engine.rewriting.request_file import read_request
from live.files.config import read_plain, read_yaml
from live.instrument import folder as instruments
from live.mapping import files as mapping_file
from live.midi import devices
from live.outputs.spec import read_outputs
from live.presets.autosave import load_autosave, read_locks
from live.presets.preset import read_file
from live.presets.set_list import SetListFile
from live.show.parameters import add_parameters
from live.takes.take import TakeReader
from live.weights.presets import WeightsFile
from tests.live.memory_rig import Rig

SPOILS = ["[", "]", "{", "}", "[" * 70, "{\"a\":" * 70, "&a ", "*a", "!!python/object:os.system ", "\x00", "\t", ": ", "- ", "'", '"', "\\", "1" * 400, "1e999", "-1e999", "NaN", ".nan", ".inf",
          "null", "true", "~", "é", "\ud800", "0x" + "f" * 300, "-1", "99999999999", "#", "|", ">", "\n", "\n\n  ", ",", "{}", "[]", "\"\"", "/quit", "\x1b[2J", "schema: 2", "\"schema\":2,"]


def spoil(text, chance):
    """A text with a few pieces changed, doubled, moved or gone."""
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(text) + 1), chance.choice((0, 0, 1, 1, 3, 10, 60))
        piece = chance.choice((chance.choice(SPOILS), text[at:at + length] * 2, ""))
        text = text[:at] + piece + text[at + length:]
    return text.encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """(file's name, its text, what reads it) of each kind, from files a show has written."""
    folder = tmp_path_factory.mktemp("files")
    rig = Rig(folder)
    rig.show.recording.record_to(folder / "a.take")
    rig.show.recording.start_autosave(folder / "last.json")
    rig.send("/bends/add", "eyes", "b4.conv1", "0,1", "scale", 0.5)
    rig.send("/modulators/add", "slow", "/truncation", "sine")
    rig.play(4)
    rig.send("/truncation", 0.4)
    rig.send("/walk/kind", "wander")
    rig.send("/preset/store", "look")
    rig.send("/preset/move", "look", 1)
    rig.play(10)
    rig.close()
    kinds = {
        "preset.yaml": ((folder / "scenes" / "look.yaml").read_text(), lambda path: read_file(path, add_parameters(rig.base), rig.hash, rig.bend)),
        "setlist.yaml": ("schema: 1\npresets: [look, other]\nbanks: {slow: [look]}\n", lambda path: read_yaml(path, SetListFile)),
        "weights.yaml": ("schema: 1\npresets:\n  - {name: a, edits: {hats: 1.0}, seconds: 2.0}\n", lambda path: read_yaml(path, WeightsFile)),
        "instrument.yaml": ("schema: 1\nname: Tiny\ngenerator: net.pkl\nstart: {/truncation: 0.7}\n", lambda path: read_yaml(path, instruments.Description)),
        "mapping.yaml": ((mapping_file.FOLDER / "keyboard.yaml").read_text(encoding="utf-8"), mapping_file.read),
        "profile.yaml": ((mapping_file.FOLDER / "devices" / "nanokontrol2.yaml").read_text(encoding="utf-8"), devices.load),
        "outputs.yaml": ("schema: 1\noutputs:\n  - {name: wall, kind: window, fill: mirror, pin: [[0, 0], [1, 0], [1, 1], [0, 1]], colour: {gamma: 1.1}}\n",
                         lambda path: read_outputs(read_plain(path), {"window": None})),
        "take.take": ((folder / "a.take").read_text(), lambda path: [list(TakeReader(path, rig.base, rig.hash, rig.bend).read_frames()), TakeReader(path, rig.base).measure_length()]),
        "last.json": ((folder / "last.json").read_text(), lambda path: [load_autosave(path, rig.base, rig.hash, rig.bend), read_locks(path)]),
        "clusters.yaml": ("format: latent-jockey clusters\nschema: 1\ngenerator: 0ad8903c992f7babe3c5aaa084a9f14d\nabout: {method: correlation, samples: 100, seed: 0}\n"
                          'layers:\n  b16.conv0:\n    "0": [7, 15, 22]\n    "head": [27, 36]\n  b32.conv1:\n    "eyes": [24]\n', clusters.load),
        "request.json": (json.dumps({"object": [1, None], "paste": [[2, None]], "key": [[3, None]]}), read_request),
    }
    return folder, kinds


KINDS = ("preset.yaml", "setlist.yaml", "weights.yaml", "instrument.yaml", "mapping.yaml", "profile.yaml", "outputs.yaml", "take.take", "last.json", "clusters.yaml", "request.json")


@pytest.mark.parametrize("kind", KINDS)
def test_spoilt_files_are_read_or_refused_in_lines(spoilt, kind):
    folder, kinds = spoilt
    text, read = kinds[kind]
    chance, path, refused = random.Random(kind), folder / kind, 0
    for _ in range(250):
        path.write_bytes(spoil(text, chance))
        try:
            read(path)
        except UserError as error:
            refused += 1
            assert len(str(error)) < 4000 and "\x1b" not in str(error) and "\x00" not in str(error), str(error)[:300]
    assert refused > 20
