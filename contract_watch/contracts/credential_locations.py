"""Credentials in requests: the checks of their configuration, keys in a query, and the form in which a key is sent.

Within the suite and the mock a key in the query stands among the headers, under ``query:name``, which no header is
called. So a credential is one mapping wherever it travels; `join_query_keys` and `split_query_keys` are the two ends.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from contract_watch.contracts.config import CredentialLocation, TokenConfig
from contract_watch.errors import UsageError

if TYPE_CHECKING:
    from contract_watch.contracts.registry import Contract

_QUERY = "query:"
TOKEN_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def check_locations(file: Path, locations: Sequence[CredentialLocation], token: TokenConfig | None) -> None:
    """Raise `UsageError` if the tables `places` and `token` do not fit together."""
    label = f"{file}: each of `places`"
    if not locations or any(sum(map(bool, (one.header, one.field, one.query))) != 1 for one in locations):
        raise UsageError(f"{label} must have one of `header`, `query` and `field`")
    if locations[0].field:
        raise UsageError(f"{label} must have one of `header`, `query` and `field`; the first must have no `field`")
    if any(one.query and one.form != "{}" for one in locations):
        raise UsageError(f'{label} with `query` must have the form "{{}}"')
    if any(one.encoding and (one.encoding != "base64" or not one.header) for one in locations):
        raise UsageError(f'{label} may have the `encoding` "base64", and a `header` then')
    if token is None:
        return
    if any(not one.header or one.encoding for one in locations):
        raise UsageError(
            f"{file}: `token` needs `places` with a `header` and no `encoding`; an access token stands there"
        )
    if not TOKEN_PATH.fullmatch(token.path) or {".", ".."} & set(token.path.split("/")):
        raise UsageError(
            f"{file}: `token.path` must be a path from the server's root such as /oauth/token, got {token.path!r}"
        )
    if token.auth not in ("basic", "body"):
        raise UsageError(f'{file}: `token.auth` must be "basic" or "body", got {token.auth!r}')


def find_key_problem(contract: "Contract", variable: str, key: str) -> str:
    """Return the reason that a key cannot be sent, without the key; empty if it can."""
    first, colon, second = key.partition(":")
    if contract.token is not None and not (first and colon and second):
        return f"{variable} must hold client_id:client_secret; write both, with a colon between them"
    if any(one.encoding for one in contract.credential_locations) and not colon:
        return f"{variable} must hold user:password; write both, with a colon between them"
    return ""


def list_key_secrets(contract: "Contract", key: str) -> list[str]:
    """Return the secrets in a key: itself, its password, and the forms in which requests carry it."""
    parts = contract.token is not None or any(one.encoding for one in contract.credential_locations)
    forms = {key, *(one.encode_key(key) for one in contract.credential_locations), quote(key, safe="")}
    return sorted(forms | ({key.partition(":")[2]} if parts else set()))


def list_sent_keys(contract: "Contract", key: str) -> set[str]:
    """Return the forms of a key that a header, a query or a body carries."""
    return {one.encode_key(key) for one in contract.credential_locations}


def join_query_keys(url: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return ``url`` with the keys that belong in its query, and the true headers."""
    keys = {name: value for name, value in headers.items() if name.startswith(_QUERY)}
    pairs = [f"{quote(name.removeprefix(_QUERY), safe='')}={quote(value, safe='')}" for name, value in keys.items()]
    mark = "&" if "?" in url else "?"
    return url + (mark + "&".join(pairs) if pairs else ""), {n: v for n, v in headers.items() if n not in keys}


def split_query_keys(locations: Iterable[CredentialLocation], query: str) -> tuple[str, dict[str, str]]:
    """Return ``query`` without its keys, and these as `join_query_keys` takes them; repeated ones joined as headers are."""
    names = {one.query for one in locations if one.query}
    if not names or not query:
        return query, {}
    rest, keys = [], dict[str, str]()
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        plain = unquote_plus(name, errors="surrogateescape")
        if plain not in names or ";" in value:  # some servers separate pairs there
            rest.append(pair)
            continue
        key, text = _QUERY + plain, unquote_plus(value, errors="surrogateescape")
        keys[key] = f"{keys[key]}, {text}" if key in keys else text
    return "&".join(rest), keys
