"""``python -m contract_watch.mock --port 8025``: every vendor, until interrupted."""

import argparse
import sys

from contract_watch.contracts.registry import choose_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.server import serve_contracts


def main(arguments: list[str] | None = None) -> int:
    """Serve; 3 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m contract_watch.mock", description="Plays every vendor on loopback."
    )
    parser.add_argument("--vendor", default="all", help="a contract's slug, or all (all)")
    parser.add_argument("--port", type=int, default=8025, help="the port, 0 for a free one (8025)")
    parser.add_argument("--grpc-port", type=int, default=0, help="the port for gRPC, 0 for a free one (0)")
    parser.add_argument("--interpretation", action="append", default=[], metavar="VENDOR.NAME=VALUE",
                        help="take this reading")  # fmt: skip
    try:
        given = parser.parse_args(arguments)
    except SystemExit as end:
        return 3 if end.code else 0
    try:
        serve_contracts(
            choose_contracts(given.vendor or "all"),
            given.port,
            given.grpc_port,
            _parse_interpretations(given.interpretation),
        )
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        pass
    return 0


def _parse_interpretations(options: list[str]) -> dict[str, dict[str, str]]:
    """The readings told, by vendor and name."""
    told: dict[str, dict[str, str]] = {}
    for text in options:
        place, equals, value = text.partition("=")
        slug, dot, name = place.partition(".")
        if not equals or not dot:
            raise UsageError(f"--reading {text!r} is not VENDOR.NAME=VALUE")
        told.setdefault(slug, {})[name] = value
    return told


if __name__ == "__main__":
    sys.exit(main())
