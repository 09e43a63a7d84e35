"""`bench gpu` where there is no GPU: its steps run, what fails or dies leaves its line, and it asks for torch and numpy only."""
import json
import subprocess
import sys

import pytest

from engine.architecture import Architecture
from tests.bench import _gpu_page, _gpu_steps, gpu

SMALL = Architecture(resolution=32, z_dim=16, w_dim=16, mapping_layers=2, channels={4: 8, 8: 8, 16: 8, 32: 8})
WITHOUT = ("pydantic", "pygame", "mido", "pythonosc", "yaml", "safetensors", "av", "PIL", "websockets", "zeroconf", "matplotlib", "starlette", "rtmidi")


@pytest.mark.parametrize("name", _gpu_steps.STEPS)
def test_every_step_runs(name, monkeypatch):
    monkeypatch.setattr(_gpu_steps, "TINY", SMALL)
    rows = []
    gpu.run_steps({"device": "cpu", "tiny": True, "names": [name], "seconds": 100.0}, rows.append)
    row, = rows
    assert row["ok"], row
    json.dumps(row, allow_nan=False)
    assert _gpu_page.table([{"step": "versions", "ok": True, "tiny": True}, *rows]).startswith(_gpu_page.SMALL) and _gpu_page.SMALL not in _gpu_page.table(
        [{"step": "versions", "ok": True, "tiny": False}])
    if name == "transforms":
        assert not [r for r in row["rows"].values() if "error" in r] and row["replayed"] > 10


def test_it_asks_for_torch_and_numpy_only():
    code = f"""
import sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {WITHOUT!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nowhere())
from tests.bench import gpu
gpu.main(["--steps", '{{"device": "cpu", "tiny": true, "names": ["versions", "pool"], "seconds": 60}}'])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=gpu.ROOT, capture_output=True, text=True, timeout=120)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["step"] for row in rows] == ["versions", "pool"] and all(row["ok"] for row in rows), done.stdout + done.stderr


STAND_IN = """
import json, os, sys
for name in json.loads(sys.argv[1])["names"]:
    if name == "replay":
        os.abort()
    if name == "pool":
        import time; time.sleep(60)
    print(json.dumps({"step": name, "ok": True, "names": sys.argv[1]}), flush=True)
"""


def test_a_step_that_takes_its_process_down_or_hangs_is_told_of_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "GRACE", 0.5)
    monkeypatch.setattr(_gpu_steps, "STEPS", {name: _gpu_steps.Step(lambda *_: {}, 2.0) for name in ("versions", "replay", "pool", "rates")})
    rows = gpu.supervise({"device": None, "tiny": True}, tmp_path / "a.jsonl", command=[sys.executable, "-c", STAND_IN])
    assert [row["step"] for row in rows] == ["versions", "replay", "pool", "rates"] and [row["ok"] for row in rows] == [True, False, False, True]
    assert "ended" in rows[1]["error"] and "too long" in rows[2]["error"]
    assert _gpu_page.read(tmp_path / "a.jsonl") == rows
    with open(tmp_path / "a.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": "cut o')
    assert _gpu_page.read(tmp_path / "a.jsonl") == rows


def test_a_step_that_fails_says_where_and_after_a_driver_error_a_new_process_is_wanted(monkeypatch):
    def fails(plan, seconds):
        raise ValueError("no")

    def breaks(plan, seconds):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(_gpu_steps, "STEPS", {"a": _gpu_steps.Step(fails, 1), "b": _gpu_steps.Step(breaks, 1), "c": _gpu_steps.Step(fails, 1)})
    rows = []
    gpu.run_steps({"device": "cpu", "tiny": True, "names": ["a", "b", "c"], "seconds": 9.0}, rows.append)
    assert [row["step"] for row in rows] == ["a", "b"] and rows[0]["error"] == "ValueError: no" and "test_gpu_bench.py" in rows[0]["where"][-1]


def test_the_table_and_the_plot(tmp_path):
    rows = [{"step": "versions", "ok": True, "card": "H100", "seconds": 1.0}, {"step": "pool", "ok": False, "error": "RuntimeError: it ended"},
            {"step": "rates", "ok": True, "rows": {"0 bends": {"fps": 411.0, "p50_ms": 2.4}}}]
    text = _gpu_page.table(rows)
    assert "H100" in text and "FAILED: RuntimeError: it ended" in text and "fps 411.0" in text
    _gpu_page.plot(rows, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000 and _gpu_page.rates(rows) == {"rates: 0 bends": 411.0}
