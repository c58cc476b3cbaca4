"""Authentication: the key in its header, in the body, or as a bearer token."""

from collections.abc import Iterator
from dataclasses import replace

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.request import Request
from contracts.smtp2go.users import Smtp2goState

KEY_PROPERTY = "api_key"
"""The property of the body that can contain the key."""

_KEY_HEADER = "x-smtp2go-api-key"


def authenticate(state: Smtp2goState, request: Request, operation: str) -> tuple[list[Account], list[Check]]:
    """Return the accounts that the request's keys can belong to (none: no valid key) and the failed checks.

    No page documents which of several keys counts; the mock follows the interpretation ``key-order``.
    """
    check = Check(401, f"{operation}/credential", "A request without a valid key is 401.")
    keys = dict(_find_keys(request))
    if state.is_complete and len(keys) > 1:
        first = next(location for location in state.get_choice("key-order").split("-") if location in keys)
        keys = {first: keys[first]}
    accounts = {location: state.accounts.get(key) for location, key in keys.items() if isinstance(key, str)}
    valid = [account for account in accounts.values() if account is not None]
    distinct = [account for index, account in enumerate(valid) if account not in valid[:index]]
    if not distinct:
        return [], [check]
    scheme = request.headers.get("authorization", "").partition(" ")[0]
    if len(valid) < len(keys) or (scheme and scheme.lower() != "bearer"):
        # The request also has an invalid key or another scheme, which can be the one that counts.
        return distinct, [] if state.is_complete else [replace(check, is_undecidable=True)]
    if list(accounts) == ["bearer"] and scheme != "Bearer":
        return distinct, [replace(check, interpretation="bearer-case", refusing_values=("exact",), scope=scheme)]
    return distinct, []


def _find_keys(request: Request) -> Iterator[tuple[str, object]]:
    """Yield location and value of each key in the request."""
    if _KEY_HEADER in request.headers:
        yield "header", request.headers[_KEY_HEADER]
    if isinstance(request.body, dict) and KEY_PROPERTY in request.body:
        yield "body", request.body[KEY_PROPERTY]
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield "bearer", key
