"""``make sweep``: list the objects that killed runs left on the vendors' accounts; DELETE=1 deletes them.

0: nothing is left; 2: something is, or an account cannot be swept; 3: wrong usage. `contract_watch.engine.account.sweep`
chooses the objects.
"""

from contract_watch import cli
from contract_watch.engine.command.account_sweep import sweep_accounts
from contract_watch.engine.command.options import add_options, complete_settings, resolve_options


@cli.command(interrupted="objects that are left are in the ledger, or found by the next sweep")
def main(arguments: list[str] | None = None) -> int:
    """Sweep; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.sweep_accounts", "Finds the objects that killed runs left.")
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
    return sweep_accounts(options, delete=delete)
