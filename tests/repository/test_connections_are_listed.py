"""Every place that opens a connection is listed here, with the reason why it cannot wait or grow without bound."""

import ast
from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import ROOT

PACKAGES = ("contract_watch", "contract_tests", "scripts")
_OWN_OPENERS = {
    "contract_watch.net.create_transport",
    "contract_watch.net.DeadlineBackend",
    "contract_watch.engine.protocols.connector.NetworkConnector",
    "contract_watch.engine.protocols.wire.Wire",
    "contract_watch.engine.protocols.grpc_protocols.GrpcProtocol",
}
# Modules that open connections, each with the names in it that open none. A name that is not among them counts.
_HARMLESS: dict[str, set[str]] = {
    "aiohttp": set(), "anyio": set(), "ftplib": set(), "http.server": set(), "imaplib": set(), "multiprocessing.connection": set(),
    "poplib": set(), "smtplib": set(), "socketserver": set(), "telnetlib": set(), "trio": set(), "urllib.request": set(),
    "urllib3": {"exceptions"}, "websockets": set(), "xmlrpc": set(),
    "distributed": {"get_worker", "wait"},
    "http.client": {"HTTPException"},
    "socket": {"AF_INET", "SOCK_STREAM", "AF_INET6", "IPPROTO_IPV6", "IPPROTO_TCP", "IPV6_V6ONLY", "SOL_SOCKET", "SO_LINGER", "SO_REUSEADDR"},
    "httpx": {
        "URL", "Request", "Response", "Timeout", "BaseTransport", "AsyncBaseTransport", "SyncByteStream", "InvalidURL",
        "ConnectError", "ConnectTimeout", "DecodingError", "HTTPError", "ReadError", "RemoteProtocolError", "StreamError",
        "TimeoutException", "TransportError",
    },
    "httpcore": {"NetworkBackend", "NetworkStream", "ConnectError", "ConnectTimeout", "ReadTimeout"},
    "requests": {"Request", "RequestException"},
    "github": {"Auth", "GithubException", "Issue", "Requester.Requester", "Requester.RequestsResponse"},
    "grpc": {"FutureTimeoutError", "GenericRpcHandler", "RpcError", "StatusCode", "method_handlers_generic_handler", "ssl_channel_credentials", "stream_stream_rpc_method_handler", "stream_unary_rpc_method_handler"},
    "redis": {"AuthenticationError", "RedisError", "ResponseError", "backoff.NoBackoff", "connection.parse_url",
              "retry.Retry"},
    "sqlite3": {"DatabaseError", "Error", "OperationalError"},
    "uvicorn": {"Config", "protocols.http.flow_control.FlowControl", "protocols.http.httptools_impl.HttpToolsProtocol"},
}  # fmt: skip
_METHODS = {
    "connect", "connect_ex", "connect_tcp", "connect_unix_socket", "create_connection", "create_server", "create_unix_connection",
    "getaddrinfo", "gethostbyname", "open_connection", "open_unix_connection", "start_server", "urlopen",
}  # fmt: skip
"""Methods that open a connection whatever the object is."""

