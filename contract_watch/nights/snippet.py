"""A finding as Python that calls the generated client, for people to copy."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from openapi_python_client.strings import PythonIdentifier

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.parameters import decode_parameters
from contract_watch.contracts.registry import Contract
from contract_watch.escaping import format_python_literal
from contract_watch.generator.client_facts import choose_connect_arguments
from contract_watch.generator.configuration import FIELD_PREFIX

_REDACTED = re.compile(r"\[redacted[^\]]*\]|\*{3,}")
_MAX_LENGTH = 2000


def format_snippet(contract: Contract, finding: Mapping[str, Any]) -> str:
    """Return the lines of a program that sends the request of ``finding``; empty if the client cannot send it.

    Strings are literals, so nothing in them is code. A secret is a word for people to replace.
    """
    request = finding.get("exchange", {}).get("request", {})
    operation = next((one for one in contract.operations.values() if one.name == finding["operation"]), None)
    if operation is None or request.get("method") != operation.method or finding["surface"] != "rest":
        return ""
    arguments = _list_arguments(operation, request, contract.base_path)
    if arguments is None:
        return ""
    package, method = f"{contract.slug}_client", PythonIdentifier(operation.id, FIELD_PREFIX)
    variable = contract.credentials[0].variable
    lines = [
        "import os",
        "",
        f"from {package} import connect",
        f"from {package}.errors import APIError",
        "",
        f"with connect(os.environ[{format_python_literal(variable)}]{choose_connect_arguments(contract)}) as api:",
        "    try:",
        f"        response = api.raw.{method}({', '.join(arguments)})",
        "        print(response.status_code, response.content)",
        "    except APIError as error:",
        "        print(error.status, error.content)",
    ]
    text = "\n".join(lines)
    return text if len(text) <= _MAX_LENGTH else ""


def _list_arguments(operation: Operation, request: Mapping[str, Any], base_path: str) -> list[str] | None:
    """Return the arguments of the call as source; None if the client has no way to give one."""
    arguments = []
    address = urlsplit(str(request.get("url", "")))
    for name, value in (operation.match_path(address.path.removeprefix(base_path)) or {}).items():
        arguments.append(f"{PythonIdentifier(name, FIELD_PREFIX)}={_format_value(value)}")
    headers = {str(name).lower(): str(value) for name, value in request.get("headers", {}).items()}
    for key, value in decode_parameters(operation.specs, address.query, headers).items():
        spec = operation.specs.get(key)
        if spec is None or isinstance(value, list | dict) or {"enum", "format"} & spec.schema.keys():
            return None  # the client takes a type of its own
        arguments.append(f"{PythonIdentifier(spec.name, FIELD_PREFIX)}={_format_value(value)}")
    body = request.get("body")
    if body is None:
        return arguments if operation.body is None else None
    if not isinstance(body, dict):
        return None
    # Any property and any value can go this way, also what the method's own arguments would not take.
    known = operation.get_arguments()
    named = {*operation.specs, *operation.path_schemas}
    required = [name for name in operation.get_required_arguments() if name not in named and name in known]
    if any(name not in body for name in required):
        return None
    arguments += [f"{PythonIdentifier(name, FIELD_PREFIX)}={_format_value(body[name])}" for name in required]
    rest = {name: value for name, value in body.items() if name not in required}
    return [*arguments, f"extra_body={_format_value(rest)}"] if rest else arguments


def _format_value(value: Any) -> str:
    return format_python_literal(_replace_redacted(value))


def _replace_redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replace_redacted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replace_redacted(inner) for inner in value]
    return "YOUR-SECRET" if isinstance(value, str) and _REDACTED.search(value) else value
