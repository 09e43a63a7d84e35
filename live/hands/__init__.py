"""What hands do to the scene: bindings, takeover, learning, macros, controllers and their lights. The ports are in live/controls/midi.py."""
