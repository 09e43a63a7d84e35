"""What plays beside the hands: the protocol of a player, and the one order they play in.

Each frame every player plays in this order, then the hands act, then every player hears in this order what the hands did.
What each returns is applied at once, so that each meets what those before it have done. To add one, name it here and hand
it to in_order() where the show is put together (live/cli/play.py).
"""
from typing import Protocol, runtime_checkable

from engine.motion import Motion
from engine.scene import Scene
from live.show.events import Tick

ORDER = (
    "macros",                       # targets of macros that were moved in the frame before
    "recording",                    # a take that begins, a take that plays
    "listening",                    # what is heard: its levels, its hits
    "quantiser",                    # what waited for this beat
    "looper",                       # the loop of gestures
    "recall",                       # a morph; after the hands, the pad
    "weights",                      # edits that join, a fade between weight presets
    "governor",                     # the size that pictures are drawn at
    "touches",                      # modulators keep off what hands have moved
    "grabs",                        # and what fingers lie on
    "tempo",                        # a clock sets the tempo and the beat
    "framings",                     # settings of outputs go to their outputs
    "told",                         # lines for the performer that waited
    "watching",                     # the truth about the source, which no hand may turn
)


class Player(Protocol):
    """Something that plays beside the hands. What it returns is applied: changes, touches, scenes, motions."""

    def play(self, tick: Tick) -> list:
        """Return what to apply before the hands."""

    def after_hands(self, tick: Tick, scene: Scene, motion: Motion, applied: list) -> list:
        """Return what to apply after the hands, who found this scene and motion and had this applied."""


@runtime_checkable
class LastingPlayer(Player, Protocol):
    """A player that the show can't do without: a bug in it makes it begin anew instead of leaving."""

    def recover(self):
        """Let go of what is under way."""


def in_order(players: dict[str, Player]) -> list[Player]:
    """Return players in the order they play in. KeyError: one has no place in ORDER."""
    places = {name: place for place, name in enumerate(ORDER)}
    return [players[name] for name in sorted(players, key=lambda name: places[name])]
