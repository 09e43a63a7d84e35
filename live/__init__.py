"""Playing an instrument live: the clock, controls, presets, takes, sources and outputs. Never imports torch."""
