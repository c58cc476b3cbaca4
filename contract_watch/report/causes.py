"""Causes: findings that one change by the vendor explains, as people read, count and waive them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract_watch.report.finding import Finding, Severity
from contract_watch.report.hypothesis import Hypothesis, StatusesByOperation, shorten

_RANKS = list(Severity)
_MAX_TITLE = 1000


@dataclass(frozen=True)
class Cause:
    """One change by the vendor, with its findings in the order of the run. Without ``hypothesis`` it has one finding."""

    findings: tuple[Finding, ...]
    hypothesis: Hypothesis | None = None

    @property
    def id(self) -> str:
        """Return the hypothesis's key, or the id of the one finding; it is the same from run to run."""
        return self.hypothesis.key if self.hypothesis is not None else shorten(self.findings[0].id)

    @cached_property
    def finding_ids(self) -> list[str]:
        """Return the ids of the findings; one on several protocols stands once."""
        return list(dict.fromkeys(finding.id for finding in self.findings))

    @property
    def count(self) -> int:
        """Return the number of findings; one on several protocols counts once."""
        return len(self.finding_ids)

    @property
    def is_flaky(self) -> bool:
        """Return True if a retry reproduced none of the findings."""
        return all(finding.flapping for finding in self.findings)

    @cached_property
    def representative(self) -> Finding:
        """Return the finding that shows the cause: the worst one, reproduced, with the shortest reproduction.

        A valid request that is refused shows it best, a reproduction in a file of its own worst. A success in place of a
        scripted fault shows it no better than any other.
        """
        return min(
            self.findings,
            key=lambda one: (
                one.flapping,
                -_RANKS.index(one.severity),
                not one.id.endswith("/refused"),
                "/response/" not in one.id or one.id.endswith("/accepted"),
                one.reproduce.startswith("bash "),
                one.reproduce.count("\n"),
                len(one.reproduce),
            ),
        )

    @property
    def severity(self) -> Severity:
        """Return the worst severity of the findings that a retry reproduced, if there are any."""
        return self.representative.severity

    @property
    def operations(self) -> list[str]:
        """Return the operations concerned, each ``METHOD path``."""
        return list(dict.fromkeys(finding.operation for finding in self.findings))

    @property
    def surfaces(self) -> list[str]:
        """Return the protocols that show it."""
        return list(dict.fromkeys(finding.surface for finding in self.findings))

    @property
    def title(self) -> str:
        """Return the cause in one line."""
        if self.hypothesis is None:
            title = self.findings[0].title
            return title if len(title) <= _MAX_TITLE else shorten(title)
        return f"{self.hypothesis.format_title(self.operations)} ({self.count} findings)"

    @property
    def consequence(self) -> str:
        """Return the code of consumers that fails."""
        stated = self.hypothesis.consequence if self.hypothesis is not None else ""
        return stated or self.representative.why

    def to_json(self) -> dict[str, Any]:
        """Return the cause as ``findings.json`` holds it."""
        return {
            "id": self.id,
            "severity": self.severity.value,
            "title": self.title,
            "count": self.count,
            "operations": self.operations,
            "findings": self.finding_ids,
            "flapping": self.is_flaky,
        }


def group_findings(findings: Iterable[Finding], conforming: StatusesByOperation) -> list[Cause]:
    """Group ``findings`` by cause, worst first; ``conforming`` are the statuses of conforming responses.

    Repeatedly, the hypothesis that explains most of the remaining findings takes them; of several, the one that its
    findings name first. Findings that stay alone are causes of their own.
    """
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.id, []).append(finding)
    weighed = {
        name: [(one, one.is_refuted(conforming)) for one in first.hypotheses] for name, (first, *_) in groups.items()
    }
    causes = []
    while chosen := _choose_hypothesis(weighed):
        hypothesis, names = chosen
        causes.append(Cause(tuple(finding for name in names for finding in groups.pop(name)), hypothesis))
        weighed = {name: weighed[name] for name in groups}
    causes += [Cause(tuple(group)) for group in groups.values()]
    return sorted(causes, key=lambda cause: (cause.is_flaky, -_RANKS.index(cause.severity), -cause.count))


def _choose_hypothesis(
    weighed: Mapping[str, Sequence[tuple[Hypothesis, bool]]],
) -> tuple[Hypothesis, Sequence[str]] | None:
    """Return the hypothesis that explains most, and what it explains; each one comes with whether it is refuted."""
    explained: dict[str, list[str]] = {}
    evidence: dict[str, int] = {}
    positions: dict[str, int] = {}
    firsts: dict[str, tuple[Hypothesis, bool]] = {}
    for name, candidates in weighed.items():
        for position, candidate in enumerate(candidates):
            hypothesis, is_refuted = candidate
            key = hypothesis.key
            if firsts.setdefault(key, candidate)[1] or is_refuted:
                continue
            explained.setdefault(key, []).append(name)
            evidence[key] = evidence.get(key, 0) + (not hypothesis.is_side_effect)
            positions[key] = min(position, positions.get(key, position))
    likely = [key for key in explained if evidence[key] >= firsts[key][0].least]
    if not likely:
        return None
    best = min(likely, key=lambda key: (-len(explained[key]), positions[key], key))
    return firsts[best][0], explained[best]
