"""Who asks: the key in its header, in the body, or as a bearer token."""

from collections.abc import Iterator
from dataclasses import replace

from contract_watch.contracts.checks import Check
from contract_watch.contracts.model import Account
from contract_watch.contracts.request import Request
from contracts.smtp2go.users import State

FIELD = "api_key"
"""The property of the body in which a key may stand."""

_HEADER = "x-smtp2go-api-key"


def authenticate(state: State, request: Request, operation: str) -> tuple[list[Account], list[Check]]:
    """The accounts whose key the request may be taken for, with uncertain checks beside them; none: it has no good key.

    Which key counts where several differ no page says; the mock is told.
    """
    refused = Check(401, f"{operation}/credential", "A request without a good key is 401.")
    shown = dict(_shown(request))
    if state.knows_all and len(shown) > 1:
        first = next(place for place in state.told("key-order").split("-") if place in shown)
        shown = {first: shown[first]}
    accounts = {place: state.accounts.get(key) for place, key in shown.items() if isinstance(key, str)}
    good = [account for account in accounts.values() if account is not None]
    distinct = [account for index, account in enumerate(good) if account not in good[:index]]
    if not distinct:
        return [], [refused]
    scheme = request.headers.get("authorization", "").partition(" ")[0]
    if len(good) < len(shown) or (scheme and scheme.lower() != "bearer"):
        # Another key, or another scheme, beside the good one: it may be the one that counts.
        return distinct, [] if state.knows_all else [replace(refused, maybe=True)]
    if list(accounts) == ["bearer"] and scheme != "Bearer":
        return distinct, [replace(refused, reading="bearer-case", refusing=("exact",), scope=scheme)]
    return distinct, []


def _shown(request: Request) -> Iterator[tuple[str, object]]:
    """What stands in each place where a key may stand."""
    if _HEADER in request.headers:
        yield "header", request.headers[_HEADER]
    if isinstance(request.body, dict) and FIELD in request.body:
        yield "body", request.body[FIELD]
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield "bearer", key
