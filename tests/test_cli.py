"""run_live.py as a user runs it: flags, errors in one line, the report."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from engine.checkpoints import native
from live.cli import SUBCOMMANDS, load
from tests.conftest import tiny
from tests.program import run_program

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    native.save(path, tiny())
    return str(path)


QUIET = ("--output", "null", "--osc-port", "0", "--midi-ports", "none")


def test_play_writes_a_report(network, tmp_path):
    report = tmp_path / "report.json"
    done = run_program("--instrument", network, *QUIET, "--frames", 20, "--report", report, "--threads", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(report.read_text())
    assert figures["frames"] == 20 and figures["failed"] == 0 and figures["resolution"] == 32 and figures["device"] == "cpu"
    assert {"fps", "seconds", "late", "dropped", "peak_memory_mb", "control_to_frame_ms"} <= figures.keys()
    assert {"p50", "p95", "p99", "max"} == figures["frame_ms"].keys()
    assert "Traceback" not in done.stderr


def test_list_parameters(network):
    listed = json.loads(run_program("--instrument", network, "--list-parameters", "--json").stdout)
    assert {"default", "low", "high", "unit", "about"} <= listed["/truncation"].keys()
    assert all(address.startswith("/") and row["about"] for address, row in listed.items())
    text = run_program("--instrument", network, "--list-parameters").stdout
    assert "/truncation" in text and "/freeze" in text


@pytest.mark.parametrize("arguments, says", [
    (("--instrument", "nowhere"), "nowhere"),
    (("--instrument", "README.md"), "README.md"),
    (("--size", "48"), "48"),
    (("--size", "0"), "--size 0"),
    (("--fps", "0"), "--fps"),
    (("--fps", "inf"), "--fps"),
    (("--fps", "0.001"), "--fps"),
    (("--replay", "a.take", "--take", "b.take"), "--replay with --take"),
    (("--osc-port", "99999"), "--osc-port"),
    (("--osc-port", "0", "--osc-echo", "localhost:9001"), "--osc-echo belongs to OSC, which --osc-port 0 turns off"),
    (("--mapping", "nowhere.yaml"), "nowhere.yaml"),
    (("--output", "hologram"), "hologram"),
    (("--device", "toaster"), "toaster"),
    (("dance",), "dance"),
    (("bench", "naive", "--seconds", "nan"), "--seconds nan: expected a number above 0"),
    (("bench", "naive", "-o", "nowhere/figures.json"), "nowhere/figures.json: there is no folder nowhere"),
    (("bench", "naive", "--plot", "nowhere/figures.png"), "nowhere/figures.png: there is no folder nowhere"),
    (("bench", "naive", "--plot", "figures.txt"), "figures.txt: expected a name that ends in .png"),
    (("convert", "nowhere.pkl", "-o", "x.safetensors"), "nowhere.pkl"),
])
def test_mistakes_are_one_line_and_status_2(network, arguments, says):
    if "--instrument" not in arguments and arguments[0].startswith("--"):
        arguments = ("--instrument", network, *QUIET, *arguments, "--frames", "1")
    done = run_program(*arguments)
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize("name", sorted(SUBCOMMANDS))
def test_every_subcommand_says_what_it_is(name, capsys):
    from run_live import parser_for

    module = load(name)
    assert SUBCOMMANDS[name] and callable(module.run)
    with pytest.raises(SystemExit) as ended:
        parser_for(name, module).parse_args(["--help"])
    assert ended.value.code == 0 and SUBCOMMANDS[name].rstrip(".") in capsys.readouterr().out


def test_help_lists_the_subcommands():
    text = run_program("--help").stdout
    assert all(name in text for name in SUBCOMMANDS)


def test_interrupt_ends_a_show_quietly(network, tmp_path):
    import signal

    report = tmp_path / "report.json"
    playing = subprocess.Popen([sys.executable, str(ROOT / "run_live.py"), "--instrument", network, *QUIET, "--report", str(report)],
                               stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        for line in playing.stderr:
            if "playing" in line:
                break
        playing.send_signal(signal.SIGINT)
        assert "Traceback" not in playing.communicate(timeout=180)[1]
    finally:
        playing.kill()
    assert playing.returncode == 0 and json.loads(report.read_text())["frames"] >= 0


@pytest.fixture
def folder(network, tmp_path):
    """An instrument's folder with an edit."""
    from engine import rewriting
    from tests.engine.rewriting.test_edit import edit_of

    shutil.copy(network, tmp_path / "generator.safetensors")
    (tmp_path / "instrument.yaml").write_text("schema: 1\nname: Tiny\ngenerator: generator.safetensors\n")
    edit = edit_of(tiny(), name="hats")
    own = native.generator_hash(tiny())
    rewriting.save(tmp_path / "edits" / "hats.safetensors", rewriting.Edit("hats", edit.layer, edit.directions, edit.values, {}, own))
    return tmp_path


