"""Edits and weight presets in a show: faders, fades, takes, files that are wrong, edits that join."""
import logging
import re
import threading

import pytest
import yaml

from engine import rewriting
from engine.checkpoints import native
from engine.errors import UserError
from live.instrument.check import check
from live.mapping.mapping import Mapping
from live.show.events import ControlEvent
from live.takes.take import TakeReader
from live.weights.folder import read_folder
from live.weights.presets import WeightPreset, read_file, select_values
from tests.conftest import tiny
from tests.engine.rewriting.test_edit import edit_of
from tests.engine.test_weights_live import bits, other
from tests.live.memory_rig import Rig, scenes_of

WEIGHTS = """schema: 1
checkpoints: {winter: winter.safetensors}
presets:
- {name: base}
- {name: "hats, no mouth", edits: {hats: 1.0, mouth: -1.0}}
- {name: half winter, checkpoints: {winter: {amount: 0.5, fine: 0.0}}, seconds: 0.2}
"""
HATS, MOUTH, WINTER = "/edits/hats/strength", "/edits/mouth/strength", "/weights/winter/amount"


def fill(folder, **edits):
    """An instrument's folder with edits, another checkpoint and weight presets."""
    own = native.generator_hash(tiny())
    for n, (name, layer) in enumerate((edits or {"hats": "b16.conv1", "mouth": "b32.conv0"}).items()):
        edit = edit_of(tiny(), layer, seed=n, name=name)
        rewriting.save(folder / "edits" / f"{name}.safetensors", rewriting.Edit(name, layer, edit.directions, edit.values, {}, own))
    if not edits:
        native.save(folder / "winter.safetensors", other(), "float32")
        (folder / "weights.yaml").write_text(WEIGHTS)
    return folder


@pytest.fixture
def rig(tmp_path):
    made = Rig(fill(tmp_path), weights=True)
    yield made
    made.close()


def value(rig, address):
    return rig.show.scene[address]


def test_faders_reach_every_edit_and_zero_brings_the_base_back(rig):
    first = rig.play()
    rig.send("/walk/kind", "hold")
    rig.send(HATS, 1.0)
    rig.send("/n/edits/mouth/strength", 1.0)
    assert rig.play() != first
    assert value(rig, MOUTH) == 2.0
    rig.send("/edits/*/strength", 0.0)
    assert rig.play() == first
    assert bits(rig.generator) == bits(tiny())


@pytest.mark.parametrize("which", ["hats, no mouth", 2, 2.0])
def test_recalled_by_name_or_number_everything_else_is_at_rest(rig, which):
    rig.send(WINTER, 0.7)
    rig.play()
    rig.send("/weights/recall", which)
    rig.play()
    assert (value(rig, HATS), value(rig, MOUTH), value(rig, WINTER)) == (1.0, -1.0, 0.0)


def test_a_program_change_can_be_bound_to_it(rig):
    rig.show.mapping = Mapping.load([])
    rig.show.mapping = mapping_of(rig, "- {control: program 2, to: /weights/recall}")
    rig.show.inbox.put(ControlEvent("program 2/2", 1.0, True))
    rig.play()
    assert value(rig, HATS) == 1.0


def mapping_of(rig, bindings):
    path = rig.show.recording.takes / "mapping.yaml"
    path.write_text(f"schema: 1\nbindings:\n{bindings}\n")
    return Mapping.load([path])


def test_a_fade_goes_straight_there_and_ends_on_it(rig):
    rig.send("/weights/recall", "hats, no mouth", 1.0)
    rig.send("/morph/ease", "linear")
    seen = []
    for _ in range(33):
        rig.play()
        seen.append(value(rig, HATS))
    assert seen[-1] == 1.0 and value(rig, MOUTH) == -1.0
    steps = [b - a for a, b in zip(seen, seen[1:]) if b != a]
    assert len(steps) >= 28 and all(0 < step < 0.08 for step in steps)


def test_whose_seconds_count(rig):
    rig.send("/weights/seconds", 5.0)
    rig.send("/weights/recall", "half winter")                       # its own: 0.2 s
    rig.play(8)
    assert (value(rig, WINTER), value(rig, "/weights/winter/fine")) == (0.5, 0.0)
    rig.send("/weights/recall", "hats, no mouth", 0.0)               # the recall's
    rig.play()
    assert value(rig, HATS) == 1.0
    rig.send("/weights/recall", "base")                              # the performer's
    rig.play(75)
    assert 0.4 < value(rig, HATS) < 0.6


