"""Two looks under a crossfader (SURFACE L.1), and what locks keep of it."""
import pytest

from engine.bending import Bend
from engine.morphing import find_rule
from live.presets.preset import apply_preset
from live.show.commands import load_commands
from live.show.loop import Show
from live.show.parameters import MASTERS, is_below
from live.takes.take import TakeReader
from tests.live.memory_rig import Rig, scenes_of

EYES = Bend("eyes", "b8.conv0", (1, 2), "solarize", {"threshold": 0.5}, selection="1-2")

load_commands()


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path, bends=[EYES])
    store(rig, "one", truncation=0.4, walk_seed=3, bends_eyes_mix=0.25, noise_strength=2.0)
    rig.send("/bends/remove", "eyes")
    rig.send("/modulators/add", "lfo", "/truncation", "sine", 0.3)
    store(rig, "two", truncation=1.2, walk_seed=9, noise_strength=0.5, bends_amount=0.5)
    rig.send("/panic")
    rig.play()
    yield rig
    rig.close()


def store(rig, name, **values):
    for key, value in values.items():
        rig.send("/" + key.replace("_", "/"), value)
    rig.play()
    rig.send("/preset/store", name)
    rig.play()


def look(rig, name):
    """The scene that recalling it gives now."""
    show = rig.show
    return apply_preset(show.recall.library.read(name), show.scene, show.motion)[0]


def begin(rig, fade=0.0):
    for address, *values in (("/deck/load", "a", "one"), ("/deck/load", "b", "two"), ("/deck/fade", fade), ("/deck/on", 1)):
        rig.send(address, *values)
    rig.play()


def scene_now(rig):
    """All that a look holds, so without the performer's own."""
    scene = rig.show.scene
    return {a: scene[a] for a in scene.parameters if not is_below(a, MASTERS)}, scene.bends, scene.modulators


def test_the_ends_are_the_looks_and_the_middle_lies_between(rig):
    begin(rig)
    one, two = look(rig, "one"), look(rig, "two")
    rig.send("/output/fade", 3.0)
    rig.play()
    values, bends, modulators = scene_now(rig)
    assert (values, bends, modulators) == ({a: one[a] for a in one.parameters if not is_below(a, MASTERS)}, one.bends, one.modulators)
    rig.send("/deck/fade", 0.5)
    rig.play()
    middle, linear = rig.show.scene, 0
    for address, parameter in one.parameters.items():
        if address in two.parameters and find_rule(parameter) == "linear" and not is_below(address, MASTERS):
            assert middle[address] == pytest.approx((one[address] + two[address]) / 2)
            linear += one[address] != two[address]
    assert linear >= 3 and middle["/bends/eyes/mix"] == 0.125 and 0 < middle["/modulators/lfo/depth"] < 0.3
    rig.send("/deck/fade", 1.0)
    rig.play()
    values, bends, modulators = scene_now(rig)
    assert (values, bends, modulators) == ({a: two[a] for a in two.parameters if not is_below(a, MASTERS)}, two.bends, two.modulators)
    assert rig.show.scene["/output/fade"] == 3.0


def test_a_fade_replays_bit_for_bit(rig, tmp_path):
    begin(rig)
    rig.send("/take/record", "fading")
    rig.play()
    rig.send("/deck/auto", 0.5)
    seen = []
    for _ in range(20):
        rig.play()
        seen.append((str(rig.show.scene.values), rig.show.motion))
    assert rig.show.scene["/deck/fade"] == 1.0 and len({str(row) for row in seen}) > 14
    rig.send("/take/stop")
    rig.play()
    rig.show.recording.writer.close()
    take = TakeReader(tmp_path / "fading.take", rig.base, rig.hash, rig.bend)
    played = scenes_of(take, Show(rig.instrument, rig.show.mapping, rig.base, strict=True))
    assert [row[:2] for row in played][-len(seen):] == seen or [row[:2] for row in played][-len(seen) - 1:-1] == seen


