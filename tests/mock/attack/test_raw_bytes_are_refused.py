"""No bytes on a connection make the mock answer 5xx, hang, or change its state, unless they are a whole request."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.mock import protocol
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE
from tests.support.raw_http import RawResponses, connect, exchange
from tests.support.suite_process import PAID_KEY

PATH = b"/outbound/smarthost"
KEY = f"Authorization: Bearer {PAID_KEY}\r\n".encode()
HOST = b"Host: 127.0.0.1\r\n"
CLOSE = b"GET /__mock/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"


def _get(target: bytes = PATH, headers: bytes = HOST + KEY, version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + headers + b"\r\n"


def _post(body: bytes, headers: bytes = b"", target: bytes = PATH) -> bytes:
    length = b"" if b"Transfer-Encoding" in headers else b"Content-Length: %d\r\n" % len(body)
    return b"POST " + target + b" HTTP/1.1\r\n" + HOST + KEY + headers + length + b"\r\n" + body


def _create(name: str) -> bytes:
    return json.dumps({"username": name}).encode()


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


# Each of these ends its connection with one refusal, although a whole request may follow.
MALFORMED = {
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(4) + b"\x04" + bytes(4),
    "HTTP/2.0": _get(version=b"HTTP/2.0"),
    "HTTP/3.7": _get(version=b"HTTP/3.7"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 200,
    "SMTP": b"EHLO client.example.com\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
    "NUL": bytes(100),
    "CONNECT": b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "target without path": _get(b"http://127.0.0.1"),
    "target with NUL": _get(PATH + b"\0"),
    "target with bytes": _get(PATH + b"/\xff\xfe"),
    "target with a space": _get(PATH + b" and more"),
    "target with a carriage return": _get(PATH + b"\r/x"),
    "line feeds alone": _get().replace(b"\r\n", b"\n"),
    "carriage returns alone": _get().replace(b"\r\n", b"\r"),
    "small letters": _get().replace(b"GET", b"get"),
    "unknown method": _get().replace(b"GET", b"GOT"),
    "folded header": _get(headers=HOST + b"X: a\r\n b\r\n"),
    "header without colon": _get(headers=HOST + b"X\r\n"),
    "header without name": _get(headers=HOST + b": x\r\n"),
    "space before the colon": _get(headers=HOST + b"X : y\r\n"),
    "NUL in a header": _get(headers=HOST + b"X: a\0b\r\n"),
    "carriage return in a header": _get(headers=HOST + b"X: a\rY: b\r\n"),
    "two lengths": b"POST " + PATH + b" HTTP/1.1\r\n" + HOST + KEY + b"Content-Length: 2\r\nContent-Length: 17\r\n\r\n" + _create("a"),
    "length and chunks": _post(_create("a"), b"Content-Length: 17\r\n" + CHUNKED),
    "negative length": _post(b"").replace(b"Length: 0", b"Length: -1"),
    "length beyond all integers": _post(b"").replace(b"Length: 0", b"Length: " + b"9" * 30),
    "length with a sign": _post(b"").replace(b"Length: 0", b"Length: +0"),
    "length in words": _post(b"").replace(b"Length: 0", b"Length: many"),
    "unknown transfer encoding": _post(_create("a"), b"Transfer-Encoding: gzip\r\n"),
    "chunk of no size": _post(b"\r\n" + _create("a") + b"\r\n0\r\n\r\n", CHUNKED),
    "chunk of a bad size": _post(b"zz\r\n" + _create("a") + b"\r\n0\r\n\r\n", CHUNKED),
    "chunk of a negative size": _post(b"-1\r\n" + _create("a") + b"\r\n0\r\n\r\n", CHUNKED),
    "chunk beyond all integers": _post(b"f" * 20 + b"\r\n" + _create("a"), CHUNKED),
    "chunk longer than its size": _post(b"3\r\n" + _create("a") + b"\r\n0\r\n\r\n", CHUNKED),
    "good chunk, then a bad one": _post(_chunk(_create("a"))[:-5] + b"x\r\n", CHUNKED),
    "header without end": b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000_000,
    "name of a header without end": b"GET / HTTP/1.1\r\n" + b"x" * 1_000_000,
    "target without end": b"GET /" + b"x" * 1_000_000,
    "long target": _get(b"/" + b"x" * 300_000),
    "many headers": _get(headers=HOST + b"X: y\r\n" * 10_000),
    "trailer without end": _post(b"0\r\nX: " + b"x" * 1_000_000, CHUNKED),
    "chunk extension without end": _post(b"5;x=" + b"x" * 1_000_000, CHUNKED),
}  # fmt: skip
# Each of these is a request that gets its answer, after which the connection goes on.
ANSWERED = {
    "HTTP/1.1": (_get(), 200),
    "blank lines first": (b"\r\n" * 1000 + _get(), 200),
    "absolute target": (_get(b"http://api.example" + PATH), 200),
    "absolute control": (_get(b"http://evil.example/__mock/state"), 403),
    "absolute control with a port": (_get(b"http://evil.example:8025/__mock/state"), 403),
    "absolute local control": (_get(b"http://127.0.0.1:1/__mock/health", b"Host: evil.example\r\n"), 200),
    "two slashes": (_get(b"//evil.example/__mock/state"), 404),
    "asterisk": (_get(b"*"), 404),
    "line break in the path": (_get(b"/outbound/%0d%0aX-Injected:%201"), 404),
    "NUL in the path": (_get(b"/outbound/%00"), 404),
    "half a surrogate pair in the path": (_get(b"/outbound/%ed%a0%80"), 400),
    "bad percent encoding": (_get(b"/outbound/%zz%ff%"), 400),
    "dots in the path": (_get(b"/outbound/../../etc/passwd"), 404),
    "query that is no text": (_get(PATH + b"?a=%00&b=%ff&a=%zz&&=&"), 200),
    "key that is no text": (_get(headers=HOST + b"Authorization: Bearer \xff\xfe\r\n"), 401),
    "other method": (_get().replace(b"GET", b"PROPFIND"), 405),
    "expectation that is unknown": (_post(b"", b"Expect: everything\r\n"), 400),
    "media type that is no text": (_post(b"{}", b"Content-Type: \xff\xfe; charset=\xff\r\n"), None),
    "duplicate key": (_post(b'{"username": 1, "username": 2}'), 400),
    "half a surrogate pair": (_post(b'{"username": "\\ud800!"}'), 400),
    "NUL in JSON": (_post(b'{"username": "a\\u0000"}'), 400),
    "20,000 levels": (_post(b'{"username": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"), 400),
    "20,000 levels of objects": (_post(b'{"x":' * 20_000 + b"1" + b"}" * 20_000), 400),
    "20,000 levels for a control": (_post(b"[" * 20_000 + b"]" * 20_000, target=b"/__mock/faults"), 400),
    "20,000 open levels for a control": (_post(b'{"x":' * 20_000, target=b"/__mock/faults"), 400),
    "a number of 100,000 digits for a control": (_post(b'{"times": ' + b"9" * 100_000 + b"}", target=b"/__mock/faults"), 400),
    "half a surrogate pair for a control": (_post(b'{"operation": 1, "\\ud800": 2}', target=b"/__mock/faults"), 400),
    "two hosts for a control": (_get(b"/__mock/state", HOST * 2), 403),
    "no host for a control": (_get(b"/__mock/state", b"Host:\r\n"), 403),
}  # fmt: skip
_GRPC_WEB = MessageCodec(Contract("zitadel")).get_method_path("addSmtpConfig").encode()
MEDIA_TYPES = [
    "", "application/json", "application/json; charset=utf-8", "application/json; charset=utf-16", "APPLICATION/JSON", "application/json;",
    "application/json; charset=nonsense", "application/json; boundary=x", "application/problem+json", "application/vnd.api+json",
    "application/ld+json", "application/x-ndjson", "text/json", "text/plain", "text/html", "text/xml", "text/csv", "text/event-stream",
    "application/xml", "application/soap+xml", "application/yaml", "application/toml", "application/x-www-form-urlencoded",
    "multipart/form-data", "multipart/form-data; boundary=x", "multipart/mixed; boundary=", 'multipart/form-data; boundary="', "application/cbor",
    "application/msgpack", "application/protobuf", "application/x-protobuf", "application/grpc", "application/grpc+proto", "application/grpc-web",
    "application/grpc-web+proto", "application/grpc-web-text", "application/grpc-web-text+proto", "application/grpc-web+json",
    "application/octet-stream", "application/pdf", "application/zip", "application/gzip", "application/javascript", "application/wasm",
    "image/png", "image/svg+xml", "audio/mpeg", "video/mp4", "font/woff2", "message/rfc822", "message/http", "model/gltf+json", "*/*", "json", "/",
    ";", "application/", "/json", "a/b/c", "application/json, text/plain", "x" * 10_000, 'application/json; q="\\"', "\t", "application json",
]  # fmt: skip


@pytest.fixture(name="base", scope="module")
def _base() -> Iterator[str]:
    with run_in_thread(build_mock(list(load_contracts().values()), {})) as base:
        yield base


def _read_state(base: str) -> Any:
    return httpx.get(f"{base}/__mock/state", timeout=PATIENCE).json()


@pytest.fixture(name="empty", autouse=True)
def _empty(base: str) -> Iterator[None]:
    """Begin with an empty state; afterwards the mock still answers, and creates what it is asked to."""
    httpx.delete(f"{base}/__mock/state", timeout=PATIENCE)
    yield
    assert exchange(base, _post(_create("afterwards")), CLOSE).statuses == [200, 200]


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_requests_end_the_connection(base: str, what: str) -> None:
    """The one response is 4xx; what follows on the connection is not carried out, and the state stays."""
    before = _read_state(base)
    received = exchange(base, MALFORMED[what], _post(_create("smuggled")) + CLOSE)
    assert len(received.statuses) <= 1
    assert all(400 <= status < 500 for status in received.statuses)
    assert received.statuses or len(MALFORMED[what]) > 100_000  # a reset can overtake the response to those
    assert _read_state(base) == before


@pytest.mark.parametrize("what", ANSWERED)
def test_odd_requests_get_their_answer(base: str, what: str) -> None:
    """The response has the documented status, no header of the request's making, and the next request is answered too."""
    content, status = ANSWERED[what]
    received = exchange(base, content, CLOSE)
    first, second = received.statuses
    assert first == (status or first)
    assert first < 500
    assert second == 200
    assert b"\r\nx-injected" not in received.content.lower()


