"""Calls of operations: built, sent, repeated where that is safe, and read."""

import json
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

from . import _about
from ._http import AsyncSender, SyncSender
from ._messages import Prepared, Received
from ._reading import Outcome, read_success
from ._repeating import may_repeat
from ._secrets import MASK, is_secret_name
from ._settings import LONGEST_TIMEOUT, Settings, find_header_problem, join_headers
from .errors import APIError, RequestValidationError
from .types import UNSET, Response, Unset

T = TypeVar("T")
_log = logging.getLogger(_about.PACKAGE)


class Call(Generic[T]):
    """One call of an operation; its representation shows no argument."""

    __slots__ = ("arguments", "operation", "parser", "refusal", "repeatable")

    def __init__(
        self,
        operation: str,
        build: Callable[[], dict[str, Any]],
        parser: Callable[[Received], T],
        *,
        repeatable: bool,
        extra_headers: Mapping[str, str] | None,
        extra_body: Mapping[str, Any] | None,
    ) -> None:
        self.operation = operation
        self.parser = parser
        self.repeatable = repeatable
        self.refusal: RequestValidationError | None = None
        self.arguments: dict[str, Any] = {}
        try:
            self.arguments = build()
            if extra_headers:
                self._add_headers(extra_headers)
            if extra_body:
                self.arguments["json"] = {**self.arguments.get("json", {}), **extra_body}
        except RequestValidationError as error:
            self.refusal = error.with_traceback(None)  # its frames hold the arguments
        except (TypeError, ValueError, AttributeError, LookupError, RecursionError) as error:
            self.refusal = RequestValidationError(f"an argument has the wrong type ({type(error).__name__})")

    def _add_headers(self, extra_headers: Mapping[str, str]) -> None:
        problem = find_header_problem(extra_headers, "extra_headers")
        if problem is not None:
            self.refusal = RequestValidationError(problem)
        else:
            self.arguments["headers"] = join_headers(self.arguments.get("headers", {}), extra_headers)

    def __repr__(self) -> str:
        return f"<Call of {self.operation}>"


def prepare(settings: Settings, call: Call[Any]) -> Prepared | RequestValidationError:
    """Return the request for ``call``, or the reason that it cannot be sent."""
    if call.refusal is not None:
        return RequestValidationError(f"{call.operation}: {call.refusal.message}")
    arguments = call.arguments
    url = settings.url + arguments["url"]
    method = arguments["method"].upper()
    details = {"method": method, "url": url}
    content: bytes | None = None
    if "json" in arguments:
        try:
            content = json.dumps(arguments["json"], ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            return RequestValidationError(f"{call.operation}: the body has a value that JSON cannot hold", **details)
        if settings.validate:
            from ._validation import find_violation  # noqa: PLC0415 - it needs a further library

            problem = find_violation(call.operation, content)
            if problem is not None:
                return RequestValidationError(f"{call.operation}: {problem}", **details)
    headers = join_headers(settings.headers, arguments["headers"]) if "headers" in arguments else settings.headers
    if cookies := arguments.get("cookies"):
        headers = {**headers, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    prepared = Prepared(method, url, headers, content if content is not None else arguments.get("content"), url)
    prepared.key, prepared.body = settings.key, arguments.get("json")
    for name in ("params", "data", "files"):
        if name in arguments:
            prepared.extras[name] = arguments[name]
    _add_key_to_query(prepared, settings)
    return prepared


def _add_key_to_query(prepared: Prepared, settings: Settings) -> None:
    """Add the key to the query if it belongs there; the address in logs and errors shows names alone."""
    params = prepared.extras.get("params") or {}
    if _about.KEY_QUERY is not None:
        params = prepared.extras["params"] = {**params, _about.KEY_QUERY: settings.key.value}
    if params:
        shown = "&".join(
            f"{name}={MASK if name == _about.KEY_QUERY or is_secret_name(name) else '…'}" for name in params
        )
        prepared.shown_url = f"{prepared.url}?{shown}"


class _Base:
    """The parts that synchronous and asynchronous sessions share."""

    _settings: Settings

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._settings.url}>"

    def __getstate__(self) -> Any:
        raise TypeError(f"{type(self).__name__} holds connections and a key: call connect() in each process")

    def _choose_timeout(self, timeout: float | Unset, call: Call[Any]) -> float:
        if isinstance(timeout, Unset):
            return self._settings.timeout
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
            call.refusal = RequestValidationError("timeout must be a number of seconds above 0")
            return self._settings.timeout
        return min(timeout, LONGEST_TIMEOUT)


class SyncSession(_Base):
    """Sends calls and waits for their responses; threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender = SyncSender(settings.connection)

    def _send(self, call: Call[T], timeout: float | Unset) -> Response[T]:
        seconds = self._choose_timeout(timeout, call)
        prepared = prepare(self._settings, call)
        if isinstance(prepared, APIError):
            raise prepared
        outcome = self._attempt(prepared, seconds, 1)
        if self._settings.max_retries and may_repeat(outcome, repeatable=call.repeatable):
            from ._retries import repeat  # noqa: PLC0415 - success does not pay for it

            outcome = repeat(
                outcome,
                lambda number: self._attempt(prepared, seconds, number),
                self._settings.max_retries,
                repeatable=call.repeatable,
            )
        return read_success(outcome, call.parser)

    def _attempt(self, prepared: Prepared, seconds: float, number: int) -> Outcome:
        found = self._sender.send(prepared, seconds)
        _log.debug("%s %s, attempt %d: %r", prepared.method, prepared.shown_url, number, found)
        return Outcome(prepared, found, number)

    def close(self) -> None:
        """Close every connection; the next call opens new ones."""
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncSession(_Base):
    """Sends calls without blocking; tasks may share it, and every event loop has connections of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender = AsyncSender(settings.connection)

    async def _send(self, call: Call[T], timeout: float | Unset) -> Response[T]:
        seconds = self._choose_timeout(timeout, call)
        prepared = prepare(self._settings, call)
        if isinstance(prepared, APIError):
            raise prepared
        outcome = await self._attempt(prepared, seconds, 1)
        if self._settings.max_retries and may_repeat(outcome, repeatable=call.repeatable):
            from ._retries import repeat_async  # noqa: PLC0415 - success does not pay for it

            outcome = await repeat_async(
                outcome,
                lambda number: self._attempt(prepared, seconds, number),
                self._settings.max_retries,
                repeatable=call.repeatable,
            )
        return read_success(outcome, call.parser)

    async def _attempt(self, prepared: Prepared, seconds: float, number: int) -> Outcome:
        found = await self._sender.send(prepared, seconds)
        _log.debug("%s %s, attempt %d: %r", prepared.method, prepared.shown_url, number, found)
        return Outcome(prepared, found, number)

    async def aclose(self) -> None:
        """Close the connections of this event loop; the next call opens new ones."""
        await self._sender.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


__all__ = ["UNSET", "AsyncSession", "Call", "SyncSession"]
