"""The locations of objects in requests and responses, from the effective document and ``contract.toml``."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract_watch.contracts.openapi import Operation, ResponseSpec
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.table import ResourceTable
from contract_watch.contracts.schema import Document, find_kind, flatten_schema, resolve_reference
from contract_watch.errors import UsageError

EVERY = "*"
"""The part of a row's path that stands for the items of an array."""
_MAX_DEPTH = 8


@dataclass(frozen=True)
class RowLocation:
    """The location of objects in a response: the path of properties and `EVERY`, and the schema of an object."""

    path: tuple[str, ...]
    schema: Mapping[str, Any]

    @property
    def is_list(self) -> bool:
        """True if the response holds several objects."""
        return EVERY in self.path

    @property
    def properties(self) -> Mapping[str, Any]:
        """The schemas of an object's properties, by name; references are not resolved."""
        found: Mapping[str, Any] = self.schema.get("properties", {})
        return found

    @cached_property
    def required(self) -> Collection[str]:
        """The properties that every object has."""
        return frozenset(self.schema.get("required", ()))


def choose_alternative(document: Document, schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the member of `oneOf` or `anyOf` that declares the property ``name``, else the schema itself."""
    flat = flatten_schema(document, schema)
    for member in (*flat.get("oneOf", ()), *flat.get("anyOf", ())):
        found = flatten_schema(document, member)
        if name in found.get("properties", {}):
            return found
    return flat


def find_row(document: Document, raw: Any, name: str, depth: int = 0) -> RowLocation | None:
    """Return the location of the outermost object with the property ``name`` in a response; None if it has none."""
    schema = choose_alternative(document, raw if isinstance(raw, dict) else {}, name)
    if name in schema.get("properties", {}):
        return RowLocation((), schema)
    if depth > _MAX_DEPTH:
        return None
    found: list[RowLocation] = []
    if isinstance(schema.get("items"), dict):
        inner = find_row(document, schema["items"], name, depth + 1)
        found += [RowLocation((EVERY, *inner.path), inner.schema)] if inner is not None else []
    for prop, raw_property in schema.get("properties", {}).items():
        inner = find_row(document, raw_property, name, depth + 1)
        found += [RowLocation((prop, *inner.path), inner.schema)] if inner is not None else []
    return min(found, key=lambda one: len(one.path), default=None)


def get_success(operation: Operation) -> tuple[int, ResponseSpec | None]:
    """Return the lowest documented success of ``operation``; 200 and None if it documents none."""
    return operation.lowest_success


def get_schema(spec: ResponseSpec | None) -> Mapping[str, Any]:
    """Return the schema of a response's body; empty if it has none."""
    return spec.schema if spec is not None else {}


class Layout:
    """The operations of one resource by kind, and the properties that each sets and shows.

    ``create``, ``remove`` and ``list`` are operation ids; ``list`` is empty if the vendor has no list. ``readers`` are
    the operations that read one object, ``updates`` those that change one and set properties, ``actions`` those that
    change one and set none.
    """

    def __init__(self, contract: Contract, table: ResourceTable) -> None:
        self.document = contract.effective.schemas
        self.operations = contract.operations
        self._contract, self._table = contract, table
        life, listed = contract.lifecycle, contract.list_config
        self.create, self.remove = life.create, life.remove
        self.list = listed.operation if listed is not None else ("" if self.get_naming(life.read) else life.read)
        self.id_path = life.id
        self.key = (listed.id or listed.name if listed is not None else life.id).rpartition("/")[
            2
        ] or self.name_argument
        self.created = listed.created.rpartition("/")[2] if listed is not None else ""
        others = [name for name in self.operations if name not in (self.create, self.remove, self.list)]
        self.readers = [name for name in others if contract.is_read_only(name) and self.get_naming(name)]
        changing = [name for name in others if not contract.is_read_only(name) and self.get_naming(name)]
        self._refuse_second_creation(others)
        self.updates = [name for name in changing if self.get_settable(name)]
        self.actions = [name for name in changing if name not in self.updates]

    def _refuse_second_creation(self, others: Sequence[str]) -> None:
        """Raise `UsageError` for an operation that creates as well, or changes an object above the resource."""
        for operation in (self.operations[name] for name in others):
            if self._contract.is_read_only(operation.id) or self.get_naming(operation.id):
                continue
            row = self.get_row(operation.id)
            creates = 201 in operation.responses or (row is not None and not row.is_list)
            if not (creates or self.get_parents(operation.id)):
                continue
            raise UsageError(
                f"{self._contract.config_file}: lifecycle: {operation.id} ({operation.name}) names no `existing` object, and "
                f"{self.create} is the one operation that creates; leave {operation.id} out, and give its objects a contract "
                "of their own (OPERATIONS), where [given] names those above them"
            )

    @property
    def has_server_ids(self) -> bool:
        """True if the server assigns ids, False if the caller chooses names."""
        return bool(self.id_path)

    @cached_property
    def name_argument(self) -> str:
        """The argument of create with the name or the mark of a new object."""
        roles = self._contract.get_roles(self._contract.lifecycle.create)
        return next((name for name, role in roles.items() if role == "new"), "")

    def get_naming(self, operation: str) -> str:
        """Return the argument of ``operation`` that names an existing object; empty if none must."""
        return self._namings.get(operation, "")

    @cached_property
    def _namings(self) -> dict[str, str]:
        return {name: self._find_naming(name) for name in self.operations}

    def _find_naming(self, operation: str) -> str:
        roles = self._contract.get_roles(operation)
        required = self.operations[operation].get_required_arguments()
        return next((name for name, role in roles.items() if role == "existing" and name in required), "")

    def get_parents(self, operation: str) -> list[str]:
        """Return the arguments of ``operation`` that name objects above the resource."""
        return list(self._contract.given.get_values(self.operations[operation]))

    @property
    def shown_parents(self) -> dict[str, str | int]:
        """The present value of each property that shows an object above the resource."""
        given = self._contract.given
        shown = {one.shown: given.values[name] for name, one in given.tables.items() if one.shown}
        return {prop: int(text) if self._is_integer(prop) else text for prop, text in shown.items()}

    def _is_integer(self, prop: str) -> bool:
        found = (row.properties[prop] for row in self._rows.values() if row is not None and prop in row.properties)
        return any(find_kind(flatten_schema(self.document, schema)) == "integer" for schema in found)

    def get_renaming(self, operation: str) -> str:
        """Return the argument of an update that gives the object another name; empty if none does.

        Where the server assigns ids, the argument only changes the run's mark, a property like any other.
        """
        return self._renamings.get(operation, "")

    @cached_property
    def _renamings(self) -> dict[str, str]:
        found = {name: self._contract.get_roles(name) for name in self.operations}
        return {
            operation: ""
            if operation == self.create or self.has_server_ids
            else next((name for name, role in roles.items() if role == "new"), "")
            for operation, roles in found.items()
        }

    def find_object_path(self, name: str) -> str:
        """Return the path of the object ``name``, without the base path; empty if none names it."""
        for operation in (*self.readers, self.remove, *self.updates):
            naming = self.get_naming(operation)
            if naming.startswith("{"):
                declared = self.operations[operation]
                return declared.build_path(self._contract.given.complete(declared, {naming[1:-1]: name}))
        return ""

    def get_row(self, operation: str) -> RowLocation | None:
        """Return where the object, or the objects of a list, stand in a success of ``operation``; None if nowhere."""
        return self._rows[operation]

    @cached_property
    def _rows(self) -> dict[str, RowLocation | None]:
        return {name: self._find_row(operation) for name, operation in self.operations.items()}

    def _find_row(self, operation: Operation) -> RowLocation | None:
        schema = get_schema(get_success(operation)[1])
        listed = self._contract.list_config
        if listed is not None and operation.id == listed.operation:
            path = tuple(listed.rows.strip("/").split("/")) if listed.rows.strip("/") else ()
            return RowLocation((*path, EVERY), self._walk(schema, (*path, EVERY)))
        return find_row(self.document, schema, self.key)

    def _walk(self, schema: Any, path: tuple[str, ...]) -> dict[str, Any]:
        for part in path:
            if part == EVERY:
                schema = flatten_schema(self.document, schema).get("items", {})
            else:
                schema = choose_alternative(self.document, schema, part).get("properties", {}).get(part, {})
        return flatten_schema(self.document, schema)

    @cached_property
    def shown(self) -> frozenset[str]:
        """The properties of an object that some response shows, as responses spell them."""
        return frozenset(name for row in self._rows.values() if row is not None for name in row.properties)

    def find_shown_schema(self, prop: str) -> dict[str, Any] | None:
        """Return the schema of a property that responses show: the list's if it has the property; None if none has."""
        return self._shown_schemas.get(prop)

    @cached_property
    def _shown_schemas(self) -> dict[str, dict[str, Any]]:
        order = (self.list, *self.readers, self.create, *self.operations)
        rows = [row for name in order if name in self._rows and (row := self._rows[name]) is not None]
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            for prop, raw in row.properties.items():
                found.setdefault(prop, flatten_schema(self.document, raw))
        return found

    def get_shown_name(self, argument: str) -> str:
        """Return the name of an argument in responses."""
        return self._table.shown_as.get(argument, argument)

    @cached_property
    def given_secrets(self) -> list[str]:
        """The secrets that responses show and no request sets: the server makes one for each object."""
        settable = {name for operation in self.operations for name in self.get_settable(operation)}
        return [name for name in self._table.secrets if name not in settable and name in self.shown]

    def get_settable(self, operation: str) -> list[str]:
        """Return the arguments of a changing operation that set a property which responses show."""
        if self._contract.is_read_only(operation) or operation == self._contract.lifecycle.remove:
            return []
        return self._settable[operation]

    @cached_property
    def _settable(self) -> dict[str, list[str]]:
        return {name: list(self._list_settable(operation)) for name, operation in self.operations.items()}

    def _list_settable(self, operation: Operation) -> Iterator[str]:
        names = {self.get_naming(operation.id), self.get_renaming(operation.id)}
        names |= set() if self.has_server_ids else {self.name_argument}
        for name, raw in operation.get_arguments().items():
            schema = resolve_reference(self.document, raw)
            is_parameter = name.startswith("{") or ":" in name
            is_secret = schema.get("format") == "password" and name not in self._table.secrets
            if (
                not (is_parameter or is_secret or name in self._table.hidden or name in names)
                and self.get_shown_name(name) in self.shown
            ):
                yield name
