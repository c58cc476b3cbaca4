"""The symbols of a client's classes for a JSON pointer into a schema.

The search follows the generator's own tree: its properties know their classes, and each class knows its properties by
the names of the document and of the package.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import EnumProperty, LiteralEnumProperty, ModelProperty, Property
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.schema import Schema

from contract_watch.contracts.schema import resolve_reference

# fmt: off
UNCHECKED_KEYWORDS = frozenset((
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "minProperties",
    "maxProperties", "dependentRequired", "dependentSchemas", "propertyNames", "patternProperties",
    "unevaluatedItems", "unevaluatedProperties", "not", "if", "then", "else", "discriminator", "contentMediaType",
    "contentEncoding", "contentSchema", "readOnly", "writeOnly", "deprecated", "description", "example", "examples",
    "externalDocs", "xml",
))
# fmt: on
"""Keywords without an effect on symbols: the client checks none of them."""

_ADDITIONAL_PROPERTIES_MEMBERS = (
    "additional_properties",
    "additional_keys",
    "__getitem__",
    "__setitem__",
    "__delitem__",
    "__contains__",
)
"""The members of a class that give access to properties that a schema does not name."""


@dataclass(frozen=True)
class ClientSymbols:
    """The symbols of the client for one location of the document.

    ``symbols`` are an attribute, a parameter, a class, functions; ``reachable_classes`` those reachable from there.
    ``is_visible`` is False if no change of the location can change a symbol.
    """

    symbols: tuple[str, ...] = ()
    reachable_classes: frozenset[str] = frozenset()
    is_visible: bool = True


class ClassIndex:
    """The classes that the generator derives from a document ``raw``, by the schemas that they come from."""

    def __init__(self, raw: Mapping[str, Any], data: GeneratorData, package: str) -> None:
        self._raw = raw
        self._package = package
        self._models = {str(model.class_info.name): model for model in data.models}
        named: list[Property] = [*data.models, *data.enums]
        # The generator identifies a component by its pointer, everything else by a name.
        self._components = {f"#{one.name.get_untrusted_value()}": one for one in named}

    def find_symbols(
        self, properties: Sequence[Property], raw: Any, parts: Sequence[str], here: tuple[str, ...]
    ) -> ClientSymbols:
        """Return the symbols for the pointer ``parts`` from a schema.

        ``properties`` are the generator's properties for the schema, ``raw`` the schema in the document (None if it is
        absent there), ``here`` the symbols that own it.
        """
        properties = [*properties, *self._find_referenced_component(properties, raw)]
        raw = resolve_object(self._raw, raw)
        own = (*here, *(symbol for one in _flatten_unions(properties) if (symbol := self._get_symbol(one))))
        key, rest = (parts[0], parts[1:]) if parts else ("", ())
        if key in UNCHECKED_KEYWORDS:
            return ClientSymbols(own, is_visible=False)
        if key == "properties" and rest:
            return self._find_attribute(properties, raw, rest[0], rest[1:], own)
        if key == "required" and rest and (name := _get_item(raw.get("required"), rest[0])):
            return self._find_attribute(properties, raw, str(name), (), own)
        if key in ("items", "prefixItems"):
            inner = [one.inner_property for one in _flatten_unions(properties) if isinstance(one, ListProperty)]
            written = raw.get(key) if key == "items" else _get_item(raw.get(key), rest[0] if rest else "")
            return self.find_symbols(inner, written, rest if key == "items" else rest[1:], here)  # type: ignore[arg-type] # the generator's protocol and its union
        if key == "additionalProperties":
            return self._find_additional_properties(properties, raw, rest, own)
        if key in ("allOf", "oneOf", "anyOf") and rest:
            written = _get_item(raw.get(key), rest[0])
            return self.find_symbols(self._select_alternatives(properties, key, written), written, rest[1:], here)
        return ClientSymbols(own, frozenset(self.iterate_reachable_classes(properties)))

    def get_component(self, name: str) -> list[Property]:
        """Return the property of a component's schema; empty if it gets no class."""
        found = self._components.get(f"#/components/schemas/{name}")
        return [] if found is None else [found]

    def iterate_reachable_classes(self, properties: Iterable[Property | None]) -> Iterator[str]:
        """Yield the symbols of all classes reachable from ``properties``."""
        waiting = [one for one in properties if one is not None]
        seen: set[str] = set()
        while waiting:
            for one in _flatten_unions([waiting.pop()]):
                symbol = self._get_symbol(one)
                if isinstance(one, ListProperty):
                    waiting.append(one.inner_property)  # type: ignore[arg-type] # as above
                elif symbol and symbol not in seen:
                    seen.add(symbol)
                    yield symbol
                    waiting.extend(
                        inner for model in self._select_models([one]) for inner in _get_properties(model).values()
                    )
                    waiting.extend(
                        m.additional_properties for m in self._select_models([one]) if m.additional_properties
                    )

    def _find_attribute(
        self, properties: Sequence[Property], raw: Any, name: str, parts: Sequence[str], own: tuple[str, ...]
    ) -> ClientSymbols:
        models = [model for model in self._select_models(properties) if name in _get_properties(model)]
        if not models:  # the generator ignores the property
            return ClientSymbols(own, is_visible=False)
        symbols = tuple(f"{self._get_symbol(model)}.{_get_properties(model)[name].python_name}" for model in models)
        written = raw.get("properties")
        inner = [_get_properties(model)[name] for model in models]
        return self.find_symbols(inner, written.get(name) if isinstance(written, dict) else None, parts, symbols)

    def _find_additional_properties(
        self, properties: Sequence[Property], raw: Any, parts: Sequence[str], own: tuple[str, ...]
    ) -> ClientSymbols:
        models = self._select_models(properties)
        symbols = tuple(
            f"{self._get_symbol(model)}.{name}" for model in models for name in _ADDITIONAL_PROPERTIES_MEMBERS
        )
        inner = [model.additional_properties for model in models if model.additional_properties is not None]
        return (
            self.find_symbols(inner, raw.get("additionalProperties"), parts, symbols) if models else ClientSymbols(own)
        )

    def _select_alternatives(self, properties: Sequence[Property], key: str, written: Any) -> list[Property]:
        """Return the properties for one member of a combinator: all ``properties`` if it cannot be identified among them."""
        flat = list(_flatten_unions(properties))
        if key == "allOf" or not isinstance(written, dict):
            return flat
        component = self._components.get(str(written.get("$ref")))
        if component is not None:
            return [one for one in flat if self._get_symbol(one) == self._get_symbol(component)] or flat
        schema = Schema.model_validate(resolve_object(self._raw, written))
        return [one for one in flat if isinstance(one, ModelProperty) and one.data == schema] or flat

    def _find_referenced_component(self, properties: Sequence[Property], raw: Any) -> Iterator[Property]:
        """Yield the component that ``raw`` refers to, if it has a class that is not among ``properties``."""
        found = self._components.get(str(raw.get("$ref"))) if isinstance(raw, dict) else None
        if found is not None and self._get_symbol(found) not in {
            self._get_symbol(one) for one in _flatten_unions(properties)
        }:
            yield found

    def _get_symbol(self, one: Property) -> str:
        named = isinstance(one, ModelProperty | EnumProperty | LiteralEnumProperty)
        return f"{self._package}.models.{one.class_info.name}" if named else ""  # type: ignore[union-attr] # as asked

    def _select_models(self, properties: Sequence[Property]) -> list[ModelProperty]:
        """Return the models among ``properties`` with their own properties, since a reference may know only the name."""
        models = (one for one in _flatten_unions(properties) if isinstance(one, ModelProperty))
        return [self._models.get(str(one.class_info.name), one) for one in models]


