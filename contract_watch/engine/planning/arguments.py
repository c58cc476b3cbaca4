"""The arguments of requests, derived from a contract's documents: minimal ones, and values on the bounds of each."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from contract_watch.contracts.openapi import Operation, split_arguments
from contract_watch.contracts.parameters import is_parameter_key
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.roles import as_table
from contract_watch.contracts.samples import build_sample
from contract_watch.contracts.schema import Document, Schema, find_kind, resolve_reference
from contract_watch.engine.planning import values
from contract_watch.engine.planning.extremes import enlarge_number
from contract_watch.engine.planning.nested_values import generate_nested, is_nested
from contract_watch.engine.planning.probe import fill_with_stand_ins
from contract_watch.engine.planning.unique_values import find_unique_form
from contract_watch.engine.planning.variants import SchemaSet, Variant

_IDEMPOTENCY_KEY = "header:idempotency-key"
"""A header whose value no two requests share, also where the contract promises nothing about it."""
_MIN_NAME_LENGTH = 30
"""Characters that a name of the run's form needs."""


class ArgumentBuilder:
    """A builder of arguments for one contract, with placeholders (see `probe`) for names and secrets."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._document = contract.effective.schemas
        # A plan asks for these once for each value: made anew each time they would take quadratic time.
        self._enum_values: dict[str, list[Any]] = {}
        self._baselines: dict[str, dict[str, Any]] = {}
        self._unique_forms: dict[tuple[str, str], str] = {}

    def list_optional(self, operation: Operation) -> list[str]:
        """List the arguments that may be left out."""
        required = operation.get_required_arguments()
        return [name for name in operation.get_arguments() if name not in required]

    def get_role(self, operation: Operation, name: str) -> str | None:
        """Return the role of an argument (see `roles.ROLES`); ``fresh`` for one that no two requests share.

        ``given`` is the role of one that names an object above the resource, ``unique`` of one that tells objects apart
        without naming them.
        """
        if name == self._contract.idempotency_argument or name.lower() == _IDEMPOTENCY_KEY:
            return "fresh"
        if name in self._contract.given.get_values(operation):
            return "given"
        role = self._contract.get_roles(operation.id).get(name)
        return "unique" if role is None and self._find_unique_form(operation, name) else role

    def _find_unique_form(self, operation: Operation, name: str) -> str:
        """Return the form of a value that one object has, with its name in it; empty if the argument has no such value."""
        key = (operation.id, name)
        if key not in self._unique_forms:
            self._unique_forms[key] = self._derive_unique_form(operation, name)
        return self._unique_forms[key]

    def _derive_unique_form(self, operation: Operation, name: str) -> str:
        unique = as_table(self._contract.settings.get("resource")).get("unique", ())
        if name not in unique or name not in operation.get_arguments() or self._contract.name_suffix:
            return ""
        # One form for all operations: an update has to be able to send the value that another object was created with.
        judges = self._collect_schemas(operation, name, item=False)
        creation = self._contract.operations[self._contract.lifecycle.create].get_arguments()
        schemas = [one[name] for one in (creation, operation.get_arguments()) if name in one]
        return next((form for one in schemas if (form := find_unique_form(one, judges))), "")

    def build_baseline(self, operation: Operation) -> dict[str, Any]:
        """Build minimal valid arguments: the required ones, and one optional property if the schema needs it.

        That property is one with a visible effect and an example, if possible: then a request that is carried out
        although it should be rejected shows. Create always gets a name of the run's form.
        """
        if operation.id not in self._baselines:
            self._baselines[operation.id] = self._derive_baseline(operation)
        return dict(self._baselines[operation.id])

    def _derive_baseline(self, operation: Operation) -> dict[str, Any]:
        properties = operation.get_arguments()
        made = {
            name: self.build_sample(operation, name, properties[name]) for name in operation.get_required_arguments()
        }
        if operation.id == self._contract.lifecycle.create:
            made |= {name: "{n}" for name, role in self._contract.get_roles(operation.id).items() if role == "new"}
        if operation.body is None:
            return made
        rules = self._contract.model.rules
        seen = {
            name: bool(prop.get("example")) and f"{operation.id}/effect/{name}" in rules
            for name, prop in properties.items()
        }
        for name, prop in sorted(properties.items(), key=lambda pair: not seen[pair[0]]):
            if operation.body.accepts(fill_with_stand_ins(split_arguments(made)[1], contract=self._contract)):
                break
            if name not in made and self.get_role(operation, name) is None and not is_parameter_key(name):
                made[name] = self.build_sample(operation, name, prop)
        return made

    def build_sample(self, operation: Operation, name: str, prop: dict[str, Any]) -> Any:
        """Build a valid value of an argument: its placeholder, its example, or the simplest value of its schema."""
        role = self.get_role(operation, name)
        if role == "new":
            return "{n}"
        if role == "existing":
            return "{stock}"
        if role == "fresh":
            return "{key}"
        if role == "given":
            return self._contract.given.values[name]
        if role == "unique":
            return self._find_unique_form(operation, name)
        if prop.get("format") == "password":
            return "{password}"
        if "example" in prop:
            return prop["example"]
        prop = self._resolve_items(prop)
        items = SchemaSet([Schema(self._document, prop["items"])]) if "items" in prop else None
        found = values.generate_valid(prop, SchemaSet([Schema(self._document, prop)]), items)
        value = next((variant.value for variant in found), MissingBody.ABSENT)
        return build_sample(Schema(self._document, prop)) if value is MissingBody.ABSENT else value

    def _resolve_items(self, prop: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of an array with the reference of its items resolved; another schema without items."""
        rest = {keyword: value for keyword, value in prop.items() if keyword != "items"}
        if find_kind(prop) != "array":
            return rest
        return {**rest, "items": resolve_reference(self._document, prop.get("items", {}))}

    def _collect_schemas(self, operation: Operation, name: str, *, item: bool) -> SchemaSet:
        """Collect the schema of an argument or its items, and the published one if its pattern was corrected."""
        theirs = self._contract.published.find_operation(operation.path, operation.method)
        found = [(self._document, operation.get_arguments()[name])]
        if theirs is not None:
            found.append((self._contract.published.raw, theirs.get_arguments().get(name, {})))
        schemas = [(document, prop.get("items", {}) if item else prop) for document, prop in found]
        # A pattern that prose alone gave is no correction: the vendor said that it rejects other values.
        return SchemaSet(
            [Schema(document, prop) for document, prop in schemas if document is self._document or "pattern" in prop]
        )

    @cached_property
    def _properties(self) -> dict[str, list[Any]]:
        """The schemas of all properties by name: one walk, since a walk for each property would be quadratic."""
        return _index_properties(self._document)

    def _find_enum_values(self, name: str) -> list[Any]:
        """Return the values of every enum that the document gives a property called ``name``."""
        if name not in self._enum_values:
            self._enum_values[name] = _collect_enum_values(self._document, self._properties.get(name, ()))
        return self._enum_values[name]

    def generate_variants(
        self, operation: Operation, name: str, prop: dict[str, Any], *, accepted: bool
    ) -> Iterator[Variant]:
        """Generate values of an argument on one side of its constraints: those to be ``accepted``, or the others."""
        role = self.get_role(operation, name)
        if role == "given":  # whatever else is sent names an unknown object, which is refused for that alone
            return
        if role == "unique":  # a second object with a value from a list would be refused for that
            if accepted:
                return
            role = None
        prop = self._resolve_items(prop)
        items = self._collect_schemas(operation, name, item=True) if "items" in prop else None
        judges = self._collect_schemas(operation, name, item=False)
        akin = self._find_enum_values(name) if "enum" in prop else []
        found = (
            values.generate_valid(prop, judges, items)
            if accepted
            else values.generate_invalid(prop, judges, items, akin)
        )
        if is_nested(prop):
            found = self._generate_nested(operation, prop, accepted=accepted)
        if operation.is_text_argument(name) or name.startswith("{"):
            found = _select_texts(operation, name, found, judges, items, accepted=accepted)
        elif accepted:
            found = (enlarge_number(one, prop, judges) for one in found)
        if role == "fresh" and accepted:
            yield Variant("type", "{key}")
        for variant in found:
            yield from [variant] if role is None else self._fit_to_role(role, variant, judges, accepted=accepted)

    def _fit_to_role(self, role: str, variant: Variant, judges: SchemaSet, *, accepted: bool) -> Iterator[Variant]:
        """Generate the value of an argument with a role that has the length of ``variant``, or its wrong type."""
        if variant.keyword in ("minLength", "maxLength"):
            size = len(variant.value)
            if accepted and not self._can_choose_length(role, size):
                return
            word = "key" if role == "fresh" else "n"
            place = f"{{{word}:{size}}}" if size > _MIN_NAME_LENGTH else f"{{short:{size}}}" if size else ""
            if role != "foreign" or not accepted:
                plain = Variant(variant.keyword, place)
                is_long = accepted and role == "new" and size > _MIN_NAME_LENGTH
                yield self._sharpen_name(plain, size, judges) if is_long else plain
        elif variant.keyword == "type" and not accepted:
            yield variant

    def _sharpen_name(self, plain: Variant, size: int, judges: SchemaSet) -> Variant:
        """Return the variant of a long name that ends in a dash too, if names may; one of an address may not."""
        edged = f"{{n:{size}edged}}"
        if self._contract.name_suffix or not judges.all_accept(fill_with_stand_ins(edged)):
            return plain
        short = f"{{n:{_MIN_NAME_LENGTH}edged}}"
        simpler = [plain, *([Variant("pattern", short)] if judges.has_pattern and size > _MIN_NAME_LENGTH else [])]
        return replace(plain, value=edged, simpler=tuple(simpler))

    def _can_choose_length(self, role: str, size: int) -> bool:
        """Return True if a run can name an object with ``size`` characters: ids are the server's, an address is longer."""
        if role == "existing" and self._contract.lifecycle.id:
            return False
        suffix = self._contract.name_suffix if role == "new" else ""
        return not suffix or size > _MIN_NAME_LENGTH + len(suffix)

    def _generate_nested(self, operation: Operation, prop: dict[str, Any], *, accepted: bool) -> Iterator[Variant]:
        """Generate values of an object; none for a read, whose object holds paging and filters: flows ask for those."""
        if not self._contract.is_read_only(operation.id):
            yield from generate_nested(self._document, prop, accepted=accepted)


