"""Waivers: accepted findings, each with a reason and an expiry date.

Findings of runs are waived by id or by cause, changes of a vendor's document by rule and location.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_watch.contracts.openapi import read_toml
from contract_watch.errors import UsageError
from contract_watch.report.causes import group_findings
from contract_watch.report.finding import Finding
from contract_watch.report.hypothesis import StatusesByOperation

_RUN_KEYS = {"id", "reason", "expires"}
_CAUSE_KEYS = {"cause", "reason", "expires"}
_DOCUMENT_KEYS = {"rule", "location", "reason", "expires"}


@dataclass(frozen=True)
class Waiver:
    """An accepted finding; ``expires`` is the last day on which the waiver is valid.

    ``id`` is the finding's id, ``cause`` the id of a cause, whose findings it accepts all. A change of a document has a
    ``rule`` and a ``location``, a JSON pointer in which ``*`` matches any one name or index, and ``**`` any number of them.
    The location is that of a use, or the place, which all uses share (`Finding.place`).
    """

    id: str
    reason: str
    expires: dt.date
    rule: str = ""
    location: str = ""
    cause: str = ""

    @property
    def label(self) -> str:
        """The id, the cause, or the rule and the location, for messages."""
        return f"{self.rule} at {self.location}" if self.rule else self.cause or self.id

    def to_json(self) -> dict[str, Any]:
        """Return the waiver as ``findings.json`` holds it with a waived finding."""
        cause = {"cause": self.cause} if self.cause else {}
        return {**cause, "reason": self.reason, "expires": self.expires.isoformat()}

    def matches(self, finding: Finding, causes: Collection[str] = ()) -> bool:
        """Return True if the waiver names ``finding`` or one of ``causes``, which may be its own; it may have expired."""
        if self.cause:
            return self.cause in causes
        if not self.rule:
            return finding.id == self.id
        if finding.clause != self.rule or not finding.id.startswith("document/"):
            return False
        pattern = self.location.split("/")
        location = finding.id.removeprefix(f"document/{self.rule}")
        return any(_matches(pattern, one.split("/")) for one in (location, finding.place) if one is not None)


def _matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Return True if a pattern with ``*`` and ``**`` matches the parts of a location, in time proportional to both."""
    reached = {0}
    """The numbers of parts that the pattern so far may have matched."""
    for wanted in pattern:
        if wanted == "**":
            reached = set(range(min(reached), len(parts) + 1)) if reached else reached
        else:
            reached = {number + 1 for number in reached if number < len(parts) and wanted in ("*", parts[number])}
    return len(parts) in reached


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
    if not isinstance(table, dict) or set(table) not in (_RUN_KEYS, _CAUSE_KEYS, _DOCUMENT_KEYS):
        raise UsageError(
            f"{where}: must have `id` (or `cause`, or `rule` and `location`), `reason` and `expires`, and no other key"
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
            f"{where} ({table.get('id', table.get('cause', rule))}): `expires` must be a date without quotes, such as 2027-01-31"
        )
    cause = table.get("cause", "")
    name = table.get("id", "" if cause else f"document/{rule}{location}")
    return Waiver(name, table["reason"], expires, rule, location, cause)


@dataclass(frozen=True)
class WaivedFindings:
    """The result of applying waivers: findings that count, waived ones, and a line for each waiver that has expired.

    ``unused`` are the valid waivers that match nothing.
    """

    counted: list[Finding] = field(default_factory=list)
    waived: list[tuple[Finding, Waiver]] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    unused: list[Waiver] = field(default_factory=list)


def apply_waivers(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    today: dt.date,
    conforming: StatusesByOperation | None = None,
) -> WaivedFindings:
    """Split ``findings`` into those that count and those waived; ``conforming`` tells their causes."""
    every, statuses = list(findings), conforming or {}
    if not waivers:
        return WaivedFindings(counted=every)
    found = group_findings(every, statuses)
    causes = {name: {cause.id} for cause in found for name in cause.finding_ids}
    alone = {cause.findings[0].id for cause in found if cause.hypothesis is None}
    for finding in every:  # a cause with one finding left is waived by the name that it had with several
        likely = {one.key for one in finding.hypotheses if not one.is_refuted(statuses)}
        causes[finding.id] |= likely if finding.id in alone else set()
    result = WaivedFindings()
    valid = [waiver for waiver in waivers if waiver.expires >= today]
    result.expired.extend(
        f"waiver {waiver.label} expired on {waiver.expires} and is ignored: renew or delete it"
        for waiver in waivers
        if waiver.expires < today
    )
    for finding in every:
        waiver = next((one for one in valid if one.matches(finding, causes[finding.id])), None)
        if waiver is not None:
            result.waived.append((finding, waiver))
        else:
            result.counted.append(finding)
    used = {id(waiver) for _, waiver in result.waived}
    result.unused.extend(waiver for waiver in valid if id(waiver) not in used)
    return result
