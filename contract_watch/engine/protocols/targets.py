"""Targets: the values of TARGET, the address of a contract's operations, and the keys sent there."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import httpx

from contract_watch.addresses import is_loopback
from contract_watch.contracts.credential_locations import find_key_problem
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.errors import UsageError

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_MAX_HOST_LENGTH = 253


def validate_target(target: str, option: str = "--target") -> str:
    """Return ``mock``, ``live`` or an address without a final slash; raise `UsageError` for anything else."""
    if target in ("mock", "live"):
        return target
    if "@" in target.partition("://")[2].partition("/")[0]:
        raise UsageError(
            f"{option} must be scheme, host, port and perhaps a path; leave out credentials, query and fragment"
        )
    if any(sign.isspace() or not sign.isprintable() for sign in target):
        raise UsageError(f"{option} must be mock, live or a URL without white space, got {target!r}")
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError as error:
        raise UsageError(
            f"{option} must be mock, live or a URL such as http://127.0.0.1:8025, got {target!r}"
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UsageError(f"{option} must be mock, live or a URL such as http://127.0.0.1:8025, got {target!r}")
    if "?" in target or "#" in target or "@" in parts.netloc:
        raise UsageError(
            f"{option} must be scheme, host, port and perhaps a path; leave out credentials, query and fragment"
        )
    if not _is_plain_host(parts.hostname):
        raise UsageError(
            f"{option} must name a host of letters, digits, hyphens and dots, or an address, got {target!r}; "
            "write other names in Punycode"
        )
    if any(segment in (".", "..") for segment in unquote(parts.path).split("/")):
        raise UsageError(f"{option} must have a path without `.` and `..`, got {target!r}")
    _normalize_host(target)
    return target.rstrip("/")


def _is_plain_host(host: str) -> bool:
    """Return True for an IP address, or a name that every library reads alike: gRPC decodes percent signs, httpx does not."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return len(host) <= _MAX_HOST_LENGTH and all(map(_LABEL.fullmatch, host.rstrip(".").split(".")))
    return "%" not in host  # the zone of an IPv6 address is refused too


def resolve_address(contract: Contract, target: str, environment: Mapping[str, str]) -> str:
    """Return the address of the contract's operations on ``target``; raise `UsageError` if keys must not go there.

    For ``live`` it is the address that the contract pins, or the customer's variable with the path that it pins. No
    document changes it.
    """
    address = _find_live_address(contract, environment) if target == "live" else target
    if find_vendor(address, environment) and urlsplit(address).scheme != "https":
        raise UsageError(f"--target {address}: is a vendor's own server; use https, which alone may carry keys")
    if contract.address and address == get_origin(contract.address):
        return contract.address
    return address if target == "live" else join_base_path(contract, address)


def join_base_path(contract: Contract, target: str) -> str:
    """Join an address with the base path of the contract's server, unless the address has a path of its own."""
    return target if urlsplit(target).path else target + contract.base_path


def get_origin(base: str) -> str:
    """Return the scheme and authority of an address."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}"


def _find_live_address(contract: Contract, environment: Mapping[str, str]) -> str:
    """Return the address that the contract pins; where it pins a path, join that with the customer's own server."""
    pinned, variable = contract.address, contract.address_variable
    if pinned is None:
        what = f"the path below {variable}" if variable else "the URL"
        raise UsageError(f"{contract.config_file}: `address` is missing; add {what} that --target live sends keys to")
    if not variable:
        return pinned
    given = environment.get(variable, "")
    if not given:
        raise UsageError(f"{variable} is not set; set it to the URL of your own {contract.name}, for --target live")
    found = validate_target(given, variable)
    if found in ("mock", "live"):
        raise UsageError(f"{variable} must be a URL, got {found!r}")
    return found if urlsplit(found).path else found + pinned


def find_vendor(target: str, environment: Mapping[str, str]) -> str:
    """Return the slug of the vendor whose own server ``target`` is on; an empty string if it is none of ours."""
    host = _normalize_host(target)
    for contract in choose_contracts("all"):
        named = environment.get(contract.address_variable, "") if contract.address_variable else ""
        ours = {_normalize_host(validate_target(named))} if named not in ("", "mock", "live") else set()
        ours |= {_normalize_host(contract.address)} if contract.address and not contract.address_variable else set()
        if host in contract.hosts | ours or any(host.endswith(f".{parent}") for parent in contract.parent_domains):
            return contract.slug
    return ""


def _normalize_host(target: str) -> str:
    """Normalize a host as a connection would resolve it: no case or final dot can hide a vendor's own server."""
    try:
        return httpx.URL(target).host.lower().rstrip(".")
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(f"--target must be a URL such as http://127.0.0.1:8025, got {target!r}") from error


def is_own_target(target: str) -> bool:
    """Return True for the mock and loopback addresses, which need no real value of any variable."""
    return target == "mock" or is_loopback(urlsplit(target).hostname or "")


def load_given_values(contract: Contract, target: str, environment: Mapping[str, str]) -> None:
    """Read the values of `[given]` from the environment; the mock and loopback addresses default to the test values.

    Raises:
        UsageError: a variable is unset, or its value is none that the document accepts.
    """
    given = contract.given
    if not is_own_target(target) and (missing := given.list_missing(environment)):
        raise UsageError(f"{missing[0].variable} is not set; set it to {missing[0].about}")
    given.read(environment)
    for name, value in given.values.items():
        variable = given.tables[name].variable
        if not value.isprintable() or value.strip() != value or value in (".", ".."):
            raise UsageError(f"{variable} must be printable, without white space around it; set it again")
        if problem := given.find_problem(name, contract.operations):
            raise UsageError(f"{variable} cannot be the {name} of {problem}; set it again")


def load_account_keys(contract: Contract, target: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Read the accounts' keys from the environment; the mock and loopback addresses default to documented test values."""
    keys = {}
    for credential in contract.credentials:
        given = environment.get(credential.variable, "")
        if given and not (given.isascii() and given.isprintable() and " " not in given):
            raise UsageError(
                f"{credential.variable} has a character that no header can carry, such as white space; copy the key again"
            )
        if given and (problem := find_key_problem(contract, credential.variable, given)):
            raise UsageError(problem)
        if given:
            keys[credential.account] = given
        elif is_own_target(target):
            keys[credential.account] = credential.test
        elif credential.required:
            raise UsageError(f"{credential.variable} is not set; set it to the key of {credential.about}")
    return contract.check_keys_differ(keys)


def validate_unguarded_target(target: str, environment: Mapping[str, str], option: str = "--target") -> str:
    """Validate ``target``; raise `UsageError` for a vendor's own server, where only guarded runs are permitted."""
    checked = validate_target(target, option)
    if checked == "live" or (checked != "mock" and find_vendor(checked, environment)):
        raise UsageError(
            f"{option} {target}: is a vendor's own server; only `make contract`, which is guarded, runs there"
        )
    return checked


def get_authority(base: str) -> str:
    """Return ``host:port`` of an address, with the scheme's usual port if it has none."""
    parts = urlsplit(base)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
