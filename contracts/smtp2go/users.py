"""What the model knows of SMTP users."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account
from contracts.smtp2go.names import fold_name
from contracts.smtp2go.rules import ADD, EDIT, PATCH, REMOVE

UNKNOWN = object()
"""A setting of which nothing is known."""
GENERATED = object()
"""A password that the vendor generates: the answer is to tell it."""

RATELIMIT = ("custom_ratelimit_value", "custom_ratelimit_period")
FEEDBACK = ("feedback_domain", "feedback_html", "feedback_text")

_NEVER_VIEWED = frozenset({"click_tracking_enabled"})
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
class Smtp2goUser:
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
    sent_settings: frozenset[str]
    clause_by_setting: Mapping[str, str]
    unviewed_changes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Smtp2goState:
    """All that is known. ``gone`` maps a name that no user has any more to the clause that removed it.

    ``since`` are the operations that changed or removed users after all were viewed, in order: what is shown otherwise
    than before may be their doing. ``doubtful`` are accounts and names of which nothing is known. Names that begin with
    ``fresh`` exist only if a request made them; where it is empty, that holds for all: the mock knows everything.
    """

    accounts: Mapping[str, Account]
    interpretations: Interpretations
    own_prefix: str
    users: tuple[Smtp2goUser, ...] = ()
    removed_names: Mapping[str, str] = field(default_factory=dict)
    unviewed_operations: tuple[str, ...] = ()
    unknown_names: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether this is the mock's state, where nothing is left open."""
        return not self.own_prefix

    def get_choice(self, interpretation: str, scope: str = "") -> str:
        """The mock's choice of a reading."""
        return self.interpretations.get_choices(interpretation, scope)[0]

    def with_interpretations(self, interpretations: Interpretations) -> "Smtp2goState":
        """The same state under ``readings``."""
        return self if interpretations is self.interpretations else replace(self, interpretations=interpretations)

    def list_users(self, account: str) -> list[Smtp2goUser]:
        """The account's users."""
        return [user for user in self.users if user.account == account]

    def find_user(self, account: str, name: str) -> Smtp2goUser | None:
        """The account's user of that name, if one is known; in the mock names may be folded."""
        found = next((u for u in self.users if u.account == account and u.name == name), None)
        if found is None and self.is_complete and self.get_choice("names") == "folded":
            return next((u for u in self.users if u.account == account and fold_name(u.name) == fold_name(name)), None)
        return found

    def is_known_absent(self, name: str, account: str) -> bool:
        """Whether no user of that name can exist in ``account`` that is not known to have it."""
        if any(held == account and fold_name(lost) == fold_name(name) for held, lost in self.unknown_names):
            return False
        return name in self.removed_names or fold_name(name).startswith(self.own_prefix)

    def put_user(self, user: Smtp2goUser, old: Smtp2goUser | None = None, operation: str = ADD) -> "Smtp2goState":
        """The state with ``user`` in place of ``old``, or beside the others."""
        users = tuple(user if u is old else u for u in self.users) if old else (*self.users, user)
        gone = (
            {name: clause for name, clause in self.removed_names.items() if name != user.name}
            if self.removed_names
            else self.removed_names
        )
        if self.is_complete:
            return replace(self, users=users, removed_names=gone)
        since = (*self.unviewed_operations, operation) if operation in (EDIT, PATCH) else self.unviewed_operations
        doubtful = self.unknown_names - {(user.account, user.name)}
        return replace(self, users=users, removed_names=gone, unviewed_operations=since, unknown_names=doubtful)

    def drop_user(self, user: Smtp2goUser) -> "Smtp2goState":
        """The state without ``user``. The mock need not remember its name, unless names stay taken."""
        users = tuple(u for u in self.users if u is not user)
        if self.is_complete and self.get_choice("removed-name") == "free":
            return replace(self, users=users)
        gone = {**self.removed_names, user.name: f"{REMOVE}/effect/removed"}
        return replace(
            self,
            users=users,
            removed_names=gone,
            unviewed_operations=() if self.is_complete else (*self.unviewed_operations, REMOVE),
        )

    def mark_viewed(self, one: Smtp2goUser | None = None) -> "Smtp2goState":
        """The state after all users were viewed, or ``one``."""
        if self.is_complete:
            return self
        users = tuple(
            replace(user, unviewed_changes=user.unviewed_changes & _NEVER_VIEWED) if one in (None, user) else user
            for user in self.users
        )
        return replace(self, users=users, unviewed_operations=() if one is None else self.unviewed_operations)

    def find_suspected_clause(self, user: Smtp2goUser, setting: str) -> str | None:
        """The clause to suspect where a setting that was well made is shown otherwise, or (``username``) the user is not.

        Not the change that made the setting itself; and a removal may lose a user, but changes none.
        """
        operations = [name for name in self.unviewed_operations if setting == "username" or name != REMOVE]
        return f"{operations[-1]}/effect/untouched" if operations and setting not in user.unviewed_changes else None

    def forget_users(self, names: set[str]) -> "Smtp2goState":
        """The state in which it is unknown whether any of ``names`` exists."""
        lost = names | {fold_name(name) for name in names}
        kept = tuple(user for user in self.users if not {user.name, fold_name(user.name)} & lost)
        dropped = {user.name for user in self.users if user not in kept}
        gone = {name: clause for name, clause in self.removed_names.items() if not {name, fold_name(name)} & lost}
        doubtful = {(account.name, name) for account in self.accounts.values() for name in lost | dropped}
        return replace(self, users=kept, removed_names=gone, unknown_names=self.unknown_names | doubtful)
