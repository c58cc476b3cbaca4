"""The verdict of a whole run, and the exit status of a command."""

from collections.abc import Iterable
from enum import IntEnum

from contract_watch.report.finding import Finding

FAIL_ON = ("additive", "warning", "breaking")
"""The verdicts that a command may fail from; `inconclusive` has an exit status of its own."""


class Verdict(IntEnum):
    """A verdict; of several, the greatest one counts."""

    NONE = 0
    ADDITIVE = 1
    WARNING = 2
    INCONCLUSIVE = 3
    BREAKING = 4

    @property
    def label(self) -> str:
        """The word that reports use."""
        return self.name.lower()


def derive_verdict(findings: Iterable[Finding], reason: str | None) -> Verdict:
    """Return the verdict of a run with ``findings`` (without waived ones); ``reason`` is why it is incomplete, or None.

    Flaky findings decide nothing.
    """
    worst = Verdict.INCONCLUSIVE if reason else Verdict.NONE
    for finding in findings:
        if not finding.flapping:
            worst = max(worst, Verdict[finding.severity.name])
    return worst


def compute_exit_status(verdicts: Iterable[Verdict], *, left_behind: bool, fail_on: str) -> int:
    """Return the exit status for all vendors: 1 for drift, 2 for inconclusive or objects left behind, otherwise 0.

    ``fail_on`` is the least verdict that counts as drift, one of `FAIL_ON`.
    """
    distinct = set(verdicts)
    if any(verdict >= Verdict[fail_on.upper()] for verdict in distinct - {Verdict.INCONCLUSIVE}):
        return 1
    return 2 if left_behind or Verdict.INCONCLUSIVE in distinct else 0