def test_a_second_recall_goes_on_from_where_the_first_has_got_to(rig):
    rig.send("/weights/recall", "hats, no mouth", 1.0)
    rig.play(15)
    middle = value(rig, HATS)
    rig.send("/weights/recall", "base", 1.0)
    rig.play(2)
    assert 0.3 < middle < 0.7 and abs(value(rig, HATS) - middle) < 0.05
    rig.play(31)
    assert value(rig, HATS) == value(rig, MOUTH) == 0.0


def test_a_hand_on_a_fader_has_it_and_the_rest_fades_on(rig):
    rig.send("/weights/recall", "hats, no mouth", 1.0)
    rig.play(10)
    rig.send(HATS, 0.25)
    rig.play(120)
    assert (value(rig, HATS), value(rig, MOUTH)) == (0.25, -1.0)


@pytest.mark.parametrize("address", ["/edits/*/strength", HATS])
def test_reset_then_recall_in_one_bundle(rig, address):
    """A recall in the frame of a touch fades: the touch came before it. One that comes after it has its parameter."""
    rig.send(HATS, -1.0)
    rig.play(3)
    rig.send(address, 0.5)
    rig.send("/weights/recall", "hats, no mouth", 1.0)
    rig.play(40)
    assert (value(rig, HATS), value(rig, MOUTH)) == (1.0, -1.0)
    rig.send("/weights/recall", "base", 1.0)
    rig.send(HATS, 0.25)
    rig.play(40)
    assert (value(rig, HATS), value(rig, MOUTH)) == (0.25, 0.0)


def test_freeze_holds_a_fade(rig):
    rig.send("/weights/recall", "hats, no mouth", 1.0)
    rig.play(10)
    rig.send("/output/freeze", 1.0)
    rig.play()
    held = value(rig, HATS)
    rig.play(20)
    assert 0 < held < 1 and value(rig, HATS) == held
    rig.send("/output/freeze", 0.0)
    rig.play(120)
    assert value(rig, HATS) == 1.0


def test_a_recalled_look_overrules_a_fade_only_where_it_holds_weights(rig):
    rig.send("/preset/store", "whole")
    rig.send("/preset/store", "walk only", "latent")
    rig.play()
    for look_, end in (("walk only", 1.0), ("whole", 0.0)):
        rig.send("/weights/recall", "hats, no mouth", 1.0)
        rig.send("/preset/recall", look_)                             # in the same frame: hats is still at 0
        rig.play(40)
        assert value(rig, HATS) == end
        rig.send("/weights/recall", "base")
        rig.play()


def test_a_fade_during_a_morph_has_the_weights_and_the_morph_the_rest(rig):
    rig.send("/truncation", 0.2)
    rig.send(HATS, 2.0)
    rig.play()
    rig.send("/preset/store", "far")
    rig.send("/panic")
    rig.play()
    rig.send("/preset/recall", "far", 1.0)
    rig.play(5)
    rig.send("/weights/recall", "hats, no mouth", 0.5)
    rig.play(40)
    assert (value(rig, HATS), value(rig, MOUTH), value(rig, "/truncation")) == (1.0, -1.0, 0.2)


def test_a_morph_during_a_fade_takes_over(rig):
    rig.send(HATS, 0.5)
    rig.play()
    rig.send("/preset/store", "half")
    rig.send("/weights/recall", "base")
    rig.play()
    rig.send("/weights/recall", "hats, no mouth", 1.0)
    rig.play(5)
    rig.send("/preset/recall", "half", 1.0)
    rig.play(40)
    assert (value(rig, HATS), value(rig, MOUTH)) == (0.5, 0.0)


def test_next_and_previous_go_round(rig):
    heard = []
    for address in ("/weights/next",) * 3 + ("/weights/previous",) * 2:
        rig.send(address)
        rig.play(10)
        heard.append(rig.weights.current)
    assert heard == ["base", "hats, no mouth", "half winter", "hats, no mouth", "base"]


