"""What the model knows of SMTP users."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.model import Account
from contracts.smtp2go.names import fold
from contracts.smtp2go.rules import ADD, EDIT, PATCH, REMOVE

UNKNOWN = object()
"""A setting of which nothing is known."""
GENERATED = object()
"""A password that the vendor generates: the answer is to tell it."""

RATELIMIT = ("custom_ratelimit_value", "custom_ratelimit_period")
FEEDBACK = ("feedback_domain", "feedback_html", "feedback_text")

_NOT_VIEWED = frozenset({"click_tracking_enabled"})
"""What only the answers of patches show by their page."""

DEFAULTS: Mapping[str, Any] = {
    "description": None,
    "custom_ratelimit": False,
    "custom_ratelimit_value": None,
    "custom_ratelimit_period": None,
    "ip_pool": None,
    "feedback_enabled": False,
    "feedback_domain": None,
    "feedback_html": None,
    "feedback_text": None,
    "open_tracking_enabled": False,
    "click_tracking_enabled": False,
    "archive_enabled": False,
    "audit_email": None,
    "bounce_notifications": "from",
    "status": "allowed",
}
"""What add stores of what was not sent: the pages' defaults, None being nothing."""


@dataclass(frozen=True)
class User:
    """One SMTP user.

    ``password`` is a text, None (none), `UNKNOWN` or `GENERATED`, and never part of a representation. ``explicit`` are the settings that
    a request named, which answers have to show. ``owed`` names, for each setting, the clause that says it must be shown
    so; ``fresh`` are settings that a change made since the user was viewed: its answer says them, which
    does not show that they were stored.
    """

    account: str
    name: str
    password: Any = field(repr=False)
    settings: Mapping[str, Any]
    explicit: frozenset[str]
    owed: Mapping[str, str]
    fresh: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """All that is known. ``gone`` maps a name that no user has any more to the clause that removed it.

    ``since`` are the operations that changed or removed users after all were viewed, in order: what is shown otherwise
    than before may be their doing. ``doubtful`` are accounts and names of which nothing is known. Names that begin with
    ``fresh`` exist only if a request made them; where it is empty, that holds for all: the mock knows everything.
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

    def told(self, reading: str, scope: str = "") -> str:
        """The mock's choice of a reading."""
        return self.readings.choices(reading, scope)[0]

    def read(self, readings: Readings) -> "State":
        """The same state under ``readings``."""
        return self if readings is self.readings else replace(self, readings=readings)

    def mine(self, account: str) -> list[User]:
        """The account's users."""
        return [user for user in self.users if user.account == account]

    def find(self, account: str, name: str) -> User | None:
        """The account's user of that name, if one is known; in the mock names may be folded."""
        found = next((u for u in self.users if u.account == account and u.name == name), None)
        if found is None and self.knows_all and self.told("names") == "folded":
            return next((u for u in self.users if u.account == account and fold(u.name) == fold(name)), None)
        return found

    def known_absent(self, name: str, account: str) -> bool:
        """Whether no user of that name can exist in ``account`` that is not known to have it."""
        if any(held == account and fold(lost) == fold(name) for held, lost in self.doubtful):
            return False
        return name in self.gone or fold(name).startswith(self.fresh)

    def put(self, user: User, old: User | None = None, operation: str = ADD) -> "State":
        """The state with ``user`` in place of ``old``, or beside the others."""
        users = tuple(user if u is old else u for u in self.users) if old else (*self.users, user)
        gone = {name: clause for name, clause in self.gone.items() if name != user.name} if self.gone else self.gone
        if self.knows_all:
            return replace(self, users=users, gone=gone)
        since = (*self.since, operation) if operation in (EDIT, PATCH) else self.since
        doubtful = self.doubtful - {(user.account, user.name)}
        return replace(self, users=users, gone=gone, since=since, doubtful=doubtful)

    def drop(self, user: User) -> "State":
        """The state without ``user``. The mock need not remember its name, unless names stay taken."""
        users = tuple(u for u in self.users if u is not user)
        if self.knows_all and self.told("removed-name") == "free":
            return replace(self, users=users)
        gone = {**self.gone, user.name: f"{REMOVE}/effect/removed"}
        return replace(self, users=users, gone=gone, since=() if self.knows_all else (*self.since, REMOVE))

    def viewed(self, one: User | None = None) -> "State":
        """The state after all users were viewed, or ``one``."""
        if self.knows_all:
            return self
        users = tuple(
            replace(user, fresh=user.fresh & _NOT_VIEWED) if one in (None, user) else user for user in self.users
        )
        return replace(self, users=users, since=() if one is None else self.since)

    def suspect(self, user: User, setting: str) -> str | None:
        """The clause to suspect where a setting that was well made is shown otherwise, or (``username``) the user is not.

        Not the change that made the setting itself; and a removal may lose a user, but changes none.
        """
        operations = [name for name in self.since if setting == "username" or name != REMOVE]
        return f"{operations[-1]}/effect/untouched" if operations and setting not in user.fresh else None

    def forget(self, names: set[str]) -> "State":
        """The state in which it is unknown whether any of ``names`` exists."""
        lost = names | {fold(name) for name in names}
        kept = tuple(user for user in self.users if not {user.name, fold(user.name)} & lost)
        dropped = {user.name for user in self.users if user not in kept}
        gone = {name: clause for name, clause in self.gone.items() if not {name, fold(name)} & lost}
        doubtful = {(account.name, name) for account in self.accounts.values() for name in lost | dropped}
        return replace(self, users=kept, gone=gone, doubtful=self.doubtful | doubtful)
