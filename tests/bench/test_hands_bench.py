"""The bench of hands, small: that it measures what it says is asserted, times are not."""
from tests.bench import hands


def test_it_measures_every_part():
    figures = hands.bench({"seconds": 0.2})
    assert figures["frame"].keys() == {"0 moving", "8 moving", "64 moving", "500 moving"}
    assert all(row["cpu_ms"] > 0 and row["frames"] >= 20 for row in figures["frame"].values())
    a_turn = [row["datagrams"] / row["turns"] for row in figures["echo"].values()]       # how many turns there is time for varies
    assert 0 < a_turn[0] < a_turn[1] < a_turn[2]
    assert figures["flood"].keys() == {"unknown", "one parameter"}
