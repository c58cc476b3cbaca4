"""``make nightly``: make all checks of a night, remember them, and write one page.

For each vendor: its mock, its own server if its key is set, its document if the address is known. Then the history, the
page, SARIF and the webhook. Jobs of a matrix share a night with PAGE=0; `make night-page` joins what they found.
Status 1: a vendor drifted, or our mock did; 2: somebody could not tell; 3: wrong usage.
"""

import os
import sys
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.command.live_runs import read_environment
from contract_watch.engine.command.options import add_options, check_consequences
from contract_watch.errors import UsageError
from contract_watch.history.remember import locate_history
from contract_watch.nights.build import build_night
from contract_watch.nights.night_file import AXES
from contract_watch.nights.perform import NightSettings, perform_night
from contract_watch.nights.publish import compute_night_status, format_closing, publish_night
from contract_watch.nights.webhook import read_notify_settings
from contract_watch.report.overview import read_required


@cli.command(interrupted="what was checked is below OUT; make night-page shows it")
def main(arguments: list[str] | None = None) -> int:
    """Make the night, or with --only-page the page of what is there."""
    parser = cli.CommandParser("contract_watch.commands.run_night", __doc__)
    add_options(
        parser, "--vendor", "--live", "--out", "--explore", "--require", "--history", "--recheck-minutes", "--scheduler"
    )
    parser.add_argument("--axes", default="", help=f"the checks to make, separated by commas: {', '.join(AXES)} (all)")
    parser.add_argument(
        "--require-documents", default="", help="slugs with commas, or all: documents that must be compared"
    )
    parser.add_argument("--page", default="", help="0: write results and history alone, no page, and notify nobody")
    parser.add_argument("--only-page", default="", help="1: check nothing; write the page of the results below --out")
    given = parser.parse_args(arguments)
    check_consequences(given.live, "breaking")
    everything = choose_contracts("all")
    required = read_required(given.require, everything)
    documents = read_required(given.require_documents, everything, "--require-documents")
    contracts, axes = choose_contracts(given.vendor), _read_axes(given.axes)
    with_page = cli.parse_switch("--page", given.page) is not False
    only_page = cli.parse_switch("--only-page", given.only_page) is True
    if only_page and not with_page:
        raise UsageError("--page: 0 contradicts --only-page; leave one of them out")
    if with_page:
        read_notify_settings(os.environ)  # a malformed one is an error before anything is sent
    environment = read_environment(os.environ)
    out = cli.create_output_directory("--out", given.out) if not only_page else Path(given.out)
    history = locate_history(given.history, out)
    problems: list[str] = []
    if not only_page:
        settings = NightSettings(
            out, history, axes, given.live or "read", given.recheck_minutes, given.explore, given.scheduler
        )
        perform_night(contracts, settings, environment, problems.append)
    elif not out.is_dir():
        raise UsageError(
            f"--out {out}: is no directory; give the OUT of make nightly, or download the reports of its jobs"
        )
    night = build_night(contracts, out, history)
    lines = publish_night(night, out, problems.append) if with_page else [f"results: {out}"]
    print("\n" + format_closing(night) + "\n\n" + "\n".join(lines), flush=True)
    problems += night["history"]["problems"]
    for problem in dict.fromkeys(problems):
        print(f"error: {problem}", file=sys.stderr)
    status = compute_night_status(night, required, documents)
    return cli.join_statuses([status, cli.ExitStatus.INCONCLUSIVE if problems else cli.ExitStatus.OK])


def _read_axes(text: str) -> list[str]:
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    if unknown := [word for word in wanted if word not in AXES]:
        raise UsageError(f"--axes: unknown check {unknown[0]!r}; choose from {', '.join(AXES)}")
    return [axis for axis in ("mock", "document", "live") if not wanted or axis in wanted]
