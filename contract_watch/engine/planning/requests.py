"""A step becomes a request here and nowhere else: for the run that sends it, and for the guard that predicts its own decision."""

from collections.abc import Mapping
from typing import Any, Protocol

from contract_watch.contracts.openapi import Operation, build_path, split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.planning.passwords import generate_password
from contract_watch.engine.planning.probe import ProbeStep, fill_placeholders


class Values(Protocol):
    """The values that fill a step's placeholders."""

    def fill(self, word: str, modifier: str) -> str:
        """Return the value of the placeholder ``{word}`` or ``{word:modifier}``."""
        ...

    def get_identity(self, name: str) -> str:
        """Return the id of the object created under ``name``; ``name`` itself if the server gave no id."""
        ...

    def get_key(self, account: str) -> str:
        """Return the key of ``account``."""
        ...


class OwnName:
    """A filler that puts one object's name, or a fresh password, into every placeholder."""

    def __init__(self, name: str, password: str = "") -> None:
        self._name, self._password = name, password

    def __call__(self, word: str, _modifier: str) -> str:
        """Return the value of a placeholder."""
        return self._name if word != "password" else self._password or generate_password()


def make_request(contract: Contract, step: ProbeStep, values: Values) -> Request:
    """Make the request of a step: placeholders filled, existing objects named by their ids, the credential in its place."""
    declared = contract.operations.get(step.operation or "")
    body = step.body if step.body is MissingBody.ABSENT else fill_placeholders(step.body, values.fill)
    parameters = fill_placeholders(dict(step.parameters), values.fill)
    for name, role in contract.get_roles(declared.id if declared is not None else None).items():
        for holder, key in ((parameters, name[1:-1]), (body, name)):
            if role == "existing" and isinstance(holder, dict) and isinstance(holder.get(key), str):
                holder[key] = values.get_identity(holder[key])
    account = step.account or contract.credentials[0].account
    key = values.get_key(account)
    if step.credential is None:
        headers = build_credential_headers(contract, key)
    elif (value := step.credential(key)) is None:
        headers = {}
    else:
        headers, body = contract.credential_locations[step.location].insert_key(value, {}, body)
    if declared is None:
        return _build(None, step.method, build_path(step.path, parameters), parameters, body, account, headers)
    return build_request(declared, parameters, body, account, headers)


def make_operation_request(
    contract: Contract, operation: Operation, arguments: Any, account: str, headers: Mapping[str, str]
) -> Request:
    """Make a request with ``arguments`` that need no filling; an empty body of an operation without one is left out."""
    parameters, body = split_arguments(arguments)
    if not body and operation.body is None:
        body = MissingBody.ABSENT
    return build_request(operation, parameters, body, account or contract.credentials[0].account, headers)


def build_request(
    operation: Operation, parameters: Mapping[str, Any], body: Any, account: str, headers: Mapping[str, str]
) -> Request:
    """Build a request to a declared operation."""
    path = operation.build_path(parameters)
    return _build(operation.id, operation.method, path, parameters, body, account, headers)


def build_credential_headers(contract: Contract, key: str) -> dict[str, str]:
    """Build the usual credential header for a key."""
    location = contract.credential_locations[0]
    return {location.header: location.form.format(key)}


def _build(
    operation: str | None, method: str, path: str, parameters: Mapping[str, Any], body: Any, account: str,
    headers: Mapping[str, str],
) -> Request:  # fmt: skip
    lower = {name.lower(): value for name, value in headers.items()}
    strings = {name: str(value) for name, value in parameters.items()}
    return Request(operation, method, path, lower, body, strings, account=account)