def test_a_hand_has_what_it_turns_until_an_end_is_reached(rig):
    begin(rig, 0.25)
    rig.send("/truncation", 0.9)
    rig.play()
    rig.send("/deck/fade", 0.75)
    rig.play()
    assert rig.show.scene["/truncation"] == 0.9 and rig.show.scene["/noise/strength"] == pytest.approx(2.0 + 0.75 * (0.5 - 2.0))
    rig.send("/deck/fade", 1.0)
    rig.play()
    assert rig.show.scene["/truncation"] == 0.9
    rig.send("/truncation", 1.0)                        # at an end it belongs to that look
    rig.play()
    for fade, value in ((0.5, 0.7), (0.0, 0.4), (1.0, 1.0)):
        rig.send("/deck/fade", fade)
        rig.play()
        assert rig.show.scene["/truncation"] == pytest.approx(value)


def test_a_recall_loads_the_side_that_is_not_seen(rig):
    begin(rig)
    before = scene_now(rig)
    rig.send("/preset/recall", "two")
    rig.send("/undo")
    rig.send("/preset/recall", "two")
    rig.play(2)
    deck = rig.show.find_player("deck")
    assert scene_now(rig) == before and deck.names == ["one", "two"]
    rig.send("/deck/swap")
    rig.play()
    assert scene_now(rig) == before and deck.names == ["two", "one"] and rig.show.scene["/deck/fade"] == 1.0
    rig.send("/deck/auto", 0.01)
    rig.play(2)
    assert rig.show.scene["/truncation"] == 1.2 and rig.show.scene["/deck/fade"] == 0.0


def test_what_else_leads_turns_the_decks_off(rig):
    begin(rig, 0.5)
    rig.send("/panic/soft", 0.2)
    rig.play(3)
    assert rig.show.scene["/deck/on"] == 0.0 and rig.show.recall.morph
    rig.play(8)
    rig.send("/pad/on", 1)
    rig.play(2)
    begin(rig)
    assert rig.show.scene["/pad/on"] == 0.0 and rig.show.scene["/deck/on"] == 1.0


def test_auto_goes_back_when_asked_again_and_stops_for_a_hand(rig):
    begin(rig)
    rig.send("/deck/auto", 1)
    rig.play(16)
    there = rig.show.scene["/deck/fade"]
    rig.send("/deck/auto", 1)
    rig.play(12)
    assert 0.3 < rig.show.scene["/deck/fade"] < there
    rig.send("/deck/fade", 0.1)
    rig.play(5)
    assert rig.show.scene["/deck/fade"] == 0.1 and not rig.show.find_player("deck").auto


def test_every_locked_address_survives_all_that_goes_by_itself(rig, tmp_path):
    """Recall, decks, follow actions, /panic/soft, /back: whatever is locked stays (SURFACE L.6); lanes: in test_lanes."""
    (tmp_path / "setlist.yaml").write_text("schema: 2\nshow: [{preset: one, hold: 0}, {preset: two, hold: 0}]\n")
    rig.show.recall.library.refresh()
    rig.send("/bends/add", "eyes", "b8.conv0", "1-2", "solarize", 0.9)
    rig.play()
    addresses = ["/truncation", "/walk/seed", "/noise/strength", "/bends/eyes/mix", "/bends/amount", "/style/fine/seed"]
    for locks in (addresses[:3], addresses[3:], ["/bends", "/walk", "/truncation"]):
        rig.send("/unlock")
        for lock in locks:
            rig.send("/lock", lock)
        rig.play()
        kept = [a for a in rig.show.scene.parameters if is_below(a, locks)]
        before = {a: rig.show.scene[a] for a in kept}
        for steps in ([("/preset/recall", "one")], [("/preset/recall", "two", 0.1)], [("/deck/load", "a", "one"), ("/deck/load", "b", "two"), ("/deck/on", 1)],
                      [("/deck/fade", 0.4)], [("/deck/fade", 1.0)], [("/deck/fade", 0.7)], [("/deck/on", 0)], [("/set/start",)], [("/set/auto", 0)],
                      [("/panic/soft", 0.1)], [("/back", 1)]):
            for step in steps:
                rig.send(*step)
            rig.play(5)
            assert {a: rig.show.scene[a] for a in kept} == before, steps
