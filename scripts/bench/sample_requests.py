"""The requests that `make bench` sends, derived from a contract, so that every vendor's mock can be measured."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import resolve_reference
from scripts.bench.process import BenchError

_NUMBER_PLACEHOLDER = "#" * 8
"""The load generator replaces it with a number of as many digits."""
_NAME_PLACEHOLDER = f"bench-{_NUMBER_PLACEHOLDER}"

_HOSTILE_VALUE = "a" * 64 + "!"
"""A value that matches no usual pattern, and that makes a backtracking engine try every split."""


@dataclass(frozen=True)
class SampleRequest:
    """One request to send repeatedly, split at the object's number.

    ``expected`` is the first digit of the expected status: 2 or 4.
    """

    parts: list[str]
    expected: int


def format_credential(contract: Contract) -> tuple[str, str]:
    """Return the name and value of the header with the test key of the contract's first account."""
    place = contract.credential_locations[0]
    return place.header, place.form.format(contract.credentials[0].test)


def build_sample_requests(contract: Contract) -> list[SampleRequest]:
    """Return one round of the load: create an object from the document's examples, update and remove it."""
    create = contract.operations[contract.lifecycle.create]
    remove = contract.operations[contract.lifecycle.remove]
    body = _build_example(contract, create)
    gone = dict.fromkeys(_list_identities(contract, remove), _NAME_PLACEHOLDER)
    _check_body(remove, gone, is_valid=True)
    return [
        _build_request(contract, create, body, 2),
        build_update_request(contract),
        _build_request(contract, remove, gone, 2),
    ]


def build_create_request(contract: Contract) -> SampleRequest:
    """Return a request that creates an object from the document's examples."""
    create = contract.operations[contract.lifecycle.create]
    return _build_request(contract, create, _build_example(contract, create), 2)


def build_update_request(contract: Contract) -> SampleRequest:
    """Return a request that updates one property of an object.

    Raises:
        BenchError: no operation names one object in its body and takes a property that create has an example of.
    """
    create = contract.operations[contract.lifecycle.create]
    examples = _build_example(contract, create)
    for operation in contract.operations.values():
        roles = contract.get_roles(operation.id)
        named = [name for name, role in roles.items() if role == "existing"]
        if operation.body is None or "{" in operation.path or len(named) != 1:
            continue
        for name in _get_properties(operation):
            body = {named[0]: _NAME_PLACEHOLDER, name: examples.get(name)}
            if name in examples and name not in roles and operation.body.accepts(body):
                return _build_request(contract, operation, body, 2)
    raise BenchError(f"no operation of {contract.slug} updates an object that its body names")


def build_hostile_request(contract: Contract) -> SampleRequest:
    """Return a request that creates an object, with 64 letters and a `!` in every property with a pattern."""
    create = contract.operations[contract.lifecycle.create]
    body = _build_example(contract, create)
    hostile = dict(body)
    for name, schema in _get_properties(create).items():
        items = schema.get("items", {})
        if name not in _list_identities(contract, create) and ("pattern" in schema or "pattern" in items):
            hostile[name] = _HOSTILE_VALUE if "pattern" in schema else [_HOSTILE_VALUE]
    if hostile == body:
        raise BenchError(f"{create.name} has no pattern except that of its name")
    _check_body(create, hostile, is_valid=False)
    return _build_request(contract, create, hostile, 4)


def _build_example(contract: Contract, create: Operation) -> dict[str, Any]:
    """Return the body of ``create`` with every property that has an example, and a placeholder as its name."""
    examples = {name: schema["example"] for name, schema in _get_properties(create).items() if "example" in schema}
    body = {**examples, **dict.fromkeys(_list_identities(contract, create), _NAME_PLACEHOLDER)}
    _check_body(create, body, is_valid=True)
    return body


def _list_identities(contract: Contract, operation: Operation) -> list[str]:
    """Return the properties of the body that name the object.

    Raises:
        BenchError: the name is nested, or not in the body.
    """
    names = [name for name, role in contract.get_roles(operation.id).items() if role != "foreign"]
    if not names or "{" in operation.path:
        raise BenchError(f"{operation.name} does not name its object in a property of its body")
    return names


def _get_properties(operation: Operation) -> Mapping[str, Any]:
    if operation.body is None:
        raise BenchError(f"{operation.name} documents no body")
    schema = resolve_reference(operation.body.document, operation.body.schema)
    properties: Mapping[str, Any] = schema.get("properties", {})
    return {name: resolve_reference(operation.body.document, inner) for name, inner in properties.items()}


def _check_body(operation: Operation, body: Mapping[str, Any], *, is_valid: bool) -> None:
    """Check that the document allows ``body``, or that it does not."""
    numbered = {name: "bench-0" if value == _NAME_PLACEHOLDER else value for name, value in body.items()}
    if operation.body is None or operation.body.accepts(numbered) != is_valid:
        raise BenchError(f"cannot derive {'a valid' if is_valid else 'an invalid'} body for {operation.name}")


def _build_request(contract: Contract, operation: Operation, body: Mapping[str, Any], expected: int) -> SampleRequest:
    """Return an HTTP request with ``body`` to ``operation`` and the headers that clients usually send."""
    name, value = format_credential(contract)
    text = json.dumps(body)
    lines = [
        f"{operation.method} {contract.base_path}{operation.path} HTTP/1.1",
        "host: 127.0.0.1",
        "accept: */*",
        "accept-encoding: identity",
        "user-agent: bench",
        f"{name.lower()}: {value}",
        "content-type: application/json",
        f"content-length: {len(text)}",
    ]
    return SampleRequest("\r\n".join([*lines, "", text]).split(_NUMBER_PLACEHOLDER), expected)
