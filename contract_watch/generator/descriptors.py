"""The gRPC descriptors of a contract: one file made from every ``.proto`` in its directory, and from what those import.

A set of descriptors, unlike generated Python, is bound to no version of protobuf, and can be loaded into a pool of its own.
"""

from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]  # it has no types

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError

STATUS = "google/rpc/status.proto"
"""The wrapper of gRPC's error details, the same for every vendor."""


def compile_protos(contract: Contract, into: Path) -> None:
    """Write the descriptors of ``contract`` to the file ``into``; a `UsageError` where its ``.proto`` files do not compile."""
    directory = contract.directory / "proto"
    sources = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*.proto"))
    if not sources:
        raise UsageError(f"{directory}: holds no .proto file, though contract.toml has `grpc`")
    known = [str(files("grpc_tools").joinpath("_proto")), str(files("google").joinpath("rpc").joinpath("..", ".."))]
    includes = [f"-I{place}" for place in (directory, *known)]
    # protoc tells what is wrong on standard error itself.
    if protoc.main(["protoc", *includes, "--include_imports", f"--descriptor_set_out={into}", *sources, STATUS]):
        raise UsageError(f"{directory}: protoc refuses it; see above")
