"""Requests and responses, without a library that sends them."""

from collections.abc import Mapping
from typing import Any

from ._secrets import Secret, find_secrets
from .types import Headers


class Arguments(dict[str, Any]):
    """The arguments of a request as httpx takes them; their representation shows none."""

    def __repr__(self) -> str:
        return f"<Arguments of {self.get('method')} {self.get('url')}>"


class Prepared:
    """A request that is ready to be sent; its representation shows no header and no body."""

    __slots__ = ("body", "content", "extras", "headers", "key", "method", "shown_url", "url")

    def __init__(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, shown_url: str
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.content = content
        self.extras: dict[str, Any] = {}
        """``params``, ``data`` and ``files`` as httpx takes them."""
        self.shown_url = shown_url
        self.key = Secret(None)
        self.body: Any = None
        """The body before it became text."""

    def list_secrets(self) -> frozenset[str]:
        """Return the secrets that a response or an error could repeat."""
        keys = (self.key.value,) if isinstance(self.key.value, str) else ()
        return frozenset((*keys, *find_secrets(self.body), *find_secrets(self.headers)))

    def __repr__(self) -> str:
        return f"<Prepared {self.method} {self.shown_url}>"


class Received:
    """A response; its representation shows no header and no body.

    ``problem`` is the reason that the body is incomplete or still compressed, empty if it is neither.
    """

    __slots__ = ("content", "headers", "problem", "status_code")

    def __init__(self, status_code: int, headers: Headers, content: bytes, problem: str = "") -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content
        self.problem = problem

    @property
    def text(self) -> str:
        """The body as text: UTF-8, and a replacement character for what is none."""
        return self.content.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<Received {self.status_code}>"


class Failure:
    """A request without a complete response.

    ``was_sent`` is False if the API cannot have acted on the request, ``is_timeout`` True if it took too long,
    ``is_invalid`` True if the request itself cannot be sent, and ``is_setting`` True if no connection can be made with
    the settings; another attempt would not help then.
    """

    __slots__ = ("is_invalid", "is_setting", "is_timeout", "reason", "was_sent")

    def __init__(
        self,
        reason: str,
        *,
        was_sent: bool = False,
        is_timeout: bool = False,
        is_invalid: bool = False,
        is_setting: bool = False,
    ) -> None:
        self.reason = reason
        self.is_setting = is_setting
        self.was_sent = was_sent
        self.is_timeout = is_timeout
        self.is_invalid = is_invalid

    @property
    def is_final(self) -> bool:
        """True if another attempt would not help."""
        return self.is_invalid or self.is_setting

    def __repr__(self) -> str:
        return f"<Failure {self.reason}>"
