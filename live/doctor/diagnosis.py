"""What is right, wrong or missing on a machine, and the exact command that mends it. Pure: from the facts to findings.

To add a check, write a function of a Machine that yields Findings and put it into CHECKS.
"""
import sys
from dataclasses import dataclass

from live.doctor.machine import Machine

GOOD, WRONG, MISSING = "good", "wrong", "missing"          # missing: a show plays without it
SUPPORTED = ((3, 11), (3, 12))
TORCH = "2.13.0"
WHEELS = "https://download.pytorch.org/whl"
LITTLE_DISK = 2.0                   # GB: an hour of video at 1024 px takes more
OLDEST_DRIVER = 580                 # of NVIDIA's, for CUDA 13; older ones want the build for CUDA 12.6
PIP = f'"{sys.executable}" -m pip install'


@dataclass(frozen=True)
class Finding:
    """part: what it is about. state: GOOD, WRONG or MISSING. text: one line. mend: the command that mends it, or what to do; "" if nothing."""
    part: str
    state: str
    text: str
    mend: str = ""


def diagnose(machine: Machine) -> list[Finding]:
    """Return what there is to say, in the order it is read."""
    return [finding for check in CHECKS for finding in check(machine)]


def make_torch_command(machine: Machine) -> str:
    """Return the command that installs the torch this machine's card can be used with."""
    card = machine.cards[0] if machine.cards else None
    windows = machine.system.startswith("Windows")
    if card is None or card.maker == "Apple":
        return f"{PIP} --force-reinstall torch=={TORCH}"
    if card.maker == "AMD":
        return f"{PIP} --force-reinstall torch=={TORCH} --index-url {WHEELS}/rocm7.2"
    if _read_driver(card) and _read_driver(card) < OLDEST_DRIVER:
        return f"{PIP} --force-reinstall torch=={TORCH} --index-url {WHEELS}/cu126"
    return f"{PIP} --force-reinstall torch=={TORCH}" + (f" --index-url {WHEELS}/cu130" if windows else "")


def describe_idle_card(machine: Machine) -> Finding | None:
    """Return a sentence about a graphics card that this torch does not use; None where there is none."""
    if machine.torch is None or machine.torch.usable or not machine.cards:
        return None
    card, build = machine.cards[0], machine.torch
    name = card.name or f"{card.maker} card"
    if card.maker == "AMD" and machine.system.startswith("Windows"):
        return Finding("card", MISSING, f"{name}: torch for Windows does not use AMD cards", "Linux with ROCm does; see docs/speed.md")
    if card.maker == "Apple":
        return Finding("card", WRONG, f"{name}: this torch was built without it", make_torch_command(machine))
    if not card.driver and card.maker == "NVIDIA":
        return Finding("card", WRONG, f"{name}: without a driver", "https://www.nvidia.com/drivers" if machine.system.startswith("Windows")
                       else "sudo ubuntu-drivers install    (Ubuntu; other systems: their package of NVIDIA's driver)")
    if build.kind == "cpu":
        return Finding("card", WRONG, f"{name}: not used, since this torch ({build.version}) was built for processors only", make_torch_command(machine))
    driver = f"driver {card.driver}, and this torch is made for {build.kind.upper()} {build.made_for}" if card.driver else ""
    return Finding("card", WRONG, f"{name}: not used: {'; '.join(filter(None, (driver, build.problem)))}", make_torch_command(machine))


def _read_driver(card) -> int:
    """Return the first number of the driver's version, 0 if it is not known."""
    first = card.driver.split(".")[0]
    return int(first) if first.isdigit() else 0


def _check_python(machine):
    version = tuple(int(part) for part in machine.python.split(".")[:2])
    right = version in SUPPORTED
    yield Finding("Python", GOOD if right else WRONG, f"{machine.python} on {machine.system}, {machine.cores} cores",
                  "" if right else "install Python 3.12 from https://www.python.org and make the virtual environment with it")
    if machine.missing:
        yield Finding("packages", WRONG, f"not installed: {', '.join(machine.missing)}", f"{PIP} -r requirements.txt")


