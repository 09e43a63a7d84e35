import builtins
import io
import logging
import os
import threading

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.bending import Bend
from engine.errors import UserError
from live.presets.preset import SECTIONS, find_section, read_file
from live.show.commands import call
from live.show.events import Call
from live.show.parameters import MASTERS, is_below
from tests.conftest import tiny
from tests.live.memory_rig import Rig

EYES = Bend("eyes", "b8.conv0", (1, 2), "solarize", {"threshold": 0.5}, selection="1-2")


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path, bends=[EYES])
    yield rig
    rig.close()


def store(rig, name, *sections):
    rig.send("/preset/store", *((name, *sections) if sections else (name,)))


def turn(rig, **values):
    for name, value in values.items():
        rig.send("/" + name.replace("_", "/"), value)


def test_a_recalled_preset_gives_the_identical_next_frame(rig):
    turn(rig, truncation=0.4, bends_eyes_mix=0.7, walk_kind="wander", style_fine_mix=0.5, style_fine_speed=1.5)
    rig.play(4)
    store(rig, "look")
    first, second = rig.play(), rig.play()
    turn(rig, truncation=1.2, bends_eyes_threshold=3.0, walk_seed=99, walk_kind="circle", noise_strength=3.0)
    rig.send("/panic")
    assert rig.play(7) != second
    rig.send("/preset/recall", "look")
    assert rig.play() == first and rig.play() == second


def test_it_survives_a_restart_and_brings_its_bends(tmp_path):
    rig = Rig(tmp_path, bends=[EYES])
    turn(rig, bends_eyes_threshold=1.25)
    rig.play()
    store(rig, "look")
    first = rig.play()
    rig.close()
    other = Rig(tmp_path)
    other.play(3)
    other.send("/preset/recall", "look")
    assert other.play() == first and other.show.scene.bends == (EYES,)
    other.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_is_turned_comes_back(rig, data):
    def turn_some():
        addresses = [a for a in rig.show.scene.parameters if not is_below(a, MASTERS) and a != "/echo/amount"]      # which shows pictures of before
        for address in data.draw(st.lists(st.sampled_from(addresses), max_size=12)):
            p = rig.show.scene.parameters[address]
            value = data.draw(st.lists(st.integers(0, 8), max_size=8).map(tuple)) if p.size else p.plain(data.draw(st.floats(0, 1)))
            rig.send(address, value)

    turn_some()
    rig.play()
    store(rig, "any")
    first = rig.play()
    turn_some()
    rig.play(2)
    rig.send("/preset/recall", "any")
    assert rig.play() == first
    rig.show.recall.library.flush()
    rig.send("/preset/recall", "any")                              # now from the file
    rig.show.recall.library.extend_instrument({})
    rig.show.recall.library.refresh()
    assert rig.play() == first


def test_parameters_a_preset_does_not_name_go_to_their_defaults_and_masters_stay(rig):
    rig.show.recall.library.make_path("bare").parent.mkdir(parents=True)
    rig.show.recall.library.make_path("bare").write_text("schema: 1\nvalues:\n  /truncation: 0.25\n")
    rig.show.recall.library.refresh()
    turn(rig, noise_strength=5.0, output_blackout=0.5, morph_step=0.2)
    rig.play()
    rig.send("/preset/recall", "bare")
    rig.play()
    scene = rig.show.scene
    assert scene["/truncation"] == 0.25 and scene["/noise/strength"] == 1.0 and scene.bends == ()
    assert scene["/output/blackout"] == 0.5 and scene["/morph/step"] == 0.2


def test_partial_presets_change_their_section_only(rig):
    turn(rig, truncation=0.1, bends_eyes_threshold=1.0)
    store(rig, "only bends", "bends")
    rig.play()
    turn(rig, truncation=0.9, bends_eyes_threshold=3.0)
    rig.play()
    motion = rig.show.motion
    rig.send("/preset/recall", "only bends")
    rig.play()
    assert rig.show.scene["/truncation"] == 0.9 and rig.show.scene["/bends/eyes/threshold"] == 1.0
    assert rig.show.motion.walk > motion.walk


@pytest.mark.parametrize("address, section", [("/walk/seed", "latent"), ("/truncation/cutoff", "latent"), ("/bends/a/mix", "bends"),
                                              ("/edits/hat/strength", "weights"), ("/source/mix", "source"), ("/tempo", "rest")])
def test_sections(address, section):
    assert find_section(address) == section and (section in SECTIONS or section == "rest")


