"""The symbols for each location of a document, with every vendor's client.

The expected symbols come from the client's own source: the attribute that `to_dict` writes under a name, the class that
a status creates, the module that sends a method to a path.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.openapi import METHODS
from contract_watch.contracts.registry import load_contracts
from contract_watch.contracts.schema import resolve_reference
from contract_watch.diff.client.api import ClientApi, read_api
from contract_watch.diff.client.symbol_index import SymbolIndex
from tests.support.clients.document_edits import load_generated_client

WAYS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")


@dataclass(frozen=True)
class ClientSource:
    """A client with the facts of its source: attributes by class and document name, modules by method and path."""

    api: ClientApi
    names: SymbolIndex
    document: Mapping[str, Any]
    attributes: Mapping[str, Mapping[str, str]]
    modules: Mapping[tuple[str, str], tuple[str, str]]

    @property
    def classes(self) -> frozenset[str]:
        """The models and enumerations."""
        return frozenset(f"{self.api.package}.models.{name}" for name in self.attributes)


@pytest.fixture(name="client", scope="module", params=list(load_contracts()))
def _client(request: pytest.FixtureRequest) -> ClientSource:
    made = load_generated_client(request.param)
    api = read_api(made.directory, made.package)
    package = made.directory / made.package
    attributes = {name: found for path in package.glob("models/*.py") for name, found in _read_written_names(path)}
    modules = {}
    for path in package.glob("api/*/*.py"):
        source = path.read_text(encoding="utf-8")
        if sent := re.search(r'"method": "(\w+)",\s*"url": "([^"]*)"', source):
            modules[sent[1], sent[2]] = (f"{made.package}.api.{path.parent.name}.{path.stem}", source)
    return ClientSource(api, SymbolIndex(made.document, api), made.document, attributes, modules)


def _read_written_names(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Return, by class of a module, the attribute that `to_dict` writes under each name."""
    for one in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(one, ast.ClassDef):
            found = {}
            for node in ast.walk(one):
                if isinstance(node, ast.Dict):
                    pairs = list(zip(node.keys, node.values, strict=True))
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                    pairs = [(node.targets[0].slice, node.value)]
                else:
                    continue
                for key, value in pairs:
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Name):
                        found[str(key.value)] = value.id
            yield one.name, found


def _join_pointer(*parts: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _walk_operations(client: ClientSource) -> Iterator[tuple[str, Mapping[str, Any], str, str]]:
    """Yield the location, the object, the module and its source for each operation."""
    for path, item in client.document["paths"].items():
        for method in METHODS:
            if method in item:
                yield (_join_pointer("paths", path, method), item[method], *client.modules[method, path])


def _walk_properties(
    client: ClientSource, raw: Any, classes: frozenset[str], pointer: str
) -> Iterator[tuple[str, set[str]]]:
    """Yield the location and the expected attributes of each property below a schema; ``classes`` may replace the schema."""
    schema = resolve_reference(client.document, raw)
    for name, inner in schema.get("properties", {}).items():
        holders = {one for one in classes if name in client.attributes[one.rpartition(".")[2]]}
        symbols = {f"{one}.{client.attributes[one.rpartition('.')[2]][name]}" for one in holders}
        location = pointer + _join_pointer("properties", name)
        yield location, symbols
        types = [
            client.api.classes[one].attributes[symbol.rpartition(".")[2]].type for one in holders for symbol in symbols
        ]
        leads = frozenset(n for found in types if found for n in found.class_names if n in client.classes)
        yield from _walk_properties(client, inner, leads, location)
    if "items" in schema:
        yield from _walk_properties(client, schema["items"], classes, pointer + "/items")


def _walk_schemas(
    client: ClientSource, pointer: str, operation: Mapping[str, Any], module: str, source: str
) -> Iterator[tuple[Any, frozenset[str], str]]:
    """Yield each schema of a body or a response, its classes in the source, and its location."""
    for media, content in (
        resolve_reference(client.document, operation.get("requestBody", {})).get("content", {}).items()
    ):
        body = next(one for one in client.api.functions[f"{module}.sync"].parameters if one.name == "body")
        assert body.type is not None
        classes = frozenset(set(body.type.class_names) & client.classes)
        yield content["schema"], classes, pointer + _join_pointer("requestBody", "content", media, "schema")
    for status, answer in operation["responses"].items():
        for media, content in resolve_reference(client.document, answer).get("content", {}).items():
            made = re.findall(rf"response_{status} = (\w+)\.from_dict", source)
            classes = frozenset(f"{client.api.package}.models.{name}" for name in made)
            yield content["schema"], classes, pointer + _join_pointer("responses", status, "content", media, "schema")


def test_every_operation_has_its_module_and_functions(client: ClientSource) -> None:
    """Map each operation to the module that sends its method to its path, and to its four functions."""
    found = list(_walk_operations(client))
    assert len(found) == len(client.modules) > 0
    for location, _, module, _ in found:
        assert set(client.names.find_symbols(location).symbols) == {module, *(f"{module}.{way}" for way in WAYS)}
        assert client.names.contains(location)


def test_every_property_has_the_attribute_that_is_written_under_its_name(client: ClientSource) -> None:
    """Map each property, at any depth and through references, to exactly the attributes that are written under its name."""
    checked = set()
    for at, operation, module, source in _walk_operations(client):
        for raw, classes, schema in _walk_schemas(client, at, operation, module, source):
            assert classes, schema
            for location, symbols in _walk_properties(client, raw, classes, schema):
                place = client.names.find_symbols(location)
                assert symbols, location
                assert symbols <= client.api.symbols
                # Beside it stands the class that the property is made of, if it is.
                assert set(place.symbols) - client.classes == symbols, location
                assert client.names.contains(location)
                checked |= symbols
    every = {f"{one}.{name}" for one in client.classes for name in client.attributes[one.rpartition(".")[2]].values()}
    assert checked == every, "an attribute that no property of the document leads to"


def test_every_body_answer_and_parameter_has_its_symbols(client: ClientSource) -> None:
    """Map each body and parameter to the parameter of each function, and each status to the functions."""
    for location, operation, module, _ in _walk_operations(client):
        functions = {f"{module}.{way}" for way in WAYS}
        if "requestBody" in operation:
            place = client.names.find_symbols(f"{location}/requestBody")
            assert set(place.symbols) == {f"{name}(body)" for name in functions}
        for number, raw in enumerate(operation.get("parameters", [])):
            name = resolve_reference(client.document, raw)["name"]
            place = client.names.find_symbols(f"{location}/parameters/{number}")
            assert set(place.symbols) == {f"{function}({name})" for function in functions}
        for status in operation["responses"]:
            assert set(client.names.find_symbols(f"{location}/responses/{status}").symbols) == functions
        assert set(client.names.find_symbols(f"{location}/security").symbols) == {
            f"{name}(client)" for name in functions
        }


@pytest.mark.parametrize("location", ["", "/info/description", "/servers/0", "/tags/0", "/webhooks/x/post", "/nothing"])
def test_what_the_client_knows_nothing_of_has_no_symbol(location: str, client: ClientSource) -> None:
    """Find no symbol for locations outside the operations."""
    place = client.names.find_symbols(location)
    assert place.symbols == ()
    assert not place.is_visible
