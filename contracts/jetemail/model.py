"""JetEmail's behaviour, from its three published operations and its documented list.

Every clause cites what it stands on: `schema` is the effective document, other sources are named. Where the documents
are silent there is a reading (`READINGS`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

from contracts.checks import Check, judge
from contracts.document import OpenApi, Operation
from contracts.jetemail import names
from contracts.jetemail.users import DEFAULTS, UNKNOWN, State, User, listing, named
from contracts.model import Account, Outcome
from contracts.pattern import Constant, Fields, FreshSecret, Pattern, Where
from contracts.readings import Readings
from contracts.request import Request
from contracts.schema import Violation, resolve

CREATE, UPDATE, DELETE, LIST = "createSmtpUser", "updateSmtpUser", "deleteSmtpUser", "listSmtpUsers"

READINGS: dict[str, tuple[str, ...]] = {
    "order": tuple("-".join(order) for order in permutations(("400", "403", "404", "409"))),
    "names": ("refused", "sanitised", "lowered"),
    "sanitiser": names.SANITISERS,
    "lookup": ("exact", "sanitised"),
    "unique": ("account", "global"),
    "unknown-properties": ("ignored", "refused"),
    "unknown-only-update": ("400", "200"),
    "rename-to-itself": ("200", "409", "400"),
    "impossible-name": ("404", "400"),
    "stored-flag": ("400", "200-clear", "200-keep"),
    "bearer-case": ("any", "exact"),
    "password-length": ("characters", "utf16", "bytes"),
    "patterns": ("corrected", "published"),
    "stored-values": ("verbatim", "normalised"),
    "new-status": ("active", "inactive", "disabled", "suspended", "quota-locked", "quota-unlocked"),
    "list-inactive": ("inactive", "disabled"),
    "list-texts": ("encoded", "array"),
    "list-all-domains": ("absent", "integer", "boolean"),
    "head": ("405", "200"),
    "options": ("405", "204"),
}

RULES: dict[str, str] = {
    f"{CREATE}/rule/name-taken": "Creating a user whose name the account has already is 409.",
    f"{CREATE}/rule/flags-exclusive": "allowAnyDomain and allowAllDomains cannot both be enabled: 400.",
    f"{CREATE}/rule/paid-feature": "allowAnyDomain needs a paid plan: 403.",
    f"{CREATE}/rule/password-not-returned": "Create does not return a password that the request sent.",
    f"{CREATE}/rule/password-generated": "Create returns a generated password when the request sent none.",
    f"{CREATE}/rule/refused-changes-nothing": "A refused request leaves no user behind.",
    f"{UPDATE}/rule/name-unknown": "Updating a user that the account does not have is 404.",
    f"{UPDATE}/rule/name-taken": "Renaming a user to a name that the account has already is 409.",
    f"{UPDATE}/rule/flags-exclusive": "allowAnyDomain and allowAllDomains cannot both be enabled: 400.",
    f"{UPDATE}/rule/paid-feature": "allowAnyDomain needs a paid plan: 403.",
    f"{UPDATE}/rule/no-updates": "An update that updates nothing is 400.",
    f"{DELETE}/rule/name-unknown": "Deleting a user that the account does not have is 404.",
    f"{DELETE}/effect/removed": "A deleted user is no longer listed, and its name is free.",
    f"{UPDATE}/effect/newUsername": "A renamed user is listed under its new name only, and the old one is free.",
    f"{CREATE}/effect/username": "A created user is listed.",
    f"{LIST}/rule/own-account": "The list shows the account's own users only.",
    **{f"{CREATE}/effect/{name}": f"The list shows the {name} that create set, or its default." for name in DEFAULTS},
    **{f"{UPDATE}/effect/{name}": f"The list shows the {name} that an update set." for name in (*DEFAULTS, "status")},
}

_FLAGS = ("allowAnyDomain", "allowAllDomains")
_SHORTEST, _LONGEST = 8, 72


def build(effective: OpenApi, published: OpenApi) -> "JetEmail":
    """The model over its two documents."""
    return JetEmail(effective, published)


class JetEmail:
    """See `contracts.model.Model`."""

    readings = READINGS
    rules = RULES

    def __init__(self, effective: OpenApi, published: OpenApi) -> None:
        self._operations = effective.operations
        self._published = {
            ours.id: theirs
            for ours in effective.operations.values()
            if (theirs := published.at(ours.path, ours.method)) is not None
        }

    def start(self, accounts: Sequence[Account], readings: Readings, fresh: str) -> State:
        """See `Model.start`."""
        return State({account.key: account for account in accounts}, readings, fresh)

    def forget(self, state: State, forgotten: Iterable[str]) -> State:
        """See `Model.forget`."""
        lost = {name.lower() for name in forgotten} | set(forgotten)
        kept = tuple(user for user in state.users if user.name not in lost and user.asked not in lost)
        dropped = {user.name for user in state.users if user not in kept and user.name is not None}
        gone = {name: clause for name, clause in state.gone.items() if name not in lost}
        return replace(state, users=kept, gone=gone, doubtful=state.doubtful | lost | dropped)

    def owned(self, state: State) -> Sequence[tuple[str, str]]:
        """See `Model.owned`."""
        return [(user.account, user.name or names.sanitise(user.asked, "hyphenate")) for user in state.users]

    def dump(self, state: State) -> Any:
        """See `Model.dump`."""
        return [{"account": user.account, "username": user.name or user.asked, **user.settings} for user in state.users]

    def outcomes(self, state: State, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`. Authentication comes first; the order of all other checks is open."""
        operation = self._operations[request.operation or ""]
        account, checks = self._authenticate(state, request, operation.id)
        if account is None:
            return judge(checks, state.readings, self._refusal(state, operation), lambda _shown: ())
        body = request.body
        if operation.id == LIST:
            problems: list[Check] = []
        elif not isinstance(body, dict):
            why = "The body is a JSON object."
            problems = [Check(400, f"{operation.id}/request/body", why)]
        else:
            problems = list(getattr(self, f"_{operation.method.lower()}_checks")(state, account, operation, body))
        order = [int(status) for status in state.readings.choices("order")[0].split("-")]

        def succeed(shown: Readings) -> Sequence[Outcome]:
            outcomes: Sequence[Outcome] = getattr(self, f"_{operation.method.lower()}")(
                state.read(shown), account, body, request.at
            )
            return outcomes

        return judge([*checks, *problems], state.readings, self._refusal(state, operation), succeed, order)

    # -- what all operations share

    def _refusal(self, state: State, operation: Operation) -> Any:
        def refuse(check: Check, shown: Readings) -> Outcome:
            body = self._envelope(operation, check.status, success=False)
            return Outcome(check.status, check.clause, check.why, body, state.read(shown))

        return refuse

    def _envelope(self, operation: Operation, status: int, *, success: bool) -> Fields:
        """The answer's two constants, with the published document's own wording as the sample."""
        word = "message" if success else "error"
        text = f"{operation.id} {status}"
        theirs = self._published.get(operation.id)
        if theirs is not None and status in theirs.answers:
            schema = next(iter(theirs.answers[status].media.values()))
            if schema is not None:
                text = resolve(schema.document, schema.schema)["properties"].get(word, {}).get("example", text)
        return Fields({"success": Constant(success), word: Where(text, lambda v: isinstance(v, str), "a text")})

    @staticmethod
    def _authenticate(state: State, request: Request, operation: str) -> tuple[Account | None, list[Check]]:
        """The account of the request's key; where only its spelling is doubtful, an uncertain check beside it."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        account = state.accounts.get(key)
        refused = Check(401, f"{operation}/credential", "A request without a good bearer key is 401.")
        if scheme.lower() != "bearer" or account is None:
            return None, [refused]
        if scheme == "Bearer":
            return account, []
        return account, [replace(refused, reading="bearer-case", refusing=("exact",))]

    def _request_checks(self, operation: Operation, body: Mapping[str, Any]) -> Iterable[Check]:
        """What the schema refuses, corrected where published and corrected pattern disagree."""
        assert operation.body is not None
        ours = operation.body.violations(body)
        published = self._published[operation.id].body
        theirs = published.violations(body) if published is not None else []
        patterns = {v.path for v in theirs if v.keyword == "pattern"}
        for found in ours:
            if found.path in (("username",), ("newUsername",), ("password",)) and isinstance(
                body.get(found.path[0]), str
            ):
                continue  # judged by their own rules below
            if found.keyword == "not":
                yield Check(400, f"{operation.id}/rule/flags-exclusive", RULES[f"{operation.id}/rule/flags-exclusive"])
            elif found.keyword == "minProperties":
                yield Check(400, f"{operation.id}/rule/no-updates", RULES[f"{operation.id}/rule/no-updates"])
            elif found.keyword == "pattern" and found.path not in patterns:
                yield self._disputed(operation, found, "corrected")
            else:
                yield self._broken(operation, found)
        for found in theirs:
            if found.keyword == "pattern" and found.path not in {v.path for v in ours} and len(found.path) > 1:
                yield self._disputed(operation, found, "published")
        if unknown := sorted(set(body) - set(resolve(operation.body.document, operation.body.schema)["properties"])):
            yield Check(400, f"{operation.id}/request/unknown", f"Nothing is documented of {unknown[0]!r}.",
                        "unknown-properties", ("refused",), operation.id)  # fmt: skip
        if "password" in body and isinstance(body["password"], str):
            yield from self._password(operation, body["password"])

    @staticmethod
    def _broken(operation: Operation, found: Violation) -> Check:
        return Check(400, f"{operation.id}/request/{found.pointer}/{found.keyword}", found.expected)

    def _disputed(self, operation: Operation, found: Violation, refusing: str) -> Check:
        return replace(self._broken(operation, found), reading="patterns", refusing=(refusing,), scope=found.pointer)

    @staticmethod
    def _password(operation: Operation, password: str) -> Iterable[Check]:
        """8 to 72 of what: characters, UTF-16 units or bytes is not said, and tells only outside ASCII."""
        sizes = {
            "characters": len(password),
            "utf16": len(password.encode("utf-16-le", "surrogatepass")) // 2,
            "bytes": len(password.encode("utf-8", "surrogatepass")),
        }
        short = tuple(measure for measure, size in sizes.items() if size < _SHORTEST)
        long = tuple(measure for measure, size in sizes.items() if size > _LONGEST)
        for keyword, refusing in (("minLength", short), ("maxLength", long)):
            if refusing:
                why = f"A password has {_SHORTEST} to {_LONGEST} characters."
                check = Check(400, f"{operation.id}/request/password/{keyword}", why)
                disputed = len(refusing) < len(sizes)
                yield replace(check, reading="password-length", refusing=refusing) if disputed else check

    @staticmethod
    def _plan_checks(account: Account, operation: str, body: Mapping[str, Any]) -> Iterable[Check]:
        if body.get("allowAnyDomain") is True and account.name != "paid":
            yield Check(403, f"{operation}/rule/paid-feature", RULES[f"{operation}/rule/paid-feature"])

    # -- names

    def _new_name_checks(
        self, state: State, account: Account, operation: str, field: str, name: str, itself: User | None = None
    ) -> Iterable[Check]:
        """What can be wrong with the name of a user to be; ``itself`` is the user that is renamed."""
        clause = f"{operation}/request/{field}"
        if not name:
            yield Check(400, f"{clause}/minLength", "A name has at least one character.")
            return
        if names.well_formed(name):
            if len(name) > 64:
                yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
            yield from self._taken(state, account, operation, name, itself)
            return
        scope = f"{operation}@{names.kind(name)}"
        refusing = ("refused",) if names.kind(name) == "case" else ("refused", "lowered")
        yield Check(400, f"{clause}/pattern", "A name has lower-case letters, digits and hyphens.",
                    "names", refusing, scope)  # fmt: skip
        made = self._sanitised(state, name)
        if made is not None:
            if not 0 < len(made) <= 64:
                yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.")
            yield from self._taken(state, account, operation, made, itself)
            return
        # Only the vendor knows what the name becomes: whatever could come of it is allowed.
        if len(names.skeleton(name)) > 64:
            yield Check(400, f"{clause}/maxLength", "A name has at most 64 characters.")
        elif len(name) > 64 or not names.skeleton(name):
            yield Check(400, f"{clause}/maxLength", "A sanitised name has 1 to 64 characters.", maybe=True)
        if any(names.may_become(name, u.name or u.asked.lower()) for u in state.users) or any(
            names.may_become(name, lost) for lost in state.doubtful
        ) or not state.known_absent(name):  # fmt: skip
            yield Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"], maybe=True)
            if itself is not None:
                yield Check(400, f"{operation}/rule/no-updates", RULES[f"{operation}/rule/no-updates"], maybe=True)

    @staticmethod
    def _taken(state: State, account: Account, operation: str, name: str, itself: User | None) -> Iterable[Check]:
        check = Check(409, f"{operation}/rule/name-taken", RULES[f"{operation}/rule/name-taken"])
        holder = state.find(account.name, name)
        if holder is not None and holder is itself:
            yield replace(check, reading="rename-to-itself", refusing=("409",))
            yield Check(400, f"{operation}/rule/no-updates", "A user already has its own name.",
                        "rename-to-itself", ("400",))  # fmt: skip
        elif holder is not None:
            yield check
        elif any(user.name == name for user in state.users):
            yield replace(check, reading="unique", refusing=("global",))
        elif not state.known_absent(name) or any(
            user.name is None and names.may_become(user.asked, name) for user in state.users
        ):
            yield replace(check, maybe=True)

    @staticmethod
    def _sanitised(state: State, name: str) -> str | None:
        """What an ill-formed name becomes, where that is decided: in the mock."""
        return names.sanitise(name, state.readings.choices("sanitiser")[0]) if state.knows_all else None

    def _name_stored(self, state: State, name: str) -> str | None:
        return name if names.well_formed(name) else self._sanitised(state, name)

    def _look_up(self, state: State, account: Account, operation: str, name: str) -> tuple[User | None, list[Check]]:
        """The user that ``name`` finds, if any, and what can be wrong with it."""
        missing = Check(404, f"{operation}/rule/name-unknown", RULES[f"{operation}/rule/name-unknown"])
        if names.well_formed(name) and len(name) <= 64:
            user = state.find(account.name, name)
            if user is not None:
                return user, []
            unsure = any(u.account == account.name and u.name is None and names.may_become(u.asked, name)
                         for u in state.users)  # fmt: skip
            return None, [replace(missing, maybe=unsure or not state.known_absent(name))]
        impossible = Check(400, f"{operation}/rule/name-unknown", "No user can have such a name.",
                           "impossible-name", ("400",), operation)  # fmt: skip
        missing = replace(missing, reading="impossible-name", refusing=("404",), scope=operation)
        made = self._sanitised(state, name)
        user = next(
            (
                u
                for u in state.users
                if u.account == account.name
                and (u.name == made if made is not None else names.may_become(name, u.name or u.asked.lower()))
            ),
            None,
        )
        if user is None:
            doubtful = any(names.may_become(name, lost) for lost in state.doubtful)
            return None, [
                replace(check, maybe=True, reading="") if doubtful else check for check in (missing, impossible)
            ]
        exact = state.readings.choices("lookup", operation)
        if exact == ("exact",) or (state.knows_all and exact[0] == "exact"):
            return None, [missing, impossible]
        return user, [
            replace(check, reading="lookup", refusing=("exact",), scope=operation) for check in (missing, impossible)
        ]

    # -- operations: what can be wrong, and what a success does

    def _post_checks(
        self, state: State, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from self._request_checks(operation, body)
        yield from self._plan_checks(account, CREATE, body)
        if isinstance(body.get("username"), str):
            yield from self._new_name_checks(state, account, CREATE, "username", body["username"])

    def _post(self, state: State, account: Account, body: Mapping[str, Any], at: float) -> Sequence[Outcome]:
        settings = {**DEFAULTS, **{name: body[name] for name in DEFAULTS if name in body}}
        owed = {name: f"{CREATE}/effect/{name}" for name in DEFAULTS}
        owed["asked"] = f"{CREATE}/request/username/pattern"
        asked = body["username"]
        user = User(account.name, self._name_stored(state, asked), asked, settings, owed, at, at)
        answer = self._envelope(self._operations[CREATE], 200, success=True)
        if "password" in body:
            answer = replace(answer, never={"password": f"{CREATE}/rule/password-not-returned"})
            clause = f"{CREATE}/rule/password-not-returned"
        else:
            clause = f"{CREATE}/rule/password-generated"
            secret: Mapping[str, Pattern] = {"password": FreshSecret(_SHORTEST, _LONGEST, 24)}
            answer = replace(answer, required={**answer.required, **secret})
        clause = state.gone.get(asked, clause)  # a name that was freed has to be free
        return [Outcome(200, clause, RULES[clause], answer, state.put(user))]

    def _patch_checks(
        self, state: State, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from self._request_checks(operation, body)
        yield from self._plan_checks(account, UPDATE, body)
        known = set(resolve(operation.body.document, operation.body.schema)["properties"]) if operation.body else set()
        if len(body) > 1 and not set(body) & (known - {"currentUsername"}):
            yield Check(400, f"{UPDATE}/rule/no-updates", RULES[f"{UPDATE}/rule/no-updates"],
                        "unknown-only-update", ("400",))  # fmt: skip
        user = None
        if isinstance(body.get("currentUsername"), str):
            user, checks = self._look_up(state, account, UPDATE, body["currentUsername"])
            yield from checks
        if isinstance(body.get("newUsername"), str):
            yield from self._new_name_checks(state, account, UPDATE, "newUsername", body["newUsername"], user)
        if user is not None:
            yield from self._stored_flag(user, body)

    @staticmethod
    def _stored_flag(user: User, body: Mapping[str, Any]) -> Iterable[Check]:
        """One flag set while the other is stored: the sentence may mean the request or the user."""
        for flag, other in (_FLAGS, _FLAGS[::-1]):
            if body.get(flag) is True and other not in body and user.settings[other] is not False:
                check = Check(400, f"{UPDATE}/rule/flags-exclusive", RULES[f"{UPDATE}/rule/flags-exclusive"],
                              "stored-flag", ("400",))  # fmt: skip
                yield replace(check, reading="", maybe=True) if user.settings[other] is UNKNOWN else check

    def _patch(self, state: State, account: Account, body: Mapping[str, Any], at: float) -> Sequence[Outcome]:
        user, _ = self._look_up(state, account, UPDATE, body["currentUsername"])
        answer = self._envelope(self._operations[UPDATE], 200, success=True)
        why = "A valid update of a user that exists is 200."
        if user is None:  # it may exist, though this run knows nothing of it
            after = self.forget(state, [name for name in (body["currentUsername"], body.get("newUsername")) if name])
            return [Outcome(200, f"{UPDATE}/response/200", why, answer, after)]
        changed = {name: body[name] for name in (*DEFAULTS, "status") if name in body}
        settings = {**user.settings, **changed}
        for flag, other in (_FLAGS, _FLAGS[::-1]):
            if changed.get(flag) is True and other not in changed and settings[other] is not False:
                how = state.readings.choices("stored-flag")
                told = state.knows_all or len(how) == 1
                settings[other] = how[0] != "200-clear" if told else UNKNOWN
        owed = {**user.owed, **{name: f"{UPDATE}/effect/{name}" for name in changed}}
        new = replace(user, settings=settings, owed=owed, changed=at)
        if "newUsername" in body:
            owed |= {"username": f"{UPDATE}/effect/newUsername", "asked": f"{UPDATE}/request/newUsername/pattern"}
            new = replace(new, asked=body["newUsername"], name=self._name_stored(state, body["newUsername"]))
        return [Outcome(200, f"{UPDATE}/response/200", why, answer, state.put(new, user))]

    def _delete_checks(
        self, state: State, account: Account, operation: Operation, body: Mapping[str, Any]
    ) -> Iterable[Check]:
        yield from self._request_checks(operation, body)
        if isinstance(body.get("username"), str):
            yield from self._look_up(state, account, DELETE, body["username"])[1]

    def _delete(self, state: State, account: Account, body: Mapping[str, Any], _at: float) -> Sequence[Outcome]:
        user, _ = self._look_up(state, account, DELETE, body["username"])
        answer = self._envelope(self._operations[DELETE], 200, success=True)
        after = state.drop(user) if user is not None else self.forget(state, [body["username"]])
        return [Outcome(200, f"{DELETE}/response/200", "A user that exists is deleted.", answer, after)]

    def _get(self, state: State, account: Account, _body: Any, _at: float) -> Sequence[Outcome]:
        rows = listing(state, account.name)
        answer = Fields({"success": Constant(True), "smarthosts": rows})

        def after(shown: Any) -> State:
            return named(state, account.name, shown.get("smarthosts") if isinstance(shown, dict) else None)

        why = "The account's users are listed as they were last set."
        return [Outcome(200, f"{LIST}/response/200", why, answer, after)]
