"""A published document is fetched as a whole from the right server, or the run is inconclusive; it is never drift."""

import gzip
import socket
import tracemalloc
import zlib
from typing import Any

import httpx
import pytest

from contract_watch.diff.document.fetching import FetchedDocument, FetchLimits, NotModified, fetch_document
from contract_watch.diff.document.limits import MAX_BYTES
from contract_watch.net import Deadline
from tests.support.documents.fetches import DOCUMENT, JSON, SHORT_LIMITS, YAML, fetch_refusal, make_document_response
from tests.support.loopback_server import App, LoopbackResponse, serve_app


def fetch_refusal_from(app: App, path: str = "/openapi.json", limits: FetchLimits = SHORT_LIMITS) -> str:
    """Return the error message for the response of ``app``, after exactly one request."""
    with serve_app(app) as server:
        line = fetch_refusal(server.url + path, limits=limits)
        assert line.startswith(f"{server.url}{path}"), line
        assert len(server.requests) == 1
        return line


def fetch_from(app: App, **how: Any) -> FetchedDocument:
    """Fetch the document from ``app``."""
    with serve_app(app) as server:
        found = fetch_document(f"{server.url}/openapi.json", **how)
        assert isinstance(found, FetchedDocument)
        return found


@pytest.mark.parametrize(("content", "media"), [(JSON, "application/json"), (YAML, "application/yaml")])
def test_a_document_comes_as_it_is_published(content: bytes, media: str) -> None:
    """A document in JSON or YAML is fetched as a whole, with its bytes and its address."""
    with serve_app(lambda _asked: LoopbackResponse(200, content=content, media_type=media)) as server:
        found = fetch_document(f"{server.url}/docs/openapi?a=b#part")
        assert isinstance(found, FetchedDocument)
        assert found == FetchedDocument(found.document, content, "", f"{server.url}/docs/openapi?a=b#part")
        assert found.document["openapi"] == "3.1.0"
        assert [(requested.method, requested.path, requested.content) for requested in server.requests] == [
            ("GET", "/docs/openapi?a=b", b"")
        ]


def test_a_request_says_who_asks_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has fixed headers and nothing from the environment, though proxies and a .netrc are set."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serve_app(lambda _asked: make_document_response()) as server:
        fetch_document(server.url)
        (requested,) = server.requests
    assert requested.headers["user-agent"] == "contract-watch"
    assert requested.headers["accept-encoding"] == "gzip"
    assert requested.headers.keys() == {"host", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize(
    "media",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/json", "application/vnd.oai.openapi+json",
     "application/openapi+yaml", "application/vnd.oai.openapi", "application/vnd.oai.openapi;version=3.1", "application/yaml",
     "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml", "text/plain", "text/plain; charset=utf-8",
     "application/octet-stream", "binary/octet-stream", ""],
)  # fmt: skip
def test_every_media_type_of_documents_is_accepted(media: str) -> None:
    """Documents of many media types, and of none, are accepted."""
    assert fetch_from(lambda _asked: LoopbackResponse(200, content=JSON, media_type=media)).document == DOCUMENT


@pytest.mark.parametrize("etag", ['"abc"', 'W/"abc-gzip"', '""', '"' + "x" * 250 + '"'])
def test_an_etag_is_given_back_and_believed(etag: str) -> None:
    """An ETag is returned, sent with the next request, and 304 then means not modified."""

    def app(requested: Any) -> LoopbackResponse:
        known = requested.headers.get("if-none-match") == etag
        return LoopbackResponse(304, content=b"", media_type="") if known else make_document_response(ETag=etag)

    with serve_app(app) as server:
        first = fetch_document(server.url)
        assert isinstance(first, FetchedDocument)
        assert first.etag == etag
        assert fetch_document(server.url, etag=first.etag) == NotModified(etag)
        assert fetch_document(server.url, etag='"other"') == first


