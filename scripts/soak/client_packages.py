"""The generated client packages, with an example call of each operation that any of them can make."""

import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.generator.client_facts import build_facts
from contract_watch.generator.configuration import get_package_name
from contract_watch.generator.readme_example import choose_value, read_own_values

JSON = Any


@dataclass(frozen=True)
class ClientCall:
    """A call of one method with valid ``arguments``, and the documented success that a faithful server responds with."""

    method: str
    arguments: Mapping[str, JSON]
    verb: str
    path: str
    status: int
    body: bytes
    is_repeatable: bool


class ClientPackage:
    """The generated package of one contract, importable from its directory."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.slug = contract.slug
        self.name = get_package_name(contract.slug)
        self.directory = ROOT / "generated" / contract.slug / "client"
        self._facts = build_facts(contract)

    def __repr__(self) -> str:
        return self.slug

    def load(self, module: str = "") -> ModuleType:
        """Import the package, or a module of it such as ``errors``."""
        if str(self.directory) not in sys.path:
            sys.path.insert(0, str(self.directory))
        return importlib.import_module(f"{self.name}.{module}" if module else self.name)

    @property
    def key(self) -> str:
        """A key of the documented form that opens nothing."""
        return str(self._facts["test_key"])

    @cached_property
    def calls(self) -> dict[str, ClientCall]:
        """An example call of each method, by the method's name."""
        found = [self._build_call(operation) for operation in self.contract.operations.values()]
        return {call.method: call for call in found}

    @property
    def create(self) -> ClientCall:
        """The call that creates an object."""
        return self.calls[self._facts["create"]]

    @property
    def read(self) -> ClientCall:
        """The call that reads objects."""
        return self.calls[self._facts["read"]]

    def _build_call(self, operation: Operation) -> ClientCall:
        example = self._facts["examples"][operation.name]
        body = example["body"] if isinstance(example["body"], dict) else {}
        verb, _, path = operation.name.partition(" ")
        status = min(one for one in operation.responses if 200 <= one < 300)
        media = next(iter(operation.responses[status].media.values()), None)
        document = self.contract.effective.raw
        answer = choose_value(document, media.schema, read_own_values(self.contract)) if media is not None else None
        return ClientCall(
            method=str(PythonIdentifier(operation.id, "field_")),
            arguments={str(PythonIdentifier(name, "field_")): one for name, one in {**example["parameters"], **body}.items()},
            verb=verb.upper(),
            path=path,
            status=status,
            body=b"" if media is None else json.dumps(answer).encode(),
            is_repeatable=operation.name in self._facts["repeatable"],
        )  # fmt: skip


def load_client_packages() -> list[ClientPackage]:
    """Return the package of every contract."""
    return [ClientPackage(contract) for contract in load_contracts().values()]
