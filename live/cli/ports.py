"""List the MIDI ports, sound inputs, displays and cameras that can be used."""
import sys


def arguments(parser):
    parser.add_argument("--midi-api", help="MIDI system to ask (LINUX_ALSA, UNIX_JACK, MACOSX_CORE, WINDOWS_MM)")


def run(options):
    from live.audio.device import list_inputs
    from live.controls.midi import list_ports
    from live.outputs.window import list_displays
    from live.sources.camera import list_cameras

    found = list_ports(options.midi_api)
    _write("MIDI inputs", found["inputs"])
    _write("MIDI outputs", found["outputs"], found.get("problem"))
    for kind, use, ask in (("sound inputs", "--audio N or --audio NAME", list_inputs),
                           ("displays", "--display N", list_displays),
                           ("cameras", "--source camera=N or camera=NAME", list_cameras)):
        names, problem = ask()
        _write(f"{kind} ({use})", [f"{number}: {name}" for number, name in names], problem)


def _write(title, lines, problem=None):
    sys.stdout.write(f"{title}:\n")
    sys.stdout.writelines(f"  {line}\n" for line in lines or [f"(none: {problem})" if problem else "(none)"])
