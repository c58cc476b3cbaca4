"""The file that an unforeseen error's traceback goes to."""

import datetime as dt
import os
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from contract_watch.escaping import escape_lines

_directories: list[Path] = []
"""The report directory of the running command, if it has opened one."""


def set_directory(directory: Path | None) -> None:
    """Choose the directory for the next file; None stands for the system's directory for temporary files."""
    _directories[:] = [directory] if directory is not None else []


def write_traceback(error: BaseException, *, with_messages: bool) -> Path | None:
    """Write a file that only its owner can read, and return its path; None if no file can be written.

    Messages of exceptions are left out unless ``with_messages``, since they may quote a server or a key; values of
    variables are always left out.
    """
    text = "\n".join(_format_chain(error, with_messages=with_messages, seen=set())) + "\n"
    prefix = f"traceback-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-"
    for directory in (*_directories, None):
        try:
            number, name = tempfile.mkstemp(prefix=prefix, suffix=".txt", dir=directory)
            with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return Path(name)
    return None


def find_origin(error: BaseException) -> str:
    """Return the file and line that raised ``error``, as ``name.py:120``."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


def _format_chain(error: BaseException, *, with_messages: bool, seen: set[int]) -> Iterator[str]:
    """Yield the lines of an error after those of its cause, as Python prints them; of a group's members too."""
    seen.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen:
        yield from _format_chain(cause, with_messages=with_messages, seen=seen)
        yield "\nThe error above led to this one:\n"
    yield from (line.rstrip("\n") for line in traceback.format_list(traceback.extract_tb(error.__traceback__)))
    message = f": {escape_lines(str(error))}" if with_messages else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{message}"
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions, 1):
            if id(member) not in seen:
                yield f"\nMember {number} of the group:\n"
                yield from _format_chain(member, with_messages=with_messages, seen=seen)
