"""What libraries log while a run is on, without secrets.

Each log record of the process is redacted as it is made, below every logger and handler, whoever has set them up: a filter
on some handler would miss those that a library brings along, and records that do not propagate.
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
    """Have ``redactor`` see every record that is logged from now on, for as long as it is there."""
    with _LOCK:
        _REDACTORS.add(redactor)
        if not _INSTALLED or logging.getLogRecordFactory() is not _create_record:
            _INSTALLED[:] = [logging.getLogRecordFactory()]
            logging.setLogRecordFactory(_create_record)


def _create_record(*given: Any, **more: Any) -> logging.LogRecord:
    """A log record without secrets. Of an error with it only the kind is kept: a traceback's last line is the error's text."""
    record: logging.LogRecord = _INSTALLED[0](*given, **more)
    with _LOCK:
        redactors = list(_REDACTORS)
    if not redactors:
        return record
    try:
        words = record.getMessage()
    except Exception:  # noqa: BLE001 (whatever arguments a library gives that do not fit its words)
        words = str(record.msg)
    if record.exc_info and record.exc_info[1] is not None:
        words = f"{words} ({Redactor.describe_error(record.exc_info[1])})"
    record.exc_info = record.exc_text = None
    for redactor in redactors:
        words = redactor.redact_log(record.name, words)
    record.msg, record.args = words, ()
    return record