def test_the_set_list_is_an_order(rig):
    for name in ("c", "a", "b"):
        store(rig, name)
        rig.play()
    assert rig.show.recall.library.list_names() == ["a", "b", "c"]
    rig.send("/preset/move", "c", 1)
    rig.play()
    assert rig.show.recall.library.list_names() == ["c", "a", "b"]
    heard = []
    for command in (("next",), ("next",), ("previous",), ("recall", 3), ("next",)):
        rig.send(f"/preset/{command[0]}", *command[1:])
        rig.play()
        heard.append(rig.show.recall.current)
    assert heard == ["c", "a", "c", "b", "c"]
    rig.send("/preset/cue", "a")
    rig.send("/preset/go")
    rig.play()
    assert rig.show.recall.current == "a"
    rig.show.recall.library.flush()
    assert yaml.safe_load(rig.show.recall.library.set_list.read_text())["presets"] == ["c", "a", "b"]


def test_banks(tmp_path):
    (tmp_path / "setlist.yaml").write_text("schema: 1\npresets: [b, a]\nbanks:\n  slow: [c, a]\n")
    rig = Rig(tmp_path)
    for name in "abc":
        store(rig, name)
        rig.play()
    rig.send("/preset/bank", "slow")
    rig.send("/preset/recall", 1)
    rig.play()
    assert rig.show.recall.current == "c" and rig.show.recall.library.list_names() == ["b", "a", "c"]
    rig.close()


def test_banks_made_while_playing(rig):
    library = rig.show.recall.library
    for name in "abc":
        store(rig, name)
        rig.play()
    for words in (("slow", "c"), ("slow",), ("slow", "a", 1), ("slow", "a", 1)):             # the second: the one that plays
        rig.send("/preset/bank/add", *words)
        rig.play()
    assert library.list_banks() == {"slow": ["a", "c"]}
    library.flush()
    assert yaml.safe_load(library.set_list.read_text())["banks"] == {"slow": ["a", "c"]}
    rig.send("/preset/bank", "slow")
    rig.send("/preset/bank/remove", "slow", "a")
    rig.send("/preset/recall", 1)
    rig.play()
    assert rig.show.recall.current == "c"
    rig.send("/preset/bank/remove", "slow")
    rig.play()
    assert library.list_banks() == {} and rig.show.recall.bank == "" and set(library.list_names()) == set("abc")
    rig.send("/undo")
    rig.play()
    assert library.list_banks() == {"slow": ["c"]}


@pytest.mark.parametrize("words, message", [(("/preset/bank/add", "slow", "nobody"), "no preset 'nobody'"), (("/preset/bank/add", "../up", "a"), "name"),
                                            (("/preset/bank/remove", "fast"), "no bank 'fast'; there are: none")])
def test_banks_that_cannot_be(rig, words, message):
    store(rig, "a")
    rig.play()
    with pytest.raises(UserError, match=message):
        call(rig.show, Call(words[0], words[1:]))


def test_overwriting_renaming_and_deleting_can_be_undone(rig):
    library = rig.show.recall.library
    turn(rig, truncation=0.2)
    store(rig, "look")
    rig.play()
    turn(rig, truncation=0.6)
    rig.play(40)
    store(rig, "look")
    rig.play()
    assert library.read("look").values["/truncation"] == 0.6
    rig.send("/undo")
    rig.play()
    assert library.read("look").values["/truncation"] == 0.2
    rig.send("/redo")
    rig.send("/preset/rename", "look", "face")
    rig.play()
    assert library.list_names() == ["face"] and library.read("face").values["/truncation"] == 0.6
    rig.send("/preset/delete", "face")
    rig.play()
    library.flush()
    assert library.list_names() == [] and not list(library.folder.glob("*.yaml"))
    rig.send("/undo")
    rig.play()
    library.flush()
    assert library.make_path("face").exists()


