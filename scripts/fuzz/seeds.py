"""The requests that fuzzing starts from: one of each operation and control, as raw bytes, derived from contracts."""

import json
import struct
from collections.abc import Iterator
from typing import Any

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.samples import build_sample

_CONTROLS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "health", None), ("GET", "state", None), ("PUT", "state", {}), ("DELETE", "state", None), ("GET", "calls", None),
    ("DELETE", "calls", None), ("GET", "interpretations", None), ("PUT", "interpretations", {}),
    ("GET", "snapshots", None), ("POST", "snapshots/a", None), ("POST", "snapshots/a/restore", None), ("DELETE", "snapshots/a", None),
    ("GET", "clock", None), ("PUT", "clock", {"advance": 60}), ("PUT", "clock", {"frozen": True}), ("DELETE", "clock", None),
    ("GET", "page", None), ("GET", "page/facts.json", None), ("GET", "page/state.json", None), ("GET", "page/page.js", None),
)  # fmt: skip
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS = 0x1, 0x4


def build_http_seeds(contracts: list[Contract]) -> list[bytes]:
    """Build a request of each operation, over gRPC-web too, and of each control."""
    seeds = [
        _format_request(method, f"/__mock/{name}", [], b"" if body is None else json.dumps(body).encode())
        for method, name, body in (*_CONTROLS, *_list_fault_controls(contracts))
    ]
    for contract in contracts:
        location, key = contract.credential_locations[0], contract.credentials[0].test
        credential = [f"{location.header}: {location.form.format(key)}"] if location.header else []
        for operation in contract.operations.values():
            path = contract.base_path + operation.path.replace("{", "").replace("}", "")
            seeds.append(_format_request(operation.method, path, credential, _build_body(operation)))
        if contract.token is not None:
            form = b"grant_type=client_credentials&client_id=a&client_secret=b"
            seeds.append(
                _format_request("POST", contract.token.path, ["Content-Type: application/x-www-form-urlencoded"], form)
            )
        seeds += [
            _format_request("POST", path, [*credential, f"Content-Type: {media_type}"], frame)
            for path, message in _list_grpc_messages(contract)
            for media_type, frame in (
                (grpc_web_frames.MEDIA_TYPES[0], grpc_web_frames.encode_frame(message)),
                (grpc_web_frames.MEDIA_TYPES[2], grpc_web_frames.encode_text(grpc_web_frames.encode_frame(message))),
            )
        ]
    chunked = (
        seeds[0].replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n") + b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"
    )
    return [*seeds, chunked, b"".join(seeds[:3])]


def _list_fault_controls(contracts: list[Contract]) -> Iterator[tuple[str, str, Any]]:
    """Yield the controls of each vendor's state, document and faults; the last one removes the faults."""
    for contract in contracts:
        slug, operation = contract.slug, contract.lifecycle.read
        yield "PUT", f"state/{slug}", []
        yield "GET", f"page/documents/{slug}.json", None
        target = {"vendor": slug, "operation": operation}
        yield "POST", "faults", {**target, "times": 1, "status": 404, "body": {"error": "x"}}
        yield "POST", "faults", {**target, "slow": {"bytes": 1, "pause": 0.001}}
        yield "POST", "faults", {**target, "lost": True, "one_in": 2}
        yield "PUT", "faults", [{**target, "cut": 3}, {"vendor": slug, "delay": 0.01, "optional": True}]
        yield "GET", "faults?all=1", None
    yield "DELETE", "faults", None


def build_grpc_seeds(contracts: list[Contract]) -> list[bytes]:
    """Build a native call of each gRPC method: HTTP/2 with headers that are not compressed."""
    return [
        _format_call(path, contract.credentials[0].test, message)
        for contract in contracts
        for path, message in _list_grpc_messages(contract)
    ]


def _build_body(operation: Operation) -> bytes:
    return b"" if operation.body is None else json.dumps(build_sample(operation.body, with_optional=True)).encode()


def _format_request(method: str, target: str, headers: list[str], body: bytes) -> bytes:
    typed = [] if any(line.startswith("Content-Type") for line in headers) else ["Content-Type: application/json"]
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers, *typed, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _list_grpc_messages(contract: Contract) -> Iterator[tuple[str, bytes]]:
    """Yield the path of each gRPC method and an empty request."""
    if contract.grpc is not None:
        codec = MessageCodec(contract)
        for operation in contract.operations.values():
            yield codec.get_method_path(operation.id), codec.encode_request(operation, {}, {})


def _format_call(path: str, key: str, message: bytes) -> bytes:
    headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "127.0.0.1", "te": "trailers",
               "content-type": "application/grpc", "authorization": f"Bearer {key}"}  # fmt: skip
    block = b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in headers.items()
    )
    frames = (_SETTINGS, 0, 0, b""), (_HEADERS, _END_HEADERS, 1, block), (_DATA, _END_STREAM, 1, b"\0" * 5 + message)
    encoded = [
        struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content
        for kind, flags, stream, content in frames
    ]
    return _PREFACE + b"".join(encoded)
