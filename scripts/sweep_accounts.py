"""``make sweep``: what dead runs left on the vendors' accounts, listed, or deleted where DELETE=1 says so.

0: nothing is left; 2: something is, or it could not tell; 3: wrong usage. For what is deleted see `harness/sweep.py`.
"""

import datetime as dt
import sys

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.live_settings import LiveSettings
from contract_watch.engine.account.sweep import SweepResult, sweep_account
from contract_watch.engine.command.live_run import LiveRun
from contract_watch.engine.command.options import (
    FLAGS,
    CommandParser,
    RunOptions,
    parse_or_exit_status,
    resolve_options,
)
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.engine.protocols.wire import Wire
from contract_watch.engine.running.cleanup import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.errors import UsageError
from contract_watch.report.escaping import escape_text
from contract_watch.report.record import Record


def main(arguments: list[str] | None = None) -> int:
    """Sweep; see the module for the statuses."""
    parser = CommandParser(
        prog="python -m scripts.sweep_accounts", description="Finds what dead runs left.", allow_abbrev=False
    )
    parser.add_argument("--vendor", **FLAGS["--vendor"])
    parser.add_argument("--target", default="", help="live (the default), or the address of a test server")
    parser.add_argument("--delete", default="", help="1: delete what is left (only list it)")

    def read() -> tuple[RunOptions, LiveRun, bool]:
        given = vars(parser.parse_args(arguments))
        if given["delete"] not in ("", "0", "1"):
            raise UsageError(f"DELETE is 1 or 0, not {given['delete']!r}")
        delete = given["delete"] == "1"
        blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
        target = "live" if given["target"] in ("", "mock") else given["target"]
        raw = {**blank, "vendor": given["vendor"], "target": target, "live": "mutate" if delete else "read",
               "fail_on": "breaking", "out": "."}  # fmt: skip
        options = resolve_options(raw)
        return options, LiveRun(options), delete

    made = parse_or_exit_status(read)
    if isinstance(made, int):
        return made
    options, guards, delete = made
    for line in guards.format_headings():
        print(line, flush=True)
    records: dict[str, Record] = {}
    worst = 0
    try:
        for contract in options.contracts:
            swept = _sweep_account(contract, options, guards, records, delete=delete)
            worst = max(worst, _print_result(contract, swept, options.live_settings[contract.slug], delete=delete))
    except KeyboardInterrupt:
        print("interrupted: what is left is in the ledger, or found by the next sweep", file=sys.stderr)
        worst = 2
    finally:
        guards.finish(records)
    return worst


def _sweep_account(
    contract: Contract, options: RunOptions, guards: LiveRun, records: dict[str, Record], *, delete: bool
) -> SweepResult:
    """What a sweep of one vendor's account came to."""
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


def _print_result(contract: Contract, swept: SweepResult, protection: LiveSettings, *, delete: bool) -> int:
    """Say what a sweep came to; the status that it makes."""
    name = contract.name
    for problem in swept.problems:
        print(escape_text(f"{name}: {problem}"))
    for one in swept.candidates:
        print(escape_text(f"{name}: {one.listed.name or one.listed.identity}: {one.reason}"))
    if swept.problems and not swept.listed_count:
        return 2
    print(
        f"{name}: {swept.listed_count} objects on the account, {len(swept.candidates)} left by dead runs, {swept.deleted_count} deleted, {len(swept.remaining)} still there"
    )
    if swept.remaining and not delete:
        print(f"{name}: DELETE=1 deletes them (up to {protection.sweep_cap} at once, SWEEP_CAP)")
    return 2 if swept.problems or swept.remaining else 0


if __name__ == "__main__":
    sys.exit(main())