@pytest.mark.parametrize("etag", ["abc", '"a"b"', 'w/"abc"', '"ä"', '"' + "x" * 300 + '"', '"a", "b"', "*", '"a b"'])
def test_what_is_no_etag_is_neither_kept_nor_sent(etag: str) -> None:
    """A malformed ETag, with spaces or of excessive length, is neither returned nor sent."""
    with serve_app(lambda _asked: LoopbackResponse(200, content=JSON, headers={"ETag": etag})) as server:
        found = fetch_document(server.url, etag=etag)
        assert isinstance(found, FetchedDocument)
        assert found.etag == ""
        assert "if-none-match" not in server.requests[0].headers
    assert "\n" not in fetch_refusal("http://127.0.0.1:9", etag='"a\r\nX: y"')


def test_redirects_on_the_same_server_are_followed() -> None:
    """Five redirects on the same server are followed, absolute and relative, with each status.

    The result has the last address, and no cookie from the way is sent.
    """
    locations = ["/a", "b/c?d=e", "../f", "//{host}/g", "http://{host}/h"]

    def app(requested: Any) -> LoopbackResponse:
        number = len(server.requests) - 1
        if number == 5:
            return make_document_response()
        location = locations[number].format(host=requested.headers["host"])
        return LoopbackResponse(
            (301, 302, 303, 307, 308)[number], content=b"x" * 1000, headers={"Location": location, "Set-Cookie": "a=b"}
        )

    with serve_app(app) as server:
        found = fetch_document(f"{server.url}/start")
        assert isinstance(found, FetchedDocument)
        assert (found.address, found.document) == (f"{server.url}/h", DOCUMENT)
        assert [requested.path for requested in server.requests] == ["/start", "/a", "/b/c?d=e", "/f", "/g", "/h"]
        assert all("cookie" not in requested.headers for requested in server.requests)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "identity"])
def test_packed_documents_are_unpacked(encoding: str) -> None:
    """A body with gzip is decompressed, in one piece or in chunks of one byte."""
    content = JSON if encoding == "identity" else gzip.compress(JSON, mtime=0)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in content)
    assert fetch_from(lambda _asked: make_document_response(content, Content_Encoding=encoding)).content == JSON
    assert fetch_from(lambda _asked: head + chunks + b"0\r\n\r\n").content == JSON


