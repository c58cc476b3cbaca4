"""Findings of a session: a disagreement with the exchange that shows it and the commands that reproduce it."""

from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.judging.findings import build_finding
from contract_watch.engine.judging.reproduction import build_key_variables, format_script, select_exchanges
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.running.session import Session
from contract_watch.report.finding import Finding


def make_finding(session: Session, found: Disagreement, exchange: Exchange) -> Finding:
    """Make a finding of a redacted disagreement."""
    contract, life = session.contract, session.contract.lifecycle
    needed = select_exchanges(session.target.mutations, exchange, found.object_name, life)
    keys = build_key_variables(contract, session.keys)
    script = format_script(needed, session.redactor, keys, session.base, life)
    return build_finding(found, exchange, contract, session.protocol.name, session.redactor, script)
