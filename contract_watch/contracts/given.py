"""The arguments that name an object above the resource, which no run creates: ``[given]`` in contract.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.tables import parse_table
from contract_watch.errors import UsageError


@dataclass(frozen=True)
class Given:
    """An argument whose value people choose, such as the domain in ``/domains/{domain}/users``.

    ``variable`` is the environment variable with the value on a real account, ``test`` the value for the mock and loopback
    URLs if it is unset. ``about`` describes the object in prose. ``shown`` is the property of rows that shows the value.
    """

    variable: str
    test: str
    about: str
    shown: str = ""


class GivenArguments:
    """The given arguments of one contract by name, such as ``{domain}``, with the values of the present run.

    An argument with a role in ``identities`` is no given one in that operation.
    """

    def __init__(self, tables: Mapping[str, Given], identities: Mapping[str, Mapping[str, str]]) -> None:
        self.tables, self._identities = tables, identities
        self.values = {name: table.test for name, table in tables.items()}

    def read(self, environment: Mapping[str, str]) -> None:
        """Take the values from the environment; a variable that is unset means the test value."""
        self.values = {name: environment.get(one.variable) or one.test for name, one in self.tables.items()}

    def list_missing(self, environment: Mapping[str, str]) -> list[Given]:
        """List the arguments whose variable is unset."""
        return [one for one in self.tables.values() if not environment.get(one.variable)]

    def get_values(self, operation: Operation) -> dict[str, str]:
        """Return the value of each given argument of ``operation``."""
        if not self.values:
            return {}
        roles = self._identities.get(operation.id, {})
        return {
            name: value for name, value in self.values.items() if name in operation.path_schemas and name not in roles
        }

    def complete(self, operation: Operation, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of a request with each given argument that they leave out."""
        return {**{name[1:-1]: value for name, value in self.get_values(operation).items()}, **parameters}

    def find_problem(self, name: str, operations: Mapping[str, Operation]) -> str:
        """Return the first operation that does not accept the value of ``name``, with the reason; empty if all do."""
        for operation in operations.values():
            if name in self.get_values(operation):
                found = next(operation.find_parameter_violations({name[1:-1]: self.values[name]}), None)
                if found is not None:
                    return f"{operation.name}, which expects {found.expected}"
        return ""


def parse_given(
    raw: Any, operations: Mapping[str, Operation], identities: Mapping[str, Mapping[str, str]], file: Path
) -> GivenArguments:
    """Return the arguments of ``raw``, the table `[given]` of ``file``.

    Raises:
        UsageError: an argument is in no path.
    """
    if not isinstance(raw, dict):
        raise UsageError(f'{file}: `given` must be a table of tables such as [given."{{domain}}"], got {raw!r}')
    tables: dict[str, Given] = {}
    for name, table in raw.items():
        if not any(name in one.path_schemas for one in operations.values()):
            raise UsageError(
                f"{file}: `given` has the bad entry {name!r}, which no path of the document has; "
                'write a parameter of a path, such as "{domain}"'
            )
        tables[name] = parse_table(file, f"given.{name}", table, Given)
    return GivenArguments(tables, identities)
