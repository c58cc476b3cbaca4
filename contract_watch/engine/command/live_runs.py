"""Runs on the real accounts of vendors, each in a process of its own with no other vendor's keys."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract_watch.cli import ExitStatus, join_statuses
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.errors import UsageError
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.overview import (
    FILE_NAME,
    Overview,
    format_overview_markdown,
    read_overview,
    tabulate_verdicts,
    write_overview,
)
from contract_watch.report.report_files import REPORT_NAMES
from contract_watch.report.verdict import Verdict

MAX_VARIABLES = 6
"""The most variables of one vendor: a CI job passes them as ``SECRET_0`` to ``SECRET_5``."""
_SECRET = re.compile(r"SECRETS_JSON|SECRET_NAMES|SECRET_\d+|NOTIFY_URL|NOTIFY_SECRET|PING_URL|GITHUB_TOKEN")
"""Variables that no run of the suite needs."""


def list_variables(contract: Contract) -> list[str]:
    """Return the environment variables that a run on a vendor's account may read."""
    own = [contract.address_variable] if contract.address_variable else []
    own += [given.variable for given in contract.given.tables.values()]
    consents = [consent.variable for consent in contract.consents.values()]
    return [*(credential.variable for credential in contract.credentials), *own, *consents]


def list_missing_variables(contract: Contract, environment: Mapping[str, str]) -> list[str]:
    """Return the unset variables that a run on a vendor's account needs."""
    needed = [credential.variable for credential in contract.credentials if credential.required]
    needed += [contract.address_variable] if contract.address_variable else []
    needed += [given.variable for given in contract.given.tables.values()]
    return [variable for variable in needed if not environment.get(variable)]


def describe_missing(contract: Contract, missing: Sequence[str]) -> str:
    """Return the reason that a vendor is skipped, from its unset variables."""
    own = {contract.address_variable, *(given.variable for given in contract.given.tables.values())}
    keys, values = [name for name in missing if name not in own], [name for name in missing if name in own]
    values = [name for name in values if name != contract.address_variable]
    parts = [f"no key in {', '.join(keys)}"] if keys else []
    parts += [f"no value in {', '.join(values)}"] if values else []
    parts += [f"no address in {contract.address_variable}"] if contract.address_variable in missing else []
    return ", ".join(parts)


def list_matrix(required: Sequence[str] = ()) -> list[dict[str, str | list[str]]]:
    """Return a CI job for each vendor: its slug, and the names of the variables that its run may read.

    ``required`` are the slugs of the vendors that get a job, all if it is empty.

    Raises:
        UsageError: a contract has more variables than a job passes.
    """
    jobs: list[dict[str, str | list[str]]] = []
    for contract in choose_contracts("all"):
        if required and contract.slug not in required:
            continue
        names = list_variables(contract)
        if len(names) > MAX_VARIABLES:
            raise UsageError(f"{contract.config_file}: names {len(names)} variables, at most {MAX_VARIABLES} reach a CI job; "
                             "pass more SECRET_n in nightly.yml and raise MAX_VARIABLES")  # fmt: skip
        jobs.append({"vendor": contract.slug, "names": names})
    return jobs


def read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of runs, with the contracts' variables that CI hands over; a `UsageError` if ``SECRETS_JSON`` is no object.

    ``SECRETS_JSON`` is an object from names to values. ``SECRET_NAMES`` lists names, separated by commas, and ``SECRET_0``
    and so on are their values. Neither is in the result.
    """
    plain = {name: value for name, value in environment.items() if not _SECRET.fullmatch(name)}
    try:
        given = json.loads(environment.get("SECRETS_JSON") or "{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise UsageError("SECRETS_JSON must be a JSON object from names to values")
    names = (name.strip() for name in environment.get("SECRET_NAMES", "").split(","))
    given |= {name: environment.get(f"SECRET_{number}") for number, name in enumerate(names)}
    wanted = {variable for contract in choose_contracts("all") for variable in list_variables(contract)}
    found = {name: value for name, value in given.items() if name in wanted and isinstance(value, str) and value}
    if bad := next((name for name, value in sorted(found.items()) if not _is_variable_value(value)), ""):
        raise UsageError(f"{bad} has a character that no variable can carry; copy its value again")
    return plain | found


def drop_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without any vendor's variables and without secrets that no run needs."""
    secret = {variable for one in choose_contracts("all") for variable in list_variables(one)}
    return {name: value for name, value in environment.items() if name not in secret and not _SECRET.fullmatch(name)}


