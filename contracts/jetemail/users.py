"""What the model knows of SMTP users, and how the list shows them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.matchers import (
    EncodedJson,
    ExpectedRow,
    ForClause,
    ListMatcher,
    Matcher,
    ObjectMatcher,
    OneOf,
    Satisfies,
)
from contract_watch.contracts.model import Account
from contracts.jetemail import names

DEFAULTS: Mapping[str, Any] = {
    "allowAnyDomain": False,
    "allowAllDomains": False,
    "approvedDomains": [],
    "quota": 0,
    "ipRestrictions": [],
}
"""What create stores of what was not sent; the published document's `default`s."""

STATUSES = ("active", "inactive", "disabled", "suspended", "quota-locked", "quota-unlocked")
UNKNOWN = object()
"""A stored setting of which nothing is known."""

_DAY = 86_400.0


@dataclass(frozen=True)
class JetEmailUser:
    """One SMTP user. ``name`` is None while only the list can tell what the vendor made of ``asked``.

    ``owed`` names, for each setting, the clause that says it must be shown so, ``fresh`` are settings that an update made
    since the last list. Times are in seconds since the epoch.
    """

    account: str
    name: str | None
    requested_name: str
    settings: Mapping[str, Any]
    clause_by_setting: Mapping[str, str]
    created_at: float
    changed_at: float
    unlisted_changes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class JetEmailState:
    """All that is known. ``gone`` maps a name that must not be listed to the clause that removed it (the mock needs none).

    ``since`` are the operations that changed or removed users after they were listed, in order: what is listed otherwise
    than before may be their doing. ``doubtful`` are accounts and names of which a broken contract left nothing known. Names that begin with ``fresh`` exist only if
    a request made them; where it is empty, that holds for all: the mock knows everything.
    """

    accounts: Mapping[str, Account]
    interpretations: Interpretations
    own_prefix: str
    users: tuple[JetEmailUser, ...] = ()
    removed_names: Mapping[str, str] = field(default_factory=dict)
    unlisted_operations: tuple[str, ...] = ()
    unknown_names: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether this is the mock's state, where nothing is left open."""
        return not self.own_prefix

    def with_interpretations(self, interpretations: Interpretations) -> "JetEmailState":
        """The same state under ``readings``."""
        return self if interpretations is self.interpretations else replace(self, interpretations=interpretations)

    def find_user(self, account: str, name: str) -> JetEmailUser | None:
        """The account's user of that name, if one is known."""
        return next((u for u in self.users if u.account == account and u.name == name), None)

    def get_unknown_names(self, account: str = "") -> set[str]:
        """The names of which nothing is known in ``account`` (in any: empty)."""
        return {name for held, name in self.unknown_names if account in ("", held)}

    def is_known_absent(self, name: str, account: str = "") -> bool:
        """Whether no user of that name can exist in ``account`` (in any: empty) that is not known to have it."""
        if name in self.get_unknown_names(account):
            return False
        return name in self.removed_names or name.lower().startswith(self.own_prefix)

    def put_user(self, user: JetEmailUser, old: JetEmailUser | None = None) -> "JetEmailState":
        """The state with ``user`` in place of ``old``, or beside the others."""
        users = tuple(user if u is old else u for u in self.users) if old else (*self.users, user)
        if self.is_complete:
            return replace(self, users=users)
        gone = {name: clause for name, clause in self.removed_names.items() if name != user.name}
        if old is not None and old.name is not None and old.name != user.name:
            gone[old.name] = "updateSmtpUser/effect/newUsername"
        since = (*self.unlisted_operations, "updateSmtpUser") if old is not None else self.unlisted_operations
        return replace(
            self,
            users=users,
            removed_names=gone,
            unlisted_operations=since,
            unknown_names=self.unknown_names - {(user.account, user.name or "")},
        )

    def drop_user(self, user: JetEmailUser) -> "JetEmailState":
        """The state without ``user``."""
        users = tuple(u for u in self.users if u is not user)
        if self.is_complete:
            return replace(self, users=users)
        gone = {**self.removed_names, user.name or "": "deleteSmtpUser/effect/removed"}
        return replace(
            self, users=users, removed_names=gone, unlisted_operations=(*self.unlisted_operations, "deleteSmtpUser")
        )


