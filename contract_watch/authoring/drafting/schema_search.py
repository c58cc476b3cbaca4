"""Search for properties in the schemas of a document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_watch.contracts.bodies import is_json_type
from contract_watch.contracts.schema import flatten_schema
from contract_watch.diff.document.source import SourceDocument, as_object, decode_token

_MAX_DEPTH = 4
_MAX_STEPS = 32
PropertyPath = tuple[str, ...]
Location = tuple[str | int, ...]
"""The names and positions from the root of a document to a node."""


def follow(source: SourceDocument, location: Location, raw: Any) -> tuple[Location, Mapping[str, Any], list[str]]:
    """Follow the references of the node at ``location``; return its real location, the node, and the references."""
    references: list[str] = []
    while isinstance(as_object(raw).get("$ref"), str) and len(references) < _MAX_STEPS:
        references.append(raw["$ref"])
        location = tuple(decode_token(part) for part in raw["$ref"][2:].split("/"))
        raw = source.resolve(raw["$ref"])
    return location, as_object(raw), references


def list_members(location: Location, schema: Mapping[str, Any]) -> list[tuple[Location, Any]]:
    """Return the members of `allOf`, with their locations."""
    members = schema.get("allOf")
    return (
        [((*location, "allOf", number), one) for number, one in enumerate(members)] if isinstance(members, list) else []
    )


def get_success(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Any:
    """Return the raw JSON schema of the lowest documented success of an operation; empty if it has none."""
    responses = as_object(operation.get("responses"))
    successes = sorted(status for status in map(str, responses) if status.isdigit() and 200 <= int(status) < 300)
    for status in (*successes, *(["default"] if not successes else [])):
        content = as_object(SourceDocument(document).follow(responses.get(status)).get("content"))
        for media_type, media in content.items():
            if is_json_type(media_type) and isinstance(media, dict):
                return media.get("schema", {})
    return {}


def get_body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flattened schema of a request's body; empty if it has none."""
    content = as_object(SourceDocument(document).follow(operation.get("requestBody")).get("content"))
    media: Any = next((one for name, one in content.items() if is_json_type(name)), next(iter(content.values()), {}))
    return flatten_schema(document, as_object(media).get("schema", {}))


def list_parameters(document: Mapping[str, Any], item: Mapping[str, Any], method: str) -> list[Mapping[str, Any]]:
    """Return the parameters of an operation, with their references followed; an operation's own replaces its path's."""
    source = SourceDocument(document)
    found: dict[tuple[Any, Any], Mapping[str, Any]] = {}
    for holder in (item, as_object(item.get(method.lower()))):
        for raw in holder.get("parameters", ()) if isinstance(holder.get("parameters"), list) else ():
            parameter = source.follow(raw)
            found[parameter.get("in"), parameter.get("name")] = parameter
    return list(found.values())


def get_properties(document: Mapping[str, Any], schema: Any) -> dict[str, dict[str, Any]]:
    """Return the flattened schemas of an object's properties."""
    flat = flatten_schema(document, schema)
    return {name: flatten_schema(document, raw) for name, raw in as_object(flat.get("properties")).items()}


def list_types(schema: Mapping[str, Any]) -> list[str]:
    """Return the types of a schema without `null`."""
    types = schema.get("type", ())
    return [one for one in (types if isinstance(types, list) else [types]) if one != "null" and isinstance(one, str)]


def walk_objects(
    document: Mapping[str, Any], schema: Any, path: PropertyPath = ()
) -> Iterator[tuple[PropertyPath, dict[str, dict[str, Any]]]]:
    """Yield each object at and below a schema, the outermost first, with its properties; arrays are not entered."""
    level = [(path, schema)]
    for _ in range(_MAX_DEPTH):
        following = []
        for where, one in level:
            properties = get_properties(document, one)
            if properties:
                yield where, properties
            following += [((*where, name), inner) for name, inner in properties.items()]
        level = following


def find_property(document: Mapping[str, Any], schema: Any, names: Sequence[str], kinds: Sequence[str]) -> PropertyPath:
    """Return the path of the outermost property with one of ``names`` and one of the types ``kinds``; empty if none."""
    for path, properties in walk_objects(document, schema):
        for name in names:
            if name in properties and (
                not list_types(properties[name]) or set(list_types(properties[name])) & set(kinds)
            ):
                return (*path, name)
    return ()


def find_rows(document: Mapping[str, Any], schema: Any, names: Sequence[str]) -> tuple[PropertyPath, Any] | None:
    """Return the path of the outermost array of objects, and the schema of an object; one with ``names`` comes first."""
    found: list[tuple[PropertyPath, Any]] = []
    if "array" in list_types(flatten_schema(document, schema)):
        found.append(((), flatten_schema(document, schema).get("items", {})))
    for path, properties in walk_objects(document, schema):
        found += [
            ((*path, name), one["items"]) for name, one in properties.items() if isinstance(one.get("items"), dict)
        ]
    objects = [(path, items) for path, items in found if get_properties(document, items)]
    known = [one for one in objects if set(names) & get_properties(document, one[1]).keys()]
    return next(iter([*known, *objects]), None)


def has_objects(document: Mapping[str, Any], schema: Any) -> bool:
    """Return True if an object with properties is at or below a schema, in arrays too."""
    return any(True for _ in walk_objects(document, schema)) or find_rows(document, schema, ()) is not None


def find_objects(
    document: Mapping[str, Any], schema: Any, name: str, depth: int = 0
) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield the properties of each object with the property ``name`` at and below a schema, in arrays too."""
    flat = flatten_schema(document, schema)
    properties = get_properties(document, flat)
    if name in properties:
        yield properties
    if depth < _MAX_DEPTH:
        inner = [*properties.values(), *([flat["items"]] if isinstance(flat.get("items"), dict) else [])]
        for one in inner:
            yield from find_objects(document, one, name, depth + 1)


def format_pointer(path: PropertyPath) -> str:
    """Return a JSON pointer as ``contract.toml`` has it."""
    return "/" + "/".join(path)
