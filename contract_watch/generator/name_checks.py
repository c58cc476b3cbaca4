"""Checks of the names and values that the generator writes into code: it must keep each, and give each its own symbol.

The generator drops characters that Python source cannot show, writes two operations of one name into one module, and
merges members of an enumeration. Each of these gives a client that imports and sends or reads something else.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from openapi_python_client import strings
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Class, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty

from contract_watch.escaping import escape_text, format_json
from contract_watch.generator.configuration import FIELD_PREFIX, parse_document
from contract_watch.generator.model_properties import CONVERSIONS, EXTENSION, list_converted
from contract_watch.generator.naming import read_written
from contract_watch.generator.prose import NAME_MAPS

_NO_SCHEMAS = frozenset(("const", "default", "enum", "example", "servers"))
"""Keywords whose values hold no schema."""
_MAX_FILE_NAME = 255
"""The bytes of a name that file systems allow."""
_HTTP_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A name of a header or a cookie (RFC 9110)."""
_PLACEHOLDER = re.compile(r"\{\w+\}")
_CLASS_OF_ENUM = Class(strings.ClassName("Enum", ""), strings.PythonIdentifier("enum", ""))
_UNWRITABLE = "has a character that the generated code would lose"


def find_problems(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each name or value of the effective ``document`` that its client would change or confuse.

    Raises:
        UsageError: the generator refuses the document.
    """
    yield from _check_schemas(document)
    data = parse_document(document)
    yield from _find_shared_modules(data)
    for endpoint in _list_endpoints(data):
        yield from _check_endpoint(endpoint)
    for model in data.models:
        own = _list_properties(model)
        where = f"of the class {model.class_info.name}"
        for prop in own:
            yield from _check_written(f"the property {_show(prop.name)} {where}", prop.name.get_untrusted_value())
        yield from _check_values(own, where)
        yield from _check_conversions(model, where)


def _check_conversions(model: ModelProperty, where: str) -> Iterator[str]:
    """Yield a phrase for each conversion of a property that the client does not perform."""
    converted = {one.name.get_untrusted_value() for one in list_converted(model)}
    for name, schema in (model.data.properties or {}).items():
        kind = (getattr(schema, "model_extra", None) or {}).get(EXTENSION)
        if kind is not None and name.get_untrusted_value() not in converted:
            yield (
                f"the property {_show(name)} {where} has the {EXTENSION} {escape_text(str(kind), 40)!r}, which is for "
                f"properties of responses and one of {', '.join(CONVERSIONS)}"
            )


def _list_endpoints(data: GeneratorData) -> list[Endpoint]:
    return [one for collection in data.endpoint_collections_by_tag.values() for one in collection.endpoints]


def _list_properties(model: ModelProperty) -> list[PropertyProtocol]:
    return [*(model.required_properties or ()), *(model.optional_properties or ())]


def _show(name: Any) -> str:
    """Quote a string of the document for an error."""
    text = name if isinstance(name, str) else name.get_untrusted_value()
    return f'"{escape_text(text, 100)}"'


def _find_shared_modules(data: GeneratorData) -> Iterator[str]:
    """Yield the classes and operations that would be written into one file; some file systems ignore case."""
    files: dict[tuple[str, str], str] = {}
    classes = ((("models", one.class_info.module_name), one.class_info.name) for one in (*data.models, *data.enums))
    tags = data.endpoint_collections_by_tag.items()
    calls = (
        ((tag, one.name), f"{one.method.upper()} {one.path.get_untrusted_value()}")
        for tag, of in tags
        for one in of.endpoints
    )
    for (package, module), owner in chain(classes, calls):
        if len(f"{module}.py".encode()) > _MAX_FILE_NAME:
            yield f"{_show(owner)} has too long a name for the file of its module"
        other = files.setdefault((package.casefold(), module.casefold()), owner)
        if other != owner:
            yield f"{_show(other)} and {_show(owner)} would share the module {package}/{module}.py"


def _check_endpoint(endpoint: Endpoint) -> Iterator[str]:
    path = endpoint.path.get_untrusted_value()
    where = f"of {endpoint.method.upper()} {escape_text(path, 100)}"
    yield from _check_written(f"the path {_show(path)}", path)
    if set(_PLACEHOLDER.sub("", path)) & set("{}"):
        yield f"the path {_show(path)} has a brace that belongs to no parameter"
    for location, prop in endpoint.iter_all_parameters():
        name = prop.name.get_untrusted_value()
        label = f"the {location} parameter {_show(name)} {where}"
        yield from _check_written(label, name)
        if location in ("header", "cookie") and not _HTTP_TOKEN.fullmatch(name):
            yield f"{label} is no name that HTTP allows"
        if prop.python_name == "body" and endpoint.bodies:
            yield f"{label} has the name of the argument for the request body"
    yield from _check_values([one for _, one in endpoint.iter_all_parameters()], where)
    for body in endpoint.bodies:
        yield from _check_written(
            f"the media type {_show(body.content_type)} {where}", body.content_type.get_untrusted_value()
        )


def _check_written(label: str, text: str) -> Iterator[str]:
    """Yield a phrase if the generator does not write ``text`` as it is; it has one function for that."""
    if read_written(strings.in_double_quote_literal(text)) != text:
        yield f"{label} {_UNWRITABLE}"


def _check_values(properties: Iterable[PropertyProtocol], where: str) -> Iterator[str]:
    """Yield a phrase for each constant, at any depth, that the client would send as another value."""
    for prop in _iterate_properties(properties):
        value = getattr(prop, "value", None)
        if value is None or not isinstance(value.raw_value, str):
            continue
        try:
            written = ast.literal_eval(value.python_code.as_unembedded_code())
        except (ValueError, SyntaxError):
            continue
        if isinstance(written, str) and written != value.raw_value:
            yield (
                f"the constant {_show(value.raw_value)} of {_show(prop.name)} {where} has a quote, a backslash or another "
                "character that the generated code would change"
            )


def _iterate_properties(properties: Iterable[PropertyProtocol]) -> Iterator[PropertyProtocol]:
    """Yield properties with those that they consist of; classes are checked by themselves."""
    for prop in properties:
        yield prop
        if isinstance(prop, ListProperty):
            yield from _iterate_properties([prop.inner_property])
        elif isinstance(prop, UnionProperty):
            yield from _iterate_properties(prop.inner_properties)


def _check_schemas(node: Any) -> Iterator[str]:
    """Yield a phrase for each object and enumeration below ``node`` with names that the generator merges or changes."""
    if isinstance(node, list):
        for item in node:
            yield from _check_schemas(item)
    elif isinstance(node, dict):
        properties, values = node.get("properties"), node.get("enum")
        if isinstance(properties, dict):
            yield from _check_properties(properties)
        named = [value for value in values if value is not None] if isinstance(values, list) else []
        if named and all(isinstance(value, str) for value in named):
            yield from _check_members(named, node.get("x-enum-varnames", []))
        for keyword, inner in node.items():
            if keyword in NAME_MAPS and isinstance(inner, dict):
                yield from _check_schemas(list(inner.values()))
            elif keyword not in _NO_SCHEMAS and not keyword.startswith("x-"):
                yield from _check_schemas(inner)


def _check_properties(properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each property that stays the attribute of another one when both keep their capital letters."""
    seen: dict[str, str] = {}
    for name in properties:
        identifier = strings.PythonIdentifier(name, FIELD_PREFIX)
        exact = strings.PythonIdentifier(name, FIELD_PREFIX, skip_snake_case=True)
        other = seen.setdefault(identifier, name)
        if other != name and exact == strings.PythonIdentifier(other, FIELD_PREFIX, skip_snake_case=True):
            yield f"the properties {_show(other)} and {_show(name)} are one name in Python"


def _check_members(values: list[str], names: Any) -> Iterator[str]:
    for value in values:
        yield from _check_written(f"the value {_show(value)} of an enumeration", value)
    try:
        members = EnumProperty.values_from_list(values, _CLASS_OF_ENUM, names)
    except (ValueError, TypeError, AttributeError):
        return  # the generator refuses the enumeration itself, and names it
    if len(members) != len(values):
        yield f"the enumeration {escape_text(format_json(values, indent=None).strip(), 200)} has values that give members of one name"
