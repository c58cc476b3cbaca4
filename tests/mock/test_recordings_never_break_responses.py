"""A recorder takes everything that the mock serves, and none of its failures reaches a client."""

import asyncio
import errno
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.redaction import Redactor
from contract_watch.mock.recording import session_file
from contract_watch.mock.recording.masking import SecretFiller, SecretMasker, is_match
from contract_watch.mock.recording.recorder import SessionRecorder
from contract_watch.mock.recording.session_file import format_exchange, load_session
from tests.support.recorded_sessions import build_replay, record_session, use_mock

PATH = "/outbound/smarthost"
JSON_TYPE = {"content-type": "application/json"}


async def _create_three(client: httpx.AsyncClient) -> list[int]:
    return [(await client.post(PATH, json={"username": f"u{number}"})).status_code for number in range(3)]


def test_a_full_disk_stops_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a write that fails halfway the file ends with the exchange before, one line says so, and all are answered."""
    write = os.write
    count = 0

    def write_one(file: int, content: bytes) -> int:
        nonlocal count
        count += 1
        if count == 1:
            return write(file, content)
        if count == 2:
            return write(file, content[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write_one)
    file = tmp_path / "session.yaml"
    assert record_session(file, _create_three) == [200, 200, 200]
    exchanges, is_cut = load_session(file)
    assert ([one.request.body["username"] for one in exchanges], is_cut) == (["u0"], False)
    errors = capsys.readouterr().err
    assert errors == (
        f"--record {file}: cannot be written (No space left on device); later requests are not recorded\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_that_takes_nothing_is_no_failure_of_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be written or truncated stops the recording alone."""
    assert record_session(Path("/dev/full"), _create_three) == [200, 200, 200]
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("depth", [31, 33, 99, 100, 101, 200, 400])
def test_nested_bodies_are_recorded(tmp_path: Path, depth: int) -> None:
    """A body of any depth is answered, recorded and replayed; one that is too deep counts by its length."""
    file = tmp_path / "session.yaml"
    content = b'{"a":' * depth + b"1" + b"}" * depth

    async def send(client: httpx.AsyncClient) -> int:
        return (await client.post(PATH, content=content, headers=JSON_TYPE)).status_code

    assert record_session(file, send) == 400
    [exchange], is_cut = load_session(file)
    assert not is_cut
    assert exchange.request.unreadable == (len(content) if depth > 100 else 0)
    assert use_mock(build_replay(file), send) == 400


def test_a_response_that_is_too_deep_is_a_sentence(tmp_path: Path) -> None:
    """A response with more levels than a session takes is replayed as a text that says so."""
    recorder = SessionRecorder(tmp_path / "session.yaml", Redactor(), [])
    content = b"[" * 200 + b"]" * 200

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": content})

    async def get() -> bytes:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(lambda *given: recorder.serve(app, *given)), base_url="http://mock"
        ) as client:
            return (await client.get("/a")).content

    assert asyncio.run(get()) == content
    recorder.close()
    [exchange], _ = load_session(tmp_path / "session.yaml")
    assert exchange.response.text == "a body of 400 bytes that is no JSON of at most 100 levels"


def test_unpaired_surrogates_are_recorded(tmp_path: Path) -> None:
    """A body with an unpaired surrogate is recorded, among others, and replayed."""
    file = tmp_path / "session.yaml"

    async def send(client: httpx.AsyncClient) -> list[int]:
        contents = [json.dumps({"username": name}) for name in ("a", "\ud800", "b", "\udfff", "\U0001f600")]
        return [(await client.post(PATH, content=one, headers=JSON_TYPE)).status_code for one in contents]

    recorded = record_session(file, send)
    assert [one.request.body["username"] for one in load_session(file)[0]] == ["a", "\ud800", "b", "\udfff", "😀"]
    assert use_mock(build_replay(file), send) == recorded


