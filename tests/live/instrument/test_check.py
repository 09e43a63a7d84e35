from live.instrument.check import check
from live.instrument.folder import ROOT
from live.mapping.macros import Macro, Target
from tests.live.memory_rig import Rig


def test_each_preset_passes_or_says_why(tmp_path):
    rig = Rig(tmp_path)
    for name in ("good", "better"):
        rig.send("/preset/store", name)
        rig.play()
    rig.show.recall.library.flush()
    rig.show.recall.library.make_path("bad").write_text("schema: 1\nvalues: {/truncation: much}\n")
    rig.show.recall.library.refresh()
    rig.show.recall.library.set_order(["good", "gone"])
    (tmp_path / "mine.yaml").write_text("bindings: 3\n")
    (tmp_path / "clusters.yaml").write_text("nonsense\n")
    mappings = [*sorted((ROOT / "mappings").glob("*.yaml")), tmp_path / "mine.yaml"]
    rows = {(row.kind, row.name): row for row in check(rig.instrument, rig.show.recall.library, tmp_path, mappings)}
    assert rows["instrument", "first frame"].passed and rows["instrument", "first frame"].ms > 0
    assert rows["preset", "good"].passed and rows["preset", "better"].passed
    assert not rows["preset", "bad"].passed and "expected a number" in rows["preset", "bad"].reason
    assert not rows["set list", "gone"].passed and not rows["mapping", "mine.yaml"].passed
    assert all(row.passed for (kind, name), row in rows.items() if kind == "mapping" and name != "mine.yaml")
    assert not rows["clusters", "clusters.yaml"].passed
    macros = [Macro(macro=n, name=to, to=[Target(to=to)]) for n, to in enumerate(("/truncation", "/factors/petals"), 1)]
    turned = [row for row in check(rig.instrument, macros=macros) if row.kind == "macro"]
    assert [row.passed for row in turned] == [True, False] and "there is no /factors/petals" in turned[1].reason
    slow = check(rig.instrument, rig.show.recall.library, limit_ms=0.0)
    assert not any(row.passed for row in slow) and "more than 0" in slow[0].reason
    rig.close()
