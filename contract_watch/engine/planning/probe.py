"""Probes as data: requests that clauses call for, with places for names that only a run can give.

A place in a text is written ``{a}``: any word stands for an object's name, the same within a probe, minted anew each
time the probe runs. ``{a:64}`` has 64 characters, ``{a:upper}``, ``{a:spaced}`` and ``{a:underscored}`` are the name of
``{a}`` spelled otherwise, ``{a:more}`` is another that begins with it. ``{stock}`` is an object that exists already and is shared, ``{stock:2}`` a second one.
``{short:1}`` is a random name of one character.
``{password}`` and ``{password:72}`` are fresh secrets.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.openapi import Operation, split_arguments
from contract_watch.contracts.request import MissingBody

POOL_STAND_IN = "ct-000000-rehears-stock"
"""What stands in for ``{stock}`` where nothing is sent."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9]*)(?::([a-z0-9]+))?\}")


@dataclass(frozen=True)
class ProbeStep:
    """One request. ``body`` is a JSON value with places, or `MissingBody.ABSENT`; ``parameters`` are path parameters, with places.

    ``account`` names whose key is sent. ``credential`` replaces the credential: it gets the key and gives what stands in
    the contract's place number ``place``, or None for no credential at all. ``method`` and ``path`` (below the target's
    address) stand in for an undeclared operation.
    """

    operation: str | None
    body: Any = MissingBody.ABSENT
    account: str | None = None
    credential: Callable[[str], str | None] | None = None
    location: int = 0
    method: str = ""
    path: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_arguments(cls, operation: Operation, arguments: Any, **more: Any) -> "ProbeStep":
        """A request to ``operation`` with ``arguments`` (see `Operation`); what is no object is the body as it stands."""
        parameters, body = split_arguments(arguments)
        if not body and operation.body is None:
            body = MissingBody.ABSENT
        return cls(operation.id, body, parameters=parameters, **more)

    @property
    def arguments(self) -> list[Any]:
        """Everything that may hold places."""
        return [dict(self.parameters), self.body]


@dataclass(frozen=True)
class Probe:
    """A planned flow of requests with a stable ``id``; ``clauses`` are what it exercises, the first what it is for.

    ``family`` is the promise it belongs to (one test module each), ``operation`` the one it judges. ``parts`` are the
    probes to run one by one where this one, which rides several together, is refused. ``needs`` are the accounts
    without which it cannot run, ``mock_only`` says why only the mock can be made to do it. Probes of one ``twins`` ask the
    same of several operations, ``sure`` are those that the model surely refuses; ``instead`` is the one that stands for this one, where a run has no allowance for both.
    """

    id: str
    family: str
    operation: str
    title: str
    clauses: tuple[str, ...]
    steps: tuple[ProbeStep, ...]
    parts: tuple["Probe", ...] = ()
    required_accounts: tuple[str, ...] = ()
    fault: Mapping[str, Any] = field(default_factory=dict)
    mock_only_reason: str = ""
    equivalence_key: str = ""
    is_deterministic: bool = True
    represented_by: str = ""


def find_placeholders(value: Any) -> set[str]:
    """The words of all places in ``value``."""
    if isinstance(value, str):
        return {found.group(1) for found in PLACEHOLDER.finditer(value)}
    if isinstance(value, dict):
        return {word for inner in value.values() for word in find_placeholders(inner)}
    if isinstance(value, list):
        return {word for inner in value for word in find_placeholders(inner)}
    return set()


def fill_placeholders(value: Any, resolve: Callable[[str, str], str]) -> Any:
    """``value`` with every place filled by ``give(word, modifier)``, in a new structure."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: resolve(found.group(1), found.group(2) or ""), value)
    if isinstance(value, dict):
        return {name: fill_placeholders(inner, resolve) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill_placeholders(inner, resolve) for inner in value]
    return value


def fill_with_stand_ins(value: Any, known: Mapping[str, str] = {}) -> Any:
    """``value`` with stand-ins in its places, or what is ``given`` for their words, for asking a schema or the model."""
    stand_ins = {"n": "ct-000000-rehears-n", "stock": POOL_STAND_IN, "short": "ct-short", "foreign": "zzzzzzzz"}

    def give(word: str, modifier: str) -> str:
        if word in known:
            return known[word]
        text = "Rehearsal1234Password" if word == "password" else stand_ins.get(word, "ct-000000-rehears-x")
        size = int(modifier) if modifier.isdigit() else len(text)
        return text.ljust(size, "x")[:size]

    return fill_placeholders(value, give)


def find_modifiers(value: Any, word: str) -> set[str]:
    """The modifiers with which ``word`` stands in ``value`` as a place."""
    if isinstance(value, str):
        return {found.group(2) or "" for found in PLACEHOLDER.finditer(value) if found.group(1) == word}
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return {modifier for one in inner for modifier in find_modifiers(one, word)}
    return set()


def number_placeholders(value: Any, number: int) -> Any:
    """``value`` about objects of its own: the ``number``-th shared one, and new names that no other number has."""
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
