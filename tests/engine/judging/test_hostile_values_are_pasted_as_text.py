"""No value of a server's or a document's is read by the shell that a reproduction is pasted into."""

import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.judging.reproduction import build_key_variables, format_script
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, encode_as_rest
from contract_watch.engine.running.session import Session
from contract_watch.mock.grpc.calls import GrpcResponse
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.support.patience import PATIENCE
from tests.support.protocol_sessions import make_protocol, make_session

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the lines are for bash")

ZITADEL = Contract("zitadel")
KEY = ZITADEL.credentials[0]
WORDS = {
    "substitution": "$(touch HIT)${HOME}`touch HIT`",
    "single quote": "it's'; touch HIT; '",
    "double quote": '"; touch HIT; "',
    "line breaks": "a\ntouch HIT\r\n!!\n",
    "history": "!! it's !touch !1 \\'!!",
    "file": "@/etc/hostname",
    "dash": "-o HIT",
    "globs": "{a,b}[1-3]*?~ $((1+1))",
    "percent": "100%s%n%2e%2e\\x41\\u0041",
    "sed": "x/;e touch HIT #\\&",
    "controls": "\x01\x07\x1b[2J\x7f\x9b31m\x00end",
    "bidi": "\u202eevil\u2066\u200f\u2028",
    "workflow": "::error::x ##[error]y ##vso[task.setvariable]z",
    "astral": "😀 é ￿ 𝐬elf",
    "comment": "# x",
    "empty": "",
}  # fmt: skip
"""The words of a hostile server or document, by what they aim at."""


@dataclass
class Received:
    """Requests that a server got: the operation or the path of each, and its arguments."""

    requests: list[tuple[str, Any]] = field(default_factory=list)
    handed_out_id: str = "1"


@contextmanager
def _serve(surface: str) -> Iterator[tuple[Session, Received]]:
    """Serve a hostile ZITADEL that records requests, and open a session on it; its ids are ``handed_out_id``."""
    received = Received()

    def answer(request: ReceivedRequest) -> LoopbackResponse:
        received.requests.append((request.path, request.json_body))
        assert request.headers["authorization"] == f"Bearer {KEY.test}"
        return LoopbackResponse(200, {"id": received.handed_out_id})

    with ExitStack() as stack:
        if surface == "rest":
            base = stack.enter_context(serve_app(answer)).url
            session = make_session(ZITADEL, base + ZITADEL.base_path, None)
        else:
            mock = build_mock([ZITADEL], {})
            calls = mock.grpc_calls[0]
            honest = calls.handle_call

            def record(operation: Operation, headers: Mapping[str, str], content: bytes) -> GrpcResponse:
                received.requests.append((operation.id, content))
                return honest(operation, headers, content)

            calls.handle_call = record  # type: ignore[method-assign]
            base = stack.enter_context(run_in_thread(mock))
            rest = stack.enter_context(serve_app(answer)).url  # where ids come from
            protocol = make_protocol(surface, ZITADEL, base, mock.controls.grpc_address)
            session = make_session(ZITADEL, rest + ZITADEL.base_path, protocol)
        stack.callback(session.close)
        yield session, received


def _build_request(operation_id: str, body: Any = None, **parameters: str) -> Request:
    operation = ZITADEL.operations[operation_id]
    given = {} if body is None else {"body": body}
    headers = {"authorization": f"Bearer {KEY.test}"}
    return Request(
        operation_id, operation.method, operation.build_path(parameters), headers, parameters=parameters, **given
    )


def _build_creation(word: str) -> Request:
    body = {"senderAddress": "a@b.example", "senderName": word, "host": "h:25", "description": f"ct {word}"}
    return _build_request("addSmtpConfig", body)


def _build_exchange(session: Session, request: Request, handed_out_id: str | None = None) -> Exchange:
    """Build an exchange over the session's protocol; the response of a creation hands out an id."""
    response = Response(200, {}, b"" if handed_out_id is None else _encode_id(handed_out_id))
    return Exchange(request, session.protocol.encode(request), response, session.protocol)


def _encode_id(handed_out_id: str) -> bytes:
    return LoopbackResponse(200, {"id": handed_out_id}).encode().partition(b"\r\n\r\n")[2]


