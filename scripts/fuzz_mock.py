"""``make fuzz-mock``: send mutated raw bytes to a mock, and look for a crash, a 500, a hang, lost state or lost memory.

0: no damage; 1: damage, whose inputs are in the file that the last line names; 3: wrong usage.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts
from contract_watch.escaping import escape_text
from scripts.fuzz.campaign import FuzzResult, replay_file, run_campaign

_MAX_SECONDS = 86_400
_MAX_SEED = 2**32


@cli.command(interrupted="the last inputs are in fuzz-<seed>.json; --replay sends them again")
def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the mock, or replay a file, and return the exit status."""
    parser = cli.CommandParser("scripts.fuzz_mock", "Fuzzes the mock with raw bytes.")
    parser.add_vendor_option()
    parser.add_argument("--seconds", default="60", help="how long (60)")
    parser.add_argument("--seed", default="", help="the seed of an earlier campaign (a new one)")
    parser.add_argument("--out", default="reports", help="the directory for inputs that do damage (reports)")
    parser.add_argument("--replay", default="", metavar="FILE", help="send the inputs of this file instead")
    given = parser.parse_args(arguments)
    if given.replay:
        return _report(replay_file(Path(given.replay)))
    seconds = cli.parse_integer("--seconds", given.seconds or "60", 1, _MAX_SECONDS)
    seed = cli.parse_integer("--seed", given.seed, 0, _MAX_SEED) if given.seed else random.randrange(_MAX_SEED)
    print(f"seed {seed}", flush=True)
    out = cli.create_output_directory("--out", given.out)
    return _report(run_campaign(choose_contracts(given.vendor), seconds, seed, out))


def _report(result: FuzzResult) -> int:
    if not result.damage:
        print(f"no damage ({result.inputs} inputs)")
        return cli.ExitStatus.OK
    print(escape_text(f"damage after {result.inputs} inputs: {result.damage}"))
    print(f"again: .venv/bin/python -m scripts.fuzz_mock --replay={result.file}")
    return cli.ExitStatus.FAILURE


if __name__ == "__main__":
    sys.exit(main())