def _select_texts(
    operation: Operation,
    name: str,
    found: Iterable[Variant],
    judges: SchemaSet,
    items: SchemaSet | None,
    *,
    accepted: bool,
) -> Iterator[Variant]:
    """Select the values that are still on their side of the constraint where a server reads their text.

    Text that is no value of the schema's type is added: types that JSON has mean nothing there.
    """
    if not accepted and not operation.has_text_type(name):
        yield Variant("type", "abc")
    for variant in found:
        if name.startswith("{"):
            if isinstance(variant.value, str):  # a path holds texts only
                yield variant
            continue
        filled = fill_with_stand_ins(variant.value)
        read = operation.normalize_argument(name, filled)
        fits = judges.all_accept(read) if accepted else judges.all_reject(read)
        if fits and operation.can_encode_argument(name, filled):
            yield variant
    if not accepted and items is not None and items.all_reject("abc"):
        yield Variant("type", ["abc"], "/*")


def find_enum_values(document: Document, name: str) -> list[Any]:
    """Return the values of every enum that a document gives a property called ``name``; walks the whole document."""
    return _collect_enum_values(document, _index_properties(document).get(name, ()))


def _collect_enum_values(document: Document, schemas: Iterable[Any]) -> list[Any]:
    resolved = (resolve_reference(document, schema) for schema in schemas)
    return list(dict.fromkeys(value for schema in resolved for value in schema.get("enum", ())))


def _index_properties(document: Document) -> dict[str, list[Any]]:
    """Return the schemas that a document gives to properties, by name, in the document's order."""
    found: dict[str, list[Any]] = {}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            properties = node.get("properties")
            if isinstance(properties, dict):
                for name, schema in properties.items():
                    found.setdefault(name, []).append(schema)
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(document)
    return found