def _check_torch(machine):
    if machine.torch is None:
        runtime = "https://aka.ms/vs/17/release/vc_redist.x64.exe (Microsoft's runtime), or " if machine.system.startswith("Windows") else ""
        yield Finding("torch", WRONG, f"can't be imported: {machine.torch_problem}", runtime + make_torch_command(machine))
        return
    build = machine.torch
    made = f"made for {build.kind.upper()} {build.made_for}" if build.made_for else "made for processors only" if build.kind == "cpu" else "made for Apple"
    yield Finding("torch", GOOD, f"{build.version}, {made}")
    idle = describe_idle_card(machine)
    if idle:
        yield idle
    elif build.usable:
        driver = f", driver {machine.cards[0].driver}" if machine.cards and machine.cards[0].driver else ""
        if build.kind == "mps":
            yield Finding("card", MISSING, f"{', '.join(build.usable)}: not used unless you ask for it with --device mps, since nobody has measured it",
                          "python run_live.py bench device")
        else:
            yield Finding("card", GOOD, ", ".join(build.usable) + driver)
    else:
        yield Finding("card", MISSING, "none found: the network is computed by the processor")


def _check_compiler(machine):
    """Yield what is wrong with Triton, which compiles a launcher when it is first used: a GPU without a C compiler loses its fast kernels."""
    if machine.torch is None or machine.torch.kind not in ("cuda", "rocm") or not machine.torch.usable:
        return
    if "triton" not in machine.extras:
        package = "triton-windows" if machine.system.startswith("Windows") else "triton"
        yield Finding("Triton", MISSING, "not installed: layers take four passes instead of one", f"{PIP} {package}")
    elif not machine.compiler:
        yield Finding("Triton", WRONG, "no C compiler, which it needs at its first start", "sudo apt install build-essential python3-dev")
    elif not machine.python_headers and not machine.system.startswith("Windows"):
        yield Finding("Triton", WRONG, "no Python.h, which it needs at its first start", "sudo apt install python3-dev")
    else:
        yield Finding("Triton", GOOD, f"with {machine.compiler}")


def _check_passes(machine):
    """Yield whether frames are drawn by passes compiled for the processor; where a card draws them, or the system has none, nothing."""
    if machine.torch is None or machine.torch.usable or not machine.system.startswith("Linux"):
        return
    if not machine.passes_problem:
        yield Finding("passes", GOOD, "compiled for this processor")
        return
    mend = "sudo apt install build-essential" if "no C compiler" in machine.passes_problem else ""
    yield Finding("passes", MISSING, f"not compiled, so frames take half as long again: {machine.passes_problem.split('. On ')[0]}", mend)


def _check_pictures(machine):
    if machine.displays:
        yield Finding("displays", GOOD, "; ".join(machine.displays))
    else:
        yield Finding("displays", WRONG, machine.displays_problem or "none found", "plug one in, or play to other programs: --output null, docs/outputs.md")
    if machine.cameras:
        yield Finding("cameras", GOOD, "; ".join(machine.cameras))
    else:
        yield Finding("cameras", MISSING, machine.cameras_problem or "none found", "plug one in; a video does as well: --source video=clip.mp4")


def _check_controls(machine):
    if machine.midi:
        yield Finding("MIDI", GOOD, "; ".join(machine.midi))
    else:
        again = "--midi-api UNIX_JACK" if machine.jack and machine.midi_problem else "plug a controller in: it is heard at once"
        yield Finding("MIDI", MISSING, machine.midi_problem or "no inputs", again)
    if machine.system.startswith("Linux"):
        yield Finding("JACK", GOOD, "there") if machine.jack else Finding("JACK", MISSING, "not installed", "sudo apt install jackd2")


def _check_sound(machine):
    """Yield the state of sound inputs. Sound files need none of it: they are read by libraries that the show needs anyway."""
    if machine.sounds:
        yield Finding("sound", GOOD, "; ".join(machine.sounds))
    elif "sounddevice" not in machine.extras:
        yield Finding("sound", MISSING, "inputs need sounddevice, which is not installed; sound files are heard without", f"{PIP} -r requirements-audio.txt")
    elif "PortAudio library not found" in machine.sounds_problem:
        yield Finding("sound", MISSING, "sounddevice finds no PortAudio; sound files are heard without", "sudo apt install libportaudio2")
    else:
        yield Finding("sound", MISSING, machine.sounds_problem or "no sound input is plugged in",
                      "plug an interface in; a file does as well: --audio song.flac; what this machine plays: docs/sound.md")


def _check_disk(machine):
    enough = machine.free_gb >= LITTLE_DISK
    yield Finding("disk", GOOD if enough else WRONG, f"{machine.free_gb:g} GB free for takes and recordings in {machine.folder}",
                  "" if enough else "make room, or record elsewhere: --take /another/disk/night.take")


CHECKS = (_check_python, _check_torch, _check_compiler, _check_passes, _check_pictures, _check_controls, _check_sound, _check_disk)
