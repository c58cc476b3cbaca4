"""JetEmail's model: its three published operations and its documented list.

Where the documents are silent, `rules` has an interpretation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import Constant, FreshSecret, Matcher, ObjectMatcher, Satisfies
from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.outcomes import Check, Interpretations, Outcome, build_outcomes
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import resolve_reference
from contracts.jetemail.lookups import (
    RenameTarget,
    check_new_name,
    check_same_name,
    find_candidates,
    look_up_user,
    predict_stored_name,
)
from contracts.jetemail.names import sanitise_name
from contracts.jetemail.rules import CREATE, DELETE, INTERPRETATIONS, LIST, RULES, UPDATE
from contracts.jetemail.users import DEFAULTS, UNKNOWN, JetEmailState, JetEmailUser, build_list_matcher, resolve_names
from contracts.jetemail.validation import (
    FLAGS,
    LONGEST,
    SHORTEST,
    authenticate,
    check_plan,
    check_request,
    check_stored_flags,
)


def build(effective: OpenApi, published: OpenApi) -> "JetEmailModel":
    """Build the model from the effective and the published document."""
    return JetEmailModel(effective, published)


class JetEmailModel:
    """The `Model` of JetEmail; see `contract_watch.contracts.model.Model` for its methods."""

    interpretations = INTERPRETATIONS
    rules = RULES

    def __init__(self, effective: OpenApi, published: OpenApi) -> None:
        self._operations = effective.operations
        self._published_operations = {
            operation.id: found
            for operation in effective.operations.values()
            if (found := published.find_operation(operation.path, operation.method)) is not None
        }
        self._envelopes: dict[tuple[str, int], ObjectMatcher] = {}
        self._checks = {CREATE: self._check_create, UPDATE: self._check_update, DELETE: self._check_delete}
        self._handlers = {CREATE: self._create, UPDATE: self._update, DELETE: self._delete, LIST: self._list}

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> JetEmailState:
        """See `Model.start`."""
        return JetEmailState({account.key: account for account in accounts}, interpretations, own_prefix)

    def forget(self, state: JetEmailState, names: Iterable[str]) -> JetEmailState:
        """See `Model.forget`."""
        forgotten = {variant for name in names for variant in (name, name.lower())}
        users = tuple(u for u in state.users if u.name not in forgotten and u.requested_name not in forgotten)
        dropped = {user.name for user in state.users if user not in users and user.name is not None}
        removed = {name: clause for name, clause in state.removed_names.items() if name not in forgotten}
        unknown = {(account.name, name) for account in state.accounts.values() for name in forgotten | dropped}
        return replace(state, users=users, removed_names=removed, unknown_names=state.unknown_names | unknown)

    def list_owned(self, state: JetEmailState) -> Sequence[tuple[str, str]]:
        """See `Model.list_owned`."""
        return [(user.account, user.name or sanitise_name(user.requested_name, "hyphenate")) for user in state.users]

    def dump(self, state: JetEmailState) -> Any:
        """See `Model.dump`."""
        return [
            {"account": user.account, "username": user.name or user.requested_name, **user.settings}
            for user in state.users
        ]

    def outcomes(self, state: JetEmailState, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`; authentication comes first, the order of all other checks is open."""
        operation = self._operations[request.operation or ""]
        account, checks = authenticate(state, request, operation.id)
        if account is None:
            return build_outcomes(checks, state.interpretations, self._make_refuse(state, operation), lambda _: ())
        body = request.body
        if operation.id == LIST:
            problems: list[Check] = []
        elif not isinstance(body, dict):
            problems = [Check(400, f"{operation.id}/request/body", "The body must be a JSON object.")]
        else:
            problems = list(self._checks[operation.id](state, account, operation, body))
        order = [401, *(int(status) for status in state.interpretations.get_choices("order")[0].split("-"))]

        def succeed(narrowed: Interpretations) -> Sequence[Outcome]:
            return self._handlers[operation.id](
                replace(state, interpretations=narrowed), account, body, request.timestamp
            )

        refuse = self._make_refuse(state, operation)
        return build_outcomes(
            [*checks, *problems], state.interpretations, refuse, succeed, order, request.exempt_clauses
        )

    # -- shared by all operations

    def _make_refuse(self, state: JetEmailState, operation: Operation) -> Any:
        def refuse(check: Check, narrowed: Interpretations) -> Outcome:
            body = self._get_envelope(operation, check.status, success=False)
            return Outcome(check.status, check.clause, check.why, body, replace(state, interpretations=narrowed))

        return refuse

    def _get_envelope(self, operation: Operation, status: int, *, success: bool) -> ObjectMatcher:
        """Return the matcher of ``success`` and of the message, which renders the published document's example."""
        key = (operation.id, status)
        if key not in self._envelopes:
            self._envelopes[key] = self._build_envelope(operation, status, success=success)
        return self._envelopes[key]

    def _build_envelope(self, operation: Operation, status: int, *, success: bool) -> ObjectMatcher:
        name = "message" if success else "error"
        text = f"{operation.id} {status}"
        published = self._published_operations.get(operation.id)
        if published is not None and status in published.responses:
            schema = next(iter(published.responses[status].media.values()))
            if schema is not None:
                properties = resolve_reference(schema.document, schema.schema)["properties"]
                text = properties.get(name, {}).get("example", text)
        return ObjectMatcher(
            {"success": Constant(success), name: Satisfies(text, lambda v: isinstance(v, str), "a string")}
        )

    # -- the checks and the success of each operation

    def _check_create(
        self, state: JetEmailState, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from check_request(operation, self._published_operations[operation.id], body)
        yield from check_plan(account, CREATE, body)
        if isinstance(body.get("username"), str):
            yield from check_new_name(state, account, CREATE, "username", body["username"])

    def _create(self, state: JetEmailState, account: Account, body: Mapping[str, Any], at: float) -> Sequence[Outcome]:
        settings = {**DEFAULTS, **{name: body[name] for name in DEFAULTS if name in body}}
        clauses = {name: f"{CREATE}/effect/{name}" for name in DEFAULTS}
        clauses["requested_name"] = f"{CREATE}/request/username/pattern"
        name = body["username"]
        user = JetEmailUser(account.name, predict_stored_name(state, name), name, settings, clauses, at, at)
        response = self._get_envelope(self._operations[CREATE], 200, success=True)
        if "password" in body:
            response = replace(response, forbidden={"password": f"{CREATE}/rule/password-not-returned"})
            clause = f"{CREATE}/rule/password-not-returned"
        else:
            clause = f"{CREATE}/rule/password-generated"
            secret: Mapping[str, Matcher] = {"password": FreshSecret(SHORTEST, LONGEST, 24)}
            response = replace(response, required={**response.required, **secret})
        clause = state.removed_names.get(name, clause)  # a name that was removed must be free again
        return [Outcome(200, clause, RULES[clause], response, state.put_user(user))]

    def _check_update(
        self, state: JetEmailState, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from check_request(operation, self._published_operations[operation.id], body)
        yield from check_plan(account, UPDATE, body)
        known = (
            set(resolve_reference(operation.body.document, operation.body.schema)["properties"])
            if operation.body
            else set()
        )
        if len(body) > 1 and not set(body) & (known - {"currentUsername"}):
            yield Check(400, f"{UPDATE}/rule/no-updates", RULES[f"{UPDATE}/rule/no-updates"],
                        "unknown-only-update", ("400",))  # fmt: skip
        user, current, new = None, body.get("currentUsername"), body.get("newUsername")
        if isinstance(current, str):
            user, checks = look_up_user(state, account, UPDATE, current)
            yield from checks
        scope = "alone" if set(body) <= {"currentUsername", "newUsername"} else "beside-others"
        if isinstance(new, str):
            renamed = RenameTarget(user, scope) if user is not None else None
            yield from check_new_name(state, account, UPDATE, "newUsername", new, renamed)
            if user is None and isinstance(current, str):
                yield from check_same_name(current, new, scope)
        if user is not None:
            yield from check_stored_flags(user, body)

    def _update(self, state: JetEmailState, account: Account, body: Mapping[str, Any], at: float) -> Sequence[Outcome]:
        user, _ = look_up_user(state, account, UPDATE, body["currentUsername"])
        response = self._get_envelope(self._operations[UPDATE], 200, success=True)
        why = "A valid update of a user that exists is 200."
        if user is None:  # unknown whether it exists, or one of several candidates
            after = self._forget_candidates(state, account, body["currentUsername"], body.get("newUsername"))
            return [Outcome(200, f"{UPDATE}/response/200", why, response, after)]
        changed = {name: body[name] for name in (*DEFAULTS, "status") if name in body}
        settings = {**user.settings, **changed}
        for flag, other in (FLAGS, FLAGS[::-1]):
            if changed.get(flag) is True and other not in changed and settings[other] is not False:
                choices = state.interpretations.get_choices("stored-flag", flag)
                is_decided = state.is_complete or len(choices) == 1
                settings[other] = choices[0] != "200-clear" if is_decided else UNKNOWN
        clauses = {**user.clause_by_setting, **{name: f"{UPDATE}/effect/{name}" for name in changed}}
        new = replace(
            user,
            settings=settings,
            clause_by_setting=clauses,
            changed_at=at,
            unlisted_changes=user.unlisted_changes | set(changed),
        )
        if "newUsername" in body:
            clauses |= {
                "username": f"{UPDATE}/effect/newUsername",
                "requested_name": f"{UPDATE}/request/newUsername/pattern",
            }
            name = predict_stored_name(state, body["newUsername"])
            new = replace(
                new, requested_name=body["newUsername"], name=name, unlisted_changes=new.unlisted_changes | {"username"}
            )
        return [Outcome(200, f"{UPDATE}/response/200", why, response, state.put_user(new, user))]

    def _forget_candidates(
        self, state: JetEmailState, account: Account, name: str, *others: str | None
    ) -> JetEmailState:
        """Return the state after a change of an unknown user that ``name`` found: forget every candidate."""
        candidates = [user.name or user.requested_name for user in find_candidates(state, account, name)]
        return self.forget(state, [name, *candidates, *(other for other in others if other)])

    def _check_delete(
        self, state: JetEmailState, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from check_request(operation, self._published_operations[operation.id], body)
        if isinstance(body.get("username"), str):
            yield from look_up_user(state, account, DELETE, body["username"])[1]

    def _delete(self, state: JetEmailState, account: Account, body: Mapping[str, Any], _at: float) -> Sequence[Outcome]:
        user, _ = look_up_user(state, account, DELETE, body["username"])
        response = self._get_envelope(self._operations[DELETE], 200, success=True)
        after = state.drop_user(user) if user is not None else self._forget_candidates(state, account, body["username"])
        return [Outcome(200, f"{DELETE}/response/200", "A user that exists is deleted.", response, after)]

    def _list(self, state: JetEmailState, account: Account, _body: Any, _at: float) -> Sequence[Outcome]:
        rows = build_list_matcher(state, account.name)
        response = ObjectMatcher({"success": Constant(True), "smarthosts": rows})

        def after(body: Any) -> JetEmailState:
            return resolve_names(state, account.name, body.get("smarthosts") if isinstance(body, dict) else None)

        why = "The list contains the account's users with their last settings."
        return [Outcome(200, f"{LIST}/response/200", why, response, after)]
