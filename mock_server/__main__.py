"""``python -m mock_server --port 8025``: every vendor, until interrupted."""

import argparse
import sys

from contracts.errors import UsageError
from mock_server.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve; 3 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m mock_server", description="Plays every vendor on loopback.")
    parser.add_argument("--port", type=int, default=8025, help="the port, 0 for a free one (8025)")
    parser.add_argument("--reading", action="append", default=[], metavar="NAME=VALUE", help="take this reading")
    try:
        given = parser.parse_args(arguments)
    except SystemExit as end:
        return 3 if end.code else 0
    try:
        serve(given.port, dict(_pair(text) for text in given.reading))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        pass
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--reading {text!r} is not NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
