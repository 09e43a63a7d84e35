"""Every command in the README and the docs is run, as written, on small stand-ins for the files a user would have."""
import pathlib
import re
import shlex
import shutil

import pytest

from engine.checkpoints import native
from tests.conftest import tiny
from tests.live.sources.test_sources import numbered, write_video
from tests.ports import find_free_port
from tests.program import run_program

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHORT = ["--output", "null", "--frames", "3", "--midi-ports", "none"]
SET_UP = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install -q -r (\S+) && \.venv/bin/python (.*)$")


def commands(page):
    """The lines of a page's ```sh blocks, continuation lines joined."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                yield line.strip()


LINES = [pytest.param(line, id=f"{page.name}: {line[:60]}") for page in PAGES for line in commands(page)]
OURS = [p for p in LINES if p.values[0].startswith(".venv/bin/python run_live.py")]


def test_the_readme_begins_with_a_picture_that_is_there():
    first = PAGES[0].read_text(encoding="utf-8").splitlines()[0]
    path = re.match(r"!\[.+\]\((.+)\)", first)[1]
    assert (ROOT / path).stat().st_size > 10_000


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_set_up_commands_install_what_is_there_and_run_what_is_there():
    lines = [line for line in commands(PAGES[0]) if SET_UP.match(line)]
    assert len(lines) == 2
    for line in lines:
        requirements, what = SET_UP.match(line).groups()
        assert (ROOT / requirements).exists()
        assert what in ("run_live.py", "-m pytest -q -n 2 --dist loadfile")            # the second of them is running right now


@pytest.fixture
def desk(tmp_path):
    """A folder with the project's folders beside files such as the pages name."""
    for name in ("presets", "mappings", "docs", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    native.save(tmp_path / "network.safetensors", tiny())
    shutil.copy(tmp_path / "network.safetensors", tmp_path / "network.pkl")     # formats are told by content, not by name
    (tmp_path / "outputs.yaml").write_text("schema: 1\noutputs: [{name: wall, kind: window, fill: mirror}]\n")
    write_video(tmp_path / "clip.mp4", numbered(5), codec="mpeg4", pixels="yuv420p")
    return tmp_path


def shortened(arguments):
    """The same command for three frames without devices, where it would play on for ever; a bench on the stand-in, in a moment."""
    if arguments[:1] == ["bench"]:
        return arguments + ["--instrument", "network.safetensors", "--size", "32", "--seconds", "0.5"]
    plays = not arguments or arguments[0] in ("play",) or arguments[0].startswith("--") and "--list-parameters" not in arguments
    if not plays:
        return arguments
    if "--size" in arguments:                                      # the stand-in network has 32 px
        at = arguments.index("--size")
        arguments = arguments[:at] + ["--size", "32"] + arguments[at + 2:]
    return arguments + SHORT + ["--osc-port", str(find_free_port()) if "--osc-echo" in arguments else "0"]


@pytest.mark.parametrize("line", OURS)
def test_commands_of_the_pages_run(line, desk):
    arguments = shlex.split(line.partition(" > ")[0])[2:]
    done = run_program(*shortened(arguments), cwd=desk, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def test_other_lines_name_programs_we_know():
    for parameter in LINES:
        line = parameter.values[0]
        assert line.startswith((".venv/bin/python ", "python3 -m venv", "oscsend ", "oscdump ", "torchrun ", "jackd ", "curl ")), line
