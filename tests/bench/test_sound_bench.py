"""The bench of hearing, small: what it says of hits is asserted, what it says of time is not."""
from tests.bench import sound


def test_what_is_heard_is_counted():
    figures = sound.bench({"styles": 2})
    assert len(figures["styles"]) == 2 and all(row["onset"] > 0.9 and row["false_a_s"] < 0.5 for row in figures["styles"].values())
    assert figures["cost"]["ms_a_hop"] > 0
