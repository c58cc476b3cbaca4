"""The coverage of a run: requests, responses by operation and status, and clauses."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import list_properties
from contract_watch.engine.judging.judge import JudgeResult
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.exploration_budget import ExplorationBudget
from contract_watch.report.record import CoverageCell, Record

_LARGE_BYTES = 64 * 1024
"""Bytes of a response that count as many; those of faithful vendors are far shorter."""
MAX_LARGE_BYTES = 256 * 1024 * 1024
"""Bytes of large responses after which a run stops: its findings and states keep exchanges in memory."""

_MAX_CONFORMING = 3000


class Coverage:
    """The coverage of one session. ``record`` receives counts and cells; ``protocol_name`` says over which protocol.

    ``exchanges_by_status`` holds the first exchange of every operation and status. ``conforming`` holds the exchanges of the
    deterministic stages that conform, each with the JSON of its response, up to a number: their shapes are recorded.
    """

    def __init__(self, contract: Contract, record: Record, protocol_name: str) -> None:
        self._contract = contract
        self.record = record
        self._protocol_name = protocol_name
        self._stage = "probes"
        self.exercised_clauses: set[str] = set()
        self.satisfied_clauses: set[str] = set()
        self.exchanges_by_status: dict[tuple[str, int], Exchange] = {}
        self.conforming: list[tuple[Exchange, Any]] = []
        self._large_bytes = 0
        self._budget: ExplorationBudget | None = None

    @property
    def stage(self) -> str:
        """Return the stage whose requests are counted now: ``probes``, ``client`` or ``explore``."""
        return self._stage

    def enter_stage(self, stage: str) -> None:
        """Count requests with ``stage`` from now on."""
        self._stage = stage

    @contextmanager
    def in_stage(self, stage: str) -> Iterator[None]:
        """Count requests with ``stage`` while the block lasts."""
        before, self._stage = self._stage, stage
        try:
            yield
        finally:
            self._stage = before

    @contextmanager
    def limit_requests(self, budget: ExplorationBudget | None) -> Iterator[None]:
        """Check each request in the block against ``budget``; None sets no limit."""
        before, self._budget = self._budget, budget
        try:
            yield
        finally:
            self._budget = before

    def check_budget(self, object_count: int) -> None:
        """Raise `ExplorationEndedError` if exploring may send nothing more; ``object_count`` objects are still there."""
        if self._budget is not None:
            self._budget.check_request(object_count)

    def count_request(self) -> None:
        """Count one request that reached the target."""
        self.record.requests[self._stage] += 1
        counts, name = self.record.by_surface, self._protocol_name
        counts[name] = counts.get(name, 0) + 1

    def count_bytes(self, size: int) -> bool:
        """Count the bytes of a response if they are many; return True once, when a run has received as much as it may."""
        if size <= _LARGE_BYTES:
            return False
        before, self._large_bytes = self._large_bytes, self._large_bytes + size
        return before <= MAX_LARGE_BYTES < self._large_bytes

    def add_clauses(self, clauses: Iterable[str]) -> None:
        """Note clauses as exercised."""
        self.exercised_clauses.update(clauses)

    def skip_clauses(self, clauses: Collection[str], reason: str) -> None:
        """Note why clauses were not exercised; the first reason stays."""
        for clause in clauses:
            self.record.not_exercised.setdefault(clause, reason)

    def note_exchange(self, exchange: Exchange, judged: JudgeResult) -> None:
        """Note a response to a declared operation: its cell, and the clauses that it exercised and satisfied."""
        assert exchange.response is not None
        operation, status = self._contract.operations[exchange.request.operation or ""], exchange.response.status
        self.exchanges_by_status.setdefault((operation.id, status), exchange)
        documented = operation.find_response(status) is not None
        cell = self.record.coverage.setdefault((operation.name, status), CoverageCell(is_documented=documented))
        if judged.disagreements:
            cell.drifted += 1
        else:
            cell.conforming += 1
            if self._stage != "explore" and len(self.conforming) < _MAX_CONFORMING:
                self.conforming.append((exchange, judged.json))
        self.exercised_clauses |= judged.satisfied_clauses
        self.satisfied_clauses |= judged.satisfied_clauses
        key = operation.get_response_key(status)
        self.exercised_clauses.add(f"{operation.id}/response/{key}")
        self.exercised_clauses |= {f"{operation.id}/{key}/body/{pointer}" for pointer in list_properties(judged.json)}
        spec, headers = operation.find_response(status), exchange.response.headers
        if spec is not None and exchange.response.has_documented_headers:
            self.exercised_clauses |= {
                f"{operation.id}/{key}/header/{name}" for name in spec.headers if name in headers
            }
