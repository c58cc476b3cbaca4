"""The controls of the project's own mock, as a run uses them.

They are asked on loopback only, without keys, and within the limits of time and size of every request: another server may
stand at the address. These requests are not counted.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from contract_watch.addresses import is_loopback
from contract_watch.contracts.schema import parse_foreign_json
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.targets import get_origin
from contract_watch.engine.protocols.wire import Response, TransportError, Wire

CONTROL_TIMEOUT = 10.0
"""Seconds for one request: less than for a vendor's, because a run waits for it before its first one."""
_MAX_HEALTH_BYTES = 64 * 1024
_GRPC_ADDRESS = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[1-9][0-9]{0,4})")
_MAX_PORT = 65535


def fetch_mock_health(target: str) -> dict[str, Any]:
    """Fetch the health of the mock at ``target``; return an empty dictionary if no mock answers on loopback."""
    response = _send(target, "GET", "/__mock/health")
    if response is None or response.status != 200 or len(response.body) > _MAX_HEALTH_BYTES:
        return {}
    try:
        body = parse_foreign_json(response.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def find_mock_grpc_address(target: str) -> str:
    """Return the address of native gRPC, ``host:port``, that the mock at ``target`` names; empty if it names none.

    An address that is not on loopback counts as none: keys are sent there.
    """
    address = fetch_mock_health(target).get("grpc")
    parts = _GRPC_ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if parts is None or int(parts["port"]) > _MAX_PORT:
        return ""
    return parts[0] if is_loopback(parts["host"] or parts["ipv6"], strict=True) else ""


def script_fault(target: str, fault: Mapping[str, Any]) -> None:
    """Ask the mock at ``target`` to answer a request with ``fault``."""
    _send(target, "POST", "/__mock/faults", json.dumps(dict(fault)).encode())


def _send(target: str, method: str, path: str, content: bytes = b"") -> Response | None:
    """Send a control request; return None without sending it beyond loopback, or if no whole response comes."""
    address = httpx.URL(target)
    if not is_loopback(address.host, strict=True):
        return None
    headers = {"content-type": "application/json"} if content else {}
    url = str(address.copy_with(path=path, query=None, fragment=None))
    wire = Wire(get_origin(target), total_timeout=CONTROL_TIMEOUT)
    with contextlib.closing(wire), contextlib.suppress(TransportError):
        return wire.send(EncodedRequest(method, url, headers, content))
    return None
