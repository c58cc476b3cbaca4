"""SMTP2GO's model, from the reference pages of its five operations on SMTP users and its table of statuses.

Where the pages are silent, `rules` has an interpretation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.outcomes import Check, Interpretations, Outcome, build_outcomes
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
"""The account whose key has no permission for the operations."""

SuccessHandler = Callable[[Smtp2goState, Account, Mapping[str, Any]], Sequence[Outcome]]
_HANDLERS: Mapping[str, SuccessHandler] = {
    ADD: add_user,
    EDIT: edit_user,
    PATCH: patch_user,
    REMOVE: remove_user,
    VIEW: view_users,
}


def build(effective: OpenApi, published: OpenApi) -> "Smtp2goModel":
    """Build the model from the effective document; the published one adds no rule."""
    del published
    return Smtp2goModel(effective)


class Smtp2goModel:
    """The `Model` of SMTP2GO; see `contract_watch.contracts.model.Model` for its methods."""

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
        """See `Model.list_owned`."""
        return [(user.account, user.name) for user in state.users]

    def dump(self, state: Smtp2goState) -> Any:
        """See `Model.dump`."""
        return [{"account": user.account, "username": user.name, **user.settings} for user in state.users]

    def outcomes(self, state: Smtp2goState, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`; the order of checks is open, the mock's is key, permission, everything else."""
        operation = self._operations[request.operation or ""]
        accounts, checks = authenticate(state, request, operation.id)
        body_checks = list(check_body(state, operation, request.body))
        if not accounts:  # the vendor reads the body for a key, so it can report a bad body first
            certain = [check for check in body_checks if not check.is_undecidable and not check.interpretation]
            return build_outcomes([*checks, *certain], state.interpretations, _make_refuse(state), lambda _: ())
        outcomes: list[Outcome] = []
        for account in accounts:
            outcomes += self._build_account_outcomes(state, account, operation, request, [*checks, *body_checks])
        return outcomes

    @staticmethod
    def _build_account_outcomes(
        state: Smtp2goState, account: Account, operation: Operation, request: Request, checks: Sequence[Check]
    ) -> Sequence[Outcome]:
        """Build the outcomes of a request that belongs to ``account``."""
        body = {} if request.body is MissingBody.ABSENT else request.body
        failed = [*_check_permission(account, operation), *checks]
        if account.name != RESTRICTED and isinstance(body, dict):
            failed += _check_state(state, account, operation.id, body)

        def succeed(narrowed: Interpretations) -> Sequence[Outcome]:
            return _HANDLERS[operation.id](replace(state, interpretations=narrowed), account, body)

        failed = [check for check in failed if check.clause not in request.exempt_clauses]
        if not state.is_complete:
            failed = _keep_one_interpretation(failed, state.interpretations)
        return build_outcomes(failed, state.interpretations, _make_refuse(state), succeed)


def _make_refuse(state: Smtp2goState) -> Callable[[Check, Interpretations], Outcome]:
    def refuse(check: Check, narrowed: Interpretations) -> Outcome:
        return Outcome(
            check.status,
            check.clause,
            check.why,
            build_refusal_matcher(check),
            replace(state, interpretations=narrowed),
        )

    return refuse


def _keep_one_interpretation(checks: Sequence[Check], interpretations: Interpretations) -> list[Check]:
    """Make all checks undecidable but those of one interpretation, so that no response narrows a wrong one.

    If several interpretations can explain a response, it narrows none. An interpretation whose every value refuses is
    certain; next to a certain check, no other interpretation is narrowed.
    """
    refusing_values: dict[tuple[str, str], set[str]] = {}
    for check in checks:
        if check.interpretation and check.is_possible(interpretations):
            key = (check.interpretation, check.scope)
            refusing_values.setdefault(key, set()).update(check.find_refusing_values(interpretations))
    covered = [key for key, values in refusing_values.items() if values == set(interpretations.get_choices(*key))]
    is_certain = any(not check.interpretation and not check.is_undecidable for check in checks)
    single = list(refusing_values) if len(refusing_values) == 1 else []
    narrowable = [] if is_certain else covered[:1] or single
    return [
        replace(check, interpretation="", is_undecidable=True)
        if check.interpretation and (check.interpretation, check.scope) not in narrowable
        else check
        for check in checks
        if check.is_possible(interpretations)
    ]


def _check_permission(account: Account, operation: Operation) -> Iterable[Check]:
    if account.name == RESTRICTED:
        rule = f"{operation.id}/rule/permission"
        yield Check(400, rule, RULES[rule])


def _check_state(state: Smtp2goState, account: Account, operation: str, body: Mapping[str, Any]) -> Iterable[Check]:
    """Yield the failed checks that depend on the users that exist."""
    name = body.get("username")
    known: Mapping[str, Any] = {}
    if isinstance(name, str) and operation == ADD:
        yield from check_new_name(state, account, name)
    elif isinstance(name, str) and operation != VIEW:
        user, checks = look_up_user(state, account, operation, name)
        yield from checks
        known = user.settings if user is not None and operation == PATCH else {}
    elif isinstance(name, str) and not fold_name(name):
        blank = Check(400, f"{VIEW}/response/400", "No page documents a view with a blank name.")
        yield mark_uncertain(state, blank, "odd-values", ("refused",))
    if operation in SETTERS and body.get("custom_ratelimit", known.get("custom_ratelimit")) is True:
        missing = [name for name in RATELIMIT if body.get(name, known.get(name)) in (None, UNKNOWN)]
        if missing and (not known or "custom_ratelimit" in body):
            why = f"No page documents a custom rate limit without {missing[0]}."
            incomplete = Check(400, f"{operation}/response/400", why)
            yield mark_uncertain(state, incomplete, "incomplete-ratelimit", ("refused",))
