"""The contract run of a release: the whole suite on the mock, and the statement about it in README.md."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import load_contracts
from contract_watch.report.atomic_file import write_atomically
from scripts.release.builds import ReleaseError

BEGIN, END = "<!-- contract run: written by `make release-package` -->", "<!-- end of the contract run -->"
_SECTION = re.compile(f"{re.escape(BEGIN)}\n(.*?){re.escape(END)}", re.DOTALL)
_TIMEOUT = 3600
"""Seconds that the suite may take."""
_PROTOCOLS = {"rest": "REST", "grpc": "gRPC", "grpc-web": "gRPC-web"}


@dataclass(frozen=True)
class CheckedVendor:
    """The result of the suite on one vendor's mock."""

    slug: str
    name: str
    protocols: tuple[str, ...]
    verdict: str
    checked: int
    documented: int
    requests: int
    date: str


def run_suite(
    root: Path, out: Path, arguments: Sequence[str] = ("--explore", "1", "--thorough", "1")
) -> list[CheckedVendor]:
    """Run the suite of the checkout at ``root`` on the mock of every contract; write its reports to ``out``.

    Raises:
        ReleaseError: a verdict is not `none`, or a vendor or protocol was not checked.
    """
    contracts = load_contracts(root)
    keys = {credential.variable for one in contracts.values() for credential in one.credentials}
    kept = {name: value for name, value in os.environ.items() if name not in keys and name != "CONTRACTS"}
    command = [
        sys.executable,
        "-m",
        "contract_tests",
        "--vendor",
        "all",
        "--target",
        "mock",
        "--out",
        str(out),
        *arguments,
    ]
    try:
        subprocess.run(command, cwd=root, env={**kept, "PYTHONPATH": str(root)}, timeout=_TIMEOUT, check=False)  # noqa: S603 - our own suite
        report = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        raise ReleaseError(f"the suite gave no report: {error}") from error
    checked = [read_run(run) for run in report["runs"]]
    check_runs(checked, {slug: one.protocols for slug, one in contracts.items()})
    return checked


def read_run(run: Mapping[str, Any]) -> CheckedVendor:
    """Return the part of a run in ``findings.json`` that the statement tells."""
    return CheckedVendor(
        run["contract"],
        run["summary"]["name"],
        tuple(run["surface"]),
        run["verdict"],
        run["clauses"]["exercised"],
        run["clauses"]["documented"],
        run["requests"]["total"],
        run["started"][:10],
    )


def check_runs(checked: Sequence[CheckedVendor], protocols: Mapping[str, Sequence[str]]) -> None:
    """Refuse a release whose mock does not keep every contract over every protocol.

    Raises:
        ReleaseError: it does not.
    """
    found = {one.slug: one for one in checked}
    for slug, expected in protocols.items():
        one = found.get(slug)
        if one is None:
            raise ReleaseError(f"{slug}: was not checked")
        if one.verdict != "none":
            raise ReleaseError(f"{slug}: the verdict on the mock must be none, got {one.verdict}; see findings.json")
        if set(one.protocols) != set(expected):
            raise ReleaseError(f"{slug}: must be checked over {', '.join(expected)}, got {', '.join(one.protocols)}")
        if not one.requests or not one.checked:
            raise ReleaseError(f"{slug}: no request was sent")


def format_statement(version: str, checked: Sequence[CheckedVendor]) -> str:
    """Return the statement as Markdown: date, version, and a line for each vendor."""
    date = max(one.date for one in checked)
    rows = [
        f"- {one.name}, over {', '.join(_PROTOCOLS[name] for name in one.protocols)}: `{one.verdict}`, "
        f"{one.checked} of {one.documented} clauses checked with {one.requests} requests"
        for one in checked
    ]
    head = f"On {date} the mock of version {version} passed the suite that watches the vendors:"
    return "\n".join([head, "", *rows, ""])


def read_statement(text: str) -> str | None:
    """Return the statement in a page; None if it has no place for one, or several."""
    found = _SECTION.findall(text)
    return found[0] if len(found) == 1 else None


def write_statement(page: Path, statement: str) -> None:
    """Replace the statement in ``page``.

    Raises:
        ReleaseError: the page has no place for it.
    """
    text = page.read_text(encoding="utf-8")
    if read_statement(text) is None:
        raise ReleaseError(f"{page.name}: must have one section from {BEGIN!r} to {END!r}")
    write_atomically(page, _SECTION.sub(lambda _match: f"{BEGIN}\n{statement}{END}", text))
