"""``make keep-issue``: bring the tracker's issue of each vendor to the state of the night in ``OUT/night.json``.

0: done, or nothing to do; 2: the tracker is out of reach or refuses, run it again; 3: a variable is missing, or the file
cannot be read.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.engine.account.clock import Clock
from contract_watch.errors import UsageError
from contract_watch.nights.night_file import FILE_NAME, read_night
from contract_watch.nights.tracker.settings import read_tracker_settings


@cli.command(interrupted="run it again: it goes on where it ended")
def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Read, then write to the tracker; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.keep_issue", __doc__)
    parser.add_argument("--out", default="reports", help="the directory with night.json (reports)")
    parser.add_argument("--author", default="", help="the login that the token writes as (TRACKER_AUTHOR)")
    given = parser.parse_args(arguments)
    settings = read_tracker_settings(os.environ, given.author)
    night = read_night(Path(given.out) / FILE_NAME)
    try:
        # Here, since only this command needs the client library, which is an extra.
        from contract_watch.nights.tracker.github_tracker import GitHubTracker  # noqa: PLC0415
        from contract_watch.nights.tracker.keeper import keep_issues  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "github":
            raise
        raise UsageError("PyGithub: is not installed; install contract-watch[tracker]") from error
    for line in keep_issues(night, GitHubTracker(settings, clock), settings):
        print(line, flush=True)
    return cli.ExitStatus.OK
