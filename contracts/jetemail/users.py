"""What the model knows of SMTP users, and how the list shows them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.matchers import Either, Encoded, Expected, Fields, Listing, Pattern, Promised, Where
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
class User:
    """One SMTP user. ``name`` is None while only the list can tell what the vendor made of ``asked``.

    ``owed`` names, for each setting, the clause that says it must be shown so, ``fresh`` are settings that an update made
    since the last list. Times are in seconds since the epoch.
    """

    account: str
    name: str | None
    asked: str
    settings: Mapping[str, Any]
    owed: Mapping[str, str]
    created: float
    changed: float
    fresh: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """All that is known. ``gone`` maps a name that must not be listed to the clause that removed it (the mock needs none).

    ``since`` are the operations that changed or removed users after they were listed, in order: what is listed otherwise
    than before may be their doing. ``doubtful`` are accounts and names of which a broken contract left nothing known. Names that begin with ``fresh`` exist only if
    a request made them; where it is empty, that holds for all: the mock knows everything.
    """

    accounts: Mapping[str, Account]
    readings: Readings
    fresh: str
    users: tuple[User, ...] = ()
    gone: Mapping[str, str] = field(default_factory=dict)
    since: tuple[str, ...] = ()
    doubtful: frozenset[tuple[str, str]] = frozenset()

    @property
    def knows_all(self) -> bool:
        """Whether this is the mock's state, where nothing is left open."""
        return not self.fresh

    def read(self, readings: Readings) -> "State":
        """The same state under ``readings``."""
        return self if readings is self.readings else replace(self, readings=readings)

    def find(self, account: str, name: str) -> User | None:
        """The account's user of that name, if one is known."""
        return next((u for u in self.users if u.account == account and u.name == name), None)

    def doubted(self, account: str = "") -> set[str]:
        """The names of which nothing is known in ``account`` (in any: empty)."""
        return {name for held, name in self.doubtful if account in ("", held)}

    def known_absent(self, name: str, account: str = "") -> bool:
        """Whether no user of that name can exist in ``account`` (in any: empty) that is not known to have it."""
        if name in self.doubted(account):
            return False
        return name in self.gone or name.lower().startswith(self.fresh)

    def put(self, user: User, old: User | None = None) -> "State":
        """The state with ``user`` in place of ``old``, or beside the others."""
        users = tuple(user if u is old else u for u in self.users) if old else (*self.users, user)
        if self.knows_all:
            return replace(self, users=users)
        gone = {name: clause for name, clause in self.gone.items() if name != user.name}
        if old is not None and old.name is not None and old.name != user.name:
            gone[old.name] = "updateSmtpUser/effect/newUsername"
        since = (*self.since, "updateSmtpUser") if old is not None else self.since
        return replace(
            self, users=users, gone=gone, since=since, doubtful=self.doubtful - {(user.account, user.name or "")}
        )

    def drop(self, user: User) -> "State":
        """The state without ``user``."""
        users = tuple(u for u in self.users if u is not user)
        if self.knows_all:
            return replace(self, users=users)
        gone = {**self.gone, user.name or "": "deleteSmtpUser/effect/removed"}
        return replace(self, users=users, gone=gone, since=(*self.since, "deleteSmtpUser"))


def listing(state: State, account: str) -> Listing:
    """What the list must show to ``account``: its users, each once, as they were last set."""
    mine = [user for user in state.users if user.account == account]
    theirs = {user.name for user in state.users if user.account != account}

    def absent(name: str) -> str | None:
        if any(user.name is None and _may_show(user, name) for user in state.users):
            return None
        if name in theirs:
            return "listSmtpUsers/rule/own-account"
        if not state.known_absent(name, account):
            return None
        return state.gone.get(name, "createSmtpUser/rule/refused-changes-nothing")

    def accepts(user: User) -> Callable[[str], bool]:
        return lambda name: _may_show(user, name)

    clause = "createSmtpUser/effect/username"
    return Listing(
        key="username",
        known={
            u.name: Expected(_row(state, u), u.owed.get("username", clause), otherwise=_suspect(state, u, "username"))
            for u in mine
            if u.name is not None
        },
        unnamed=[Expected(_row(state, u), clause, accepts(u)) for u in mine if u.name is None],
        absent=absent,
    )


def named(state: State, account: str, shown: Any) -> State:
    """The state after the list ``shown``: users whose names only the list could tell have them."""
    unnamed = [user for user in state.users if user.account == account and user.name is None]
    if state.since:
        state = replace(state, since=(), users=tuple(replace(user, fresh=frozenset()) for user in state.users))
        unnamed = [user for user in state.users if user.account == account and user.name is None]
    if not unnamed:
        return state
    for user, name in zip(unnamed, listing(state, account).resolve(shown), strict=True):
        if name is not None:
            state = state.put(replace(user, name=name), user)
    return state


