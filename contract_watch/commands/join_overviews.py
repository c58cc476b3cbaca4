"""``make overview``: join the tables that the commands of several jobs wrote below OUT into one, ``OUT/overview.md``."""

from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts
from contract_watch.errors import UsageError
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.overview import (
    FILE_NAME,
    Overview,
    format_overview,
    format_overview_markdown,
    join_overviews,
    read_overview,
)


@cli.command(may_hold_secrets=False)
def main(arguments: list[str] | None = None) -> int:
    """Print the table and write it; vendors of which nothing was found were not checked."""
    parser = cli.CommandParser("contract_watch.commands.join_overviews", __doc__)
    parser.add_contracts_option()
    parser.add_out_option()
    out = Path(parser.parse_args(arguments).out)
    files = sorted(out.rglob(FILE_NAME))
    if not files:
        raise UsageError(
            f"--out {out}: holds no {FILE_NAME}; run a check with this OUT, or download the reports of one"
        )
    known = Overview({contract.slug: contract.name for contract in choose_contracts("all")})
    joined = join_overviews([known, *map(read_overview, files)])
    write_atomically(out / "overview.md", format_overview_markdown(joined))
    print(format_overview(joined))
    return cli.ExitStatus.OK
