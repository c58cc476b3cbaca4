"""A request as bytes, ready to leave, and the gate that it passes on a real account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import httpx

ResponseT = TypeVar("ResponseT")


@dataclass(frozen=True)
class EncodedRequest:
    """One request as it goes over the wire: the gate judges this object, and the connection sends it.

    Header names are lower case. ``content`` is the body's bytes; if ``is_grpc_message``, one message without framing.
    ``json_content`` is the message of a gRPC or gRPC-web request as JSON, for reports. ``operation`` is the operation's
    id, if known.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    operation: str | None = None
    is_grpc_message: bool = False
    json_content: bytes | None = None

    @property
    def path(self) -> str:
        """Return the path with its query as the connection sends it."""
        return httpx.URL(self.url).raw_path.decode("ascii")

    @property
    def reported_content(self) -> bytes:
        """Return the body for reports: the JSON of a message, else the bytes."""
        return self.content if self.json_content is None else self.json_content


class CannotEncodeError(Exception):
    """A request that a protocol cannot express: a string where protobuf has a number, an undeclared HTTP method."""


class RequestAuthorizer(Protocol[ResponseT]):
    """A layer below the gate that replaces the keys of requests by what the server accepts."""

    def send(self, encoded: EncodedRequest, deliver: Callable[[EncodedRequest], ResponseT]) -> ResponseT:
        """Send a request with ``deliver``, and before it what it needs."""
        ...

    def insert(self, encoded: EncodedRequest) -> EncodedRequest:
        """Return the request as it leaves."""
        ...


class RequestGate(Protocol):
    """A check that every request passes before it leaves."""

    def send(self, encoded: EncodedRequest, deliver: Callable[[], ResponseT]) -> ResponseT:
        """Send a request with ``deliver``, or raise the reason why it must not leave."""
        ...
