"""What a run is asked to do, read from the command line and checked before anything is sent."""

import os
import re
import secrets
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.engine.account.live_settings import LiveSettings, read_live_settings
from contract_watch.engine.protocols.targets import find_vendor, load_account_keys, resolve_address, validate_target
from contract_watch.errors import UsageError

ParsedValue = TypeVar("ParsedValue")
FLAGS: dict[str, dict[str, Any]] = {
    "--vendor": {"default": "all", "help": "a contract's slug, or all (all)"},
    "--target": {"default": "mock", "help": "mock, an http(s) address, or live (mock)"},
    "--out": {"default": "reports", "help": "the folder for the reports (reports)"},
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
    "--thorough": {"default": "", "help": "1: run the probes too that others stand for, though it takes more requests"},
    "--minutes": {"default": "", "help": "explore for so long, not once"},
    "--grpc-target": {"default": "", "help": "host:port where the target speaks gRPC (as the mock says, or TARGET's)"},
    "--surface": {
        "default": "",
        "help": "rest, grpc, grpc-web, or several with commas: speak these only (all there are)",
    },
    "--fail-on": {"default": "breaking", "help": "additive or breaking: from which severity on to fail (breaking)"},
}


@dataclass(frozen=True)
class RunOptions:
    """A run's settings, all checked. ``shard`` is (number, of how many), counted from one.

    By vendor: ``addresses`` of its operations (none for the mock, which has yet to begin), and ``protected``, what protects
    its account where the target is, or is to be treated as, a real one.
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
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    thorough: bool = False
    grpc_target: str = ""
    protocols: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    live_settings: Mapping[str, LiveSettings] = field(default_factory=dict)


class CommandParser(ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; --help lists the options")


def parse_or_exit_status(read: Callable[[], ParsedValue]) -> ParsedValue | int:
    """What ``read`` makes of a command line; the exit status where it is wrong, which is told in one line, or asks for help."""
    try:
        return read()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except SystemExit as end:  # --help
        return 3 if end.code else 0


def build_parser() -> ArgumentParser:
    """The command's own parser."""
    made = CommandParser(
        prog="python -m contract_tests",
        description="Checks targets against their contracts.",
        allow_abbrev=False,
    )
    for flag, settings in FLAGS.items():
        made.add_argument(flag, **settings)
    return made


def resolve_options(raw: Mapping[str, str], environment: Mapping[str, str] | None = None) -> RunOptions:
    """Check the raw settings (by flag name without dashes); a `UsageError` says what is wrong with the first bad one."""
    environment = os.environ if environment is None else environment
    chosen = choose_contracts(raw["vendor"] or "all")
    if not chosen:
        raise UsageError("there is no contract: contracts/<slug>/contract.toml makes one")
    target = validate_target(raw["target"] or "mock")
    if raw["live"] not in ("", "read", "mutate"):
        raise UsageError(f"LIVE is read or mutate, not {raw['live']!r}")
    if raw["thorough"] not in ("", "0", "1"):
        raise UsageError(f"THOROUGH is 1 or 0, not {raw['thorough']!r}")
    if raw["explore"] not in ("", "0", "1"):
        raise UsageError(f"EXPLORE is 1 or 0, not {raw['explore']!r}")
    if raw["fail_on"] not in ("additive", "breaking"):
        raise UsageError(f"FAIL_ON is additive or breaking, not {raw['fail_on']!r}")
    seed = _parse_number("SEED", raw["seed"], 0, 2**63) if raw["seed"] else secrets.randbelow(2**31)
    part, minutes = parse_shard(raw["shard"]), _parse_minutes(raw["minutes"]) if raw["minutes"] else 0.0
    addresses = {} if target == "mock" else {one.slug: resolve_address(one, target, environment) for one in chosen}
    keys = {one.slug: load_account_keys(one, addresses.get(one.slug, "mock"), environment) for one in chosen}
    grpc_target = _validate_grpc_target(raw["grpc_target"]) if raw["grpc_target"] else ""
    vendors = [place for place in (*addresses.values(), *([f"http://{grpc_target}"] if grpc_target else []))
               if find_vendor(place, environment)]  # fmt: skip
    surfaces = _select_protocols(raw["surface"], chosen)
    protected = {}
    if raw["live"] or vendors or target == "live":
        protected = {
            one.slug: read_live_settings(one, keys[one.slug][one.credentials[0].account], raw["live"], environment)
            for one in chosen
        }
    return RunOptions(
        contracts=[contract for contract in chosen if surfaces[contract.slug]],
        vendor=raw["vendor"] or "all",
        target=target,
        out=create_directory(raw["out"] or "reports"),
        seed=seed,
        is_seed_given=bool(raw["seed"]),
        explore=raw["explore"] == "1" if protected else raw["explore"] != "0",
        only=raw["only"],
        thorough=raw["thorough"] == "1",
        shard=part,
        minutes=minutes,
        fail_on=raw["fail_on"],
        keys=keys,
        grpc_target=grpc_target,
        protocols=surfaces,
        addresses=addresses,
        live_settings=protected,
    )


def _select_protocols(text: str, chosen: list[Contract]) -> dict[str, tuple[str, ...]]:
    """By vendor, the surfaces to speak; a vendor that has none of those asked for is left out."""
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    known = {surface for contract in chosen for surface in contract.protocols}
    if unknown := [word for word in wanted if word not in known]:
        raise UsageError(f"SURFACE {unknown[0]!r} is none of {', '.join(sorted(known))}")
    return {c.slug: tuple(s for s in c.protocols if not wanted or s in wanted) for c in chosen}


def _validate_grpc_target(text: str) -> str:
    """``host:port``, checked as any target is."""
    validate_target(f"http://{text}")
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}", text):
        raise UsageError(f"GRPC_TARGET {text!r} is not host:port, such as 127.0.0.1:8026")
    return text


def _parse_number(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text) or not low <= int(text) <= high:
        raise UsageError(f"{name} is a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _parse_minutes(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= 24 * 60:
        raise UsageError(f"MINUTES is a number above 0, up to {24 * 60}, not {text!r}")
    return float(text)


def parse_shard(text: str) -> tuple[int, int]:
    """``i/n`` as numbers, 1/1 where it is empty; else a `UsageError`."""
    if not text:
        return 1, 1
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"SHARD is i/n with i from 1 to n, not {text!r}")
    return int(found[1]), int(found[2])


def create_directory(text: str) -> Path:
    """The folder ``text``, made where there is none; a `UsageError` where it cannot be written to."""
    out = Path(text)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"OUT {text}: cannot be made ({error.strerror})") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"OUT {text}: cannot be written to")
    return out
