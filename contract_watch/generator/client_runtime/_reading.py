"""Responses as parsed values or as errors.

Whoever raises an error holds no body and no key in its variables: tracebacks show them.
"""

import datetime
import email.utils
import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from . import _about
from ._messages import Failure, Prepared, Received
from ._secrets import mask_json, mask_text
from ._values import UndocumentedStatusError
from .errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    ConfigurationError,
    InternalServerError,
    RateLimitError,
    RequestValidationError,
    UnexpectedStatus,
    get_status_error,
)
from .types import Headers, Response

T = TypeVar("T")
Parser = Callable[[Received], T]
"""Parses a response; it raises `UndocumentedStatusError`, or a ValueError with the reason that the body is not as documented."""
_EXCERPT = 300
"""Characters of a response body in an error's text."""
_REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id")
_REASONS = {
    301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
    401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 413: "Content Too Large", 422: "Unprocessable Content", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip
_PARSE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)


class Outcome:
    """A request and its response, or what happened in place of one."""

    __slots__ = ("attempts", "found", "prepared")

    def __init__(self, prepared: Prepared, found: Received | Failure, attempts: int = 1) -> None:
        self.prepared = prepared
        self.found = found
        self.attempts = attempts

    def mask(self, text: str) -> str:
        """Return ``text`` without the secrets of the request."""
        return mask_text(text, self.prepared.list_secrets())

    def __repr__(self) -> str:
        return f"<Outcome of {self.prepared!r}: {self.found!r}>"


def parse_json(received: Received) -> Any:
    """Return the body as JSON; a ValueError says that it is none."""
    if received.problem:
        raise ValueError(received.problem)
    if not received.content:
        raise ValueError("the body is empty")
    try:
        return json.loads(received.content)
    except (ValueError, RecursionError):
        raise ValueError("the body is no JSON") from None


def read_response(outcome: Outcome, parser: Parser[T], *, must_be_documented: bool = False) -> Response[T | None]:
    """Return the response with what could be parsed.

    Raises:
        APIConnectionError: No response came.
        RequestValidationError: The request cannot be sent.
        UnexpectedStatus: The status is not documented, and ``must_be_documented`` is True.
    """
    response, error = _read(outcome, parser)
    if response is None or (must_be_documented and isinstance(error, UnexpectedStatus)):
        raise APIError("no response") if error is None else error
    return response


def require_parsed(response: Response[T]) -> T:
    """Return what was parsed.

    Raises:
        APIResponseValidationError: The response is not as documented.
    """
    if response.error is not None:
        raise response.error
    return response.parsed


def read_success(outcome: Outcome, parser: Parser[T]) -> Response[T]:
    """Return the response, which is a success and as documented.

    Raises:
        APIError: Anything else happened; its class says what.
    """
    response, error = _judge(outcome, parser)
    if error is not None:
        raise error
    return response


def _judge(outcome: Outcome, parser: Parser[T]) -> tuple[Response[T], APIError | None]:
    found, problem = _read(outcome, parser)
    if found is not None and not 200 <= found.status_code < 300:
        problem = _build_status_error(outcome, found)
    elif found is not None and isinstance(problem, UnexpectedStatus):
        problem = _build_validation_error(outcome, found, "this status is not documented")
    return found, problem  # type: ignore[return-value] # without a problem a documented success was parsed


def _read(outcome: Outcome, parser: Parser[T]) -> tuple[Response[T | None] | None, APIError | None]:
    """Return the response if one came, and the reason that it could not be parsed."""
    received, prepared = outcome.found, outcome.prepared
    if isinstance(received, Failure):
        return None, _build_connection_error(outcome, received)
    response = cast(  # some type checkers infer a response without a body
        "Response[T | None]",
        Response(
            received.status_code, received.content, received.headers, None, method=prepared.method,
            url=prepared.shown_url, request_id=_find_request_id(received), attempts=outcome.attempts,
        ),
    )  # fmt: skip
    try:
        response.parsed = parser(received)
    except UndocumentedStatusError:
        details = _list_details(outcome, response, status=response.status_code)
        return response, UnexpectedStatus(details.pop("status"), details.pop("content"), **details)
    except _PARSE_ERRORS as error:
        problem = (
            str(error) if isinstance(error, ValueError) else f"a value has the wrong type ({type(error).__name__})"
        )
        response.error = _build_validation_error(outcome, response, problem)
        return response, response.error
    return response, None


