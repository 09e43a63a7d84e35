"""What the show hears: sound from an input, a file or the system, as parameters and events.

`ear.py` runs in the thread of `live/controls/audio.py` and analyses (engine.hearing); `listening.py` is the player that brings what is
heard into each frame; `device.py` and `sound_file.py` are where sound comes from, `port_audio.py` the drivers, in a process of their own;
`offline.py` hears a whole file without a clock.
"""
