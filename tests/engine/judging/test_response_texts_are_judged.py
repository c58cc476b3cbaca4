"""JSON in another encoding than UTF-8, and JSON that parsers read in different ways, is a finding on any operation."""

import json
from collections.abc import Callable

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import parse_json
from contract_watch.engine.judging.checked_response import CheckedResponse
from contract_watch.engine.judging.disagreement import BREAKING
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.response_checks import check_response
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.judging.text_checks import (
    ContentType,
    check_ambiguous_json,
    check_content_type,
    check_text_encoding,
    parse_content_type,
)
from contract_watch.engine.protocols.wire import Response
from tests.support.direct_runs import run_directly
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

JSON = "application/json"
SUCCESS = '{"success": true, "message": "gr\\u00fcn"}'
REFUSAL = '{"success": false, "error": "no"}'

ListIds = Callable[..., list[str]]


@pytest.fixture(name="list_ids")
def _list_ids(jetemail: Contract) -> ListIds:
    def list_ids(body: bytes, media_type: str = JSON, status: int = 200, *, documented: bool = True) -> list[str]:
        operation = jetemail.operations["updateSmtpUser"]
        response = Response(status, {"content-type": media_type}, body, has_documented_headers=documented)
        secrets = RunSecrets(jetemail, {"paid": "key_0123456789abcdef"})
        checked = CheckedResponse(operation, response, operation.find_response(status), parse_json(body), secrets)
        found = list(check_response(checked))
        assert all(one.severity is BREAKING for one in found)
        assert all(redact_disagreement(one, secrets.redactor).title for one in found)
        return [one.id.removeprefix(f"updateSmtpUser/{status}/") for one in found]

    return list_ids


@pytest.mark.parametrize("media_type", [
    JSON, "application/json; charset=utf-8", 'Application/JSON;Charset="UTF-8"', "application/json ; charset=utf8",
    "application/json;", "application/json; charset=us-ascii", 'application/json; odata=verbose; note="a, b"',
])  # fmt: skip
def test_utf8_and_other_parameters_are_no_finding(list_ids: ListIds, media_type: str) -> None:
    """No recipient of such a response reads anything else than what was sent."""
    assert list_ids(SUCCESS.encode(), media_type) == []


def test_letters_outside_ascii_are_no_finding(list_ids: ListIds) -> None:
    """UTF-8 carries every letter, escaped or not, and a line break may end the body."""
    assert list_ids('{"success": true, "message": "grün ☃ 😀"}\n'.encode()) == []


@pytest.mark.parametrize("text", [SUCCESS, REFUSAL])
@pytest.mark.parametrize(("encoding", "found"), [
    ("utf-8-sig", "body/byte-order-mark"), ("utf-16", "body/encoding"), ("utf-16-le", "body/encoding"),
    ("utf-16-be", "body/encoding"), ("utf-32", "body/encoding"), ("utf-32-be", "body/encoding"),
])  # fmt: skip
def test_another_unicode_encoding_is_a_finding(list_ids: ListIds, text: str, encoding: str, found: str) -> None:
    """Python reads it, other languages do not; a refusal is judged like a success."""
    assert list_ids(text.encode(encoding), status=200 if text == SUCCESS else 400) == [found]


@pytest.mark.parametrize("body", [
    '{"success": true, "message": "grün"}'.encode("latin-1"), '{"success": true, "message": "grün"}'.encode("cp1252"),
    b'{"success": true, "message": "\xed\xa0\x80"}', b'{"success": true, "message": "\xc0\xaf"}', SUCCESS.encode("utf-16")[:-1],
])  # fmt: skip
def test_bytes_that_are_no_utf8_are_one_finding(list_ids: ListIds, body: bytes) -> None:
    """Latin-1, surrogates and overlong forms have a finding of their own, not one of broken JSON."""
    assert list_ids(body) == ["body/encoding"]


@pytest.mark.parametrize(("media_type", "found"), [
    ("application/json; charset=iso-8859-1", "media-type/charset"), ("application/json; charset=utf-16", "media-type/charset"),
    ("application/json; charset=utf-8; charset=latin1", "media-type/charset"), ('application/json; charset=""', "media-type/charset"),
    ("application/json; charset=utf-8, text/html", "media-type/malformed"), ("application/json; charset", "media-type/malformed"),
    ("application/json; charset=utf-8, application/json", "media-type/malformed"),
])  # fmt: skip
def test_another_charset_or_a_malformed_content_type_is_a_finding(
    list_ids: ListIds, media_type: str, found: str
) -> None:
    """Some clients decode by the charset, others reject all but UTF-8."""
    assert list_ids(SUCCESS.encode(), media_type) == [found]


