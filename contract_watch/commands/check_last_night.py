"""``make check-night``: notice that a night is missing. Run it where the nights do not run: what stops them stops it too.

0: the last night is recent; 1: it is older than --max-hours, or checked nothing; 2: its file cannot be read; 3: wrong usage.
"""

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.nights.last_night import judge_age, load_last_night


@cli.command()
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the age of the last night on stdout, or the problem on stderr."""
    parser = cli.CommandParser("contract_watch.commands.check_last_night", __doc__)
    parser.add_argument("--out", default="reports", help="the directory with night.json (reports)")
    parser.add_argument("--url", default="", help="the address of a published night.json, in place of --out")
    parser.add_argument("--max-hours", default="36", help="the hours after which the next night must have ended (36)")
    given = parser.parse_args(None if arguments is None else list(arguments))
    max_hours = cli.parse_number("--max-hours", given.max_hours, 10_000)
    is_recent, line = judge_age(load_last_night(Path(given.out), given.url), max_hours, dt.datetime.now(dt.UTC))
    print(line if is_recent else f"error: {line}", file=sys.stdout if is_recent else sys.stderr)
    return cli.ExitStatus.OK if is_recent else cli.ExitStatus.FAILURE
