"""The services that gRPC's own tools expect of a server: health and reflection, with the packages of gRPC itself.

Calls to them concern the mock and not a vendor, so that the journal does not record them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from contract_watch.mock.grpc.calls import GrpcCalls

_SERVING = health_pb2.HealthCheckResponse.SERVING
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_ALPHA, _FINAL = reflection.SERVICE_NAME, reflection.SERVICE_NAME.replace("v1alpha", "v1")
"""Both names of reflection. Their messages are the same, and clients ask for the final one first."""


class _HealthService(health.aio.HealthServicer):
    """The health of the mock (``""``) and of each service; all of them serve until the mock stops."""

    def __init__(self, services: Sequence[str]) -> None:
        super().__init__()
        self._services = ["", *services]

    async def start(self) -> None:
        """Report that each service is served."""
        for name in self._services:
            await self.set(name, _SERVING)

    async def List(self, _request: Any, context: Any) -> Any:  # noqa: N802 (the name in gRPC's .proto)
        """Return the status of every service; the package leaves this method out."""
        requests = {name: health_pb2.HealthCheckRequest(service=name) for name in self._services}
        statuses = {name: await self.Check(request, context) for name, request in requests.items()}
        messages: Any = health_pb2  # its stubs do not know the message yet
        return messages.HealthListResponse(statuses=statuses)


class _JoinedPool:
    """Descriptors of several pools, because two vendors may have different files of one name."""

    def __init__(self, pools: Sequence[DescriptorPool]) -> None:
        self._pools = pools

    def _find(self, find: Callable[[Any], Any]) -> Any:
        for pool in self._pools:
            try:
                return find(pool)
            except KeyError:
                continue
        raise KeyError

    def FindFileByName(self, name: str) -> Any:  # noqa: N802 (as DescriptorPool has it)
        """See DescriptorPool."""
        return self._find(lambda pool: pool.FindFileByName(name))

    def FindFileContainingSymbol(self, name: str) -> Any:  # noqa: N802 (as DescriptorPool has it)
        """See DescriptorPool."""
        return self._find(lambda pool: pool.FindFileContainingSymbol(name))

    def FindMessageTypeByName(self, name: str) -> Any:  # noqa: N802 (as DescriptorPool has it)
        """See DescriptorPool."""
        return self._find(lambda pool: pool.FindMessageTypeByName(name))

    def FindExtensionByNumber(self, message: Any, number: int) -> Any:  # noqa: N802 (as DescriptorPool has it)
        """See DescriptorPool."""
        return message.file.pool.FindExtensionByNumber(message, number)

    def FindAllExtensions(self, message: Any) -> Any:  # noqa: N802 (as DescriptorPool has it)
        """See DescriptorPool."""
        return message.file.pool.FindAllExtensions(message)


class StandardServices:
    """Health, and reflection of the vendors' services and of these themselves."""

    def __init__(self, calls: Sequence[GrpcCalls]) -> None:
        services = [one.service for one in calls]
        self._health = _HealthService(services)
        pool = _JoinedPool([*(one.descriptor_pool for one in calls), _build_own_pool()])
        self._reflection = reflection.aio.ReflectionServicer([*services, _HEALTH, _ALPHA, _FINAL], pool=pool)

    async def add_to(self, server: Any) -> None:
        """Add the services to a ``grpc.aio`` server, and report that they are served."""
        await self._health.start()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        method = grpc.stream_stream_rpc_method_handler(
            self._reflection.ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method}) for name in (_ALPHA, _FINAL)]
        )

    async def stop(self) -> None:
        """Tell all watchers of health that nothing is served any more."""
        await self._health.enter_graceful_shutdown()


def _build_own_pool() -> DescriptorPool:
    """Build a pool of the descriptors of health and of both versions of reflection."""
    pool = DescriptorPool()
    for module in (health_pb2, reflection_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    alpha = FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
    final = json_format.MessageToJson(alpha).replace("v1alpha", "v1")
    pool.Add(json_format.Parse(final, FileDescriptorProto()))
    return pool