WRONG = [
    ("schema: 2\nvalues: {}\n", "schema version 2; this version reads up to 1: update"),
    ("schema: 1\nvalues: {/truncation: 0.5\n", "not valid YAML"),
    ("", "expected the keys"),
    ("values: {}\n", "schema is missing"),
    ("schema: 1\nvalues: {/truncaton: 0.5}\n", "no parameter '/truncaton'; near: /truncation"),
    ("schema: 1\nvalues: {/truncation: much}\n", "/truncation: expected a number -1..2, got 'much'"),
    ("schema: 1\nvalues: {/truncation: .nan}\n", "/truncation: expected a finite number"),
    ("schema: 1\nvalues: {/walk/kind: fly}\n", "/walk/kind: expected one of"),
    ("schema: 1\nvaluse: {}\n", "unknown valuse; allowed: schema"),
    ("schema: 1\nmotion: {walk: far}\n", "motion > walk: expected a number, got 'far'"),
    ("schema: 1\nmotion: {place: [[1]]}\n", "motion > place: expected .point, weight."),
    ("schema: 1\nmotion: {place: [[[1, x], 1.0]]}\n", "motion > place: expected a seed"),
    ("schema: 1\nvalues: {/truncation: 1" + "0" * 400 + "}\n", "a number of 401 digits"),
    ("schema: 1\nmotion: {wlak: 1}\n", "motion: unknown wlak"),
    ("schema: 1\nsections: [latent, colour]\n", "expected sections out of latent"),
    ("schema: 1\nmorph: {ease: bouncy}\n", "morph > ease: expected one of linear"),
    ("schema: 1\nmorph: {rules: {/truncation: quickly}}\n", "rules > /truncation: expected one of linear"),
    ("schema: 1\nbends:\n- {name: a, layer: b8.conv0, transform: melt}\n", "no transform 'melt'"),
    ("schema: 1\nbends:\n- {name: a, layer: b99.conv0, transform: solarize}\n", "b99.conv0"),
    ("schema: 1\nbends:\n- {name: a, layer: b8.conv0, transform: solarize, channels: '999'}\n", "999"),
    ("schema: 1\nbends:\n- {name: a, layer: b8.conv0, transform: solarize}\n- {name: a, layer: b8.conv0, transform: solarize}\n", "the same name"),
]


@pytest.mark.parametrize("text, message", WRONG)
def test_a_preset_that_does_not_load_leaves_the_old_one_playing_and_says_why(rig, caplog, text, message):
    library = rig.show.recall.library
    library.folder.mkdir(parents=True)
    library.make_path("wrong").write_text(text)
    library.refresh()
    turn(rig, truncation=0.3)
    rig.play()
    scene, walk = rig.show.scene, rig.show.motion.walk
    rig.send("/preset/recall", "wrong")
    rig.play()
    assert rig.show.scene == scene and rig.show.motion.walk > walk
    with pytest.raises(UserError, match=message) as error:
        library.read("wrong")
    assert "\n" not in str(error.value) and str(library.make_path("wrong")) in str(error.value)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [str(error.value)]


def test_next_passes_over_one_that_cannot_be_read(rig, caplog):
    for name in ("a", "c"):
        store(rig, name)
        rig.play()
    rig.show.recall.library.flush()
    rig.show.recall.library.make_path("b").write_text("schema: 9\n")
    rig.show.recall.library.refresh()
    rig.send("/preset/recall", "a")
    rig.play()
    rig.send("/preset/next")
    rig.play()
    assert rig.show.recall.current == "c" and "schema version 9" in caplog.text


def test_one_made_for_another_instrument_is_adapted_with_one_line(tmp_path, caplog):
    rig = Rig(tmp_path, generator=tiny(resolution=64, channels={4: 8, 8: 8, 16: 8, 32: 8, 64: 4}, c_dim=3),
              bends=[EYES, Bend("sky", "b64.conv1", (0, 1), "solarize", {})])
    turn(rig, truncation=0.3)
    rig.send("/class", 2)
    store(rig, "look")
    rig.play()
    rig.close()
    other = Rig(tmp_path)
    other.send("/preset/recall", "look")
    other.play()
    assert other.show.scene["/truncation"] == 0.3 and other.show.scene.bends == (EYES,)
    assert len(caplog.records) == 1 and "b64.conv1" in caplog.text and "/class" in caplog.text
    other.close()


def test_a_value_outside_its_range_is_brought_in_and_said(rig):
    rig.show.recall.library.folder.mkdir(parents=True)
    path = rig.show.recall.library.make_path("loud")
    path.write_text("schema: 1\nvalues: {/truncation: 7}\n")
    preset, notes = read_file(path, rig.base)
    assert preset.values["/truncation"] == 2.0 and notes == ["/truncation 7 is outside -1..2: 2 instead"]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 200, "nul\0"])
def test_names_stay_inside_the_folder(rig, name):
    rig.play()
    before = rig.show.recall.library.list_names()
    store(rig, name)
    rig.play()
    assert rig.show.recall.library.list_names() == before


