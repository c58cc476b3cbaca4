"""The options of a run, read from the command line and checked before anything is sent."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_watch.cli import (
    CONTRACTS_HELP,
    CommandParser,
    StoreContracts,
    create_output_directory,
    format_command,
    parse_integer,
    parse_number,
    parse_shard,
    parse_switch,
)
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.account.live_settings import LiveSettings, read_live_settings
from contract_watch.engine.fleet.cluster import validate_scheduler
from contract_watch.engine.protocols.targets import (
    find_vendor,
    load_account_keys,
    load_given_values,
    resolve_address,
    validate_target,
)
from contract_watch.errors import UsageError
from contract_watch.history.remember import HISTORY_HELP, locate_history
from contract_watch.report.overview import REQUIRE_HELP, read_required
from contract_watch.report.verdict import FAIL_ON

SCHEDULER_HELP = "tcp://host:8786: spread the work over the workers of this Dask scheduler (this machine's cores)"
_MAX_MINUTES = 24 * 60
RECHECK_MINUTES = 15.0
NO_LIVE_CLUSTER = (
    "--scheduler: a run on a real account never goes to a cluster, which repeats the part of a worker that it lost though "
    "that worker may still be sending; leave out --scheduler, and give each vendor a job of its own"
)
FLAGS: dict[str, dict[str, Any]] = {
    "--vendor": {"default": "all", "help": "a contract's slug, or all (all)"},
    "--contracts": {"default": "", "action": StoreContracts, "help": CONTRACTS_HELP},
    "--target": {"default": "mock", "help": "mock, an http(s) address, or live (mock)"},
    "--out": {"default": "reports", "help": "the directory for the reports (reports)"},
    "--seed": {"default": "", "help": "a whole number that makes the exploring stage repeat itself (random, printed)"},
    "--live": {
        "default": "",
        "help": "read or mutate: how far a run on a real account may go; protects any target (read where it is live)",
    },
    "--explore": {
        "default": "",
        "help": "1 or 0: whether to explore (1 on the mock and on test addresses, 0 where LIVE is given or meant)",
    },
    "--only": {"default": "", "help": "one probe's or finding's id: run what it takes to show it, and no more"},
    "--shard": {"default": "", "help": "i/n: run the i-th of n parts of the probes"},
    "--recheck-minutes": {
        "default": "",
        "help": "ask for breaking findings three times more over so many minutes; 0: never (15 on a vendor's server, else 0)",
    },
    "--thorough": {"default": "", "help": "1: run the probes too that others stand for, though it takes more requests"},
    "--minutes": {"default": "", "help": "explore for so long, not once"},
    "--grpc-target": {"default": "", "help": "host:port where the target speaks gRPC (as the mock says, or TARGET's)"},
    "--surface": {
        "default": "",
        "help": "rest, grpc, grpc-web, or several with commas: speak these only (all there are)",
    },
    "--history": {"default": "", "help": HISTORY_HELP},
    "--require": {"default": "", "help": REQUIRE_HELP},
    "--scheduler": {"default": "", "help": SCHEDULER_HELP},
    "--fail-on": {
        "default": "breaking",
        "help": "additive, warning or breaking: from which verdict on to fail (breaking)",
    },
}


@dataclass(frozen=True)
class RunOptions:
    """A run's settings, all checked. ``shard`` is (number, of how many), counted from one.

    By vendor: ``addresses`` of its operations (none for the mock, which has yet to begin), and ``protected``, what protects
    its account where the target is, or is to be treated as, a real one. ``recheck_minutes`` is the time over which breaking
    findings are asked for again, 0 for never; ``rechecked_ids`` are, for a round of that, the checks that it makes.
    """

    contracts: list[Contract]
    vendor: str
    target: str
    out: Path
    seed: int
    is_seed_given: bool
    explore: bool
    only: str
    shard: tuple[int, int]
    minutes: float
    fail_on: str
    history: Path
    required: tuple[str, ...] = ()
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    thorough: bool = False
    grpc_target: str = ""
    protocols: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    scheduler: str = ""
    live_settings: Mapping[str, LiveSettings] = field(default_factory=dict)
    recheck_minutes: float = 0.0
    rechecked_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def build_parser() -> CommandParser:
    """Build the parser of ``python -m contract_tests``."""
    parser = CommandParser("contract_tests", "Checks targets against their contracts.")
    add_options(parser, *FLAGS)
    return parser


def add_options(parser: CommandParser, *flags: str) -> None:
    """Add options of a run to the parser of another command; ``--vendor`` brings ``--contracts`` along."""
    for flag in flags if "--vendor" not in flags or "--contracts" in flags else (*flags, "--contracts"):
        parser.add_argument(flag, **FLAGS[flag])


def complete_settings(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a value for every option of a run, as `resolve_options` needs it: ``given``, else the empty string."""
    blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
    return {**blank, "fail_on": FLAGS["--fail-on"]["default"], **(given or {})}


