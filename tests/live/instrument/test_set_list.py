"""A set list that walks through several networks: looks say which network they are of; the next one's is opened ahead of time."""
import numpy as np
import pytest
import yaml

from engine.checkpoints import native
from live.instrument.switch import Switch
from live.presets.deck import Deck
from live.presets.morph import Manner
from live.presets.trail import Trail
from live.show.governor import Governor
from live.stage.running import Running
from tests.conftest import tiny
from tests.engine.shapes import shaped
from tests.live.instrument.test_finds import Playing, save
from tests.live.instrument.test_switch import Screen

AMOUNT = "/directions/a/amount"


@pytest.fixture
def one(tmp_path, monkeypatch):
    """A show of `net` with the looks low and high; another network, `other`, lies beside it, and is of another shape."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = native.save(tmp_path / "net.safetensors", tiny(), "float32")
    native.save(tmp_path / "other.safetensors", shaped("wide"), "float32")
    save(tmp_path / "other", shaped("wide"))
    playing = Playing(network)
    show = playing.show
    playing.switch = Switch(show, playing.opened, 30.0, False, "fp32", size=32, device="cpu", threads=1)
    playing.running = Running(show)
    show.join(switch=playing.switch, governor=Governor(show, 30.0, [32]), running=playing.running, deck=Deck(show), trail=Trail(show))
    playing.screen = Screen()
    show.outputs.append(playing.screen)
    for name, value in (("low", 0.2), ("high", 0.9)):
        playing.send("/truncation", value)
        playing.play()
        playing.send("/preset/store", name)
        playing.play()
    playing.send("/instrument/seconds", 0.1)
    playing.play()
    yield playing
    show.close()


def settle(one, until, frames=2000):
    """Play until a condition holds, waiting for what loads beside the show."""
    for _ in range(frames):
        if one.switch.loading is not None:
            one.switch.loading.join(60)
        one.play()
        if until():
            return
    raise AssertionError("it did not come")


def test_the_instruments_there_are_are_listed(one, tmp_path):
    (tmp_path / "._other.pkl").write_bytes(b"what a Mac leaves on a stick")
    names = one.switch.list_near()
    assert names[:2] == ["net", "other"] and {"masks", "bloom", "beasts"} <= set(names) and len(names) == len(set(names)) and not [name for name in names if name.startswith(".")]
    assert one.switch.describe()["folder"] == "net"
    one.send("/instrument/open", names[1])                                 # each opens by the name it is listed by
    one.play()
    settle(one, is_there(one, "other"))
    assert one.switch.describe()["folder"] == "other"


def is_there(one, name):
    return lambda: one.switch.opened.name == name and not one.switch.is_busy


def store_other(one):
    """Keep a look of the other network among the show's own presets: go there by a step, turn its fader, store."""
    one.switch.recall_other("other", "plain", manner=Manner(), asked=True)
    settle(one, is_there(one, "other"))
    one.send(AMOUNT, 1.5)
    one.play()
    one.send("/preset/store", "moved")
    one.play()
    one.show.recall.library.flush()


@pytest.fixture
def both(one, tmp_path):
    """The same, with the look `moved` among its presets, which is of the other network."""
    (tmp_path / "other/scenes").mkdir()
    (tmp_path / "other/scenes/plain.yaml").write_text(yaml.safe_dump({"schema": 1, "values": {"/truncation": 0.5}}))
    store_other(one)
    return one


def test_a_look_of_another_network_says_so_and_leads_there_and_back(both, tmp_path):
    written = yaml.safe_load((tmp_path / "net/scenes/moved.yaml").read_text())
    assert written["instrument"] == "other" and written["network"] == "other.safetensors" and written["generator"] == both.switch.opened.generator
    assert both.show.recall.library.list_names() == ["high", "low", "moved"]
    both.send("/preset/recall", "low")
    both.play()
    settle(both, is_there(both, "net"))
    assert both.show.scene["/truncation"] == 0.2 and AMOUNT not in both.show.scene.parameters and both.show.recall.current == "low"
    assert both.show.instrument is both.opened.instrument
    both.send("/preset/recall", "moved")
    both.play()
    settle(both, is_there(both, "other"))
    assert both.show.scene[AMOUNT] == 1.5 and both.show.recall.current == "moved" and both.show.recall.library.list_names() == ["high", "low", "moved"]
    assert {picture.shape for picture in both.screen} == {(32, 32, 3)}


