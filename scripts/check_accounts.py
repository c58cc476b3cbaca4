"""``make live``: a run on the real account of every vendor whose key is set; the others are skipped, each with a line.

Keys come from the environment, or from ``SECRETS_JSON``, an object from names to values, as continuous integration hands
out its secrets: of these only the variables that contracts name are looked at. The status is that of the worst run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.command.options import FLAGS, CommandParser, parse_or_exit_status
from contract_watch.errors import UsageError

_STATUSES = (1, 2, 3, 0)
"""Statuses, the one that counts most first: drift, could not tell, wrong usage."""


def list_variables(contract: Contract) -> list[str]:
    """The environment variables that a run on a vendor's account may read, the one that it needs first."""
    own = [contract.address_variable] if contract.address_variable else []
    consents = [consent.variable for consent in contract.consents.values()]
    return [*(credential.variable for credential in contract.credentials), *own, *consents]


def list_missing_variables(contract: Contract, environment: Mapping[str, str]) -> list[str]:
    """The variables without which there can be no run on a vendor's account."""
    needed = [credential.variable for credential in contract.credentials if credential.required]
    needed += [contract.address_variable] if contract.address_variable and not contract.server_origin else []
    return [variable for variable in needed if not environment.get(variable)]


def read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with what ``SECRETS_JSON`` says of the contracts' variables; a `UsageError` where it is no object."""
    plain = {name: value for name, value in environment.items() if name != "SECRETS_JSON"}
    try:
        given = json.loads(environment.get("SECRETS_JSON") or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise UsageError("SECRETS_JSON is a JSON object from names to values")
    wanted = {variable for contract in choose_contracts("all") for variable in list_variables(contract)}
    return plain | {name: value for name, value in given.items() if name in wanted and isinstance(value, str) and value}


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 where every vendor was skipped, or kept its contract."""
    parser = CommandParser(
        prog="python -m scripts.check_accounts",
        description="Checks every account whose key is set.",
        allow_abbrev=False,
    )
    for flag in ("--vendor", "--live", "--out", "--fail-on"):
        parser.add_argument(flag, **FLAGS[flag])

    def read() -> tuple[Mapping[str, str], list[Contract], dict[str, str]]:
        given = vars(parser.parse_args(arguments))
        return given, choose_contracts(given["vendor"] or "all"), read_environment(os.environ)

    made = parse_or_exit_status(read)
    if isinstance(made, int):
        return made
    given, chosen, environment = made
    statuses = [_run_vendor(contract, given, environment) for contract in chosen]
    return next(status for status in _STATUSES if status in {*statuses, 0})


def _run_vendor(contract: Contract, given: Mapping[str, str], environment: Mapping[str, str]) -> int:
    if gone := list_missing_variables(contract, environment):
        print(f"{contract.name}: skipped: {', '.join(gone)} not set", flush=True)
        return 0
    others = {
        variable
        for other in choose_contracts("all")
        if other.slug != contract.slug
        for variable in list_variables(other)
    }
    command = [sys.executable, "-m", "contract_tests", "--vendor", contract.slug, "--target", "live", "--live", given["live"] or "read",
               "--out", str(Path(given["out"]) / contract.slug), "--fail-on", given["fail_on"]]  # fmt: skip
    ended = subprocess.run(command, env={n: v for n, v in environment.items() if n not in others}, check=False)  # noqa: S603 (our own command)
    return ended.returncode if ended.returncode in _STATUSES else 2


if __name__ == "__main__":
    sys.exit(main())