def _is_variable_value(value: str) -> bool:
    """Return True if a variable of a process's environment can have ``value``."""
    try:
        return b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def run_vendor(
    contract: Contract,
    environment: Mapping[str, str],
    directory: Path,
    *,
    live: str,
    fail_on: str,
    history: Path,
    recheck_minutes: str = "",
) -> int:
    """Run the suite on one vendor's account and return its status; OK, with a line, if the account has no key.

    ``environment`` is that of `read_environment`; the process gets no variable of another vendor. ``directory`` gets the
    reports, ``history`` remembers the run.
    """
    if missing := list_missing_variables(contract, environment):
        print(f"{contract.name}: skipped: {', '.join(missing)} not set", flush=True)
        return ExitStatus.OK
    others = {
        variable
        for other in choose_contracts("all")
        if other.slug != contract.slug
        for variable in list_variables(other)
    }
    command = [sys.executable, "-m", "contract_watch", "check", "--vendor", contract.slug, "--target", "live", "--live", live,
               "--out", str(directory), "--fail-on", fail_on, "--history", str(history),
               "--recheck-minutes", recheck_minutes]  # fmt: skip
    ended = subprocess.run(command, env={n: v for n, v in environment.items() if n not in others}, check=False)  # noqa: S603 (our own command)
    return ended.returncode if ended.returncode in list(ExitStatus) else ExitStatus.INCONCLUSIVE


def run_accounts(
    contracts: Sequence[Contract],
    environment: Mapping[str, str],
    *,
    live: str,
    out: Path,
    fail_on: str,
    history: Path,
    recheck_minutes: str = "",
) -> tuple[int, Overview]:
    """Run the suite on the accounts of ``contracts``; return the joined status, and the table of all vendors.

    ``out`` gets the reports of each vendor in a directory of its own, and a page with the table and all of them.
    ``history`` is the file that remembers the runs.

    Raises:
        OSError: ``out`` is not writable.
    """
    result = _AccountResults(skipped={contract.slug: "the command was interrupted" for contract in contracts})
    try:
        for contract in contracts:
            directory = out / contract.slug
            for name in (*REPORT_NAMES, FILE_NAME):
                (directory / name).unlink(missing_ok=True)  # an earlier run's report is no result of this one
            status = run_vendor(contract, environment, directory, live=live, fail_on=fail_on, history=history,
                                recheck_minutes=recheck_minutes)  # fmt: skip
            result.add(contract, directory, status, list_missing_variables(contract, environment))
    finally:
        overview = tabulate_verdicts(choose_contracts("all"), "live", result.verdicts, result.skipped)
        write_overview(overview, out)
        write_atomically(out / "report.md", format_overview_markdown(overview) + "\n".join(result.pages))
    return join_statuses(result.statuses), overview


@dataclass
class _AccountResults:
    """The results of the accounts so far: verdicts and reasons by slug, statuses, and pages of reports."""

    skipped: dict[str, str]
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    def add(self, contract: Contract, directory: Path, status: int, missing: Sequence[str]) -> None:
        """Take in the result of one vendor, whose reports are in ``directory`` unless it was skipped."""
        self.statuses.append(status)
        verdict = None if missing else _read_verdict(directory)
        if verdict is None:
            self.skipped[contract.slug] = (
                describe_missing(contract, missing) if missing else f"no report, status {status}"
            )
            return
        self.verdicts[contract.slug] = verdict
        self.pages.append(_read_page(directory))


def _read_verdict(directory: Path) -> Verdict | None:
    """Return the verdict of the run whose reports are in ``directory``, None if it wrote none."""
    try:
        return next(iter(read_overview(directory / FILE_NAME).list_verdicts("live")), None)
    except UsageError:
        return None


def _read_page(directory: Path) -> str:
    """Return the page of one vendor's run without its table, which only names that vendor's result."""
    table = format_overview_markdown(read_overview(directory / FILE_NAME))
    return (directory / "report.md").read_text(encoding="utf-8").replace(table, "", 1)
