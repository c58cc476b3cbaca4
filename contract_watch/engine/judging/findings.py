"""Disagreements as findings."""

from dataclasses import replace

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.report.finding import Finding
from contract_watch.report.hypothesis import shorten

_MAX_LENGTH = 1000
"""Characters of an id or a title, beyond all that documents give."""


class ContractBrokenError(AssertionError):
    """The failure of a contract test: the target breaks its contract."""


def redact_disagreement(found: Disagreement, redactor: Redactor) -> Disagreement:
    """Redact a disagreement for reports, and shorten names in it that a server chose.

    ``object_name`` stays, for the run to find the object.
    """

    def text(value: str) -> str:
        return shorten(redactor.redact_string(value), _MAX_LENGTH)

    return replace(
        found,
        id=text(found.id),
        clause=text(found.clause),
        title=text(found.title),
        operation=text(found.operation),
        hypotheses=tuple(one.edit_text(text) for one in found.hypotheses),
    )


def build_finding(
    found: Disagreement, exchange: Exchange, contract: Contract, protocol: str, redactor: Redactor, reproduce: str
) -> Finding:
    """Build the finding of a redacted disagreement; ``reproduce`` are the commands that show it."""
    operation = contract.operations.get(found.operation)
    return Finding(
        id=found.id,
        severity=found.severity,
        operation=operation.name if operation else found.operation,
        surface=protocol,
        status=exchange.response.status if exchange.response else None,
        title=found.title,
        why=found.why,
        clause=found.clause,
        promise=derive_clauses(contract).get(found.clause, found.clause),
        exchange=exchange.to_json(redactor),
        reproduce=reproduce,
        hypotheses=found.hypotheses,
        suspects=found.suspects,
    )
