"""Surfaces: the ways to speak to a vendor. Whichever it is, requests and answers come to the shape of REST to be judged."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.protocols.call import Call
from contract_watch.engine.protocols.shell_commands import format_request_as_curl
from contract_watch.engine.protocols.wire import Response, Wire


@dataclass(frozen=True)
class EncodedRequest:
    """A request as it goes over the wire, ready to be sent: with what the reports tell of it.

    ``content`` is what it says as JSON, whatever the bytes are. ``send`` sends it and gives the answer in the shape of REST;
    it may be called again. ``line`` gives a command that sends it, with keys as shell expressions.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    send: Callable[[], Response]
    format_command: Callable[[Redactor, Mapping[str, str]], str]


class CannotEncodeError(Exception):
    """A surface has no words for a call: a text where protobuf has a number, a method that is not HTTP's."""


class WireProtocol(Protocol):
    """One way to speak to a target."""

    name: str

    def start_attempt(self, probe_id: str) -> None:
        """A new attempt begins, of the probe ``what``: a surface that has several ways to say a thing picks one by it."""

    def encode(self, call: Call) -> EncodedRequest:
        """``call`` as a request of this surface; `CannotEncodeError` where it has none for it."""

    def close(self) -> None:
        """Give connections up."""


def can_encode_rest(_contract: Contract, probe: Probe) -> bool:
    """Whether REST has words for every request of ``probe``: a path has none for an empty parameter."""
    return all("" not in step.parameters.values() for step in probe.steps)


def build_http_request(base: str, call: Call) -> httpx.Request:
    """A call as JSON over HTTP, below ``base``."""
    content = b"" if call.body is MissingBody.ABSENT else json.dumps(call.body).encode()
    sent = {**call.headers, **({"Content-Type": "application/json"} if content else {})}
    return httpx.Request(call.method, base + call.path, headers=sent, content=content)


class RestProtocol:
    """JSON over HTTP, below ``base``: the target's address with its path."""

    name = "rest"

    def __init__(self, base: str, wire: Wire) -> None:
        self._base = base
        self._wire = wire

    def start_attempt(self, probe_id: str) -> None:
        """See `WireProtocol.begin`."""

    def encode(self, call: Call) -> EncodedRequest:
        """See `WireProtocol.speak`."""
        return self.encode_http_request(build_http_request(self._base, call))

    def encode_http_request(self, request: httpx.Request) -> EncodedRequest:
        """A request that somebody else has made, as this surface sends it."""
        content = request.read()
        headers = {name: value for name, value in request.headers.items() if name != "host"}

        def send() -> Response:
            again = httpx.Request(request.method, request.url, headers=request.headers, content=content)
            return self._wire.send(again)

        def line(redactor: Redactor, keys: Mapping[str, str]) -> str:
            return format_request_as_curl(request.method, str(request.url), headers, content, redactor, keys)

        return EncodedRequest(request.method, str(request.url), headers, content, send, line)

    def close(self) -> None:
        """See `WireProtocol.close`."""
        self._wire.close()