def check_consequences(live: str, fail_on: str) -> None:
    """Raise `UsageError` if ``--live`` or ``--fail-on`` has a value that does not exist."""
    if live not in ("", "read", "mutate"):
        raise UsageError(f"--live must be read or mutate, got {live!r}")
    if fail_on not in FAIL_ON:
        raise UsageError(f"--fail-on must be additive, warning or breaking, got {fail_on!r}")


def resolve_options(raw: Mapping[str, str], environment: Mapping[str, str] | None = None) -> RunOptions:
    """Check the raw settings, by option name without dashes; a `UsageError` names the first bad one."""
    environment = os.environ if environment is None else environment
    scheduler = raw.get("scheduler", "")
    if scheduler:
        validate_scheduler(scheduler, raw["target"])
        if raw["target"] == "live" or raw["live"]:
            raise UsageError(NO_LIVE_CLUSTER)
    chosen = choose_contracts(raw["vendor"] or "all")
    if not chosen:
        raise UsageError(
            f"there is no contract; run `{format_command('new-contract', 'new')}`, or list directories with contracts in CONTRACTS"
        )
    target = validate_target(raw["target"] or "mock")
    thorough, explore = parse_switch("--thorough", raw["thorough"]), parse_switch("--explore", raw["explore"])
    check_consequences(raw["live"], raw["fail_on"])
    seed = parse_integer("--seed", raw["seed"], 0, 2**63) if raw["seed"] else secrets.randbelow(2**31)
    part = parse_shard("--shard", raw["shard"])
    minutes = parse_number("--minutes", raw["minutes"], _MAX_MINUTES) if raw["minutes"] else 0.0
    addresses = {} if target == "mock" else {one.slug: resolve_address(one, target, environment) for one in chosen}
    # A cluster's workers have the keys: nothing that this process knows of them travels.
    keys = {one.slug: load_account_keys(one, "mock" if scheduler else addresses.get(one.slug, "mock"),
                                        {} if scheduler else environment) for one in chosen}  # fmt: skip
    for one in chosen:
        load_given_values(
            one, "mock" if scheduler else addresses.get(one.slug, "mock"), {} if scheduler else environment
        )
    grpc_target = _validate_grpc_target(raw["grpc_target"]) if raw["grpc_target"] else ""
    vendors = [place for place in (*addresses.values(), *([f"http://{grpc_target}"] if grpc_target else []))
               if find_vendor(place, environment)]  # fmt: skip
    if scheduler and vendors:
        raise UsageError(NO_LIVE_CLUSTER)
    surfaces = _select_protocols(raw["surface"], chosen)
    protected = {}
    if raw["live"] or vendors or target == "live":
        protected = {
            one.slug: read_live_settings(one, keys[one.slug][one.credentials[0].account], raw["live"], environment)
            for one in chosen
        }
    out = create_output_directory("--out", raw["out"] or "reports")
    return RunOptions(
        contracts=[contract for contract in chosen if surfaces[contract.slug]],
        vendor=raw["vendor"] or "all",
        target=target,
        out=out,
        history=locate_history(raw.get("history", ""), out),
        seed=seed,
        is_seed_given=bool(raw["seed"]),
        explore=explore is True if protected else explore is not False,
        only=raw["only"],
        thorough=thorough is True,
        shard=part,
        minutes=minutes,
        fail_on=raw["fail_on"],
        required=tuple(read_required(raw.get("require", ""), choose_contracts("all"))),
        keys=keys,
        grpc_target=grpc_target,
        scheduler=scheduler,
        protocols=surfaces,
        addresses=addresses,
        live_settings=protected,
        recheck_minutes=_read_recheck_minutes(
            raw.get("recheck_minutes", ""), is_live=bool(vendors) or target == "live"
        ),
    )


def _read_recheck_minutes(text: str, *, is_live: bool) -> float:
    if not text:
        return RECHECK_MINUTES if is_live else 0.0
    return 0.0 if text == "0" else parse_number("--recheck-minutes", text, _MAX_MINUTES)


def _select_protocols(text: str, chosen: list[Contract]) -> dict[str, tuple[str, ...]]:
    """Return the protocols of each vendor that ``text`` asks for, all if it is empty."""
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    known = {surface for contract in chosen for surface in contract.protocols}
    if unknown := [word for word in wanted if word not in known]:
        whose = chosen[0].slug if len(chosen) == 1 else "contracts"
        raise UsageError(
            f"unknown --surface {unknown[0]!r}; {whose} support{'s' if len(chosen) == 1 else ''}: {', '.join(sorted(known))}"
        )
    return {c.slug: tuple(s for s in c.protocols if not wanted or s in wanted) for c in chosen}


def _validate_grpc_target(text: str) -> str:
    """Return ``host:port`` if it is one."""
    validate_target(f"http://{text}")
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}", text):
        raise UsageError(f"--grpc-target must be host:port, such as 127.0.0.1:8026, got {text!r}")
    return text