def test_clear_and_undo(rig):
    rig.send("/weights/recall", 2)
    rig.play()
    rig.send("/weights/clear")
    rig.play()
    assert value(rig, HATS) == value(rig, MOUTH) == 0.0
    rig.send("/undo")
    rig.play()
    assert (value(rig, HATS), value(rig, MOUTH)) == (1.0, -1.0)
    rig.send("/undo")
    rig.play()
    assert value(rig, HATS) == 0.0
    rig.send("/redo")
    rig.play()
    assert value(rig, HATS) == 1.0


def test_undo_in_a_fade_goes_back_and_stays(rig):
    rig.send("/weights/recall", 2, 1.0)
    rig.play(10)
    rig.send("/undo")
    rig.play(40)
    assert value(rig, HATS) == 0.0


def test_locked_weights_stay(rig):
    rig.send("/lock", HATS)
    rig.play()
    rig.send("/weights/recall", 2)
    rig.play()
    assert (value(rig, HATS), value(rig, MOUTH)) == (0.0, -1.0)


def test_a_recall_waits_for_the_beat_beside_a_look_that_waits(rig):
    rig.send("/truncation", 0.3)
    rig.play()
    rig.send("/preset/store", "low", "latent")
    rig.send("/truncation", 0.8)
    rig.send("/quantise", "beat")
    rig.play()
    rig.send("/weights/recall", 2)
    rig.send("/preset/recall", "low")
    rig.play()
    assert value(rig, HATS) == 0.0
    rig.play(16)
    assert (value(rig, HATS), value(rig, "/truncation")) == (1.0, 0.3)


def test_store_writes_what_plays_and_keeps_what_a_hand_wrote(rig, tmp_path):
    rig.send(HATS, 0.5)
    rig.send(WINTER, 1.0)
    rig.send("/weights/winter/coarse", 0.25)
    rig.play()
    path = tmp_path / "weights.yaml"
    path.write_text(path.read_text() + "- {name: by hand, edits: {mouth: 2.0}}\n")
    rig.send("/weights/store", "mine")
    rig.play()
    rig.weights.presets.flush()
    found = read_file(path)
    assert [preset.name for preset in found.presets] == ["base", "hats, no mouth", "half winter", "by hand", "mine"]
    assert found.presets[-1] == WeightPreset(name="mine", edits={"hats": 0.5}, checkpoints={"winter": {"amount": 1.0, "coarse": 0.25}})
    assert found.presets[2].seconds == 0.2 and found.checkpoints == {"winter": "winter.safetensors"}
    rig.send("/weights/clear")
    rig.play()
    rig.send("/weights/recall", "mine")
    rig.play()
    assert (value(rig, HATS), value(rig, WINTER), value(rig, "/weights/winter/coarse")) == (0.5, 1.0, 0.25)


def test_store_over_one_and_delete_can_be_undone(rig, tmp_path):
    rig.send("/weights/store", 3.0)
    rig.play()
    rig.send("/weights/delete", "base")
    rig.play()
    rig.weights.presets.flush()
    found = read_file(tmp_path / "weights.yaml").presets
    assert [(p.name, p.checkpoints, p.seconds) for p in found] == [("hats, no mouth", {}, None), ("half winter", {}, 0.2)]
    rig.send("/undo")
    rig.send("/undo")
    rig.play(2)
    rig.weights.presets.flush()
    found = {p.name: p for p in read_file(tmp_path / "weights.yaml").presets}
    assert found.keys() == {"base", "hats, no mouth", "half winter"}
    assert found["half winter"].checkpoints == {"winter": {"amount": 0.5, "fine": 0.0}}


def test_an_undone_delete_gives_every_preset_its_number_again(rig, tmp_path):
    for address, argument in (("/weights/delete", 1.0), ("/undo", 1.0)):
        rig.send(address, argument)
        rig.play()
    rig.weights.presets.flush()
    names = ["base", "hats, no mouth", "half winter"]
    assert rig.weights.presets.list_names() == names == [preset.name for preset in read_file(tmp_path / "weights.yaml").presets]


def test_a_bare_press_stores_under_a_new_name(rig):
    rig.send("/weights/store")
    rig.play()
    rig.send("/weights/store")
    rig.play()
    assert rig.weights.presets.list_names()[-2:] == ["weights 001", "weights 002"]


