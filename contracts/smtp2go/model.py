"""SMTP2GO's behaviour, from the pages of its five operations on SMTP users and its table of statuses.

Every clause cites what it stands on: `schema` is the effective document, other sources are named. Where the documents
are silent there is a reading (see `rules`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.checks import Check, build_outcomes
from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.request import MissingBody, Request
from contracts.smtp2go.credentials import authenticate
from contracts.smtp2go.lookups import check_new_name, look_up_user
from contracts.smtp2go.names import fold_name
from contracts.smtp2go.operations import add_user, edit_user, patch_user, remove_user, view_users
from contracts.smtp2go.responses import build_refusal_matcher
from contracts.smtp2go.rules import ADD, EDIT, INTERPRETATIONS, PATCH, REMOVE, RULES, SETTERS, VIEW
from contracts.smtp2go.users import RATELIMIT, UNKNOWN, Smtp2goState
from contracts.smtp2go.validation import check_body, mark_uncertain

RESTRICTED = "restricted"
"""The account whose key has no permission for any of the operations."""

SuccessHandler = Callable[[Smtp2goState, Account, Mapping[str, Any]], Sequence[Outcome]]
_HANDLERS: Mapping[str, SuccessHandler] = {
    ADD: add_user,
    EDIT: edit_user,
    PATCH: patch_user,
    REMOVE: remove_user,
    VIEW: view_users,
}


def build(effective: OpenApi, published: OpenApi) -> "Smtp2goModel":
    """The model over its effective document; the published one has no rule of its own."""
    del published
    return Smtp2goModel(effective)


class Smtp2goModel:
    """See `contract_watch.contracts.model.Model`."""

    interpretations = INTERPRETATIONS
    rules = RULES

    def __init__(self, effective: OpenApi) -> None:
        self._operations = effective.operations

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> Smtp2goState:
        """See `Model.start`."""
        return Smtp2goState({account.key: account for account in accounts}, interpretations, own_prefix)

    def forget(self, state: Smtp2goState, names: Iterable[str]) -> Smtp2goState:
        """See `Model.forget`."""
        return state.forget_users(set(names))

    def list_owned(self, state: Smtp2goState) -> Sequence[tuple[str, str]]:
        """See `Model.owned`."""
        return [(user.account, user.name) for user in state.users]

    def dump(self, state: Smtp2goState) -> Any:
        """See `Model.dump`."""
        return [{"account": user.account, "username": user.name, **user.settings} for user in state.users]

    def outcomes(self, state: Smtp2goState, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`. The order of checks is open, but that of the mock: the key, permission, the rest."""
        operation = self._operations[request.operation or ""]
        accounts, checks = authenticate(state, request, operation.id)
        wrong = list(check_body(state, operation, request.body))
        if not accounts:  # a body has to be read for a key: what is surely bad may be told first
            told = [*checks, *(check for check in wrong if not check.is_undecidable and not check.interpretation)]
            return build_outcomes(told, state.interpretations, _make_refuse(state), lambda _shown: ())
        found: list[Outcome] = []
        for account in accounts:
            found += self._build_account_outcomes(state, account, operation, request, [*checks, *wrong])
        return found

    @staticmethod
    def _build_account_outcomes(
        state: Smtp2goState, account: Account, operation: Operation, request: Request, checks: Sequence[Check]
    ) -> Sequence[Outcome]:
        """The outcomes of a request that is taken for this account's."""
        body = {} if request.body is MissingBody.ABSENT else request.body
        found = [*_check_permission(account, operation), *checks]
        if account.name != RESTRICTED and isinstance(body, dict):
            found += _check_state(state, account, operation.id, body)

        def succeed(shown: Interpretations) -> Sequence[Outcome]:
            return _HANDLERS[operation.id](state.with_interpretations(shown), account, body)

        found = [check for check in found if check.clause not in request.exempt_clauses]
        if not state.is_complete:
            found = _keep_one_interpretation(found, state.interpretations)
        return build_outcomes(found, state.interpretations, _make_refuse(state), succeed)


def _make_refuse(state: Smtp2goState) -> Callable[[Check, Interpretations], Outcome]:
    def refuse(check: Check, shown: Interpretations) -> Outcome:
        return Outcome(
            check.status, check.clause, check.why, build_refusal_matcher(check), state.with_interpretations(shown)
        )

    return refuse


def _keep_one_interpretation(checks: Sequence[Check], interpretations: Interpretations) -> list[Check]:
    """``checks`` of which one reading at most is shown by an answer: of several that it may tell of, it tells of none.

    A reading that refuses whatever its value is certain; beside a check that is, all other readings show nothing.
    """
    sides: dict[tuple[str, str], set[str]] = {}
    for check in checks:
        if check.interpretation and check.is_possible(interpretations):
            sides.setdefault((check.interpretation, check.scope), set()).update(
                check.find_refusing_values(interpretations)
            )
    sure = [side for side, refusing in sides.items() if refusing == set(interpretations.get_choices(*side))]
    certain = any(not check.interpretation and not check.is_undecidable for check in checks)
    told = [] if certain else sure[:1] or (list(sides) if len(sides) == 1 else [])
    return [
        replace(check, interpretation="", is_undecidable=True)
        if check.interpretation and (check.interpretation, check.scope) not in told
        else check
        for check in checks
        if check.is_possible(interpretations)
    ]


def _check_permission(account: Account, operation: Operation) -> Iterable[Check]:
    if account.name == RESTRICTED:
        rule = f"{operation.id}/rule/permission"
        yield Check(400, rule, RULES[rule])


def _check_state(state: Smtp2goState, account: Account, operation: str, body: Mapping[str, Any]) -> Iterable[Check]:
    """What can be wrong with a request because of the users that there are."""
    name = body.get("username")
    known: Mapping[str, Any] = {}
    if isinstance(name, str) and operation == ADD:
        yield from check_new_name(state, account, name)
    elif isinstance(name, str) and operation != VIEW:
        user, checks = look_up_user(state, account, operation, name)
        yield from checks
        known = user.settings if user is not None and operation == PATCH else {}
    elif isinstance(name, str) and not fold_name(name):
        odd = Check(400, f"{VIEW}/response/400", "Whom a blank name means, no page says.")
        yield mark_uncertain(state, odd, "odd-values", ("refused",))
    if operation in SETTERS and body.get("custom_ratelimit", known.get("custom_ratelimit")) is True:
        missing = [each for each in RATELIMIT if body.get(each, known.get(each)) in (None, UNKNOWN)]
        if missing and (not known or "custom_ratelimit" in body):
            why = f"Whether a custom rate limit may do without {missing[0]}, no page says."
            yield mark_uncertain(
                state, Check(400, f"{operation}/response/400", why), "incomplete-ratelimit", ("refused",)
            )