def build_list_matcher(state: JetEmailState, account: str) -> ListMatcher:
    """What the list must show to ``account``: its users, each once, as they were last set."""
    mine = [user for user in state.users if user.account == account]
    theirs = {user.name for user in state.users if user.account != account}

    def absent(name: str) -> str | None:
        if any(user.name is None and _may_be_listed_as(user, name) for user in state.users):
            return None
        if name in theirs:
            return "listSmtpUsers/rule/own-account"
        if not state.is_known_absent(name, account):
            return None
        return state.removed_names.get(name, "createSmtpUser/rule/refused-changes-nothing")

    def accepts(user: JetEmailUser) -> Callable[[str], bool]:
        return lambda name: _may_be_listed_as(user, name)

    clause = "createSmtpUser/effect/username"
    return ListMatcher(
        key="username",
        known_rows={
            u.name: ExpectedRow(
                _build_row_matcher(state, u),
                u.clause_by_setting.get("username", clause),
                suspected_clause=_find_suspected_clause(state, u, "username"),
            )
            for u in mine
            if u.name is not None
        },
        unnamed_rows=[ExpectedRow(_build_row_matcher(state, u), clause, accepts(u)) for u in mine if u.name is None],
        get_absence_clause=absent,
    )


def resolve_names(state: JetEmailState, account: str, rows: Any) -> JetEmailState:
    """The state after the list ``shown``: users whose names only the list could tell have them."""
    unnamed = [user for user in state.users if user.account == account and user.name is None]
    if state.unlisted_operations:
        state = replace(
            state,
            unlisted_operations=(),
            users=tuple(replace(user, unlisted_changes=frozenset()) for user in state.users),
        )
        unnamed = [user for user in state.users if user.account == account and user.name is None]
    if not unnamed:
        return state
    for user, name in zip(unnamed, build_list_matcher(state, account).resolve_keys(rows), strict=True):
        if name is not None:
            state = state.put_user(replace(user, name=name), user)
    return state


def _build_row_matcher(state: JetEmailState, user: JetEmailUser) -> Matcher:
    """One row of the list. Types are the schema's business; here only what was set counts."""
    all_form = state.interpretations.get_choices("list-all-domains")[0]
    required: dict[str, Matcher] = {
        "username": _match_name(user),
        "status": _match_status(state, user),
        "usage": Satisfies(0, _is_number, "a number"),
        "quota": _match_quota(state, user.settings["quota"]),
        "allowAnyDomain": _match_flag(user.settings["allowAnyDomain"], as_integer=True),
        "approvedDomains": _match_strings(state, user.settings["approvedDomains"], _normalise_domain),
        "ipRestrictions": _match_strings(state, user.settings["ipRestrictions"], _normalise_address),
        "created_date": _match_time(
            str(int(user.created_at * 1000)), user.created_at, lambda shown: float(shown) / 1000
        ),
        "last_modified": _match_time(int(user.changed_at), user.changed_at, float),
    }
    owed = {
        name: ForClause(user.clause_by_setting[name], pattern, _find_suspected_clause(state, user, name))
        if name in user.clause_by_setting
        else pattern
        for name, pattern in required.items()
    }
    flag = _match_flag(user.settings["allowAllDomains"], as_integer=all_form == "integer")
    said = frozenset() if all_form == "absent" else frozenset({"allowAllDomains"})
    clause = user.clause_by_setting.get("allowAllDomains", "createSmtpUser/effect/allowAllDomains")
    return ObjectMatcher(
        owed,
        {"allowAllDomains": ForClause(clause, flag, _find_suspected_clause(state, user, "allowAllDomains"))},
        rendered_optional=said,
    )


