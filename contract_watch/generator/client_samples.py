"""Samples for every class and operation of a client: JSON that must survive it, and arguments that must reach a request.

The document gives names and types; the values are ours, each string another one, so that a mixed-up name shows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import AnyProperty, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.properties.uuid import UuidProperty
from openapi_python_client.strings import PythonIdentifier

from contract_watch.generator.configuration import FIELD_PREFIX
from contract_watch.generator.model_properties import ConvertedProperty, list_properties
from contract_watch.generator.naming import read_written
from contract_watch.generator.operations import DoorOperation, build_operations

JSON = Any
_PLAIN = (StringProperty, IntProperty, FloatProperty, BooleanProperty, AnyProperty)
_VALUES: dict[type, Callable[[int], JSON]] = {
    StringProperty: lambda number: f"text-{number}",
    AnyProperty: lambda number: f"text-{number}",
    BooleanProperty: lambda _: True,
    IntProperty: lambda number: number,
    FloatProperty: lambda number: number + 0.5,
    DateProperty: lambda _: "2026-01-31",
    DateTimeProperty: lambda _: "2026-01-31T12:00:00+00:00",
    UuidProperty: lambda number: f"12345678-1234-4234-8234-{number:012}",
    NoneProperty: lambda _: None,
}
"""The value number n of each type; those of one type differ where the type allows it."""
_CONVERTED: dict[str, Callable[[int], JSON]] = {
    "milliseconds": str,
    "seconds": lambda number: number + 0.5,
    "json-list": lambda number: f'["text-{number}"]',
    "flag": lambda _: 1,
}
"""The value number n of each conversion."""
_UNLISTED = "a name that is not listed"


class _NoSampleError(Exception):
    """No JSON value stands for the property: a file, or a class that requires itself."""


def build_samples(data: GeneratorData, package: str) -> dict[str, JSON]:
    """Return the work of `client_exercise.py` for the client ``package`` of the document ``data``."""
    doors = {one.module: one for one in build_operations(data, {"repeatable": [], "examples": {}})}
    samples = _Samples(data, doors)
    return {
        "package": package,
        "models": [one for model in data.models for one in samples.sample_model(model)],
        "enums": [_describe_enum(enum) for enum in data.enums if isinstance(enum, EnumProperty)],
        "calls": [
            call
            for tag, collection in data.endpoint_collections_by_tag.items()
            for endpoint in collection.endpoints
            for call in samples.sample_call(f"api.{tag}.{PythonIdentifier(endpoint.name, FIELD_PREFIX)}", endpoint)
        ],
    }


def _describe_enum(enum: EnumProperty) -> dict[str, JSON]:
    values = [read_written(value) if isinstance(value, str) else value for value in enum.values.values()]
    return {**_locate(enum), "values": values}


def _locate(prop: ModelProperty | EnumProperty) -> dict[str, JSON]:
    return {"module": f"models.{prop.class_info.module_name}", "class": str(prop.class_info.name)}


class _Samples:
    """Values that differ from each other."""

    def __init__(self, data: GeneratorData, doors: Mapping[str, DoorOperation]) -> None:
        self._numbers = count(1)
        self._doors = doors
        # A reference is a copy of its class, perhaps from before the class got its properties.
        self._models = {str(model.class_info.name): model for model in data.models}

    def sample_model(self, model: ModelProperty) -> Iterator[dict[str, JSON]]:
        """Yield an object with every property of ``model``, and one with the required ones only."""
        properties = [*(model.required_properties or ()), *(model.optional_properties or ())]
        names = {one.name.get_untrusted_value(): str(one.python_name) for one in properties}
        try:
            for full in (True, False):
                value = self._sample_object(model, (), full=full)
                yield {**_locate(model), "value": value, "attributes": {n: names[n] for n in value if n in names}}
        except _NoSampleError:
            return

    def sample_call(self, module: str, endpoint: Endpoint) -> Iterator[dict[str, JSON]]:
        """Yield the arguments of a call and the parts of the request that they must become."""
        arguments, names, path = [], [], endpoint.path.get_untrusted_value()
        for location, prop in endpoint.iter_all_parameters():
            if isinstance(prop, (*_PLAIN, EnumProperty)):
                value = self._sample(prop, ())
                kind = _locate(prop) if isinstance(prop, EnumProperty) else {}
                name = prop.name.get_untrusted_value()
                arguments.append({"name": str(prop.python_name), "value": value, **kind})
                plain = value if isinstance(prop, StringProperty) else None
                if location != "path":
                    names.append({"in": str(location.value), "name": name, "value": plain})
                path = path.replace(f"{{{prop.python_name}}}", str(value))
            elif prop.required:
                return
        body = None
        if endpoint.bodies:
            first = endpoint.bodies[0]
            if len(endpoint.bodies) > 1 or first.body_type != "json" or not isinstance(first.prop, ModelProperty):
                return
            try:
                body = self._sample_object(first.prop, (), full=True)
            except _NoSampleError:
                return
            arguments.append({"name": "body", "value": body, **_locate(first.prop)})
        door = self._doors[module.removeprefix("api.")]
        yield {
            "module": module,
            "arguments": arguments,
            "names": names,
            "path": path,
            "body": body,
            "door": door.name,
            "door_arguments": list(self._sample_door(door, endpoint, arguments, body)),
        }

    def _sample_door(
        self, door: DoorOperation, endpoint: Endpoint, arguments: Sequence[Mapping[str, JSON]], body: JSON
    ) -> Iterator[dict[str, JSON]]:
        """Yield the same call's keyword arguments for the door."""
        values = {one["name"]: one["value"] for one in arguments}
        for one in door.parameters:
            if one.target in values:
                yield {"name": one.name, "value": values[one.target]}
        model = endpoint.bodies[0].prop if endpoint.bodies else None
        if not isinstance(model, ModelProperty):
            return
        fields = [one for one in door.arguments if one not in door.parameters]
        names = {str(prop.python_name): prop for prop in list_properties(self._models[str(model.class_info.name)])}
        for one in fields:
            prop = names[one.target]
            name = prop.name.get_untrusted_value()
            if name in body:
                kind = _locate(prop) if isinstance(prop, ModelProperty) else {}
                plain = isinstance(prop, (*_PLAIN, EnumProperty, ConstProperty, ModelProperty))
                yield {"name": one.name, "value": body[name], "is_plain": plain, **kind}

    def _sample_object(self, model: ModelProperty, owners: Sequence[str], *, full: bool) -> dict[str, JSON]:
        name = str(model.class_info.name)
        if name in owners:
            raise _NoSampleError
        inside, model = (*owners, name), self._models[name]
        value = {one.name.get_untrusted_value(): self._sample(one, inside) for one in model.required_properties or ()}
        for one in model.optional_properties or () if full else ():
            try:
                value[one.name.get_untrusted_value()] = self._sample(one, inside)
            except _NoSampleError:
                continue
        if full and model.additional_properties is not None:
            value[_UNLISTED] = self._sample(model.additional_properties, inside)
        return value

    def _sample(self, prop: PropertyProtocol, owners: Sequence[str]) -> JSON:
        if isinstance(prop, ModelProperty):
            return self._sample_object(prop, owners, full=True)
        if isinstance(prop, ConvertedProperty):
            return _CONVERTED[prop.kind](next(self._numbers))
        if isinstance(prop, ListProperty):
            return self._sample_list(prop, owners)
        if isinstance(prop, UnionProperty):
            members = [one for one in prop.inner_properties if not isinstance(one, NoneProperty)]
            return self._sample_first(members, owners)
        if isinstance(prop, EnumProperty):
            return _describe_enum(prop)["values"][0]
        if isinstance(prop, ConstProperty):
            return prop.value.raw_value
        for kind, make in _VALUES.items():
            if isinstance(prop, kind):
                return make(next(self._numbers))
        raise _NoSampleError

    def _sample_list(self, prop: ListProperty, owners: Sequence[str]) -> list[JSON]:
        try:
            return [self._sample(prop.inner_property, owners)]
        except _NoSampleError:
            return []

    def _sample_first(self, properties: Sequence[PropertyProtocol], owners: Sequence[str]) -> JSON:
        for prop in properties:
            try:
                return self._sample(prop, owners)
            except _NoSampleError:
                continue
        raise _NoSampleError
