"""Single styles of the network that change one thing in one place (StyleSpace channels): their file, and finding them by an instrument's parts."""
from engine.channels.data import Channel, Channels, load, save

__all__ = ["Channel", "Channels", "load", "save"]
