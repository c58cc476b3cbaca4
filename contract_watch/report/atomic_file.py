"""Files that are written whole or not at all."""

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` through a temporary file in the same directory, so no reader sees half of it.

    Raises:
        OSError: the directory is not writable; a file that was at ``path`` is unchanged.
    """
    # The name is chosen before the file exists, so that an interruption during creation removes it too.
    part = path.parent / f".{path.name[:100]}.{secrets.token_hex(4)}.part"
    try:
        with part.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # the reader knows this name; fsync on a full disk gives none
        raise
