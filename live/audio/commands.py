"""Commands that choose what is heard."""
from live.audio.inputs import OFF, check, is_file
from live.audio.listening import find_listening
from live.files.paths import find_path
from live.show.commands import command


@command("/audio/input", guarded=True)
def choose(show, name=OFF):
    """Listen to another input: its name or number, system, a file, or none. Its beat is followed, unless the tempo was set to follow another."""
    name = str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)
    check(name)
    find_listening(show).ear.choose(str(find_path(name)) if is_file(name) else name)
    unchosen = show.scene["/tempo/source"] == show.scene.parameters["/tempo/source"].default
    return [show.scene.set_values({"/tempo/source": "audio"})] if name != OFF and unchosen else []


@command("/audio/inputs")
def look(show):
    """Look which sound inputs there are; pages are told of them a moment later."""
    find_listening(show).inputs.look()
