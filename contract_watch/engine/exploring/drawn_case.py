"""Cases for one operation, drawn by Schemathesis in this process or in another."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from contract_watch.contracts.bodies import is_json_type
from contract_watch.contracts.parameters import is_parameter_key

_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9_.~%-]*)+")
"""Paths that no library encodes again or normalises."""


@dataclass(frozen=True)
class CaseRequest:
    """A case as it is sent. ``media_type`` is empty for an empty ``content``; ``headers`` are those of its parameters."""

    method: str
    url: str
    content: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Case(Protocol):
    """Data for one request."""

    @property
    def path_parameters(self) -> dict[str, Any]:
        """The drawn path parameters by name."""
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """The drawn path parameters by name, and the documented query, header and cookie parameters by key."""
        ...

    @property
    def body(self) -> Any:
        """The drawn body if it is an object; anything else stands for a body whose arguments have no names."""
        ...

    def build_request(self, parameters: dict[str, Any], body: Any, base: str) -> CaseRequest:
        """Build the request below ``base`` with other parameters, and another body if the drawn one is an object.

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
    drawn body in bytes. ``named`` are the drawn parameters outside the path by key, ``headers`` those that carry them.
    """

    method: str
    path: str
    path_parameters: dict[str, Any]
    query: str
    body: dict[str, Any] | None
    content: bytes
    media_type: str
    named: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """Implement `Case.parameters`."""
        return {**self.path_parameters, **self.named}

    def build_request(self, parameters: dict[str, Any], body: Any, base: str) -> CaseRequest:
        """Implement `Case.build_request`."""
        named = {name: value for name, value in parameters.items() if is_parameter_key(name)}
        in_path = {name: value for name, value in parameters.items() if name not in named}
        if named != self.named:
            raise UnportableCaseError
        path = self.path.format(**(in_path or self.path_parameters))
        if not _PLAIN_PATH.fullmatch(path):
            raise UnportableCaseError
        content = self.content
        if self.body is not None and body != self.body and not is_json_type(self.media_type):
            raise UnportableCaseError
        if self.body is not None and is_json_type(self.media_type):
            try:
                content = json.dumps(body, allow_nan=False).encode()
            except ValueError as error:
                raise UnportableCaseError from error
        return CaseRequest(self.method, base + path + self.query, content, self.media_type, self.headers)
