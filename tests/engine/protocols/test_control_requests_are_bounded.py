"""No request beside a run's own is without limits: the look at the mock's controls ends in time and in little memory."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import Compression

from contract_watch.contracts.registry import ROOT
from contract_watch.engine.account.network_sandbox import block_connections
from contract_watch.engine.protocols.mock_controls import fetch_mock_health, find_mock_grpc_address, script_fault
from tests.support.hostile_server import BOMB_BYTES, ENDLESS, HEAD, build_large_scripts, serve_script
from tests.support.loopback_server import App, LoopbackResponse, ReceivedRequest, serve_app
from tests.support.patience import PATIENCE
from tests.support.suite_process import check_target
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

MAX_GROWTH = 64 * 1024 * 1024
"""Bytes that a process may take for one response of 8 MiB and its copies; a bomb takes 100 MB at least."""

# Linux counts the parent's memory in ru_maxrss of a child; VmHWM begins anew.
_MEASURE = """
import json, re, resource, sys
from contract_watch.engine.protocols import mock_controls

def measure_peak():
    try:
        return int(re.search(r"VmHWM:\\s+([0-9]+)", open("/proc/self/status").read())[1]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""
_LOOK = (
    _MEASURE
    + """
usual, before, results = mock_controls.CONTROL_TIMEOUT, measure_peak(), {}
for name, url, limited in json.loads(sys.argv[1]):
    mock_controls.CONTROL_TIMEOUT = 0.3 if limited else usual
    results[name] = mock_controls.fetch_mock_health(url)
print(json.dumps([results, measure_peak() - before]))
"""
)
_CALL = (
    _MEASURE
    + """
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol
from contract_watch.engine.protocols.wire import TransportError
from tests.support.patience import PATIENCE

protocol = GrpcProtocol(Contract("zitadel"), sys.argv[1])
path = "/zitadel.admin.v1.AdminService/ListSMTPConfigs"
request = EncodedRequest("POST", f"http://{sys.argv[1]}{path}", {}, b"", "listSmtpConfigs", True, b"")
before = measure_peak()
try:
    protocol.send(request)
    kind = "none"
except TransportError as error:
    kind = error.kind
print(json.dumps([kind, measure_peak() - before]))
"""
)


def _run_in_child(code: str, *arguments: str) -> Any:
    """Run ``code`` in a process of its own and return what it prints; fail if it does not end."""
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)  # noqa: S603 (our own)
    return json.loads(ended.stdout)


def test_no_hostile_answer_holds_the_look_or_fills_the_memory() -> None:
    """Answers without end, drop by drop, packed twice or nested deeply, and none: all count as no mock."""
    with ExitStack() as stack:
        asked = [
            (name, stack.enter_context(serve_script(script)), scripts is ENDLESS)
            for scripts in (ENDLESS, build_large_scripts())
            for name, script in scripts.items()
        ]
        results, growth = _run_in_child(_LOOK, json.dumps(asked))
    assert results == {name: {} for name, *_ in asked}
    assert growth < MAX_GROWTH < BOMB_BYTES


def test_a_packed_grpc_message_does_not_fill_the_memory() -> None:
    """A message of some KB that unpacks to 100 MB ends as a response that is too large."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ARG002 (its signature)
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: bytes(BOMB_BYTES))

    with ThreadPoolExecutor(1) as pool:
        options = [("grpc.max_send_message_length", -1)]
        server = grpc.server(pool, [Handler()], options=options, compression=Compression.Gzip)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        kind, growth = _run_in_child(_CALL, f"127.0.0.1:{port}")
        server.stop(None).wait()
    assert kind == "too-large"
    assert growth < MAX_GROWTH


@pytest.mark.parametrize("look", [fetch_mock_health, find_mock_grpc_address, lambda target: script_fault(target, {})])
@pytest.mark.parametrize("target", ["http://vendor.example", "https://192.0.2.1:8025/v1", "http://mock.localhost:8025"])
def test_controls_are_asked_on_loopback_alone(look: Callable[[str], Any], target: str) -> None:
    """No other server gets a request that its contract does not have; not even its name is looked up."""
    with block_connections() as violations:
        assert not look(target)
    assert violations == {}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("127.0.0.1:8026", "127.0.0.1:8026"),
        ("[::1]:8026", "[::1]:8026"),
        ("localhost:1", "localhost:1"),
        ("evil.example:443", ""),
        ("192.0.2.1:443", ""),
        ("127.0.0.1:1@evil.example:443", ""),
        ("dns:///evil.example:443", ""),
        ("unix:///run/evil", ""),
        ("evil.localhost:443", ""),
        ("127.0.0.1", ""),
        ("[::::]:1", ""),
        ("[12]:1", ""),
        ("127.0.0.1:99999", ""),
        ("127.0.0.1:0", ""),
        ("127.0.0.1:8026\n", ""),
        ("", ""),
        (8026, ""),
        (["127.0.0.1:1"], ""),
        (None, ""),
    ],
)
def test_no_health_moves_the_keys_of_grpc_away(named: Any, expected: str) -> None:
    """The address that a health names gets keys, so it counts on loopback alone."""
    with serve_app(lambda _request: LoopbackResponse(200, {"mock": True, "grpc": named})) as server:
        assert find_mock_grpc_address(server.url) == expected
        assert server.requests[0].headers.keys().isdisjoint({"authorization", "cookie"})


def _answer_health(app: App, health: bytes) -> App:
    """Return ``app`` with a health of its own."""
    return lambda request: health if request.path == "/__mock/health" else app(request)


def test_a_hostile_health_changes_nothing_of_a_run(tmp_path: Path) -> None:
    """A faithful server whose health has headers without end is judged like any other."""
    app = _answer_health(FaithfulJetEmail(), HEAD + b"X-More: 1\r\n" * 200_000)
    with serve_app(app) as server:
        result = check_target(tmp_path, server.url)
    assert (result.status, result.report["verdict"]) == (0, "none"), result


def test_a_fault_reaches_the_mock_with_its_content() -> None:
    """A scripted fault is sent as JSON to the root of the server, whatever base path the target has."""
    received: list[ReceivedRequest] = []

    def record(request: ReceivedRequest) -> LoopbackResponse:
        received.append(request)
        return LoopbackResponse(200, [])

    with serve_app(record) as server:
        script_fault(f"{server.url}/v3", {"status": 503, "operation": "é"})
    assert [(one.method, one.path, one.json_body) for one in received] == [
        ("POST", "/__mock/faults", {"status": 503, "operation": "é"})
    ]
