"""SMTP2GO's behaviour, from the pages of its five operations on SMTP users and its table of statuses.

Every clause cites what it stands on: `schema` is the effective document, other sources are named. Where the documents
are silent there is a reading (see `rules`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.checks import Check, judge
from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.request import Body, Request
from contracts.smtp2go.credentials import authenticate
from contracts.smtp2go.lookups import look_up, new_name_checks
from contracts.smtp2go.names import fold
from contracts.smtp2go.operations import add, edit, patch, remove, view
from contracts.smtp2go.responses import refusal
from contracts.smtp2go.rules import ADD, EDIT, PATCH, READINGS, REMOVE, RULES, SETTERS, VIEW
from contracts.smtp2go.users import RATELIMIT, UNKNOWN, State
from contracts.smtp2go.validation import body_checks, doubt

RESTRICTED = "restricted"
"""The account whose key has no permission for any of the operations."""

Change = Callable[[State, Account, Mapping[str, Any]], Sequence[Outcome]]
_SUCCESSES: Mapping[str, Change] = {ADD: add, EDIT: edit, PATCH: patch, REMOVE: remove, VIEW: view}


def build(effective: OpenApi, published: OpenApi) -> "Smtp2go":
    """The model over its effective document; the published one has no rule of its own."""
    del published
    return Smtp2go(effective)


class Smtp2go:
    """See `contract_watch.contracts.model.Model`."""

    readings = READINGS
    rules = RULES

    def __init__(self, effective: OpenApi) -> None:
        self._operations = effective.operations

    def start(self, accounts: Sequence[Account], readings: Readings, fresh: str) -> State:
        """See `Model.start`."""
        return State({account.key: account for account in accounts}, readings, fresh)

    def forget(self, state: State, forgotten: Iterable[str]) -> State:
        """See `Model.forget`."""
        return state.forget(set(forgotten))

    def owned(self, state: State) -> Sequence[tuple[str, str]]:
        """See `Model.owned`."""
        return [(user.account, user.name) for user in state.users]

    def dump(self, state: State) -> Any:
        """See `Model.dump`."""
        return [{"account": user.account, "username": user.name, **user.settings} for user in state.users]

    def outcomes(self, state: State, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`. The order of checks is open, but that of the mock: the key, permission, the rest."""
        operation = self._operations[request.operation or ""]
        accounts, checks = authenticate(state, request, operation.id)
        wrong = list(body_checks(state, operation, request.body))
        if not accounts:  # a body has to be read for a key: what is surely bad may be told first
            told = [*checks, *(check for check in wrong if not check.maybe and not check.reading)]
            return judge(told, state.readings, _refuse(state), lambda _shown: ())
        found: list[Outcome] = []
        for account in accounts:
            found += self._of(state, account, operation, request, [*checks, *wrong])
        return found

    @staticmethod
    def _of(
        state: State, account: Account, operation: Operation, request: Request, checks: Sequence[Check]
    ) -> Sequence[Outcome]:
        """The outcomes of a request that is taken for this account's."""
        body = {} if request.body is Body.ABSENT else request.body
        found = [*_permission(account, operation), *checks]
        if account.name != RESTRICTED and isinstance(body, dict):
            found += _state_checks(state, account, operation.id, body)

        def succeed(shown: Readings) -> Sequence[Outcome]:
            return _SUCCESSES[operation.id](state.read(shown), account, body)

        found = [check for check in found if check.clause not in request.excused]
        if not state.knows_all:
            found = _telling(found, state.readings)
        return judge(found, state.readings, _refuse(state), succeed)


def _refuse(state: State) -> Callable[[Check, Readings], Outcome]:
    def refuse(check: Check, shown: Readings) -> Outcome:
        return Outcome(check.status, check.clause, check.why, refusal(check), state.read(shown))

    return refuse


def _telling(checks: Sequence[Check], readings: Readings) -> list[Check]:
    """``checks`` of which one reading at most is shown by an answer: of several that it may tell of, it tells of none.

    A reading that refuses whatever its value is certain; beside a check that is, all other readings show nothing.
    """
    sides: dict[tuple[str, str], set[str]] = {}
    for check in checks:
        if check.reading and check.possible(readings):
            sides.setdefault((check.reading, check.scope), set()).update(check.refusing_left(readings))
    sure = [side for side, refusing in sides.items() if refusing == set(readings.choices(*side))]
    certain = any(not check.reading and not check.maybe for check in checks)
    told = [] if certain else sure[:1] or (list(sides) if len(sides) == 1 else [])
    return [
        replace(check, reading="", maybe=True) if check.reading and (check.reading, check.scope) not in told else check
        for check in checks
        if check.possible(readings)
    ]


def _permission(account: Account, operation: Operation) -> Iterable[Check]:
    if account.name == RESTRICTED:
        rule = f"{operation.id}/rule/permission"
        yield Check(400, rule, RULES[rule])


def _state_checks(state: State, account: Account, operation: str, body: Mapping[str, Any]) -> Iterable[Check]:
    """What can be wrong with a request because of the users that there are."""
    name = body.get("username")
    known: Mapping[str, Any] = {}
    if isinstance(name, str) and operation == ADD:
        yield from new_name_checks(state, account, name)
    elif isinstance(name, str) and operation != VIEW:
        user, checks = look_up(state, account, operation, name)
        yield from checks
        known = user.settings if user is not None and operation == PATCH else {}
    elif isinstance(name, str) and not fold(name):
        odd = Check(400, f"{VIEW}/response/400", "Whom a blank name means, no page says.")
        yield doubt(state, odd, "odd-values", ("refused",))
    if operation in SETTERS and body.get("custom_ratelimit", known.get("custom_ratelimit")) is True:
        missing = [each for each in RATELIMIT if body.get(each, known.get(each)) in (None, UNKNOWN)]
        if missing and (not known or "custom_ratelimit" in body):
            why = f"Whether a custom rate limit may do without {missing[0]}, no page says."
            yield doubt(state, Check(400, f"{operation}/response/400", why), "incomplete-ratelimit", ("refused",))