def _format(session: Session, exchanges: Sequence[Exchange]) -> str:
    keys = build_key_variables(ZITADEL, session.keys)
    return format_script(exchanges, session.redactor, keys, session.base, ZITADEL.lifecycle)


def _paste(directory: Path, script: str) -> str:
    """Paste lines into an interactive bash, whose history expands exclamation marks; return what it printed."""
    done = subprocess.run(  # noqa: S603 (the lines under test)
        [shutil.which("bash") or "bash", "--norc", "--noprofile", "-i"],
        input=f"set -H\n{script}\nexit 0\n".encode(),
        cwd=directory,
        env={**os.environ, KEY.variable: KEY.test, "HISTFILE": str(directory / "history"), "PS1": "", "PS2": ""},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert list(directory.glob("HIT*")) == [], script
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def _describe(session: Session, request: Request) -> tuple[str, Any]:
    """Describe what a server receives if a request arrives unchanged."""
    encoded = session.protocol.encode(request)
    if session.protocol.name == "rest":
        return encoded.path, None if not encoded.content else request.body
    plain = make_protocol("grpc", ZITADEL, session.base, "127.0.0.1:1")
    assert plain is not None
    return request.operation or "", plain.encode(request).content


@pytest.mark.parametrize("surface", ZITADEL.protocols)
def test_words_of_bodies_and_ids_arrive_unchanged(tmp_path: Path, surface: str) -> None:
    """Pasted lines run nothing, print nothing that steers a terminal, and send the very bytes: in bodies, ids and paths."""
    with _serve(surface) as (session, received):
        wanted, lines = [], []
        for word in WORDS.values():
            creation = _build_creation(word)
            read = _build_request("getSmtpConfigById", id=word or "1")
            lines.append(_format(session, [_build_exchange(session, creation)]))
            lines.append(_format(session, [_build_exchange(session, creation, word), _build_exchange(session, read)]))
            over_rest = encode_as_rest(session.base, creation, ZITADEL.operations).path, creation.body
            wanted += [_describe(session, creation), over_rest, _describe(session, read)]
        received.handed_out_id = "7"
        script = "\n".join(lines)
        assert sorted({c for c in script if c != "\n" and unicodedata.category(c)[0] in "CZ"} - {" "}) == []
        assert re.findall(r"::[A-Za-z]|##\w*\[", script) == []
        printed = _paste(tmp_path, script)
    # An id that is only a word is taken from the response; "1" stands for the empty one.
    assert received.requests == wanted, printed


@pytest.mark.parametrize("surface", ZITADEL.protocols)
def test_an_id_from_a_later_run_is_text(tmp_path: Path, surface: str) -> None:
    """A server that handed out a plain id may hand out another one when the lines are pasted; nothing runs."""
    with _serve(surface) as (session, received):
        creation, read = _build_creation("x"), _build_request("getSmtpConfigById", id="123")
        script = _format(session, [_build_exchange(session, creation, "123"), _build_exchange(session, read)])
        assert "$id1" in script
        for word in ("substitution", "sed", "globs"):
            received.handed_out_id = WORDS[word]
            _paste(tmp_path, script)
        received.requests.clear()
        received.handed_out_id = "456"
        printed = _paste(tmp_path, script)
        expected = _describe(session, _build_request("getSmtpConfigById", id="456"))
    assert received.requests == [
        (encode_as_rest(session.base, creation, ZITADEL.operations).path, creation.body),
        expected,
    ], printed


def test_an_id_chooses_neither_the_address_nor_the_key() -> None:
    """An id that repeats a part of the address or the key is no variable there, so that the key goes nowhere else."""
    with _serve("rest") as (session, _):
        origin = session.base.removesuffix(ZITADEL.base_path)
        for word in ("127.0.0.1", "http", "Bearer", "e", KEY.test):
            creation, read = _build_creation("x"), _build_request("getSmtpConfigById", id=word)
            script = _format(session, [_build_exchange(session, creation, word), _build_exchange(session, read)])
            last = script.split("\n")[-1]
            assert re.search(rf" '?{re.escape(origin)}/", last)
            assert f"'authorization: Bearer '\"${KEY.variable}\"" in last
            assert KEY.test not in script
