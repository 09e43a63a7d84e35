"""A show that runs itself: the set list's show, lanes, the evening's log."""