@pytest.mark.parametrize(
    "path", [PATH, b"/v3/users/smtp/add", _GRPC_WEB, b"/__mock/faults", b"/__mock/interpretations"]
)
def test_every_media_type_is_answered(base: str, path: bytes) -> None:
    """Whatever the media type, a body that is none of the expected is a 4xx, or gRPC-web's own error."""
    for media_type in MEDIA_TYPES:
        for body in (b"\xff\x00[", b"[" * 50_000):
            headers = b"Content-Type: " + media_type.encode() + b"\r\n"
            received = exchange(base, _post(body, headers, path), CLOSE)
            first, second = received.statuses
            is_grpc_web = path == _GRPC_WEB and grpc_web_frames.is_grpc_web(media_type)
            assert first == 200 if is_grpc_web else 400 <= first < 500, (media_type, first)
            assert second == 200


def test_a_refusal_comes_after_earlier_responses(base: str) -> None:
    """Whole requests before a malformed one are answered first: the 400 is nobody else's."""
    refused = [MALFORMED["chunk of a bad size"], MALFORMED["NUL"], MALFORMED["many headers"]]
    for number, last in enumerate(refused):
        received = exchange(base, _post(_create(f"a{number}")) + _get() + last)
        assert received.statuses[:2] == [200, 200]
        assert [status // 100 for status in received.statuses[2:]] in ([4], [])
        assert exchange(base, _get() + last).statuses[:1] == [200]


def test_pipelined_requests_are_answered_in_order(base: str) -> None:
    """A hundred requests in one packet get a hundred responses."""
    content = b"".join(_post(_create(f"user{number}")) for number in range(100))
    assert exchange(base, content, CLOSE).statuses == [200] * 101
    assert len(_read_state(base)["jetemail"]) == 100


def test_a_flood_of_pipelined_requests_is_not_stored(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While requests wait for their turn, the mock reads no more: a flood waits in the client."""
    longest = 0
    begin = protocol.MockProtocol.on_headers_complete

    def measure(self: protocol.MockProtocol) -> None:
        nonlocal longest
        begin(self)
        longest = max(longest, len(self.pipeline))

    monkeypatch.setattr(protocol.MockProtocol, "on_headers_complete", measure)
    request = b"GET /__mock/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: %b\r\n\r\n" % (b"x" * 400)
    per_packet = 262_144 // len(request)
    statuses = _exchange_in_parallel(base, request * (8 * per_packet) + CLOSE)
    assert statuses == 8 * per_packet + 1
    assert per_packet // 2 < longest <= 2 * per_packet


def _exchange_in_parallel(base: str, content: bytes) -> int:
    """Send ``content`` while responses are read; return the number of responses."""
    received = bytearray()
    with connect(base) as connection:
        sender = threading.Thread(target=connection.sendall, args=(content,))
        sender.start()
        while more := connection.recv(65536):
            received += more
        sender.join(PATIENCE)
    return len(RawResponses(bytes(received)).statuses)


@pytest.mark.parametrize("media", [b"Content-Length: %d\r\n", b"Content-Length: %d\r\nExpect: 100-continue\r\n"])
def test_a_body_that_breaks_off_is_not_carried_out(base: str, media: bytes) -> None:
    """A client that leaves in the middle of its request has sent none, although the half looks whole."""
    body = _create("half")
    for target in (PATH, b"/__mock/state"):
        with connect(base) as connection:
            head = _post(body, target=target).replace(b"Content-Length: %d\r\n" % len(body), media % (len(body) + 10))
            connection.sendall(head)
        assert exchange(base, _get(), CLOSE).statuses == [200, 200]
    assert _read_state(base)["jetemail"] == []


def test_a_client_that_waits_for_100_is_told_to_go_on(base: str) -> None:
    """`Expect: 100-continue` gets the interim response, and the request is carried out."""
    received = exchange(base, _post(_create("patient"), b"Expect: 100-continue\r\n"), CLOSE)
    assert received.statuses == [100, 200, 200]


@pytest.mark.parametrize("upgrade", [H2C, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"], ids=["h2c", "websocket"])
def test_offers_to_upgrade_are_ignored(base: str, upgrade: bytes) -> None:
    """Java's client offers HTTP/2 with every request: each is answered, with its body, and so are those behind it."""
    chunked = b"POST " + PATH + b" HTTP/1.1\r\n" + HOST + KEY + upgrade + CHUNKED + b"\r\n" + _chunk(_create("b"))
    content = _post(_create("a"), upgrade) + chunked + _get(headers=HOST + KEY + upgrade) * 500
    assert exchange(base, content, CLOSE).statuses == [200] * 503
    assert [user["username"] for user in _read_state(base)["jetemail"]] == ["a", "b"]
    with connect(base) as connection:
        for at in range(0, len(chunked), 7):
            connection.sendall(chunked[at : at + 7])
        assert connection.makefile("rb").readline() == b"HTTP/1.1 409 Conflict\r\n"
