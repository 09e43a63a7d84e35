"""Looks that are kept: presets and their folder, going from one to another, undo, the autosave."""