_WIRE = "every request has 30 s in all and 8 MiB, on live runs behind the gate"
_DRY = "nothing is sent: the contract's model answers in this process"
_TRACKER = (
    "30 s for each step, 120 s and 32 MiB for each body, 20 minutes of waits in all; the address is the operator's"
)
_BENCH = "a benchmark's own child process on loopback; "
_FUZZ = "a mock in a child process on loopback; 30 s for each step, 20 s for a batch"
LISTED = {
    ("contract_watch/net.py", "httpcore.ConnectionPool"): "its network is the one with deadlines",
    ("contract_watch/net.py", "httpx.HTTPTransport"): "its pool is replaced by the one with deadlines",
    ("contract_watch/net.py", "httpcore.SyncBackend"): "each step has the time that its deadline leaves",
    ("contract_watch/net.py", ".connect_tcp"): "each step has the time that its deadline leaves",
    ("contract_watch/net.py", "socket.getaddrinfo"): "in a thread of its own, abandoned when its time is over",
    ("contract_watch/addresses.py", "socket.socket"): "only finds a free port of loopback",
    ("contract_watch/engine/protocols/wire.py", "create_transport"): _WIRE,
    ("contract_watch/engine/protocols/connector.py", "Wire"): _WIRE,
    ("contract_watch/engine/protocols/connector.py", "GrpcProtocol"): "each call has 10 s and 8 MiB, unpacked too",
    ("contract_watch/engine/protocols/grpc_protocols.py", "grpc.insecure_channel"): "each call has 10 s and 8 MiB, unpacked too",
    ("contract_watch/engine/protocols/grpc_protocols.py", "grpc.secure_channel"): "each call has 10 s and 8 MiB, unpacked too",
    ("contract_watch/engine/protocols/mock_controls.py", "Wire"): "10 s in all and 8 MiB, on loopback only, without keys",
    ("contract_watch/engine/running/session.py", "Wire"): _WIRE,
    ("contract_watch/engine/fleet/cluster.py", "distributed.Client"): "the operator's own scheduler; 10 s to connect, and a minute without workers",
    ("scripts/release/package_verification.py", "urllib.request.urlopen"): "30 s; a child process on loopback",
    ("scripts/bench/growth.py", "distributed.Client"): _BENCH + "30 s",
    ("contract_watch/engine/command/suite.py", "NetworkConnector"): _WIRE,
    ("contract_watch/engine/command/account_sweep.py", "Wire"): _WIRE,
    ("contract_watch/engine/command/dry_run.py", "Wire"): _DRY,
    ("contract_watch/engine/command/dry_run.py", "GrpcProtocol"): _DRY,
    ("contract_watch/engine/command/dry_run.py", "httpx.ASGITransport"): _DRY,
    ("contract_watch/engine/command/dry_run.py", "httpx.AsyncClient"): _DRY,
    ("contract_watch/history/store.py", "sqlite3.connect"): "a local file; waiting for its lock has a time limit",
    ("contract_watch/history/salvage.py", "sqlite3.connect"): "a local file that its lock protects; the rows to try are bounded",
    ("contract_watch/mock/persistence/schema.py", "sqlite3.connect"): "a local file; a lock is never waited for",
    ("contract_watch/engine/account/ledger.py", "sqlite3.connect"): "a local file; waiting for its lock has a time limit",
    ("contract_watch/engine/account/redis_rate_limiter.py", "redis.ConnectionPool"): "the operator's own Redis; each step has a time limit",
    ("contract_watch/engine/account/redis_rate_limiter.py", "redis.Redis"): "the operator's own Redis; each step has a time limit",
    ("contract_watch/engine/exploring/example_database.py", "redis.Redis.from_url"): "the operator's own Redis; each step has a time limit",
    ("contract_watch/diff/document/fetching.py", "create_transport"): "60 s in all, look-up included, and a limit of size",
    ("contract_watch/nights/last_night.py", "create_transport"): "60 s in all, look-up included, and 64 MB",
    ("contract_watch/nights/webhook.py", "create_transport"): "20 s an attempt, look-up included, 3 minutes in all; no body is read",
    ("contract_watch/nights/tracker/github_tracker.py", "github.Github"): _TRACKER,
    ("contract_watch/nights/tracker/connections.py", "github.Requester.HTTPRequestsConnectionClass"): _TRACKER,
    ("contract_watch/nights/tracker/connections.py", "github.Requester.HTTPSRequestsConnectionClass"): _TRACKER,
    ("contract_watch/mock/hosts.py", "socket.socket"): "listens, on loopback unless --host says otherwise",
    ("contract_watch/mock/server.py", "uvicorn.Server"): "listens, on loopback unless --host says otherwise",
    ("contract_watch/mock/grpc/native.py", "grpc.aio.server"): "listens, on loopback unless --host says otherwise",
    ("scripts/fuzz/target.py", "httpx.Client"): _FUZZ,
    ("scripts/fuzz/target.py", "socket.create_connection"): _FUZZ,
    ("scripts/bench/mock_start.py", "http.client.HTTPConnection"): _BENCH + "60 s",
    ("scripts/bench/client_calls.py", ".connect"): _BENCH + "the client's own 30 s for each call",
    ("scripts/bench/client_calls.py", "httpx.AsyncClient"): _BENCH + "30 s for each step",
    ("scripts/bench/client_calls.py", "httpx.Client"): _BENCH + "30 s for each step",
    ("scripts/bench/client_calls.py", "httpx.Limits"): "opens none: the number of connections",
    ("scripts/bench/client_calls.py", "httpx.MockTransport"): "opens none: records the request",
    ("scripts/bench/client_calls.py", "urllib3.PoolManager"): _BENCH + "the process that starts it waits 10 minutes at most",
    ("scripts/soak/driver.py", ".connect"): "a generated client on loopback; each attempt has 30 s and 64 MiB",
    ("scripts/soak/fault_server.py", "asyncio.start_server"): "listens on loopback",
    ("scripts/bench/load.py", ".create_connection"): _BENCH + "the whole load has a time limit",
    ("scripts/bench/mutant_server.py", "uvicorn.Server"): "listens on loopback",
    ("scripts/bench/process.py", ".connect_ex"): _BENCH + "1 s",
    ("scripts/bench/process.py", "socket.socket"): _BENCH + "1 s",
    ("scripts/bench/mock_states.py", "http.client.HTTPConnection"): _BENCH + "300 s for each step, and a limit of size",
    ("scripts/bench/process.py", "http.client.HTTPConnection"): _BENCH + "10 s for each step, and a limit of size",
    ("scripts/bench/servers.py", "uvicorn.run"): "listens on loopback",
}  # fmt: skip


