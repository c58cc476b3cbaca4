"""What changed in a vendor's document, as findings: in the form of those that a contract run reports."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.client.correlation import Joined
from contract_watch.diff.client.symbol_changes import told
from contract_watch.diff.document.changes import Change, Level
from contract_watch.diff.document.json_pointer import tokens
from contract_watch.diff.document.rules import rules
from contract_watch.diff.document.source import Source
from contract_watch.report.escaping import plain
from contract_watch.report.finding import Finding, Severity

_SHOWN = 4000
"""How much of a place in a document a finding shows, in letters of its JSON."""
_STATUS = re.compile(r"[1-5][0-9]{2}")
_MAY = "It may break consumers: the documents do not tell. "


@dataclass(frozen=True)
class Compared:
    """Two documents that were compared: how the stored one is called, where the other is, and how both can be seen again."""

    base: Mapping[str, Any]
    revision: Mapping[str, Any]
    stored: str
    published: str

    @property
    def reproduce(self) -> str:
        """A command that shows the changes again."""
        base = shlex.quote(self.stored)
        if self.published.startswith(("http://", "https://")):
            return f"curl -sS {shlex.quote(self.published)} -o now.json && make diff BASE={base} REVISION=now.json"
        return f"make diff BASE={base} REVISION={shlex.quote(self.published)}"


def document_findings(
    changes: Iterable[Change], compared: Compared, client: Mapping[Change, Joined] | None = None
) -> list[Finding]:
    """A finding for each rule and location of ``changes``.

    `breaking` changes are breaking, all others additive. ``client`` says of a change what becomes of the client.
    """
    together: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        together.setdefault((change.rule, change.location), []).append(change)
    sides = Source(compared.base), Source(compared.revision)
    return [
        _finding(same, compared, sides, None if client is None else [client[one] for one in same if one in client])
        for same in together.values()
    ]


def finding_id(rule: str, location: str) -> str:
    """The id of the finding of a change: the same from run to run."""
    return f"document/{rule}{location}"


def _finding(
    same: list[Change], compared: Compared, sides: tuple[Source, Source], client: list[Joined] | None
) -> Finding:
    change = max(same, key=lambda one: one.level.rank)
    rule = rules()[change.rule]
    operation, status = _whereabouts(change.location)
    words = "; ".join(dict.fromkeys(one.message for one in same))
    title = f"{operation}: {words}"
    why = f"{_MAY if change.level is Level.WARNING else ''}{rule.why}"
    if reached := "; ".join(dict.fromkeys(one.text for one in client or ())):
        why += f" In the client: {reached}."
    before, now = (_shown(side, change.location) for side in sides)
    return Finding(
        id=finding_id(change.rule, change.location),
        severity=Severity.BREAKING if change.level is Level.BREAKING else Severity.ADDITIVE,
        operation=operation,
        surface="rest",
        status=status,
        title=plain(title),
        why=why,
        clause=change.rule,
        promise=f"{compared.stored} at {plain(change.location)}: {plain(json.dumps(before, ensure_ascii=False), 300)}",
        exchange={
            "request": {"method": "GET", "url": compared.published, "headers": {}, "body": None},
            "response": {"status": 200, "headers": {}, "body": now},
        },
        reproduce=compared.reproduce,
        symbols=None if client is None else tuple(dict.fromkeys(line for one in client for line in told(one.changes))),
    )


def _whereabouts(location: str) -> tuple[str, int | None]:
    """The operation that a location is in, ``METHOD path``, and the status of the answer; ``ANY`` for more than one."""
    at = tokens(location)
    if at[:1] != ("paths",) or len(at) < 2:
        return "ANY *", None
    method = at[2].upper() if len(at) > 2 and at[2] in METHODS else "ANY"
    answer = at[4] if at[3:4] == ("responses",) and len(at) > 4 else ""
    return f"{method} {at[1]}", int(answer) if _STATUS.fullmatch(answer) else None


def _shown(source: Source, location: str) -> Any:
    """What stands at a place of use, through references; null where nothing does, a text where it is long."""
    found: Any = source.raw
    for name in tokens(location):
        found = source.followed(found) if isinstance(found, dict) and name not in found else found
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    text = json.dumps(found, ensure_ascii=False)
    return found if len(text) <= _SHOWN else plain(text, _SHOWN)
