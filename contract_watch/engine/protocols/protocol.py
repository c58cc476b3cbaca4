"""Protocols: the ways to send a vendor's requests. Each gives responses in the form of REST, so that one model judges all."""

import json
from collections.abc import Mapping
from typing import Protocol

import httpx

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.shell_commands import format_request_as_curl
from contract_watch.engine.protocols.wire import Response, Wire


class CannotEncodeError(Exception):
    """A request that a protocol cannot express: a string where protobuf has a number, an undeclared HTTP method."""


class WireProtocol(Protocol):
    """One protocol, connected to a target."""

    name: str

    def start_attempt(self, probe_id: str) -> None:
        """Begin a new attempt of a probe; a protocol with several encodings chooses one by the id."""

    def encode(self, request: Request) -> EncodedRequest:
        """Encode a request; raise `CannotEncodeError` if this protocol cannot express it."""

    def send(self, encoded: EncodedRequest) -> Response:
        """Send an encoded request, once for each call; raise `TransportError` if no response comes."""

    def format_command(self, encoded: EncodedRequest, redactor: Redactor, keys: Mapping[str, str]) -> str:
        """Format a curl command that sends the request; ``keys`` maps keys to shell expressions."""

    def close(self) -> None:
        """Close the connections."""


def encode_as_rest(base: str, request: Request) -> EncodedRequest:
    """Encode a request as JSON over HTTP, below the address ``base``."""
    content = b"" if request.body is MissingBody.ABSENT else json.dumps(request.body).encode()
    headers = {**request.headers, **({"content-type": "application/json"} if content else {})}
    return EncodedRequest(request.method, str(httpx.URL(base + request.path)), headers, content, request.operation)


def encode_library_request(request: httpx.Request) -> EncodedRequest:
    """Encode a request that a library built, without the header Host, which the connection adds."""
    headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "host"}
    return EncodedRequest(request.method, str(request.url), headers, request.read())


class RestProtocol:
    """JSON over HTTP, below ``base``: the target's address with its path."""

    name = "rest"

    def __init__(self, base: str, wire: Wire) -> None:
        self._base = base
        self._wire = wire

    def start_attempt(self, probe_id: str) -> None:
        """Do nothing: REST has one encoding."""

    def encode(self, request: Request) -> EncodedRequest:
        """Implement `WireProtocol.encode`."""
        return encode_as_rest(self._base, request)

    def send(self, encoded: EncodedRequest) -> Response:
        """Implement `WireProtocol.send`."""
        return self._wire.send(encoded)

    def format_command(self, encoded: EncodedRequest, redactor: Redactor, keys: Mapping[str, str]) -> str:
        """Implement `WireProtocol.format_command`."""
        return format_request_as_curl(encoded.method, encoded.url, encoded.headers, encoded.content, redactor, keys)

    def close(self) -> None:
        """Implement `WireProtocol.close`."""
        self._wire.close()
