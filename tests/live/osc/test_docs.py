"""The mapping files that docs/osc.md shows can be loaded, and the flags it names exist."""
import pathlib
import re

import pytest

from live.mapping import files as mapping_file
from tests.program import run_program

ROOT = pathlib.Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "osc.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_mapping_files(text, tmp_path):
    path = tmp_path / "shown.yaml"
    path.write_text(text, encoding="utf-8")
    assert all(b.kind == "osc" for b in mapping_file.load(path))


def test_flags():
    shown = run_program("play", "--help")
    for flag in set(re.findall(r"--[a-z-]+[a-z]", PAGE)) - {"--help", "--verify", "--parameters"}:      # the last two are the sender's own
        assert flag in shown.stdout, flag
