"""Cases drawn by a process of its own while the run waits for responses: drawing takes longer than sending.

The process draws the cases that a search in the run's own process would draw from the same seed and example database,
as long as none of them fails. It is no part of a live run, whose network sandbox allows no other process.
"""

import math
import multiprocessing
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract_watch.cli import leave_signals_to_parent
from contract_watch.contracts.parameters import is_parameter_key
from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring.depth import ExplorationDepth, list_modes
from contract_watch.engine.exploring.drawn_case import CaseRequest, DrawnCase, UnportableCaseError

if TYPE_CHECKING:
    from contract_watch.engine.exploring.cases import LibraryCase

SearchKey = tuple[str, str, str]
"""A search: the vendor's slug, the operation, the kind of data."""
_BASE = "http://127.0.0.1:1/base"
_EXIT_TIMEOUT = 2.0
_MAX_SILENCE = 20.0
"""Seconds without a sign of life after which the process is given up: a copy of a process may hang for ever."""
_MIN_BETWEEN_SIGNS = 1.0


class CaseDrawer:
    """Draws the cases of every search in ``contracts`` in another process, from now on.

    It is created before the run starts a thread: a copy of a process with threads may hang. ``max_silence`` is in
    seconds.
    """

    def __init__(
        self, contracts: Sequence[Contract], seed_value: int, depth: ExplorationDepth, max_silence: float = _MAX_SILENCE
    ) -> None:
        context = multiprocessing.get_context("fork")
        self._reader, writer = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_draw, args=(self._reader, writer, contracts, seed_value, depth), name="draws", daemon=True
        )
        self._process.start()
        writer.close()
        self._drawn: dict[SearchKey, list[DrawnCase] | None] = {}
        self._has_ended = False
        self._max_silence = max_silence
        self._heard_at = time.monotonic()
        self._changed = threading.Condition()
        threading.Thread(target=self._receive, name="draws", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The id of the process."""
        return self._process.pid

    def take_cases(self, key: SearchKey, seconds: float = math.inf) -> list[DrawnCase] | None:
        """Wait at most ``seconds`` for the cases of a search; return None if it has to draw them itself."""
        until = time.monotonic() + seconds
        with self._changed:
            while not (key in self._drawn or self._has_ended) and time.monotonic() < until:
                left = self._heard_at + self._max_silence - time.monotonic()
                if left <= 0:
                    self._process.kill()
                    self._has_ended = True
                self._changed.wait(max(min(left, until - time.monotonic()), 0))
            return self._drawn.pop(key, None)

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join(_EXIT_TIMEOUT)
        if self._process.is_alive():
            self._process.kill()

    def _receive(self) -> None:
        """Take in cases as they come: the process would wait for a reader once the pipe is full."""
        try:
            while True:
                message = self._reader.recv()
                with self._changed:
                    self._heard_at = time.monotonic()
                    if message is not None:
                        key, cases = message
                        self._drawn[key] = cases
                        self._changed.notify_all()
        except (EOFError, OSError):
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()


def draw_cases(
    contract: Contract, operation: str, mode: str, seed_value: int, depth: ExplorationDepth
) -> list[DrawnCase] | None:
    """Draw the cases of one search; return None if one of them cannot leave the process that drew it.

    ``depth.raise_if_interrupted`` is called before each case.
    """
    from contract_watch.engine.exploring.cases import run_cases  # noqa: PLC0415 (loads slowly)
    from contract_watch.engine.exploring.example_database import open_read_only_database  # noqa: PLC0415 (as above)
    from contract_watch.engine.exploring.search_settings import build_settings  # noqa: PLC0415 (as above)

    cases: list[DrawnCase] = []
    path = contract.operations[operation].path
    database = open_read_only_database(depth.database, f"{contract.slug}/{operation}/{mode}")
    settings = build_settings(depth.examples, depth, database)

    def check(case: "LibraryCase") -> None:
        depth.raise_if_interrupted()
        cases.append(_copy_case(case, path))

    try:
        run_cases(contract, operation, mode, seed_value, settings, check)
    except UnportableCaseError:
        return None
    return cases


def _copy_case(case: "LibraryCase", path: str) -> DrawnCase:
    """Copy a case, and check that the copy is encoded as Schemathesis encodes the case.

    Raises:
        UnportableCaseError: it is not.
    """
    expected = case.build_request(case.parameters, case.body, _BASE)
    query = urlsplit(expected.url).query
    body = case.body if isinstance(case.body, dict) else None
    copy = DrawnCase(
        expected.method, path, case.path_parameters, f"?{query}" if query else "", body, expected.content,
        expected.media_type, {key: case.parameters[key] for key in case.parameters if is_parameter_key(key)},
        expected.headers,
    )  # fmt: skip
    encoded: CaseRequest = copy.build_request(case.parameters, case.body, _BASE)
    if encoded != expected:
        raise UnportableCaseError
    return copy


def _draw(
    reader: Connection, writer: Connection, contracts: Iterable[Contract], seed_value: int, depth: ExplorationDepth
) -> None:
    """Draw in the process's own main function; end quietly, whatever happens to the run."""
    signs = _SignsOfLife(writer, os.getppid())
    depth = replace(depth, raise_if_interrupted=signs.give)
    reader.close()  # else this process would wait for itself to read
    leave_signals_to_parent()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    try:
        for contract in contracts:
            for operation, mode in list_modes(contract):
                key = (contract.slug, operation, mode)
                writer.send((key, draw_cases(contract, operation, mode, seed_value, depth)))
    except Exception:  # noqa: BLE001 (whatever fails here, the run draws for itself, and reports it)
        os._exit(1)
    os._exit(0)


class _SignsOfLife:
    """Tells the run that this process still draws, and ends the process if ``parent`` is no longer its parent."""

    def __init__(self, writer: Connection, parent: int) -> None:
        self._writer = writer
        self._parent = parent
        self._given_at = time.monotonic()

    def give(self) -> None:
        """Give a sign, at most one a second; exit if the run has been killed: then nobody else ends this process."""
        if os.getppid() != self._parent:
            os._exit(1)
        if time.monotonic() - self._given_at >= _MIN_BETWEEN_SIGNS:
            self._given_at = time.monotonic()
            self._writer.send(None)
