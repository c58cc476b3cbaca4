"""The errors that calls raise; each is an `APIError`.

| error | raised for |
|---|---|
| `APIError` | every failure; the base of all others |
| `ConfigurationError` | a key or an address that cannot be used; nothing was sent |
| `RequestValidationError` | arguments that cannot be sent; nothing was sent |
| `APIConnectionError` | no response: the connection failed or broke |
| `APITimeoutError` | no complete response in time |
| `APIStatusError` | a response that is not a success; its subclasses name the status |
| `APIResponseValidationError` | a success whose body is not as documented |
"""

from collections.abc import Mapping
from typing import Any


class APIError(Exception):
    """A call that failed.

    Attributes:
        method: The method of the request, empty if none was built.
        url: The address of the request, without secrets.
        status: The HTTP status, None without a response; ``status_code`` is the same.
        headers: The response headers; names ignore case.
        content: The response body as it came.
        body: The response body as JSON, None if it is none.
        parsed: The response body as the documented model, None if it is not as documented.
        request_id: The vendor's id of the request, if it sent one.
        attempts: The number of requests that were sent.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        body: Any = None,
        parsed: Any = None,
        request_id: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.method = method
        self.url = url
        self.status = status
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.content = content
        self.body = body
        self.parsed = parsed
        self.request_id = request_id
        self.attempts = attempts

    @property
    def status_code(self) -> int | None:
        """The HTTP status, None without a response."""
        return self.status

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[APIError], arguments: tuple[Any, ...], state: dict[str, Any]) -> APIError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    error.__dict__.update(state)
    return error


class ConfigurationError(APIError):
    """A key, an address or another setting cannot be used; nothing was sent."""


class RequestValidationError(APIError):
    """The arguments of a call cannot be sent, or break a documented constraint; nothing was sent."""


class APIConnectionError(APIError):
    """No response came: the connection failed, or broke before the response was complete."""


class APITimeoutError(APIConnectionError):
    """No complete response came in time."""


class APIResponseValidationError(APIError):
    """A response is not as the API documents it; ``body`` and ``content`` hold what came."""


class APIStatusError(APIError):
    """The API refused the request, or failed: the status is not a success."""


class BadRequestError(APIStatusError):
    """Status 400."""


class AuthenticationError(APIStatusError):
    """Status 401."""


class PermissionDeniedError(APIStatusError):
    """Status 403."""


class NotFoundError(APIStatusError):
    """Status 404."""


class ConflictError(APIStatusError):
    """Status 409."""


class UnprocessableEntityError(APIStatusError):
    """Status 422."""


class RateLimitError(APIStatusError):
    """Status 429; ``retry_after`` is the number of seconds that the API asks to wait, None if it names none."""

    retry_after: float | None = None


class InternalServerError(APIStatusError):
    """A status from 500; ``retry_after`` is the number of seconds that the API asks to wait, None if it names none."""

    retry_after: float | None = None


class UnexpectedStatus(APIStatusError):  # noqa: N818 - the generator's name
    """An undocumented status, for functions of ``api`` with ``raise_on_unexpected_status=True``."""

    def __init__(self, status_code: int, content: bytes, **details: Any) -> None:
        super().__init__(
            f"Unexpected status code: {status_code}", **{"status": status_code, "content": content, **details}
        )


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def get_status_error(status: int) -> type[APIStatusError]:
    """Return the class of error for ``status``."""
    return _BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)


__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestValidationError",
    "UnexpectedStatus",
    "UnprocessableEntityError",
]
