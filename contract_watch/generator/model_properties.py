"""The properties of a client's models, adapted from the generator's: open enumerations, conversions, secrets, no defaults.

A vendor's oddity is converted where the effective document says so with `x-client-type` on the property of a response:

| value | the API sends | the client gives |
|---|---|---|
| `milliseconds` | milliseconds since the epoch, in a string or a number | an aware `datetime` |
| `seconds` | seconds since the epoch | an aware `datetime` |
| `json-list` | a list of strings, or one as JSON in a string | `list[str]` |
| `flag` | 1, 0 or a boolean | `bool` |
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from attrs import define, evolve
from openapi_python_client import schema as oai
from openapi_python_client import strings
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import AnyProperty, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol, Value
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty

from contract_watch.generator.client_runtime._secrets import is_secret_name

EXTENSION = "x-client-type"
CONVERSIONS = {
    "milliseconds": ("datetime.datetime", "str"),
    "seconds": ("datetime.datetime", "float"),
    "json-list": ("list[str]", "list[str] | str"),
    "flag": ("bool", "bool | int"),
}
"""The Python type and the JSON type of each conversion."""


@define
class OpenEnumProperty(EnumProperty):
    """An enumeration that is read: a value that the document does not know is kept as it is."""

    template: ClassVar[str] = "open_enum_property.py.jinja"

    def get_base_type_string(self) -> strings.PythonCode:
        """Return the type: a member, or another value."""
        return strings.PythonCode(f"{self.class_info.name} | {self.value_type.__name__}")


@define
class ConvertedProperty(AnyProperty):
    """A property that the client converts; ``kind`` is a key of `CONVERSIONS`."""

    kind: str = ""
    template: ClassVar[str] = "converted_property.py.jinja"

    def get_base_type_string(self) -> strings.PythonCode:
        """Return the type that code sees."""
        return strings.PythonCode(CONVERSIONS[self.kind][0])

    def get_base_json_type_string(self) -> strings.PythonCode:
        """Return the type that the API sends."""
        return strings.PythonCode(CONVERSIONS[self.kind][1])

    @property
    def function_suffix(self) -> str:
        """The end of the names of its reader and its writer in the client."""
        return self.kind.replace("-", "_")


def adapt_data(data: GeneratorData) -> None:
    """Replace, in place, the properties that the client treats otherwise than the generator does."""
    StringProperty.template = "string_property.py.jinja"  # the generator has one for all plain types
    models = {str(model.class_info.name): model for model in data.models}
    read = find_read_models(data, models)
    for name, model in models.items():
        converted = name in read
        model.required_properties = [_adapt(one, model, is_read=converted) for one in model.required_properties or ()]
        model.optional_properties = [_adapt(one, model, is_read=converted) for one in model.optional_properties or ()]
        if any(isinstance(one, ConvertedProperty) for one in list_properties(model)):
            model.relative_imports = (model.relative_imports or set()) | {"import datetime"}
    for endpoint in (one for collection in data.endpoint_collections_by_tag.values() for one in collection.endpoints):
        for group in ("path_parameters", "query_parameters", "header_parameters", "cookie_parameters"):
            setattr(endpoint, group, [_drop_default(one) for one in getattr(endpoint, group)])
        for body in endpoint.bodies:
            body.prop = _drop_default(body.prop)
        for response in endpoint.responses:
            response.prop = _open_enums(response.prop)


def list_properties(model: ModelProperty) -> list[PropertyProtocol]:
    """Return the properties of ``model``, required ones first."""
    return [*(model.required_properties or ()), *(model.optional_properties or ())]


def find_read_models(data: GeneratorData, models: dict[str, ModelProperty]) -> set[str]:
    """Return the names of the classes that responses consist of."""
    found: set[str] = set()
    waiting: list[PropertyProtocol] = [
        response.prop
        for collection in data.endpoint_collections_by_tag.values()
        for endpoint in collection.endpoints
        for response in endpoint.responses
    ]
    while waiting:
        for prop in iterate_parts(waiting.pop()):
            if isinstance(prop, ModelProperty) and str(prop.class_info.name) not in found:
                name = str(prop.class_info.name)
                found.add(name)
                model = models.get(name, prop)
                waiting.extend(list_properties(model))
                if model.additional_properties is not None:
                    waiting.append(model.additional_properties)
    return found


def iterate_parts(prop: PropertyProtocol) -> Iterator[PropertyProtocol]:
    """Yield ``prop`` and the properties that it consists of, without those of classes."""
    yield prop
    inner: Iterable[PropertyProtocol] = ()
    if isinstance(prop, ListProperty):
        inner = [prop.inner_property]
    elif isinstance(prop, UnionProperty):
        inner = prop.inner_properties
    for one in inner:
        yield from iterate_parts(one)


def find_schema(model: ModelProperty, prop: PropertyProtocol) -> oai.Schema | None:
    """Return the schema of ``prop`` in ``model``; None behind a reference or in a part of ``allOf``."""
    for name, schema in (model.data.properties or {}).items():
        if _get_text(name) == _get_text(prop.name):
            return schema if isinstance(schema, oai.Schema) else None
    return None


def is_secret(prop: PropertyProtocol, model: ModelProperty) -> bool:
    """Return True if no text may show the value of ``prop``."""
    schema = find_schema(model, prop)
    declared = schema is not None and _get_text(schema.schema_format or "") == "password"
    return declared or is_secret_name(_get_text(prop.name))


def list_converted(model: ModelProperty) -> list[ConvertedProperty]:
    """Return the converted properties of ``model``."""
    return [one for one in list_properties(model) if isinstance(one, ConvertedProperty)]


def _adapt(prop: Any, model: ModelProperty, *, is_read: bool) -> Any:
    prop = _drop_default(prop)
    if not is_read:
        return prop
    schema = find_schema(model, prop)
    kind = _get_text((schema.model_extra or {}).get(EXTENSION, "")) if schema is not None else ""
    if kind in CONVERSIONS:
        return ConvertedProperty(
            name=prop.name, required=prop.required, default=None, python_name=prop.python_name,
            description=prop.description, example=prop.example, kind=kind,
        )  # fmt: skip
    return _open_enums(prop)


def _open_enums(prop: Any) -> Any:
    if type(prop) is EnumProperty:
        names = [one.name for one in EnumProperty.__attrs_attrs__]
        return OpenEnumProperty(**{name: getattr(prop, name) for name in names})
    if isinstance(prop, ListProperty):
        return evolve(prop, inner_property=_open_enums(prop.inner_property))
    if isinstance(prop, UnionProperty):
        return evolve(prop, inner_properties=[_open_enums(one) for one in prop.inner_properties])
    return prop


def _drop_default(prop: Any) -> Any:
    """Return ``prop`` without a default: only what a caller sets is sent."""
    if isinstance(prop, ConstProperty) or not isinstance(getattr(prop, "default", None), Value):
        return prop
    return evolve(prop, default=None)


def _get_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value.get_untrusted_value())
