"""Access tokens of the mock: handed out for clients (RFC 6749, section 4.4), and found in requests."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from contract_watch.contracts.bodies import is_form_type
from contract_watch.contracts.config import CredentialLocation, TokenConfig
from contract_watch.contracts.model import Account
from contract_watch.contracts.parameters import parse_form
from contract_watch.contracts.randomness import make_token

LIFETIME = 300
"""Seconds for which a token is accepted."""
_MAX_TOKENS = 10_000
_TOKEN_LENGTH = 43
"""Characters of a token, which has 256 random bits."""


class OAuthError(Exception):
    """A refused token request: the status, and the error code of RFC 6749, section 5.2."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def read_form(headers: Mapping[str, str], received: bytes) -> dict[str, str] | None:
    """Return the fields of a form; None for another media type, for bytes that are no form, and for a repeated name."""
    pairs = parse_form(received) if is_form_type(headers.get("content-type", "")) else None
    form = dict(pairs or ())
    return form if pairs is not None and len(form) == len(pairs) else None


class TokenIssuer:
    """The tokens of one vendor. ``clock`` returns seconds; tests set it. ``draw`` gives the context of random values."""

    def __init__(
        self,
        config: TokenConfig,
        accounts: Sequence[Account],
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.config, self._accounts, self._clock, self._draw = config, accounts, clock, draw
        self._tokens: dict[str, tuple[str, float]] = {}
        """The key and the time of the end by token, the oldest first."""

    def issue(
        self,
        headers: Mapping[str, str],
        received: bytes,
        find_key: Callable[[str], str | None],
        draw: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> dict[str, Any]:
        """Return the answer to a token request with the body ``received``; see `grant`."""
        return self.grant(headers, read_form(headers, received), find_key, draw)

    def grant(
        self,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
        find_key: Callable[[str], str | None],
        draw: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> dict[str, Any]:
        """Return the answer to a token request with ``form``, the result of `read_form`.

        ``find_key`` returns the key of the account that a key belongs to, ``draw`` gives the context of random values in place of the vendor's.

        Raises:
            OAuthError: the request is refused.
        """
        if form is None or "grant_type" not in form:
            raise OAuthError(400, "invalid_request")
        key = find_key(self.read_client(headers, form))
        if key is None:
            raise OAuthError(401, "invalid_client")
        if form["grant_type"] != "client_credentials":
            raise OAuthError(400, "unsupported_grant_type")
        if set(form.get("scope", "").split()) - set(self.config.scope.split()):
            raise OAuthError(400, "invalid_scope")
        with (draw or self._draw)():
            token = make_token(_TOKEN_LENGTH)
        now = self._clock()
        while self._tokens and (len(self._tokens) >= _MAX_TOKENS or next(iter(self._tokens.values()))[1] <= now):
            del self._tokens[next(iter(self._tokens))]
        self._tokens.pop(token, None)  # a seed can draw one again; it ends as late as the newest
        self._tokens[token] = key, now + LIFETIME
        scope = {"scope": self.config.scope} if self.config.scope else {}
        return {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME, **scope}

    def clear(self) -> None:
        """End all tokens."""
        self._tokens.clear()

    def find_key(self, key: str) -> str | None:
        """Return ``key`` if an account has it."""
        return key if any(account.key == key for account in self._accounts) else None

    def read_client(self, headers: Mapping[str, str], form: Mapping[str, str]) -> str:
        """Return the client's ``id:secret``, from where the contract has it."""
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        if self.config.auth == "body" or scheme.lower() != "basic":
            is_given = self.config.auth == "body" and "client_id" in form
            return f"{form['client_id']}:{form.get('client_secret', '')}" if is_given else ""
        try:
            return base64.b64decode(encoded, validate=True).decode()
        except ValueError:
            return ""

    def identify(self, headers: Mapping[str, str], locations: Sequence[CredentialLocation]) -> dict[str, str]:
        """Return ``headers`` with the account's key in place of each current token; a key itself is no token."""
        found = dict(headers)
        for location in locations:
            before, space, word = headers.get(location.key, "").rpartition(" ")
            if word:
                found[location.key] = before + space + self._find_holder(word)
        return found

    def _find_holder(self, word: str) -> str:
        held = self._tokens.get(word[:_TOKEN_LENGTH])
        if held is not None and held[1] > self._clock():
            return held[0] + word[_TOKEN_LENGTH:]  # a token with more behind it stays a wrong one
        return "no-token" if self.find_key(word) else word
