"""gRPC's own tools work against the mock: health checks, and clients that know nothing but its reflection."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE

ZITADEL = Contract("zitadel")
assert ZITADEL.grpc is not None
SERVICE = ZITADEL.grpc.service
KEY = ZITADEL.credentials[0].test
REFLECTION = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
OWN = ["grpc.health.v1.Health", *REFLECTION]
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(name="mock", scope="module")
def _mock() -> Iterator[tuple[Mock, str]]:
    mock = build_mock([ZITADEL], {})
    with run_in_thread(mock) as base:
        yield mock, base


@pytest.fixture(name="channel")
def _channel(mock: tuple[Mock, str]) -> Iterator[grpc.Channel]:
    httpx.delete(f"{mock[1]}/__mock/calls", timeout=PATIENCE)
    with grpc.insecure_channel(mock[0].controls.grpc_address) as channel:
        yield channel


def _make_stub(channel: grpc.Channel) -> Any:
    return health_pb2_grpc.HealthStub(channel)


def _ask_reflection(channel: grpc.Channel, service: str, **question: Any) -> Any:
    method: Any = channel.stream_stream(
        f"/{service}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    [answer] = method(iter([reflection_pb2.ServerReflectionRequest(**question)]), timeout=PATIENCE)
    return answer


@pytest.mark.parametrize("service", ["", SERVICE])
def test_each_service_is_healthy(channel: grpc.Channel, service: str) -> None:
    """The overall health and that of each vendor's service are SERVING, once and as a stream."""
    stub = _make_stub(channel)
    request = health_pb2.HealthCheckRequest(service=service)
    assert stub.Check(request, timeout=PATIENCE).status == SERVING
    watch: Any = stub.Watch(request, timeout=PATIENCE)
    assert next(watch).status == SERVING
    watch.cancel()


def test_an_unknown_service_has_no_health(channel: grpc.Channel) -> None:
    """The protocol has NOT_FOUND for a service that the server does not know."""
    with pytest.raises(grpc.RpcError) as caught:
        _make_stub(channel).Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=PATIENCE)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_all_health_is_listed(channel: grpc.Channel) -> None:
    """`Health/List` returns every service with its status."""
    messages: Any = health_pb2
    method: Any = channel.unary_unary(
        "/grpc.health.v1.Health/List",
        request_serializer=messages.HealthListRequest.SerializeToString,
        response_deserializer=messages.HealthListResponse.FromString,
    )
    statuses = method(messages.HealthListRequest(), timeout=PATIENCE).statuses
    assert {name: one.status for name, one in statuses.items()} == {"": SERVING, SERVICE: SERVING}


def test_a_watcher_learns_of_the_end() -> None:
    """A mock that stops tells its watchers NOT_SERVING before it hangs up."""
    mock = build_mock([ZITADEL], {})
    with run_in_thread(mock):
        channel = grpc.insecure_channel(mock.controls.grpc_address)
        watch: Any = _make_stub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        assert next(watch).status == SERVING
    assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    channel.close()


@pytest.mark.parametrize("reflection", REFLECTION)
def test_services_are_listed(channel: grpc.Channel, reflection: str) -> None:
    """Both versions of reflection list the vendor's service and the mock's own, and describe each."""
    services = _ask_reflection(channel, reflection, list_services="").list_services_response.service
    assert sorted(one.name for one in services) == sorted([SERVICE, *OWN])
    for name in [SERVICE, *OWN]:
        answer = _ask_reflection(channel, reflection, file_containing_symbol=name)
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(one)
            for one in answer.file_descriptor_response.file_descriptor_proto
        ]
        assert name in [f"{file.package}.{service.name}" for file in files for service in file.service]


@pytest.mark.parametrize(
    "question",
    [{"file_containing_symbol": "no.such.Symbol"}, {"file_by_filename": "../../etc/passwd"},
     {"file_containing_extension": {"containing_type": SERVICE, "extension_number": 7}},
     {"all_extension_numbers_of_type": "x" * 100_000}, {"file_containing_symbol": "\0"}],
    ids=["symbol", "file", "extension", "long", "NUL"],
)  # fmt: skip
def test_unknown_names_are_not_found(channel: grpc.Channel, question: dict[str, Any]) -> None:
    """The answer is the protocol's NOT_FOUND, and the stream lives on."""
    answer = _ask_reflection(channel, REFLECTION[0], **question)
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_reflection_is_enough_to_call_a_method(mock: tuple[Mock, str], channel: grpc.Channel) -> None:
    """A client that has no file of the vendor's builds a request from the descriptors and creates an object."""
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName(SERVICE).methods_by_name["AddSMTPConfig"]
    fields = {"senderAddress": "a@example.com", "senderName": "A", "host": "smtp.example.com:587"}
    request = json_format.ParseDict(fields, message_factory.GetMessageClass(method.input_type)())
    call: Any = channel.unary_unary(
        f"/{SERVICE}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    answer = call(request, timeout=PATIENCE, metadata=(("authorization", f"Bearer {KEY}"),))
    assert answer.id
    assert answer.id in httpx.get(f"{mock[1]}/__mock/state", timeout=PATIENCE).text


def test_only_calls_to_the_vendor_are_recorded(mock: tuple[Mock, str], channel: grpc.Channel) -> None:
    """Health and reflection are no calls to the vendor; a method that nobody has is UNIMPLEMENTED and is recorded."""
    _make_stub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    _ask_reflection(channel, REFLECTION[0], list_services="")
    path = f"/{SERVICE}/NoSuchMethod"
    method: Any = channel.unary_unary(path)
    with pytest.raises(grpc.RpcError) as caught:
        method(b"", timeout=PATIENCE, metadata=(("authorization", f"Bearer {KEY}"),))
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    calls = httpx.get(f"{mock[1]}/__mock/calls", timeout=PATIENCE).json()
    assert [(call["path"], call["status"], call["credential"]) for call in calls] == [(path, 501, True)]


def test_vendors_without_grpc_load_none() -> None:
    """Start-up stays short: without such a vendor neither gRPC nor its services are imported."""
    source = (
        "import sys\n"
        "from contract_watch.contracts.registry import Contract\n"
        "from contract_watch.mock.server import build_mock, run_in_thread\n"
        "with run_in_thread(build_mock([Contract('jetemail')], {})): pass\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('grpc', 'grpc_health', 'grpc_reflection')))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=PATIENCE)  # noqa: S603 (our own)
    assert done.stdout == "[]\n"
