"""Serve vendors' mocks until interrupted."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.app import Mock
from contract_watch.mock.call_log import CallLog
from contract_watch.mock.files import keep_state, open_session
from contract_watch.mock.hosts import parse_allowed_hosts, parse_hosts
from contract_watch.mock.server import VendorFactory, build_mock, create_vendor, serve
from contract_watch.mock.state_controls import parse_moment

_MAX_PORT = 65_535
_MAX_SEED = 2**63
_WITHOUT_REPLAY = ("state", "record", "preset", "faults", "mutant", "interpretation", "seed", "clock")
"""The options about the model, which does not answer when a session is replayed."""


@cli.command(interrupted_status=cli.ExitStatus.OK)
def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, which end 0; 3 for wrong usage."""
    given = _build_parser().parse_args(arguments)
    contracts = _choose_contracts(given.vendors, given.vendor)
    if given.list_mutants:
        print(_list_mutants(contracts))
        return cli.ExitStatus.OK
    _check_files(given)
    port = cli.parse_integer("--port", given.port, 0, _MAX_PORT)
    grpc_port = cli.parse_integer("--grpc-port", given.grpc_port, 0, _MAX_PORT)
    hosts, allowed_hosts = parse_hosts(given.host), parse_allowed_hosts(given.allow_host)
    mock = _build(given, contracts)
    with (
        keep_state(mock, _parse_path(given.state)),
        open_session(mock, _parse_path(given.record), _parse_path(given.replay)),
    ):
        serve(mock, port, grpc_port, hosts, allowed_hosts)
    return cli.ExitStatus.OK


def _build(given: argparse.Namespace, contracts: Sequence[Contract]) -> Mock:
    """Build the mock that the options describe."""
    mock = build_mock(
        contracts,
        interpretations=_parse_interpretations(given.interpretation),
        create=_choose_vendors(given.mutant, contracts),
        seed=cli.parse_integer("--seed", given.seed, 0, _MAX_SEED) if given.seed else None,
        start=parse_moment(given.clock, "--clock") if given.clock else None,
        preset=given.preset,
    )
    if given.log:
        mock.journal.on_call = CallLog().write
    if given.faults:
        mock.faults.add_file(Path(given.faults))
    return mock


def _build_parser() -> cli.CommandParser:
    parser = cli.CommandParser("contract_watch.mock", "Plays vendors, on loopback unless --host says otherwise.")
    parser.add_argument("vendors", nargs="*", metavar="vendor", help="the slugs of contracts (all)")
    parser.add_vendor_option()
    reach = parser.add_argument_group("addresses")
    reach.add_argument("--port", default="8025", help="the port, 0 for a free one (8025)")
    reach.add_argument("--grpc-port", default="0", help="the port for gRPC, 0 for a free one (0)")
    reach.add_argument("--host", action="append", default=[], metavar="ADDRESS",
                       help="listen on this address; may be repeated (127.0.0.1 and ::1)")  # fmt: skip
    reach.add_argument("--allow-host", action="append", default=[], metavar="NAME",
                       help="let clients control the mock under this name, as other containers do; may be repeated")  # fmt: skip
    behaviour = parser.add_argument_group("behaviour")
    behaviour.add_argument("--interpretation", action="append", default=[], metavar="VENDOR.NAME=VALUE",
                           help="play this interpretation of the documents")  # fmt: skip
    behaviour.add_argument("--faults", default="", metavar="FILE", help="play the faults of this YAML or JSON file")
    behaviour.add_argument("--mutant", action="append", default=[], metavar="[VENDOR:]ID",
                           help="play a drift: one of --list-mutants, per vendor")  # fmt: skip
    behaviour.add_argument("--list-mutants", action="store_true", help="print the drifts that can be played, and end")
    behaviour.add_argument("--seed", default="", metavar="N", help="let ids, secrets, times and random faults repeat")
    behaviour.add_argument("--clock", default="", metavar="TIME",
                           help="start the clock at this time, such as 2027-01-01")  # fmt: skip
    files = parser.add_argument_group("state and journal")
    files.add_argument("--preset", default="", metavar="FILE", help="begin with the objects of this YAML or JSON file")
    files.add_argument("--state", default="", metavar="FILE", help="keep the state in this SQLite file (memory)")
    files.add_argument("--record", default="", metavar="FILE", help="write all requests and responses into this file")
    files.add_argument("--replay", default="", metavar="FILE", help="answer from a file that --record has written")
    files.add_argument("--log", action="store_true", help="write a line for each request to standard error")
    return parser


def _choose_contracts(slugs: Sequence[str], vendor: str) -> list[Contract]:
    if slugs and vendor != "all":
        raise UsageError("--vendor: vendors are named already; leave it out")
    option = "vendor" if slugs else "--vendor"
    chosen = (contract for slug in slugs or [vendor] for contract in choose_contracts(slug, option=option))
    return list({contract.slug: contract for contract in chosen}.values())


def _choose_vendors(mutants: Sequence[str], contracts: Sequence[Contract]) -> VendorFactory:
    if not mutants:
        return create_vendor
    from contract_watch.mutants import choice  # noqa: PLC0415 (it loads the planner, which a faithful mock does not need)

    return choice.choose_vendors(choice.parse_mutants(mutants, contracts))


def _list_mutants(contracts: Sequence[Contract]) -> str:
    from contract_watch.mutants import choice  # noqa: PLC0415 (as above)

    return choice.format_mutants(contracts)


def _check_files(given: argparse.Namespace) -> None:
    """Refuse options that a replayed session would ignore; say so if a preset does not count."""
    for name in _WITHOUT_REPLAY:
        if given.replay and getattr(given, name):
            raise UsageError(f"--{name}: has no effect on a replayed session; leave out --{name} or --replay")
    if given.preset and _has_content(given.state):
        print(f"--preset {escape_text(given.preset)}: --state {escape_text(given.state)} has a state already, which stays; "
              "the snapshot `preset` has those of the preset", file=sys.stderr, flush=True)  # fmt: skip


def _has_content(state: str) -> bool:
    try:
        return bool(state) and Path(state).stat().st_size > 0
    except (OSError, ValueError):  # the mock itself says so when it opens the file
        return False


def _parse_path(text: str) -> Path | None:
    return Path(text) if text else None


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