@pytest.mark.parametrize("is_line", [False, True])
def test_every_character_survives_the_file(tmp_path: Path, is_line: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every character that is no letter comes back from the file, alone, inside a text and in a name, in both styles."""
    if is_line:
        monkeypatch.setattr(session_file, "_MAX_DUMPED", 0)
    private = set(range(0xD810, 0xDFF0)) | set(range(0xE010, 0xF8F0))
    shown = [code for code in range(0x10000) if unicodedata.category(chr(code))[0] not in "LM"]
    codes = [code for code in shown if code < 0x3100 or (code > 0xA000 and code not in private)]
    codes += [0x10000, 0x1F600, 0x1FFFE, 0xE0001, 0xF0000, 0x10FFFF]
    body = [[chr(code), f"a{chr(code)}b", {f"x{chr(code)}": 1}] for code in codes]
    file = tmp_path / "session.yaml"
    file.write_bytes(format_exchange("now", {"method": "POST", "path": "/a", "body": body}, {"status": 200}))
    [exchange], _ = load_session(file)
    assert [one for one, other in zip(body, exchange.request.body, strict=True) if one != other] == []


@pytest.mark.parametrize(
    "text", ["1e5", "0o17", "0x1f", ".5", "+1", "1_0", "~", "no", "1:30", "<<", "=", "9" * 5000, ".inf", "1e999"]
)
def test_texts_like_numbers_stay_texts(tmp_path: Path, text: str) -> None:
    """A string that YAML would take for a number is a string again, as a value and as a name."""
    file = tmp_path / "session.yaml"
    request = {"method": "POST", "path": "/a", "body": {text: text}}
    file.write_bytes(format_exchange("now", request, {"status": 200}))
    assert load_session(file)[0][0].request.body == {text: text}


def test_long_bodies_are_one_line(tmp_path: Path) -> None:
    """A long value is written as one line of JSON, which takes no second for a megabyte, unless a name is too long."""
    file = tmp_path / "session.yaml"
    many = [{"text": "x\x85\u2028\ufeff\x7f", "number": 1e20}] * 2000
    for body in (many, {"n" * 300: many}):
        content = format_exchange("now", {"method": "POST", "path": "/a", "body": body}, {"status": 200, "body": many})
        file.write_bytes(content)
        [exchange], _ = load_session(file)
        assert exchange.request.body == body
        assert exchange.response.body == many
        assert b'\n  body: [{"text": ' in content


def test_a_form_with_many_fields_is_recorded(tmp_path: Path) -> None:
    """Repeated fields of a form become one list, whatever their number."""
    file = tmp_path / "session.yaml"

    async def send(client: httpx.AsyncClient) -> int:
        pairs = "&".join(["a=1", *(f"b={number}" for number in range(9_000))])
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return (await client.post(PATH, content=pairs, headers=headers)).status_code

    status = record_session(file, send)
    [exchange], _ = load_session(file)
    assert exchange.request.body["a"] == "1"
    assert len(exchange.request.body["b"]) == 9_000
    assert use_mock(build_replay(file), send) == status


def test_a_hand_written_session_is_replayed(tmp_path: Path) -> None:
    """CRLF, trailing blanks, no final line break, and documents that end with the next one are a session like any other."""
    file = tmp_path / "session.yaml"
    exchange = "request: {method: GET, path: /a}\r\nresponse: {status: 200}\r\n"
    file.write_bytes(f"# mine\r\n{exchange}---\r\n{exchange}... \t\r\n\r\n---\r\n{exchange}...".encode())
    exchanges, is_cut = load_session(file)
    assert (len(exchanges), is_cut) == (3, False)


def test_texts_that_look_like_masks_are_replayed(tmp_path: Path) -> None:
    """A text of the client that looks like a mask comes back as it was, and matches nothing else."""
    file = tmp_path / "session.yaml"
    texts = [
        "[redacted]",
        "[literal redacted]",
        "[redacted, 5 characters]",
        "an [secret 1, 5 characters] x",
        "[",
        "[literal]",
    ]

    async def send(client: httpx.AsyncClient) -> str:
        body = {"username": "a", "password": "Correct-Horse-9", "notes": texts, texts[2]: 1}
        return (await client.post(f"{PATH}?q={texts[2]}", json=body)).text

    recorded = record_session(file, send)
    assert use_mock(build_replay(file), send) == recorded
    masked = SecretMasker(Redactor()).mask(texts)
    assert SecretFiller().fill(masked) == texts
    for one, text in zip(masked, texts, strict=True):
        assert is_match(one, text)
        assert not is_match(one, 5)
        assert not is_match(one, text.replace("5", "6") + "!")


def test_the_nearest_request_has_as_many_segments(tmp_path: Path) -> None:
    """Of many recorded paths, the nearest one is looked for among those with as many segments as the request."""
    file = tmp_path / "session.yaml"
    paths = [f"/outbound/smarthost/{number}/deeper" for number in range(300)] + ["/outbound/smarthosts", "/other/x"]
    file.write_bytes(b"".join(format_exchange("now", {"method": "GET", "path": one}, {"status": 200}) for one in paths))

    async def miss(client: httpx.AsyncClient) -> Any:
        return (await client.get(PATH)).json()["nearest"]

    assert use_mock(build_replay(file), miss) == {"number": 301, "method": "GET", "path": "/outbound/smarthosts"}
