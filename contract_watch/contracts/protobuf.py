"""The codec of a contract's gRPC messages: bytes to and from the JSON of REST, which models use.

The descriptors come from ``generated/<slug>/descriptors.binpb``, which ``make generate`` builds from the contract's
``.proto`` files. They are in a descriptor pool of their own, because other code in the process can use the same names.
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
MAX_MESSAGE_BYTES = 1024 * 1024
"""Bytes of a response that is decoded. Two bytes can be a nested message, which takes a thousand as JSON."""
_STATUS = "google.rpc.Status"


class MessageCodecError(ValueError):
    """Bytes that are not a message of the expected type, or JSON that such a message cannot represent."""


@dataclass(frozen=True)
class GrpcStatus:
    """The status of a gRPC call; ``details`` are JSON objects, each with its ``@type``."""

    code: int
    message: str = ""
    details: tuple[JSON, ...] = ()


class MessageCodec:
    """The codec of one contract that has gRPC."""

    def __init__(self, contract: Contract) -> None:
        assert contract.grpc is not None
        self._contract = contract
        self._grpc: GrpcConfig = contract.grpc
        self._path = contract.output_directory / "descriptors.binpb"

    @cached_property
    def pool(self) -> DescriptorPool:
        """The descriptors of the contract; `UsageError` if there are none."""
        try:
            descriptors = FileDescriptorSet.FromString(self._path.read_bytes())
        except (OSError, DecodeError) as error:
            reason = getattr(error, "strerror", None) or "it contains no descriptors"
            raise UsageError(f"{self._path}: cannot be read ({reason}); run `make generate`") from error
        pool = DescriptorPool()
        for file in descriptors.file:
            pool.Add(file)
        return pool

    @cached_property
    def _methods(self) -> dict[str, MethodDescriptor]:
        try:
            service = self.pool.FindServiceByName(self._grpc.service)
            return {name: service.methods_by_name[method] for name, method in self._grpc.methods.items()}
        except KeyError as error:
            raise UsageError(
                f"{self._contract.config_file}: `grpc` names {error}, which the .proto does not declare; correct the name"
            ) from error

    def get_method_path(self, operation: str) -> str:
        """Return the HTTP/2 path of an operation's method."""
        return f"/{self._grpc.service}/{self._methods[operation].name}"

    # -- requests

    def encode_request(self, operation: Operation, parameters: Mapping[str, Any], body: Any) -> bytes:
        """Encode a request; raise `MessageCodecError` if the message cannot represent its arguments."""
        if isinstance(body, MissingBody):
            body = {}
        if not isinstance(body, dict):
            raise MessageCodecError("a message must be an object")
        return self._encode(self._methods[operation.id].input_type, {**body, **parameters})

    def decode_request(self, operation: Operation, content: bytes) -> tuple[dict[str, str], Any]:
        """Decode a request to the path parameters and the body of REST; raise `MessageCodecError` if it is malformed."""
        message = self._decode(self._methods[operation.id].input_type, content)
        names = [name[1:-1] for name in operation.get_arguments() if name.startswith("{")]
        parameters = {name: str(message.pop(name, "")) for name in names}
        return parameters, message if operation.body is not None else MissingBody.ABSENT

    # -- responses

    def encode_response(self, operation: str, body: JSON) -> bytes:
        """Encode the body of a success; a body other than an object becomes an empty message."""
        return self._encode(self._methods[operation].output_type, body if isinstance(body, dict) else {})

    def decode_response(self, operation: str, content: bytes) -> JSON:
        """Decode the body of a success to the JSON of REST; raise `MessageCodecError` if it is malformed.

        Fields that the ``.proto`` does not declare are named ``field_<number>``. A longer message is not decoded.
        """
        if len(content) > MAX_MESSAGE_BYTES:
            raise MessageCodecError(f"the message has {len(content):,} bytes, more than {MAX_MESSAGE_BYTES:,}")
        return self._decode(self._methods[operation].output_type, content)

    def encode_status(self, status: GrpcStatus) -> bytes:
        """Encode a ``google.rpc.Status``."""
        fields = {"code": status.code, "message": status.message, "details": list(status.details)}
        return self._encode(self.pool.FindMessageTypeByName(_STATUS), fields)

    def decode_status(self, content: bytes) -> GrpcStatus:
        """Decode a ``google.rpc.Status``; raise `MessageCodecError` if it is malformed."""
        message: Any = self._parse_message(self.pool.FindMessageTypeByName(_STATUS), content)
        return GrpcStatus(
            message.code, message.message, tuple(self._decode_detail(detail) for detail in message.details)
        )

    def _decode_detail(self, detail: Message) -> JSON:
        """Decode a detail to JSON; of a type that the ``.proto`` does not declare, only ``@type`` is known."""
        try:
            return json_format.MessageToDict(detail, descriptor_pool=self.pool)
        except (DecodeError, TypeError, ValueError, RecursionError, json_format.SerializeToJsonError):
            return {"@type": str(getattr(detail, "type_url", ""))}

    # -- JSON and bytes

    def _encode(self, descriptor: Descriptor, value: JSON) -> bytes:
        message = message_factory.GetMessageClass(descriptor)()
        try:
            json_format.ParseDict(value, message, descriptor_pool=self.pool)
            return message.SerializeToString()
        except (json_format.ParseError, EncodeError, TypeError, ValueError, RecursionError) as error:
            problem = type(error).__name__
            raise MessageCodecError(f"the value does not fit {descriptor.full_name} ({problem})") from error

    def _decode(self, descriptor: Descriptor, content: bytes) -> dict[str, Any]:
        message = self._parse_message(descriptor, content)
        try:
            decoded = json_format.MessageToDict(message, descriptor_pool=self.pool)
        except (TypeError, ValueError, RecursionError, json_format.SerializeToJsonError) as error:
            problem = type(error).__name__
            raise MessageCodecError(f"the {descriptor.full_name} cannot be converted to JSON ({problem})") from error
        return _add_unknown_fields(message, decoded)

    @staticmethod
    def _parse_message(descriptor: Descriptor, content: bytes) -> Message:
        message = message_factory.GetMessageClass(descriptor)()
        try:
            message.ParseFromString(content)
        except (DecodeError, ValueError, RecursionError) as error:
            problem = type(error).__name__
            raise MessageCodecError(f"the bytes are not a {descriptor.full_name} ({problem})") from error
        return message


