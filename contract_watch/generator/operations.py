"""The operations of a client's door, as its templates write them: one method for each, with keyword arguments.

A method's arguments are the operation's parameters and the properties of its body. Names, types and texts come from the
generator's data, which has made them safe for Python source.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openapi_python_client import schema as oai
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.strings import PythonIdentifier, safe_for_docstring

from contract_watch.escaping import escape_lines, format_python_literal
from contract_watch.generator.configuration import FIELD_PREFIX
from contract_watch.generator.constraints import describe_constraints
from contract_watch.generator.model_properties import find_schema, is_secret, list_properties

OWN_ARGUMENTS = ("timeout", "extra_headers", "extra_body")
"""The arguments that every method has; a parameter of the same name gets an underscore."""
OWN_METHODS = ("close", "aclose", "raw")
_CODE_TAG = re.compile(r"</?code>")
_TAG = re.compile(r"</?(?:a|b|br|em|i|li|ol|p|strong|ul)(?: [^<>]{0,300})?/?>", re.IGNORECASE)
_SPACES = re.compile(r" {2,}")
_ERRORS = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
    409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError",
}  # fmt: skip
"""The class of error for each status; `errors.get_status_error` of the client is the same table."""


@dataclass(frozen=True)
class Argument:
    """One argument of a method; ``declaration`` is source, ``value`` the expression that the operation gets."""

    name: str
    declaration: str
    target: str
    value: str
    text: str
    is_secret: bool
    is_required: bool


@dataclass(frozen=True)
class DoorOperation:
    """One method of the door.

    ``module`` is the operation's module below ``api``, ``imports`` the lines that its types need, ``enums`` maps the
    local names of enumerations to the lines that import them. ``positional`` is the argument that needs no keyword: the
    only parameter of the path.
    """

    name: str
    function: str
    label: str
    module: str
    arguments: list[Argument]
    parameters: list[Argument]
    positional: Argument | None
    body: str | None
    body_import: str
    body_argument: Argument | None
    is_body_required: bool
    returns: str
    imports: frozenset[str]
    enums: Mapping[str, str]
    summary: str
    description: str
    errors: list[tuple[str, str]]
    is_repeatable: bool
    example: str = ""
    secrets: list[str] = field(default_factory=list)


def build_operations(data: GeneratorData, facts: Mapping[str, Any]) -> list[DoorOperation]:
    """Return the door's operations in the document's order; ``facts`` hold what the generator's data lacks."""
    models = {str(model.class_info.name): model for model in data.models}
    found = []
    taken = set(OWN_METHODS)
    for tag, collection in data.endpoint_collections_by_tag.items():
        for endpoint in collection.endpoints:
            operation = _build_operation(str(tag), endpoint, models, facts, taken)
            taken.add(operation.name)
            found.append(operation)
    return found


def _build_operation(
    tag: str, endpoint: Endpoint, models: Mapping[str, ModelProperty], facts: Mapping[str, Any], taken: set[str]
) -> DoorOperation:
    label = f"{endpoint.method.upper()} {endpoint.path.get_untrusted_value()}"
    function = str(PythonIdentifier(endpoint.name, FIELD_PREFIX))
    names = set(OWN_ARGUMENTS) | {"self"}
    parameters = [
        _build_argument(prop, None, names)
        for group in (endpoint.path_parameters, endpoint.query_parameters, endpoint.header_parameters, endpoint.cookie_parameters)
        for prop in group
    ]  # fmt: skip
    body = endpoint.bodies[0].prop if len(endpoint.bodies) == 1 else None
    model = models.get(str(body.class_info.name)) if isinstance(body, ModelProperty) else None
    properties: list[PropertyProtocol] = list_properties(model) if model is not None else []
    fields = [_build_argument(prop, model, names) for prop in properties]
    plain = None
    if model is None and endpoint.bodies:
        plain = _build_plain_body(endpoint, names)
    arguments = [*parameters, *fields, *([plain] if plain else [])]
    shown = [*endpoint.list_all_parameters(), *properties]
    return DoorOperation(
        name=_choose_free_name(function, taken),
        function=function,
        label=label,
        module=f"{tag}.{function}",
        arguments=sorted(arguments, key=lambda one: not one.is_required),
        parameters=parameters,
        positional=parameters[0] if len(endpoint.path_parameters) == 1 else None,
        body=str(model.class_info.name) if model is not None else None,
        body_import=f"from .models.{model.class_info.module_name} import {model.class_info.name} as _Body"
        if model is not None else "",
        body_argument=plain,
        is_body_required=bool(body is not None and body.required),
        returns=_find_returns(endpoint),
        imports=frozenset(_list_imports(endpoint, shown)),
        enums={
            f"_{prop.class_info.name}": f"from .models.{prop.class_info.module_name} import {prop.class_info.name} as _{prop.class_info.name}"
            for prop in shown if isinstance(prop, EnumProperty)
        },
        summary=safe_for_docstring(_strip_markup(endpoint.summary.get_untrusted_value())),
        description=safe_for_docstring(_strip_markup(endpoint.description.get_untrusted_value())),
        errors=_list_errors(endpoint, facts.get("errors", {}).get(label, {})),
        is_repeatable=label in facts["repeatable"] or endpoint.method in ("get", "head"),
        example=_build_example(facts, label, _choose_free_name(function, taken), parameters, properties, fields, plain),
        secrets=[one.name for one in arguments if one.is_secret],
    )  # fmt: skip


