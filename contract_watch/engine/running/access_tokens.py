"""Access tokens: the layer that exchanges keys for them, below everything that plans, models and judges requests.

A request carries the account's key until it leaves: so models, probes and reports need no token. A wrong key that the
endpoint refuses becomes the account's token, wrong in the same way, which a server must refuse too.
"""

import json
import math
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.config import TokenConfig
from contract_watch.engine.account.gate import Gate, RunStoppedError
from contract_watch.engine.planning.near_keys import build_near_key, find_other_header, list_near_keys
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.engine.protocols.token_requests import build_token_request
from contract_watch.engine.protocols.wire import Response, TransportError
from contract_watch.engine.running.throttling import Throttling, explain_refused_wait, is_throttled

if TYPE_CHECKING:
    from contract_watch.engine.running.session import Session

SendRequest = Callable[[EncodedRequest], Response]
_MAX_TRIES = 3
_MAX_BYTES = 64 * 1024
"""Size of the longest answer that can be one about a token."""
_MAX_MARGIN = 60.0
"""Seconds before its end from which a token is not used; a tenth of its life if that is shorter."""
_UNREACHABLE = ("refused", "not-http", "elsewhere")
_TOKEN = re.compile(r"[!-~]{1,8192}")
_CODE = re.compile(r"[a-z_]{1,40}")
_DENIED = 401


@dataclass
class AccessToken:
    """A token, used until ``expires`` by the run's clock. ``has_worked`` is True once a request with it was not answered 401."""

    value: str
    expires: float = math.inf
    has_worked: bool = False


