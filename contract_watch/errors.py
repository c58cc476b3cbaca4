"""Errors of several layers: wrong usage, a question that has no answer now, and the end of a run."""


class UsageError(Exception):
    """An argument, a variable or a contract's file that cannot be used: exit status 3.

    The message is one line, ``<option or file>: <problem>; <fix>``.
    """


class InconclusiveError(Exception):
    """A failure outside the contract (network, database, account) that leaves the question open: exit status 2.

    The message is one line that names the address or file and the problem.
    """


class RunAbortedError(Exception):
    """The error that ends a run; its message is the reason, and the verdict is at best inconclusive."""