def test_ascii_is_declared_for_ascii_alone(list_ids: ListIds) -> None:
    """A client that decodes letters by that charset fails on the others."""
    assert list_ids('{"success": true, "message": "grün"}'.encode(), "application/json; charset=us-ascii") == [
        "media-type/charset"
    ]


def test_grpc_has_no_charset(list_ids: ListIds) -> None:
    """Metadata of gRPC are no documented headers."""
    assert list_ids(SUCCESS.encode(), "application/json; charset=latin1", documented=False) == []


@pytest.mark.parametrize(("body", "found"), [
    ('{"success": true, "success": true, "message": ""}', ["body/success/repeated-name"]),
    ('{"success": true, "message": "", "m\\u0065ssage": "a"}', ["body/message/repeated-name"]),
    ('{"success": true, "message": ""} {}', ["body/not-json"]),
    ('{"success": true, "message": ""}\0', ["body/not-json"]),
    ('{"success": true, "message": NaN}', ["body/NaN", "body/message/type"]),
    ('{"success": true, "message": -Infinity}', ["body/-Infinity", "body/message/type"]),
])  # fmt: skip
def test_what_parsers_read_differently_is_a_finding(list_ids: ListIds, body: str, found: list[str]) -> None:
    """Repeated names and tokens outside JSON pass Python's parser, and no strict one."""
    assert sorted(list_ids(body.encode())) == sorted(found)


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\u0000"', "1e400", "12345678901234567890"])
def test_what_json_allows_is_read(jetemail: Contract, text: str) -> None:
    """Lone surrogates, NUL and numbers beyond a double are JSON: neither its encoding nor its tokens are reported."""
    operation, body = jetemail.operations["updateSmtpUser"], f'{{"success": true, "message": {text}}}'.encode()
    response, secrets = Response(200, {"content-type": JSON}, body), RunSecrets(jetemail, {})
    checked = CheckedResponse(operation, response, operation.find_response(200), parse_json(body), secrets)
    assert checked.has_json
    assert [*check_text_encoding(checked), *check_content_type(checked), *check_ambiguous_json(checked)] == []


@pytest.mark.parametrize(("value", "parsed"), [
    ("Text/HTML", ContentType("text/html")), ('a/b;x="c;charset=d";CHARSET="U\\TF-8"', ContentType("a/b", ("utf-8",))),
    ("", None), ("json", None), ("a/b c", None), ("a/b; x=", None), ('a/b; x="', None), ("a/" + "b" * 100_000 + " ;;; ;", ContentType("a/" + "b" * 100_000)),
])  # fmt: skip
def test_content_types_are_parsed_by_the_grammar(value: str, parsed: ContentType | None) -> None:
    """RFC 9110 decides; the length of a value does not matter."""
    assert parse_content_type(value) == parsed


class MarksBytes(FaithfulJetEmail):
    """Every update's answer begins with a byte order mark."""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        """See the faithful server."""
        answer = super().respond(requested)
        if requested.method != "PATCH" or not isinstance(answer, LoopbackResponse):
            return answer
        body = b"\xef\xbb\xbf" + json.dumps(answer.body).encode()
        head = f"HTTP/1.1 {answer.status} X\r\ncontent-type: {JSON}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        return head.encode() + body


def test_a_whole_run_names_the_operation_and_goes_on(jetemail: Contract) -> None:
    """The mark is found on success and refusal, and the values of the responses are judged all the same."""
    with serve_app(MarksBytes()) as server:
        record, _runner = run_directly(jetemail, server.url)
    ids = {finding.id for finding in record.findings}
    assert {"updateSmtpUser/200/body/byte-order-mark", "updateSmtpUser/400/body/byte-order-mark"} <= ids
    assert all(name.endswith("/byte-order-mark") for name in ids), ids
    assert {finding.operation for finding in record.findings} == {"PATCH /outbound/smarthost"}
