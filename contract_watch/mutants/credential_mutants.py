"""Drifts of who is let in: no credential needed, any taken, another account's objects in reach."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.config import CredentialLocation
from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.simulation import Rehearsal
from contract_watch.mutants.mutant import Asked, Mutant, Play
from contract_watch.mutants.mutated_vendor import Actor, stands, without

Taken = Callable[[CredentialLocation, str | None, str], bool]
"""Whether what stands in a credential's place (None: nothing) is taken for an account's key."""


class Open(Play):
    """A credential that ``taken`` picks in one place is good enough, for one operation (empty: for all)."""

    def __init__(self, operation: str, taken: Taken, place: int = 0) -> None:
        self._operation, self._taken, self._place = operation, taken, place

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        if self._operation in ("", asked.operation.id) and actor.account(asked) is None:
            place = actor.contract.credential_locations[self._place]
            shown = stands(place, asked)
            if shown is None and any(stands(other, asked) is not None for other in actor.contract.credential_locations):
                return super().answer(actor, asked)
            account = next((a for a in actor.accounts if self._taken(place, shown, a.key)), None)
            if account is not None:
                self.touched += 1
                asked = replace(asked, headers={**asked.headers, **actor.credential(account.name)})
        return super().answer(actor, asked)


class Reaching(Play):
    """One operation finds objects of whatever account."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        account = actor.account(asked)
        if asked.operation.id != self._operation or account is None:
            return super().answer(actor, asked)
        others = [known.name for known in actor.accounts if known.name != account]
        if actor.contract.is_read_only(asked.operation.id):
            status, shown = super().answer(actor, asked)
            for other in others:
                more = actor.apply_outcome(actor.outcome(_as(actor, asked, other)))[1]
                self.touched += bool(actor.owned(other))
                shown = _joined(shown, more)
            return status, shown
        for other in others:
            if set(actor.named(asked, "existing")) & set(actor.owned(other)):
                self.touched += 1
                return super().answer(actor, _as(actor, asked, other))
        return super().answer(actor, asked)


def _as(actor: Actor, asked: Asked, account: str) -> Asked:
    return replace(asked, headers={**asked.headers, **actor.credential(account)})


def _joined(one: Any, other: Any) -> Any:
    """One answer with the rows of the other behind its own."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return one
    rows = {name: [*one[name], *other[name]] for name in one if isinstance(one[name], list) and name in other}
    return {**one, **rows}


class Closed(Play):
    """One place for a credential does not count, for one operation."""

    def __init__(self, operation: str, place: int) -> None:
        self._operation, self._place = operation, place

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        place = actor.contract.credential_locations[self._place]
        if asked.operation.id == self._operation and stands(place, asked) is not None:
            self.touched += 1
            headers = {name: value for name, value in asked.headers.items() if name != place.header.lower()}
            asked = replace(asked, headers=headers)
            asked = without(asked, place.field) if place.field else asked
        return super().answer(actor, asked)


_CASES: Mapping[str, tuple[str, Taken]] = {
    "not-needed": ("no credential", lambda _place, shown, _key: shown is None),
    "any-value": ("any value", lambda place, shown, _key: shown is not None and shown.startswith(place.form.split("{}")[0])),
    "any-scheme": ("the key under any scheme", lambda _place, shown, key: shown is not None and shown.endswith(f" {key}")),
    "no-scheme": ("the key without its scheme", lambda place, shown, key: bool(place.scheme) and shown == key),
    "beginning": ("whatever begins with the key",
                  lambda place, shown, key: shown is not None and shown.startswith(place.form.format(key))),
}  # fmt: skip


def credentials(contract: Contract) -> Iterator[Mutant]:
    """Each way to be let in, on each operation alone and on all; then each operation reaching into other accounts."""
    for operation in [*contract.operations, ""]:
        where = contract.operations[operation].name if operation else "every operation"
        for case, (words, taken) in _CASES.items():
            if case.endswith("-scheme") and not contract.credential_locations[0].scheme:
                continue
            name = f"credentials/{operation or 'all'}/{case}"
            yield Mutant(name, operation, "", f"{words} is good enough for {where}.", partial(Open, operation, taken))
    for number, place in enumerate(contract.credential_locations[1:], 1):
        for operation, declared in contract.operations.items():
            head = f"credentials/{operation}/{place.name}"
            says = f"{declared.name} does not take the key in its other place any more: {place.name}."
            yield Mutant(f"{head}-refused", operation, "", says, partial(Closed, operation, number))
            words, taken = _CASES["any-value"]
            says = f"{words} is good enough in {place.name} for {declared.name}."
            yield Mutant(f"{head}-any-value", operation, "", says, partial(Open, operation, taken, number))
    if _several(contract):
        for operation, declared in contract.operations.items():
            if contract.is_read_only(operation) or "existing" in contract.get_roles(operation).values():
                says = f"{declared.name} reaches the objects of other accounts."
                yield Mutant(
                    f"credentials/{operation}/other-account", operation, "", says, partial(Reaching, operation)
                )


def _several(contract: Contract) -> bool:
    """Whether another account than the first can have objects of its own."""
    rehearsal, create = Rehearsal(contract), contract.operations[contract.lifecycle.create]
    accounts = [Account(credential.account, credential.test) for credential in contract.credentials]
    state = contract.model.start(accounts, Interpretations(contract.model.interpretations), "")
    return any(rehearsal.takes([state], create, rehearsal.about(create, ""), account.key) for account in accounts[1:])
