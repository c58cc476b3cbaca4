"""What changed in a vendor's document, as findings: in the form of those that a contract run reports."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.client.correlation import CorrelatedChange
from contract_watch.diff.client.symbol_changes import describe_symbol_changes
from contract_watch.diff.document.changes import ApiChange, ChangeLevel
from contract_watch.diff.document.json_pointer import parse_pointer
from contract_watch.diff.document.rules import load_rules
from contract_watch.diff.document.source import SourceDocument
from contract_watch.report.escaping import escape_text
from contract_watch.report.finding import Finding, Severity

_MAX_VALUE_LENGTH = 4000
"""How much of a place in a document a finding shows, in letters of its JSON."""
_STATUS = re.compile(r"[1-5][0-9]{2}")
_WARNING_PREFIX = "It may break consumers: the documents do not tell. "


@dataclass(frozen=True)
class ComparedDocuments:
    """Two documents that were compared: how the stored one is called, where the other is, and how both can be seen again."""

    base: Mapping[str, Any]
    revision: Mapping[str, Any]
    stored_path: str
    published_address: str

    @property
    def reproduction(self) -> str:
        """A command that shows the changes again."""
        base = shlex.quote(self.stored_path)
        if self.published_address.startswith(("http://", "https://")):
            return (
                f"curl -sS {shlex.quote(self.published_address)} -o now.json && make diff BASE={base} REVISION=now.json"
            )
        return f"make diff BASE={base} REVISION={shlex.quote(self.published_address)}"


def build_findings(
    changes: Iterable[ApiChange],
    compared: ComparedDocuments,
    client: Mapping[ApiChange, CorrelatedChange] | None = None,
) -> list[Finding]:
    """A finding for each rule and location of ``changes``.

    `breaking` changes are breaking, all others additive. ``client`` says of a change what becomes of the client.
    """
    together: dict[tuple[str, str], list[ApiChange]] = {}
    for change in changes:
        together.setdefault((change.rule, change.location), []).append(change)
    sides = SourceDocument(compared.base), SourceDocument(compared.revision)
    return [
        _build_finding(
            same, compared, sides, None if client is None else [client[one] for one in same if one in client]
        )
        for same in together.values()
    ]


def format_finding_id(rule: str, location: str) -> str:
    """The id of the finding of a change: the same from run to run."""
    return f"document/{rule}{location}"


def _build_finding(
    same: list[ApiChange],
    compared: ComparedDocuments,
    sides: tuple[SourceDocument, SourceDocument],
    client: list[CorrelatedChange] | None,
) -> Finding:
    change = max(same, key=lambda one: one.level.rank)
    assessment = load_rules()[change.rule].assess(change.direction, change.area)
    operation, status = _parse_location(change.location)
    words = "; ".join(dict.fromkeys(one.message for one in same))
    title = f"{operation}: {words}"
    why = f"{_WARNING_PREFIX if change.level is ChangeLevel.WARNING else ''}{assessment.consequence}"
    if reached := "; ".join(dict.fromkeys(one.description for one in client or ())):
        why += f" In the client: {reached}."
    before, now = (_get_value(side, change.location) for side in sides)
    return Finding(
        id=format_finding_id(change.rule, change.location),
        severity=Severity.BREAKING if change.level is ChangeLevel.BREAKING else Severity.ADDITIVE,
        operation=operation,
        surface="rest",
        status=status,
        title=escape_text(title),
        why=why,
        clause=change.rule,
        promise=f"{compared.stored_path} at {escape_text(change.location)}: {escape_text(json.dumps(before, ensure_ascii=False), 300)}",
        exchange={
            "request": {"method": "GET", "url": compared.published_address, "headers": {}, "body": None},
            "response": {"status": 200, "headers": {}, "body": now},
        },
        reproduce=compared.reproduction,
        symbols=None
        if client is None
        else tuple(dict.fromkeys(line for one in client for line in describe_symbol_changes(one.symbol_changes))),
    )


def _parse_location(location: str) -> tuple[str, int | None]:
    """The operation that a location is in, ``METHOD path``, and the status of the answer; ``ANY`` for more than one."""
    at = parse_pointer(location)
    if at[:1] != ("paths",) or len(at) < 2:
        return "ANY *", None
    method = at[2].upper() if len(at) > 2 and at[2] in METHODS else "ANY"
    answer = at[4] if at[3:4] == ("responses",) and len(at) > 4 else ""
    return f"{method} {at[1]}", int(answer) if _STATUS.fullmatch(answer) else None


def _get_value(source: SourceDocument, location: str) -> Any:
    """What stands at a place of use, through references; null where nothing does, a text where it is long."""
    found: Any = source.raw
    for name in parse_pointer(location):
        found = source.follow(found) if isinstance(found, dict) and name not in found else found
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    text = json.dumps(found, ensure_ascii=False)
    return found if len(text) <= _MAX_VALUE_LENGTH else escape_text(text, _MAX_VALUE_LENGTH)
