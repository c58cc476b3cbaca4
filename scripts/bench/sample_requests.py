"""The requests that `make bench` sends: made from a contract, so that any vendor's mock can be measured."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import resolve_reference
from scripts.bench.process import BenchError

_NUMBER = "#" * 8
"""Where the load generator writes a number of its own, of as many digits."""
_NAME = f"bench-{_NUMBER}"

_HOSTILE = "a" * 64 + "!"
"""Matches none of the usual patterns, and a backtracking engine tries every way to split it first."""


@dataclass(frozen=True)
class Sample:
    """One request to send again and again: its text, cut where the object's number stands.

    ``expected`` is the hundred that its answer's status belongs to: 2 or 4.
    """

    parts: list[str]
    expected: int


def credential(contract: Contract) -> tuple[str, str]:
    """The header, name and value, that carries the test key of the contract's first account."""
    place = contract.credential_locations[0]
    return place.header, place.form.format(contract.credentials[0].test)


def turns(contract: Contract) -> list[Sample]:
    """One turn of the load: an object is made as the document's examples show, removed, and asked for wrongly."""
    create = contract.operations[contract.lifecycle.create]
    remove = contract.operations[contract.lifecycle.remove]
    body = _example(contract, create)
    wrong = {**body, **dict.fromkeys(_identities(contract, create), 12345)}
    _taken(create, wrong, taken=False)
    gone = dict.fromkeys(_identities(contract, remove), _NAME)
    _taken(remove, gone, taken=True)
    return [_sample(contract, create, body, 2), _sample(contract, remove, gone, 2), _sample(contract, create, wrong, 4)]


def hostile(contract: Contract) -> Sample:
    """A request to make an object, with 64 letters and a `!` wherever its schema has a pattern to hold against them."""
    create = contract.operations[contract.lifecycle.create]
    body = _example(contract, create)
    spoilt = dict(body)
    for name, schema in _properties(create).items():
        items = schema.get("items", {})
        if name not in _identities(contract, create) and ("pattern" in schema or "pattern" in items):
            spoilt[name] = _HOSTILE if "pattern" in schema else [_HOSTILE]
    if spoilt == body:
        raise BenchError(f"{create.name} has no pattern but its name's")
    _taken(create, spoilt, taken=False)
    return _sample(contract, create, spoilt, 4)


def _example(contract: Contract, create: Operation) -> dict[str, Any]:
    """The body of ``create`` with every property that has an example, under a name of ours."""
    shown = {name: schema["example"] for name, schema in _properties(create).items() if "example" in schema}
    body = {**shown, **dict.fromkeys(_identities(contract, create), _NAME)}
    _taken(create, body, taken=True)
    return body


def _identities(contract: Contract, operation: Operation) -> list[str]:
    """The body's properties that name the object; a `BenchError` where the name stands deeper, or not in the body."""
    names = [name for name, role in contract.get_roles(operation.id).items() if role != "foreign"]
    if not names or "{" in operation.path:
        raise BenchError(f"{operation.name} does not name its object in a property of its body")
    return names


def _properties(operation: Operation) -> Mapping[str, Any]:
    if operation.body is None:
        raise BenchError(f"{operation.name} documents no body")
    schema = resolve_reference(operation.body.document, operation.body.schema)
    properties: Mapping[str, Any] = schema.get("properties", {})
    return {name: resolve_reference(operation.body.document, inner) for name, inner in properties.items()}


def _taken(operation: Operation, body: Mapping[str, Any], *, taken: bool) -> None:
    """Make sure that the document takes ``body``, or does not."""
    numbered = {name: "bench-0" if value == _NAME else value for name, value in body.items()}
    if operation.body is None or operation.body.accepts(numbered) != taken:
        raise BenchError(f"the bench cannot make a {'good' if taken else 'bad'} body for {operation.name}")


def _sample(contract: Contract, operation: Operation, body: Mapping[str, Any], expected: int) -> Sample:
    """``body`` to ``operation`` as the bytes of an HTTP request, with the headers that clients usually send."""
    name, value = credential(contract)
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
    return Sample("\r\n".join([*lines, "", text]).split(_NUMBER), expected)
