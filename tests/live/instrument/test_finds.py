"""What is found in a network joins the show: by itself in a process beside it, or when a hand asks; where it lies; macros."""
import logging
import os
import stat

import pytest
import yaml

from engine import directions
from engine.checkpoints import native
from live.instrument import finds as playing
from live.instrument.analyse import analyse
from live.instrument.finds import Finds
from live.instrument.found import cache_folder, choose_folder
from live.instrument.open import open_instrument
from live.mapping.mapping import Mapping
from live.presets.recall import Recall
from live.show.clock import FixedClock, Pace
from live.show.events import ControlEvent
from live.show.loop import Show
from live.takes.recording import Recording
from live.takes.take import Origin, TakeReader
from tests.conftest import tiny
from tests.engine.directions.test_directions import along

AMOUNT = "/directions/a/amount"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def save(folder, generator=None, name="directions.safetensors", **more):
    generator = generator or tiny()
    found = along(generator, **more)
    return directions.save(folder / name, directions.Directions(found.names, found.vectors, found.unit, generator=native.generator_hash(generator)))


class Playing:
    """A show of a checkpoint alone, with Finds."""

    def __init__(self, path, looks=False, mapping=None):
        self.opened = open_instrument(path, threads=1, device="cpu")
        self.show = Show(self.opened.instrument, mapping or Mapping(), self.opened.scene, strict=True)
        self.finds = Finds(self.show, self.opened, looks)
        self.show.join(recall=Recall(self.show, self.opened.open_library()), finds=self.finds,
                       recording=Recording(self.show, path.parent, Origin("tiny", self.opened.generator, 32, 30.0)))
        self.ticks = FixedClock(30.0).ticks()

    def play(self, frames=1):
        for _, tick in zip(range(frames), self.ticks):
            self.show.frame(tick)

    def send(self, address, value=1.0):
        self.show.inbox.put(ControlEvent(f"osc {address}", value))


@pytest.fixture
def network(tmp_path):
    return native.save(tmp_path / "net.safetensors", tiny(), "float32")


@pytest.fixture
def start(network):
    running = []

    def begin(**more):
        running.append(Playing(network, **more))
        return running[-1]
    yield begin
    for one in running:
        one.show.close()


def test_they_are_there_at_the_start_and_on_the_macros(start, network):
    save(network.with_suffix(""))
    one = start()
    assert AMOUNT in one.show.scene.parameters and [m.name for m in one.show.mapping.macros.values()] == ["a", "b", "c"]
    one.send("/n/macro/1", 0.5)
    one.play()
    assert one.show.scene[AMOUNT] == 1.5


def test_macros_that_move_something_stay(start, network, tmp_path):
    save(network.with_suffix(""))
    (tmp_path / "m.yaml").write_text("schema: 1\nbindings: []\nmacros: [{macro: 3, name: mine, to: [{to: /truncation}]}]\n")
    one = start(mapping=Mapping.load([tmp_path / "m.yaml"]))
    assert one.show.mapping.macros[3].name == "mine" and not any(m.name == "a" for m in one.show.mapping.macros.values())


def test_new_ones_join_and_presets_takes_and_undo_hold_them(start, network, tmp_path):
    one = start()
    one.show.recording.record_to(tmp_path / "one.take")
    one.play(2)
    assert AMOUNT not in one.show.scene.parameters
    save(network.with_suffix("") / "directions", name="a.safetensors")
    one.send("/directions/reload")
    one.play()
    one.finds.reading.join(180)
    one.play()
    one.send(AMOUNT, 2.0)
    one.play()
    one.send("/preset/store", "moved")
    one.play()
    one.send("/directions/clear")
    one.play()
    assert one.show.scene[AMOUNT] == 0.0
    one.send("/preset/recall", "moved")
    one.play()
    assert one.show.scene[AMOUNT] == 2.0
    one.send("/take/stop")
    one.play()
    opened = open_instrument(network, threads=1, device="cpu")
    take = TakeReader(tmp_path / "one.take", opened.instrument.scene(), opened.generator, opened.instrument.bend)
    show = Show(opened.instrument, Mapping(), opened.scene, strict=True)
    seen = []
    for _ in take.replay(show, Pace(sleep=lambda seconds: None)):
        seen.append(show.scene.values.get(AMOUNT, 0.0))
    assert 2.0 in seen and seen[-1] == 2.0


def test_those_of_another_network_are_left_out_with_a_line(network, caplog):
    save(network.with_suffix(""), tiny(mapping_layers=3))
    with caplog.at_level(logging.WARNING):
        opened = open_instrument(network, threads=1, device="cpu")
    assert not opened.found.directions.names and "found in another network" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_left_alone(tmp_path):
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert choose_folder(tmp_path / "closed" / "net", "abc") == cache_folder("abc")


def test_what_the_cache_holds_is_found(start, network, tmp_path):
    save(cache_folder(native.generator_hash(tiny())))
    assert AMOUNT in start().show.scene.parameters


def test_a_stranger_is_analysed_beside_the_show(start, network, monkeypatch):
    monkeypatch.setattr(playing, "SETTLED", 0.0)
    monkeypatch.setattr(playing, "PICTURES", 16)
    one = start(looks=True)
    one.play(2)
    one.finds.looking.join(200)
    one.play(3)
    names = one.finds.describe()["directions"]
    assert names[:6] == ["light", "warmth", "edges", "symmetry", "colour", "area"] and "pc-1" in names
    assert sorted(path.name for path in network.with_suffix("").iterdir() if path.is_file()) == ["clusters.yaml", "directions.safetensors", "look.safetensors"]
    assert len(one.show.mapping.macros) == 8 and one.show.mapping.macros[1].name == "light"
    assert "/directions/light/amount" in one.show.scene.parameters
    assert Finds(one.show, open_instrument(network, threads=1, device="cpu"), True)._looks is False


def test_what_is_there_is_not_written_again(tmp_path):
    generator = tiny()
    assert len(analyse(generator, tmp_path, samples=8)) == 3
    before = yaml.safe_load((tmp_path / "clusters.yaml").read_text())
    assert analyse(generator, tmp_path, samples=8) == [] and yaml.safe_load((tmp_path / "clusters.yaml").read_text()) == before
