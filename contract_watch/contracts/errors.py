"""The one error that a user's input can cause: a line that says what, where and the remedy."""


class UsageError(Exception):
    """Something the user gave (an argument, a variable, a contract's file) cannot be used.

    Its text is one line that names what is wrong, where, and what to do; commands print it and end 3.
    """