def test_a_file_edited_during_the_show_is_read_again(rig):
    store(rig, "look")
    rig.play()
    rig.show.recall.library.flush()
    path = rig.show.recall.library.make_path("look")
    path.write_text(path.read_text().replace("values: {}", "values: {/truncation: 0.11}"))
    rig.show.recall.library.refresh()                                 # as its thread does four times a second
    rig.send("/preset/recall", "look")
    rig.play()
    assert rig.show.scene["/truncation"] == 0.11


def test_a_file_edited_during_the_show_is_found_by_itself(rig):
    library = rig.show.recall.library
    library.folder.mkdir(parents=True, exist_ok=True)
    library.make_path("typed").write_text("schema: 1\nvalues: {/truncation: 0.11}\n")
    assert eventually(lambda: library.list_names() == ["typed"]) and library.read("typed").values["/truncation"] == 0.11
    library.make_path("typed").unlink()
    assert eventually(lambda: library.list_names() == [])


def eventually(found, seconds=90.0):
    """Whether something becomes true, looked at every hundredth of a second."""
    waited = threading.Event()
    return any(found() or waited.wait(0.01) for _ in range(int(seconds * 100)))


def test_the_loop_never_waits_for_the_disk(rig, monkeypatch):
    """Presets are gone to, stepped through, stored, renamed, moved and deleted without a file being touched by the loop's thread."""
    for name in ("a", "b"):
        store(rig, name)
    rig.play()
    rig.show.recall.library.flush()
    loop, touched = threading.current_thread(), []
    for place, name in ((os, "stat"), (os, "scandir"), (os, "open"), (os, "replace"), (os, "unlink"), (io, "open"), (builtins, "open"), (os, "listdir")):
        def watched(*arguments, _call=getattr(place, name), **options):
            if threading.current_thread() is loop:
                touched.append(arguments)
            return _call(*arguments, **options)
        monkeypatch.setattr(place, name, watched)
    for command in (("/preset/recall", "a"), ("/preset/recall", "nowhere"), ("/preset/next",), ("/preset/cue", "b"), ("/preset/go",), ("/preset/store", "c"),
                    ("/preset/update",), ("/preset/rename", "c", "d"), ("/preset/move", "d", 1), ("/preset/bank", ""), ("/preset/delete", "d"), ("/undo",)):
        rig.send(*command)
        rig.play()
    assert not touched and rig.show.recall.library.list_names()[0] == "d"


def test_a_command_without_what_it_needs_is_a_users_mistake(rig, caplog):
    for address in ("/preset/recall", "/preset/rename", "/pad/corner", "/preset/move"):
        rig.send(address, ())
    rig.play()
    assert "needs" in caplog.text or "no preset" in caplog.text


def test_a_full_disk_loses_no_preset_that_was_there(rig, monkeypatch, caplog):
    import os

    store(rig, "look")
    rig.play()
    rig.show.recall.library.flush()
    before = rig.show.recall.library.make_path("look").read_text()
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    turn(rig, truncation=0.9)
    rig.play()
    store(rig, "look")
    rig.play()
    rig.show.recall.library.flush()
    assert rig.show.recall.library.make_path("look").read_text() == before and "No space left" in caplog.text
    assert rig.show.recall.library.read("look").values["/truncation"] == 0.9       # in memory it is there for this show


def test_a_pad_whose_preset_has_gone_leaves_the_hands_playing(rig, caplog):
    store(rig, "gone")
    rig.play()
    rig.send("/pad/corner", 1, "gone")
    rig.play()
    rig.send("/preset/delete", "gone")
    rig.send("/pad/on", 1)
    rig.play(2)
    rig.send("/truncation", 0.33)
    rig.play(2)
    assert rig.show.scene["/truncation"] == 0.33 and "no preset 'gone'" in caplog.text


def test_a_bug_in_a_recall_costs_neither_presets_nor_the_show(tmp_path, monkeypatch, caplog):
    rig = Rig(tmp_path, strict=False)
    rig.play()
    monkeypatch.setattr(rig.show.recall, "play", lambda tick: 1 / 0)
    rig.send("/truncation", 0.33)
    before = len(rig.screen)
    rig.play(3)
    assert len(rig.screen) == before + 3 and rig.show.scene["/truncation"] == 0.33 and "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    store(rig, "after")
    rig.send("/truncation", 0.9)
    rig.play(2)
    rig.send("/preset/recall", "after")
    rig.play(2)
    assert rig.show.scene["/truncation"] == pytest.approx(0.33)
    rig.close()


