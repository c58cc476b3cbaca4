"""The journal of recent exchanges, without secrets."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from contract_watch.contracts.parameters import parse_query
from contract_watch.contracts.redaction import Redactor, mask_secret, mask_value
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.known_secrets import KnownSecrets
from contract_watch.mock.large_body import LargeBody
from contract_watch.mock.packed_json import cut_json, pack_json
from contract_watch.mock.recorded_call import BoundedCall, Explanation, RecordedCall

MAX_CALLS = 1000
_MAX_LENGTH = 200
_MAX_DEPTH = 16
"""Strings, lists and objects beyond these limits are truncated, so that the journal stays readable and bounded."""
_MAX_PATH_LENGTH = 2000
"""Characters of a path, a query or a reason: people find the fault there."""
_LOOKAHEAD = 4096
"""Characters beyond `_MAX_LENGTH` that are redacted too: a secret can begin before the limit and end after it."""
_MAX_TEXT = _MAX_PATH_LENGTH + _LOOKAHEAD
_LARGE_SIZE = 4096
"""Size in bytes above which an exchange is cut at once, to bound the memory of the journal."""
_MAX_PACKED_TEXT = 512 * 1024
_MAX_PACKED = 8 * 1024 * 1024
"""Bytes of a cut exchange, and of all compressed ones: beyond these, one is redacted and truncated at once."""
_MAX_SECRETS = 1000
"""Secrets of one exchange that are redacted in the others."""
_HEADER_LOCATIONS = {"header": "", "cookie": "cookie"}
"""The locations of parameters in headers, and the header if it is the same for all."""
_BODIES = ("parameters", "body", "answer")
_SHOWN_HEADERS = frozenset({
    "accept", "accept-encoding", "accept-language", "access-control-request-headers", "access-control-request-method",
    "content-encoding", "content-length", "content-type", "expect", "grpc-timeout", "host", "idempotency-key", "if-match",
    "if-none-match", "origin", "prefer", "traceparent", "transfer-encoding", "user-agent", "x-grpc-web", "x-request-id",
    "x-user-agent",
})  # fmt: skip
"""Headers that carry no credential; all others are left out."""


class _CutText(str):
    """The beginning of a text of ``whole`` characters."""

    __slots__ = ("whole",)
    whole: int


class MockJournal:
    """The last `MAX_CALLS` exchanges.

    Secrets are redacted when the journal is read, not on every request, which would slow the mock down.
    ``credential_names`` are the names, in lower case, of the headers and body properties that carry credentials.
    ``on_call`` receives each exchange at once, if it is set. ``keeps_whole`` is for comparisons: large exchanges are packed
    uncut.
    """

    def __init__(self, redactor: Redactor, credential_names: Collection[str]) -> None:
        self._redactor = redactor
        self._known = KnownSecrets(redactor)
        self._searched = 0
        """The number of the last exchange whose secrets are known."""
        self._credential_names = frozenset(credential_names)
        self._shown_headers = _SHOWN_HEADERS - self._credential_names
        self._calls: deque[RecordedCall | BoundedCall] = deque(maxlen=MAX_CALLS)
        self._count = 0
        self.dropped = 0
        """The exchanges since `clear` that are no longer in the journal."""
        self.keeps_whole = False
        self.packed_size = 0
        """Bytes of the compressed exchanges."""
        self.on_call: Callable[[Mapping[str, Any]], None] | None = None

    def record_call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        status: int,
        response_body: Any,
        size: int,
        parameters: Mapping[str, Any] = {},
        *,
        fault: str = "",
        mutant: str = "",
        vendor: str = "",
        operation: str = "",
        query: str = "",
        protocol: str = "rest",
        reason: str = "",
        explain: Callable[[], Explanation] | None = None,
        started: float | None = None,
    ) -> None:
        """Record one exchange: ``body`` is a JSON value or a `MissingBody`, ``size`` the bytes of both bodies.

        ``parameters`` are those of the request by key, such as ``path:id``; they are recorded under their location, if there are any.
        ``query`` is the raw one without keys. ``reason`` says why the request was refused; ``explain`` computes it when
        the journal is read. ``started`` is the time of `time.perf_counter` at the start. ``fault`` is the id of the fault
        that played, if one did; ``status`` is 0 if it kept the request from the vendor. ``mutant`` is the id of the
        mutant that changed the response, if one did.
        """
        self._count += 1
        names = self._credential_names
        has_credential = not names.isdisjoint(headers) or (isinstance(body, dict) and not names.isdisjoint(body))
        if isinstance(body, MissingBody):
            body = body.value
        duration = None if started is None else time.perf_counter() - started
        entry = RecordedCall(
            self._count, time.time(), method, path, has_credential, body, status, response_body, vendor, operation, protocol,
            query, headers, duration, fault, mutant, reason, parameters, explain,
        )  # fmt: skip
        for key in parameters:
            location, _, name = key.partition(":")
            if location in _HEADER_LOCATIONS:
                size += len(headers.get(_HEADER_LOCATIONS[location] or name.lower(), ""))
        if size + len(path) + len(query) + sum(map(len, headers.values())) > _LARGE_SIZE:
            self._append(self._bound(entry))
        else:
            self._append(entry)

    def _append(self, entry: RecordedCall | BoundedCall) -> None:
        if len(self._calls) == MAX_CALLS:
            self._forget(self._calls.popleft())
            self.dropped += 1
        self._calls.append(entry)
        if self.on_call is not None:
            self.on_call(self._read(entry, self._find_new_secrets()))

    def _bound(self, entry: RecordedCall) -> BoundedCall:
        """Bound the memory of a large exchange: pack what the journal shows of it, or redact and truncate it."""
        call = entry.to_call(self._shown_headers)
        hidden: Iterator[str] = iter(())
        may_be_packed = self.packed_size < _MAX_PACKED
        if isinstance(call["answer"], LargeBody):
            body = call["answer"]
            may_be_packed = may_be_packed and not (self.keeps_whole and len(body) > _MAX_PACKED_TEXT)
            call["answer"] = body.read(None if self.keeps_whole and may_be_packed else _MAX_LENGTH)
            hidden = chain.from_iterable(map(self._redactor.find_secrets, body.iterate_rows_backwards()))
        shown = {name: call[name] for name in _BODIES if name in call}
        if not self.keeps_whole:
            shown = {name: cut_json(value, _MAX_LENGTH, _MAX_DEPTH) for name, value in shown.items()}
        # Of many secrets those that the journal shows under their names count first.
        self._known.add(chain(self._find_secrets({**call, **shown}), self._find_secrets(call), hidden), _MAX_SECRETS)
        packed = pack_json(shown, _MAX_PACKED_TEXT) if may_be_packed else None
        if packed is None:
            return BoundedCall(_redact_call(call, self._find_new_secrets()), entry.explain, None)
        headers = {name: _cut_text(value) for name, value in call["headers"].items()}
        texts = {"path": _cut_text(call["path"]), "query": _cut_text(call["query"]), "headers": headers}
        self.packed_size += packed.size
        return BoundedCall({**call, **texts, **dict.fromkeys(shown, packed)}, entry.explain, packed)

    def _forget(self, entry: RecordedCall | BoundedCall) -> None:
        """Release the memory of an exchange that leaves the journal."""
        if isinstance(entry, BoundedCall) and entry.packed is not None:
            self.packed_size -= entry.packed.size

    @property
    def is_empty(self) -> bool:
        """True if no exchange was recorded since the journal was cleared."""
        return not self._calls

    def list_sent_calls(self) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
        """Return each exchange as people see it, and as it was sent, for comparisons whose result has no secret.

        The second is None for one that was redacted and truncated at once. Other threads may record meanwhile.
        """
        entries, redactor = list(self._calls), self._find_new_secrets()
        return [
            (self._read(one, redactor), None if _is_redacted(one) else one.to_call(self._shown_headers))
            for one in entries
        ]

    def redact_json(self, value: Any) -> Any:
        """Return ``value`` without secrets, untruncated."""
        return self._redactor.redact_json(value)

    def show_json(self, value: Any) -> Any:
        """Return ``value`` without secrets and truncated, as an exchange in the journal has it."""
        return _redact_and_truncate(value, self._redactor)

    def list_calls(
        self, vendor: str = "", operation: str = "", after: int = 0, limit: int = MAX_CALLS
    ) -> list[dict[str, Any]]:
        """Return the exchanges, oldest first; a password in any of them is redacted in all.

        ``vendor`` and ``operation`` select those of one vendor or operation, ``after`` those with a greater number.
        Of more than ``limit`` the last ones are returned, with ``after`` the next ones.
        """
        entries, redactor = list(self._calls), self._find_new_secrets()
        found = [
            entry
            for entry in entries
            if vendor in ("", entry.vendor) and operation in ("", entry.operation) and entry.number > after
        ]
        chosen = found[:limit] if after else found[max(len(found) - limit, 0) :]
        return [self._read(entry, redactor) for entry in chosen]

    def _read(self, entry: RecordedCall | BoundedCall, redactor: Redactor) -> dict[str, Any]:
        """Return an exchange as people see it."""
        call = entry.to_call(self._shown_headers)
        if entry.explain is not None:
            reason, nearest = entry.explain()
            call = {**call, "reason": reason, **({"nearest": nearest} if nearest is not None else {})}
        return _redact_call(call, redactor, is_bounded=_is_redacted(entry))

    def _find_new_secrets(self) -> Redactor:
        """Search the exchanges that were recorded since the last time; return the redactor that knows all secrets."""
        entries = list(self._calls)  # other threads may record meanwhile
        for entry in reversed(entries):
            if entry.number <= self._searched:
                break
            if isinstance(entry, RecordedCall):
                self._known.add(self._find_secrets(entry.to_call(())), _MAX_SECRETS)
        self._searched = entries[-1].number if entries else self._count
        return self._known.get_redactor()

    def _find_secrets(self, call: Mapping[str, Any]) -> Iterator[str]:
        for name in _BODIES:
            yield from self._redactor.find_secrets(call.get(name))
        if call["query"]:
            yield from (text for name, text in parse_query(call["query"]) if self._redactor.is_secret_name(name))

    def clear(self, vendor: str = "") -> None:
        """Remove all exchanges, or those of one vendor."""
        kept = [entry for entry in self._calls if vendor and entry.vendor != vendor]
        for entry in self._calls:
            if not vendor or entry.vendor == vendor:
                self._forget(entry)
        self._calls.clear()
        self._calls.extend(kept)
        if not kept:
            self._known.clear()
        self.dropped = 0


def _is_redacted(entry: RecordedCall | BoundedCall) -> bool:
    """Return True if an exchange was redacted and truncated at once."""
    return isinstance(entry, BoundedCall) and entry.packed is None


def _redact_call(call: dict[str, Any], redactor: Redactor, *, is_bounded: bool = False) -> dict[str, Any]:
    """Redact and truncate an exchange; of one that `is_bounded` already, only redact what later ones revealed."""
    names = ("path", "query", "headers", "parameters", "body", "answer", "reason", "nearest")
    if is_bounded:
        return {**call, **{name: _redact_known(call[name], redactor) for name in names if name in call}}
    values = {
        name: _redact_and_truncate(call[name], redactor) for name in names[3:] if name in call and name != "reason"
    }
    if "reason" in call:
        values["reason"] = _truncate(redactor.redact_string(call["reason"][:_MAX_TEXT]), call["reason"])
    headers = {name: _redact_and_truncate(value, redactor) for name, value in call["headers"].items()}
    path = _truncate(redactor.redact_string(call["path"][:_MAX_TEXT]), call["path"])
    return {**call, "path": path, "query": _redact_query(call["query"], redactor), "headers": headers, **values}


def _redact_known(value: Any, redactor: Redactor) -> Any:
    """Redact the known secrets in a value that is redacted by name already."""
    if isinstance(value, dict):
        return {redactor.redact_string(name): _redact_known(inner, redactor) for name, inner in value.items()}
    if isinstance(value, list):
        return [_redact_known(inner, redactor) for inner in value]
    return redactor.redact_string(value) if isinstance(value, str) else value


def _redact_query(query: str, redactor: Redactor) -> str:
    """Redact a raw query: known secrets, and the values of secret names."""
    if not query:
        return query
    parts = [part.partition("=") for part in query[:_MAX_TEXT].split("&")]
    shown = [
        f"{name}={mask_secret(value)}" if redactor.is_secret_name(_decode_name(name)) else f"{name}{equals}{value}"
        for name, equals, value in parts
    ]
    return _truncate(redactor.redact_string("&".join(shown)), query)


def _cut_text(text: str) -> str:
    """Return the part of a long text that is redacted and shown, which knows how long the whole is."""
    if len(text) <= _MAX_TEXT:
        return text
    cut = _CutText(text[:_MAX_TEXT])
    cut.whole = len(text)
    return cut


def _measure(text: str) -> int:
    return text.whole if isinstance(text, _CutText) else len(text)


def _truncate(redacted: str, whole: str) -> str:
    """Return the redacted form of a long text, cut where ``whole`` exceeds the limit of paths."""
    if len(whole) <= _MAX_PATH_LENGTH:
        return redacted
    return f"{redacted[:_MAX_PATH_LENGTH]}… ({_measure(whole)} characters)"


def _decode_name(name: str) -> str:
    return next((decoded for decoded, _ in parse_query(f"{name}=")), name)


def _redact_and_truncate(value: Any, redactor: Redactor, depth: int = 0) -> Any:
    """Redact ``value`` and truncate its strings, lists, objects and nesting."""
    if isinstance(value, str):
        text = redactor.redact_string(value[: _MAX_LENGTH + _LOOKAHEAD])
        if len(value) > _MAX_LENGTH:
            return f"{text[:_MAX_LENGTH]}… ({_measure(value)} characters)"
        return text
    if isinstance(value, dict):
        if depth > _MAX_DEPTH:
            return "…"
        secret = redactor.is_secret_name
        return {
            _redact_and_truncate(name, redactor): mask_value(inner)
            if secret(name)
            else _redact_and_truncate(inner, redactor, depth + 1)
            for name, inner in islice(value.items(), _MAX_LENGTH)
        }
    if isinstance(value, list):
        return (
            "…"
            if depth > _MAX_DEPTH
            else [_redact_and_truncate(inner, redactor, depth + 1) for inner in islice(value, _MAX_LENGTH)]
        )
    return value
