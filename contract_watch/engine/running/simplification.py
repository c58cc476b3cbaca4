"""Simplifications of a reproduction: fewer requests, plain names, fewer and shorter values. Nothing is sent.

A change is accepted if the recorded responses still show the disagreement (see `recorded_judge`). Whether the target
shows it too is for the target to say.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.openapi import join_arguments, split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import find_kind
from contract_watch.engine.account.object_names import find_plain_name
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.probe import fill_placeholders
from contract_watch.engine.protocols.exchange import Exchange

_MAX_TRIALS = 80
"""Trials of one reproduction: each judges all of its exchanges."""


@dataclass(frozen=True)
class Removal:
    """A change that leaves out the exchange at ``index``."""

    index: int


@dataclass(frozen=True)
class Assignment:
    """A change of one argument of the exchange at ``index``, none of the path's; an absent ``value`` removes it."""

    index: int
    name: str
    value: Any = MissingBody.ABSENT


@dataclass(frozen=True)
class Renaming:
    """A change of an object's name in every request and response."""

    old: str
    new: str


Change = Removal | Assignment | Renaming


def apply_changes(contract: Contract, exchanges: Sequence[Exchange], changes: Collection[Change]) -> list[Exchange]:
    """Return copies of ``exchanges`` with ``changes`` applied."""
    names = _collect_names(changes)
    removed = {change.index for change in changes if isinstance(change, Removal)}
    found = []
    for index, exchange in enumerate(exchanges):
        if index in removed:
            continue
        values = {one.name: one.value for one in changes if isinstance(one, Assignment) and one.index == index}
        found.append(_rename_objects(contract, _assign_values(exchange, values), names))
    return found


def _collect_names(changes: Iterable[Change]) -> dict[str, str]:
    """Return the new name of each object that is renamed, by its old one."""
    return {change.old: change.new for change in changes if isinstance(change, Renaming)}


def _assign_values(exchange: Exchange, values: dict[str, Any]) -> Exchange:
    if not values:
        return exchange
    request = exchange.request
    arguments = {
        name: values.get(name, value) for name, value in join_arguments(request.parameters, request.body).items()
    }
    parameters, body = split_arguments({n: v for n, v in arguments.items() if v is not MissingBody.ABSENT})
    body = body if isinstance(request.body, dict) else request.body
    return replace(exchange, request=replace(request, parameters=parameters, body=body))


def _rename_objects(contract: Contract, exchange: Exchange, names: dict[str, str]) -> Exchange:
    if not names:
        return exchange
    exchange = rename_arguments(contract, exchange, lambda value: names.get(value, value))
    response = exchange.response
    if response is None:
        return exchange
    content = response.body
    for old, new in names.items():
        content = content.replace(old.encode("utf-8", "surrogatepass"), new.encode("utf-8", "surrogatepass"))
    return replace(exchange, response=replace(response, body=content))


def rename_arguments(contract: Contract, exchange: Exchange, rename: Callable[[str], str]) -> Exchange:
    """Return a copy of ``exchange`` in which ``rename`` has replaced each name of an object."""
    request = exchange.request
    declared = contract.operations.get(request.operation or "")
    arguments = join_arguments(request.parameters, request.body)
    for name, role in contract.get_roles(request.operation).items():
        if role != "foreign" and isinstance(arguments.get(name), str):
            arguments[name] = rename(arguments[name])
    parameters, body = split_arguments(arguments)
    path = (
        declared.build_path(parameters) if declared is not None and parameters != request.parameters else request.path
    )
    body = body if isinstance(request.body, dict) else request.body
    return replace(exchange, request=replace(request, path=path, parameters=parameters, body=body))