def test_a_take_with_fades_plays_the_same_again_bit_for_bit(rig, tmp_path):
    rig.send("/walk/kind", "wander")
    rig.show.recording.record_to(tmp_path / "evening.take")
    rig.play(2)
    rig.send("/weights/recall", 2, 0.5)
    rig.play(8)
    rig.send(HATS, 1.7)
    rig.play(8)
    rig.send("/weights/recall", "half winter")
    rig.play(12)
    rig.show.recording.stop_take()
    rig.show.recording.writer.close()
    shown = [bytes(picture) for picture in rig.screen]
    again = Rig(tmp_path, weights=True)
    reader = TakeReader(tmp_path / "evening.take", again.instrument.scene(), again.hash)
    screen = scenes_of(reader, again.show)
    assert len(screen) == len(shown)
    twice = Rig(tmp_path, weights=True)
    assert scenes_of(TakeReader(tmp_path / "evening.take", twice.instrument.scene(), twice.hash), twice.show) == screen
    assert [bytes(p) for p in replayed(tmp_path, again)] == shown
    for made in (again, twice):
        made.close()


def replayed(tmp_path, rig):
    rig.show.outputs = [rig.screen]
    rig.screen.clear()
    for _ in TakeReader(tmp_path / "evening.take", rig.instrument.scene(), rig.hash).replay(rig.show):
        pass
    return rig.screen


# -- files


def test_a_preset_that_names_what_is_not_there_is_played_without_it(tmp_path, caplog):
    fill(tmp_path)
    (tmp_path / "weights.yaml").write_text("schema: 1\npresets: [{name: a, edits: {hats: 1.0, gone: 1.0, away: 1.0}}]\n")
    rig = Rig(tmp_path, weights=True)
    lines = [r.getMessage() for r in caplog.records if "weight preset" in r.getMessage()]
    assert lines == ["weight preset 'a': there is no /edits/gone/strength, /edits/away/strength; the rest of it is played"]
    rig.send("/weights/recall", "a")
    rig.play()
    assert value(rig, HATS) == 1.0
    rig.close()


def test_a_look_that_names_an_edit_that_is_gone_is_read_without_it(rig, tmp_path, caplog):
    rig.send(HATS, 1.0)
    rig.send(MOUTH, 0.5)
    rig.play()
    rig.send("/preset/store", "look")
    rig.play()
    rig.show.recall.library.flush()
    (tmp_path / "edits" / "hats.safetensors").unlink()
    later = Rig(tmp_path, weights=True)
    later.send("/preset/recall", "look")
    later.play()
    assert later.show.scene[MOUTH] == 0.5 and HATS not in later.show.scene.parameters
    assert [r.getMessage() for r in caplog.records if HATS in r.getMessage() and "left out" in r.getMessage()]
    later.close()


