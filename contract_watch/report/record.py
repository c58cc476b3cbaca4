"""The results of a run for one vendor, from which every report is built."""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_watch.report.causes import Cause, group_findings
from contract_watch.report.finding import Finding
from contract_watch.report.past import Past
from contract_watch.report.verdict import Verdict, derive_verdict
from contract_watch.report.waivers import Waiver, apply_waivers

FORMAT = 2
VERSION = "0.1.0"


@dataclass
class CoverageCell:
    """The number of conforming and of drifted responses of one operation with one status."""

    conforming: int = 0
    drifted: int = 0
    is_documented: bool = True
    reason_not_exercised: str = ""


@dataclass
class SuiteCheck:
    """One check of the suite on one surface: a probe, a flow through the client, an exploration.

    ``skip_reason`` is empty for a check that was made.
    """

    id: str
    stage: str
    title: str
    seconds: float = 0.0
    finding_ids: list[str] = field(default_factory=list)
    skip_reason: str = ""
    surface: str = "rest"


@dataclass(frozen=True)
class Interpretation:
    """One thing that the documents leave open, and what the run learned of it.

    ``name`` has ``@scope`` if a response narrowed it in one scope only. ``declared`` are the values that the model knows,
    ``taken`` those that the target's responses leave possible, ``mock`` the one that the mock follows.
    """

    name: str
    declared: tuple[str, ...]
    taken: tuple[str, ...]
    mock: str


