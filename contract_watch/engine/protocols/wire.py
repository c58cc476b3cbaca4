"""The one way to a target: every request of a run, whoever makes it, goes through a `Wire`.

Time and size are bounded, redirects are not followed, proxies and certificate settings of the environment are not
read, nothing is sent twice, and nothing is sent to another address than the target's.
"""

import functools
import ssl
import time
from dataclasses import dataclass

import httpx

from contract_watch.engine.account.gate import Gate
from contract_watch.engine.account.guard import over_http
from contract_watch.engine.protocols.deadline import Deadline, TooLargeError, body, transport

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
TOTAL_TIMEOUT = 30.0
MAX_ANSWER = 8 * 1024 * 1024


@functools.cache
def tls() -> ssl.SSLContext:
    """What TLS connections trust, read once: it takes longer than a dozen requests."""
    return httpx.create_ssl_context(trust_env=False)


class Trouble(Exception):  # noqa: N818 (a condition of the line, which most callers expect)
    """No whole answer came. ``kind`` is `refused`, `silent`, `broken`, `not-http`, `too-large` or `elsewhere`."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words


@dataclass(frozen=True)
class Reply:
    """An answer as it came; header names are lower case.

    Of other surfaces than REST, what they say in REST's words; ``flaws`` are what is wrong with how they said it, each
    with a word for it.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    flaws: tuple[tuple[str, str], ...] = ()


class Wire:
    """A connection to one target, kept alive between requests. ``base`` is the target's scheme and authority.

    On a real account every request passes ``gate``.
    """

    def __init__(self, base: str, gate: Gate | None = None, read_timeout: float = READ_TIMEOUT) -> None:
        self._gate = gate
        self._base = httpx.URL(base)
        self._deadline = Deadline()
        self._transport = transport(tls(), self._deadline)
        timeout = httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT)
        self._extensions = {"timeout": timeout.as_dict()}

    def close(self) -> None:
        """Give the connection up."""
        self._transport.close()

    def send(self, request: httpx.Request) -> Reply:
        """Send ``request`` and read the whole answer; `Trouble` where there is none. What a gate may raise, see there."""
        if self._gate is None:
            return self._deliver(request)
        return self._gate.send(over_http(request), lambda: self._deliver(request))

    def _deliver(self, request: httpx.Request) -> Reply:
        if (request.url.scheme, request.url.host, request.url.port) != (
            self._base.scheme,
            self._base.host,
            self._base.port,
        ):
            raise Trouble("elsewhere", f"a request to {request.url.host}, which is not the target, was held back")
        request.extensions = {**request.extensions, **self._extensions}
        self._deadline.at = time.monotonic() + TOTAL_TIMEOUT
        try:
            response = self._transport.handle_request(request)
            try:
                content = body(response.iter_raw(), response.headers.get("content-encoding", ""), MAX_ANSWER)
            finally:
                response.close()
        except TooLargeError as error:
            raise Trouble("too-large", f"the answer is longer than {MAX_ANSWER} bytes") from error
        except httpx.ConnectTimeout as error:
            raise Trouble("refused", "the target does not take connections") from error
        except httpx.ConnectError as error:
            if "SSL" in str(error) or "CERTIFICATE" in str(error):
                raise Trouble("refused", "no trusted TLS connection can be made") from error
            raise Trouble("refused", "the target refuses connections, or its name is unknown") from error
        except httpx.TimeoutException as error:
            raise Trouble("silent", "the target takes the request and does not answer in time") from error
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            kind = "not-http" if "illegal" in str(error).lower() else "broken"
            words = "what answers there does not speak HTTP" if kind == "not-http" else "the answer broke off"
            raise Trouble(kind, words) from error
        except (httpx.TransportError, httpx.StreamError) as error:
            raise Trouble("broken", f"the connection broke ({type(error).__name__})") from error
        headers: dict[str, str] = {}
        for name, value in response.headers.multi_items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Reply(response.status_code, headers, content)
