"""Serve vendors' mocks until interrupted."""

import sys
from collections.abc import Sequence

from contract_watch import cli
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.server import serve_contracts

_MAX_PORT = 65_535


@cli.command(interrupted_status=cli.ExitStatus.OK)
def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, which end 0; 3 for wrong usage."""
    parser = cli.CommandParser("contract_watch.mock", "Plays vendors on loopback.")
    parser.add_argument("vendors", nargs="*", metavar="vendor", help="the slugs of contracts (all)")
    parser.add_vendor_option()
    parser.add_argument("--port", default="8025", help="the port, 0 for a free one (8025)")
    parser.add_argument("--grpc-port", default="0", help="the port for gRPC, 0 for a free one (0)")
    parser.add_argument("--interpretation", action="append", default=[], metavar="VENDOR.NAME=VALUE",
                        help="play this interpretation of the documents")  # fmt: skip
    parser.add_argument("--log", action="store_true", help="write a line for each request to standard error")
    given = parser.parse_args(arguments)
    serve_contracts(
        _choose_contracts(given.vendors, given.vendor),
        cli.parse_integer("--port", given.port, 0, _MAX_PORT),
        cli.parse_integer("--grpc-port", given.grpc_port, 0, _MAX_PORT),
        _parse_interpretations(given.interpretation),
        is_logging=given.log,
    )
    return cli.ExitStatus.OK


def _choose_contracts(slugs: Sequence[str], vendor: str) -> list[Contract]:
    if slugs and vendor != "all":
        raise UsageError("--vendor: vendors are named already; leave it out")
    return [contract for slug in dict.fromkeys(slugs or [vendor]) for contract in choose_contracts(slug)]


def _parse_interpretations(options: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the values by vendor and name."""
    values: dict[str, dict[str, str]] = {}
    for text in options:
        target, equals, value = text.partition("=")
        slug, dot, name = target.partition(".")
        if not equals or not dot:
            raise UsageError(f"--interpretation must be VENDOR.NAME=VALUE, got {text!r}")
        values.setdefault(slug, {})[name] = value
    return values


if __name__ == "__main__":
    sys.exit(main())
