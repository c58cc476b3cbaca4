"""A body is read in the coding and media type that its headers name, as far as the contract declares them."""

import contextlib
import copy
import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.registry import Contract
from contract_watch.mock.bodies import RequestTooLargeError
from contract_watch.mock.content_coding import BrokenContentError, UnsupportedCodingError, decode_content
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.mock.vendor import MAX_BODY
from tests.support.patience import PATIENCE
from tests.support.suite_process import PAID_KEY

PATH = "/outbound/smarthost"
BODY = b'{"username": "a"}'
JSON = {"Content-Type": "application/json"}


def _deflate_raw(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("GZIP", gzip.compress(BODY)),
        ("gzip", gzip.compress(BODY[:5]) + gzip.compress(BODY[5:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", _deflate_raw(BODY)),
        ("deflate, gzip", gzip.compress(zlib.compress(BODY))),
        ("identity", BODY),
        ("", BODY),
    ],
    ids=["gzip", "x-gzip", "upper case", "two members", "zlib", "raw deflate", "two codings", "identity", "empty"],
)
def test_a_compressed_body_is_read(mock: httpx.Client, coding: str, content: bytes) -> None:
    """The object is created, and the journal shows the decoded body."""
    answer = mock.post(PATH, content=content, headers={**JSON, "Content-Encoding": coding})
    assert answer.status_code == 200
    [call] = mock.get("/__mock/calls").json()
    assert (call["body"], call["status"]) == ({"username": "a"}, 200)


@pytest.mark.parametrize(
    ("coding", "content", "reason"),
    [
        ("gzip", BODY, "Content-Encoding gzip: the body is not in this coding"),
        ("gzip", gzip.compress(BODY)[:-3], "Content-Encoding gzip: the compressed body ends too early"),
        ("gzip", gzip.compress(BODY) + b"more", "Content-Encoding gzip: the body is not in this coding"),
        ("gzip", gzip.compress(b"") * 200, "Content-Encoding gzip: the body has more than 100 members"),
        (
            "deflate",
            zlib.compress(BODY) + b"x",
            "Content-Encoding deflate: bytes follow the end of the compressed body",
        ),
        ("br", BODY, "Content-Encoding br; the mock reads gzip, deflate"),
        ("gzip, gzip, gzip, gzip", BODY, "Content-Encoding gzip, gzip, gzip, gzip; the mock reads gzip, deflate"),
    ],
    ids=["plain", "cut", "trailing", "members", "deflate trailing", "brotli", "many codings"],
)
def test_a_body_that_cannot_be_decoded_is_400(mock: httpx.Client, coding: str, content: bytes, reason: str) -> None:
    """The vendor's documented 400 answers, the journal says why, and nothing is created."""
    answer = mock.post(PATH, content=content, headers={**JSON, "Content-Encoding": coding})
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    [call] = mock.get("/__mock/calls").json()
    assert call["reason"].startswith(reason)
    assert mock.get("/__mock/state").json() == {"jetemail": []}


def test_a_bomb_is_413(mock: httpx.Client) -> None:
    """A small body that would fill the memory is refused at the limit, nested or not, and the mock goes on."""
    bomb = gzip.compress(b" " * (MAX_BODY + 1))
    for coding, content in (
        ("gzip", bomb),
        ("gzip, gzip", gzip.compress(bomb)),
        ("deflate", zlib.compress(b" " * 20_000_000)),
    ):
        answer = mock.post(PATH, content=content, headers={**JSON, "Content-Encoding": coding})
        assert (len(content) < 100_000, answer.status_code) == (True, 413)
    assert [call["status"] for call in mock.get("/__mock/calls").json()] == [413] * 3
    assert mock.get(PATH).status_code == 200


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "x-gzip", "gzip, deflate", "br", "\x00", ",,"]))
def test_any_bytes_are_decoded_or_refused(content: bytes, coding: str) -> None:
    """Decoding raises nothing but its own errors, and a compressed text comes back as it was."""
    assert decode_content("gzip", gzip.compress(content)) == content
    assert decode_content("deflate", zlib.compress(content)) == content
    with contextlib.suppress(UnsupportedCodingError, BrokenContentError, RequestTooLargeError):
        assert isinstance(decode_content(coding, content), bytes)


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("text/plain", "Content-Type text/plain; the contract has application/json"),
        (
            "application/x-www-form-urlencoded",
            "Content-Type application/x-www-form-urlencoded; the contract has application/json",
        ),
        ("application/vnd.api+json", "Content-Type application/vnd.api+json; the contract has application/json"),
        ("nonsense", "Content-Type nonsense; the contract has application/json"),
        ("application/json; charset=iso-8859-1", "Content-Type with charset iso-8859-1; only UTF-8 is read"),
        ('application/json; charset="utf-16"', "Content-Type with charset utf-16; only UTF-8 is read"),
    ],
)
def test_a_media_type_that_is_not_declared_is_malformed(mock: httpx.Client, content_type: str, reason: str) -> None:
    """The vendor's documented 400 answers, nothing is created, and the journal says what the contract has."""
    answer = mock.post(PATH, content=BODY, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    [call] = mock.get("/__mock/calls").json()
    assert call["reason"].startswith(reason)
    assert (call["body"], call["headers"]["content-type"]) == ("malformed", content_type)
    assert mock.get("/__mock/state").json() == {"jetemail": []}


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "Application/JSON;charset=UTF-8", "application/json; charset=us-ascii"]
)
def test_a_declared_media_type_is_read(mock: httpx.Client, content_type: str | None) -> None:
    """Case and a charset of UTF-8 make no difference; a body without a media type is read as the declared one."""
    headers = {"Content-Type": content_type} if content_type is not None else {}
    assert mock.post(PATH, content=BODY, headers=headers).status_code == 200


