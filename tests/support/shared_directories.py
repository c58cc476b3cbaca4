"""Directories that all test processes of a session share, each made once: xdist may spread a module over its workers."""

import fcntl
import functools
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

Maker = Callable[[Path], object]
"""Function that fills a new directory."""


def make_once(parent: Path, makers: Mapping[str, Maker]) -> None:
    """Make the directories below ``parent`` that ``makers`` name, unless another process has made them.

    Processes that come at the same time divide the work. Alone, a process makes two directories at a time.

    Raises:
        Exception: a maker's error. The next process tries again in a new directory.
    """
    parent.mkdir(exist_ok=True)
    with ThreadPoolExecutor(1 if "PYTEST_XDIST_WORKER" in os.environ else 2) as pool:
        for wait in (False, True):
            list(pool.map(functools.partial(_make_directory, parent, wait=wait), makers, makers.values()))


def _make_directory(parent: Path, name: str, maker: Maker, *, wait: bool) -> None:
    """Make one directory; if another process is making it, wait for the end or leave it."""
    with (parent / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return
        if not (parent / name).exists():
            fresh = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=parent))
            maker(fresh)
            fresh.rename(parent / name)
