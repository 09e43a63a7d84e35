"""The bench of clock and lights runs, and says what it is to say."""
from tests.bench import hands_midi


def test_its_figures():
    frames = [(n / 60, 128.1, -0.005 + (n % 3) * 0.001) for n in range(600)]
    found = hands_midi._figures(frames)
    assert found["tempo_error_bpm"] == 0.1 and found["offset_ms"] == -4.0 and found["drift_ms"] == 1.0 and found["furthest_ms"] == 5.0
    assert "more --seconds" in hands_midi._figures(frames[:60])["skipped"]
    assert hands_midi._lights(8)["cpu_ms"] > 0.0