def _row(state: State, user: User) -> Pattern:
    """One row of the list. Types are the schema's business; here only what was set counts."""
    all_form = state.readings.choices("list-all-domains")[0]
    required: dict[str, Pattern] = {
        "username": _name(user),
        "status": _status(state, user),
        "usage": Where(0, _number, "a number"),
        "quota": _quota(state, user.settings["quota"]),
        "allowAnyDomain": _flag(user.settings["allowAnyDomain"], as_integer=True),
        "approvedDomains": _texts(state, user.settings["approvedDomains"], _domain),
        "ipRestrictions": _texts(state, user.settings["ipRestrictions"], _address),
        "created_date": _time(str(int(user.created * 1000)), user.created, lambda shown: float(shown) / 1000),
        "last_modified": _time(int(user.changed), user.changed, float),
    }
    owed = {
        name: Promised(user.owed[name], pattern, _suspect(state, user, name)) if name in user.owed else pattern
        for name, pattern in required.items()
    }
    flag = _flag(user.settings["allowAllDomains"], as_integer=all_form == "integer")
    said = frozenset() if all_form == "absent" else frozenset({"allowAllDomains"})
    clause = user.owed.get("allowAllDomains", "createSmtpUser/effect/allowAllDomains")
    return Fields(
        owed, {"allowAllDomains": Promised(clause, flag, _suspect(state, user, "allowAllDomains"))}, said=said
    )


def _suspect(state: State, user: User, setting: str) -> str | None:
    """The clause to suspect where a setting that was well made is not listed so, or (``username``) the user is not.

    Not the update that made the setting itself; and a deletion may lose a user, but changes none.
    """
    operations = [name for name in state.since if setting == "username" or name == "updateSmtpUser"]
    return f"{operations[-1]}/effect/untouched" if operations and setting not in user.fresh else None


def _may_show(user: User, name: str) -> bool:
    """Whether a listed name may be that of a user asked for under an ill-formed one; as asked, it is one all the same."""
    return name == user.asked or names.may_become(user.asked, name)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name(user: User) -> Pattern:
    if user.name is not None:
        return Where(user.name, lambda value: value == user.name, f"the name {user.name}")
    sanitised = Where("", lambda value: isinstance(value, str) and names.well_formed(value), "a sanitised name")
    return Promised(user.owed["asked"], sanitised)


def _status(state: State, user: User) -> Pattern:
    wanted = user.settings.get("status")
    if wanted is None:
        return Where(state.readings.choices("new-status")[0], lambda value: value in STATUSES, "a status")
    # The update operation's `inactive` is the list's `disabled`: the vendor's two vocabularies disagree.
    same = ("inactive", "disabled") if wanted == "inactive" else (wanted,)
    said = state.readings.choices("list-inactive")[0] if wanted == "inactive" else wanted
    return Where(said, lambda value: value in same, " or ".join(same))


def _quota(state: State, wanted: Any) -> Pattern:
    if wanted is UNKNOWN:
        return Where(0, _number, "a number")
    rounded = state.readings.choices("stored-values")[0] == "normalised"

    def holds(value: Any) -> bool:
        if not _number(value):
            return False
        whole = isinstance(value, int) or value.is_integer()
        return math.isclose(value, wanted, rel_tol=1e-9) or (whole and abs(value - wanted) < 1)

    return Where(int(wanted) if rounded else wanted, holds, f"{wanted}, perhaps made whole")


def _flag(wanted: Any, *, as_integer: bool) -> Pattern:
    sample = bool(wanted) if wanted is not UNKNOWN else False
    expected = "0 or 1" if wanted is UNKNOWN else str(int(wanted))
    return Where(
        int(sample) if as_integer else sample,
        lambda value: wanted is UNKNOWN or (isinstance(value, int | float) and bool(value) == wanted),
        expected,
    )


def _domain(text: str) -> str:
    return text.lower().rstrip(".")


def _address(text: str) -> str:
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts):
        return ".".join(str(int(part)) for part in parts)
    return text.lower()


def _texts(state: State, wanted: Any, normal: Callable[[str], str]) -> Pattern:
    """A list of texts, as JSON in a string or as an array, perhaps normalised, in any order."""
    if wanted is UNKNOWN:
        return Where("[]", lambda _value: True, "a list")
    same = sorted({normal(text) for text in wanted})

    def holds(value: Any) -> bool:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            return False
        return sorted({normal(text) for text in value}) == same

    said = same if state.readings.choices("stored-values")[0] == "normalised" else list(wanted)
    array = Where(said, holds, f"the {len(same)} texts that were set")
    forms: list[Pattern] = [Encoded(array), array]
    return Either(forms if state.readings.choices("list-texts")[0] == "encoded" else forms[::-1])


def _time(sample: Any, moment: float, seconds: Callable[[Any], float]) -> Pattern:
    """A time within a day of ``moment``: clocks differ, but a unit confused shows."""

    def holds(value: Any) -> bool:
        try:
            return abs(seconds(value) - moment) < _DAY
        except (TypeError, ValueError, OverflowError):
            return False

    return Where(sample, holds, "a time near the change")
