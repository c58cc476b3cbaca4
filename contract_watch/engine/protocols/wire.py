"""HTTP: REST as a protocol, and the connection to a target. Every HTTP request of a run goes through a `Wire`.

Time and size are bounded. Redirects are not followed, proxies and certificate settings of the environment are not
read, no request is sent twice, and none goes to another address than the target's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from contract_watch.contracts.bodies import BodyCodec
from contract_watch.contracts.credential_locations import join_query_keys
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.parameters import encode_parameters
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.request import Request
from contract_watch.contracts.text_values import NotEncodableError
from contract_watch.engine.protocols.encoded_request import (
    CannotEncodeError,
    EncodedRequest,
    RequestAuthorizer,
    RequestGate,
)
from contract_watch.engine.protocols.shell_commands import format_request_as_curl
from contract_watch.net import BodyTooLargeError, Deadline, create_transport, get_tls_context, read_body
from contract_watch.report.curl import ShellVariables

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
TOTAL_TIMEOUT = 30.0
MAX_RESPONSE_BYTES = 8 * 1024 * 1024


class TransportError(Exception):
    """The error of a request without a whole response.

    ``kind`` is `refused`, `silent`, `broken`, `not-http`, `too-large` or `elsewhere`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True)
class Response:
    """A response as received; header names are lower case.

    gRPC and gRPC-web responses are converted to the form of REST. ``protocol_errors`` are the errors in their
    encoding, each with a word for its kind. Their headers are metadata, which no document describes:
    ``has_documented_headers`` is False.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    protocol_errors: tuple[tuple[str, str], ...] = ()
    has_documented_headers: bool = True

    @property
    def succeeded(self) -> bool:
        """Return True for a status that reports success."""
        return 200 <= self.status < 300


class Wire:
    """A connection to one target, kept alive between requests. ``base`` is the target's scheme and authority.

    On a real account every request passes ``gate``. ``total_timeout`` replaces the seconds of one request.
    """

    def __init__(
        self,
        base: str,
        gate: RequestGate | None = None,
        read_timeout: float = READ_TIMEOUT,
        *,
        total_timeout: float | None = None,
    ) -> None:
        self._gate = gate
        self.authorizer: RequestAuthorizer[Response] | None = None
        self._total_timeout = total_timeout
        self._base = httpx.URL(base)
        self._deadline = Deadline()
        self._transport = create_transport(self._deadline, get_tls_context(self._base))
        timeout = httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT)
        self._extensions = {"timeout": timeout.as_dict()}

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def send(self, encoded: EncodedRequest) -> Response:
        """Send a request and read the whole response; raise `TransportError` if none comes. The gate may raise too."""
        return self._pass_gate(encoded) if self.authorizer is None else self.authorizer.send(encoded, self._pass_gate)

    def _pass_gate(self, encoded: EncodedRequest) -> Response:
        if self._gate is None:
            return self._deliver(encoded)
        return self._gate.send(encoded, lambda: self._deliver(encoded))

    def insert_tokens(self, encoded: EncodedRequest) -> EncodedRequest:
        """Return a request as it leaves; the gate judges it before, by the key that it carries."""
        return encoded if self.authorizer is None else self.authorizer.insert(encoded)

    def _deliver(self, encoded: EncodedRequest) -> Response:
        encoded = self.insert_tokens(encoded)
        request = httpx.Request(encoded.method, encoded.url, headers=dict(encoded.headers), content=encoded.content)
        if (request.url.scheme, request.url.host, request.url.port) != (
            self._base.scheme,
            self._base.host,
            self._base.port,
        ):
            raise TransportError("elsewhere", f"a request to {request.url.host}, which is not the target, was blocked")
        request.extensions = {**request.extensions, **self._extensions}
        self._deadline.restart(TOTAL_TIMEOUT if self._total_timeout is None else self._total_timeout)
        try:
            response = self._transport.handle_request(request)
            try:
                content = read_body(
                    response.iter_raw(), response.headers.get("content-encoding", ""), MAX_RESPONSE_BYTES
                )
            finally:
                response.close()
        except BodyTooLargeError as error:
            raise TransportError("too-large", f"the answer is longer than {MAX_RESPONSE_BYTES} bytes") from error
        except httpx.ConnectTimeout as error:
            raise TransportError("refused", "the target does not take connections") from error
        except httpx.ConnectError as error:
            if "SSL" in str(error) or "CERTIFICATE" in str(error):
                raise TransportError("refused", "no trusted TLS connection can be made") from error
            raise TransportError("refused", "the target refuses connections, or its name is unknown") from error
        except httpx.TimeoutException as error:
            raise TransportError("silent", "the target takes the request and does not answer in time") from error
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            kind = "not-http" if "illegal" in str(error).lower() else "broken"
            words = "what answers there does not speak HTTP" if kind == "not-http" else "the answer broke off"
            raise TransportError(kind, words) from error
        except (httpx.TransportError, httpx.StreamError) as error:
            raise TransportError("broken", f"the connection broke ({type(error).__name__})") from error
        headers: dict[str, str] = {}
        for name, value in response.headers.multi_items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Response(response.status_code, headers, content)


def encode_as_rest(base: str, request: Request, operations: Mapping[str, Operation]) -> EncodedRequest:
    """Encode a request over HTTP, below the address ``base``: parameters and body as its operation documents them.

    Raises:
        CannotEncodeError: a parameter or the media type of the body cannot express a value.
    """
    declared = operations.get(request.operation or "")
    codec = declared.codec if declared is not None else BodyCodec(None, {})
    try:
        content, media_type = codec.encode(request.body)
        query, named = encode_parameters(declared.specs if declared is not None else {}, request.parameters)
    except NotEncodableError as error:
        raise CannotEncodeError(str(error)) from error
    headers = {**request.headers, **named, **({"content-type": media_type} if media_type else {})}
    url = str(httpx.URL(base + request.path)) + (f"?{query}" if query else "")
    return EncodedRequest(request.method, *join_query_keys(url, headers), content, request.operation)


def encode_library_request(request: httpx.Request) -> EncodedRequest:
    """Encode a request that a library built, without the header Host, which the connection adds."""
    headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "host"}
    return EncodedRequest(request.method, str(request.url), headers, request.read())


class RestProtocol:
    """HTTP below ``base``, the target's address with its path; ``operations`` document parameters and bodies."""

    name = "rest"

    def __init__(self, base: str, wire: Wire, operations: Mapping[str, Operation]) -> None:
        self._base = base
        self._wire = wire
        self._operations = operations

    def start_attempt(self, probe_id: str) -> None:
        """Do nothing: REST has one encoding."""

    def encode(self, request: Request) -> EncodedRequest:
        """Implement `WireProtocol.encode`."""
        return encode_as_rest(self._base, request, self._operations)

    def send(self, encoded: EncodedRequest) -> Response:
        """Implement `WireProtocol.send`."""
        return self._wire.send(encoded)

    def format_command(self, encoded: EncodedRequest, redactor: Redactor, variables: ShellVariables) -> str:
        """Implement `WireProtocol.format_command`."""
        return format_request_as_curl(
            encoded.method, encoded.url, encoded.headers, encoded.content, redactor, variables
        )

    def close(self) -> None:
        """Implement `WireProtocol.close`."""
        self._wire.close()
