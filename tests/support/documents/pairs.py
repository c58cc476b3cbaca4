"""The collection of document pairs that measures the comparison: its format, its parser and its documents.

Each file `tests/data/document_pairs/*.yaml` is a list of entries for one area. An entry has two documents, their
difference, and its meaning for a consumer:

    - id: request-property-max-length-lowered
      in: request-property
      base: {type: string, maxLength: 10}
      revision: {type: string, maxLength: 9}
      verdict: breaking
      why: A string of 10 characters was accepted and is rejected.
      witness: [aaaaaaaaaa]

`in` is the kind of fragment that `base` and `revision` are (`FRAGMENT_KINDS`); the rest of the document is the same on
both sides. `openapi` is the version, `"3.1"` by default, or a list of the versions of both sides. Required parts without
meaning for the comparison (`info`, descriptions of responses, the only response of an operation) are filled in.

Values prove a verdict about schemas. `witness` lists values that one side accepts and the other does not: for
`breaking`, values that a consumer relied on (sent by the base's consumer and rejected by the revision, or returned by the
revision and unknown to the base); for `compatible`, values that requests gained, or that responses no longer contain.
`unprovable` states why values cannot prove a verdict: a parameter's string, or a convention rather than a set.
"""

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contract_watch.contracts.openapi import METHODS

JSON = Any
DIRECTORY = Path(__file__).parents[2] / "data" / "document_pairs"
VERDICTS = ("none", "compatible", "warning", "breaking")
VERSIONS = {"3.0": "3.0.3", "3.1": "3.1.0", "3.2": "3.2.0"}
_JSON = "application/json"
_KEYS = {"id", "in", "openapi", "base", "revision", "verdict", "why", "witness", "unprovable"}


@dataclass(frozen=True)
class FragmentKind:
    """A kind of fragment.

    ``wrap`` makes a document of the fragment. ``find_schema`` returns the schema of the fragment (None: it has none).
    ``directions`` are those of its values: ``request`` (the consumer sends), ``response`` (the vendor sends), or both.
    ``is_property`` means that the value is a property.
    """

    wrap: Callable[[JSON], dict[str, Any]]
    directions: tuple[str, ...] = ()
    find_schema: Callable[[JSON], JSON] | None = None
    is_property: bool = False

    def list_schemas(self, fragment: JSON) -> tuple[JSON, Mapping[str, JSON]] | None:
        """Return the schema of ``fragment`` and its components, or None if it has none."""
        if self.find_schema is None:
            return None
        components: Mapping[str, JSON] = self.wrap(fragment).get("components", {}).get("schemas", {})
        return self.find_schema(fragment), components


@dataclass(frozen=True)
class DocumentPair:
    """One pair: two whole documents, the expected verdict of their comparison, and the reason in a line.

    ``area`` is the name of its file, ``fragments`` are base and revision as written there.
    """

    id: str
    area: str
    fragment_kind: str
    versions: tuple[str, str]
    fragments: tuple[JSON, JSON]
    verdict: str
    why: str
    witness: tuple[JSON, ...]
    unprovable: str

    @property
    def base(self) -> dict[str, Any]:
        """The older document."""
        return self._make_document(0)

    @property
    def revision(self) -> dict[str, Any]:
        """The newer document."""
        return self._make_document(1)

    def _make_document(self, side: int) -> dict[str, Any]:
        """Return a new document that shares nothing with the fragment."""
        document = copy.deepcopy(FRAGMENT_KINDS[self.fragment_kind].wrap(self.fragments[side]))
        return complete_document(document, self.versions[side])


