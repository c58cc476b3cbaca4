"""The decorator that makes a function a command: every way to end has one exit status."""

import errno
import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from contract_watch.cli import traceback_file
from contract_watch.cli.output import forgive_streams
from contract_watch.cli.signals import Termination
from contract_watch.cli.status import ExitStatus
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.escaping import escape_text

Parameters = ParamSpec("Parameters")
_SYSTEM_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
"""Errors of the machine that name no file."""


def command(
    *,
    interrupted: str = "",
    interrupted_status: ExitStatus = ExitStatus.INCONCLUSIVE,
    may_hold_secrets: bool = True,
) -> Callable[[Callable[Parameters, int]], Callable[Parameters, int]]:
    """Make a function that returns an exit status the ``main`` of a command.

    Args:
        interrupted: the line that an interruption prints after ``interrupted:``.
        interrupted_status: the status of an interruption; OK for a server, which ends in no other way.
        may_hold_secrets: False where messages of exceptions quote no server and no key; they go into the traceback file.
    """

    def decorate(main: Callable[Parameters, int]) -> Callable[Parameters, int]:
        @functools.wraps(main)
        def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> int:
            traceback_file.set_directory(None)
            termination = Termination()
            with forgive_streams() as streams:
                with termination.install():
                    try:
                        status = int(main(*args, **kwargs))
                    except KeyboardInterrupt:
                        termination.is_over = True
                        status = int(interrupted_status)
                        if interrupted or status:
                            _print_error("interrupted" + (f": {interrupted}" if interrupted else ""))
                    except SystemExit as end:
                        status = 0 if not end.code else _report_unforeseen(end, may_hold_secrets=may_hold_secrets)
                    except Exception as error:  # noqa: BLE001 (an unforeseen error must not end 1, which means drift)
                        status = _report_error(error, may_hold_secrets=may_hold_secrets)
                    termination.is_over = True
                for stream in streams:
                    stream.flush()
                if lost := next((stream.error for stream in streams if stream.error is not None), None):
                    _print_error(f"error: the output could not be written: {lost.strerror}")
                    status = status or ExitStatus.INCONCLUSIVE
            return status

        return run

    return decorate


def _report_error(error: Exception, *, may_hold_secrets: bool) -> int:
    """Print the line of an error that ended a command, and return its status."""
    if isinstance(error, UsageError):
        _print_error(f"error: {error}")
        return ExitStatus.USAGE
    if isinstance(error, InconclusiveError):
        _print_error(f"error: {error}")
        return ExitStatus.INCONCLUSIVE
    if isinstance(error, OSError) and error.strerror and (error.filename or error.errno in _SYSTEM_ERRORS):
        place = f"{escape_text(str(error.filename))}: " if error.filename else ""
        _print_error(f"error: {place}{error.strerror}")
        return ExitStatus.INCONCLUSIVE
    return _report_unforeseen(error, may_hold_secrets=may_hold_secrets)


def _report_unforeseen(error: BaseException, *, may_hold_secrets: bool) -> int:
    """Write the traceback of an error of ours into a file and name it in one line."""
    path = traceback_file.write_traceback(error, with_messages=not may_hold_secrets)
    place = f"{type(error).__name__} at {traceback_file.find_origin(error)}"
    _print_error(f"error: internal error ({place}); traceback: {path or 'could not be written'}")
    return ExitStatus.INCONCLUSIVE


def _print_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