WRONG = {
    "presets: 3": "presets: expected a list",
    "presets: [{edits: {}}]": "name is missing",
    "presets: [{name: a, edits: {hats: much}}]": "expected a number",
    "presets: [{name: a, edits: {hats: .nan}}]": "hats: expected",
    "presets: [{name: a}, {name: a}]": "two are called 'a'",
    "presets: [{name: a, checkpoints: {winter: {size: 1.0}}}]": "unknown size; allowed: amount, mapping",
    "presets: [{name: a, seconds: -1}]": "expected at least 0",
    "tempo: 3": "unknown tempo; allowed: schema, checkpoints, presets",
    "presets: [": "not valid YAML",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_weights_file_that_is_wrong_says_where(tmp_path, text):
    (tmp_path / "weights.yaml").write_text(f"schema: 1\n{text}\n")
    with pytest.raises(UserError, match=re.escape(WRONG[text])) as refusal:
        read_folder(tmp_path, tiny())
    assert str(refusal.value).startswith(str(tmp_path / "weights.yaml"))


def test_a_later_schema_is_refused(tmp_path):
    (tmp_path / "weights.yaml").write_text("schema: 2\n")
    with pytest.raises(UserError, match="schema"):
        read_folder(tmp_path, tiny())


def test_what_fails_its_check_is_left_out_with_the_reason(tmp_path, caplog):
    fill(tmp_path)
    edits = tmp_path / "edits"
    (edits / "cut.safetensors").write_bytes((edits / "hats.safetensors").read_bytes()[:50])
    rewriting.save(edits / "foreign.safetensors", edit_of(tiny(), name="foreign"))
    (edits / "two words.safetensors").write_bytes((edits / "hats.safetensors").read_bytes())
    native.save(tmp_path / "narrow.safetensors", tiny(channels={4: 9, 8: 8, 16: 8, 32: 4}))
    (tmp_path / "weights.yaml").write_text(
        "schema: 1\ncheckpoints: {winter: winter.safetensors, gone: gone.pkl, narrow: narrow.safetensors, a/b: winter.safetensors}\n")
    found = read_folder(tmp_path, tiny(), [native.generator_hash(tiny())])
    assert [edit.name for edit in found.edits] == ["hats", "mouth"] and list(found.checkpoints) == ["winter"]
    reasons = {"/edits/cut": "not a whole safetensors file", "/edits/foreign": "solved for other weights", "/edits/two words": "name",
               "/weights/gone": "there is no such file", "/weights/narrow": "another architecture", "/weights/a/b": "name"}
    assert found.greyed.keys() == reasons.keys()
    for address, reason in reasons.items():
        assert reason in found.greyed[address] and "\n" not in found.greyed[address]
        assert sum(address in record.getMessage() for record in caplog.records) == 1
    rig = Rig(tmp_path, weights=True)
    assert rig.weights.report()["left_out"] == found.greyed
    rows = {(row.kind, row.name): row for row in check(rig.instrument, offer=found)}
    assert rows["edit", "hats"].passed and rows["checkpoint", "winter"].passed
    assert not rows["edit", "cut"].passed and "not a whole" in rows["edit", "cut"].reason
    assert not rows["checkpoint", "a/b"].passed
    rig.close()


def test_check_draws_each_weight_preset_or_says_what_it_lacks(rig):
    offer = rig.weights.offer
    assert all(row.passed for row in check(rig.instrument, offer=offer))
    broken = offer.file.model_copy(update={"presets": [*offer.file.presets, WeightPreset(name="lacking", edits={"gone": 1.0})]})
    rows = check(rig.instrument, offer=type(offer)(offer.folder, offer.edits, offer.checkpoints, broken))
    assert [(row.name, row.reason) for row in rows if not row.passed] == [("lacking", "there is no /edits/gone/strength")]


# -- joining during the show


def read_again(rig):
    rig.send("/edits/reload")
    rig.play()
    rig.weights.looking.join(120)
    return rig.play()


def test_an_edit_solved_during_the_show_joins_it(rig, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    rig.send("/walk/kind", "hold")
    rig.send(HATS, 1.0)
    rig.play()
    rig.send("/preset/store", "look")
    rig.show.recording.record_to(tmp_path / "evening.take")
    before = rig.play()
    fill(tmp_path, crown="b4.conv1")
    text = (tmp_path / "weights.yaml").read_text()
    (tmp_path / "weights.yaml").write_text(text + "- {name: crowned, edits: {crown: 1.0}}\n")
    assert read_again(rig) == before                                                         # nothing is seen of it yet
    assert "edits read again: new: crown" in caplog.text
    rig.send("/edits/crown/strength", 1.0)
    assert rig.play() != before
    for address, argument in (("/panic", 1.0), ("/preset/recall", "look"), ("/undo", 1.0)):    # scenes older than the edit
        rig.send(address, argument)
        rig.play()
        assert "/edits/crown/strength" in rig.show.scene.parameters
    rig.send("/weights/recall", "crowned")
    rig.play()
    assert value(rig, "/edits/crown/strength") == 1.0 and value(rig, HATS) == 0.0
    rig.show.recording.stop_take()
    rig.show.recording.writer.close()
    recorded = rig.show.recording.writer.frames
    again = Rig(tmp_path, weights=True)
    assert [bytes(p) for p in replayed(tmp_path, again)] == [bytes(p) for p in rig.screen[-recorded:]]
    again.close()


def test_an_edit_whose_file_is_gone_plays_on_and_one_that_changed_is_the_new_one(rig, tmp_path):
    rig.send("/walk/kind", "hold")
    rig.send(HATS, 1.0)
    rig.send(MOUTH, 1.0)
    before = rig.play()
    (tmp_path / "edits" / "hats.safetensors").unlink()
    assert read_again(rig) == before
    edit = edit_of(tiny(), "b32.conv0", rank=3, seed=9, name="mouth")
    rewriting.save(tmp_path / "edits" / "mouth.safetensors", rewriting.Edit("mouth", edit.layer, edit.directions, edit.values))
    rig.send("/output/freeze", 1.0)
    assert read_again(rig) == before                                                         # a frozen picture stays up
    rig.send("/output/freeze", 0.0)
    changed = rig.play()                                                                     # with nothing turned
    assert changed != before
    alone = Rig(tmp_path, weights=True)
    for address, at in (("/walk/kind", "hold"), (MOUTH, 1.0)):
        alone.send(address, at)
    rig.send(HATS, 0.0)
    assert rig.play() == alone.play() != changed
    alone.close()


def test_what_is_stored_around_a_reload_is_there_after_it(rig, monkeypatch):
    read, go_on = threading.Event(), threading.Event()

    def slow(*arguments, **named):
        found = read_folder(*arguments, **named)
        read.set()
        go_on.wait(120)
        return found

    monkeypatch.setattr("live.weights.weights.read_folder", slow)
    rig.send("/weights/store", "just before")
    rig.send("/edits/reload")
    rig.play()
    assert read.wait(120)
    rig.send("/weights/store", "meanwhile")
    rig.send("/weights/delete", "base")
    rig.play()
    go_on.set()
    rig.weights.looking.join(120)
    rig.play()
    assert rig.weights.presets.list_names() == ["hats, no mouth", "half winter", "just before", "meanwhile"]


def test_a_checkpoint_of_a_bad_name_stays_out_when_the_edits_are_read_again(rig, tmp_path):
    text = (tmp_path / "weights.yaml").read_text()
    (tmp_path / "weights.yaml").write_text(text.replace("{winter: winter.safetensors}", "{winter: winter.safetensors, a/b: winter.safetensors}"))
    read_again(rig)
    assert rig.weights.report()["checkpoints"] == ["winter"] and "name" in rig.weights.report()["left_out"]["/weights/a/b"]


def test_a_weights_file_broken_during_the_show_changes_nothing(rig, tmp_path, caplog):
    (tmp_path / "weights.yaml").write_text("presets: 3\n")
    read_again(rig)
    assert "edits stay as they were" in caplog.text
    assert rig.weights.presets.list_names() == ["base", "hats, no mouth", "half winter"]


def test_a_show_without_a_folder_says_so(caplog):
    rig = Rig(strict=False)
    rig.send("/weights/recall", "a")
    rig.play()
    assert "no folder of edits" in caplog.text


@pytest.mark.parametrize("which, says", [("no such", "no weight preset 'no such'"), (9, "no weight preset number 9"), (0.2, "number 0"), (float("nan"), "no weight preset nan")])
def test_a_weight_preset_that_is_not_there(rig, which, says, caplog):
    rig.show.strict = False
    rig.send("/weights/recall", which)
    rig.play()
    assert says in caplog.text and value(rig, HATS) == 0.0


def test_a_setting_out_of_range_is_at_its_end(rig):
    values, missing = select_values(WeightPreset(name="a", edits={"hats": 9.0}), rig.weights.parameters)
    assert values[HATS] == 2.0 and not missing


def test_the_file_is_plain_yaml_with_a_schema(rig, tmp_path):
    rig.send("/weights/store", "a")
    rig.play()
    rig.weights.presets.flush()
    assert yaml.safe_load((tmp_path / "weights.yaml").read_text())["schema"] == 1


def test_the_weight_presets_that_come_with_the_project_find_their_edits():
    from live.instrument import folder as instruments
    from live.instrument.open import open_instrument

    opened = open_instrument(instruments.BUILT_IN, threads=1)
    assert not opened.offer.greyed and len(opened.offer.file.presets) > 2
    assert all(not select_values(preset, opened.instrument.weights.parameters)[1] for preset in opened.offer.file.presets)


def test_a_budget_that_a_change_does_not_fit_into_is_told_once(rig):
    said = []
    rig.show.notices.tell = lambda text, kind="": said.append(text)
    weights = rig.show.instrument.weights
    weights.patient, weights.pace = True, 100.0
    rig.send("/weights/budget", 1.0)
    rig.send(WINTER, 0.7)
    rig.play(6)
    frames = round(weights.count_frames(1.0))
    assert frames > 10 and said == [f"a change of all weights takes {frames} frames at /weights/budget 1 ms"]