def complete_document(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Add the required parts without meaning to ``document``, in place, and return it."""
    whole = {"openapi": version, "info": {"title": "Things", "version": "1"}, **document}
    if "webhooks" not in whole:
        whole.setdefault("paths", {})
    for operation in find_operations(whole):
        for response in operation.setdefault("responses", {"204": {}}).values():
            _add_description(response)
    for response in whole.get("components", {}).get("responses", {}).values():
        _add_description(response)
    return whole


def _add_description(response: dict[str, Any]) -> None:
    if "$ref" not in response:
        response.setdefault("description", "An answer")


def find_operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all operations of ``document``, including webhooks, components and callbacks."""
    components = document.get("components", {})
    groups = [document.get("paths", {}), document.get("webhooks", {}), components.get("pathItems", {})]
    groups += components.get("callbacks", {}).values()
    while groups:
        for item in groups.pop().values():
            for operation in list_item_operations(item):
                yield operation
                groups += [one for one in operation.get("callbacks", {}).values() if "$ref" not in one]


def list_item_operations(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of a path item, those of OpenAPI 3.2 too."""
    return [
        *(item[method] for method in (*METHODS, "query") if method in item),
        *item.get("additionalOperations", {}).values(),
    ]


def _wrap_content(schema: JSON) -> dict[str, Any]:
    return {"content": {_JSON: {"schema": schema}}}


def _wrap_request(body: JSON) -> dict[str, Any]:
    return {"paths": {"/things": {"post": {"requestBody": body}}}}


def _wrap_responses(responses: JSON) -> dict[str, Any]:
    return {"paths": {"/things": {"get": {"responses": responses}}}}


def _wrap_request_body(schema: JSON) -> dict[str, Any]:
    return _wrap_request({"required": True, **_wrap_content(schema)})


def _wrap_response_body(schema: JSON) -> dict[str, Any]:
    return _wrap_responses({"200": _wrap_content(schema)})


def _wrap_error_body(schema: JSON) -> dict[str, Any]:
    return _wrap_responses({"200": {}, "400": _wrap_content(schema)})


def _wrap_property(schema: JSON) -> dict[str, Any]:
    return {"type": "object", "properties": {"value": schema}}


def _wrap_parameters(parameters: JSON) -> dict[str, Any]:
    return {"paths": {"/things": {"get": {"parameters": parameters}}}}


def _make_parameter_wrapper(location: str) -> Callable[[JSON], dict[str, Any]]:
    """Return a function that makes a document with one parameter ``value`` in ``location``."""
    if location == "path":
        given = {"name": "value", "in": "path", "required": True}
        return lambda schema: {"paths": {"/things/{value}": {"get": {"parameters": [{**given, "schema": schema}]}}}}
    return lambda schema: _wrap_parameters([{"name": "value", "in": location, "schema": schema}])


def _wrap_response_header(schema: JSON) -> dict[str, Any]:
    return _wrap_responses({"200": {"headers": {"X-Value": {"schema": schema}}}})


def _wrap_webhook(operation: JSON) -> dict[str, Any]:
    return {"webhooks": {"thingMade": {"post": operation}}}


def _wrap_callback(operation: JSON) -> dict[str, Any]:
    subscription = {"thingMade": {"{$request.query.url}": {"post": operation}}}
    given = [{"name": "url", "in": "query", "required": True, "schema": {"type": "string"}}]
    return {"paths": {"/subscriptions": {"post": {"parameters": given, "callbacks": subscription}}}}


def _wrap_shared_schemas(schemas: JSON) -> dict[str, Any]:
    """Return a document that accepts and returns the same component `Thing`."""
    operation = {
        "requestBody": {"required": True, **_wrap_content(_THING)},
        "responses": {"200": _wrap_content(_THING)},
    }
    return {"paths": {"/things": {"put": operation}}, "components": {"schemas": schemas}}


_THING = {"$ref": "#/components/schemas/Thing"}
_REQUEST, _RESPONSE, _BOTH = ("request",), ("response",), ("request", "response")


def _identity(schema: JSON) -> JSON:
    return schema


def _refer_to_thing(_: JSON) -> JSON:
    return _THING


FRAGMENT_KINDS: Mapping[str, FragmentKind] = {
    # One schema.
    "request-body": FragmentKind(_wrap_request_body, _REQUEST, _identity),
    "request-property": FragmentKind(
        lambda schema: _wrap_request_body(_wrap_property(schema)), _REQUEST, _wrap_property, is_property=True
    ),
    "response-body": FragmentKind(_wrap_response_body, _RESPONSE, _identity),
    "response-property": FragmentKind(
        lambda schema: _wrap_response_body(_wrap_property(schema)), _RESPONSE, _wrap_property, is_property=True
    ),
    "error-body": FragmentKind(_wrap_error_body, _RESPONSE, _identity),
    "parameter-query": FragmentKind(_make_parameter_wrapper("query"), _REQUEST, _identity),
    "parameter-path": FragmentKind(_make_parameter_wrapper("path"), _REQUEST, _identity),
    "parameter-header": FragmentKind(_make_parameter_wrapper("header"), _REQUEST, _identity),
    "parameter-cookie": FragmentKind(_make_parameter_wrapper("cookie"), _REQUEST, _identity),
    "response-header": FragmentKind(_wrap_response_header, _RESPONSE, _identity),
    # Requests from the vendor to the consumer, and their responses.
    "webhook-body": FragmentKind(
        lambda schema: _wrap_webhook({"requestBody": _wrap_content(schema)}), _RESPONSE, _identity
    ),
    "webhook-answer": FragmentKind(
        lambda schema: _wrap_webhook({"responses": {"200": _wrap_content(schema)}}), _REQUEST, _identity
    ),
    "callback-body": FragmentKind(
        lambda schema: _wrap_callback({"requestBody": _wrap_content(schema)}), _RESPONSE, _identity
    ),
    "callback-answer": FragmentKind(
        lambda schema: _wrap_callback({"responses": {"200": _wrap_content(schema)}}), _REQUEST, _identity
    ),
    # Schemas by name; `Thing` is used.
    "request-schemas": FragmentKind(
        lambda all_: {**_wrap_request_body(_THING), "components": {"schemas": all_}}, _REQUEST, _refer_to_thing
    ),
    "response-schemas": FragmentKind(
        lambda all_: {**_wrap_response_body(_THING), "components": {"schemas": all_}}, _RESPONSE, _refer_to_thing
    ),
    "shared-schemas": FragmentKind(_wrap_shared_schemas, _BOTH, _refer_to_thing),
    # Larger parts, and everything.
    "parameters": FragmentKind(_wrap_parameters),
    "request": FragmentKind(_wrap_request),
    "responses": FragmentKind(_wrap_responses),
    "operation": FragmentKind(lambda operation: {"paths": {"/things": {"post": operation}}}),
    "paths": FragmentKind(lambda paths: {"paths": paths}),
    "document": FragmentKind(lambda document: document),
}
"""The kinds of fragments by their name in `in`."""


# libyaml where it is installed: reading the pairs is a large part of starting a test process.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class StrictYamlLoader(_Loader):  # type: ignore[misc] # either loader
    """A loader that refuses silent surprises of YAML: a duplicate key, `on` as true, a bare date."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"{sorted(twice)} twice{node.start_mark}")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_plainly(self, node: yaml.ScalarNode) -> bool:
        if node.value not in ("true", "false"):
            raise ValueError(f"{node.value} without quotation marks{node.start_mark}")
        return bool(node.value == "true")


StrictYamlLoader.add_constructor("tag:yaml.org,2002:bool", StrictYamlLoader.construct_plainly)
StrictYamlLoader.add_constructor("tag:yaml.org,2002:timestamp", StrictYamlLoader.construct_plainly)


def load_yaml(file: Path) -> JSON:
    """Return the content of a file of examples.

    Raises:
        ValueError: a key is duplicated, or a string lacks its quotation marks.
    """
    return yaml.load(file.read_text(encoding="utf-8"), StrictYamlLoader)  # noqa: S506 (a safe loader, made stricter)


def _parse_pair(entry: Mapping[str, Any], area: str) -> DocumentPair:
    """Return the pair of ``entry``; raise ValueError with its id if it is malformed."""
    unknown = entry.keys() - _KEYS
    missing = {"id", "in", "base", "revision", "verdict", "why"} - entry.keys()
    if unknown or missing or entry["in"] not in FRAGMENT_KINDS or entry["verdict"] not in VERDICTS:
        raise ValueError(f"{area}: {entry.get('id')}: unknown {sorted(unknown)}, missing {sorted(missing)}")
    version = entry.get("openapi", "3.1")
    base, revision = version if isinstance(version, list) else (version, version)
    return DocumentPair(
        id=entry["id"],
        area=area,
        fragment_kind=entry["in"],
        versions=(VERSIONS[base], VERSIONS[revision]),
        fragments=(entry["base"], entry["revision"]),
        verdict=entry["verdict"],
        why=entry["why"],
        witness=tuple(entry.get("witness", ())),
        unprovable=entry.get("unprovable", ""),
    )


@functools.cache
def load_pairs(directory: Path = DIRECTORY) -> tuple[DocumentPair, ...]:
    """Return all pairs of the collection, areas in alphabetical order.

    Raises:
        ValueError: an entry is malformed, a key is duplicated, or a string lacks its quotation marks.
    """
    found = []
    for file in sorted(directory.glob("*.yaml")):
        found += [_parse_pair(entry, file.stem) for entry in load_yaml(file)]
    return tuple(found)
