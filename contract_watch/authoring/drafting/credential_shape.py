"""The location of the key in requests, from the document's security schemes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.authoring.drafting.open_points import CONFIG, OpenPoint
from contract_watch.contracts.credential_locations import TOKEN_PATH
from contract_watch.diff.document.source import SourceDocument, as_object

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""The name of a header (RFC 9110)."""
_BEARER = {"name": "bearer", "header": "Authorization", "form": "Bearer {}"}
_BASIC = {"name": "basic", "header": "Authorization", "form": "Basic {}", "encoding": "base64"}


@dataclass(frozen=True)
class CredentialShape:
    """The location, as a table of `places`; a key for tests, a sentence about it, and the table `token`, if there is one."""

    place: Mapping[str, str]
    test: str
    about: str
    decisions: Sequence[OpenPoint] = field(default_factory=list)
    token: Mapping[str, str] = field(default_factory=dict)


def find_credential(document: Mapping[str, Any], choices: Sequence[Choice], slug: str) -> CredentialShape:
    """Return the first location that the engine can write a key to; a bearer token if the document names none."""
    names = list(dict.fromkeys(_list_schemes(document, choices)))
    schemes = as_object(as_object(document.get("components")).get("securitySchemes"))
    test = f"{slug}_test_0123456789abcdef"
    source = SourceDocument(document)
    for name in names:
        scheme = source.follow(schemes.get(name))
        kind, method = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        if kind == "http" and method == "bearer":
            return CredentialShape(_BEARER, test, "an account")
        if kind == "http" and method == "basic":
            return CredentialShape(_BASIC, f"{slug}_test:0123456789abcdef", "an account, as user:password")
        if kind in ("oauth2", "openIdConnect"):
            if path := _find_token_path(document, scheme):
                client = f"{slug}_client:0123456789abcdef"
                return CredentialShape(_BEARER, client, "a client, as client_id:client_secret", token={"path": path})
            told = [OpenPoint(CONFIG, "credentials: no request fetches a token of OAuth 2", "put one that lasts longer than a run into the variable")]  # fmt: skip
            return CredentialShape(_BEARER, test, "an access token", told)
        name_there, where = scheme.get("name"), scheme.get("in")
        if (
            kind == "apiKey"
            and where in ("header", "query")
            and isinstance(name_there, str)
            and _TOKEN.fullmatch(name_there)
        ):
            return CredentialShape({"name": "key", str(where): name_there, "form": "{}"}, test, "an account")
    shown = ", ".join(map(str, names))
    problem = (
        f"places: the security scheme {shown} is not spoken"
        if names
        else "places: the document names no security scheme"
    )
    remedy = "a bearer token was written; name the header that carries the key"
    return CredentialShape(_BEARER, test, "an account", [OpenPoint(CONFIG, problem, remedy)])


def _list_schemes(document: Mapping[str, Any], choices: Sequence[Choice]) -> Iterator[str]:
    for choice in choices:
        operation = document["paths"][choice.path][choice.method.lower()]
        required = operation.get("security", document.get("security"))
        for requirement in required if isinstance(required, list) else ():
            yield from as_object(requirement)


def _find_token_path(document: Mapping[str, Any], scheme: Mapping[str, Any]) -> str:
    """Return the path of the token endpoint for client credentials; empty if it is on another server, or there is none."""
    flow = as_object(as_object(scheme.get("flows")).get("clientCredentials"))
    servers = document.get("servers")
    server = as_object(servers[0]).get("url") if isinstance(servers, list) and servers else ""
    try:
        found, own = urlsplit(urljoin(str(server), str(flow.get("tokenUrl", "")))), urlsplit(str(server))
    except ValueError:
        return ""
    is_ours = bool(flow) and not found.query and (found.scheme, found.netloc) == (own.scheme, own.netloc)
    return found.path if is_ours and TOKEN_PATH.fullmatch(found.path) else ""
