"""Findings of a session: a disagreement with the exchange that shows it and the commands that reproduce it."""

from collections.abc import Sequence

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


def make_finding(session: Session, found: Disagreement, exchange: Exchange) -> Finding:
    """Make a finding of a redacted disagreement."""
    return make_finding_of(session, found, select_steps(session, found, exchange))


def select_steps(session: Session, found: Disagreement, exchange: Exchange, **more: int) -> list[Exchange]:
    """Select the exchanges that led to a disagreement in ``exchange``, which is the last one; see `select_exchanges`."""
    suspected = found.operation if found.clause.endswith("/effect/untouched") else ""
    return select_exchanges(
        session.target.mutations, exchange, found.object_name, session.contract.lifecycle, suspected=suspected, **more
    )


def make_finding_of(session: Session, found: Disagreement, exchanges: Sequence[Exchange]) -> Finding:
    """Make a finding of a redacted disagreement that the last of ``exchanges`` shows; all of them reproduce it."""
    contract = session.contract
    keys = build_key_variables(contract, session.keys, session.secrets.granted_keys)
    script = format_script(exchanges, session.redactor, keys, session.base, contract.lifecycle)
    script = "\n".join([*list_token_commands(contract, script, session.base), script])
    return build_finding(found, exchanges[-1], contract, session.protocol.name, session.redactor, script)
