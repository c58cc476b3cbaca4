"""Authentication: the keys of a request, in the contract's locations, and the accounts that they can belong to."""

from dataclasses import replace

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.request import Request
from contract_watch.contracts.resource.state import ResourceState

SCHEME_CASE = "bearer-case"
"""The interpretation that says if a scheme such as ``BEARER`` counts."""
KEY_ORDER = "key-order"
"""The interpretation that says which of several keys counts; the mock follows it."""


def _find_keys(request: Request, locations: list[CredentialLocation]) -> dict[str, tuple[object, str]]:
    """Return key and scheme of each key in the request, by location."""
    found: dict[str, tuple[object, str]] = {}
    for location in locations:
        if not location.field:
            value: object = request.headers.get(location.key)
        else:
            value = request.body.get(location.field) if isinstance(request.body, dict) else None
        if value is None:
            continue
        if not isinstance(value, str):
            found[location.name] = value, ""
        elif (key := location.read_key(value)) is not None:
            found[location.name] = key, value[: location.form.index("{}")].strip()
    return found


def _find_sole_account(state: ResourceState, request: Request, locations: list[CredentialLocation]) -> Account | None:
    """Return the account of a valid key as the documents write it, where there is one location; None for all others."""
    location = locations[0]
    value = request.headers.get(location.key) if len(locations) == 1 and not location.field else None
    if value is None or not value.startswith(location.prefix) or not value.endswith(location.suffix):
        return None
    return state.accounts.get(location.decode_key(value[len(location.prefix) : len(value) - len(location.suffix)]))


def authenticate(
    state: ResourceState,
    request: Request,
    operation: str,
    locations: list[CredentialLocation],
    statuses: tuple[int, ...],
) -> tuple[list[Account], list[Check]]:
    """Return the accounts that the request's keys can belong to (none: no valid key) and the failed checks.

    ``statuses`` are those of a missing key, the likeliest first. Where a vendor takes a key in several locations, no
    document says which of several counts.
    """
    if (sole := _find_sole_account(state, request, locations)) is not None:
        return [sole], []
    keys = _find_keys(request, locations)
    if state.is_complete and len(keys) > 1:
        first = next(name for name in state.get_choice(KEY_ORDER).split("-") if name in keys)
        keys = {first: keys[first]}
    accounts = [state.accounts.get(value) for value, _ in keys.values() if isinstance(value, str)]
    valid = [account for account in accounts if account is not None]
    distinct = [account for index, account in enumerate(valid) if account not in valid[:index]]
    if not distinct:
        return [], _deny(operation, statuses)
    by_name = {location.name: location for location in locations}
    schemes = [(scheme, by_name[name].scheme) for name, (_, scheme) in keys.items()]
    other_scheme = any(
        one.header and one.scheme and one.name not in keys and request.headers.get(one.header.lower())
        for one in locations
    )
    if len(valid) < len(keys) or other_scheme:
        # The request also has an invalid key or another scheme, which can be the one that counts.
        return distinct, [] if state.is_complete else [
            replace(check, is_undecidable=True) for check in _deny(operation, statuses)
        ]
    spelled = [scheme for scheme, documented in schemes if scheme != documented]
    if spelled and len(keys) == 1:
        check = _deny(operation, statuses)[0]
        return distinct, [replace(check, interpretation=SCHEME_CASE, refusing_values=("exact",), scope=spelled[0])]
    return distinct, []


def _deny(operation: str, statuses: tuple[int, ...]) -> list[Check]:
    """Return the failed checks of a request without a valid key."""
    clause, why = f"{operation}/credential", "A request without a valid key is rejected."
    return [Check(status, clause, why, is_undecidable=number > 0) for number, status in enumerate(statuses)]
