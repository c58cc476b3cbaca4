"""The model's state, the SMTP users, and the matchers of the list."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
from contract_watch.contracts.outcomes import Interpretations
from contracts.jetemail import names

DEFAULTS: Mapping[str, Any] = {
    "allowAnyDomain": False,
    "allowAllDomains": False,
    "approvedDomains": [],
    "quota": 0,
    "ipRestrictions": [],
}
"""The settings that create stores if the request has none: the `default`s of the published document."""

STATUSES = ("active", "inactive", "disabled", "suspended", "quota-locked", "quota-unlocked")
UNKNOWN = object()
"""A stored setting with an unknown value."""

_DAY = 86_400.0


@dataclass(frozen=True)
class JetEmailUser:
    """An SMTP user.

    ``name`` is None as long as only the list can tell the name that the vendor made of ``requested_name``.
    ``clause_by_setting`` maps each setting to the clause that determines its value; ``unlisted_changes`` are the settings
    that an update changed since the last list. Times are in seconds since the epoch.
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
    """The known state of all accounts (``accounts`` by key).

    ``own_prefix`` is described in `Model.start`; it is empty in the mock's state, which is complete. ``removed_names``
    maps a name that must not be listed to the clause that removed it. ``unlisted_operations`` are the operations that
    changed or deleted users since the last list, in order: they are suspected if a user is listed differently.
    ``unknown_names`` are the accounts and names whose existence is unknown after a broken contract.
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
        """True for the mock's state, in which nothing is unknown."""
        return not self.own_prefix

    def find_user(self, account: str, name: str) -> JetEmailUser | None:
        """Return the account's user called ``name``, if one is known."""
        return next((u for u in self.users if u.account == account and u.name == name), None)

    def get_unknown_names(self, account: str = "") -> set[str]:
        """Return the names whose existence in ``account`` (empty: in any account) is unknown."""
        return {name for owner, name in self.unknown_names if account in ("", owner)}

    def is_known_absent(self, name: str, account: str = "") -> bool:
        """Return True if no unknown user called ``name`` can exist in ``account`` (empty: in any account)."""
        if name in self.get_unknown_names(account):
            return False
        return name in self.removed_names or name.lower().startswith(self.own_prefix)

    def put_user(self, user: JetEmailUser, old: JetEmailUser | None = None) -> "JetEmailState":
        """Return the state with ``user`` added, or in place of ``old``."""
        users = tuple(user if u is old else u for u in self.users) if old else (*self.users, user)
        if self.is_complete:
            return replace(self, users=users)
        removed = {name: clause for name, clause in self.removed_names.items() if name != user.name}
        if old is not None and old.name is not None and old.name != user.name:
            removed[old.name] = "updateSmtpUser/effect/newUsername"
        unlisted = (*self.unlisted_operations, "updateSmtpUser") if old is not None else self.unlisted_operations
        return replace(
            self,
            users=users,
            removed_names=removed,
            unlisted_operations=unlisted,
            unknown_names=self.unknown_names - {(user.account, user.name or "")},
        )

    def drop_user(self, user: JetEmailUser) -> "JetEmailState":
        """Return the state without ``user``."""
        users = tuple(u for u in self.users if u is not user)
        if self.is_complete:
            return replace(self, users=users)
        removed = {**self.removed_names, user.name or "": "deleteSmtpUser/effect/removed"}
        unlisted = (*self.unlisted_operations, "deleteSmtpUser")
        return replace(self, users=users, removed_names=removed, unlisted_operations=unlisted)


def build_list_matcher(state: JetEmailState, account: str) -> ListMatcher:
    """Build the matcher of the list of ``account``: each of its users once, with its last settings."""
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
    """Return the state after a list with ``rows``, which tells the names of the users that had none yet."""
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
    """Build the matcher of one row; it checks settings only, because the schema checks types."""
    all_domains_form = state.interpretations.get_choices("list-all-domains")[0]
    required: dict[str, Matcher] = {
        "username": _match_name(user),
        "status": _match_status(state, user),
        "usage": Satisfies(0, _is_number, "a number"),
        "quota": _match_quota(state, user.settings["quota"]),
        "allowAnyDomain": _match_flag(user.settings["allowAnyDomain"], as_integer=True),
        "approvedDomains": _match_strings(state, user.settings["approvedDomains"], _normalise_domain),
        "ipRestrictions": _match_strings(state, user.settings["ipRestrictions"], _normalise_address),
        "created_date": _match_time(
            str(int(user.created_at * 1000)), user.created_at, lambda value: float(value) / 1000
        ),
        "last_modified": _match_time(int(user.changed_at), user.changed_at, float),
    }
    clause_matchers = {
        name: ForClause(user.clause_by_setting[name], matcher, _find_suspected_clause(state, user, name))
        if name in user.clause_by_setting
        else matcher
        for name, matcher in required.items()
    }
    flag = _match_flag(user.settings["allowAllDomains"], as_integer=all_domains_form == "integer")
    rendered = frozenset() if all_domains_form == "absent" else frozenset({"allowAllDomains"})
    clause = user.clause_by_setting.get("allowAllDomains", "createSmtpUser/effect/allowAllDomains")
    return ObjectMatcher(
        clause_matchers,
        {"allowAllDomains": ForClause(clause, flag, _find_suspected_clause(state, user, "allowAllDomains"))},
        rendered_optional=rendered,
    )


