"""Performances that are kept: takes, their replay, rendering them to files, the gesture looper."""