def test_all_sections_but_one_can_be_named(rig):
    store(rig, "most", "latent", "bends", "weights", "source", "modulators")
    rig.play()
    assert rig.show.recall.library.read("most").sections == ("latent", "bends", "weights", "source", "modulators")


@pytest.mark.parametrize("order", [("/preset/move", "look", "nan"), ("/preset/move", "look", "inf"), ("/pad/corner", "nan", "look"),
                                   ("/preset/recall", "look", "inf")])
def test_words_that_python_takes_for_numbers_cost_no_frame(rig, caplog, order):
    store(rig, "look")
    rig.play()
    rig.send(*order)
    rig.play()                                           # strict: a bug would end it
    assert "expected" in caplog.text and rig.show.recall.morph is None


def test_a_renamed_preset_keeps_what_a_person_wrote_into_its_file(rig):
    library = rig.show.recall.library
    library.folder.mkdir(parents=True, exist_ok=True)
    library.make_path("look").write_text("# for the finale\nschema: 1\nvalues: {/truncation: 0.25}\n")
    library.refresh()
    rig.send("/preset/rename", "look", "end")
    rig.play()
    library.flush()
    assert library.list_names() == ["end"] and library.make_path("end").read_text().startswith("# for the finale")
    assert library.read("end").values["/truncation"] == 0.25 and not library.make_path("look").exists()


def test_renaming_on_a_full_disk_loses_nothing(rig, monkeypatch, caplog):
    import os

    library, full = rig.show.recall.library, lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    turn(rig, truncation=0.25)
    store(rig, "look")
    rig.play()
    library.flush()
    before = library.make_path("look").read_text()
    monkeypatch.setattr(os, "fsync", full)
    turn(rig, truncation=0.5)
    store(rig, "look")                                   # this does not reach the disk ...
    rig.send("/preset/rename", "look", "face")           # ... so neither can this
    rig.play(2)
    library.flush()
    assert "No space left" in caplog.text
    assert library.read("face").values["/truncation"] == 0.5 and library.make_path("look").read_text() == before


def test_a_set_list_edited_during_the_show_is_read_and_not_written_over(rig, caplog):
    library = rig.show.recall.library
    for name in "abc":
        store(rig, name)
        rig.play()
    rig.send("/preset/move", "c", 1)
    rig.play()
    library.flush()
    library.set_list.write_text("schema: 1\npresets: [b, c, a]\nbanks: {slow: [c, a]}\n")
    library.refresh()
    rig.send("/preset/rename", "c", "d")
    rig.play()
    library.flush()
    assert library.list_names() == ["b", "d", "a"] and library.list_names("slow") == ["d", "a"]
    broken = "schema: 1\npresets: [a, b\nbanks: {slow: [d]}\n"
    library.set_list.write_text(broken)
    library.refresh()
    rig.send("/preset/move", "a", 1)
    rig.play()
    library.flush()
    assert library.list_names() == ["b", "d", "a"] and library.set_list.read_text() == broken
    assert "not valid YAML" in caplog.text and "can't be changed" in caplog.text


def test_a_deleted_preset_leaves_the_set_list_and_undo_brings_it_back_to_its_place(rig):
    library = rig.show.recall.library
    for name in "abc":
        store(rig, name)
        rig.play()
    library.set_order(["c", "a", "b"], {"slow": ["a", "b"]})
    rig.send("/preset/delete", "a")
    rig.play()
    assert (library.list_order(), library.list_banks()) == (["c", "b"], {"slow": ["b"]})
    rig.send("/undo")
    rig.play()
    assert (library.list_names(), library.list_names("slow")) == (["c", "a", "b"], ["a", "b"])


def test_one_that_cannot_be_read_is_not_written_over(rig, caplog):
    library = rig.show.recall.library
    later = "schema: 2\nvalues: {}\n"
    library.folder.mkdir(parents=True, exist_ok=True)
    library.make_path("look").write_text(later)
    library.refresh()
    store(rig, "look")
    rig.send("/undo")
    rig.play()
    library.flush()
    assert library.make_path("look").read_text() == later and "schema version 2" in caplog.text


def test_accents_in_either_unicode_form_name_the_same_preset(rig):
    apart, together = "gro\u0308\u00dfe", "gr\u00f6\u00dfe"
    turn(rig, truncation=0.4)
    rig.play()
    store(rig, apart)
    turn(rig, truncation=1.0)
    rig.play()
    rig.send("/preset/recall", together)
    rig.play()
    assert rig.show.scene["/truncation"] == pytest.approx(0.4) and rig.show.recall.library.list_names() == [together]
