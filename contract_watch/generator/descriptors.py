"""The gRPC descriptors of a contract: one file for every ``.proto`` in its directory and their imports.

A set of descriptors, unlike generated Python, works with every version of protobuf, and loads into a separate pool.
"""

from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]  # it has no types

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError

STATUS = "google/rpc/status.proto"
"""The wrapper of gRPC's error details, the same for every vendor."""


def compile_protos(contract: Contract, into: Path) -> None:
    """Write the descriptors of ``contract`` to the file ``into``.

    Raises:
        UsageError: there is no ``.proto`` file, or one does not compile.
    """
    directory = contract.directory / "proto"
    sources = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*.proto"))
    if not sources:
        raise UsageError(f"{directory}: has no .proto file although contract.toml has `grpc`; add one")
    known = [str(files("grpc_tools").joinpath("_proto")), str(files("google").joinpath("rpc").joinpath("..", ".."))]
    includes = [f"-I{path}" for path in (directory, *known)]
    # protoc writes its errors to standard error.
    if protoc.main(["protoc", *includes, "--include_imports", f"--descriptor_set_out={into}", *sources, STATUS]):
        raise UsageError(f"{directory}: protoc failed; correct the errors above")
