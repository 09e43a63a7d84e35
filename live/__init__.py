"""Playing it: time, hands, memory, eyes. Never imports torch."""
