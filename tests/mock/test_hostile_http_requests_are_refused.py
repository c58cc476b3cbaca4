"""No request makes the mock answer 500, hang, or accept a body that is not JSON."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.mock.vendor import MAX_BODY
from tests.support.in_process import InProcessMock
from tests.support.patience import PATIENCE
from tests.support.suite_process import PAID_KEY

PATH = "/outbound/smarthost"
_MANY_BYTES = 60_000_000
"""More than any buffer between client and mock holds."""


def _post_bytes(mock: httpx.Client, content: bytes) -> httpx.Response:
    return mock.post(PATH, content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nothing",
        b'{"username": "a"} more',
        b"{'username': 'a'}",
        b'{"username": "a", "quota": NaN}',
        b'{"username": "a", "quota": Infinity}',
        b'{"username": "a", "quota": -Infinity}',
        b'{"username": "\xff"}',
        b'{"username": "a\x01"}',
        b"[" * 100_000,
        b'{"username": "a", "note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"username": "a", "quota": ' + b"9" * 10_000 + b"}",
        b"\x00" * 100,
    ],
    ids=["nothing", "open", "word", "trailing", "quotes", "NaN", "Infinity", "-Infinity", "not UTF-8", "control", "deep",
         "deep within", "long number", "zeros"],
)  # fmt: skip
def test_body_that_is_no_json_is_400(mock: httpx.Client, content: bytes) -> None:
    """The response has the vendor's error format, and no object is created."""
    answer = _post_bytes(mock, content)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert mock.get("/__mock/state").json() == {"jetemail": []}


@pytest.mark.parametrize(
    "content",
    [
        b'{"username": "\\ud800"}',
        b'{"username": "a", "approvedDomains": ["\\udfff"]}',
        b'{"username": "a", "\\ud800": 1}',
    ],
    ids=["name", "domain", "property"],
)
def test_json_that_is_hard_to_hold_is_judged(mock: httpx.Client, content: bytes) -> None:
    """Half surrogate pairs are accepted or rejected, but never a 500."""
    assert _post_bytes(mock, content).status_code in (200, 400)


@pytest.mark.parametrize("levels", [300, 500, 900])
@pytest.mark.parametrize("slug", ["jetemail", "smtp2go", "zitadel"])
def test_deep_json_in_a_declared_property_is_malformed(slug: str, levels: int) -> None:
    """A body nested deeper than the suite reads is refused in the vendor's form, in every property that it declares."""
    api = InProcessMock(Contract(slug))
    operations = [
        one
        for one in api.mock.vendors[slug].contract.operations.values()
        if one.body is not None and "{" not in one.path
    ]
    for operation in operations:
        assert operation.body is not None
        for name in operation.body.property_names:
            content = f'{{"{name}": {"[" * levels}{"]" * levels}}}'
            path = api.mock.vendors[slug].contract.base_path + operation.path
            answer = api.send(operation.method, path, content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400, (operation.id, name)
    assert all(call["body"] == "malformed" for call in api.mock.journal.list_calls())


@pytest.mark.parametrize("content", [b'{"username": "a", "note": ' + b"[" * 99 + b"]" * 99 + b"}",
                                     b'{"username": "a", "password": "\\ud800 and more"}',
                                     b'{"username": "a", "quota": 1' + b"0" * 400 + b"}",
                                     b'{"username": "a", "a\\u0000": "\\u0000"}'],
                         ids=["deep", "surrogate", "large", "zero"])  # fmt: skip
def test_odd_json_leaves_the_mock_readable(mock: httpx.Client, content: bytes) -> None:
    """After odd but valid JSON the list, the state and the calls are still valid JSON."""
    assert _post_bytes(mock, content).status_code == 200
    for path in (PATH, "/__mock/state", "/__mock/calls"):
        assert mock.get(path).json()


def test_number_too_large_leaves_the_journal_readable(mock: httpx.Client) -> None:
    """A number beyond the range of floats leaves the journal valid JSON, accepted or not."""
    assert _post_bytes(mock, b'{"username": "a", "note": 1e999}').status_code in (200, 400)
    assert "Infinity" not in mock.get("/__mock/calls").text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_json_in_another_encoding_is_400(mock: httpx.Client, encoding: str) -> None:
    """RFC 8259 requires UTF-8 for JSON on the network."""
    assert _post_bytes(mock, '{"username": "a"}'.encode(encoding)).status_code == 400


@pytest.mark.parametrize("chunked", [True, False])
def test_body_has_a_limit(mock: httpx.Client, chunked: bool) -> None:
    """The mock reads 8 MB, with or without a declared length. One byte more is 413, and the mock continues to serve."""
    assert MAX_BODY == 8 * 1024 * 1024
    for size, status in ((MAX_BODY, 400), (MAX_BODY + 1, 413)):
        content = b" " * size

        def parts(content: bytes = content) -> Iterator[bytes]:
            yield from (content[at : at + 65536] for at in range(0, len(content), 65536))

        assert mock.post(PATH, content=parts() if chunked else content).status_code == status
    assert mock.get(PATH).status_code == 200


def test_control_body_has_a_limit_too(mock: httpx.Client) -> None:
    """A fault that exceeds the limit is rejected."""
    assert mock.post("/__mock/faults", content=b" " * (MAX_BODY + 1)).status_code in (400, 413)


def test_interpretations_have_a_limit_too(mock: httpx.Client) -> None:
    """Interpretations that exceed the limit are rejected."""
    assert mock.put("/__mock/interpretations", content=b" " * (MAX_BODY + 1)).status_code in (400, 413)


def test_exponential_domain_is_answered_at_once() -> None:
    """A domain of 64 letters and "!" is rejected within a second, by each operation.

    The mock runs in a subprocess, since a backtracking engine would block this one.
    """
    command = [sys.executable, "-m", "contract_watch.mock", "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JETEMAIL_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as server:  # noqa: S603
        try:
            assert server.stdout is not None
            address = f"http://{server.stdout.readline().split()[1]}"
            headers = {"Authorization": f"Bearer {PAID_KEY}"}
            with httpx.Client(base_url=address, headers=headers, timeout=PATIENCE) as client:
                client.post(PATH, json={"username": "a"}).raise_for_status()
                for method, name in (("POST", "username"), ("PATCH", "currentUsername")):
                    body = {name: "a", "approvedDomains": ["a" * 64 + "!"]}
                    assert client.request(method, PATH, json=body, timeout=PATIENCE).status_code in (400, 409)
        finally:
            server.kill()


@pytest.mark.parametrize("begin", [b"", b"Transfer-Encoding: chunked\r\n\r\n0\r\n"], ids=["headers", "trailers"])
def test_headers_without_end_are_cut_off(mock_address: str, begin: bytes) -> None:
    """The mock hangs up after a quarter of a megabyte instead of keeping them all."""
    address = httpx.URL(mock_address)
    sent = 0
    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as client:
        client.sendall(b"POST /outbound/smarthost HTTP/1.1\r\nHost: 127.0.0.1\r\n" + begin)
        with contextlib.suppress(OSError):
            while sent < _MANY_BYTES:
                client.sendall(b"X: y\r\n" * 10_000)
                sent += 60_000
    assert sent < _MANY_BYTES
