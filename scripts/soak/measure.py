"""Figures of a process: descriptors, memory, objects; and a search of its logs for secrets."""

import gc
import logging
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Holdings:
    """Figures of this process, and the connections that its server holds open."""

    descriptors: int
    memory: int
    objects: int
    connections: int


def measure(connections: int) -> Holdings:
    """Return the figures after a garbage collection; memory is resident, in bytes."""
    gc.collect()
    return Holdings(len(os.listdir("/dev/fd")), _read_memory(), len(gc.get_objects()), connections)  # noqa: PTH208 - a count


def _read_memory() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the best that macOS offers without a further library
    return peak if sys.platform == "darwin" else peak * 1024


class SecretLogHandler(logging.Handler):
    """A handler for the root logger that counts all records, and those whose text holds a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(logging.DEBUG)
        self._secrets = tuple(secrets)
        self._formatter = logging.Formatter("%(name)s %(message)s")
        self.count = 0
        self.leaks: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Search one record, its traceback included."""
        self.count += 1
        if self.holds_secret(self._formatter.format(record)):
            self.leaks[record.name] += 1

    def holds_secret(self, text: str) -> bool:
        """Return True if ``text`` holds a secret."""
        return any(secret in text for secret in self._secrets)
