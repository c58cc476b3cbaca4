"""``make merge-history``: add the runs of every history and report below OUT to one history."""

import sys
from pathlib import Path

from contract_watch import cli
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.history.merge import find_sources, merge_sources
from contract_watch.history.remember import HISTORY_HELP, locate_history
from contract_watch.history.store import HistoryError


@cli.command(interrupted="what was merged before stands; run it again", may_hold_secrets=False)
def main(arguments: list[str] | None = None) -> int:
    """Merge; 2 if a file could not be read."""
    parser = cli.CommandParser("contract_watch.commands.merge_history", __doc__)
    parser.add_out_option()
    parser.add_argument("--history", default="", help=HISTORY_HELP)
    given = parser.parse_args(arguments)
    out = Path(given.out)
    target = locate_history(given.history, out)
    sources = find_sources(out, target)
    if not sources:
        raise UsageError(f"--out {out}: holds no history and no findings.json; download the reports of the jobs first")
    problems: list[str] = []
    try:
        result = merge_sources(target, sources, problems.append)
    except HistoryError as error:
        raise InconclusiveError(f"history: {error}") from error
    print(f"{target}: {result.added} new runs from {result.files} of {len(sources)} files")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return cli.ExitStatus.INCONCLUSIVE if problems else cli.ExitStatus.OK
