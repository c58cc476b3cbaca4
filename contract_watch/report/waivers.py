"""Waivers: accepted findings, each with a reason and an expiry date.

Findings of runs are waived by id, changes of a vendor's document by rule and location.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract_watch.contracts.openapi import read_toml
from contract_watch.errors import UsageError
from contract_watch.report.finding import Finding

_RUN_KEYS = {"id", "reason", "expires"}
_DOCUMENT_KEYS = {"rule", "location", "reason", "expires"}


@dataclass(frozen=True)
class Waiver:
    """An accepted finding; ``expires`` is the last day on which the waiver is valid.

    ``id`` is the finding's id. A change of a document has a ``rule`` and a ``location``, a JSON pointer in which ``*``
    matches any one name or index.
    """

    id: str
    reason: str
    expires: dt.date
    rule: str = ""
    location: str = ""

    @property
    def label(self) -> str:
        """The id, or the rule and the location, for messages."""
        return f"{self.rule} at {self.location}" if self.rule else self.id

    def matches(self, finding: Finding) -> bool:
        """Return True if the waiver names ``finding``; the expiry date is not considered."""
        if not self.rule:
            return finding.id == self.id
        if finding.clause != self.rule or not finding.id.startswith("document/"):
            return False
        pattern, location = self.location.split("/"), finding.id.removeprefix(f"document/{self.rule}").split("/")
        return len(pattern) == len(location) and all(
            wanted in ("*", part) for wanted, part in zip(pattern, location, strict=True)
        )


def read_waivers(path: Path) -> list[Waiver]:
    """Read the waivers in ``path``; a missing file holds none.

    Raises:
        UsageError: a waiver is malformed; the message names it.
    """
    if not path.exists():
        return []
    raw = read_toml(path)
    tables = raw.get("waivers", [])
    if set(raw) - {"waivers"} or not isinstance(tables, list):
        raise UsageError(f"{path}: must hold only [[waivers]] tables; remove everything else")
    return [_parse_waiver(path, number, table) for number, table in enumerate(tables, 1)]


def _parse_waiver(path: Path, number: int, table: object) -> Waiver:
    where = f"{path}: waiver {number}"
    if not isinstance(table, dict) or set(table) not in (_RUN_KEYS, _DOCUMENT_KEYS):
        raise UsageError(
            f"{where}: must have `id` (or `rule` and `location`), `reason` and `expires`, and no other key"
        )
    for key in sorted(set(table) - {"expires"}):
        if not isinstance(table[key], str) or not table[key].strip():
            raise UsageError(f"{where}: `{key}` must be a string that is not empty")
    rule, location = table.get("rule", ""), table.get("location", "")
    if rule and not location.startswith("/"):
        raise UsageError(f"{where} ({rule}): `location` must be a JSON pointer such as /paths/~1users/get")
    expires = table["expires"]
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        raise UsageError(
            f"{where} ({table.get('id', rule)}): `expires` must be a date without quotes, such as 2027-01-31"
        )
    return Waiver(table.get("id", f"document/{rule}{location}"), table["reason"], expires, rule, location)


def apply_waivers(
    findings: Iterable[Finding], waivers: Sequence[Waiver], today: dt.date
) -> tuple[list[Finding], list[tuple[Finding, Waiver]], list[str]]:
    """Split ``findings`` into those that count and those waived, with a line for each expired waiver."""
    valid = [waiver for waiver in waivers if waiver.expires >= today]
    lines = [
        f"waiver {waiver.label} expired on {waiver.expires} and is ignored: renew or delete it"
        for waiver in waivers
        if waiver.expires < today
    ]
    counted, waived = [], []
    for finding in findings:
        waiver = next((candidate for candidate in valid if candidate.matches(finding)), None)
        if waiver is not None:
            waived.append((finding, waiver))
        else:
            counted.append(finding)
    return counted, waived, lines
