"""A finding: one disagreement between target and contract."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from contract_watch.report.hypothesis import Hypothesis


class Severity(Enum):
    """The effect of a finding on code that relies on the contract."""

    ADDITIVE = "additive"
    WARNING = "warning"
    BREAKING = "breaking"


@dataclass(frozen=True)
class RecheckCount:
    """The rechecks of a finding: ``seen`` of them showed it, ``of`` could tell."""

    seen: int
    of: int


@dataclass(frozen=True)
class Finding:
    """One disagreement; ``id`` is the same from run to run.

    Attributes:
        operation: ``METHOD path``.
        status: the status of the response, None without a response.
        title: the expected and the actual behaviour.
        why: the code of consumers that fails.
        clause: the id of the broken promise; ``promise`` is its wording.
        exchange: the redacted request and response as JSON.
        reproduce: one or more curl lines.
        flapping: a retry did not reproduce it; ``again`` is the exchange of the retry.
        rechecks: on a real account, the result of asking for it again over several minutes; None without rechecks.
        suspects: further operations that can be at fault, each ``METHOD path``; nothing tells which of them it is.
        place: for a change of a document, the object that changed, whatever uses it, in names that survive reordering.
        symbols: for a change of a document, the changes of the generated client; None if unknown or not applicable.
        hypotheses: the changes by the vendor that would explain it, the most specific one first.
    """

    id: str
    severity: Severity
    operation: str
    surface: str
    status: int | None
    title: str
    why: str
    clause: str
    promise: str
    exchange: dict[str, Any]
    reproduce: str
    flapping: bool = False
    again: dict[str, Any] | None = None
    rechecks: RecheckCount | None = None
    symbols: tuple[str, ...] | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    place: str | None = None
    suspects: tuple[str, ...] = ()

    def mark_flaky(self, again: dict[str, Any] | None) -> "Finding":
        """Return the finding as one that a retry, whose exchange is ``again``, did not reproduce."""
        return replace(self, flapping=True, again=again)

    def to_json(self) -> dict[str, Any]:
        """Return the finding as ``findings.json`` holds it."""
        content = {**vars(self), "severity": self.severity.value}
        del content["hypotheses"]
        if self.rechecks is not None:
            content["rechecks"] = vars(self.rechecks)
        for optional, absent in (
            ("again", None),
            ("rechecks", None),
            ("symbols", None),
            ("place", None),
            ("suspects", ()),
        ):
            if content[optional] == absent:
                del content[optional]
        return content
