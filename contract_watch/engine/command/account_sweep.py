"""A sweep of one vendor's account as a command runs it: preflight, then the search for leftovers."""

import datetime as dt

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.sweep import SweepResult, sweep_account
from contract_watch.engine.command.live_run import LiveRun
from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.engine.protocols.wire import Wire
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.report.record import Record


def sweep_vendor(
    contract: Contract, options: RunOptions, guards: LiveRun, records: dict[str, Record], *, delete: bool
) -> SweepResult:
    """Sweep one vendor's account; ``records`` gets the record of the requests that were sent."""
    base, protection = options.addresses[contract.slug], options.live_settings[contract.slug]
    record = Record(contract.slug, contract.name, contract.digest, base, 0, dt.datetime.now(dt.UTC))
    records[contract.slug] = record
    gate = guards.get_gate(contract, base)
    assert gate is not None
    keys = options.keys[contract.slug]
    session = Session(contract, base, keys, gate.guard.names, record, gate=gate, wire=Wire(get_origin(base), gate))
    try:
        run_preflight(session, Runner(session))
        if session.stop_reason is not None:
            return SweepResult(problems=[session.stop_reason])
        return sweep_account(
            session, gate, delete=delete, cap=protection.sweep_cap, min_age=protection.min_leftover_age
        )
    finally:
        session.close()
