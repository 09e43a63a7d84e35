"""Users' checkpoint files -> Generator. Must not know scenes, time or devices other than by name."""
