"""List the MIDI ports, displays and cameras that can be used."""
import sys


def arguments(parser):
    parser.add_argument("--midi-api", help="MIDI system to ask (LINUX_ALSA, UNIX_JACK, MACOSX_CORE, WINDOWS_MM)")


def run(options):
    from live.controls.midi import list_ports

    found = list_ports(options.midi_api)
    for kind in ("inputs", "outputs"):
        sys.stdout.write(f"MIDI {kind}:\n")
        sys.stdout.writelines(f"  {name}\n" for name in found.get(kind) or ["(none)"])
    if found.get("problem"):
        sys.stdout.write(f"{found['problem']}\n")
