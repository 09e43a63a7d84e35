"""Files that people and programs write: read into models, written whole, from a thread, one show at a time."""