def test_the_largest_document_is_fetched() -> None:
    """A document of the maximal size is fetched, and one byte more is refused."""
    limits = FetchLimits(size=len(JSON))
    assert fetch_from(lambda _asked: make_document_response(), limits=limits).content == JSON
    assert (
        fetch_from(
            lambda _asked: make_document_response(gzip.compress(JSON, mtime=0), Content_Encoding="gzip"), limits=limits
        ).content
        == JSON
    )
    for app in (
        lambda _asked: make_document_response(JSON + b" "),
        lambda _asked: make_document_response(gzip.compress(JSON + b" ", mtime=0), Content_Encoding="gzip"),
    ):
        assert f"is larger than {len(JSON)} bytes" in fetch_refusal_from(app, limits=limits)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/openapi.json", "http://example.com/openapi.json: is not fetched over http"),
        ("http://127.0.0.1.example.com/", "is not fetched over http"), ("http://localhost.example.com/", "is not fetched over http"),
        ("http://10.0.0.1/", "is not fetched over http"), ("http://[::2]/", "http://[::2]/: is not fetched over http"),
        ("ftp://example.com/a", "is not an https address"), ("file:///etc/passwd", "is not an https address"), ("", "is not an https address"),
        ("openapi.json", "is not an https address"), ("//example.com/a", "is not an https address"), ("https://", "is not an https address"),
        ("https:///a", "is not an https address"), ("https://[::1/a", "the address of the published document is malformed"),
        ("https://xn--a/", "the address of the published document is malformed"),
        ("https://example.com:x/", "the address of the published document is malformed"), ("https://a\nb/", "is malformed"),
        ("https://example.com/\x1b[2J", "is malformed"), ("https://example.com/" + "x" * 70_000, "is malformed"),
        ("https://user:hidden@example.com/a", "https://example.com/a: the address contains credentials"),
        ("https://hidden@example.com/a", "contains credentials"), ("http://:hidden@127.0.0.1:1/?hidden=hidden", "contains credentials"),
    ],
)  # fmt: skip
def test_an_address_that_is_not_asked(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only https, and http on this machine, is requested, and no address with credentials.

    Other addresses cause no name resolution, and one line without anything secret.
    """
    monkeypatch.delattr(socket, "getaddrinfo")
    line = fetch_refusal(url)
    assert words in line
    assert "hidden" not in line


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 418, 429, 500, 503, 599])
def test_every_other_status_is_given_up(status: int) -> None:
    """Any status but 200 fails, even with a document, and so does a 304 without an ETag."""
    content = b"" if status in (204, 304) else JSON
    assert f": the response has status {status}, not 200; " in fetch_refusal_from(
        lambda _asked: LoopbackResponse(status, content=content)
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (LoopbackResponse(200, content=JSON, media_type="text/html; charset=utf-8"), "the response is an HTML page; give the address"),
        (LoopbackResponse(200, content=JSON, media_type="application/xhtml+xml"), "the response is an HTML page"),
        (LoopbackResponse(200, content=b"<!doctype html><title>Down</title>"), "is an HTML page, not an OpenAPI document"),
        (LoopbackResponse(200, content=JSON, media_type="application/pdf"), "the response is application/pdf, which is neither JSON nor YAML"),
        (LoopbackResponse(200, content=JSON, media_type="image/png"), "neither JSON nor YAML"), (LoopbackResponse(200, content=JSON, media_type="json"), "neither JSON"),
        (LoopbackResponse(200, content=JSON, media_type="application/json, text/html"), "neither JSON nor YAML"),
        (LoopbackResponse(200, content=JSON, media_type="multipart/" + "x" * 3000), "neither JSON nor YAML"),
        (LoopbackResponse(200, content=b""), "is empty"), (LoopbackResponse(200, content=b'{"openapi": "3.1.0", "pat'), ":1:22: is not JSON"),
        (LoopbackResponse(200, content=b'{"swagger": "2.0"}'), "is Swagger 2.0"), (LoopbackResponse(200, content=b'{"error": "no"}'), "has no `openapi`"),
        (LoopbackResponse(200, content=b"a: *b", media_type="text/yaml"), ":1:4: has the alias *b"),
        (LoopbackResponse(200, content=b'{"openapi": "3.1.0", "paths": {"/a": {"$ref": "a.yaml"}}}'), "refers to another file"),
        (make_document_response(JSON, Content_Encoding="br"), "has the encoding br, which was not requested"),
        (make_document_response(zlib.compress(JSON), Content_Encoding="deflate"), "has the encoding deflate"),
        (make_document_response(gzip.compress(gzip.compress(JSON, mtime=0), mtime=0), Content_Encoding="gzip, gzip"), "has the encoding gzip, gzip"),
        (make_document_response(gzip.compress(JSON, mtime=0)[:-1], Content_Encoding="gzip"), "the response is incomplete"),
        (make_document_response(b"", Content_Encoding="gzip"), "the response is incomplete"), (make_document_response(JSON, Content_Encoding="gzip"), "the response is incomplete"),
        (make_document_response(gzip.compress(JSON, mtime=0) * 2, Content_Encoding="gzip"), "the response is incomplete"),
        (make_document_response(gzip.compress(JSON, mtime=0) + b"\0", Content_Encoding="gzip"), "the response is incomplete"),
        (LoopbackResponse(200, content=JSON, declared_length=len(JSON) + 1), "the response is incomplete"),
        (LoopbackResponse(200, content=JSON, declared_length=MAX_BYTES + 1), f"is larger than {MAX_BYTES:,} bytes"),
        (LoopbackResponse(200, content=JSON, declared_length=10**19), "is larger than"),
        (None, "the response is incomplete"), (b"SSH-2.0-OpenSSH_9\r\n", "not HTTP"), (b"HTTP/1.1 200 OK\r\n", "the response is incomplete"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"),
    ],
    ids=lambda given: repr(given)[:70],
)  # fmt: skip
def test_what_is_no_whole_document_is_given_up(answer: LoopbackResponse | bytes | None, words: str) -> None:
    """A response that is not the whole document fails with one line: address and fix."""
    assert words in fetch_refusal_from(lambda _asked: answer)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://127.0.0.1:{other}/a?hidden", "redirects to another server, http://127.0.0.1:{other}/a"),
        ("//127.0.0.1:{other}/a", "another server"), ("http://localhost:{own}/a", "another server"),
        ("https://127.0.0.1:{own}/a", "redirects to another server, https://127.0.0.1:{own}/a"),
        ("http://127.0.0.1/a", "another server"), ("ftp://127.0.0.1:{own}/", "another server"), ("file:///etc/passwd", "another server"),
        ("http://user:hidden@127.0.0.1:{own}/a", "the redirect has no valid address"), ("", "the redirect has no valid address"),
        ("http://xn--a/", "the redirect has no valid address"), ("http://[::1", "the redirect has no valid address"), ("http://a:b/", "the redirect has no valid address"),
    ],
)  # fmt: skip
def test_a_redirect_elsewhere_is_not_followed(location: str, words: str) -> None:
    """A redirect to another host, port or scheme is not followed.

    The one line names it without anything secret, and no other server gets a request.
    """
    with serve_app(lambda _asked: make_document_response()) as other:

        def app(_asked: Any) -> LoopbackResponse:
            return LoopbackResponse(302, content=b"", headers={"Location": location.format(**ports)})

        with serve_app(app) as server:
            ports = {"other": other.server_port, "own": server.server_port}
            line = fetch_refusal(f"{server.url}/openapi.json")
            assert line.startswith(f"{server.url}/openapi.json: ")
            assert words.format(**ports) in line
            assert "hidden" not in line
            assert (len(server.requests), other.connections) == (1, 0)


def test_redirects_without_an_end_are_given_up() -> None:
    """A server that redirects to itself gets six requests, then one line follows."""
    with serve_app(lambda _asked: LoopbackResponse(301, content=b"", headers={"Location": "/again"})) as server:
        assert "more than 5 redirects" in fetch_refusal(f"{server.url}/openapi.json")
        assert len(server.requests) == 6


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b" " * 60_000_000, mtime=0), gzip.compress(JSON + b"\0" * 60_000_000, mtime=0), b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 6_000_000],
    ids=["spaces", "document and zeros", "packed blocks of nothing"],
)  # fmt: skip
def test_a_bomb_of_gzip_is_not_unpacked(content: bytes) -> None:
    """The limit applies to compressed and decompressed bytes: 60 MB in some kilobytes, and 30 MB of nothing.

    Both are refused without a Content-Length, and memory stays close to the limit.
    """
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece)
        for piece in (content[at : at + 60_000] for at in range(0, len(content), 60_000))
    )
    response = head + pieces + b"0\r\n\r\n"
    assert f"is larger than {MAX_BYTES:,} bytes" in fetch_refusal_from(lambda _asked: response)
    tracemalloc.start()
    try:
        assert "is larger than 1,000,000 bytes" in fetch_refusal_from(
            lambda _asked: response, limits=FetchLimits(size=1_000_000)
        )
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_another_line_can_be_given() -> None:
    """A caller may substitute the transport, which gets an https request within the deadline."""
    seen: list[Any] = []

    def answer(requested: httpx.Request) -> httpx.Response:
        seen.append(str(requested.url))
        return httpx.Response(200, json=DOCUMENT)

    def line(deadline: Deadline) -> httpx.BaseTransport:
        seen.append(deadline.compute_remaining(None))
        return httpx.MockTransport(answer)

    found = fetch_document("https://EXAMPLE.com:443/a", limits=FetchLimits(total=7.0), create_transport=line)
    assert isinstance(found, FetchedDocument)
    assert 6.0 < seen[0] <= 7.0
    assert seen[1:] == ["https://example.com/a"]
