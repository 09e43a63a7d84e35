"""Sound: the ear's thread. What it hears is no hand's, so it comes by a player (live/audio/listening.py), and bindings hear it as `audio kick`."""
from live.audio import inputs, listening
from live.controls import control
from live.files.paths import find_path
from live.mapping.words import Word

EVENTS = ("kick", "snare", "hat", "onset", "beat", "bar", "section")
WORDS = {"audio": Word("|".join(EVENTS), f"audio {', '.join(EVENTS[:-1])} or {EVENTS[-1]}", button=True, hand=False)}


class Stats:
    """listening: who knows what was heard."""

    def __init__(self):
        self.listening = None

    def report(self) -> dict:
        """Return the figures so far, ready for JSON."""
        return self.listening.report() if self.listening else {}


def arguments(group):
    """Add the flags of sound."""
    group.add_argument("--audio", metavar="NAME|INDEX|FILE", help=f"listen to sound: {inputs.SHOWN}; a file is played, too")


def check(options):
    """Raise UserError for a file that is not there."""
    inputs.check(options.audio)


def settings(options, show, closing, stats):
    """Return what audio() is started with. It waits for /audio/input where no flag names one."""
    text = options.audio
    if options.replay and not text:
        return None
    stats.listening = listening.start_listening(show, str(find_path(text)) if text and inputs.is_file(text) else text)
    return {"ear": stats.listening.ear}


@control(stats=Stats, arguments=arguments, check=check, settings=settings, words=WORDS)
def audio(emit, stop, ear, stats=None):
    """Listen until `stop` is set. ear: live.audio.ear.Ear."""
    ear.run(stop)
