"""The one word for a whole run."""

from collections.abc import Iterable
from enum import IntEnum

from contract_watch.report.finding import Finding, Severity


class Verdict(IntEnum):
    """In joining order: the greater one wins."""

    NONE = 0
    ADDITIVE = 1
    INCONCLUSIVE = 2
    BREAKING = 3

    @property
    def label(self) -> str:
        """As it is written everywhere."""
        return self.name.lower()


def derive_verdict(findings: Iterable[Finding], reason: str | None) -> Verdict:
    """The verdict of a run with ``findings`` (the waived ones left out); ``reason`` says why it could not tell all."""
    worst = Verdict.INCONCLUSIVE if reason else Verdict.NONE
    for finding in findings:
        worst = max(worst, Verdict.BREAKING if finding.severity is Severity.BREAKING else Verdict.ADDITIVE)
    return worst


def compute_exit_status(verdicts: Iterable[Verdict], *, left_behind: bool, fail_on: str) -> int:
    """The command's status over all vendors: 1 drift, 2 could not tell or left something behind, 0 else.

    ``fail_on`` is `breaking`, or `additive` where additive drift fails too.
    """
    found = set(verdicts)
    if Verdict.BREAKING in found or (fail_on == "additive" and Verdict.ADDITIVE in found):
        return 1
    return 2 if left_behind or Verdict.INCONCLUSIVE in found else 0
