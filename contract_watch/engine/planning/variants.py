"""Values for requests, each made for one keyword of a schema, and the schemas that judge them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.schema import Schema


@dataclass(frozen=True)
class Variant:
    """A value made for one keyword. ``pointer`` locates the keyword below the property (items: ``/*``).

    A value that is extreme in several ways at once has ``simpler`` ones, extreme in one way each, which tell the cause
    of a refusal.
    """

    keyword: str
    value: Any
    pointer: str = ""
    simpler: tuple["Variant", ...] = ()


class SchemaSet:
    """The schemas that must agree on a value: the effective one and, if it differs, the published one."""

    def __init__(self, schemas: Sequence[Schema]) -> None:
        self._schemas = schemas

    @property
    def has_pattern(self) -> bool:
        """Return True if the effective schema has a pattern."""
        return bool(self._schemas) and "pattern" in self._schemas[0].schema

    def has_format(self, name: str) -> bool:
        """Return True if one of the schemas has the format ``name``."""
        return any(schema.schema.get("format") == name for schema in self._schemas)

    def all_accept(self, value: Any) -> bool:
        """Return True if all schemas accept ``value``."""
        return all(schema.accepts(value) for schema in self._schemas)

    def all_reject(self, value: Any) -> bool:
        """Return True if all schemas reject ``value``."""
        return not any(schema.accepts(value) for schema in self._schemas)
