"""One rule of ``rules.yaml``: a predicate over request, object and account, and what it demands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from contract_watch.contracts.matchers import FreshSecret
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.resource.state import UNKNOWN
from contract_watch.contracts.schema import JSON, Schema


@dataclass(frozen=True, kw_only=True)
class RuleCheck(Check):
    """A failed check of the rule called ``rule``."""

    rule: str


@dataclass(frozen=True)
class Situation:
    """The instance of a rule's predicate: the arguments of a request, the stored object, and the account's name.

    ``item`` is None if the request names no object, or one that is unknown.
    """

    request: Mapping[str, Any]
    item: Mapping[str, Any] | None
    account: str

    @cached_property
    def json(self) -> JSON:
        """The instance that the predicate's schema is asked about; unknown values are left out."""
        stored = {name: value for name, value in (self.item or {}).items() if value is not UNKNOWN}
        return {"request": dict(self.request), "object": stored, "account": self.account}


@dataclass(frozen=True)
class Rule:
    """A rule.

    ``clause`` is the part of its clause ids after the operation, such as ``rule/paid-feature``. ``when`` is a JSON Schema
    with the properties ``request``, ``object`` and ``account``. ``refuse`` lists the statuses of the refusal; several, or
    an ``interpretation``, mean that the documents leave it open. With ``interpretation``, the rule applies under
    ``values``; with ``or_granted``, a success is possible as well. A success sets ``sets``, gives ``resets`` their
    defaults, leaves ``forgets`` unknown, shows a new secret for each of ``generates``, and shows none of ``hides``. A
    refusal shows the properties of ``body``.
    ``scope`` is `operation` if each operation can be understood differently, `request` if a response says nothing about
    the next request. The clause `response` is the one of the documented response, for a refusal that nothing promises.
    """

    name: str
    clause: str
    operations: tuple[str, ...]
    says: str
    when: Mapping[str, Any] = field(default_factory=dict)
    refuse: tuple[int, ...] = ()
    interpretation: str = ""
    values: tuple[str, ...] = ()
    scope: str = ""
    or_granted: bool = False
    sets: Mapping[str, Any] = field(default_factory=dict)
    resets: tuple[str, ...] = ()
    forgets: tuple[str, ...] = ()
    generates: Mapping[str, FreshSecret] = field(default_factory=dict)
    hides: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def _schema(self) -> Schema:
        return Schema({}, self.when)

    @cached_property
    def _needed(self) -> frozenset[str]:
        """The arguments without which the predicate is false; most requests have none of them."""
        part = self.when.get("properties", {}).get("request")
        return frozenset(part.get("required", ()) if isinstance(part, dict) else ())

    @cached_property
    def object_properties(self) -> frozenset[str]:
        """The properties of the stored object that the predicate reads."""
        return frozenset(_find_properties(self.when.get("properties", {}).get("object", {})))

    @cached_property
    def _schema_without_object(self) -> Schema:
        rest = {name: one for name, one in self.when.get("properties", {}).items() if name != "object"}
        return Schema(
            {}, {"properties": rest, "required": [one for one in self.when.get("required", ()) if one in rest]}
        )

    def applies(self, situation: Situation) -> bool | None:
        """Return True if the predicate is true, None if it depends on an unknown object or value."""
        if not self._needed <= situation.request.keys():
            return False
        if not self.when:
            return True
        item = situation.item
        if self.object_properties and (
            item is None or any(item.get(name) is UNKNOWN for name in self.object_properties)
        ):
            return None if self._schema_without_object.accepts(situation.json) else False
        return self._schema.accepts(situation.json)


def _find_properties(schema: JSON) -> Iterator[str]:
    """Yield the names of the properties that a schema reads, at its top level and in its combinators."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (name for name in schema.get("required", ()) if isinstance(name, str))
        for key in ("not", "if", "then", "else"):
            yield from _find_properties(schema.get(key))
        for key in ("allOf", "anyOf", "oneOf"):
            for member in schema.get(key, ()):
                yield from _find_properties(member)