def test_the_set_list_walks_through_both_and_the_next_is_ready_before_its_time(both, tmp_path):
    both.send("/preset/recall", "low")
    both.play()
    settle(both, is_there(both, "net"))
    both.switch.loader.keep_only({both.opened.generator})
    both.switch.before = None
    path = tmp_path / "net/setlist.yaml"
    steps = [{"preset": "low", "hold": 3.0}, {"preset": "plain", "instrument": "other", "hold": 0.5}, {"preset": "moved", "hold": 0.5}, {"preset": "high", "hold": 0.5}]
    path.write_text(yaml.safe_dump({"schema": 2, "show": steps}))
    both.show.recall.library.refresh()
    both.send("/set/start")
    settle(both, lambda: any(item.name == "other" for item in both.switch.loader.resident.values()), 60)
    assert both.switch.opened.name == "net" and both.running.at == 0                       # it is ready, and the first look still plays
    seen, changes = [], []
    for _ in range(600):
        if both.switch.loading is not None:
            both.switch.loading.join(60)
        both.play()
        now = both.switch.opened.name, both.show.recall.current, both.running.at
        if not both.switch.is_busy and (not seen or seen[-1] != now):
            seen.append(now)
            changes.append(both.show.scene.values.get(AMOUNT, 0.0))
        if len(seen) == 5:
            break
    assert seen == [("net", "low", 0), ("other", "plain", 1), ("other", "moved", 2), ("net", "high", 3), ("net", "low", 0)]
    assert changes[2] == 1.5


def test_arrow_keys_and_a_cue_go_there_too(both):
    both.send("/preset/recall", "low")
    both.play()
    settle(both, is_there(both, "net"))
    both.send("/preset/next")
    both.play()
    settle(both, is_there(both, "other"))
    assert both.show.recall.current == "moved"
    both.send("/preset/cue", "high")
    both.send("/preset/go")
    both.play()
    settle(both, is_there(both, "net"))
    assert both.show.recall.current == "high" and both.show.scene["/truncation"] == 0.9


def test_decks_and_the_pad_say_why_they_cannot_hold_it(both, caplog):
    both.send("/preset/recall", "low")
    both.play()
    settle(both, is_there(both, "net"))
    both.send("/deck/load", ("a", "moved"))
    both.play(2)
    assert "preset moved is of other" in caplog.text


def test_a_network_that_is_gone_leaves_the_look_to_the_one_that_plays(both, tmp_path, caplog):
    both.send("/preset/recall", "low")
    both.play()
    settle(both, is_there(both, "net"))
    both.switch.loader.keep_only({both.opened.generator})
    both.switch.before = None
    (tmp_path / "other.safetensors").unlink()
    both.send("/preset/recall", "moved")
    both.play()
    settle(both, lambda: both.show.recall.current == "moved" and not both.switch.is_busy)
    assert both.switch.opened.name == "net" and "left out or changed" in caplog.text
    both.send("/preset/recall", "high")
    both.play(2)
    assert both.show.scene["/truncation"] == 0.9


def test_what_a_preset_of_another_network_says_is_not_lost(both, tmp_path):
    both.send("/preset/recall", "low")
    both.play()
    settle(both, is_there(both, "net"))
    path = tmp_path / "net/scenes/moved.yaml"
    before = yaml.safe_load(path.read_text())
    both.send("/preset/delete", "moved")
    both.play()
    both.show.recall.library.flush()
    assert not path.exists()
    both.send("/undo")
    both.play()
    both.show.recall.library.flush()
    assert yaml.safe_load(path.read_text()) == before


def test_macros_and_the_way_back_follow_the_network_that_plays(both):
    assert [both.show.mapping.macros[n].name for n in (1, 2)] == ["a", "b"]
    assert all(AMOUNT in kept.scene.parameters for kept in both.show.find_player("trail").moments)
    both.send("/preset/recall", "low")
    both.play()
    settle(both, is_there(both, "net"))
    assert not both.show.mapping.macros
    assert not any(AMOUNT in kept.scene.parameters for kept in both.show.find_player("trail").moments)
    assert both.switch.describe() == {"name": "net", "folder": both.opened.folder.folder.name, "key": both.opened.generator[:12], "before": "other", "opening": False}
    picture = both.opened.instrument.render(both.show.scene, both.show.motion, None).pixels
    assert np.array_equal(both.screen[-1], picture)
