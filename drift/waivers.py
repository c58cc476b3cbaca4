"""Accepted findings: an id, a reason, a day on which the acceptance ends."""

import datetime as dt
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import UsageError
from drift.finding import Finding


@dataclass(frozen=True)
class Waiver:
    """``id`` is a finding's; the last day it holds is ``expires``."""

    id: str
    reason: str
    expires: dt.date


def read_waivers(path: Path) -> list[Waiver]:
    """The waivers in ``path``, none where there is no such file; a malformed one is a `UsageError` that names it."""
    if not path.exists():
        return []
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from error
    tables = raw.get("waivers", [])
    if set(raw) - {"waivers"} or not isinstance(tables, list):
        raise UsageError(f"{path}: holds [[waivers]] tables and nothing else")
    return [_waiver(path, number, table) for number, table in enumerate(tables, 1)]


def _waiver(path: Path, number: int, table: object) -> Waiver:
    where = f"{path}: waiver {number}"
    if not isinstance(table, dict) or set(table) != {"id", "reason", "expires"}:
        raise UsageError(f"{where}: needs `id`, `reason` and `expires`, and nothing else")
    for key in ("id", "reason"):
        if not isinstance(table[key], str) or not table[key].strip():
            raise UsageError(f"{where}: `{key}` is a text that is not empty")
    expires = table["expires"]
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        raise UsageError(f"{where} ({table['id']}): `expires` is a date such as 2027-01-31, without quotes")
    return Waiver(table["id"], table["reason"], expires)


def waive(
    findings: Iterable[Finding], waivers: Sequence[Waiver], today: dt.date
) -> tuple[list[Finding], list[tuple[Finding, Waiver]], list[str]]:
    """``findings`` parted into those that stand and those waived, and a line for each waiver that has expired."""
    valid = {waiver.id: waiver for waiver in waivers if waiver.expires >= today}
    lines = [
        f"waiver {waiver.id} expired on {waiver.expires} and no longer holds: renew or delete it"
        for waiver in waivers
        if waiver.expires < today
    ]
    standing, waived = [], []
    for finding in findings:
        if finding.id in valid:
            waived.append((finding, valid[finding.id]))
        else:
            standing.append(finding)
    return standing, waived, lines
