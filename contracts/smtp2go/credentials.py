"""Who asks: the key in its header, in the body, or as a bearer token."""

from collections.abc import Iterator
from dataclasses import replace

from contract_watch.contracts.checks import Check
from contract_watch.contracts.model import Account
from contract_watch.contracts.request import Request
from contracts.smtp2go.users import Smtp2goState

KEY_PROPERTY = "api_key"
"""The property of the body in which a key may stand."""

_KEY_HEADER = "x-smtp2go-api-key"


def authenticate(state: Smtp2goState, request: Request, operation: str) -> tuple[list[Account], list[Check]]:
    """The accounts whose key the request may be taken for, with uncertain checks beside them; none: it has no good key.

    Which key counts where several differ no page says; the mock is told.
    """
    refused = Check(401, f"{operation}/credential", "A request without a good key is 401.")
    shown = dict(_find_keys(request))
    if state.is_complete and len(shown) > 1:
        first = next(place for place in state.get_choice("key-order").split("-") if place in shown)
        shown = {first: shown[first]}
    accounts = {place: state.accounts.get(key) for place, key in shown.items() if isinstance(key, str)}
    good = [account for account in accounts.values() if account is not None]
    distinct = [account for index, account in enumerate(good) if account not in good[:index]]
    if not distinct:
        return [], [refused]
    scheme = request.headers.get("authorization", "").partition(" ")[0]
    if len(good) < len(shown) or (scheme and scheme.lower() != "bearer"):
        # Another key, or another scheme, beside the good one: it may be the one that counts.
        return distinct, [] if state.is_complete else [replace(refused, is_undecidable=True)]
    if list(accounts) == ["bearer"] and scheme != "Bearer":
        return distinct, [replace(refused, interpretation="bearer-case", refusing_values=("exact",), scope=scheme)]
    return distinct, []


def _find_keys(request: Request) -> Iterator[tuple[str, object]]:
    """What stands in each place where a key may stand."""
    if _KEY_HEADER in request.headers:
        yield "header", request.headers[_KEY_HEADER]
    if isinstance(request.body, dict) and KEY_PROPERTY in request.body:
        yield "body", request.body[KEY_PROPERTY]
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield "bearer", key