class Simplifier:
    """A simplifier of one contract's reproductions. ``passwords`` makes ordinary passwords."""

    def __init__(self, contract: Contract, passwords: Callable[[], str]) -> None:
        self._contract, self._passwords = contract, passwords
        self._arguments = ArgumentBuilder(contract)
        self._credential_fields = {one.field.rpartition("/")[2] for one in contract.credential_locations if one.field}

    def find_changes(
        self,
        exchanges: Sequence[Exchange],
        focus: str,
        is_shown: Callable[[Sequence[Exchange], Mapping[str, str]], bool],
        *,
        shortens: bool,
    ) -> list[Change]:
        """Find the changes under which ``is_shown`` stays True; it is also told the new names of objects.

        ``focus`` is the argument of the last request that the disagreement is about. It stays, but with ``shortens`` it
        becomes shorter.
        """
        changes: list[Change] = []
        trials = 0

        def accepts(*more: Change) -> bool:
            nonlocal trials
            trials += 1
            tried = [*changes, *more]
            if trials > _MAX_TRIALS:
                return False
            if not is_shown(apply_changes(self._contract, exchanges, tried), _collect_names(tried)):
                return False
            changes.extend(more)
            return True

        self._remove_requests(exchanges, changes, accepts)
        left = [index for index in range(len(exchanges)) if Removal(index) not in changes]
        for renaming in self._list_renamings([exchanges[index] for index in left], focus):
            accepts(renaming)
        for index in reversed(left):
            mine = focus if index == len(exchanges) - 1 else ""
            self._simplify_body(exchanges[index], index, mine, accepts)
        last = exchanges[-1]
        if shortens and focus not in self._contract.get_roles(last.operation) and not focus.startswith("{"):
            shown = join_arguments(last.request.parameters, last.request.body).get(focus)
            _shorten(shown, lambda value: accepts(Assignment(len(exchanges) - 1, focus, value)))
        return changes

    def _remove_requests(
        self, exchanges: Sequence[Exchange], changes: Collection[Change], accepts: Callable[..., bool]
    ) -> None:
        """Leave out the requests without which ``accepts`` returns True; it adds to ``changes``."""
        for count in range(len(exchanges) - 1, 1, -1):  # an object's creation and removal may go together only
            if accepts(*(Removal(index) for index in range(count))):
                break
        for index in range(len(exchanges) - 1):
            for more in ((), self._list_undone_renamings(exchanges[index])):
                if Removal(index) not in changes:
                    accepts(Removal(index), *more)

    def _list_undone_renamings(self, exchange: Exchange) -> list[Renaming]:
        """List the change that makes up for leaving out a request that renames an object."""
        arguments = join_arguments(exchange.request.parameters, exchange.request.body)
        roles = self._contract.get_roles(exchange.operation)
        names = {role: arguments.get(name) for name, role in roles.items()}
        old, new = names.get("existing"), names.get("new")
        return [Renaming(new, old)] if isinstance(old, str) and isinstance(new, str) and old != new else []

    def _list_renamings(self, exchanges: Sequence[Exchange], focus: str) -> Iterator[Renaming]:
        """List the plain names of padded or otherwise long names, as far as they stay different."""
        names: dict[str, None] = {}
        for number, exchange in enumerate(exchanges):
            arguments = join_arguments(exchange.request.parameters, exchange.request.body)
            for name, role in self._contract.get_roles(exchange.operation).items():
                is_focus = name == focus and number == len(exchanges) - 1
                if role != "foreign" and not is_focus and isinstance(value := arguments.get(name), str):
                    names[value] = None
        plain = {name: find_plain_name(name, self._contract.name_suffix) for name in names}
        taken = list(plain.values())
        for name, short in plain.items():
            if short and short != name and taken.count(short) == 1 and short not in names:
                yield Renaming(name, short)

    def _simplify_body(self, exchange: Exchange, index: int, focus: str, accepts: Callable[..., bool]) -> None:
        operation = self._contract.operations.get(exchange.operation or "")
        arguments = join_arguments(exchange.request.parameters, exchange.request.body)
        body = {name: value for name, value in arguments.items() if not name.startswith("{")}
        if not body or operation is None:
            return
        fixed = {*self._contract.get_roles(operation.id), *self._credential_fields, focus}
        free = [name for name in body if name not in fixed]
        required = operation.get_required_arguments()
        if not accepts(*(Assignment(index, name) for name in free if name not in required)):
            removed = {name for name in free if accepts(Assignment(index, name))}
        else:
            removed = {name for name in free if name not in required}
        properties = operation.get_arguments()
        for name in free:
            if name in removed or name not in properties:
                continue
            before = len(repr(body[name]))
            for value in self._list_samples(operation.id, name):
                if value == body[name] or (len(repr(value)) < before and accepts(Assignment(index, name, value))):
                    break

    def _list_samples(self, operation: str, name: str) -> Iterator[Any]:
        """List simple values of an argument, the simplest first."""
        declared = self._contract.operations[operation]
        prop = declared.get_arguments()[name]
        if find_kind(prop) == "array":
            yield []
        if prop.get("format") == "password":
            yield self._passwords()
            return
        yield fill_placeholders(self._arguments.build_sample(declared, name, prop), lambda *_: self._passwords())


def _shorten(value: Any, accepts: Callable[[Any], bool]) -> None:
    """Shorten a string or a list while ``accepts`` returns True: by half, then by less."""
    if not isinstance(value, str | list):
        return
    step = len(value) // 2
    while step and len(value) > step:
        if accepts(value[:-step]):
            value = value[:-step]
            step = min(step, len(value) // 2)
        else:
            step //= 2