def has_pointer(document: Mapping[str, Any], parts: Sequence[str]) -> bool:
    """Return True if the pointer ``parts`` leads to a value in ``document``, through references."""
    node: Any = document
    for part in parts:
        try:
            node = resolve_reference(document, node)
        except (KeyError, ValueError, TypeError):
            return False
        if isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, dict) and part in node:
            node = node[part]
        else:
            return False
    return True


def resolve_object(document: Mapping[str, Any], written: Any) -> dict[str, Any]:
    """Return the object that ``written`` is or refers to in ``document``; empty if it is not an object."""
    try:
        found = resolve_reference(document, written)
    except (KeyError, ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _flatten_unions(properties: Iterable[Property]) -> Iterator[Property]:
    """Yield ``properties`` with unions replaced by their members."""
    for one in properties:
        if isinstance(one, UnionProperty):
            yield from _flatten_unions(one.inner_properties)  # type: ignore[arg-type] # the generator's protocol and its union
        else:
            yield one


def _get_properties(model: ModelProperty) -> dict[str, Property]:
    """Return the properties of ``model``, by the document's names."""
    both = (*(model.required_properties or ()), *(model.optional_properties or ()))
    return {one.name.get_untrusted_value(): one for one in both}


def _get_item(written: Any, position: str) -> Any:
    return (
        written[int(position)]
        if isinstance(written, list) and position.isdigit() and int(position) < len(written)
        else None
    )