def _choose_free_name(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _build_argument(prop: PropertyProtocol, model: ModelProperty | None, names: set[str]) -> Argument:
    name = _choose_free_name(str(prop.python_name), names)
    names.add(name)
    kind = prop.get_type_string(no_optional=True).as_unembedded_code()
    value = name
    if isinstance(prop, EnumProperty):  # also one that is open where it is read: what is sent is closed
        plain = ", ".join(
            f'"{one}"' if isinstance(one, str) else str(one) for one in dict.fromkeys(prop.values.values())
        )
        kind = f"{prop.class_info.name} | Literal[{plain}]"
        value = f'choose_member(_{prop.class_info.name}, {name}, "{name}")'
    optional = "" if prop.required else " | Unset = UNSET"
    schema = find_schema(model, prop) if model is not None else None
    return Argument(
        name=name,
        declaration=f"{name}: {kind}{optional}",
        target=str(prop.python_name),
        value=value,
        text=_describe(prop, schema),
        is_secret=model is not None and is_secret(prop, model),
        is_required=prop.required,
    )


def _describe(prop: PropertyProtocol, schema: oai.Schema | None) -> str:
    description = safe_for_docstring(_strip_markup(prop.description.get_untrusted_value())) if prop.description else ""
    description = description if not description or description.endswith((".", "!", "?")) else f"{description}."
    constraints = safe_for_docstring(escape_lines(describe_constraints(schema))) if schema is not None else ""
    return " ".join(part for part in (description, constraints) if part)


def _build_plain_body(endpoint: Endpoint, names: set[str]) -> Argument:
    """Return the argument for a body that is no object of the document: it is passed as it is."""
    name = _choose_free_name("body", names)
    names.add(name)
    kinds = [body.prop.get_type_string(no_optional=True).as_unembedded_code() for body in endpoint.bodies]
    required = all(body.prop.required for body in endpoint.bodies)
    kind = " | ".join(dict.fromkeys(kinds))
    optional = "" if required else " | Unset = UNSET"
    return Argument(name, f"{name}: {kind}{optional}", "body", name, "The request body.", is_secret=True, is_required=required)  # fmt: skip


def _find_returns(endpoint: Endpoint) -> str:
    """Return the type of a success, as source."""
    kinds: dict[str, None] = {}
    for response in endpoint.responses.patterns:
        low, high = response.status_code.range or (0, 0)
        if 200 <= low <= high < 300:
            empty = response.source["return_type"] == "None"
            kinds["None" if empty else response.prop.get_type_string(no_optional=True).as_unembedded_code()] = None
    if endpoint.responses.default is not None and not kinds:
        return endpoint.responses.default.prop.get_type_string(no_optional=True).as_unembedded_code()
    return " | ".join(kinds) or "None"


def _list_imports(endpoint: Endpoint, shown: Iterable[PropertyProtocol]) -> Iterator[str]:
    for response in endpoint.responses:
        yield from response.prop.get_imports(prefix=".")
        yield from response.prop.get_lazy_imports(prefix=".")
    for prop in (*shown, *(body.prop for body in endpoint.bodies)):
        yield from prop.get_imports(prefix=".")
        yield from prop.get_lazy_imports(prefix=".")


def _list_errors(endpoint: Endpoint, descriptions: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the documented errors: the class, and its statuses with what the document says of them."""
    found: dict[tuple[str, str], list[str]] = {}
    for response in endpoint.responses.patterns:
        low, high = response.status_code.range or (0, 0)
        if low >= 400:
            kind = _ERRORS.get(low, "InternalServerError" if low >= 500 else "APIStatusError")
            status = str(low) if low == high else f"{low} to {high}"
            text = " ".join(_strip_markup(escape_lines(descriptions.get(response.status_code.pattern, ""))).split())
            found.setdefault((kind, "" if text == status else text), []).append(status)
    return [
        (kind, safe_for_docstring(f"Status {', '.join(statuses)}{f': {text}' if text else '.'}"))
        for (kind, text), statuses in found.items()
    ]


def _strip_markup(text: str) -> str:
    """Return ``text`` without the tags that vendors write into their prose."""
    return _SPACES.sub(" ", _TAG.sub(" ", _CODE_TAG.sub("`", text)))


def _build_example(
    facts: Mapping[str, Any], label: str, method: str, parameters: list[Argument],
    properties: list[PropertyProtocol], fields: list[Argument], plain: Argument | None,
) -> str:  # fmt: skip
    """Return the source of an example call; ``@A@``, ``@ASYNC@`` and ``@AWAIT@`` stand for the words of the asynchronous form."""
    values = facts["examples"].get(label)
    if values is None:
        return ""
    arguments: list[str] = []
    classes: list[str] = []
    by_target = {str(PythonIdentifier(name, FIELD_PREFIX)): value for name, value in values["parameters"].items()}
    arguments += [
        f"{one.name}={format_python_literal(by_target[one.target])}" for one in parameters if one.target in by_target
    ]
    body = values["body"] if isinstance(values["body"], dict) else {}
    for prop, one in zip(properties, fields, strict=True):
        name = prop.name.get_untrusted_value()
        if name not in body:
            continue
        literal = format_python_literal(body[name])
        if isinstance(prop, ModelProperty):
            classes.append(str(prop.class_info.name))
            literal = f"{classes[-1]}.from_dict({literal})"
        arguments.append(f"{one.name}={literal}")
    if plain is not None and plain.is_required:
        arguments.append(f"{plain.name}={format_python_literal(values['body'])}")
    package, further = f"{facts['slug']}_client", facts["connect_arguments"]
    imports = [f"from {package} import @A@connect"]
    imports += [f"from {package}.models import {', '.join(dict.fromkeys(classes))}"] if classes else []
    return "\n".join(
        [
            *imports,
            "",
            f'@ASYNC@with @A@connect("YOUR-KEY"{further}) as api:',
            f"    result = @AWAIT@api.{method}({', '.join(arguments)})",
            "print(result)",
        ]
    )
