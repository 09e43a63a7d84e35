"""Commands that choose what is heard."""
from live.audio.inputs import OFF, check, is_file
from live.audio.listening import listening_of
from live.files.paths import find_path
from live.show.commands import command


@command("/audio/input", guarded=True)
def choose(show, name=OFF):
    """Listen to another input: its name or number, system, a file, or none."""
    name = str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)
    check(name)
    listening_of(show).ear.choose(str(find_path(name)) if is_file(name) else name)
