"""Log records without secrets.

Each log record of the process is redacted when it is created, below every logger and handler. A filter on a handler
would miss the handlers of libraries and records that do not propagate.
"""

import logging
import threading
import weakref
from typing import Any

from contract_watch.contracts.redaction import Redactor

_LOCK = threading.RLock()
_REDACTORS: "weakref.WeakSet[Redactor]" = weakref.WeakSet()
_INSTALLED: list[Any] = []


def redact_log_records(redactor: Redactor) -> None:
    """Redact every later log record with ``redactor``, for as long as it exists."""
    with _LOCK:
        _REDACTORS.add(redactor)
        if not _INSTALLED or logging.getLogRecordFactory() is not _create_record:
            _INSTALLED[:] = [logging.getLogRecordFactory()]
            logging.setLogRecordFactory(_create_record)


def _create_record(*given: Any, **more: Any) -> logging.LogRecord:
    """Create a log record without secrets; of an error only its type, since a traceback ends with the message."""
    record: logging.LogRecord = _INSTALLED[0](*given, **more)
    with _LOCK:
        redactors = list(_REDACTORS)
    if not redactors:
        return record
    try:
        words = record.getMessage()
    except Exception:  # noqa: BLE001 (a library's arguments may not fit its format)
        words = str(record.msg)
    if record.exc_info and record.exc_info[1] is not None:
        words = f"{words} ({Redactor.describe_error(record.exc_info[1])})"
    record.exc_info = record.exc_text = None
    for redactor in redactors:
        words = redactor.redact_log(record.name, words)
    record.msg, record.args = words, ()
    return record
