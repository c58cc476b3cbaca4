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

from contract_watch.contracts.config import Grpc
from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.grpc_codes import code
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Body

JSON = Any
_STATUS = "google.rpc.Status"


class NotAMessageError(ValueError):
    """Bytes that are no message of the expected type, or JSON that no such message can say."""


@dataclass(frozen=True)
class Status:
    """What a gRPC call came to: its ``code``, a ``message`` for people, and ``details`` as JSON, each with its ``@type``."""

    code: int
    message: str = ""
    details: tuple[JSON, ...] = ()


class Messages:
    """The messages of one contract that speaks gRPC."""

    def __init__(self, contract: Contract) -> None:
        assert contract.grpc is not None
        self._contract = contract
        self._grpc: Grpc = contract.grpc
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
            raise UsageError(f"{self._contract.file}: `grpc` names {error}, which the .proto does not have") from error

    def path(self, operation: str) -> str:
        """Where an operation's method is called."""
        return f"/{self._grpc.service}/{self._methods[operation].name}"

    # -- requests

    def say_request(self, operation: Operation, parameters: Mapping[str, Any], body: Any) -> bytes:
        """The request with these arguments as bytes; `NotAMessageError` where protobuf has no words for them."""
        if isinstance(body, Body):
            body = {}
        if not isinstance(body, dict):
            raise NotAMessageError("a message is an object")
        return self._say(self._methods[operation.id].input_type, {**body, **parameters})

    def read_request(self, operation: Operation, content: bytes) -> tuple[dict[str, str], Any]:
        """Path parameters and body of the request in ``content``, as REST has them; `NotAMessageError` where it is none."""
        shown = self._read(self._methods[operation.id].input_type, content)
        names = [name[1:-1] for name in operation.arguments() if name.startswith("{")]
        parameters = {name: str(shown.pop(name, "")) for name in names}
        return parameters, shown if operation.body is not None else Body.ABSENT

    # -- answers

    def say_answer(self, operation: str, shown: JSON) -> bytes:
        """A success with the body ``shown`` as bytes."""
        return self._say(self._methods[operation].output_type, shown if isinstance(shown, dict) else {})

    def read_answer(self, operation: str, content: bytes) -> JSON:
        """The body of a success, as REST shows it; `NotAMessageError` where it is none.

        Fields that the ``.proto`` does not have are shown as ``field_<number>``.
        """
        return self._read(self._methods[operation].output_type, content)

    def say_status(self, status: Status) -> bytes:
        """A ``google.rpc.Status`` as bytes."""
        shown = {"code": status.code, "message": status.message, "details": list(status.details)}
        return self._say(self._pool.FindMessageTypeByName(_STATUS), shown)

    def read_status(self, content: bytes) -> Status:
        """The ``google.rpc.Status`` in ``content``; `NotAMessageError` where it is none."""
        message: Any = self._parsed(self._pool.FindMessageTypeByName(_STATUS), content)
        return Status(message.code, message.message, tuple(self._detail(detail) for detail in message.details))

    def _detail(self, detail: Message) -> JSON:
        """A detail as JSON; of a type that the ``.proto`` does not have, only the type is told."""
        try:
            return json_format.MessageToDict(detail, descriptor_pool=self._pool)
        except (DecodeError, TypeError, ValueError, RecursionError, json_format.SerializeToJsonError):
            return {"@type": str(getattr(detail, "type_url", ""))}

    # -- JSON and bytes

    def _say(self, kind: Descriptor, shown: JSON) -> bytes:
        message = message_factory.GetMessageClass(kind)()
        try:
            json_format.ParseDict(shown, message, descriptor_pool=self._pool)
            return message.SerializeToString()
        except (json_format.ParseError, EncodeError, TypeError, ValueError, RecursionError) as error:
            raise NotAMessageError(f"no {kind.full_name} can say it ({type(error).__name__})") from error

    def _read(self, kind: Descriptor, content: bytes) -> dict[str, Any]:
        message = self._parsed(kind, content)
        try:
            shown = json_format.MessageToDict(message, descriptor_pool=self._pool)
        except (TypeError, ValueError, RecursionError, json_format.SerializeToJsonError) as error:
            raise NotAMessageError(f"no {kind.full_name} that JSON can show: {type(error).__name__}") from error
        return _with_unknown(message, shown)

    @staticmethod
    def _parsed(kind: Descriptor, content: bytes) -> Message:
        message = message_factory.GetMessageClass(kind)()
        try:
            message.ParseFromString(content)
        except (DecodeError, ValueError, RecursionError) as error:
            raise NotAMessageError(f"no {kind.full_name}: {type(error).__name__}") from error
        return message


def _with_unknown(message: Message, shown: dict[str, Any]) -> dict[str, Any]:
    """``shown`` with what its message holds beyond its descriptor, in it and in the messages below it."""
    unknown: Any = UnknownFieldSet(message)  # its stubs do not say that it can be walked through
    extra = {f"field_{field.field_number}": _told(field.data) for field in unknown}
    for field, value in message.ListFields():
        told = shown.get(field.json_name)
        if field.message_type is None:
            continue
        if isinstance(value, Message) and isinstance(told, dict):
            shown[field.json_name] = _with_unknown(value, told)
        elif isinstance(told, list):
            pairs = zip(value, told, strict=True)
            shown[field.json_name] = [
                _with_unknown(one, seen) if isinstance(seen, dict) else seen for one, seen in pairs
            ]
    return {**shown, **extra}


def _told(data: Any) -> JSON:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data if isinstance(data, int) else str(data)


def of_answer(status: int, shown: JSON) -> Status:
    """The gRPC status of a refusal that REST answers with ``status`` and the body ``shown``."""
    body = shown if isinstance(shown, dict) else {}
    told = body.get("code")
    details = body.get("details")
    return Status(
        told if isinstance(told, int) and not isinstance(told, bool) else code(status),
        str(body.get("message", "")),
        tuple(details) if isinstance(details, list) else (),
    )


def as_answer(status: Status) -> bytes:
    """The body with which REST shows a refusal."""
    shown: dict[str, Any] = {"code": status.code, "message": status.message}
    return json.dumps(shown | ({"details": list(status.details)} if status.details else {})).encode()
