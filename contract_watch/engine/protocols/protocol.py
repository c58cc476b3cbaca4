"""Protocols: the ways to send a vendor's requests. Each gives responses in the form of REST, so that one model judges all."""

from typing import Protocol

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.request import Request
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.wire import Response
from contract_watch.report.curl import ShellVariables


class WireProtocol(Protocol):
    """One protocol, connected to a target."""

    name: str

    def start_attempt(self, probe_id: str) -> None:
        """Begin a new attempt of a probe; a protocol with several encodings chooses one by the id."""

    def encode(self, request: Request) -> EncodedRequest:
        """Encode a request; raise `CannotEncodeError` if this protocol cannot express it."""

    def send(self, encoded: EncodedRequest) -> Response:
        """Send an encoded request, once for each call; raise `TransportError` if no response comes."""

    def format_command(self, encoded: EncodedRequest, redactor: Redactor, variables: ShellVariables) -> str:
        """Format a curl command that sends the request."""

    def close(self) -> None:
        """Close the connections."""
