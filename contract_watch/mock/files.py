"""The files of a mock that is served: its state, and a recorded session."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract_watch.escaping import escape_text
from contract_watch.mock.app import Mock


@contextmanager
def keep_state(mock: Mock, path: Path | None) -> Iterator[None]:
    """Keep the states of ``mock`` in the file at ``path``, if one is given."""
    if path is None:
        yield
        return
    from contract_watch.mock.persistence.state_file import StateFile  # noqa: PLC0415 (sqlite3 takes time to load)

    states = StateFile(path)
    try:
        states.attach(list(mock.vendors.values()))
        yield
    finally:
        states.close()


@contextmanager
def open_session(mock: Mock, record: Path | None, replay: Path | None) -> Iterator[None]:
    """Record a session of ``mock``, or answer from a recorded one, if a file is given."""
    if record is not None:
        from contract_watch.mock.recording.recorder import SessionRecorder  # noqa: PLC0415 (few mocks record)

        recorder = SessionRecorder(record, mock.redactor, list(mock.vendors.values()))
        mock.use_session(recorder)
        try:
            yield
        finally:
            recorder.close()
        return
    if replay is not None:
        from contract_watch.mock.recording.replayer import SessionReplayer  # noqa: PLC0415 (few mocks replay)

        replayer = SessionReplayer(replay, list(mock.vendors.values()), mock.journal)
        if replayer.is_cut:
            print(
                f"--replay {escape_text(str(replay))}: the last exchange has no end and is left out; add a line `...` if it is whole",
                file=sys.stderr,
            )
        mock.use_session(replayer)
    yield
