"""Two kinds of failure: a mistake in a file, flag or port (UserError), and a bug (anything else)."""


class UserError(Exception):
    """Something the person at the keyboard can fix: one line that says where, what was expected,
    what was found and what would have been allowed. Printed without a traceback, exit status 2.
    """
