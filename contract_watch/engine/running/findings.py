"""Findings of a session: a disagreement with the exchange that shows it and the commands that reproduce it."""

from collections.abc import Sequence
from dataclasses import replace

from contract_watch.contracts.config import Lifecycle
from contract_watch.contracts.schema import parse_json, walk_strings
from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.findings import build_finding
from contract_watch.engine.judging.reproduction import (
    build_key_variables,
    format_script,
    list_token_commands,
    select_exchanges,
)
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding

_MAX_SHOWN = 4
"""Other objects of an incomplete list that are created for its reproduction."""


def make_finding(session: Session, found: Disagreement, exchange: Exchange) -> Finding:
    """Make a finding of a redacted disagreement."""
    return make_finding_of(session, found, select_steps(session, found, exchange))


def select_steps(session: Session, found: Disagreement, exchange: Exchange, **more: int) -> list[Exchange]:
    """Select the exchanges that led to a disagreement in ``exchange``, which is the last one; see `select_exchanges`."""
    target, life = session.target, session.contract.lifecycle
    suspected = found.operation if found.clause.endswith("/effect/untouched") else ""
    if (
        found.id.endswith("row-missing")
        and life.remove
        and session.contract.operations[life.remove].name in found.suspects
    ):
        suspected = life.remove  # of another object
    refusals, name = _select_refusals(session, found, exchange), found.object_name
    if refusals and refusals[-1].names and not any(name in one.names for one in refusals):
        name = min(refusals[-1].names)  # its mark: no response gave the id of what a rejected request created
    changes = sorted([*target.mutations, *refusals], key=lambda one: one.request.timestamp)
    steps = select_exchanges(changes, exchange, name, life, suspected=suspected, **more)
    named = {found.operation, *(one.id for one in session.contract.operations.values() if one.name in found.suspects)}
    if found.operation not in session.contract.operations or named <= {one.operation for one in steps}:
        is_incomplete = found.witness is not None and found.id.endswith("row-missing")
        return _add_shown_objects(target.mutations, steps, life) if is_incomplete else steps
    # An operation that can be at fault is in no change of the object: it was refused, or named another one.
    attempted = list(target.attempted_changes)
    return select_exchanges(attempted, exchange, found.object_name, life, suspected=found.operation, **more)


def _select_refusals(session: Session, found: Disagreement, exchange: Exchange) -> list[Exchange]:
    """Select the rejected requests that may have caused a disagreement: those of its times, or about an object in a list.

    An object that a rejected request created stands in the response under the name that the request gave it.
    """
    content = exchange.response.body if exchange.response is not None else b""
    return [
        one
        for one in session.target.attempted_changes
        if one.operation == found.operation
        and one.response is not None
        and 400 <= one.response.status < 500
        and (
            one.request.timestamp in found.suspected_times
            or (
                found.id.endswith("/unexpected")
                and any(name.encode("utf-8", "surrogatepass") in content for name in one.names)
            )
        )
    ]


def _add_shown_objects(changes: Sequence[Exchange], steps: list[Exchange], life: Lifecycle) -> list[Exchange]:
    """Add the creations of the objects that an incomplete list does show: it may hide the others because of them."""
    *before, read = steps
    if read.operation in (life.create, life.remove) or read.names or read.response is None:
        return steps
    shown = {text for _, text in walk_strings(parse_json(read.response.body))}
    created = [
        one
        for one in changes
        if one.operation == life.create and one.names & shown and one.request.timestamp < read.request.timestamp
    ]
    added = [one for one in created if one not in before][-_MAX_SHOWN:]
    return [*sorted((*before, *added), key=lambda one: one.request.timestamp), read]


def make_finding_of(session: Session, found: Disagreement, exchanges: Sequence[Exchange]) -> Finding:
    """Make a finding of a redacted disagreement that the last of ``exchanges`` shows; all of them reproduce it."""
    contract = session.contract
    occurring = {contract.operations[one.operation].name for one in exchanges if one.operation is not None}
    # What shows the disagreement without an operation acquits it.
    found = replace(found, suspects=tuple(name for name in found.suspects if name in occurring))
    keys = build_key_variables(contract, session.keys, session.secrets.granted_keys)
    script = format_script(exchanges, session.redactor, keys, session.base, contract.lifecycle, found.witness)
    script = "\n".join([*list_token_commands(contract, script, session.base), script])
    return build_finding(found, exchanges[-1], contract, session.protocol.name, session.redactor, script)
