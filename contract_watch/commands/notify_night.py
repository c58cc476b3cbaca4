"""``make notify``: send the night in ``OUT/night.json`` to NOTIFY_URL.

0: sent, or nothing new; 2: the receiver did not take it; 3: NOTIFY_URL is missing or cannot be used, or the file cannot be read.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.nights.night_file import FILE_NAME, read_night
from contract_watch.nights.webhook import notify, read_notify_settings


@cli.command(interrupted="run it again; the receiver knows the id")
def main(arguments: Sequence[str] | None = None) -> int:
    """Read and send; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.notify_night", __doc__)
    parser.add_argument("--out", default="reports", help="the directory with night.json (reports)")
    given = parser.parse_args(arguments)
    settings = read_notify_settings(os.environ)
    if settings is None:
        raise UsageError("NOTIFY_URL: is not set; give the address of the receiver")
    ended = notify(read_night(Path(given.out) / FILE_NAME), settings)
    if ended.problem:
        raise InconclusiveError(ended.line)
    print(ended.line)
    return cli.ExitStatus.OK
