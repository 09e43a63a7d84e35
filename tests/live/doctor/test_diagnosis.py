"""Machines as people have them: what is said to be wrong, and the command that mends it."""
import json
from dataclasses import replace

import pytest

from engine.device import TorchBuild, torch_build
from live.doctor.cards import Card, find_cards
from live.doctor.diagnosis import GOOD, MISSING, PIP, WRONG, describe_idle_card, diagnose
from live.doctor.machine import Machine, read_machine
from tests.program import run_program

CPU = TorchBuild("2.13.0+cpu", "cpu")
CUDA = TorchBuild("2.13.0+cu130", "cuda", "13.0", ("NVIDIA GeForce RTX 4090",))
CARD = Card("NVIDIA", "NVIDIA GeForce RTX 4090", "581.29")
LINUX = Machine("Linux 6.8 x86_64", "3.12.4", 16, CPU, displays=("1920 x 1080",), cameras=("Webcam",), midi=("nanoKONTROL2",),
                sounds=("Scarlett 2i2",), jack=True, free_gb=100.0, folder="/home/vj/show", extras=("sounddevice",))
WINDOWS = replace(LINUX, system="Windows 11 AMD64", jack=False)
GPU = replace(LINUX, torch=CUDA, cards=(CARD,), compiler="/usr/bin/cc", python_headers=True, extras=("triton",))
OLD = replace(CUDA, usable=(), problem="The NVIDIA driver on your system is too old (found version 12040).")


def test_a_machine_with_everything():
    assert all(finding.state == GOOD and not finding.mend for finding in diagnose(GPU))
    assert {finding.part for finding in diagnose(GPU)} == {"Python", "torch", "card", "Triton", "displays", "cameras", "MIDI", "JACK", "sound", "disk"}


@pytest.mark.parametrize("machine, part, state, says, mend", [
    (replace(WINDOWS, cards=(CARD,)), "card", WRONG, "RTX 4090: not used, since this torch (2.13.0+cpu) was built for processors only",
     f"{PIP} --force-reinstall torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130"),
    (replace(WINDOWS, cards=(replace(CARD, driver="551.86"),)), "card", WRONG, "built for processors only", "whl/cu126"),
    (replace(LINUX, cards=(CARD,)), "card", WRONG, "built for processors only", f"{PIP} --force-reinstall torch==2.13.0"),
    (replace(LINUX, torch=OLD, cards=(replace(CARD, driver="550.120"),)), "card", WRONG, "driver 550.120, and this torch is made for CUDA 13.0; The NVIDIA driver", "whl/cu126"),
    (replace(LINUX, cards=(Card("NVIDIA"),)), "card", WRONG, "NVIDIA card: without a driver", "sudo ubuntu-drivers install"),
    (replace(WINDOWS, cards=(Card("NVIDIA"),)), "card", WRONG, "without a driver", "https://www.nvidia.com/drivers"),
    (replace(LINUX, cards=(Card("AMD"),)), "card", WRONG, "AMD card: not used", "whl/rocm"),
    (replace(WINDOWS, cards=(Card("AMD"),)), "card", MISSING, "torch for Windows does not use AMD cards", "docs/speed.md"),
    (LINUX, "card", MISSING, "none found", ""),
    (replace(LINUX, torch=TorchBuild("2.13.0", "mps", usable=("Apple GPU (mps)",)), cards=(Card("Apple", "Apple GPU", "macOS"),)), "card", MISSING,
     "not used unless you ask for it with --device mps", "python run_live.py bench device"),
    (replace(GPU, compiler=""), "Triton", WRONG, "no C compiler", "sudo apt install build-essential python3-dev"),
    (replace(GPU, python_headers=False), "Triton", WRONG, "no Python.h", "sudo apt install python3-dev"),
    (replace(GPU, extras=()), "Triton", MISSING, "not installed", f"{PIP} triton"),
    (replace(GPU, extras=(), system="Windows 11 AMD64"), "Triton", MISSING, "not installed", f"{PIP} triton-windows"),
    (LINUX, "passes", GOOD, "compiled for this processor", ""),
    (replace(LINUX, passes_problem="no C compiler. On Debian and Ubuntu: sudo apt install build-essential"), "passes", MISSING,
     "frames take half as long again: no C compiler", "sudo apt install build-essential"),
    (replace(LINUX, passes_problem="/usr/bin/cc failed: fatal error"), "passes", MISSING, "cc failed", ""),
    (replace(LINUX, cameras=()), "cameras", MISSING, "none found", "--source video="),
    (replace(LINUX, displays=(), displays_problem="no window: there is no display"), "displays", WRONG, "there is no display", "--output null"),
    (replace(LINUX, midi=(), midi_problem="this machine has no ALSA sequencer"), "MIDI", MISSING, "no ALSA sequencer", "--midi-api UNIX_JACK"),
    (replace(LINUX, midi=(), jack=False), "MIDI", MISSING, "no inputs", "plug a controller in"),
    (replace(LINUX, sounds=(), extras=()), "sound", MISSING, "sounddevice", f"{PIP} -r requirements-audio.txt"),
    (replace(LINUX, sounds=(), sounds_problem="hearing sound needs sounddevice: ...; PortAudio library not found"), "sound", MISSING, "no PortAudio", "libportaudio2"),
    (replace(LINUX, sounds=(), sounds_problem="no sound input is plugged in"), "sound", MISSING, "no sound input is plugged in", "--audio song.flac"),
    (replace(LINUX, sounds=()), "sound", MISSING, "no sound input", "docs/sound.md"),
    (replace(LINUX, jack=False), "JACK", MISSING, "not installed", "sudo apt install jackd2"),
    (replace(LINUX, free_gb=0.4), "disk", WRONG, "0.4 GB free", "make room"),
    (replace(LINUX, python="3.9.18"), "Python", WRONG, "3.9.18", "install Python 3.12"),
    (replace(LINUX, python="3.14.0"), "Python", WRONG, "3.14.0", "install Python 3.12"),
    (replace(LINUX, missing=("mido", "av")), "packages", WRONG, "not installed: mido, av", "-r requirements.txt"),
    (replace(LINUX, torch=None, torch_problem="No module named 'torch'"), "torch", WRONG, "No module named 'torch'", "torch==2.13.0"),
    (replace(WINDOWS, torch=None, torch_problem="[WinError 126] fbgemm.dll"), "torch", WRONG, "WinError 126", "vc_redist"),
])
def test_each_trouble_and_what_mends_it(machine, part, state, says, mend):
    found = [finding for finding in diagnose(machine) if finding.part == part]
    assert len(found) == 1 and found[0].state == state
    assert says in found[0].text and mend in found[0].mend
    assert "\n" not in found[0].text + found[0].mend


