"""The command ``python -m contract_watch.mock``: serves every vendor until interrupted."""

import sys

from contract_watch import cli
from contract_watch.contracts.registry import choose_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.server import serve_contracts

_MAX_PORT = 65_535


@cli.command(interrupted_status=cli.ExitStatus.OK)
def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, which end 0; 3 for wrong usage."""
    parser = cli.CommandParser("contract_watch.mock", "Plays every vendor on loopback.")
    parser.add_vendor_option()
    parser.add_argument("--port", default="8025", help="the port, 0 for a free one (8025)")
    parser.add_argument("--grpc-port", default="0", help="the port for gRPC, 0 for a free one (0)")
    parser.add_argument("--interpretation", action="append", default=[], metavar="VENDOR.NAME=VALUE",
                        help="play this interpretation of the documents")  # fmt: skip
    given = parser.parse_args(arguments)
    serve_contracts(
        choose_contracts(given.vendor),
        cli.parse_integer("--port", given.port, 0, _MAX_PORT),
        cli.parse_integer("--grpc-port", given.grpc_port, 0, _MAX_PORT),
        _parse_interpretations(given.interpretation),
    )
    return 0


def _parse_interpretations(options: list[str]) -> dict[str, dict[str, str]]:
    """Return the values by vendor and name."""
    values: dict[str, dict[str, str]] = {}
    for text in options:
        place, equals, value = text.partition("=")
        slug, dot, name = place.partition(".")
        if not equals or not dot:
            raise UsageError(f"--interpretation must be VENDOR.NAME=VALUE, got {text!r}")
        values.setdefault(slug, {})[name] = value
    return values


if __name__ == "__main__":
    sys.exit(main())
