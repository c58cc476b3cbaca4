"""The symbols of the client for a location of the document, by the names that the generator itself chooses.

The generator parses the document, and a JSON pointer is followed through its result: endpoints with parameters, bodies
and responses here, classes and their properties in `contract_watch.diff.client.schema_symbols`. So conflicts between
names, reserved words, titles, and properties that several schemas share resolve as in the package.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from openapi_python_client.parser.errors import ParseError
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Property, Schemas
from openapi_python_client.parser.responses import HTTPStatusPattern, response_from_data
from openapi_python_client.schema import Response
from openapi_python_client.strings import PythonIdentifier

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.client.api import ClientApi
from contract_watch.diff.client.schema_symbols import ClassIndex, ClientSymbols, has_pointer, resolve_object
from contract_watch.diff.document.json_pointer import parse_pointer
from contract_watch.generator.configuration import FIELD_PREFIX, create_config, parse_document

_CONTAINER_KEYWORDS = (
    "paths",
    "parameters",
    "responses",
    "content",
    "properties",
    "schemas",
    "allOf",
    "anyOf",
    "oneOf",
    "prefixItems",
)
"""Keywords whose values are objects by name or index; every other part of a location is a keyword of such an object."""
_INVISIBLE = ClientSymbols(is_visible=False)
_INVISIBLE_PATH_KEYWORDS = ("description", "servers", "summary")
_INVISIBLE_OPERATION_KEYWORDS = ("callbacks", "deprecated", "description", "externalDocs", "servers", "summary")
"""Keywords of a path and of an operation without an effect on symbols."""


class SymbolIndex:
    """The symbols of ``api``, the client generated from the effective document ``raw``, by locations of that document.

    Raises:
        UsageError: the generator refuses the document.
    """

    def __init__(self, raw: Mapping[str, Any], api: ClientApi) -> None:
        self.api = api
        self._raw = raw
        data = parse_document(raw)
        self._class_index = ClassIndex(raw, data, api.package)
        self._endpoints: dict[tuple[str, str], tuple[str, Endpoint]] = {}
        for tag, collection in data.endpoint_collections_by_tag.items():
            for endpoint in collection.endpoints:
                module = f"{api.package}.api.{tag}.{PythonIdentifier(endpoint.name, FIELD_PREFIX)}"
                self._endpoints[_get_document_path(endpoint), endpoint.method] = (module, endpoint)

    def find_symbols(self, location: str) -> ClientSymbols:
        """Return the symbols for the JSON pointer ``location``, or for the nearest location above it."""
        found = self._resolve(_split_pointer(location))
        return ClientSymbols(
            tuple(dict.fromkeys(symbol for symbol in found.symbols if symbol in self.api.symbols)),
            found.reachable_classes & self.api.symbols,
            found.is_visible,
        )

    def contains(self, location: str) -> bool:
        """Return True if the document has the operation, parameter, response, property or member around ``location``."""
        parts = _split_pointer(location)
        named = [
            n for n in range(1, len(parts)) if parts[n - 1] in _CONTAINER_KEYWORDS or (n == 2 and parts[0] == "paths")
        ]
        return has_pointer(self._raw, parts[: max(named, default=-1) + 1])

    def _resolve(self, parts: Sequence[str]) -> ClientSymbols:
        match parts:
            case ["paths", path, *rest]:
                return self._resolve_path(path, rest)
            case ["security", *_]:
                return ClientSymbols(
                    tuple(
                        chain.from_iterable(
                            self._iterate_parameters(module, "client") for module, _ in self._list_endpoints()
                        )
                    )
                )
            case ["components", "schemas", name, *rest]:
                written = self._raw.get("components", {}).get("schemas", {}).get(name)
                return self._class_index.find_symbols(self._class_index.get_component(name), written, rest, ())
        return _INVISIBLE

    def _list_endpoints(self) -> list[tuple[str, Endpoint]]:
        return list(self._endpoints.values())

    def _resolve_path(self, path: str, rest: Sequence[str]) -> ClientSymbols:
        item = self._raw.get("paths", {}).get(path, {})
        mine = {method: found for method in METHODS if (found := self._endpoints.get((path, method)))}
        match rest:
            case [method, *inner] if method in METHODS:
                return self._resolve_operation(mine[method], item[method], inner) if method in mine else ClientSymbols()
            case ["parameters", *inner]:
                operations = [self._resolve_parameter(item.get("parameters"), one, inner) for one in mine.values()]
                return _merge_symbols(operations)
            case [key, *_] if key in _INVISIBLE_PATH_KEYWORDS or key.startswith("x-"):
                return _INVISIBLE
        return _merge_symbols([self._resolve_whole_operation(one) for one in mine.values()])

    def _resolve_operation(
        self, found: tuple[str, Endpoint], written: Mapping[str, Any], rest: Sequence[str]
    ) -> ClientSymbols:
        module, _ = found
        match rest:
            case ["parameters", *inner]:
                return self._resolve_parameter(written.get("parameters"), found, inner)
            case ["requestBody", *inner]:
                return self._resolve_body(found, resolve_object(self._raw, written.get("requestBody")), inner)
            case ["responses", status, *inner]:
                response = resolve_object(self._raw, written.get("responses", {}).get(status))
                return self._resolve_response(found, status, response, inner)
            case ["responses"]:
                return ClientSymbols(tuple(self._iterate_functions(module)))
            case ["security", *_]:
                return ClientSymbols(tuple(self._iterate_parameters(module, "client")))
            case [key, *_] if key in _INVISIBLE_OPERATION_KEYWORDS or key.startswith("x-"):
                return ClientSymbols((module, *self._iterate_functions(module)), is_visible=False)
        return self._resolve_whole_operation(found)

    def _resolve_whole_operation(self, found: tuple[str, Endpoint]) -> ClientSymbols:
        module, endpoint = found
        responses = (response.prop for response in endpoint.responses)
        return ClientSymbols(
            (module, *self._iterate_functions(module)),
            frozenset(self._class_index.iterate_reachable_classes(chain(endpoint.list_all_parameters(), responses))),
        )

    def _resolve_parameter(self, written: Any, found: tuple[str, Endpoint], rest: Sequence[str]) -> ClientSymbols:
        module, endpoint = found
        every = written if isinstance(written, list) else []
        if not rest or not rest[0].isdigit() or int(rest[0]) >= len(every):
            return ClientSymbols(tuple(self._iterate_functions(module)))
        raw = resolve_object(self._raw, every[int(rest[0])])
        for place, one in endpoint.iter_all_parameters():
            if place.value == raw.get("in") and one.name == raw.get("name"):
                takers = tuple(self._iterate_parameters(module, one.python_name))
                if rest[1:2] == ["schema"]:
                    return self._class_index.find_symbols([one], raw.get("schema"), rest[2:], takers)
                is_visible = not rest[1:] or rest[1] in ("required", "name", "in", "content")
                return ClientSymbols(takers, frozenset(self._class_index.iterate_reachable_classes([one])), is_visible)
        return ClientSymbols(tuple(self._iterate_functions(module)), is_visible=False)

    def _resolve_body(
        self, found: tuple[str, Endpoint], written: Mapping[str, Any], rest: Sequence[str]
    ) -> ClientSymbols:
        module, endpoint = found
        takers = tuple(self._iterate_parameters(module, "body"))
        if len(rest) >= 2 and rest[0] == "content":
            for body in endpoint.bodies:
                if body.content_type == rest[1]:
                    schema = written.get("content", {}).get(rest[1], {}).get("schema")
                    inner = rest[3:] if rest[2:3] == ["schema"] else ()
                    return self._class_index.find_symbols([body.prop], schema, inner, takers)
        hidden = rest[:1] == ["description"]
        return ClientSymbols(
            takers,
            frozenset(self._class_index.iterate_reachable_classes(one.prop for one in endpoint.bodies)),
            not hidden,
        )

    def _resolve_response(
        self, found: tuple[str, Endpoint], status: str, written: Mapping[str, Any], rest: Sequence[str]
    ) -> ClientSymbols:
        module, endpoint = found
        functions = tuple(self._iterate_functions(module))
        response = next((one for one in endpoint.responses if one.status_code.pattern == status), None)
        if rest and rest[0] != "content":
            return ClientSymbols(functions, is_visible=False)
        if response is None:
            return ClientSymbols(functions)
        properties: list[Property] = [response.prop]
        if len(rest) < 2:
            return ClientSymbols(functions, frozenset(self._class_index.iterate_reachable_classes(properties)))
        if rest[1] != _choose_media_type(written.get("content", {})):
            return ClientSymbols(functions, is_visible=False)
        schema = written["content"][rest[1]].get("schema")
        return self._class_index.find_symbols(
            properties, schema, rest[3:] if rest[2:3] == ["schema"] else (), functions
        )

    def _iterate_functions(self, module: str) -> Iterator[str]:
        return (name for name in self.api.functions if name.rpartition(".")[0] == module)

    def _iterate_parameters(self, module: str, parameter: str) -> Iterator[str]:
        """Yield the symbol of ``parameter`` for each function of ``module``."""
        return (f"{name}({parameter})" for name in self._iterate_functions(module))


def _split_pointer(location: str) -> list[str]:
    """Split a JSON pointer into its parts."""
    return list(parse_pointer(location.removeprefix("#")))


def _get_document_path(endpoint: Endpoint) -> str:
    """Return the path of ``endpoint`` in the document; the generator replaces the names of its parameters."""
    names = {str(one.python_name): one.name.get_untrusted_value() for one in endpoint.path_parameters}
    return re.sub(
        r"\{([^{}]+)\}", lambda found: f"{{{names.get(found[1], found[1])}}}", endpoint.path.get_untrusted_value()
    )


def _choose_media_type(content: Mapping[str, Any]) -> str | None:
    """Return the media type of a response that the generator chooses: the first that it can read."""
    status = HTTPStatusPattern(pattern="200", code_range=(200, 200))
    for name in content:
        alone = Response.model_validate({"description": "", "content": {name: {}}})
        found, _ = response_from_data(
            status_code=status, data=alone, schemas=Schemas(), responses={}, parent_name="", config=create_config()
        )
        if not isinstance(found, ParseError):
            return name
    return None


def _merge_symbols(symbol_sets: Sequence[ClientSymbols]) -> ClientSymbols:
    """Return the union of ``symbol_sets``."""
    symbols = tuple(chain.from_iterable(one.symbols for one in symbol_sets))
    return ClientSymbols(
        symbols,
        frozenset[str]().union(*(one.reachable_classes for one in symbol_sets)),
        any(one.is_visible for one in symbol_sets),
    )