def test_an_empty_body_needs_no_media_type(mock: httpx.Client) -> None:
    """Some clients send a Content-Type with every request; without a body it says nothing."""
    assert mock.request("GET", PATH, headers={"Content-Type": "text/plain"}).status_code == 200


class _DocumentedContract(Contract):
    """JetEmail's contract whose create documents 413 and 415."""

    @property
    def effective(self) -> OpenApi:
        """Return the effective document with these responses."""
        if "document" not in self.__dict__:
            raw = copy.deepcopy(super().effective.raw)
            responses: dict[str, Any] = raw["paths"][PATH]["post"]["responses"]
            for status, text in (("413", "Too big for us"), ("415", "We read JSON")):
                responses[status] = {**copy.deepcopy(responses["401"]), "description": text}
            self.__dict__["document"] = OpenApi(raw, "test", self._credential_keys)
        document: OpenApi = self.__dict__["document"]
        return document


@pytest.fixture(name="documented", scope="module")
def _documented() -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {PAID_KEY}"}
    with (
        run_in_thread(build_mock([_DocumentedContract("jetemail")], {})) as address,
        httpx.Client(base_url=address, headers=headers, timeout=PATIENCE) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("headers", "content", "status", "text"),
    [
        ({"Content-Type": "text/plain"}, BODY, 415, "We read JSON"),
        ({**JSON, "Content-Encoding": "br"}, BODY, 415, "We read JSON"),
        (JSON, b" " * (MAX_BODY + 1), 413, "Too big for us"),
    ],
)
def test_documented_refusals_have_the_vendors_form(
    documented: httpx.Client, headers: dict[str, str], content: bytes, status: int, text: str
) -> None:
    """A documented 415 or 413 is the answer; that to a foreign coding names the ones that are read."""
    answer = documented.post(PATH, content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"success": False, "error": text})
    assert answer.headers.get("accept-encoding") == ("gzip, deflate" if "Content-Encoding" in headers else None)
