"""Faults play on gRPC and gRPC-web calls as they do over REST, with gRPC's codes."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import pytest

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE

ZITADEL = Contract("zitadel")
CODEC = MessageCodec(ZITADEL)
ADD = ZITADEL.operations["addSmtpConfig"]
CALL = CODEC.get_method_path(ADD.id)
KEY, OTHER = (one.test for one in ZITADEL.credentials)
BODY = {"senderAddress": "a@example.com", "senderName": "A", "host": "smtp.example.com:25", "description": "first"}
OK, INVALID, EXHAUSTED, INTERNAL, UNAVAILABLE = 0, 3, 8, 13, 14
Call = Callable[..., int]
"""A call with a body and a key; the code of its answer, `UNAVAILABLE` also for a broken connection."""


@pytest.fixture(name="served", scope="module")
def _served() -> Iterator[tuple[Mock, str]]:
    mock = build_mock([ZITADEL], {})
    with run_in_thread(mock) as base:
        yield mock, base


def _read_code(answer: httpx.Response) -> int:
    *_, (_, content) = grpc_web_frames.decode_frames(answer.content)
    return int(grpc_web_frames.decode_trailers(content)["grpc-status"])


def _build_web_request(body: Any, key: str) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else CODEC.encode_request(ADD, {}, body)
    headers = {"authorization": f"Bearer {key}", "content-type": grpc_web_frames.MEDIA_TYPES[0]}
    return {"content": grpc_web_frames.encode_frame(content), "headers": headers}


def _call_over_web(mock: Mock, base: str, body: Any, key: str) -> int:
    del mock
    try:
        return _read_code(httpx.post(base + CALL, timeout=PATIENCE, **_build_web_request(body, key)))
    except httpx.RemoteProtocolError:
        return UNAVAILABLE


def _call_in_process(mock: Mock, base: str, body: Any, key: str) -> int:
    del base

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=mock), base_url="http://mock") as client:
            return await client.post(CALL, **_build_web_request(body, key))

    try:
        return _read_code(asyncio.run(send()))
    except httpx.RemoteProtocolError:
        return UNAVAILABLE


def _call_natively(mock: Mock, base: str, body: Any, key: str) -> int:
    del base
    content = body if isinstance(body, bytes) else CODEC.encode_request(ADD, {}, body)
    with grpc.insecure_channel(mock.controls.grpc_address) as channel:
        method: Any = channel.unary_unary(CALL, request_serializer=None, response_deserializer=None)
        try:
            method(content, timeout=PATIENCE, metadata=(("authorization", f"Bearer {key}"),))
        except grpc.RpcError as error:
            return int(error.code().value[0])
    return OK


_WAYS = {"gRPC": _call_natively, "gRPC-web": _call_over_web, "gRPC-web in process": _call_in_process}


@pytest.fixture(name="call", params=_WAYS)
def _call(request: pytest.FixtureRequest, served: tuple[Mock, str]) -> Call:
    """Give a function that makes one call; the mock is fresh."""
    mock, base = served
    mock.faults.clear()
    mock.journal.clear()
    mock.vendors["zitadel"].reset()

    def call(body: Any = BODY, key: str = KEY) -> int:
        return _WAYS[request.param](mock, base, body, key)

    return call


def _count_objects(mock: Mock) -> int:
    return len(mock.vendors["zitadel"].dump())


def test_status_becomes_its_code(served: tuple[Mock, str], call: Call) -> None:
    """The call is not executed, and the journal names the fault."""
    served[0].faults.add({"operation": "addSmtpConfig", "status": 503, "id": "down"})
    assert (call(), _count_objects(served[0])) == (UNAVAILABLE, 0)
    [entry] = served[0].journal.list_calls()
    assert (entry["status"], entry["fault"], entry["body"]["description"]) == (503, "down", "first")
    assert (call(), _count_objects(served[0])) == (OK, 1)


def test_a_message_with_an_unpaired_surrogate_is_answered(served: tuple[Mock, str], call: Call) -> None:
    """A scripted message that no transport can send is answered, with a question mark for the surrogate."""
    served[0].faults.add({"status": 429, "body": {"message": "a\ud800"}})
    assert call() == EXHAUSTED
    assert call() == OK


def test_lost_answer_leaves_the_change(served: tuple[Mock, str], call: Call) -> None:
    """The call is executed, and the client is told of a broken connection."""
    served[0].faults.add({"lost": True})
    assert (call(), _count_objects(served[0])) == (UNAVAILABLE, 1)


def test_refused_call_changes_nothing(served: tuple[Mock, str], call: Call) -> None:
    """The same without execution."""
    served[0].faults.add({"refused": True})
    assert (call(), _count_objects(served[0])) == (UNAVAILABLE, 0)
    assert [(one["status"], one["fault"]) for one in served[0].journal.list_calls()] == [(0, "fault-1")]


def test_delay_is_waited(served: tuple[Mock, str], call: Call) -> None:
    """A slow call answers truly."""
    served[0].faults.add({"path": CALL, "delay": 0.2})
    begun = time.monotonic()
    assert call() == OK
    assert time.monotonic() - begun >= 0.2


def test_where_reads_the_decoded_message(served: tuple[Mock, str], call: Call) -> None:
    """The message is matched as the JSON of REST, metadata as headers."""
    served[0].faults.add({"where": {"body": {"description": "second"}, "header": {"Authorization": f"Bearer {KEY}"}},
                          "status": 400, "times": "always"})  # fmt: skip
    assert call() == OK
    assert call({**BODY, "description": "second"}) == INVALID
    assert call({**BODY, "description": "second"}, OTHER) != INVALID


def test_account_and_nth_match_calls(served: tuple[Mock, str], call: Call) -> None:
    """The second call of one account fails."""
    served[0].faults.add({"account": "admin", "nth": 2, "status": 503})
    assert [call(key=OTHER), call(), call(), call()][1:] == [OK, UNAVAILABLE, OK]


def test_rate_limit_exhausts_the_account(served: tuple[Mock, str], call: Call) -> None:
    """Beyond the limit a call has the code of an exhausted resource."""
    served[0].faults.add({"rate": {"requests": 2}})
    assert [call() for _ in range(3)] == [OK, OK, EXHAUSTED]
    assert _count_objects(served[0]) == 2


@pytest.mark.parametrize("fault", [{"cut": 1}, {"slow": 1}, {"headers": {"a": "b"}}], ids=str)
def test_shapes_of_bytes_wait_for_rest(served: tuple[Mock, str], call: Call, fault: Any) -> None:
    """A fault that gRPC cannot show is not used up by its calls."""
    served[0].faults.add(fault)
    assert call() == OK
    assert [one.matched for one in served[0].faults.pending] == [0]


def test_malformed_message_meets_faults_too(served: tuple[Mock, str], call: Call) -> None:
    """A fault for any call plays on bytes that are no message; one by body waits."""
    served[0].faults.add_all([{"where": {"body": {}}, "status": 503, "id": "body"}, {"status": 501}])
    assert call(b"\xff\xff\xff") == 12
    assert call(b"\xff\xff\xff") == INVALID
    assert [one.id for one in served[0].faults.pending] == ["body"]


def test_scripted_body_that_is_no_message_is_internal(served: tuple[Mock, str], call: Call) -> None:
    """Such a success is the script's error, not the client's, whatever its strings hold."""
    bodies: list[Any] = [7, {"a": []}, "\ud800"]
    served[0].faults.add_all([{"status": 200, "body": {"id": one}} for one in bodies])
    assert [call() for _ in bodies] == [INTERNAL, INTERNAL, INTERNAL]
