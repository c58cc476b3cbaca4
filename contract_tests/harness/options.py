"""What a run is asked to do, read from the command line and checked before anything is sent."""

import os
import re
import secrets
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import httpx

from contracts.catalogue import Contract, choose
from contracts.errors import UsageError

Given = TypeVar("Given")
FLAGS: dict[str, dict[str, Any]] = {
    "--vendor": {"default": "all", "help": "a contract's slug, or all (all)"},
    "--target": {"default": "mock", "help": "mock, an http(s) address, or live (mock)"},
    "--out": {"default": "reports", "help": "the folder for the reports (reports)"},
    "--seed": {"default": "", "help": "a whole number that makes the exploring stage repeat itself (random, printed)"},
    "--live": {"default": "", "help": "read or mutate: how far a run on the vendor may go"},
    "--explore": {"default": "", "help": "1 or 0: whether to explore (1 on the mock and on test addresses)"},
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
class Options:
    """A run's settings, all checked. ``shard`` is (number, of how many), counted from one."""

    contracts: list[Contract]
    vendor: str
    target: str
    out: Path
    seed: int
    seed_given: bool
    explore: bool
    only: str
    shard: tuple[int, int]
    minutes: float
    fail_on: str
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    thorough: bool = False
    grpc_target: str = ""
    surfaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Parser(ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; --help lists the options")


def understood(read: Callable[[], Given]) -> Given | int:
    """What ``read`` makes of a command line; the exit status where it is wrong, which is told in one line, or asks for help."""
    try:
        return read()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except SystemExit as end:  # --help
        return 3 if end.code else 0


def parser() -> ArgumentParser:
    """The command's own parser."""
    made = Parser(
        prog="python -m contract_tests", description="Checks targets against their contracts.", allow_abbrev=False
    )
    for flag, settings in FLAGS.items():
        made.add_argument(flag, **settings)
    return made


def resolve(raw: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Options:
    """Check the raw settings (by flag name without dashes); a `UsageError` says what is wrong with the first bad one."""
    environment = os.environ if environment is None else environment
    chosen = choose(raw["vendor"] or "all")
    if not chosen:
        raise UsageError("there is no contract: contracts/<slug>/contract.toml makes one")
    target = checked_target(raw["target"] or "mock", chosen)
    if raw["live"] not in ("", "read", "mutate"):
        raise UsageError(f"LIVE is read or mutate, not {raw['live']!r}")
    if raw["live"]:
        raise UsageError("LIVE: runs on a vendor are not possible yet; use TARGET=mock or the address of a test server")
    if raw["thorough"] not in ("", "0", "1"):
        raise UsageError(f"THOROUGH is 1 or 0, not {raw['thorough']!r}")
    if raw["explore"] not in ("", "0", "1"):
        raise UsageError(f"EXPLORE is 1 or 0, not {raw['explore']!r}")
    if raw["fail_on"] not in ("additive", "breaking"):
        raise UsageError(f"FAIL_ON is additive or breaking, not {raw['fail_on']!r}")
    seed = _number("SEED", raw["seed"], 0, 2**63) if raw["seed"] else secrets.randbelow(2**31)
    part, minutes = shard(raw["shard"]), _minutes(raw["minutes"]) if raw["minutes"] else 0.0
    keys = {contract.slug: account_keys(contract, target, environment) for contract in chosen}
    surfaces = _surfaces(raw["surface"], chosen)
    return Options(
        contracts=[contract for contract in chosen if surfaces[contract.slug]],
        vendor=raw["vendor"] or "all",
        target=target,
        out=folder(raw["out"] or "reports"),
        seed=seed,
        seed_given=bool(raw["seed"]),
        explore=raw["explore"] != "0",
        only=raw["only"],
        thorough=raw["thorough"] == "1",
        shard=part,
        minutes=minutes,
        fail_on=raw["fail_on"],
        keys=keys,
        grpc_target=_grpc_target(raw["grpc_target"], chosen) if raw["grpc_target"] else "",
        surfaces=surfaces,
    )


def _surfaces(text: str, chosen: list[Contract]) -> dict[str, tuple[str, ...]]:
    """By vendor, the surfaces to speak; a vendor that has none of those asked for is left out."""
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    known = {surface for contract in chosen for surface in contract.surfaces}
    if unknown := [word for word in wanted if word not in known]:
        raise UsageError(f"SURFACE {unknown[0]!r} is none of {', '.join(sorted(known))}")
    return {c.slug: tuple(s for s in c.surfaces if not wanted or s in wanted) for c in chosen}


def _grpc_target(text: str, chosen: list[Contract]) -> str:
    """``host:port``, checked as any target is."""
    checked_target(f"http://{text}", chosen)
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}", text):
        raise UsageError(f"GRPC_TARGET {text!r} is not host:port, such as 127.0.0.1:8026")
    return text


def checked_target(target: str, chosen: list[Contract]) -> str:
    """``mock`` or an address, without a slash at its end; a `UsageError` where it is neither, or a vendor's own server."""
    if target == "mock":
        return target
    if target == "live":
        raise UsageError("TARGET=live is not possible yet: use mock, or the address of a test server")
    if any(sign.isspace() or not sign.isprintable() for sign in target):
        raise UsageError(f"TARGET {target!r} is not an address: it has white space in it")
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"TARGET {target!r} is not an address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UsageError(f"TARGET {target!r} is not mock, live or an address such as http://127.0.0.1:8025")
    if "?" in target or "#" in target or "@" in parts.netloc:
        raise UsageError("TARGET is scheme, host, port and perhaps a path: no credentials, query or fragment")
    host = _plain_host(target)
    for contract in chosen:
        if host in contract.hosts:
            raise UsageError(f"TARGET {host} is {contract.name}'s own server: runs on a vendor are not possible yet")
    return target.rstrip("/")


def address(contract: Contract, target: str) -> str:
    """Where the contract's operations are: below ``target``, whose own path, if it has one, replaces the server's."""
    return target if urlsplit(target).path else target + contract.base_path


def _plain_host(target: str) -> str:
    """The host as it will be asked for: no letter, dot or case can hide a vendor's own server."""
    try:
        return httpx.URL(target).host.lower().rstrip(".")
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(f"TARGET {target!r} is not an address: {error}") from error


def loopback(target: str) -> bool:
    """Whether ``target`` is this machine."""
    host = urlsplit(target).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def account_keys(contract: Contract, target: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The accounts' keys: from the environment; else the documented test values, on the mock and on loopback alone."""
    keys = {}
    for credential in contract.credentials:
        given = environment.get(credential.variable, "")
        if given and not (given.isascii() and given.isprintable() and " " not in given):
            raise UsageError(f"{credential.variable} has white space in it, or signs that no header can carry")
        if given:
            keys[credential.account] = given
        elif target == "mock" or loopback(target):
            keys[credential.account] = credential.test
        elif credential.required:
            raise UsageError(f"{credential.variable} is not set: it holds the key of {credential.about}")
    return contract.told_apart(keys)


def _number(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text) or not low <= int(text) <= high:
        raise UsageError(f"{name} is a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _minutes(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= 24 * 60:
        raise UsageError(f"MINUTES is a number above 0, up to {24 * 60}, not {text!r}")
    return float(text)


def shard(text: str) -> tuple[int, int]:
    """``i/n`` as numbers, 1/1 where it is empty; else a `UsageError`."""
    if not text:
        return 1, 1
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"SHARD is i/n with i from 1 to n, not {text!r}")
    return int(found[1]), int(found[2])


def folder(text: str) -> Path:
    """The folder ``text``, made where there is none; a `UsageError` where it cannot be written to."""
    out = Path(text)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"OUT {text}: cannot be made ({error.strerror})") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"OUT {text}: cannot be written to")
    return out
