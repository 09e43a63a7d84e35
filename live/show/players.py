"""What plays beside the hands: the protocol of a player, and the one order they play in.

Each frame every player plays in this order, then the hands act, then every player hears in this order what the hands did.
What each returns is applied at once, so that each meets what those before it have done. To add one, name it here and hand
it to sort_players() where the show is put together (live/cli/play.py).
"""
from typing import Protocol, runtime_checkable

from engine.motion import Motion
from engine.scene import Scene
from live.show.events import Tick

ORDER = (
    "macros",                       # targets of macros that were moved in the frame before
    "recording",                    # a take that begins, a take that plays
    "listening",                    # what is heard: its levels, its hits
    "timecode",                     # the timecode that is followed
    "quantiser",                    # what waited for this beat
    "looper",                       # the loop of gestures
    "running",                      # the set list, where it goes on by itself
    "recall",                       # a morph; after the hands, the pad
    "deck",                         # a fade that runs; after the hands, the crossfader
    "lanes",                        # automation: after presets and decks, so that it acts on top of them; before the hands, so that they come first
    "weights",                      # edits that join, a fade between weight presets
    "finds",                        # directions, clusters and kept latents that join
    "switch",                       # the fade to another instrument that was opened
    "graft",                        # maps of the instrument before, for the one that plays
    "governor",                     # the size that pictures are drawn at
    "touches",                      # modulators keep off what hands have moved
    "grabs",                        # modulators and morphs keep off what a finger on the page holds
    "tempo",                        # a clock sets the tempo and the beat
    "framings",                     # settings of outputs go to their outputs
    "reopening",                    # an unattended show: outputs that broke
    "unattended",                   # an unattended show: its log of the day
    "trail",                        # what was on show, for /back
    "stage_log",                    # what the evening's log says
    "notices",                      # lines for the performer that waited
    "watching",                     # what the source shows; after the hands, which must not change it
)


class Player(Protocol):
    """A part of the program that plays as well as the hands. What it returns is applied: changes, touches, scenes, motions."""

    def play(self, tick: Tick) -> list:
        """Return what to apply before the hands' events."""

    def after_hands(self, tick: Tick, scene: Scene, motion: Motion, applied: list) -> list:
        """Return what to apply after the hands' events. scene, motion: as they were before those; applied: what those applied."""


@runtime_checkable
class LastingPlayer(Player, Protocol):
    """A player that the show can't do without: a bug in it makes it begin anew instead of leaving."""

    def recover(self):
        """Drop whatever is in progress."""


class KeepingPlayer(Player, Protocol):
    """A player that writes to the disk."""

    def close(self):
        """End of the show: everything reaches the disk."""


def sort_players(players: dict[str, Player]) -> list[Player]:
    """Return players in the order they play in. KeyError: one has no place in ORDER."""
    places = {name: place for place, name in enumerate(ORDER)}
    return [players[name] for name in sorted(players, key=lambda name: places[name])]
