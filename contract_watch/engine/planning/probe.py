"""Probes as data: requests that clauses call for, with placeholders for values that only a run can give.

``{a}``: any word stands for an object's name, the same within a probe and fresh each time the probe runs. ``{a:64}`` has
64 characters, ``{a:64edged}`` too, and ends in a dash; ``{a:upper}``, ``{a:spaced}`` and ``{a:underscored}`` are other
spellings of ``{a}``; ``{a:more}`` begins with it. ``{stock}`` is an existing, shared object, ``{stock:2}`` a second one.
``{short:1}`` is a random name of one character. ``{password}`` and ``{password:72}`` are fresh secrets, ``{key}`` a fresh
idempotency key. ``{next}`` is the start of the page after the last list.

A step becomes a request in `make_request` and nowhere else: for the run that sends it, and for the precheck that asks
the guard about it beforehand.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from contract_watch.contracts.openapi import Operation, build_path, join_arguments, split_arguments
from contract_watch.contracts.parameters import is_parameter_key
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.planning.passwords import generate_password

POOL_STAND_IN = "ct-000000-rehears-stock"
"""The stand-in for ``{stock}`` where nothing is sent."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9]*)(?::([a-z0-9]+))?\}")

FAMILIES = ("credentials", "undeclared", "accepted", "refused", "rules", "faults")
"""The order of the probes: those that make objects first, so that later ones find some."""


@dataclass(frozen=True)
class ProbeStep:
    """One planned request: ``body`` (a JSON value or `MissingBody.ABSENT`) and ``parameters`` may hold placeholders.

    ``account`` names whose key is sent. ``credential`` takes the key and returns the value for the contract's
    credential location number ``location``, or None for no credential; ``header`` is an undocumented header for it.
    ``method`` and ``path`` (below the target's address) replace ``operation`` for an undeclared one. ``bystanders`` are
    valid values of further arguments, which a refusal must not store: the run sends one of each that its object does not
    have.
    """

    operation: str | None
    body: Any = MissingBody.ABSENT
    account: str | None = None
    credential: Callable[[str], str | None] | None = None
    location: int = 0
    header: str = ""
    method: str = ""
    path: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    bystanders: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def from_arguments(cls, operation: Operation, arguments: Any, **more: Any) -> "ProbeStep":
        """Build a step with ``arguments`` (see `Operation`); a value that is no object is the body itself."""
        parameters, body = split_arguments(arguments)
        if not body and operation.body is None:
            body = MissingBody.ABSENT
        return cls(operation.id, body, parameters=parameters, **more)

    @property
    def arguments(self) -> list[Any]:
        """Return everything that may hold placeholders."""
        return [dict(self.parameters), self.body]


@dataclass(frozen=True)
class Probe:
    """A planned flow of requests with a stable ``id``. ``clauses`` are those that it exercises, the main one first.

    ``family`` names its test module, ``operation`` the operation that it judges. ``parts`` are the probes to run
    one by one if this one, which combines them, is rejected. ``fallback`` is the probe to run if the vendor rejects a value
    that it may reject. ``required_accounts`` are the accounts whose keys it needs. ``mock_only_reason`` says why only the mock can be probed so. Probes with one ``equivalence_key`` ask the
    same of several operations; ``is_deterministic()`` is True for those that the model surely rejects; ``represented_by``
    is the probe that runs instead, if the allowance is too small for both.
    """

    id: str
    family: str
    operation: str
    title: str
    clauses: tuple[str, ...]
    steps: tuple[ProbeStep, ...]
    parts: tuple["Probe", ...] = ()
    fallback: "Probe | None" = None
    required_accounts: tuple[str, ...] = ()
    fault: Mapping[str, Any] = field(default_factory=dict)
    mock_only_reason: str = ""
    equivalence_key: str = ""
    is_deterministic: Callable[[], bool] = field(default=lambda: True, compare=False)
    represented_by: str = ""


def find_placeholders(value: Any) -> set[str]:
    """Collect the words of all placeholders in ``value``."""
    if isinstance(value, str):
        return {found.group(1) for found in PLACEHOLDER.finditer(value)}
    if isinstance(value, dict):
        return {word for inner in value.values() for word in find_placeholders(inner)}
    if isinstance(value, list):
        return {word for inner in value for word in find_placeholders(inner)}
    return set()


def fill_placeholders(value: Any, resolve: Callable[[str, str], str]) -> Any:
    """Return a copy of ``value`` with each placeholder replaced by ``resolve(word, modifier)``."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: resolve(found.group(1), found.group(2) or ""), value)
    if isinstance(value, dict):
        return {name: fill_placeholders(inner, resolve) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill_placeholders(inner, resolve) for inner in value]
    return value


def read_size(modifier: str) -> tuple[int | None, bool]:
    """Return the length that a name's ``modifier`` asks for, None for none, and True if the name ends in a dash."""
    digits = modifier.removesuffix("edged")
    return (int(digits), digits != modifier) if digits.isdigit() else (None, False)


def get_pool_stand_in(contract: Contract) -> str:
    """Return the stand-in for the name of an object of the pool, as a run of ``contract`` names its own."""
    return POOL_STAND_IN + contract.name_suffix