class AccessTokens:
    """The tokens of one session's accounts; implements `RequestAuthorizer`."""

    def __init__(self, session: "Session", config: TokenConfig) -> None:
        self._session, self._config = session, config
        self._keys = sorted(session.keys.values(), key=len, reverse=True)
        self._near_keys = {
            near: (key, kind) for key in self._keys for near, kind in list_near_keys(key, is_pair=True).items()
        }
        self._headers = [location.key for location in session.contract.credential_locations]
        self._headers.append(find_other_header(session.contract)[0].lower())
        self._tokens: dict[str, AccessToken] = {}
        self._refused: set[str] = set()
        self._fruitless: set[str] = set()
        self._idle = 0

    @property
    def _throttling(self) -> Throttling:
        return self._session.patience.throttling

    @property
    def _gate(self) -> Gate | None:
        return self._session.gate

    # -- requests

    def send(self, encoded: EncodedRequest, deliver: SendRequest) -> Response:
        """Send a request with current tokens; with new ones once more if a good one is refused and that is safe.

        Raises:
            RunStoppedError: the endpoint gives no token, for a reason other than the key.
        """
        words = [word for word in self._find_words(encoded) if self._find_known(word)]
        for word in words:
            self._provide(word, deliver)
        response = deliver(encoded)
        token = self._tokens.get(words[0]) if len(words) == 1 and self._is_usual(encoded, words[0]) else None
        if token is None:
            return response
        if response.status != _DENIED:
            token.has_worked = True
            return response
        if self._session.scripted_status is not None or not self._may_replace(token):
            return response
        del self._tokens[words[0]]  # the next request gets another one
        if not token.has_worked or not self._may_repeat(encoded, response):
            return response
        self._provide(words[0], deliver)
        self._session.coverage.count_request()
        again = deliver(encoded)
        self._tokens[words[0]].has_worked = again.status != _DENIED
        if again.status == _DENIED:
            self._fruitless.add(encoded.operation or encoded.method)
        return again

    def _may_replace(self, token: AccessToken) -> bool:
        """Return True if a refused token may be replaced: always if it has worked, else a few times in a run."""
        self._idle += not token.has_worked
        return token.has_worked or self._idle <= _MAX_TRIES

    def insert(self, encoded: EncodedRequest) -> EncodedRequest:
        """Return a request with tokens in place of keys."""
        headers = dict(encoded.headers)
        for name in self._headers:
            before, space, word = headers.get(name, "").rpartition(" ")
            if word:
                headers[name] = before + space + self._exchange(word)
        return replace(encoded, headers=headers)

    def _find_words(self, encoded: EncodedRequest) -> list[str]:
        words = (encoded.headers.get(name, "").rpartition(" ")[2] for name in self._headers)
        return list(dict.fromkeys(word for word in words if word))

    def _find_known(self, word: str) -> str:
        """Return the account's key that ``word`` is, nearly is, or begins with; empty if there is none."""
        near, _ = self._near_keys.get(word, ("", ""))
        return near or next((key for key in self._keys if word.startswith(key)), "")

    def _is_usual(self, encoded: EncodedRequest, word: str) -> bool:
        """Return True if a request carries an account's own key as documented."""
        locations = self._session.contract.credential_locations
        return word in self._keys and any(encoded.headers.get(one.key) == one.build_value(word) for one in locations)

    def _exchange(self, word: str) -> str:
        if word in self._tokens:
            return self._tokens[word].value
        known = self._find_known(word)
        if known not in self._tokens:
            return word
        _, kind = self._near_keys.get(word, ("", ""))
        token = self._tokens[known].value
        return build_near_key(kind, token) if kind else token + word[len(known) :]

    def _may_repeat(self, encoded: EncodedRequest, response: Response) -> bool:
        """Return True if a request may be sent twice: a read, or a change that the server refused for its token by name.

        RFC 6750 lets a server say `invalid_token`; it has not carried out the request then. The report notes it.
        """
        contract = self._session.contract
        if (encoded.operation or encoded.method) in self._fruitless:
            return False
        if encoded.method in ("GET", "HEAD", "OPTIONS") or contract.is_read_only(encoded.operation):
            return True
        if 'error="invalid_token"' not in response.headers.get("www-authenticate", ""):
            return False
        note = "the target called a current access token invalid: a change was sent again with a new one"
        if note not in self._session.record.notes:
            self._session.record.notes.append(note)
        return True

    # -- tokens

    def _provide(self, word: str, deliver: SendRequest) -> None:
        """Fetch the tokens that ``word``, a key or a wrong one, needs and that are not current."""
        known, now = self._find_known(word), self._session.patience.clock.now()
        if known not in self._tokens or self._tokens[known].expires <= now:
            # A refused client gets a token that nobody can know: the target refuses it as it refuses a wrong key.
            self._tokens[known] = self._fetch(known, deliver) or AccessToken(f"refused-{secrets.token_hex(16)}")
        if word == known or word in self._refused or (word in self._tokens and self._tokens[word].expires > now):
            return
        self._tokens.pop(word, None)
        try:
            found = self._fetch(word, deliver)
        except TokenEndpointError:  # whatever it answers to a wrong key, it gives no token
            found = None
        if found is None:
            self._refused.add(word)
        else:
            self._tokens[word] = found
            self._session.secrets.granted_keys.add(word)

    def _fetch(self, key: str, deliver: SendRequest) -> AccessToken | None:
        """Fetch a token; return None if the endpoint does not know the client."""
        encoded = build_token_request(self._config, get_origin(self._session.base), key)
        began = self._session.patience.clock.now()
        response = self._ask(encoded, deliver)
        for _ in range(_MAX_TRIES - 1):
            if response is not None and response.status < 500 and not is_throttled(response):
                break
            if response is not None and is_throttled(response):
                self._wait_out(response)
            response = self._ask(encoded, deliver)
        if response is None:
            raise TokenEndpointError(f"no answer from {encoded.url}: the token endpoint gives none")
        return self._read_token(response, began)

    def _ask(self, encoded: EncodedRequest, deliver: SendRequest) -> Response | None:
        """Send a token request; return None if no response comes."""
        try:
            response = deliver(encoded)
        except TransportError as error:
            if error.kind in _UNREACHABLE:
                raise RunStoppedError(f"no answer from {encoded.url}: {error.message}") from error
            self._session.coverage.count_request()
            return None
        self._session.coverage.count_request()
        return response

    def _wait_out(self, response: Response) -> None:
        note = self._throttling.wait(response, self._gate)
        if not note:
            raise RunStoppedError(explain_refused_wait(response))
        self._session.record.notes.append(note)

    def _read_token(self, response: Response, began: float) -> AccessToken | None:
        body = _parse_object(response.body)
        self._session.secrets.learn_response(body)
        code = body.get("error")
        if response.status == _DENIED or (response.status == 400 and code == "invalid_client"):
            return None
        if not response.succeeded:
            shown = f", {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""
            more = "; redirects are not followed" if 300 <= response.status < 400 else ""
            raise self._build_error(f"answers {response.status}{shown}{more}")
        value, kind, lifetime = body.get("access_token"), body.get("token_type", "Bearer"), body.get("expires_in")
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise self._build_error(f"answers {response.status} without an `access_token` that a header can carry")
        self._session.secrets.add_key(value)
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise self._build_error("gives a token whose `token_type` is not Bearer")
        seconds = _read_seconds(lifetime)
        if seconds is None:
            raise self._build_error("gives an `expires_in` that is no number of seconds")
        return AccessToken(value, began + seconds - min(_MAX_MARGIN, seconds / 10) if seconds < math.inf else math.inf)

    def _build_error(self, problem: str) -> "TokenEndpointError":
        return TokenEndpointError(
            f"the token endpoint {self._config.path} {problem}: check it and `token` of the contract"
        )


class TokenEndpointError(RunStoppedError):
    """The token endpoint gives no token, for another reason than the client's secret."""


def _parse_object(content: bytes) -> Mapping[str, Any]:
    if len(content) > _MAX_BYTES:
        return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_seconds(value: Any) -> float | None:
    """Return the seconds in an ``expires_in``; infinity if there is none, None if it is no number of seconds."""
    if value is None:
        return math.inf
    if isinstance(value, str) and value.isdecimal() and len(value) < 12:
        value = int(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < 1e12 else None
