"""One run as the history keeps it: the run of ``findings.json`` without exchanges."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.escaping import escape_text
from contract_watch.report.finding import Severity
from contract_watch.report.verdict import Verdict

STEADY, FLAKY, WAIVED = "steady", "flaky", "waived"
_MAX_NAMES = 200
"""The findings and clauses of one cause that a row holds: enough to recognise the cause in another night."""
_MAX_TITLE = 500
_VERDICTS, _SEVERITIES = [one.label for one in Verdict], [one.value for one in Severity]
_KINDS = (STEADY, FLAKY, WAIVED)
_MAX_NUMBER = 2**53
_DATE_LENGTH = len("2026-11-29")
_DETAILS = ("version", "contract_digest", "surface", "seed", "target", "interpretations", "live", "partial")


@dataclass(frozen=True)
class CauseEntry:
    """A cause in one run. ``kind`` is `STEADY`, `FLAKY` or `WAIVED`; only steady causes are open or gone."""

    id: str
    severity: str
    title: str
    kind: str
    findings: tuple[str, ...]
    clauses: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a cause that no run has.

        Raises:
            ValueError: a damaged file or a foreign report holds it.
        """
        if not all(isinstance(one, str) for one in (self.id, self.title, *self.findings, *self.clauses)):
            raise ValueError("no string")
        if self.severity not in _SEVERITIES or self.kind not in _KINDS:
            raise ValueError("unknown severity or kind")


@dataclass(frozen=True)
class RunEntry:
    """One run of one vendor.

    Attributes:
        key: unique for each run, so that a run that is merged twice counts once.
        axis: ``live``, ``document``, ``mock``, or ``target`` for another address, which ``target`` then holds.
        night: the UTC date of the start.
        is_conclusive: the run came to an end and could tell.
        not_exercised: the ids of clauses that the run did not check.
        details: the facts that only people read, and ``requests`` by stage.
        shapes: the shapes of the run's responses, by operation and status; empty if none were recorded.
    """

    key: str
    vendor: str
    axis: str
    target: str
    night: str
    started: str
    seconds: float
    verdict: str
    is_conclusive: bool
    reason: str
    requests: int
    causes: tuple[CauseEntry, ...] = ()
    not_exercised: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    shapes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no run, so that nobody who reads a history meets a date or a number that is none.

        Raises:
            ValueError: a damaged file or a foreign report holds it.
        """
        for value in (self.key, self.vendor, self.axis, self.target, self.night, self.started, self.reason):
            value.encode()  # a column holds UTF-8
        dt.date.fromisoformat(self.night)
        if len(self.night) != _DATE_LENGTH or not self.started.startswith(self.night) or self.verdict not in _VERDICTS:
            raise ValueError("no date, or no verdict")
        numbers = (self.seconds, self.requests)
        if any(not isinstance(one, int | float) or not 0 <= one < _MAX_NUMBER for one in numbers):
            raise ValueError("no number")
        if not isinstance(self.details, Mapping) or not isinstance(self.shapes, Mapping):
            raise ValueError("no object")  # noqa: TRY004 (one kind of error for all that is malformed)

    @property
    def stream(self) -> tuple[str, str, str]:
        """Return the vendor, axis and target: runs with the same three follow each other."""
        return self.vendor, self.axis, self.target

    @property
    def is_partial(self) -> bool:
        """Return True if an option left checks out, such as ONLY= or SHARD=."""
        return bool(self.details.get("partial"))

    def is_as_wide_as(self, other: "RunEntry") -> bool:
        """Return True if the options of this run left out nothing that ``other`` asked for."""
        if self.is_partial or (self._may_only_read and not other._may_only_read):  # noqa: SLF001 (of the same class)
            return False
        mine, theirs = self.details.get("surface"), other.details.get("surface")
        return (
            not isinstance(mine, list) or not isinstance(theirs, list) or set(map(str, theirs)) <= set(map(str, mine))
        )

    @property
    def _may_only_read(self) -> bool:
        live = self.details.get("live")
        return isinstance(live, Mapping) and live.get("mode") == "read"


def build_entry(run: Mapping[str, Any]) -> RunEntry:
    """Return the row of a run of ``findings.json``; the run has to conform to ``findings.schema.json``.

    Raises:
        ValueError, OverflowError: the schema permits what no run has, such as 10 to the 400th seconds.
    """
    axis = str(run.get("axis") or "target")
    clauses = {str(finding["id"]): str(finding["clause"]) for finding in run["findings"]}
    causes = [_build_cause(cause, clauses) for cause in run["causes"]]
    causes += [_build_waived(finding) for finding in run["waived"]]
    details = {name: run[name] for name in _DETAILS if name in run}
    return RunEntry(
        key=str(run.get("run_id") or _hash_run(run)),
        vendor=run["contract"],
        axis=axis,
        target=str(run["target"]) if axis == "target" else "",
        night=run["started"][:10],
        started=run["started"],
        seconds=float(run["seconds"]),
        verdict=run["verdict"],
        is_conclusive=run["reason"] is None,
        reason=escape_text(run["reason"] or "", _MAX_TITLE),
        requests=int(run["requests"]["total"]),
        causes=tuple(causes),
        not_exercised=tuple(one["id"] for one in run["clauses"]["not_exercised"]),
        details={**details, "requests": run["requests"], "documented": run["clauses"]["documented"]},
        shapes=run.get("shapes") or {},
    )


def _build_cause(cause: Mapping[str, Any], clauses: Mapping[str, str]) -> CauseEntry:
    findings = [str(name) for name in cause["findings"]]
    broken = dict.fromkeys(clauses[name] for name in findings if name in clauses)
    return CauseEntry(
        id=cause["id"],
        severity=cause["severity"],
        title=cause["title"][:_MAX_TITLE],
        kind=FLAKY if cause["flapping"] else STEADY,
        findings=tuple(findings[:_MAX_NAMES]),
        clauses=tuple(list(broken)[:_MAX_NAMES]),
    )


def _build_waived(finding: Mapping[str, Any]) -> CauseEntry:
    name, clause = str(finding["id"]), str(finding["clause"])
    return CauseEntry(name, finding["severity"], finding["title"][:_MAX_TITLE], WAIVED, (name,), (clause,))


def _hash_run(run: Mapping[str, Any]) -> str:
    """Return a key for a run that has none: equal content is the same run."""
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:32]
