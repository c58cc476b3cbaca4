"""``make sweep``: what dead runs left on the vendors' accounts, listed, or deleted where DELETE=1 says so.

0: nothing is left; 2: something is, or it could not tell; 3: wrong usage. For what is deleted see `harness/sweep.py`.
"""

import datetime as dt
import sys

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.live_settings import Protection
from contract_watch.engine.account.sweep import Swept, sweep
from contract_watch.engine.command.live_run import Guards
from contract_watch.engine.command.options import FLAGS, Options, Parser, resolve, understood
from contract_watch.engine.protocols.targets import authority
from contract_watch.engine.protocols.wire import Wire
from contract_watch.engine.running.cleanup import preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.report.escaping import plain
from contract_watch.report.record import Record


def main(arguments: list[str] | None = None) -> int:
    """Sweep; see the module for the statuses."""
    parser = Parser(
        prog="python -m scripts.sweep_accounts", description="Finds what dead runs left.", allow_abbrev=False
    )
    parser.add_argument("--vendor", **FLAGS["--vendor"])
    parser.add_argument("--target", default="", help="live (the default), or the address of a test server")
    parser.add_argument("--delete", default="", help="1: delete what is left (only list it)")

    def read() -> tuple[Options, Guards, bool]:
        given = vars(parser.parse_args(arguments))
        if given["delete"] not in ("", "0", "1"):
            raise UsageError(f"DELETE is 1 or 0, not {given['delete']!r}")
        delete = given["delete"] == "1"
        blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
        target = "live" if given["target"] in ("", "mock") else given["target"]
        raw = {**blank, "vendor": given["vendor"], "target": target, "live": "mutate" if delete else "read",
               "fail_on": "breaking", "out": "."}  # fmt: skip
        options = resolve(raw)
        return options, Guards(options), delete

    made = understood(read)
    if isinstance(made, int):
        return made
    options, guards, delete = made
    for line in guards.headings():
        print(line, flush=True)
    records: dict[str, Record] = {}
    worst = 0
    try:
        for contract in options.contracts:
            swept = _swept(contract, options, guards, records, delete=delete)
            worst = max(worst, _tell(contract, swept, options.protected[contract.slug], delete=delete))
    except KeyboardInterrupt:
        print("interrupted: what is left is in the ledger, or found by the next sweep", file=sys.stderr)
        worst = 2
    finally:
        guards.finish(records)
    return worst


def _swept(contract: Contract, options: Options, guards: Guards, records: dict[str, Record], *, delete: bool) -> Swept:
    """What a sweep of one vendor's account came to."""
    base, protection = options.addresses[contract.slug], options.protected[contract.slug]
    record = Record(contract.slug, contract.name, contract.digest, base, 0, dt.datetime.now(dt.UTC))
    records[contract.slug] = record
    gate = guards.gate(contract, base)
    assert gate is not None
    keys = options.keys[contract.slug]
    session = Session(contract, base, keys, gate.guard.names, record, gate=gate, wire=Wire(authority(base), gate))
    try:
        preflight(session, Runner(session))
        if session.stopped is not None:
            return Swept(problems=[session.stopped])
        return sweep(session, gate, delete=delete, cap=protection.cap, ripe=protection.ripe)
    finally:
        session.close()


def _tell(contract: Contract, swept: Swept, protection: Protection, *, delete: bool) -> int:
    """Say what a sweep came to; the status that it makes."""
    name = contract.name
    for problem in swept.problems:
        print(plain(f"{name}: {problem}"))
    for one in swept.due:
        print(plain(f"{name}: {one.row.name or one.row.identity}: {one.why}"))
    if swept.problems and not swept.seen:
        return 2
    print(
        f"{name}: {swept.seen} objects on the account, {len(swept.due)} left by dead runs, {swept.deleted} deleted, {len(swept.left)} still there"
    )
    if swept.left and not delete:
        print(f"{name}: DELETE=1 deletes them (up to {protection.cap} at once, SWEEP_CAP)")
    return 2 if swept.problems or swept.left else 0


if __name__ == "__main__":
    sys.exit(main())
