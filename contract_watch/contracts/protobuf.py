"""A contract's gRPC messages: between bytes and the JSON that REST says, whose shape models know.

The descriptors come from ``generated/<slug>/descriptors.binpb``, made from the contract's ``.proto`` files, and live in a pool
of their own: others in the same process may use the same names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, EncodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from contract_watch.contracts.config import GrpcConfig
from contract_watch.contracts.grpc_codes import guess_grpc_code
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.errors import UsageError

JSON = Any
_STATUS = "google.rpc.Status"


class MessageCodecError(ValueError):
    """Bytes that are no message of the expected type, or JSON that no such message can say."""


@dataclass(frozen=True)
class GrpcStatus:
    """What a gRPC call came to: its ``code``, a ``message`` for people, and ``details`` as JSON, each with its ``@type``."""

    code: int
    message: str = ""
    details: tuple[JSON, ...] = ()


class MessageCodec:
    """The messages of one contract that speaks gRPC."""

    def __init__(self, contract: Contract) -> None:
        assert contract.grpc is not None
        self._contract = contract
        self._grpc: GrpcConfig = contract.grpc
        self._path = contract.root / "generated" / contract.slug / "descriptors.binpb"

    @cached_property
    def _pool(self) -> DescriptorPool:
        try:
            found = FileDescriptorSet.FromString(self._path.read_bytes())
        except (OSError, DecodeError) as error:
            reason = getattr(error, "strerror", None) or "it holds no descriptors"
            raise UsageError(f"{self._path}: cannot be read ({reason}): run `make generate`") from error
        pool = DescriptorPool()
        for file in found.file:
            pool.Add(file)
        return pool

    @cached_property
    def _methods(self) -> dict[str, MethodDescriptor]:
        try:
            service = self._pool.FindServiceByName(self._grpc.service)
            return {name: service.methods_by_name[method] for name, method in self._grpc.methods.items()}
        except KeyError as error:
            raise UsageError(
                f"{self._contract.config_file}: `grpc` names {error}, which the .proto does not have"
            ) from error

    def get_method_path(self, operation: str) -> str:
        """Where an operation's method is called."""
        return f"/{self._grpc.service}/{self._methods[operation].name}"

    # -- requests

    def encode_request(self, operation: Operation, parameters: Mapping[str, Any], body: Any) -> bytes:
        """The request with these arguments as bytes; `MessageCodecError` where protobuf has no words for them."""
        if isinstance(body, MissingBody):
            body = {}
        if not isinstance(body, dict):
            raise MessageCodecError("a message is an object")
        return self._encode(self._methods[operation.id].input_type, {**body, **parameters})

    def decode_request(self, operation: Operation, content: bytes) -> tuple[dict[str, str], Any]:
        """Path parameters and body of the request in ``content``, as REST has them; `MessageCodecError` where it is none."""
        shown = self._decode(self._methods[operation.id].input_type, content)
        names = [name[1:-1] for name in operation.get_arguments() if name.startswith("{")]
        parameters = {name: str(shown.pop(name, "")) for name in names}
        return parameters, shown if operation.body is not None else MissingBody.ABSENT

    # -- answers

    def encode_response(self, operation: str, body: JSON) -> bytes:
        """A success with the body ``shown`` as bytes."""
        return self._encode(self._methods[operation].output_type, body if isinstance(body, dict) else {})

    def decode_response(self, operation: str, content: bytes) -> JSON:
        """The body of a success, as REST shows it; `MessageCodecError` where it is none.

        Fields that the ``.proto`` does not have are shown as ``field_<number>``.
        """
        return self._decode(self._methods[operation].output_type, content)

    def encode_status(self, status: GrpcStatus) -> bytes:
        """A ``google.rpc.Status`` as bytes."""
        shown = {"code": status.code, "message": status.message, "details": list(status.details)}
        return self._encode(self._pool.FindMessageTypeByName(_STATUS), shown)

    def decode_status(self, content: bytes) -> GrpcStatus:
        """The ``google.rpc.Status`` in ``content``; `MessageCodecError` where it is none."""
        message: Any = self._parse_message(self._pool.FindMessageTypeByName(_STATUS), content)
        return GrpcStatus(
            message.code, message.message, tuple(self._decode_detail(detail) for detail in message.details)
        )

    def _decode_detail(self, detail: Message) -> JSON:
        """A detail as JSON; of a type that the ``.proto`` does not have, only the type is told."""
        try:
            return json_format.MessageToDict(detail, descriptor_pool=self._pool)
        except (DecodeError, TypeError, ValueError, RecursionError, json_format.SerializeToJsonError):
            return {"@type": str(getattr(detail, "type_url", ""))}

    # -- JSON and bytes

    def _encode(self, descriptor: Descriptor, value: JSON) -> bytes:
        message = message_factory.GetMessageClass(descriptor)()
        try:
            json_format.ParseDict(value, message, descriptor_pool=self._pool)
            return message.SerializeToString()
        except (json_format.ParseError, EncodeError, TypeError, ValueError, RecursionError) as error:
            raise MessageCodecError(f"no {descriptor.full_name} can say it ({type(error).__name__})") from error

    def _decode(self, descriptor: Descriptor, content: bytes) -> dict[str, Any]:
        message = self._parse_message(descriptor, content)
        try:
            shown = json_format.MessageToDict(message, descriptor_pool=self._pool)
        except (TypeError, ValueError, RecursionError, json_format.SerializeToJsonError) as error:
            raise MessageCodecError(f"no {descriptor.full_name} that JSON can show: {type(error).__name__}") from error
        return _add_unknown_fields(message, shown)

    @staticmethod
    def _parse_message(descriptor: Descriptor, content: bytes) -> Message:
        message = message_factory.GetMessageClass(descriptor)()
        try:
            message.ParseFromString(content)
        except (DecodeError, ValueError, RecursionError) as error:
            raise MessageCodecError(f"no {descriptor.full_name}: {type(error).__name__}") from error
        return message


def _add_unknown_fields(message: Message, decoded: dict[str, Any]) -> dict[str, Any]:
    """``shown`` with what its message holds beyond its descriptor, in it and in the messages below it."""
    unknown: Any = UnknownFieldSet(message)  # its stubs do not say that it can be walked through
    extra = {f"field_{field.field_number}": _format_unknown_value(field.data) for field in unknown}
    for field, value in message.ListFields():
        told = decoded.get(field.json_name)
        if field.message_type is None:
            continue
        if isinstance(value, Message) and isinstance(told, dict):
            decoded[field.json_name] = _add_unknown_fields(value, told)
        elif isinstance(told, list):
            pairs = zip(value, told, strict=True)
            decoded[field.json_name] = [
                _add_unknown_fields(one, seen) if isinstance(seen, dict) else seen for one, seen in pairs
            ]
    return {**decoded, **extra}


def _format_unknown_value(data: Any) -> JSON:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data if isinstance(data, int) else str(data)


def build_status(status: int, response_body: JSON) -> GrpcStatus:
    """The gRPC status of a refusal that REST answers with ``status`` and the body ``shown``."""
    body = response_body if isinstance(response_body, dict) else {}
    told = body.get("code")
    details = body.get("details")
    return GrpcStatus(
        told if isinstance(told, int) and not isinstance(told, bool) else guess_grpc_code(status),
        str(body.get("message", "")),
        tuple(details) if isinstance(details, list) else (),
    )


def build_error_body(status: GrpcStatus) -> bytes:
    """The body with which REST shows a refusal."""
    shown: dict[str, Any] = {"code": status.code, "message": status.message}
    return json.dumps(shown | ({"details": list(status.details)} if status.details else {})).encode()
