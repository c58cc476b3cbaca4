"""Accepted findings: which, a reason, a day on which the acceptance ends.

Findings of runs are waived by their id, changes of a vendor's document by rule and location.
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
    """``id`` is a finding's; the last day it holds is ``expires``. A document's change has a ``rule`` and a ``location``.

    In a location ``*`` stands for any one name or number.
    """

    id: str
    reason: str
    expires: dt.date
    rule: str = ""
    location: str = ""

    @property
    def label(self) -> str:
        """What it waives, in words."""
        return f"{self.rule} at {self.location}" if self.rule else self.id

    def matches(self, finding: Finding) -> bool:
        """Whether it is about ``finding``, whatever the day."""
        if not self.rule:
            return finding.id == self.id
        if finding.clause != self.rule or not finding.id.startswith("document/"):
            return False
        mine, its = self.location.split("/"), finding.id.removeprefix(f"document/{self.rule}").split("/")
        return len(mine) == len(its) and all(one in ("*", other) for one, other in zip(mine, its, strict=True))


def read_waivers(path: Path) -> list[Waiver]:
    """The waivers in ``path``, none where there is no such file; a malformed one is a `UsageError` that names it."""
    if not path.exists():
        return []
    raw = read_toml(path)
    tables = raw.get("waivers", [])
    if set(raw) - {"waivers"} or not isinstance(tables, list):
        raise UsageError(f"{path}: holds [[waivers]] tables and nothing else")
    return [_parse_waiver(path, number, table) for number, table in enumerate(tables, 1)]


def _parse_waiver(path: Path, number: int, table: object) -> Waiver:
    where = f"{path}: waiver {number}"
    if not isinstance(table, dict) or set(table) not in (_RUN_KEYS, _DOCUMENT_KEYS):
        raise UsageError(f"{where}: needs `id`, or `rule` and `location`; `reason` and `expires`; and nothing else")
    for key in sorted(set(table) - {"expires"}):
        if not isinstance(table[key], str) or not table[key].strip():
            raise UsageError(f"{where}: `{key}` is a text that is not empty")
    rule, location = table.get("rule", ""), table.get("location", "")
    if rule and not location.startswith("/"):
        raise UsageError(f"{where} ({rule}): `location` is a JSON pointer, such as /paths/~1users/get")
    expires = table["expires"]
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        raise UsageError(f"{where} ({table.get('id', rule)}): `expires` is a date such as 2027-01-31, without quotes")
    return Waiver(table.get("id", f"document/{rule}{location}"), table["reason"], expires, rule, location)


def apply_waivers(
    findings: Iterable[Finding], waivers: Sequence[Waiver], today: dt.date
) -> tuple[list[Finding], list[tuple[Finding, Waiver]], list[str]]:
    """``findings`` parted into those that stand and those waived, and a line for each waiver that has expired."""
    valid = [waiver for waiver in waivers if waiver.expires >= today]
    lines = [
        f"waiver {waiver.label} expired on {waiver.expires} and no longer holds: renew or delete it"
        for waiver in waivers
        if waiver.expires < today
    ]
    standing, waived = [], []
    for finding in findings:
        waiver = next((one for one in valid if one.matches(finding)), None)
        if waiver is not None:
            waived.append((finding, waiver))
        else:
            standing.append(finding)
    return standing, waived, lines