def test_a_card_that_is_used_is_not_idle():
    assert describe_idle_card(GPU) is None and describe_idle_card(LINUX) is None
    assert describe_idle_card(replace(LINUX, cards=(CARD,))).state == WRONG


def test_what_the_system_says_of_cards(tmp_path):
    for number, (kind, vendor) in enumerate((("0x030000", "0x10de"), ("0x020000", "0x1002"), ("0x038000", "0x1002"), ("0x030000", "0x1234"))):
        device = tmp_path / f"0000:0{number}:00.0"
        device.mkdir()
        (device / "class").write_text(f"{kind}\n")
        (device / "vendor").write_text(f"{vendor}\n")
    (tmp_path / "broken").mkdir()
    assert find_cards(lambda: "", tmp_path, "linux") == (Card("NVIDIA"), Card("AMD"))
    asked = "NVIDIA H200, 580.95.05\nNVIDIA H200, 580.95.05\n"
    assert find_cards(lambda: asked, tmp_path / "none", "linux") == (Card("NVIDIA", "NVIDIA H200", "580.95.05"),) * 2
    assert find_cards(lambda: "", tmp_path / "none", "darwin", "arm64")[0].maker == "Apple"
    assert find_cards(lambda: "", tmp_path / "none", "darwin", "x86_64") == ()


def test_this_machine(tmp_path):
    machine = read_machine(tmp_path)
    assert machine.torch == torch_build() and machine.missing == () and machine.free_gb > 0
    assert all(finding.state in (GOOD, WRONG, MISSING) and finding.text for finding in diagnose(machine))


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_the_command(flags):
    done = run_program("doctor", *flags)
    assert "Traceback" not in done.stderr
    if flags:
        told = json.loads(done.stdout)
        assert told["machine"]["torch"]["version"] and {finding["part"] for finding in told["findings"]} >= {"Python", "torch", "card", "disk"}
    else:
        assert "torch" in done.stdout and done.stdout.splitlines()[-1].endswith("wrong")
    assert done.returncode == (1 if "WRONG" in done.stdout or '"wrong"' in done.stdout else 0)


def test_a_show_beside_a_card_it_cannot_use_says_so_in_a_line(monkeypatch, caplog):
    from live.doctor import start

    monkeypatch.setattr(start, "read_torch", lambda: (CPU, ""))
    monkeypatch.setattr(start, "find_cards", lambda: (CARD,))
    start.warn_of_idle_card()
    assert len(caplog.records) == 1 and "RTX 4090" in caplog.text and "torch==2.13.0" in caplog.text
    caplog.clear()
    monkeypatch.setattr(start, "find_cards", tuple)
    start.warn_of_idle_card()
    assert not caplog.records