def _find_suspected_clause(state: JetEmailState, user: JetEmailUser, setting: str) -> str | None:
    """Return the clause to suspect if a setting has another value, or (``username``) the user is not listed.

    An update is not suspected of the settings that it set; a deletion can lose a user, but change none.
    """
    operations = [name for name in state.unlisted_operations if setting == "username" or name == "updateSmtpUser"]
    return f"{operations[-1]}/effect/untouched" if operations and setting not in user.unlisted_changes else None


def _may_be_listed_as(user: JetEmailUser, name: str) -> bool:
    """Return True if ``name`` can be the listed name of a user that was requested under an ill-formed name."""
    return name == user.requested_name or names.may_become(user.requested_name, name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _match_name(user: JetEmailUser) -> Matcher:
    if user.name is not None:
        return Satisfies(user.name, lambda value: value == user.name, f"the name {user.name}")
    sanitised = Satisfies("", lambda value: isinstance(value, str) and names.is_well_formed(value), "a sanitised name")
    return ForClause(user.clause_by_setting["requested_name"], sanitised)


def _match_status(state: JetEmailState, user: JetEmailUser) -> Matcher:
    expected = user.settings.get("status")
    if expected is None:
        return Satisfies(
            state.interpretations.get_choices("new-status")[0], lambda value: value in STATUSES, "a status"
        )
    # The update operation's `inactive` is the list's `disabled`: the vendor's two vocabularies disagree.
    equivalent = ("inactive", "disabled") if expected == "inactive" else (expected,)
    sample = state.interpretations.get_choices("list-inactive")[0] if expected == "inactive" else expected
    return Satisfies(sample, lambda value: value in equivalent, " or ".join(equivalent))


def _match_quota(state: JetEmailState, expected: Any) -> Matcher:
    if expected is UNKNOWN:
        return Satisfies(0, _is_number, "a number")
    rounded = state.interpretations.get_choices("stored-values")[0] == "normalised"

    def is_equal(value: Any) -> bool:
        if not _is_number(value):
            return False
        whole = isinstance(value, int) or value.is_integer()
        return math.isclose(value, expected, rel_tol=1e-9) or (whole and abs(value - expected) < 1)

    return Satisfies(int(expected) if rounded else expected, is_equal, f"{expected}, possibly rounded")


def _match_flag(expected: Any, *, as_integer: bool) -> Matcher:
    sample = bool(expected) if expected is not UNKNOWN else False
    return Satisfies(
        int(sample) if as_integer else sample,
        lambda value: expected is UNKNOWN or (isinstance(value, int | float) and bool(value) == expected),
        "0 or 1" if expected is UNKNOWN else str(int(expected)),
    )


def _normalise_domain(text: str) -> str:
    return text.lower().rstrip(".")


def _normalise_address(text: str) -> str:
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return text.lower()


def _match_strings(state: JetEmailState, expected: Any, normalise: Callable[[str], str]) -> Matcher:
    """Build the matcher of a list of strings, as an array or as JSON in a string, in any order, possibly normalised."""
    if expected is UNKNOWN:
        return Satisfies("[]", lambda _value: True, "a list")
    normalised = sorted({normalise(item) for item in expected})

    def is_equal(value: Any) -> bool:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return False
        return sorted({normalise(item) for item in value}) == normalised

    sample = normalised if state.interpretations.get_choices("stored-values")[0] == "normalised" else list(expected)
    array = Satisfies(sample, is_equal, f"the {len(normalised)} strings that were set")
    forms: list[Matcher] = [EncodedJson(array), array]
    return OneOf(forms if state.interpretations.get_choices("list-texts")[0] == "encoded" else forms[::-1])


def _match_time(sample: Any, moment: float, to_seconds: Callable[[Any], float]) -> Matcher:
    """Build the matcher of a time within a day of ``moment``: clocks differ, but a wrong unit is found."""

    def is_near(value: Any) -> bool:
        try:
            return abs(to_seconds(value) - moment) < _DAY
        except (TypeError, ValueError, OverflowError):
            return False

    return Satisfies(sample, is_near, "a time near the change")
