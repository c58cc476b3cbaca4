"""The location of the key in requests, from the document's security schemes."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.authoring.drafting.open_points import CONFIG, OpenPoint
from contract_watch.diff.document.source import SourceDocument, as_object

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""The name of a header (RFC 9110)."""
_BEARER = ("bearer", "Authorization", "Bearer {}")


@dataclass(frozen=True)
class CredentialShape:
    """The location: its ``name``, ``header`` and ``form``, a key for tests, and a sentence about the key."""

    name: str
    header: str
    form: str
    test: str
    about: str
    decisions: Sequence[OpenPoint] = field(default_factory=list)


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
            return CredentialShape(*_BEARER, test, "an account")
        if kind == "http" and method == "basic":
            remedy = "write base64 of user and password, with a colon between them, into the variable"
            told = [OpenPoint(CONFIG, "credentials: the key is sent after `Basic` as it is", remedy)]
            return CredentialShape(
                "basic", "Authorization", "Basic {}", _encode_basic(slug), "base64 of user:password", told
            )
        if kind in ("oauth2", "openIdConnect"):
            told = [OpenPoint(CONFIG, "credentials: no request fetches a token of OAuth 2", "put one that lasts longer than a run into the variable")]  # fmt: skip
            return CredentialShape(*_BEARER, test, "an access token", told)
        header = scheme.get("name")
        if kind == "apiKey" and scheme.get("in") == "header" and isinstance(header, str) and _TOKEN.fullmatch(header):
            return CredentialShape("key", header, "{}", test, "an account")
    shown = ", ".join(map(str, names))
    problem = (
        f"places: the security scheme {shown} is not spoken"
        if names
        else "places: the document names no security scheme"
    )
    remedy = "a bearer token was written; name the header that carries the key"
    return CredentialShape(*_BEARER, test, "an account", [OpenPoint(CONFIG, problem, remedy)])


def _list_schemes(document: Mapping[str, Any], choices: Sequence[Choice]) -> Iterator[str]:
    for choice in choices:
        operation = document["paths"][choice.path][choice.method.lower()]
        required = operation.get("security", document.get("security"))
        for requirement in required if isinstance(required, list) else ():
            yield from as_object(requirement)


def _encode_basic(slug: str) -> str:
    return base64.b64encode(f"{slug}_test:0123456789abcdef".encode()).decode()
