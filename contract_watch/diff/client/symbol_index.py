"""Which symbols of the client a place in the document is about, by the names that the generator itself gives.

The generator reads the document, and a JSON pointer is followed through what it made of it: endpoints with parameters,
bodies and answers here, classes and their properties in `contract_watch.diff.client.schema_symbols`. So conflicts between names, reserved
words, titles, and properties that several schemas share are as in the package; nothing is named a second time.
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
from contract_watch.diff.client.api import Api
from contract_watch.diff.client.schema_symbols import Classes, Place, followed, holds
from contract_watch.diff.document.json_pointer import tokens
from contract_watch.generator.configuration import PREFIX, configuration, parsed

_NAMED = (
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
"""What things stand under by name or number; all else in a location is a word about the thing."""
_HIDDEN = Place(shown=False)
_ITEM = ("description", "servers", "summary")
_OPERATION = ("callbacks", "deprecated", "description", "externalDocs", "servers", "summary")
"""What is said of a path and of an operation that no symbol shows."""


class Names:
    """The symbols of ``api``, the client made of the effective document ``raw``, by places in that document.

    A document that the generator does not take is a `UsageError`.
    """

    def __init__(self, raw: Mapping[str, Any], api: Api) -> None:
        self.api = api
        self._raw = raw
        data = parsed(raw)
        self._classes = Classes(raw, data, api.package)
        self._endpoints: dict[tuple[str, str], tuple[str, Endpoint]] = {}
        for tag, collection in data.endpoint_collections_by_tag.items():
            for endpoint in collection.endpoints:
                module = f"{api.package}.api.{tag}.{PythonIdentifier(endpoint.name, PREFIX)}"
                self._endpoints[_path(endpoint), endpoint.method] = (module, endpoint)

    def place(self, location: str) -> Place:
        """What the client has for the place that the JSON pointer ``location`` names, or for the nearest above it."""
        found = self._find(_parts(location))
        return Place(
            tuple(dict.fromkeys(symbol for symbol in found.symbols if symbol in self.api.symbols)),
            found.below & self.api.symbols,
            found.shown,
        )

    def has(self, location: str) -> bool:
        """Whether the document has the thing that ``location`` is in: operation, parameter, answer, property, member."""
        parts = _parts(location)
        named = [n for n in range(1, len(parts)) if parts[n - 1] in _NAMED or (n == 2 and parts[0] == "paths")]
        return holds(self._raw, parts[: max(named, default=-1) + 1])

    def _find(self, parts: Sequence[str]) -> Place:
        match parts:
            case ["paths", path, *rest]:
                return self._below_path(path, rest)
            case ["security", *_]:
                return Place(tuple(chain.from_iterable(self._takers(module, "client") for module, _ in self._all())))
            case ["components", "schemas", name, *rest]:
                written = self._raw.get("components", {}).get("schemas", {}).get(name)
                return self._classes.find(self._classes.component(name), written, rest, ())
        return _HIDDEN

    def _all(self) -> list[tuple[str, Endpoint]]:
        return list(self._endpoints.values())

    def _below_path(self, path: str, rest: Sequence[str]) -> Place:
        item = self._raw.get("paths", {}).get(path, {})
        mine = {method: found for method in METHODS if (found := self._endpoints.get((path, method)))}
        match rest:
            case [method, *inner] if method in METHODS:
                return self._below_operation(mine[method], item[method], inner) if method in mine else Place()
            case ["parameters", *inner]:
                operations = [self._parameter(item.get("parameters"), one, inner) for one in mine.values()]
                return _together(operations)
            case [key, *_] if key in _ITEM or key.startswith("x-"):
                return _HIDDEN
        return _together([self._whole(one) for one in mine.values()])

    def _below_operation(self, found: tuple[str, Endpoint], written: Mapping[str, Any], rest: Sequence[str]) -> Place:
        module, _ = found
        match rest:
            case ["parameters", *inner]:
                return self._parameter(written.get("parameters"), found, inner)
            case ["requestBody", *inner]:
                return self._body(found, followed(self._raw, written.get("requestBody")), inner)
            case ["responses", status, *inner]:
                answer = followed(self._raw, written.get("responses", {}).get(status))
                return self._answer(found, status, answer, inner)
            case ["responses"]:
                return Place(tuple(self._functions(module)))
            case ["security", *_]:
                return Place(tuple(self._takers(module, "client")))
            case [key, *_] if key in _OPERATION or key.startswith("x-"):
                return Place((module, *self._functions(module)), shown=False)
        return self._whole(found)

    def _whole(self, found: tuple[str, Endpoint]) -> Place:
        module, endpoint = found
        answers = (answer.prop for answer in endpoint.responses)
        return Place(
            (module, *self._functions(module)),
            frozenset(self._classes.reached(chain(endpoint.list_all_parameters(), answers))),
        )

    def _parameter(self, written: Any, found: tuple[str, Endpoint], rest: Sequence[str]) -> Place:
        module, endpoint = found
        every = written if isinstance(written, list) else []
        if not rest or not rest[0].isdigit() or int(rest[0]) >= len(every):
            return Place(tuple(self._functions(module)))
        raw = followed(self._raw, every[int(rest[0])])
        for place, one in endpoint.iter_all_parameters():
            if place.value == raw.get("in") and one.name == raw.get("name"):
                takers = tuple(self._takers(module, one.python_name))
                if rest[1:2] == ["schema"]:
                    return self._classes.find([one], raw.get("schema"), rest[2:], takers)
                shown = not rest[1:] or rest[1] in ("required", "name", "in", "content")
                return Place(takers, frozenset(self._classes.reached([one])), shown)
        return Place(tuple(self._functions(module)), shown=False)

    def _body(self, found: tuple[str, Endpoint], written: Mapping[str, Any], rest: Sequence[str]) -> Place:
        module, endpoint = found
        takers = tuple(self._takers(module, "body"))
        if len(rest) >= 2 and rest[0] == "content":
            for body in endpoint.bodies:
                if body.content_type == rest[1]:
                    schema = written.get("content", {}).get(rest[1], {}).get("schema")
                    inner = rest[3:] if rest[2:3] == ["schema"] else ()
                    return self._classes.find([body.prop], schema, inner, takers)
        hidden = rest[:1] == ["description"]
        return Place(takers, frozenset(self._classes.reached(one.prop for one in endpoint.bodies)), not hidden)

    def _answer(
        self, found: tuple[str, Endpoint], status: str, written: Mapping[str, Any], rest: Sequence[str]
    ) -> Place:
        module, endpoint = found
        functions = tuple(self._functions(module))
        answer = next((one for one in endpoint.responses if one.status_code.pattern == status), None)
        if rest and rest[0] != "content":
            return Place(functions, shown=False)
        if answer is None:
            return Place(functions)
        properties: list[Property] = [answer.prop]
        if len(rest) < 2:
            return Place(functions, frozenset(self._classes.reached(properties)))
        if rest[1] != _media_type(written.get("content", {})):
            return Place(functions, shown=False)
        schema = written["content"][rest[1]].get("schema")
        return self._classes.find(properties, schema, rest[3:] if rest[2:3] == ["schema"] else (), functions)

    def _functions(self, module: str) -> Iterator[str]:
        return (name for name in self.api.functions if name.rpartition(".")[0] == module)

    def _takers(self, module: str, parameter: str) -> Iterator[str]:
        """The parameter of each function that takes it."""
        return (f"{name}({parameter})" for name in self._functions(module))


def _parts(location: str) -> list[str]:
    """The parts of a JSON pointer."""
    return list(tokens(location.removeprefix("#")))


def _path(endpoint: Endpoint) -> str:
    """The document's path of ``endpoint``, in which the generator puts its own names of parameters."""
    names = {str(one.python_name): one.name.get_untrusted_value() for one in endpoint.path_parameters}
    return re.sub(
        r"\{([^{}]+)\}", lambda found: f"{{{names.get(found[1], found[1])}}}", endpoint.path.get_untrusted_value()
    )


def _media_type(content: Mapping[str, Any]) -> str | None:
    """The media type of an answer that the generator takes: the first that it can read."""
    status = HTTPStatusPattern(pattern="200", code_range=(200, 200))
    for name in content:
        alone = Response.model_validate({"description": "", "content": {name: {}}})
        found, _ = response_from_data(
            status_code=status, data=alone, schemas=Schemas(), responses={}, parent_name="", config=configuration()
        )
        if not isinstance(found, ParseError):
            return name
    return None


def _together(places: Sequence[Place]) -> Place:
    """One place that is all of ``places``."""
    symbols = tuple(chain.from_iterable(one.symbols for one in places))
    return Place(symbols, frozenset[str]().union(*(one.below for one in places)), any(one.shown for one in places))
