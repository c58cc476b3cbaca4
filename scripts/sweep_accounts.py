"""``make sweep``: list the objects that killed runs left on the vendors' accounts; DELETE=1 deletes them.

0: nothing is left; 2: something is, or an account cannot be swept; 3: wrong usage. `contract_watch.engine.account.sweep`
chooses the objects.
"""

import sys

from contract_watch import cli
from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.live_settings import LiveSettings
from contract_watch.engine.account.sweep import SweepResult
from contract_watch.engine.command.account_sweep import sweep_vendor
from contract_watch.engine.command.live_run import LiveRun
from contract_watch.engine.command.options import add_options, complete_settings, resolve_options
from contract_watch.report.escaping import escape_text
from contract_watch.report.record import Record


@cli.command(interrupted="objects that are left are in the ledger, or found by the next sweep")
def main(arguments: list[str] | None = None) -> int:
    """Sweep; see the module for the statuses."""
    parser = cli.CommandParser("scripts.sweep_accounts", "Finds the objects that killed runs left.")
    add_options(parser, "--vendor")
    parser.add_argument("--target", default="live", help="live (the default), or the address of a test server")
    parser.add_argument("--delete", default="", help="1: delete the objects (0, list them)")
    given = parser.parse_args(arguments)
    delete = cli.parse_switch("--delete", given.delete) is True
    target = "live" if given.target == "mock" else given.target
    options = resolve_options(
        complete_settings(
            {"vendor": given.vendor, "target": target, "live": "mutate" if delete else "read", "out": "."}
        )
    )
    live_run = LiveRun(options)
    for line in live_run.format_headings():
        print(line, flush=True)
    records: dict[str, Record] = {}
    try:
        return max(
            _print_result(
                contract,
                sweep_vendor(contract, options, live_run, records, delete=delete),
                options.live_settings[contract.slug],
                delete=delete,
            )
            for contract in options.contracts
        )
    finally:
        live_run.finish(records)


def _print_result(contract: Contract, swept: SweepResult, settings: LiveSettings, *, delete: bool) -> cli.ExitStatus:
    """Print the result of one account's sweep, and return its status."""
    name = contract.name
    for problem in swept.problems:
        print(escape_text(f"{name}: {problem}"))
    for one in swept.candidates:
        print(escape_text(f"{name}: {one.listed.name or one.listed.identity}: {one.reason}"))
    if swept.problems and not swept.listed_count:
        return cli.ExitStatus.INCONCLUSIVE
    print(
        f"{name}: {swept.listed_count} objects on the account, {len(swept.candidates)} left by killed runs, {swept.deleted_count} deleted, {len(swept.remaining)} still there"
    )
    if swept.remaining and not delete:
        print(f"{name}: DELETE=1 deletes them (up to {settings.sweep_cap} at once, SWEEP_CAP)")
    return cli.ExitStatus.INCONCLUSIVE if swept.problems or swept.remaining else cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
