"""Cases for one operation, drawn by Schemathesis in this process or in another."""

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9_.~%-]*)+")
"""Paths that no library encodes again or normalises."""


@dataclass(frozen=True)
class CaseRequest:
    """A case as it is sent. ``media_type`` is empty for an empty ``content``."""

    method: str
    url: str
    content: bytes
    media_type: str


class Case(Protocol):
    """Data for one request."""

    @property
    def path_parameters(self) -> dict[str, Any]:
        """The drawn path parameters by name."""
        ...

    @property
    def body(self) -> Any:
        """The drawn body if it is an object; anything else stands for a body whose arguments have no names."""
        ...

    def build_request(self, path_parameters: dict[str, Any], body: Any, base: str) -> CaseRequest:
        """Build the request below ``base`` with other path parameters, and another body if the drawn one is an object.

        Raises:
            UnportableCaseError: only Schemathesis itself can encode this case.
        """
        ...


class UnportableCaseError(Exception):
    """A drawn case that only Schemathesis itself can encode."""


@dataclass(frozen=True)
class DrawnCase:
    """A case that another process drew; see `Case`. ``body`` is None if it is not an object.

    ``path`` is the operation's with placeholders, ``query`` the encoded query with its question mark, ``content`` the
    drawn body in bytes.
    """

    method: str
    path: str
    path_parameters: dict[str, Any]
    query: str
    body: dict[str, Any] | None
    content: bytes
    media_type: str

    def build_request(self, path_parameters: dict[str, Any], body: Any, base: str) -> CaseRequest:
        """Implement `Case.build_request`."""
        path = self.path.format(**(path_parameters or self.path_parameters))
        if not _PLAIN_PATH.fullmatch(path):
            raise UnportableCaseError
        content = self.content
        if self.body is not None:
            try:
                content = json.dumps(body, allow_nan=False).encode()
            except ValueError as error:
                raise UnportableCaseError from error
        return CaseRequest(self.method, base + path + self.query, content, self.media_type)
