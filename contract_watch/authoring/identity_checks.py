"""Checks of the names by which a run knows its objects: their ids, and names that look like a secret's.

Each check yields lines for `make check-contracts`: file, gap, remedy.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.redaction import Redactor, find_password_names
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.probe import get_pool_stand_in
from contract_watch.engine.planning.simulation import NAME_PREFIX, Simulation

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_MAX_NAMES = 3
"""Names that a line lists."""


def check_created_object(contract: Contract) -> Iterator[str]:
    """Check that the model grants the least valid creation, and names the new object as later requests do."""
    life, model, path = contract.lifecycle, contract.model, _find_model_file(contract)
    simulation, create = Simulation(contract), contract.operations[contract.lifecycle.create]
    given = get_pool_stand_in(contract)
    names = {name: given for name, role in contract.get_roles(create.id).items() if role == "new"}
    arguments = {**simulation.build_arguments(create, given), **names}
    accounts = [Account(credential.account, credential.test) for credential in contract.credentials]
    start = model.start(accounts, Interpretations(model.interpretations), NAME_PREFIX)
    outcome = model.outcomes(start, simulation.build_request(create, arguments))[0]
    if outcome.status >= 300:
        yield (
            f"{path}: answers {outcome.status} to {create.id} with its least valid request ({outcome.clause}: "
            f"{outcome.why}); correct the rule, or the `example` of {_list_names(arguments)} in overlay.yaml"
        )
        return
    body = outcome.body.render() if outcome.body is not None else None
    identity = life.extract_id(body)
    owned = [name for _, name in model.list_owned(outcome.resolve_next_state(body))]
    if life.id and identity is None:
        yield (
            f"{contract.config_file}: lifecycle.id: {life.id} is neither a string nor a number in the response to {create.id}; point to the id of "
            "the new object, or leave `id` out if requests name objects as they were named in create"
        )
    elif owned and identity is None and given not in owned:
        yield (
            f"{contract.config_file}: lifecycle: has no `id`, so that requests name a new object {given!r} as create "
            f"did, but `list_owned` of the model names it {owned[0]!r}; add `id`, or return the name"
        )
    elif (identity or given) not in owned:
        yield (
            f"{path}: after {create.id} `list_owned` must name the new object {identity or given!r}, got "
            f"{_list_names(owned)}; return (account, name or id) of each object in the state"
        )


def check_given(contract: Contract) -> Iterator[str]:
    """Check that each argument of `[given]` has a variable of its own, and a test value that the document accepts."""
    used = {credential.variable for credential in contract.credentials} | {contract.address_variable}
    for name, one in contract.given.tables.items():
        label = f"{contract.config_file}: given.{name}"
        if not _VARIABLE.fullmatch(one.variable) or one.variable in used:
            yield f"{label}: its variable {one.variable!r} is no name for one, or is used twice; write another in CAPITALS"
        if not one.test or (problem := contract.given.find_problem(name, contract.operations)):
            yield f"{label}: its test value {one.test!r} is none of {problem if one.test else 'any operation'}; correct it"
        if not one.about.strip():
            yield f"{label}: does not describe its object; fill in `about`"
        used.add(one.variable)


def check_public_names(contract: Contract) -> Iterator[str]:
    """Check that no name or id of an object is under a name that redaction takes for a secret's.

    A run that cannot read its ids in its own records cannot delete what it made.
    """
    passwords = {name.lower() for name in find_password_names(contract.effective.raw)}
    for name in sorted(contract.public_names & passwords):
        yield f"{contract.config_file}: public: {name!r} has `format: password` in the document; remove one of them"
    redactor = Redactor(passwords, public_names=contract.public_names)
    known: set[str] = set()
    for key, pointer in _list_pointers(contract):
        for name in pointer.strip("{}").split("/"):
            if redactor.is_secret_name(name) and name not in known:
                known.add(name)
                remedy = (
                    "point to another property, since the document gives it `format: password`"
                    if name.lower() in passwords
                    else f'if it is none, add `public = ["{name}"]` above the first table'
                )
                yield f"{contract.config_file}: {key}: {name!r} looks like a secret's name and would be redacted; {remedy}"


def _list_pointers(contract: Contract) -> Iterator[tuple[str, str]]:
    """Yield the key in ``contract.toml`` and the pointer or argument of each name and id."""
    yield "lifecycle.id", contract.lifecycle.id
    if contract.list_config is not None:
        yield "listing.rows", contract.list_config.rows
        yield "listing.name", contract.list_config.name
        yield "listing.id", contract.list_config.id
    for operation, roles in contract.identities.items():
        for argument in roles:
            yield f"identities.{operation}", argument


def _find_model_file(contract: Contract) -> Path:
    """Return the file to correct: ``model.py``, or the configuration of the default model."""
    own = contract.directory / "model.py"
    return own if own.is_file() else contract.config_file


def _list_names(names: object) -> str:
    listed = list(names) if isinstance(names, dict | list) else []
    more = f" and {len(listed) - _MAX_NAMES} more" if len(listed) > _MAX_NAMES else ""
    return (", ".join(repr(name) for name in listed[:_MAX_NAMES]) or "none") + more