def fill_with_stand_ins(value: Any, known: Mapping[str, str] = {}, contract: Contract | None = None) -> Any:
    """Fill placeholders with stand-ins, or with the ``known`` value of a word, to ask a schema or the model.

    With ``contract``, names have the form that it gives them.
    """
    suffix = contract.name_suffix if contract is not None else ""
    plain = (
        "short",
        "foreign",
        "password",
        "key",
        *(("stock",) if contract is not None and contract.lifecycle.id else ()),
    )
    stand_ins = {"n": "ct-000000-rehears-n", "stock": POOL_STAND_IN, "short": "ct-short", "foreign": "zzzzzzzz"}

    def give(word: str, modifier: str) -> str:
        if word in known:
            return known[word]
        text = "Rehearsal1234Password" if word == "password" else stand_ins.get(word, "ct-000000-rehears-x")
        tail = "" if word in plain else suffix
        wanted, edged = read_size(modifier)
        size = (len(text) + len(tail) if wanted is None else wanted) - len(tail)
        filled = text.ljust(size, "x")[: max(size, 0)]
        return (f"{filled[:-1]}-" if edged and not tail else filled) + tail

    return fill_placeholders(value, give)


def find_modifiers(value: Any, word: str) -> set[str]:
    """Collect the modifiers of the placeholders of ``word`` in ``value``."""
    if isinstance(value, str):
        return {found.group(2) or "" for found in PLACEHOLDER.finditer(value) if found.group(1) == word}
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return {modifier for one in inner for modifier in find_modifiers(one, word)}
    return set()


def number_placeholders(value: Any, number: int) -> Any:
    """Rename placeholders so that ``value`` is about the ``number``-th shared object and new names of its own."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: _number_placeholder(found, number), value)
    if isinstance(value, dict):
        return {name: number_placeholders(inner, number) for name, inner in value.items()}
    if isinstance(value, list):
        return [number_placeholders(inner, number) for inner in value]
    return value


def _number_placeholder(found: re.Match[str], number: int) -> str:
    word, modifier = found.groups()
    if word == "stock":
        return f"{{stock:{number}}}"
    if word in ("password", "short"):
        return found.group()
    return f"{{{word}{number}{f':{modifier}' if modifier else ''}}}"


# -- requests


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
        for holder, key in ((parameters, name[1:-1] if name.startswith("{") else name), (body, name)):
            if role == "existing" and isinstance(holder, dict) and isinstance(holder.get(key), str):
                holder[key] = values.get_identity(holder[key])
    account = step.account or contract.credentials[0].account
    key = values.get_key(account)
    if step.credential is None:
        headers = build_credential_headers(contract, key)
    elif (value := step.credential(key)) is None:
        headers = {}
    elif step.header:
        headers = {step.header: value}
    else:
        headers, body = contract.credential_locations[step.location].insert_key(value, {}, body)
    parameters = contract.given.complete(declared, parameters) if declared is not None else parameters
    if declared is None:
        named = {name: str(value) for name, value in parameters.items() if not is_parameter_key(name)}
        return _build(None, step.method, build_path(step.path, named), named, body, account, headers)
    return build_request(declared, parameters, body, account, headers)


def make_operation_request(
    contract: Contract, operation: Operation, arguments: Any, account: str, headers: Mapping[str, str]
) -> Request:
    """Make a request with ``arguments`` that need no filling; an empty body of an operation without one is left out."""
    parameters, body = split_arguments(arguments)
    if not body and operation.body is None:
        body = MissingBody.ABSENT
    parameters = contract.given.complete(operation, parameters)
    return build_request(operation, parameters, body, account or contract.credentials[0].account, headers)


def build_request(
    operation: Operation, parameters: Mapping[str, Any], body: Any, account: str, headers: Mapping[str, str]
) -> Request:
    """Build a request to a declared operation, with the values that a server reads: a query and a form have no types."""
    path = operation.build_path(parameters)
    read = {name: operation.normalize_parameter(name, value) for name, value in parameters.items()}
    return _build(operation.id, operation.method, path, read, operation.codec.normalize(body), account, headers)


def build_credential_headers(contract: Contract, key: str) -> dict[str, str]:
    """Build the usual credential for a key, as a header; see `credential_locations` for one in the query."""
    location = contract.credential_locations[0]
    return {location.header or location.key: location.build_value(key)}


def find_object_names(contract: Contract, request: Request, role: str | None = None) -> frozenset[str]:
    """Return what a request names in arguments of ``role``, as strings; None: of any role but ``foreign``.

    ``new`` names are those of objects to come, and not another mark of one that exists.
    """
    if role == "new" and not contract.creates_names(request.operation):
        return frozenset()
    arguments = join_arguments(request.parameters, request.body)
    roles = contract.get_roles(request.operation).items()
    values = (arguments.get(name) for name, its in roles if its != "foreign" and role in (None, its))
    return frozenset(str(value) for value in values if isinstance(value, str | int | float))


def _build(
    operation: str | None, method: str, path: str, parameters: Mapping[str, Any], body: Any, account: str,
    headers: Mapping[str, str],
) -> Request:  # fmt: skip
    lower = {name.lower(): value for name, value in headers.items()}
    return Request(operation, method, path, lower, body, dict(parameters), account=account)