def _add_unknown_fields(message: Message, decoded: dict[str, Any]) -> dict[str, Any]:
    """Add the fields that the descriptor does not declare to ``decoded``, also in nested messages."""
    unknown: Any = UnknownFieldSet(message)  # its stubs lack __iter__
    extra = {f"field_{field.field_number}": _format_unknown_value(field.data) for field in unknown}
    for field, value in message.ListFields():
        inner = decoded.get(field.json_name)
        if field.message_type is None:
            continue
        if isinstance(value, Message) and isinstance(inner, dict):
            decoded[field.json_name] = _add_unknown_fields(value, inner)
        elif isinstance(inner, list):
            decoded[field.json_name] = [
                _add_unknown_fields(item, json_item) if isinstance(json_item, dict) else json_item
                for item, json_item in zip(value, inner, strict=True)
            ]
    return {**decoded, **extra}


def _format_unknown_value(data: Any) -> JSON:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data if isinstance(data, int) else str(data)


def build_status(status: int, response_body: JSON) -> GrpcStatus:
    """Convert an error response of REST to a gRPC status; a missing code follows from ``status``."""
    body = response_body if isinstance(response_body, dict) else {}
    code = body.get("code")
    details = body.get("details")
    return GrpcStatus(
        code if isinstance(code, int) and not isinstance(code, bool) else guess_grpc_code(status),
        str(body.get("message", "")),
        tuple(details) if isinstance(details, list) else (),
    )


def build_error_body(status: GrpcStatus) -> bytes:
    """Return the body of the error response of REST for ``status``."""
    body: dict[str, Any] = {"code": status.code, "message": status.message}
    return json.dumps(body | ({"details": list(status.details)} if status.details else {})).encode()