def test_an_edit_baked_in_is_the_edit_at_that_strength_and_others_still_fit(folder):
    from engine import checkpoints, rewriting
    from live.instrument.open import open_instrument

    edit = rewriting.load(folder / "edits" / "hats.safetensors")
    wanted = rewriting.apply(checkpoints.load(folder / "generator.safetensors"), [(edit, 0.5)])
    (folder / "baked").mkdir()
    for source in (folder, folder / "generator.safetensors"):
        done = run_program("convert", source, "-o", folder / "baked" / "generator.safetensors", "--bake-edits", "hats=0.5")
        assert done.returncode == 0, done.stderr
        baked = checkpoints.load(folder / "baked" / "generator.safetensors")
        assert all((a == b).all() for a, b in zip(baked.state_dict().values(), wanted.state_dict().values()))
    shutil.copytree(folder / "edits", folder / "baked" / "edits")
    shutil.copy(folder / "instrument.yaml", folder / "baked")
    opened = open_instrument(folder / "baked")
    assert "/edits/hats/strength" in opened.scene.parameters and not opened.offer.greyed


@pytest.mark.parametrize("argument, says", [("hats", "expected NAME=STRENGTH"), ("hats=much", "expected NAME=STRENGTH"),
                                            ("hats=nan", "expected NAME=STRENGTH"), ("eyes=1", "there are: hats")])
def test_a_bake_that_cannot_be_is_one_line(folder, argument, says):
    done = run_program("convert", folder, "-o", folder / "out.safetensors", "--bake-edits", argument)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1
    assert not (folder / "out.safetensors").exists()


def test_the_report_and_the_list_know_the_edits(folder, tmp_path):
    listed = json.loads(run_program("--instrument", folder, "--list-parameters", "--json").stdout)
    assert (listed["/edits/hats/strength"]["low"], listed["/edits/hats/strength"]["high"]) == (-1, 2)
    done = run_program("--instrument", folder, *QUIET, "--frames", 3, "--report", tmp_path / "report.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["weights"] == {"edits": ["hats"], "checkpoints": [], "presets": [], "left_out": {}}


@pytest.mark.parametrize("size", [20, 48])
def test_a_take_renders_at_sizes_the_network_does_not_draw(network, tmp_path, size):
    from PIL import Image

    recorded = run_program("--instrument", network, *QUIET, "--frames", 3, "--take", "a.take", "--threads", 1, cwd=tmp_path)
    rendered = run_program("render", "a.take", "-o", "frames", "--instrument", network, "--size", size, "--threads", 1, cwd=tmp_path)
    assert (recorded.returncode, rendered.returncode) == (0, 0), rendered.stderr
    assert Image.open(tmp_path / "frames" / "frame_000002.png").size == (size, size)


def told(network, tmp_path, signals, **options):
    """A show that is told to end by signals once it plays; returns (its status, its report, what it said last)."""
    import signal

    report = tmp_path / "deep" / "report.json"
    playing = subprocess.Popen([sys.executable, str(ROOT / "run_live.py"), "--instrument", network, *QUIET, "--report", str(report)],
                               stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, **options)
    try:
        for line in playing.stderr:
            if "playing" in line:
                break
        for name in signals:
            playing.send_signal(getattr(signal, name))
        said = playing.communicate(timeout=180)[1]
    finally:
        playing.kill()
    return playing.returncode, json.loads(report.read_text()), said


@pytest.mark.parametrize("signals", [["SIGHUP", "SIGHUP", "SIGTERM"], ["SIGTERM", "SIGTERM"]])
def test_a_closed_terminal_or_a_kill_ends_a_show_with_its_report_in_a_new_folder(network, tmp_path, signals):
    status, report, said = told(network, tmp_path, signals)
    assert status == 0 and report["frames"] >= 0 and "Traceback" not in said


@pytest.mark.parametrize("flags, message", [
    (["--report", "{t}/file/r.json"], "--report"), (["--take", "{t}/file/x.take"], "--take"), (["--output", "files={t}/file/f"], "files="),
])
def test_what_can_not_be_written_is_told_at_the_start(network, tmp_path, flags, message):
    (tmp_path / "file").touch()
    done = run_program("--instrument", network, *QUIET, "--frames", "2", *(flag.format(t=tmp_path) for flag in flags))
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_a_terminal_that_lacks_letters_gets_escapes_and_a_reader_that_leaves_is_no_error(network):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, str(ROOT / "run_live.py"), "--preset", "größe", "--instrument", network, *QUIET, "--frames", "1"], capture_output=True, env=environment, timeout=240)
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"\\xf6" in done.stderr
    left = subprocess.run(f"{sys.executable} {ROOT / 'run_live.py'} --list-parameters --instrument {network} | head -1; exit ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash",
                          capture_output=True, env=environment, timeout=240)
    assert left.returncode == 0 and left.stderr == b""


@pytest.mark.parametrize("command", [[], ["render", "a.take", "-o", "a.mkv"], ["check"], ["bend"]])
def test_a_size_with_two_numbers_is_told_what_a_size_is(command):
    found = run_program(*command, "--size", "1920x1080")
    assert found.returncode == 2 and "'1920x1080': expected one number, such as 1024" in found.stderr.splitlines()[-1]
