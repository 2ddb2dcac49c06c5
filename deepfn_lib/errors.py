"""The one exception whose message is meant for the person at the keyboard."""


class StudyError(Exception):
    """Something the user can mend: one line that names the thing, what was expected and what to do.

    The command line prints the message without a traceback and exits with status 2.
    """