def _find_suspected_clause(state: JetEmailState, user: JetEmailUser, setting: str) -> str | None:
    """The clause to suspect where a setting that was well made is not listed so, or (``username``) the user is not.

    Not the update that made the setting itself; and a deletion may lose a user, but changes none.
    """
    operations = [name for name in state.unlisted_operations if setting == "username" or name == "updateSmtpUser"]
    return f"{operations[-1]}/effect/untouched" if operations and setting not in user.unlisted_changes else None


def _may_be_listed_as(user: JetEmailUser, name: str) -> bool:
    """Whether a listed name may be that of a user asked for under an ill-formed one; as asked, it is one all the same."""
    return name == user.requested_name or names.may_become(user.requested_name, name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _match_name(user: JetEmailUser) -> Matcher:
    if user.name is not None:
        return Satisfies(user.name, lambda value: value == user.name, f"the name {user.name}")
    sanitised = Satisfies("", lambda value: isinstance(value, str) and names.is_well_formed(value), "a sanitised name")
    return ForClause(user.clause_by_setting["asked"], sanitised)


def _match_status(state: JetEmailState, user: JetEmailUser) -> Matcher:
    wanted = user.settings.get("status")
    if wanted is None:
        return Satisfies(
            state.interpretations.get_choices("new-status")[0], lambda value: value in STATUSES, "a status"
        )
    # The update operation's `inactive` is the list's `disabled`: the vendor's two vocabularies disagree.
    same = ("inactive", "disabled") if wanted == "inactive" else (wanted,)
    said = state.interpretations.get_choices("list-inactive")[0] if wanted == "inactive" else wanted
    return Satisfies(said, lambda value: value in same, " or ".join(same))


def _match_quota(state: JetEmailState, wanted: Any) -> Matcher:
    if wanted is UNKNOWN:
        return Satisfies(0, _is_number, "a number")
    rounded = state.interpretations.get_choices("stored-values")[0] == "normalised"

    def holds(value: Any) -> bool:
        if not _is_number(value):
            return False
        whole = isinstance(value, int) or value.is_integer()
        return math.isclose(value, wanted, rel_tol=1e-9) or (whole and abs(value - wanted) < 1)

    return Satisfies(int(wanted) if rounded else wanted, holds, f"{wanted}, perhaps made whole")


def _match_flag(wanted: Any, *, as_integer: bool) -> Matcher:
    sample = bool(wanted) if wanted is not UNKNOWN else False
    expected = "0 or 1" if wanted is UNKNOWN else str(int(wanted))
    return Satisfies(
        int(sample) if as_integer else sample,
        lambda value: wanted is UNKNOWN or (isinstance(value, int | float) and bool(value) == wanted),
        expected,
    )


def _normalise_domain(text: str) -> str:
    return text.lower().rstrip(".")


def _normalise_address(text: str) -> str:
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return text.lower()


def _match_strings(state: JetEmailState, wanted: Any, normalise: Callable[[str], str]) -> Matcher:
    """A list of texts, as JSON in a string or as an array, perhaps normalised, in any order."""
    if wanted is UNKNOWN:
        return Satisfies("[]", lambda _value: True, "a list")
    same = sorted({normalise(text) for text in wanted})

    def holds(value: Any) -> bool:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            return False
        return sorted({normalise(text) for text in value}) == same

    said = same if state.interpretations.get_choices("stored-values")[0] == "normalised" else list(wanted)
    array = Satisfies(said, holds, f"the {len(same)} texts that were set")
    forms: list[Matcher] = [EncodedJson(array), array]
    return OneOf(forms if state.interpretations.get_choices("list-texts")[0] == "encoded" else forms[::-1])


def _match_time(sample: Any, moment: float, to_seconds: Callable[[Any], float]) -> Matcher:
    """A time within a day of ``moment``: clocks differ, but a unit confused shows."""

    def holds(value: Any) -> bool:
        try:
            return abs(to_seconds(value) - moment) < _DAY
        except (TypeError, ValueError, OverflowError):
            return False

    return Satisfies(sample, holds, "a time near the change")