@dataclass
class Record:
    """The run of one vendor.

    Attributes:
        reason: why the run is incomplete; None if it is complete.
        requests: requests that reached the target, by stage; ``by_surface`` counts them by surface.
        documented: the ids of all clauses; ``not_exercised`` maps those that were not checked to the reason.
        waived: accepted findings with their waivers; ``findings`` holds the others.
        left_behind: objects of the run that could not be removed.
        since: the age of the contract, such as the version of the accepted document; empty if unknown.
        target_option: TARGET as the user gave it; empty or ``mock`` for a mock of the run's own.
        live: for a run on a real account, its permissions, its account and the prefix of its names.
        document: for a comparison of documents, the two documents and the effect on the client and on the overlay.
        coverage: results by operation (``METHOD path``) and status.
        shapes: the shapes of the responses by operation and status; empty for a run that left something out.
        interpretations: what the target's responses leave possible of what the documents leave open; see `Interpretation`.
        is_partial: an option left checks out, such as ONLY= or SHARD=.
        past: the past of this run, None until the history has it.
        run_id: unique for each run.
    """

    contract: str
    name: str
    digest: str
    target: str
    seed: int
    started: dt.datetime
    surfaces: list[str] = field(default_factory=lambda: ["rest"])
    seconds: float = 0.0
    reason: str | None = None
    requests: dict[str, int] = field(default_factory=lambda: {"probes": 0, "client": 0, "explore": 0})
    by_surface: dict[str, int] = field(default_factory=dict)
    documented: list[str] = field(default_factory=list)
    not_exercised: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    waived: list[tuple[Finding, Waiver]] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    since: str = ""
    target_option: str = ""
    live: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    coverage: dict[tuple[str, int], CoverageCell] = field(default_factory=dict)
    suite_checks: list[SuiteCheck] = field(default_factory=list)
    shapes: dict[str, Any] = field(default_factory=dict)
    interpretations: list["Interpretation"] = field(default_factory=list)
    is_partial: bool = False
    past: Past | None = None
    run_id: str = field(default_factory=lambda: secrets.token_hex(16))

    def count_request(self, stage: str, surface: str) -> None:
        """Count one request that reached the target."""
        self.requests[stage] += 1
        self.by_surface[surface] = self.by_surface.get(surface, 0) + 1

    @property
    def verdict(self) -> Verdict:
        """The verdict of this run; a client that breaks although no finding says so is a warning."""
        breaks_alone = self.document.get("client", {}).get("breaks_alone")
        return max(derive_verdict(self.findings, self.reason), Verdict.WARNING if breaks_alone else Verdict.NONE)

    @property
    def axis(self) -> str:
        """Return the kind of check: ``live``, ``document``, ``mock``, or ``target`` for any other address."""
        if self.document:
            return "document"
        if self.live or self.target_option == "live":
            return "live"
        return "mock" if self.target_option in ("", "mock") else "target"

    @property
    def conforming_statuses(self) -> dict[str, set[int]]:
        """The statuses of each operation with which it gave conforming responses."""
        found: dict[str, set[int]] = {}
        for (operation, status), cell in self.coverage.items():
            if cell.conforming:
                found.setdefault(operation, set()).add(status)
        return found

    def apply_waivers(self, waivers: Sequence[Waiver], today: dt.date, *, is_whole: bool) -> None:
        """Move waived findings, and note waivers that have expired or, if the run ``is_whole``, match nothing."""
        result = apply_waivers(self.findings, waivers, today, self.conforming_statuses)
        self.findings, self.waived = result.counted, result.waived
        self.notes += result.expired
        if is_whole and self.reason is None:
            self.notes += [
                f"waiver {one.label} matched nothing: delete it from waivers.toml if the vendor has mended it"
                for one in result.unused
            ]

    def find_causes(self) -> list[Cause]:
        """Return the causes of the findings that count, worst first."""
        return group_findings(self.findings, self.conforming_statuses)

    def group_findings(self) -> list[tuple[Finding, str]]:
        """Return each finding once, with a phrase that names its surfaces; the phrase is empty for a vendor with one surface."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.id, []).append(finding)
        has_several = len(self.surfaces) > 1
        return [
            (group[0], f" (over {', '.join(finding.surface for finding in group)})" if has_several else "")
            for group in groups.values()
        ]

    def _surface_counts(self) -> dict[str, Any]:
        return {"by_surface": self.by_surface} if len(self.surfaces) > 1 else {}

    def to_json(self) -> dict[str, Any]:
        """Return the run as ``findings.json`` holds it."""
        return {
            "version": VERSION,
            "contract": self.contract,
            "contract_digest": self.digest,
            "run_id": self.run_id,
            "axis": self.axis,
            "target": self.target,
            **({"partial": True} if self.is_partial else {}),
            "surface": self.surfaces,
            "started": self.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "verdict": self.verdict.label,
            "reason": self.reason,
            "seed": self.seed,
            "seconds": round(self.seconds, 2),
            "requests": {**self.requests, **self._surface_counts(), "total": sum(self.requests.values())},
            "clauses": {
                "documented": len(self.documented),
                "exercised": len(self.documented) - len(self.not_exercised),
                "not_exercised": [{"id": name, "why": why} for name, why in self.not_exercised.items()],
            },
            "causes": [cause.to_json() for cause in self.find_causes()],
            "findings": [self._finding_to_json(finding) for finding in self.findings],
            "waived": [
                {**self._finding_to_json(finding), "waived": waiver.to_json()} for finding, waiver in self.waived
            ],
            "left_behind": self.left_behind,
            "notes": self.notes,
            **({"matrix": self._matrix_to_json()} if self.coverage else {}),
            **({"interpretations": [vars(one) for one in self.interpretations]} if self.interpretations else {}),
            **({"history": self.past.to_json()} if self.past is not None else {}),
            **({"live": self.live} if self.live else {}),
            **({"document": self.document} if self.document else {}),
        }

    def _matrix_to_json(self) -> list[dict[str, Any]]:
        """Return the results by operation and status, in a stable order."""
        return [
            {
                "operation": operation,
                "status": status,
                "conforming": cell.conforming,
                "drifted": cell.drifted,
                "documented": cell.is_documented,
                "note": cell.reason_not_exercised,
            }
            for (operation, status), cell in sorted(self.coverage.items())
        ]

    def _finding_to_json(self, finding: Finding) -> dict[str, Any]:
        """Return a finding as JSON; of several protocols the title names its own, so that no two are the same."""
        content = finding.to_json()
        return {**content, "title": f"{finding.title} over {finding.surface}"} if len(self.surfaces) > 1 else content
