"""Figures of a process: descriptors, memory, objects; and a search of its logs for secrets."""

import ctypes
import gc
import logging
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MMAP_THRESHOLD = -3
"""The number of glibc's parameter M_MMAP_THRESHOLD."""


@dataclass(frozen=True)
class Holdings:
    """Figures of this process, and the connections that its server holds open."""

    descriptors: int
    memory: int
    objects: int
    connections: int


def keep_large_blocks_apart() -> None:
    """Have glibc return each large block at once: between small ones, freed memory would look like a leak."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 128 * 1024)


def measure(connections: int) -> Holdings:
    """Return the figures after a garbage collection; memory is resident, in bytes."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc holds freed memory for later, more with each thread
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