def _find_request_id(received: Received) -> str | None:
    found = next((received.headers[name] for name in _REQUEST_IDS if name in received.headers), None)
    if found is None and _about.REQUEST_ID_FIELD is not None:
        body = load_body(received.content)
        value = body.get(_about.REQUEST_ID_FIELD) if isinstance(body, dict) else None
        found = value if isinstance(value, str) else None
    return None if found is None else found[:200]


def load_body(content: bytes) -> Any:
    """Return ``content`` as JSON, None if it is none."""
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None


def _list_details(outcome: Outcome, response: Response[Any], *, status: int | None) -> dict[str, Any]:
    return {
        "method": outcome.prepared.method,
        "url": outcome.prepared.shown_url,
        "status": status,
        "headers": response.headers,
        "content": response.content,
        "body": load_body(response.content),
        "parsed": response.parsed,
        "request_id": response.request_id,
        "attempts": outcome.attempts,
    }


def _describe_request(outcome: Outcome) -> str:
    return f"{outcome.prepared.method} {outcome.prepared.shown_url}"


def _describe_attempts(response: Response[Any]) -> str:
    parts = [f"request id {response.request_id}"] if response.request_id else []
    parts += [f"{response.attempts} attempts"] if response.attempts > 1 else []
    return f" ({', '.join(parts)})" if parts else ""


def _build_connection_error(outcome: Outcome, failure: Failure) -> APIError:
    details: dict[str, Any] = {"method": outcome.prepared.method, "url": outcome.prepared.shown_url}
    message = outcome.mask(f"{_describe_request(outcome)}: {failure.reason}")
    if failure.is_invalid:
        return RequestValidationError(message, **details)
    if failure.is_setting:
        return ConfigurationError(message, **details)
    tried = f" ({outcome.attempts} attempts)" if outcome.attempts > 1 else ""
    kind = APITimeoutError if failure.is_timeout else APIConnectionError
    return kind(message + tried, attempts=outcome.attempts, **details)


def _build_validation_error(outcome: Outcome, response: Response[Any], problem: str) -> APIResponseValidationError:
    status = response.status_code
    message = f"{_describe_request(outcome)}: {status} {_REASONS.get(status, '')}".rstrip()
    message = f"{message}: the response is not as documented: {problem}{_describe_attempts(response)}"
    return APIResponseValidationError(outcome.mask(message), **_list_details(outcome, response, status=status))


def _build_status_error(outcome: Outcome, response: Response[Any]) -> APIError:
    status = response.status_code
    excerpt = format_excerpt(response.content, outcome.mask)
    message = f"{_describe_request(outcome)}: {status} {_REASONS.get(status, '')}".rstrip()
    message += (f": {excerpt}" if excerpt else "") + _describe_attempts(response)
    error = get_status_error(status)(outcome.mask(message), **_list_details(outcome, response, status=status))
    if isinstance(error, RateLimitError | InternalServerError):
        error.retry_after = read_retry_after(response.headers)
    return error


def format_excerpt(content: bytes, mask: Callable[[str], str]) -> str:
    """Return the start of a response body for an error's text: bounded, without secrets and control characters."""
    body = load_body(content)
    if isinstance(body, dict):
        words = [value for name in ("error", "message") if isinstance(value := body.get(name), str)]
        text = words[0] if words else json.dumps(mask_json(body), ensure_ascii=False)
    else:
        text = content.decode("utf-8", "replace")
    text = mask(text)[: 8 * _EXCERPT]  # masked first: a cut secret would not be found
    shown = "".join(one if one.isprintable() else " " for one in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT]}…"


def read_retry_after(headers: Headers) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, None if it says nothing that can be understood."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.UTC)
    return max(0.0, (when - datetime.datetime.now(datetime.UTC)).total_seconds())
