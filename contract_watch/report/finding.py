"""A finding: one disagreement between target and contract."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any


class Severity(Enum):
    """What a finding means for a consumer who relied on the contract."""

    ADDITIVE = "additive"
    BREAKING = "breaking"


@dataclass(frozen=True)
class Finding:
    """One disagreement. ``id`` is stable from run to run.

    ``operation`` is written ``METHOD path``; ``status`` is the status answered, None where there was no answer.
    ``title`` says what was promised and what came, ``why`` what that means for a consumer, ``clause`` is the id of the
    promise and ``promise`` its words. ``exchange`` is the redacted request and response as JSON; ``again`` the second
    one, where asking again gave another answer (``flapping``). ``reproduce`` is one or more curl lines. ``symbols`` says of a
    change of a document what happens to which symbols of the generated client; None where that is not known, or no question.
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
    symbols: tuple[str, ...] | None = None

    def mark_flaky(self, again: dict[str, Any] | None) -> "Finding":
        """The same finding, seen once and not again."""
        return replace(self, flapping=True, again=again)

    def to_json(self) -> dict[str, Any]:
        """The finding as it stands in ``findings.json``."""
        shown = {**vars(self), "severity": self.severity.value}
        for optional in ("again", "symbols"):
            if shown[optional] is None:
                del shown[optional]
        return shown