def _resolve(node: ast.expr, names: dict[str, str]) -> str:
    """Return the dotted name that an expression stands for; empty if it is none that an import made."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute) and (owner := _resolve(node.value, names)):
        return f"{owner}.{node.attr}"
    return ""


def _list_imports(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for, wherever in the module it is imported."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {
                one.asname or one.name.split(".")[0]: one.name if one.asname else one.name.split(".")[0]
                for one in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return names


def _walk_code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below ``node`` that run: annotations do not."""
    yield node
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _walk_code(child)


def _find_openers(source: str) -> set[str]:
    """Return the names in ``source`` that open a connection: those of libraries, our own, and methods."""
    tree = ast.parse(source)
    names = _list_imports(tree)
    found = set()
    for node in _walk_code(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            method = _resolve(node.func, names) or f".{node.func.attr}"
            found |= set() if method.startswith("contract_watch.") else {method}
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = _resolve(node, names)
        module = next((one for one in _HARMLESS if name.startswith(f"{one}.")), None)
        if name in _OWN_OPENERS:
            found.add(name.rpartition(".")[2])
        elif module is not None:
            rest = name.removeprefix(f"{module}.")
            if not any(rest == one or rest.startswith(f"{one}.") for one in _HARMLESS[module]):
                found.add(name)
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def _list_places() -> set[tuple[str, str]]:
    return {
        (path.relative_to(ROOT).as_posix(), name)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.parent.name != "client_runtime"  # a part of the generated clients, whose limits tests/client proves
        for name in _find_openers(path.read_text(encoding="utf-8"))
    }


def test_every_connection_is_listed_with_its_limits() -> None:
    """A new place is listed with its limits, and a place that is gone is removed from the list."""
    assert _list_places() == set(LISTED)
    assert [place for place, reason in LISTED.items() if not reason.strip()] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import httpx\nhttpx.get('x')", {"httpx.get"}),
        ("import httpx as h\nwith h.Client() as c: c.get('x')", {"httpx.Client"}),
        ("from httpx import stream\nstream('GET', 'x')", {"httpx.stream"}),
        ("def f():\n    import urllib.request\n    urllib.request.urlopen('x')", {"urllib.request.urlopen"}),
        ("from urllib import request\nrequest.urlopen('x')", {"urllib.request.urlopen"}),
        ("import requests\nsend = requests.Session", {"requests.Session"}),
        ("import socket\nsocket.create_connection(('x', 1))", {"socket.create_connection"}),
        ("import asyncio\nasyncio.open_connection('x', 1)", {"asyncio.open_connection"}),
        ("import httpx\nclass Mine(httpx.HTTPTransport): ...", {"httpx.HTTPTransport"}),
        ("loop.create_connection(f, 'x', 1)", {".create_connection"}),
        ("import grpc\ngrpc.aio.insecure_channel('x')", {"grpc.aio.insecure_channel"}),
        ("from contract_watch.engine.protocols.wire import Wire\nWire('http://x')", {"Wire"}),
        ("import httpx\ndef f(client: httpx.Client) -> httpx.Client: ...", set()),
        ("import httpx\nhttpx.URL('x')", set()),
        ("connect = 5.0\nlimits.connect", set()),
    ],
)
def test_a_new_connection_is_noticed(source: str, found: set[str]) -> None:
    """Imports under any name, references without a call and subclasses count; annotations do not."""
    assert _find_openers(source) == found
