"""The sweep of vendors' accounts as a command runs it: preflight, the search for leftovers, and the lines that it prints."""

import datetime as dt

from contract_watch.cli import ExitStatus
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.live_settings import LiveSettings
from contract_watch.engine.account.sweep import SweepResult, sweep_account
from contract_watch.engine.command.live_run import LiveRun
from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.engine.protocols.wire import Wire
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.escaping import escape_text
from contract_watch.report.record import Record


def sweep_accounts(options: RunOptions, *, delete: bool) -> ExitStatus:
    """Sweep the account of each vendor in ``options``, print the results, and return the worst status."""
    live_run = LiveRun(options)
    for line in live_run.format_headings():
        print(line, flush=True)
    records: dict[str, Record] = {}
    try:
        return max(
            _print_result(
                contract,
                _sweep_account(contract, options, live_run, records, delete=delete),
                options.live_settings[contract.slug],
                delete=delete,
            )
            for contract in options.contracts
        )
    finally:
        live_run.finish(records)


def _sweep_account(
    contract: Contract, options: RunOptions, live_run: LiveRun, records: dict[str, Record], *, delete: bool
) -> SweepResult:
    """Sweep one vendor's account; ``records`` gets the record of the requests that were sent."""
    base, protection = options.addresses[contract.slug], options.live_settings[contract.slug]
    record = Record(contract.slug, contract.name, contract.digest, base, 0, dt.datetime.now(dt.UTC))
    records[contract.slug] = record
    gate = live_run.get_gate(contract, base)
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


def _print_result(contract: Contract, swept: SweepResult, settings: LiveSettings, *, delete: bool) -> ExitStatus:
    """Print the result of one account's sweep, and return its status."""
    name = contract.name
    for problem in swept.problems:
        print(escape_text(f"{name}: {problem}"))
    for one in swept.candidates:
        print(escape_text(f"{name}: {one.listed.name or one.listed.identity}: {one.reason}"))
    if swept.problems and not swept.listed_count:
        return ExitStatus.INCONCLUSIVE
    print(
        f"{name}: {swept.listed_count} objects on the account, {len(swept.candidates)} left by killed runs, {swept.deleted_count} deleted, {len(swept.remaining)} still there"
    )
    if swept.remaining and not delete:
        print(f"{name}: DELETE=1 deletes them (up to {settings.sweep_cap} at once, SWEEP_CAP)")
    return ExitStatus.INCONCLUSIVE if swept.problems or swept.remaining else ExitStatus.OK
