"""Changes of a vendor's document as findings, in the form that a contract run reports."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.client.symbol_changes import describe_symbol_changes
from contract_watch.diff.comparison_text import describe_uses
from contract_watch.diff.document.changes import ApiChange, ChangeLevel
from contract_watch.diff.document.json_pointer import parse_pointer
from contract_watch.diff.document.rules import explain_level, load_rules
from contract_watch.diff.document.source import SourceDocument
from contract_watch.escaping import escape_text, quote_shell
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.hypothesis import Hypothesis

if TYPE_CHECKING:  # the generator takes half a second to import, and `make diff` has no client
    from contract_watch.diff.client.correlation import CorrelatedChange

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
    client: "Mapping[ApiChange, CorrelatedChange] | None" = None,
) -> list[Finding]:
    """Return a finding for each rule and place of ``changes``, which have their places.

    `breaking` changes give breaking findings, `warning` ones warnings, all others additive ones. A change that breaks a
    symbol of the generated client is at least a warning. ``client`` maps a use of a change to its effect on that client;
    None if that is unknown.
    """
    groups: dict[tuple[str, str], list[ApiChange]] = {}
    for change in changes:
        groups.setdefault((change.rule, change.place), []).append(change)
    documents = SourceDocument(compared.base), SourceDocument(compared.revision)
    return [
        _build_finding(
            group,
            compared,
            documents,
            None if client is None else [client[use] for change in group for use in change.uses if use in client],
        )
        for group in groups.values()
    ]


def format_finding_id(change: ApiChange) -> str:
    """Return the id of a change's finding; it is the same from run to run, and survives another order."""
    return f"document/{change.rule}{change.place}"


def is_affected(operation: str, change: ApiChange) -> bool:
    """Return True if a change has a use at ``operation``, ``METHOD path``, or at the path of all its methods."""
    path = operation.partition(" ")[2]
    return any(_parse_location(use.location)[0] in (operation, f"ANY {path}") for use in change.uses)


def _build_finding(
    changes: list[ApiChange],
    compared: ComparedDocuments,
    documents: tuple[SourceDocument, SourceDocument],
    client: "list[CorrelatedChange] | None",
) -> Finding:
    worst = max(changes, key=lambda change: change.level.rank)
    operation, status = _parse_location(worst.location)
    messages = "; ".join(dict.fromkeys(change.message for change in changes))
    consequence = f"{_WARNING_PREFIX if worst.level is ChangeLevel.WARNING else ''}{_explain(worst)}"
    if uses := "; ".join(dict.fromkeys(words for change in changes if (words := describe_uses(change)))):
        consequence += f" It is {uses}."
    if effects := "; ".join(dict.fromkeys(correlated.description for correlated in client or ())):
        consequence += f" In the client: {effects}."
    old_location = worst.previous_location or worst.location
    before, after = _get_value(documents[0], old_location), _get_value(documents[1], worst.location)
    stored = "absent" if before is None else escape_text(json.dumps(before, ensure_ascii=False), 300)
    return Finding(
        id=format_finding_id(worst),
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
        place=worst.place,
    )


def _explain(change: ApiChange) -> str:
    """Return the consequence of a change; one of what the contract requires has that of a required property."""
    rules = load_rules()
    usual = rules[change.rule].assess(change.direction, change.area)
    strict = rules.get(f"required-{change.rule}")
    if strict is not None and change.level.rank > usual.level.rank:
        return strict.assess(change.direction, change.area).consequence
    return explain_level(change)


def _choose_severity(level: ChangeLevel, client: "Iterable[CorrelatedChange]") -> Severity:
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
