"""Macros: what moves one moves its targets; what sets everything does not."""
import pytest

from engine.errors import UserError
from live.mapping import commands as midi_commands  # noqa: F401  (its commands)
from live.mapping import files as mapping_file
from live.mapping.macros import Macro, Macros, label
from live.mapping.mapping import Mapping
from live.show.events import Change
from live.show.parameters import add_parameters
from live.takes.take import TakeReader
from tests.live.memory_rig import Rig, scenes_of

STORM = """schema: 1
macros:
  - macro: 1
    name: Storm
    to:
      - {to: /noise/strength, range: [0.25, 0.75], curve: square}
      - {to: /truncation, inverse: true}
bindings: []
"""


@pytest.fixture
def rig(tmp_path):
    (tmp_path / "m.yaml").write_text(STORM, encoding="utf-8")
    rig = Rig(tmp_path)
    rig.show.mapping.macros = {macro.macro: macro for macro in mapping_file.read(tmp_path / "m.yaml").macros}
    rig.show.join(macros=Macros(rig.show))
    yield rig
    rig.close()


class Turns:
    """Another player that turns a macro: a gesture, say."""

    def __init__(self, *values):
        self.values = list(values)

    def play(self, tick):
        return [Change("/macro/1", self.values.pop(0))] if self.values else []

    def after_hands(self, tick, scene, motion, applied):
        return []


def targets(rig):
    parameters = rig.show.scene.parameters
    return [parameters[a].normalized(rig.show.scene[a]) for a in ("/noise/strength", "/truncation")]


def test_eight_are_there_from_the_start(instrument):
    parameters = add_parameters(instrument.scene()).parameters
    assert [(parameters[f"/macro/{n}"].low, parameters[f"/macro/{n}"].high) for n in range(1, 9)] == [(0.0, 1.0)] * 8


@pytest.mark.parametrize("at, noise, truncation", [(0.0, 0.25, 1.0), (0.5, 0.375, 0.5), (1.0, 0.75, 0.0), (7.0, 0.75, 0.0)])
def test_a_hand_moves_its_targets_in_the_same_frame(rig, at, noise, truncation):
    rig.play()
    rig.send("/macro/1", at)
    rig.play()
    assert targets(rig) == pytest.approx([noise, truncation])


def test_one_undo_takes_all_of_it_back(rig):
    rig.play()
    before = targets(rig)
    rig.send("/macro/1", 0.5)
    rig.play()
    rig.send("/undo")
    rig.play(3)
    assert targets(rig) == pytest.approx(before) and rig.show.scene["/macro/1"] == 0.0


def test_other_players_move_them_too(rig):
    rig.show.players.append(Turns(0.2, 1.0))
    rig.play(4)
    assert targets(rig) == pytest.approx([0.75, 0.0])


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_a_recall_brings_macro_and_targets_as_they_were(rig, seconds):
    rig.play()
    rig.send("/macro/1", 1.0)
    rig.play()
    rig.send("/truncation", 1.0)                          # by hand, away from where the macro has it
    rig.play()
    rig.send("/preset/store", "mine")
    rig.play()
    rig.send("/macro/1", 0.0)
    rig.play()
    rig.send("/truncation", 1.0)
    rig.play()
    rig.send("/preset/recall", "mine", seconds)
    rig.play(20)
    assert rig.show.scene["/macro/1"] == 1.0 and rig.show.scene["/truncation"] == 1.0


def test_a_take_plays_them_again_to_the_bit(rig, tmp_path):
    rig.show.recording.record_to(tmp_path / "a.take")
    rig.play(2)
    rig.send("/macro/1", 0.3)
    rig.show.players.append(Turns(0.2, 0.9))
    rig.play(5)
    values = str(rig.show.scene.values)
    rig.close()
    assert scenes_of(TakeReader(tmp_path / "a.take", rig.base), rig.show)[-1][0] == values


def test_targets_by_command(rig):
    rig.play()
    rig.send("/macro/target", 2, "/truncation", 0.8, 0.2)
    rig.send("/macro/clear", 1)
    rig.play()
    rig.send("/macro/2", 1.0)
    rig.send("/macro/1", 1.0)
    rig.play()
    assert targets(rig)[1] == pytest.approx(0.2) and rig.show.mapping.macros_changed


@pytest.mark.parametrize("values, message", [
    ((9, "/truncation"), "expected a macro 1..8, got 9"),
    ((float("inf"), "/truncation"), "expected a macro 1..8, got inf"),
    ((1, "/nothing"), "no parameter '/nothing'"),
    ((1, "/macro/2"), "expected a parameter's address such as /truncation, and no macro's, got '/macro/2'"),
    ((1, "/walk/z"), "takes several numbers"),
    ((1, "/truncation", 0.5, 0.5), "range expected .low, high. with low below high"),
    ((1, "/truncation", 0.0, 3.0), "less than or equal to 1"),
    ((1, "/truncation", 0.0, 1.0, "wild"), "'linear', 'square', 'root' or 'smooth'"),
])
def test_what_cannot_be_a_target(rig, values, message):
    from live.show.commands import call
    from live.show.events import Call

    with pytest.raises(UserError, match=message):
        call(rig.show, Call("/macro/target", values))


def test_the_name_is_in_what_the_parameter_says(rig):
    about = label(rig.show.scene, rig.show.mapping.macros).parameters["/macro/1"].about
    assert about == "Storm: moves /noise/strength, /truncation"


@pytest.mark.parametrize("text, message", [
    ("macros: 3", "m.yaml > macros: expected a list, got 3"),
    ("macros: [{macro: 9}]", "m.yaml > macros > 1 > macro: expected at most 8, got 9"),
    ("macros: [{macro: 1, to: [{to: truncation}]}]", "m.yaml > macros > 1 > to > 1 > to: expected a parameter's address such as /truncation"),
    ("macros: [{macro: 1, to: [{to: /x, range: [1, 0]}]}]", "m.yaml > macros > 1 > to > 1: range expected"),
    ("macros: [{macro: 1, to: [{to: /x, curve: log}]}]", "m.yaml > macros > 1 > to > 1 > curve: expected linear, square, root or smooth, got 'log'"),
    ("macros: [{macro: 1, too: []}]", "m.yaml > macros > 1: unknown too; allowed: macro, name, to"),
])
def test_mistakes_in_a_mapping_file(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(f"schema: 1\nbindings: []\n{text}\n", encoding="utf-8")
    with pytest.raises(UserError) as error:
        mapping_file.read("m.yaml")
    assert str(error.value).startswith(message)


def test_an_instruments_macros_go_where_no_file_puts_anything(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("schema: 1\nbindings: []\nmacros: [{macro: 3, name: mine, to: [{to: /truncation}]}]\n")
    mapping = Mapping.load([path], macros=[Macro(macro=n, name=f"own {n}") for n in (1, 3)])
    assert {n: macro.name for n, macro in mapping.macros.items()} == {1: "own 1", 3: "mine"}
