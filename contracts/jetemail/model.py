"""JetEmail's behaviour, from its three published operations and its documented list.

Every clause cites what it stands on: `schema` is the effective document, other sources are named. Where the documents
are silent there is a reading (see `rules`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.checks import Check, judge
from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.matchers import Constant, Fields, FreshSecret, Pattern, Where
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import resolve
from contracts.jetemail.lookups import Renamed, candidates, look_up, name_stored, new_name_checks, same_name_checks
from contracts.jetemail.names import sanitise
from contracts.jetemail.rules import CREATE, DELETE, LIST, READINGS, RULES, UPDATE
from contracts.jetemail.users import DEFAULTS, UNKNOWN, State, User, listing, named
from contracts.jetemail.validation import (
    FLAGS,
    LONGEST,
    SHORTEST,
    authenticate,
    plan_checks,
    request_checks,
    stored_flag_checks,
)


def build(effective: OpenApi, published: OpenApi) -> "JetEmail":
    """The model over its two documents."""
    return JetEmail(effective, published)


class JetEmail:
    """See `contract_watch.contracts.model.Model`."""

    readings = READINGS
    rules = RULES

    def __init__(self, effective: OpenApi, published: OpenApi) -> None:
        self._operations = effective.operations
        self._published = {
            ours.id: theirs
            for ours in effective.operations.values()
            if (theirs := published.at(ours.path, ours.method)) is not None
        }
        self._envelopes: dict[tuple[str, int], Fields] = {}
        self._checks = {CREATE: self._create_checks, UPDATE: self._update_checks, DELETE: self._delete_checks}
        self._successes = {CREATE: self._create, UPDATE: self._update, DELETE: self._delete, LIST: self._list}

    def start(self, accounts: Sequence[Account], readings: Readings, fresh: str) -> State:
        """See `Model.start`."""
        return State({account.key: account for account in accounts}, readings, fresh)

    def forget(self, state: State, forgotten: Iterable[str]) -> State:
        """See `Model.forget`."""
        lost = {spelling for name in forgotten for spelling in (name, name.lower())}
        kept = tuple(user for user in state.users if user.name not in lost and user.asked not in lost)
        dropped = {user.name for user in state.users if user not in kept and user.name is not None}
        gone = {name: clause for name, clause in state.gone.items() if name not in lost}
        doubtful = {(account.name, name) for account in state.accounts.values() for name in lost | dropped}
        return replace(state, users=kept, gone=gone, doubtful=state.doubtful | doubtful)

    def owned(self, state: State) -> Sequence[tuple[str, str]]:
        """See `Model.owned`."""
        return [(user.account, user.name or sanitise(user.asked, "hyphenate")) for user in state.users]

    def dump(self, state: State) -> Any:
        """See `Model.dump`."""
        return [{"account": user.account, "username": user.name or user.asked, **user.settings} for user in state.users]

    def outcomes(self, state: State, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`. Authentication comes first; the order of all other checks is open."""
        operation = self._operations[request.operation or ""]
        account, checks = authenticate(state, request, operation.id)
        if account is None:
            return judge(checks, state.readings, self._refusal(state, operation), lambda _shown: ())
        body = request.body
        if operation.id == LIST:
            problems: list[Check] = []
        elif not isinstance(body, dict):
            why = "The body is a JSON object."
            problems = [Check(400, f"{operation.id}/request/body", why)]
        else:
            problems = list(self._checks[operation.id](state, account, operation, body))
        order = [401, *(int(status) for status in state.readings.choices("order")[0].split("-"))]

        def succeed(shown: Readings) -> Sequence[Outcome]:
            return self._successes[operation.id](state.read(shown), account, body, request.at)

        every = [*checks, *problems]
        return judge(every, state.readings, self._refusal(state, operation), succeed, order, request.excused)

    # -- what all operations share

    def _refusal(self, state: State, operation: Operation) -> Any:
        def refuse(check: Check, shown: Readings) -> Outcome:
            body = self._envelope(operation, check.status, success=False)
            return Outcome(check.status, check.clause, check.why, body, state.read(shown))

        return refuse

    def _envelope(self, operation: Operation, status: int, *, success: bool) -> Fields:
        """The answer's two constants, with the published document's own wording as the sample."""
        key = (operation.id, status)
        if key not in self._envelopes:
            self._envelopes[key] = self._new_envelope(operation, status, success=success)
        return self._envelopes[key]

    def _new_envelope(self, operation: Operation, status: int, *, success: bool) -> Fields:
        word = "message" if success else "error"
        text = f"{operation.id} {status}"
        theirs = self._published.get(operation.id)
        if theirs is not None and status in theirs.answers:
            schema = next(iter(theirs.answers[status].media.values()))
            if schema is not None:
                text = resolve(schema.document, schema.schema)["properties"].get(word, {}).get("example", text)
        return Fields({"success": Constant(success), word: Where(text, lambda v: isinstance(v, str), "a text")})

    # -- operations: what can be wrong, and what a success does

    def _create_checks(
        self, state: State, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from request_checks(operation, self._published[operation.id], body)
        yield from plan_checks(account, CREATE, body)
        if isinstance(body.get("username"), str):
            yield from new_name_checks(state, account, CREATE, "username", body["username"])

    def _create(self, state: State, account: Account, body: Mapping[str, Any], at: float) -> Sequence[Outcome]:
        settings = {**DEFAULTS, **{name: body[name] for name in DEFAULTS if name in body}}
        owed = {name: f"{CREATE}/effect/{name}" for name in DEFAULTS}
        owed["asked"] = f"{CREATE}/request/username/pattern"
        asked = body["username"]
        user = User(account.name, name_stored(state, asked), asked, settings, owed, at, at)
        answer = self._envelope(self._operations[CREATE], 200, success=True)
        if "password" in body:
            answer = replace(answer, never={"password": f"{CREATE}/rule/password-not-returned"})
            clause = f"{CREATE}/rule/password-not-returned"
        else:
            clause = f"{CREATE}/rule/password-generated"
            secret: Mapping[str, Pattern] = {"password": FreshSecret(SHORTEST, LONGEST, 24)}
            answer = replace(answer, required={**answer.required, **secret})
        clause = state.gone.get(asked, clause)  # a name that was freed has to be free
        return [Outcome(200, clause, RULES[clause], answer, state.put(user))]

    def _update_checks(
        self, state: State, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from request_checks(operation, self._published[operation.id], body)
        yield from plan_checks(account, UPDATE, body)
        known = set(resolve(operation.body.document, operation.body.schema)["properties"]) if operation.body else set()
        if len(body) > 1 and not set(body) & (known - {"currentUsername"}):
            yield Check(400, f"{UPDATE}/rule/no-updates", RULES[f"{UPDATE}/rule/no-updates"],
                        "unknown-only-update", ("400",))  # fmt: skip
        user, current, new = None, body.get("currentUsername"), body.get("newUsername")
        if isinstance(current, str):
            user, checks = look_up(state, account, UPDATE, current)
            yield from checks
        scope = "alone" if set(body) <= {"currentUsername", "newUsername"} else "beside-others"
        if isinstance(new, str):
            renamed = Renamed(user, scope) if user is not None else None
            yield from new_name_checks(state, account, UPDATE, "newUsername", new, renamed)
            if user is None and isinstance(current, str):
                yield from same_name_checks(current, new, scope)
        if user is not None:
            yield from stored_flag_checks(user, body)

    def _update(self, state: State, account: Account, body: Mapping[str, Any], at: float) -> Sequence[Outcome]:
        user, _ = look_up(state, account, UPDATE, body["currentUsername"])
        answer = self._envelope(self._operations[UPDATE], 200, success=True)
        why = "A valid update of a user that exists is 200."
        if user is None:  # it may exist, though nothing is known of it; or it is one of several
            after = self._unsure(state, account, body["currentUsername"], body.get("newUsername"))
            return [Outcome(200, f"{UPDATE}/response/200", why, answer, after)]
        changed = {name: body[name] for name in (*DEFAULTS, "status") if name in body}
        settings = {**user.settings, **changed}
        for flag, other in (FLAGS, FLAGS[::-1]):
            if changed.get(flag) is True and other not in changed and settings[other] is not False:
                how = state.readings.choices("stored-flag", flag)
                told = state.knows_all or len(how) == 1
                settings[other] = how[0] != "200-clear" if told else UNKNOWN
        owed = {**user.owed, **{name: f"{UPDATE}/effect/{name}" for name in changed}}
        new = replace(user, settings=settings, owed=owed, changed=at, fresh=user.fresh | set(changed))
        if "newUsername" in body:
            owed |= {"username": f"{UPDATE}/effect/newUsername", "asked": f"{UPDATE}/request/newUsername/pattern"}
            name = name_stored(state, body["newUsername"])
            new = replace(new, asked=body["newUsername"], name=name, fresh=new.fresh | {"username"})
        return [Outcome(200, f"{UPDATE}/response/200", why, answer, state.put(new, user))]

    def _unsure(self, state: State, account: Account, name: str, *others: str | None) -> State:
        """The state after a change of whichever user ``name`` found."""
        meant = [user.name or user.asked for user in candidates(state, account, name)]
        return self.forget(state, [name, *meant, *(other for other in others if other)])

    def _delete_checks(
        self, state: State, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from request_checks(operation, self._published[operation.id], body)
        if isinstance(body.get("username"), str):
            yield from look_up(state, account, DELETE, body["username"])[1]

    def _delete(self, state: State, account: Account, body: Mapping[str, Any], _at: float) -> Sequence[Outcome]:
        user, _ = look_up(state, account, DELETE, body["username"])
        answer = self._envelope(self._operations[DELETE], 200, success=True)
        after = state.drop(user) if user is not None else self._unsure(state, account, body["username"])
        return [Outcome(200, f"{DELETE}/response/200", "A user that exists is deleted.", answer, after)]

    def _list(self, state: State, account: Account, _body: Any, _at: float) -> Sequence[Outcome]:
        rows = listing(state, account.name)
        answer = Fields({"success": Constant(True), "smarthosts": rows})

        def after(shown: Any) -> State:
            return named(state, account.name, shown.get("smarthosts") if isinstance(shown, dict) else None)

        why = "The account's users are listed as they were last set."
        return [Outcome(200, f"{LIST}/response/200", why, answer, after)]
