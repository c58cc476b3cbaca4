"""Changes of a vendor's document as findings, in the form that a contract run reports."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.client.correlation import CorrelatedChange
from contract_watch.diff.client.symbol_changes import describe_symbol_changes
from contract_watch.diff.document.changes import ApiChange, ChangeLevel
from contract_watch.diff.document.json_pointer import parse_pointer
from contract_watch.diff.document.rules import explain_level, load_rules
from contract_watch.diff.document.source import SourceDocument
from contract_watch.diff.places import PlacedChange, PlaceFinder
from contract_watch.escaping import escape_text, quote_shell
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.hypothesis import Hypothesis

_MAX_VALUE_LENGTH = 4000
"""The characters of JSON that a finding holds of one location of a document."""
_STATUS = re.compile(r"[1-5][0-9]{2}")
_WARNING_PREFIX = "This change may break code. "
_SEVERITIES = {ChangeLevel.BREAKING: Severity.BREAKING, ChangeLevel.WARNING: Severity.WARNING}
"""The severities of levels; all others are additive."""


@dataclass(frozen=True)
class ComparedDocuments:
    """Two documents that were compared, with the path of the stored one and the path or address of the published one."""

    base: Mapping[str, Any]
    revision: Mapping[str, Any]
    stored_path: str
    published_address: str

    @property
    def reproduction(self) -> str:
        """A command that compares the documents again."""
        base = quote_shell(self.stored_path)
        if self.published_address.startswith(("http://", "https://")):
            return f"curl -sS --globoff {quote_shell(self.published_address)} -o now.json && make diff BASE={base} REVISION=now.json"
        return f"make diff BASE={base} REVISION={quote_shell(self.published_address)}"


def build_findings(
    changes: Iterable[ApiChange],
    compared: ComparedDocuments,
    client: Mapping[ApiChange, CorrelatedChange] | None = None,
) -> list[Finding]:
    """Return a finding for each rule and location of ``changes``.

    `breaking` changes give breaking findings, `warning` ones warnings, all others additive ones. A change that breaks a
    symbol of the generated client is at least a warning. ``client`` maps a change to its effect on that client; None if
    that is unknown.
    """
    groups: dict[tuple[str, str], list[ApiChange]] = {}
    for change in changes:
        groups.setdefault((change.rule, change.location), []).append(change)
    documents = SourceDocument(compared.base), SourceDocument(compared.revision)
    places = PlaceFinder(compared.base, compared.revision)
    return [
        replace(
            _build_finding(
                group,
                compared,
                documents,
                None if client is None else [client[change] for change in group if change in client],
            ),
            place=places.find_place(group[0]),
        )
        for group in groups.values()
    ]


def build_placed_findings(
    entries: Iterable[PlacedChange], compared: ComparedDocuments, describe_uses: Callable[[PlacedChange], str]
) -> list[Finding]:
    """Return a finding for each rule and place; ``describe_uses`` returns the words for what reaches a place."""
    groups: dict[tuple[str, str], list[PlacedChange]] = {}
    for entry in entries:
        groups.setdefault((entry.change.rule, entry.place), []).append(entry)
    documents = SourceDocument(compared.base), SourceDocument(compared.revision)
    found = []
    for (rule, place), group in groups.items():
        finding = _build_finding([entry.change for entry in group], compared, documents, None)
        uses = "; ".join(dict.fromkeys(words for entry in group if (words := describe_uses(entry))))
        why = f"{finding.why} It is {uses}." if uses else finding.why
        found.append(replace(finding, id=format_finding_id(rule, place), why=why, place=place))
    return found


def format_finding_id(rule: str, location: str) -> str:
    """Return the id of a change's finding; it is the same from run to run."""
    return f"document/{rule}{location}"


def _build_finding(
    changes: list[ApiChange],
    compared: ComparedDocuments,
    documents: tuple[SourceDocument, SourceDocument],
    client: list[CorrelatedChange] | None,
) -> Finding:
    worst = max(changes, key=lambda change: change.level.rank)
    operation, status = _parse_location(worst.location)
    messages = "; ".join(dict.fromkeys(change.message for change in changes))
    consequence = f"{_WARNING_PREFIX if worst.level is ChangeLevel.WARNING else ''}{_explain(worst)}"
    if effects := "; ".join(dict.fromkeys(correlated.description for correlated in client or ())):
        consequence += f" In the client: {effects}."
    old_location = worst.previous_location or worst.location
    before, after = _get_value(documents[0], old_location), _get_value(documents[1], worst.location)
    stored = "absent" if before is None else escape_text(json.dumps(before, ensure_ascii=False), 300)
    return Finding(
        id=format_finding_id(worst.rule, worst.location),
        severity=_choose_severity(worst.level, client or ()),
        operation=operation,
        surface="rest",
        status=status,
        title=escape_text(f"{operation}: {messages}"),
        why=consequence,
        clause=worst.rule,
        promise=f"{compared.stored_path} at {escape_text(old_location)}: {stored}",
        exchange={
            "request": {"method": "GET", "url": compared.published_address, "headers": {}, "body": None},
            "response": {"status": 200, "headers": {}, "body": after},
        },
        reproduce=compared.reproduction,
        symbols=None
        if client is None
        else tuple(
            dict.fromkeys(line for correlated in client for line in describe_symbol_changes(correlated.symbol_changes))
        ),
        hypotheses=(_build_hypothesis(worst, messages),),
    )


def _explain(change: ApiChange) -> str:
    """Return the consequence of a change; one of what the contract requires has that of a required property."""
    rules = load_rules()
    usual = rules[change.rule].assess(change.direction, change.area)
    strict = rules.get(f"required-{change.rule}")
    if strict is not None and change.level.rank > usual.level.rank:
        return strict.assess(change.direction, change.area).consequence
    return explain_level(change)


def _choose_severity(level: ChangeLevel, client: Iterable[CorrelatedChange]) -> Severity:
    """Return the severity of a change for the users of the client.

    They cannot ignore one that breaks a symbol, and need not heed a new value that the client reads already.
    """
    client = list(client)
    if client and all(correlated.is_new_value for correlated in client):
        return Severity.ADDITIVE
    severity = _SEVERITIES.get(level, Severity.ADDITIVE)
    breaks_client = any(symbol.is_breaking for correlated in client for symbol in correlated.symbol_changes)
    return Severity.WARNING if severity is Severity.ADDITIVE and breaks_client else severity


def _build_hypothesis(change: ApiChange, messages: str) -> Hypothesis:
    """Build the hypothesis that one edit of a shared schema shows at several places of use."""
    return Hypothesis(f"document/{change.rule}/{change.direction}: {messages}", "", messages).edit_text(str)


def _parse_location(location: str) -> tuple[str, int | None]:
    """Return the operation of a location as ``METHOD path`` and the status of its response.

    ``ANY`` stands for several methods, ``*`` for several paths; the status is None outside of one response.
    """
    parts = parse_pointer(location)
    if parts[:1] != ("paths",) or len(parts) < 2:
        return "ANY *", None
    method = parts[2].upper() if len(parts) > 2 and parts[2] in METHODS else "ANY"
    status = parts[4] if parts[3:4] == ("responses",) and len(parts) > 4 else ""
    return f"{method} {parts[1]}", int(status) if _STATUS.fullmatch(status) else None


def _get_value(document: SourceDocument, location: str) -> Any:
    """Return the value at a location, through references; None if it is absent, a shortened string if it is long."""
    value = document.find_value(parse_pointer(location))
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _MAX_VALUE_LENGTH else escape_text(text, _MAX_VALUE_LENGTH)
