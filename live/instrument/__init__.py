"""An instrument on the disk: its folder, its checkpoint, what it answers to."""
