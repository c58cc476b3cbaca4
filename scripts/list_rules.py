"""``make rules``: write docs/rules.md, the rules of the comparison of documents with their levels and consequences.

``python -m scripts.list_rules --check`` writes nothing and ends 1 if the page is out of date.
"""

import sys
from collections.abc import Sequence

from contract_watch import cli
from contract_watch.diff.rules_page import PAGE, format_rules_page


@cli.command(may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page or check it, and return the exit status."""
    parser = cli.CommandParser("scripts.list_rules", "Writes docs/rules.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; end 1 if the page is out of date")
    given, page = parser.parse_args(arguments), format_rules_page()
    if not given.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page:
        print("docs/rules.md: out of date with rules.toml; run `make rules`", file=sys.stderr)
        return cli.ExitStatus.FAILURE
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
